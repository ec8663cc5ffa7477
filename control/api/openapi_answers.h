/*
 * openapi_answers - the half of the OpenAPI document that says what the API answers: schemas of
 * resources and pages, responses of error codes; and the names and addresses that both halves use.
 */
#ifndef HOOKSWITCH_API_OPENAPI_ANSWERS_H
#define HOOKSWITCH_API_OPENAPI_ANSWERS_H

#include "api/resource.h"

/* The parts of the document as they grow; NULL once memory ran out. */
struct openapi {
	json_t *paths, *schemas, *responses;
};

const char *openapi_name(const struct resource *r);
const char *openapi_create_name(const struct resource *r);
/* Of the parent's SID in the address, or "" without a parent. */
void openapi_parent_parameter(char *ret, size_t size, const struct resource *r);
/* The address of its list or instance: a path of the document, or a regular expression of it. */
json_t *openapi_address(const struct resource *r, bool instance, bool regex);

/* {"$ref": "#/components/KIND/NAMEMORE"} */
json_t *openapi_ref(const char *kind, const char *name, const char *more);
/* A response of JSON; takes the schema. */
json_t *openapi_answer(const char *text, json_t *schema);
/* Puts it to the components; takes the schema. No two have one name. */
void openapi_add_schema(struct openapi *d, const char *name, const char *more, json_t *schema);
/* Those of the resource, its page, and what a create shows. */
void openapi_add_schemas(struct openapi *d, const struct resource *r);

#define OPENAPI_CODES_MAX 64

struct openapi_codes {
	int code[OPENAPI_CODES_MAX];
	size_t n;
};

void openapi_add_code(struct openapi_codes *c, int code); /* once; 0 is none */
/* The responses with one of errors for each status that the codes have. */
json_t *openapi_error_responses(struct openapi *d, json_t *responses,
				const struct openapi_codes *c);

/* What an operation takes: a body, or If-None-Match. */
#define OPENAPI_TAKES_BODY 1u
#define OPENAPI_TAKES_ETAG 2u

/* The responses with those that HTTP itself makes of such an operation (protocol.h). */
json_t *openapi_protocol_responses(struct openapi *d, json_t *responses, unsigned takes);

#endif
