/*
 * paging - pages of a list (sip-and-rest.md §1.0): a page begins behind the row that ended the last
 * one, by that row's seq, so that rows that come and go meanwhile make none skip or repeat, and a
 * deep page costs what the first one does.
 */
#ifndef HOOKSWITCH_API_PAGING_H
#define HOOKSWITCH_API_PAGING_H

#include "api/request.h"

#include <stdbool.h>

#define PAGE_SIZE_DEFAULT 50
#define PAGE_SIZE_MAX	  1000
#define PAGE_TOKEN_SIZE	  37 /* with the NUL */
#define PAGE_SEQ_SIZE	  24

struct paging {
	int size;
	long page;		    /* Page: what the client counts */
	bool back;		    /* the rows before the cursor, not those behind it */
	char cursor[PAGE_SEQ_SIZE]; /* seq of the row that the page borders on; "" for the first
				       page */
	char first[PAGE_SEQ_SIZE];  /* seq of this page's first and last row; "" when it has none */
	char last[PAGE_SEQ_SIZE];
	bool before, behind; /* there are rows before this page, behind it */
};

/* From the query: PageSize (20007 over the maximum), Page, PageToken. 0, or less than 0 and
 * answered. */
int paging_take(struct paging *paging, struct api_request *q, const char *sid_prefix);
/* The envelope; takes rows. */
json_t *paging_envelope(const struct paging *paging, const struct api_request *q,
			const char *sid_prefix, const char *list_key, json_t *rows);

/* "PA" (the rows behind that one) or "PB" (those before it) and what reads as a SID; opaque to
 * clients. */
void paging_token(char ret[PAGE_TOKEN_SIZE], bool back, const char *sid_prefix, const char *seq);
bool paging_token_read(bool *back, char ret_seq[PAGE_SEQ_SIZE], const char *token,
		       const char *sid_prefix);

#endif
