#define LOG_SUBSYSTEM "http"
#include "io/http_server_tls.h"

#include "base/log.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CHAIN_MAX	8
#define FILE_MAX_BYTES	(256 << 10)
#define KEY_ID_MAX_SIZE 64

/* What is compared to see that a file is another one. */
struct look {
	struct timespec changed;
	ino_t inode;
	off_t size;
};

struct pair {
	gnutls_datum_t cert, key; /* PEM, malloced */
};

static struct {
	pthread_mutex_t lock;
	char *cert_path, *key_path;
	struct look cert_look, key_look; /* of the files that were tried last */
	struct pair pair;
} tls = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void pair_done(struct pair *p)
{
	if (p->key.data)
		gnutls_memset(p->key.data, 0, p->key.size);
	free(p->cert.data);
	free(p->key.data);
	*p = (struct pair){ 0 };
}

static bool looked(struct look *ret, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	*ret = (struct look){ st.st_mtim, st.st_ino, st.st_size };
	return true;
}

static bool same_look(const struct look *a, const struct look *b)
{
	return a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec &&
	       a->inode == b->inode && a->size == b->size;
}

static int read_file(gnutls_datum_t *ret, const char *path, const char *name, char *err,
		     size_t err_size)
{
	FILE *file = fopen(path, "re");
	int r = -EINVAL;
	size_t n;

	if (!file) {
		snprintf(err, err_size, "%s is \"%s\", which cannot be read: %s", name, path,
			 strerror(errno));
		return -EINVAL;
	}
	ret->data = malloc(FILE_MAX_BYTES);
	n = ret->data ? fread(ret->data, 1, FILE_MAX_BYTES, file) : 0;
	if (!ret->data || !n || n == FILE_MAX_BYTES || ferror(file)) {
		snprintf(err, err_size, "%s is \"%s\", which is empty or no file of PEM", name,
			 path);
		goto out;
	}
	ret->size = (unsigned)n;
	r = 0;
out:
	fclose(file);
	return r;
}

/* GnuTLS' own allocations: it takes them with GNUTLS_CERT_RETR_DEINIT_ALL. */
static int import(gnutls_pcert_st **ret_certs, unsigned *ret_n, gnutls_privkey_t *ret_key,
		  const struct pair *p)
{
	gnutls_pcert_st *certs = gnutls_calloc(CHAIN_MAX, sizeof(*certs));
	gnutls_privkey_t key = NULL;
	unsigned n = CHAIN_MAX;
	int r = GNUTLS_E_MEMORY_ERROR;

	if (!certs)
		return r;
	r = gnutls_pcert_list_import_x509_raw(certs, &n, &p->cert, GNUTLS_X509_FMT_PEM, 0);
	if (r < 0) {
		gnutls_free(certs);
		return r;
	}
	r = gnutls_privkey_init(&key);
	if (r == 0)
		r = gnutls_privkey_import_x509_raw(key, &p->key, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (r < 0) {
		gnutls_privkey_deinit(key);
		for (unsigned i = 0; i < n; i++)
			gnutls_pcert_deinit(&certs[i]);
		gnutls_free(certs);
		return r;
	}
	*ret_certs = certs;
	*ret_n = n;
	*ret_key = key;
	return 0;
}

static bool belong_together(const gnutls_pcert_st *cert, gnutls_privkey_t key)
{
	unsigned char a[KEY_ID_MAX_SIZE], b[KEY_ID_MAX_SIZE];
	size_t a_size = sizeof(a), b_size = sizeof(b);
	gnutls_pubkey_t public;
	bool same;

	if (gnutls_pubkey_init(&public) < 0)
		return false;
	same = gnutls_pubkey_import_privkey(public, key, 0, 0) == 0 &&
	       gnutls_pubkey_get_key_id(public, GNUTLS_KEYID_USE_SHA256, a, &a_size) == 0 &&
	       gnutls_pubkey_get_key_id(cert->pubkey, GNUTLS_KEYID_USE_SHA256, b, &b_size) == 0 &&
	       a_size == b_size && !memcmp(a, b, a_size);
	gnutls_pubkey_deinit(public);
	return same;
}

/* Under the lock, or before the server runs. */
static int take_files(char *err, size_t err_size)
{
	gnutls_pcert_st *certs;
	gnutls_privkey_t key;
	struct pair p = { 0 };
	unsigned n;
	bool same;
	int r;

	looked(&tls.cert_look, tls.cert_path);
	looked(&tls.key_look, tls.key_path);
	r = read_file(&p.cert, tls.cert_path, "API_TLS_CERT", err, err_size);
	if (r == 0)
		r = read_file(&p.key, tls.key_path, "API_TLS_KEY", err, err_size);
	if (r < 0)
		goto out;
	r = import(&certs, &n, &key, &p);
	if (r < 0) {
		snprintf(err, err_size,
			 "API_TLS_CERT \"%s\" and API_TLS_KEY \"%s\" are no certificate and key in "
			 "PEM: %s",
			 tls.cert_path, tls.key_path, gnutls_strerror(r));
		r = -EINVAL;
		goto out;
	}
	same = belong_together(&certs[0], key);
	gnutls_privkey_deinit(key);
	for (unsigned i = 0; i < n; i++)
		gnutls_pcert_deinit(&certs[i]);
	gnutls_free(certs);
	if (!same) {
		snprintf(err, err_size, "the key in API_TLS_KEY \"%s\" is not the one of \"%s\"",
			 tls.key_path, tls.cert_path);
		r = -EINVAL;
		goto out;
	}
	pair_done(&tls.pair);
	tls.pair = p;
	p = (struct pair){ 0 };
out:
	pair_done(&p);
	return r;
}

static void take_changed_files(void)
{
	struct look cert, key;
	char err[512];

	if (!looked(&cert, tls.cert_path) || !looked(&key, tls.key_path) ||
	    (same_look(&cert, &tls.cert_look) && same_look(&key, &tls.key_look)))
		return;
	if (take_files(err, sizeof(err)) < 0)
		log_warn("the API keeps the certificate that it has: %s", err);
	else
		log_info("the API has a new certificate, from %s", tls.cert_path);
}

static int retrieve(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
		    gnutls_pcert_st **certs, unsigned *n, gnutls_ocsp_data_st **ocsp,
		    unsigned *ocsp_n, gnutls_privkey_t *key, unsigned *flags)
{
	int r;

	(void)session;
	(void)info;
	*ocsp = NULL;
	*ocsp_n = 0;
	pthread_mutex_lock(&tls.lock);
	take_changed_files();
	r = import(certs, n, key, &tls.pair);
	pthread_mutex_unlock(&tls.lock);
	*flags = GNUTLS_CERT_RETR_DEINIT_ALL;
	return r < 0 ? -1 : 0;
}

void *http_server_tls_callback(void)
{
	/* ISO C has no conversion from a function to void *, POSIX does. */
	return (void *)retrieve;
}

int http_server_tls_start(const char *cert_path, const char *key_path, char *err, size_t err_size)
{
	int r;

	BUG_ON(tls.cert_path);
	tls.cert_path = strdup(cert_path);
	tls.key_path = strdup(key_path);
	if (tls.cert_path && tls.key_path) {
		r = take_files(err, err_size);
	} else {
		snprintf(err, err_size, "out of memory");
		r = -ENOMEM;
	}
	if (r < 0)
		http_server_tls_stop();
	return r;
}

void http_server_tls_stop(void)
{
	pair_done(&tls.pair);
	free(tls.cert_path);
	free(tls.key_path);
	tls.cert_path = tls.key_path = NULL;
}
