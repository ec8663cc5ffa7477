#define LOG_SUBSYSTEM "siblings"
#include "io/siblings.h"

#include "base/log.h"
#include "base/process.h"
#include "io/loop.h"
#include "io/socket.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define QUEUE_MAX 1000

struct sibling {
	struct siblings *all;
	unsigned number;
	struct dgram *socket; /* NULL: ourselves, or nobody */
};

struct siblings {
	siblings_fn *fn;
	void *arg;
	struct sibling list[PROCESSES_MAX];
	char output[SIBLING_MAX_BYTES + 1];
};

static void on_datagram(void *arg, const char *data, size_t len)
{
	struct sibling *s = arg;

	if (len)
		s->all->fn(s->all->arg, s->number, (enum sibling_message)data[0], data + 1,
			   len - 1);
}

struct siblings *siblings_new(struct loop *loop, const char *path, siblings_fn *fn, void *arg)
{
	struct siblings *s = calloc(1, sizeof(*s));
	char own[PATH_MAX], other[PATH_MAX];

	if (!s)
		return NULL;
	s->fn = fn;
	s->arg = arg;
	for (unsigned i = 0; i < process_count(); i++) {
		struct sibling *one = &s->list[i];

		if (i == process_index())
			continue;
		*one = (struct sibling){ .all = s, .number = i };
		snprintf(own, sizeof(own), "%s.%u-%u", path, process_index(), i);
		snprintf(other, sizeof(other), "%s.%u-%u", path, i, process_index());
		one->socket = dgram_new_unix(loop, own, other, QUEUE_MAX, on_datagram, one);
		if (!one->socket) {
			siblings_free(s);
			return NULL;
		}
		/* Our own processes write here, nobody else. */
		chmod(own, 0600);
	}
	return s;
}

void siblings_free(struct siblings *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < PROCESSES_MAX; i++)
		dgram_free(s->list[i].socket);
	free(s);
}

int siblings_tell(struct siblings *s, unsigned to, enum sibling_message what, const char *data,
		  size_t len)
{
	if (len > SIBLING_MAX_BYTES)
		return -EMSGSIZE;
	if (to >= PROCESSES_MAX || !s->list[to].socket)
		return -ECONNREFUSED;
	s->output[0] = (char)what;
	memcpy(s->output + 1, data, len);
	return dgram_send(s->list[to].socket, s->output, len + 1);
}

int siblings_tell_json(struct siblings *s, unsigned to, enum sibling_message what,
		       const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);
	int r = text ? siblings_tell(s, to, what, text, strlen(text)) : -ENOMEM;

	free(text);
	return r;
}

void siblings_tell_all(struct siblings *s, enum sibling_message what, const char *data, size_t len)
{
	for (unsigned i = 0; i < process_count(); i++) {
		int r = i == process_index() ? 0 : siblings_tell(s, i, what, data, len);

		if (r < 0 && r != -ECONNREFUSED)
			log_error("process %u was not told: %s", i, strerror(-r));
	}
}
