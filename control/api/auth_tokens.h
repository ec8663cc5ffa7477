/*
 * auth_tokens - rotation of an account's auth token: a secondary one beside it, which then is
 * promoted. The addresses are those that SDKs use: /v1/AuthTokens/Secondary and Promote.
 */
#ifndef HOOKSWITCH_API_AUTH_TOKENS_H
#define HOOKSWITCH_API_AUTH_TOKENS_H

#include <stdbool.h>

struct api_request;

/* False when the path is none of these; else answered. */
bool auth_tokens_serve(struct api_request *q);

#endif
