/*
 * webapp - the customer's web application of the benchmark: answers every POST /NAME with the
 * document NAME at once, keeps connections alive, and costs little, so that what is measured is the
 * platform.
 *
 *   webapp IP PORT DIRECTORY     serves DIRECTORY/NAME.xml as text/xml and DIRECTORY/NAME.wav as
 * audio/wav
 *
 * SIGTERM ends it.
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_FILES 16

static char etag[32]; /* of all files: they do not change while it runs */

struct file {
	char path[64];
	struct MHD_Response *response;
};

static struct file files[MAX_FILES];
static int n_files;

static struct MHD_Response *load(const char *directory, const char *name, const char *type)
{
	char path[512];
	struct MHD_Response *response;
	char *data;
	long len;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	f = fopen(path, "rb");
	if (!f)
		return NULL;
	fseek(f, 0, SEEK_END);
	len = ftell(f);
	rewind(f);
	data = malloc((size_t)len + 1);
	if (!data || fread(data, 1, (size_t)len, f) != (size_t)len)
		exit(1);
	fclose(f);
	response = MHD_create_response_from_buffer((size_t)len, data, MHD_RESPMEM_MUST_FREE);
	MHD_add_response_header(response, "Content-Type", type);
	MHD_add_response_header(response, "ETag", etag);
	return response;
}

static struct MHD_Response *find(const char *directory, const char *url)
{
	const char *name = url + 1, *dot = strrchr(name, '.');
	struct file *f;

	for (int i = 0; i < n_files; i++)
		if (!strcmp(files[i].path, url))
			return files[i].response;
	if (n_files == MAX_FILES || strlen(url) >= sizeof(f->path) || strchr(name, '/') || !dot)
		return NULL;
	f = &files[n_files];
	f->response = load(directory, name, strcmp(dot, ".wav") ? "text/xml" : "audio/wav");
	if (!f->response)
		return NULL;
	strcpy(f->path, url);
	n_files++;
	return f->response;
}

static enum MHD_Result answer(void *arg, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *data,
			      size_t *len, void **state)
{
	static int begun;
	static struct MHD_Response *nothing;
	struct MHD_Response *response;
	const char *known;

	(void)method;
	(void)version;
	(void)data;
	if (!*state) {
		*state = &begun;
		return MHD_YES;
	}
	if (*len) {
		*len = 0;
		return MHD_YES;
	}
	response = find(arg, url);
	known = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "If-None-Match");
	if (response && !(known && !strcmp(known, etag)))
		return MHD_queue_response(connection, 200, response);
	if (!nothing)
		nothing = MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
	/* What is no file is a status callback: done, nothing to say. */
	return MHD_queue_response(connection, response ? 304 : 204, nothing);
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	struct MHD_Daemon *daemon;
	sigset_t set;
	int sig;

	snprintf(etag, sizeof(etag), "\"%llx\"", (unsigned long long)time(NULL));
	if (argc != 4) {
		fprintf(stderr, "usage: webapp IP PORT DIRECTORY\n");
		return 2;
	}
	addr.sin_addr.s_addr = inet_addr(argv[1]);
	addr.sin_port = htons((uint16_t)atoi(argv[2]));
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer, argv[3],
				  MHD_OPTION_SOCK_ADDR, &addr, MHD_OPTION_CONNECTION_LIMIT, 4096u,
				  MHD_OPTION_END);
	if (!daemon) {
		fprintf(stderr, "webapp: cannot listen on %s:%s\n", argv[1], argv[2]);
		return 1;
	}
	sigwait(&set, &sig);
	MHD_stop_daemon(daemon);
	return 0;
}
