#include "api/paging.h"

#include "base/buf.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_MAX 1000000000

void paging_token(char ret[PAGE_TOKEN_SIZE], bool back, const char *sid_prefix, const char *seq)
{
	snprintf(ret, PAGE_TOKEN_SIZE, "P%c%.2s%032llx", back ? 'B' : 'A', sid_prefix,
		 strtoull(seq, NULL, 10));
}

bool paging_token_read(bool *back, char ret_seq[PAGE_SEQ_SIZE], const char *token,
		       const char *sid_prefix)
{
	unsigned long long seq;

	if (token[0] != 'P' || (token[1] != 'A' && token[1] != 'B') ||
	    !sid_valid(token + 2, sid_prefix))
		return false;
	/* seq is a bigint: 63 bits. */
	if (strspn(token + 4, "0") < 16 || token[20] > '7')
		return false;
	seq = strtoull(token + 20, NULL, 16);
	*back = token[1] == 'B';
	snprintf(ret_seq, PAGE_SEQ_SIZE, "%llu", seq);
	return true;
}

/* A whole number of the query; def when it is absent. -1: not a number. */
static long number(const struct api_request *q, const char *name, long def)
{
	const char *text = form_get(&q->query, name);
	char *stop;
	long n;

	if (!text || !*text)
		return def;
	if (!isdigit((unsigned char)*text))
		return -1;
	errno = 0;
	n = strtol(text, &stop, 10);
	/* A number too large is one nevertheless: it is over the maximum. */
	return *stop ? -1 : errno || n > PAGE_MAX ? PAGE_MAX : n;
}

int paging_take(struct paging *paging, struct api_request *q, const char *sid_prefix)
{
	const char *token = form_get(&q->query, "PageToken");
	long size = number(q, "PageSize", PAGE_SIZE_DEFAULT);

	memset(paging, 0, sizeof(*paging));
	if (size > PAGE_SIZE_MAX)
		return api_error(q, 20007, "PageSize must not be over %d", PAGE_SIZE_MAX);
	if (size < 1)
		return api_error(q, 20422, "PageSize must be a whole number from 1 to %d",
				 PAGE_SIZE_MAX);
	paging->page = number(q, "Page", 0);
	if (paging->page < 0)
		return api_error(q, 20422, "Page must be a whole number from 0");
	paging->size = (int)size;
	if (token && *token && !paging_token_read(&paging->back, paging->cursor, token, sid_prefix))
		return api_error(q, 20422,
				 "PageToken is none of this list; take the address of the next "
				 "page from next_page_uri");
	return 0;
}

/* The list's address with the client's filters, and these paging parameters. */
static json_t *page_uri(const struct paging *paging, const struct api_request *q, long page,
			const char *token)
{
	struct form f;
	struct buf b;
	json_t *uri;

	form_init(&f);
	buf_init(&b, 16384);
	for (size_t i = 0; i < q->query.count; i++) {
		const struct form_pair *p = &q->query.pairs[i];

		if (strcmp(p->name, "PageSize") && strcmp(p->name, "Page") &&
		    strcmp(p->name, "PageToken"))
			form_add(&f, p->name, p->value);
	}
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

json_t *paging_envelope(const struct paging *paging, const struct api_request *q,
			const char *sid_prefix, const char *list_key, json_t *rows)
{
	long start = paging->page * paging->size, count = (long)json_array_size(rows);
	char next[PAGE_TOKEN_SIZE], previous[PAGE_TOKEN_SIZE], here[PAGE_TOKEN_SIZE];
	json_t *e = json_object();

	/* A page whose rows went borders on its neighbours where it stood. */
	paging_token(next, false, sid_prefix, count ? paging->last : paging->cursor);
	paging_token(previous, true, sid_prefix, count ? paging->first : paging->cursor);
	paging_token(here, paging->back, sid_prefix, paging->cursor);
	json_object_set_new(e, "first_page_uri", page_uri(paging, q, 0, NULL));
	json_object_set_new(e, "next_page_uri",
			    paging->behind ? page_uri(paging, q, paging->page + 1, next)
					   : json_null());
	json_object_set_new(
		e, "previous_page_uri",
		paging->before
			? page_uri(paging, q, paging->page > 0 ? paging->page - 1 : 0, previous)
			: json_null());
	json_object_set_new(e, "page", json_integer(paging->page));
	json_object_set_new(e, "page_size", json_integer(paging->size));
	json_object_set_new(e, "start", json_integer(start));
	json_object_set_new(e, "end", json_integer(count ? start + count - 1 : 0));
	json_object_set_new(e, "uri",
			    page_uri(paging, q, paging->page, paging->cursor[0] ? here : NULL));
	json_object_set_new(e, list_key, rows);
	return e;
}
