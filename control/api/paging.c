#include "api/paging.h"

#include "base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void paging_token(char ret[PAGE_TOKEN_SIZE], const char *seq)
{
	snprintf(ret, PAGE_TOKEN_SIZE, "PA%032llx", strtoull(seq, NULL, 10));
}

bool paging_token_read(char ret_seq[24], const char *token)
{
	if (!sid_valid(token, "PA") || strncmp(token + 2, "0000000000000000", 16) || token[18] > '7')
		return false;
	snprintf(ret_seq, 24, "%llu", strtoull(token + 18, NULL, 16));
	return true;
}

/* A whole number of the query; def when it is absent. -1: not a number. */
static long number(const struct api_request *q, const char *name, long def)
{
	const char *text = form_get(&q->query, name);
	char *end;
	long n;

	if (!text || !*text)
		return def;
	n = strtol(text, &end, 10);
	return *end || n < 0 || n > 1000000000 ? -1 : n;
}

int paging_take(struct paging *paging, struct api_request *q)
{
	const char *token = form_get(&q->query, "PageToken");
	long size = number(q, "PageSize", PAGE_SIZE_DEFAULT);

	memset(paging, 0, sizeof(*paging));
	if (size > PAGE_SIZE_MAX)
		return api_error(q, 20007, "PageSize is over %d", PAGE_SIZE_MAX);
	paging->page = number(q, "Page", 0);
	if (size < 1 || paging->page < 0)
		return api_error(q, 20422, "PageSize must be a whole number from 1 to %d, and Page one from 0", PAGE_SIZE_MAX);
	paging->size = (int)size;
	if (token && *token && !paging_token_read(paging->after, token))
		return api_error(q, 20422, "PageToken is not one of this API; take the next page's address from next_page_uri");
	return 0;
}

/* The list's address with the client's filters, and these paging parameters. */
static json_t *page_uri(const struct paging *paging, const struct api_request *q, long page, const char *token)
{
	struct form f;
	struct buf b;
	json_t *uri;

	form_init(&f);
	buf_init(&b, 16384);
	for (size_t i = 0; i < q->query.count; i++)
		if (strncmp(q->query.pairs[i].name, "Page", 4))
			form_add(&f, q->query.pairs[i].name, q->query.pairs[i].value);
	form_addf(&f, "PageSize", "%d", paging->size);
	form_addf(&f, "Page", "%ld", page);
	form_add(&f, "PageToken", token);
	buf_addf(&b, "%s?", q->in->path);
	form_encode(&f, &b, 0);
	uri = b.error ? json_null() : json_string(b.data);
	buf_done(&b);
	form_done(&f);
	return uri;
}

json_t *paging_envelope(const struct paging *paging, const struct api_request *q, const char *list_key, json_t *rows)
{
	json_t *e = json_object();
	char token[PAGE_TOKEN_SIZE], here[PAGE_TOKEN_SIZE];
	long start = paging->page * paging->size, count = (long)json_array_size(rows);

	paging_token(token, paging->last);
	paging_token(here, paging->after);
	json_object_set_new(e, "first_page_uri", page_uri(paging, q, 0, NULL));
	json_object_set_new(e, "next_page_uri", paging->more ? page_uri(paging, q, paging->page + 1, token) : json_null());
	/* Rows behind this page are reached from the first: pages go forward. */
	json_object_set_new(e, "previous_page_uri", json_null());
	json_object_set_new(e, "page", json_integer(paging->page));
	json_object_set_new(e, "page_size", json_integer(paging->size));
	json_object_set_new(e, "start", json_integer(start));
	json_object_set_new(e, "end", json_integer(count ? start + count - 1 : 0));
	json_object_set_new(e, "uri", page_uri(paging, q, paging->page, paging->after[0] ? here : NULL));
	json_object_set_new(e, list_key, rows);
	return e;
}
