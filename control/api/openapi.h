/*
 * openapi - the API as an OpenAPI 3.0.3 document, made of the tables that it runs on (resource.h):
 * what GET /openapi.json and `hookswitchd --openapi` show. The JSON representation; the others are
 * said in words. docs/api.md.
 */
#ifndef HOOKSWITCH_API_OPENAPI_H
#define HOOKSWITCH_API_OPENAPI_H

/* A new string, which the caller frees; NULL out of memory. */
char *openapi_document(void);

#endif
