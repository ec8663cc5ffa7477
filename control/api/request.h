/*
 * request - one REST request on its way through the api, and how it is answered. One thread; lives
 * for one request.
 */
#ifndef HOOKSWITCH_API_REQUEST_H
#define HOOKSWITCH_API_REQUEST_H

#include "api/api.h"
#include "api/client.h"
#include "base/buf.h"
#include "base/sid.h"
#include "io/http_server.h"
#include "proto/form.h"

#include <jansson.h>

struct db;
struct resource;

/* Of an answer, by the extension of the path (sip-and-rest.md §1.0). */
enum api_format {
	FORMAT_JSON, /* .json */
	FORMAT_XML,  /* .xml, or none */
	FORMAT_CSV   /* .csv, of lists */
};

#define API_VERSION	"2010-04-01"
#define API_ROOT	"/" API_VERSION "/Accounts/"
#define API_VALUES_MAX	32 /* parameters of an operation */
#define API_FILTERS_MAX 16
#define API_PAIRS_MAX	200 /* pairs of a query or body */
#define API_KEPT_MAX	API_FILTERS_MAX

struct api_request {
	const struct api_options *options;
	const struct http_in *in;
	const char *method; /* of in, or what overrides it */
	struct http_out *out;
	struct db *db;
	struct client client;
	unsigned retry_after_s; /* of an answer 429; 0: one second */
	enum api_format format;
	const struct resource *resource; /* NULL until the path was understood */
	char request_id[SID_SIZE];	 /* RQ... */
	char actor_sid[SID_SIZE];	 /* who asks: an account, or an API key */
	char actor_account[SID_SIZE];	 /* whose it is */
	char account_sid[SID_SIZE];	 /* of the path: what is worked on */
	char parent_sid[SID_SIZE];	 /* "" when the resource has none */
	char sid[SID_SIZE];		 /* "" for a list */
	struct form query, form;
	/* Checked, by the rows of the resource's params and filters; NULL: not given. */
	const char *values[API_VALUES_MAX];
	const char *filters[API_FILTERS_MAX];
	const char *cursor, *limit;	  /* of a list: where the page begins, how many rows */
	char audit_sid[SID_SIZE];	  /* of a write's audit row */
	char *changes;			  /* the write's parameters as JSON, without secrets */
	struct buf scratch[API_KEPT_MAX]; /* what is computed for them; freed with the request */
	int n_scratch;
};

/* Answers with status and json, which it takes. */
void api_reply(struct api_request *q, int status, json_t *json);
/*
 * Answers with a code of the dictionary; fmt is the message, NULL the dictionary's text. Always
 * returns -EPROTO, for `return api_error(...)`.
 */
int api_error(struct api_request *q, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same with a status that is HTTP's own. */
int api_error_as(struct api_request *q, int status, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
int api_not_found(struct api_request *q);	/* 20404 with the path */
int api_db_error(struct api_request *q, int r); /* 20503 when the database is away, 20500 else */
void api_header(struct api_request *q, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Asks the database, with a constant's text: 1 for any row, 0 for none; less than 0 and answered.
 */
int api_ask(struct api_request *q, const char *sql, int n, const char *const *params);
/* A string that lives as long as the request; NULL out of memory (or too many). */
const char *api_keep(struct api_request *q, const char *text);

#endif
