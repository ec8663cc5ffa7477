/*
 * idempotency - Idempotency-Key of creates (draft-ietf-httpapi-idempotency-key-header): a request
 * that is sent again makes nothing again.
 */
#ifndef HOOKSWITCH_API_IDEMPOTENCY_H
#define HOOKSWITCH_API_IDEMPOTENCY_H

#include <stdbool.h>

struct api_request;

#define IDEMPOTENCY_KEY_MAX 255

/* 1 to that many visible ASCII characters. */
bool idempotency_key_ok(const char *key);

/*
 * In the create's transaction, with q->sid new. 0: go on (there is no key, or it is ours now, once
 * the transaction is committed; whoever sends the same meanwhile waits for that). 1: it was done;
 * q->sid is what came of it. Less than 0 and answered: a bad key, or (409 20409) a key that was
 * used for another request. Keys live for 24 hours.
 */
int idempotency_claim(struct api_request *q);

#endif
