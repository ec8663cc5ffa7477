/*
 * paging - pages of a list (sip-and-rest.md §1.0): a page begins behind the row that ended the last one, by that row's seq, so that
 * rows that come and go meanwhile make no row skip or repeat, and a deep page costs what the first one does.
 */
#ifndef HOOKSWITCH_API_PAGING_H
#define HOOKSWITCH_API_PAGING_H

#include "api/request.h"

#include <stdbool.h>

#define PAGE_SIZE_DEFAULT 50
#define PAGE_SIZE_MAX	  1000
#define PAGE_TOKEN_SIZE	  40

struct paging {
	int size;
	long page;	  /* Page: what the client counts */
	char after[24];	  /* seq of the row before this page; "" for the first */
	char last[24];	  /* seq of this page's last row */
	bool more;
};

/* From the query: PageSize (20007 over the maximum), Page, PageToken. 0, or answered. */
int paging_take(struct paging *paging, struct api_request *q);
/* The envelope; takes rows. */
json_t *paging_envelope(const struct paging *paging, const struct api_request *q, const char *list_key, json_t *rows);

/* "PA" and 32 hex digits, opaque to clients. */
void paging_token(char ret[PAGE_TOKEN_SIZE], const char *seq);
bool paging_token_read(char ret_seq[24], const char *token);

#endif
