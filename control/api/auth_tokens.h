/*
 * auth_tokens - rotation of an account's auth token: a secondary one beside it, which then is
 * promoted. The addresses are those that SDKs use: /v1/AuthTokens/Secondary and Promote.
 */
#ifndef HOOKSWITCH_API_AUTH_TOKENS_H
#define HOOKSWITCH_API_AUTH_TOKENS_H

#include <stdbool.h>
#include <stddef.h>

struct api_request;

struct auth_tokens_operation {
	const char *path, *method, *member, *sql;
	const char *none; /* when there is nothing to do it with */
	int status;
	bool makes; /* $6 is a new token */
	const char *name;
};

const struct auth_tokens_operation *auth_tokens_at(size_t index); /* NULL at the end */

/* False when the path is none of these; else answered. */
bool auth_tokens_serve(struct api_request *q);

#endif
