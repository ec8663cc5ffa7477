/*
 * protocol - what HTTP itself asks of a request and its answer, whatever the resource:
 * expectations, lengths, method override, content type, conditional GET (RFC 9110). The table is in
 * docs/api.md.
 */
#ifndef HOOKSWITCH_API_PROTOCOL_H
#define HOOKSWITCH_API_PROTOCOL_H

#include <stddef.h>

struct api_request;

#define PROTOCOL_URI_MAX_BYTES	8000
#define PROTOCOL_BODY_MAX_BYTES (256u << 10)

/* Before anything else: fills q->method. 0; less than 0 with the answer given. */
int protocol_check(struct api_request *q);
/* Answers a method that the path has not: 405 (20004), OPTIONS 204; allow is the value of Allow. */
void protocol_not_allowed(struct api_request *q, const char *allow);
/* Of a page that can only be read: 0; less than 0 with the answer given. */
int protocol_only_get(struct api_request *q);
/* Into q->query and q->form: 0; less than 0 with the answer given. */
int protocol_take_query(struct api_request *q);
int protocol_take_body(struct api_request *q);
/* An answer with a body has an ETag; a GET for one that the client has is 304. */
void protocol_finish(struct api_request *q);

#endif
