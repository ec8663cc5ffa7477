#include "proto/digest.h"

#include "base/log.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

static void ha1(char *ret, const EVP_MD *md, const char *username, const char *realm,
		const char *password)
{
	const char *const parts[] = { username, ":", realm, ":", password };
	unsigned char hash[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned n;

	BUG_ON(!ctx || !EVP_DigestInit_ex(ctx, md, NULL));
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		EVP_DigestUpdate(ctx, parts[i], strlen(parts[i]));
	EVP_DigestFinal_ex(ctx, hash, &n);
	EVP_MD_CTX_free(ctx);
	for (unsigned i = 0; i < n; i++)
		sprintf(ret + 2 * i, "%02x", hash[i]);
}

void digest_ha1_md5(char ret[DIGEST_MD5_SIZE], const char *username, const char *realm,
		    const char *password)
{
	ha1(ret, EVP_md5(), username, realm, password);
}

void digest_ha1_sha256(char ret[DIGEST_SHA256_SIZE], const char *username, const char *realm,
		       const char *password)
{
	ha1(ret, EVP_sha256(), username, realm, password);
}
