/*
 * request_kit - a request that no listener brought: its query and body from text, its answer to
 * look at. No database.
 */
#ifndef HOOKSWITCH_TESTS_REQUEST_KIT_H
#define HOOKSWITCH_TESTS_REQUEST_KIT_H

#include <stdlib.h>
#include <string.h>

#include "api/resource.h"
#include "base/config.h"

#define ACCOUNT "AC0123456789abcdef0123456789abcdef"

struct request_kit {
	struct api_request q;
	struct http_in in;
	struct http_out out;
	struct api_options options;
	struct config config;
};

static inline struct api_request *request_new(struct request_kit *k, const char *query,
					      const char *body)
{
	memset(k, 0, sizeof(*k));
	k->config.sip_domain = "sip.example.test";
	k->options.config = &k->config;
	k->in.method = "GET";
	k->in.query = "";
	k->in.body = "";
	k->q.method = "GET";
	k->in.path = "/2010-04-01/Accounts/" ACCOUNT "/Calls.json";
	k->q.options = &k->options;
	k->q.in = &k->in;
	k->q.out = &k->out;
	strcpy(k->q.account_sid, ACCOUNT);
	form_init(&k->q.query);
	form_init(&k->q.form);
	assert_int_equal(form_parse(&k->q.query, query, strlen(query), API_PAIRS_MAX, NULL), 0);
	assert_int_equal(form_parse(&k->q.form, body, strlen(body), API_PAIRS_MAX, NULL), 0);
	return &k->q;
}

/* The code of the answer; 0: none yet. */
static inline int request_code(const struct request_kit *k)
{
	json_t *body = k->out.body ? json_loads(k->out.body, 0, NULL) : NULL;
	int code = (int)json_integer_value(json_object_get(body, "code"));

	json_decref(body);
	return code;
}

static inline void request_free(struct request_kit *k)
{
	form_done(&k->q.query);
	form_done(&k->q.form);
	for (int i = 0; i < k->q.n_scratch; i++)
		buf_done(&k->q.scratch[i]);
	free(k->out.body);
	free(k->out.link);
}

#endif
