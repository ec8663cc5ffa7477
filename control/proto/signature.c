#include "proto/signature.h"

#include "base/buf.h"
#include "proto/form.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#define SIGNED_MAX_BYTES (1 << 20)

static int by_name_then_value(const void *a, const void *b)
{
	const struct form_pair *x = *(const struct form_pair *const *)a,
			       *y = *(const struct form_pair *const *)b;
	int c = strcmp(x->name, y->name);

	return c ? c : strcmp(x->value, y->value);
}

int signature_make(char ret[SIGNATURE_SIZE], const char *auth_token, const char *sign_url,
		   const struct form *post)
{
	size_t n = post ? post->count : 0;
	const struct form_pair **sorted = calloc(n + 1, sizeof(*sorted));
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned mac_len;
	struct buf b;
	int r = -ENOMEM;

	buf_init(&b, SIGNED_MAX_BYTES);
	if (!sorted)
		goto out;
	for (size_t i = 0; i < n; i++)
		sorted[i] = &post->pairs[i];
	qsort(sorted, n, sizeof(*sorted), by_name_then_value);
	buf_adds(&b, sign_url);
	for (size_t i = 0; i < n; i++) {
		/* A name and value that stand twice count once. */
		if (i && !by_name_then_value(&sorted[i], &sorted[i - 1]))
			continue;
		buf_adds(&b, sorted[i]->name);
		buf_adds(&b, sorted[i]->value);
	}
	r = b.error;
	if (r < 0)
		goto out;
	r = -EIO;
	if (!HMAC(EVP_sha1(), auth_token, (int)strlen(auth_token), (const unsigned char *)b.data,
		  b.len, mac, &mac_len))
		goto out;
	EVP_EncodeBlock((unsigned char *)ret, mac, (int)mac_len);
	r = 0;
out:
	free(sorted);
	buf_done(&b);
	return r;
}
