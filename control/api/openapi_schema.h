/*
 * openapi_schema - rows of the API's tables as schemas of OpenAPI 3.0: what a parameter takes, what
 * a property shows. One switch an enum; a new type is a case here. New references; NULL out of
 * memory.
 */
#ifndef HOOKSWITCH_API_OPENAPI_SCHEMA_H
#define HOOKSWITCH_API_OPENAPI_SCHEMA_H

#include "api/resource.h"

/* As a regular expression: what stands behind the prefix of a SID. */
#define SID_DIGITS "[0-9a-fA-F]{32}"

/* The object with this member, the array with this value; takes both, and is NULL when either is or
 * memory ran out: what is made of NULL is NULL. */
json_t *json_with(json_t *object, const char *name, json_t *value);
json_t *json_add(json_t *array, json_t *value);

/* when: ON_CREATE or ON_UPDATE. A value that may be empty may be "" where its type has a place for
 * it. */
json_t *param_schema(const struct param *p, int when);
json_t *filter_schema(const struct filter *f);
json_t *property_schema(const struct resource *r, const struct property *p);
/* An object of exactly these members, all of them required but `optional` (or NULL); takes
 * properties. */
json_t *object_schema(json_t *properties, const char *optional);
json_t *sid_schema(const char *prefix);

#endif
