/*
 * domain_cache - settings of SIP domains and their accounts, and of the accounts' phone numbers,
 * read from the database by a worker thread and kept for a few seconds. It implements world.h's
 * domain_get.
 *
 * Loop thread only, but domain_cache_forget: any thread.
 */
#ifndef HOOKSWITCH_CALL_DOMAIN_CACHE_H
#define HOOKSWITCH_CALL_DOMAIN_CACHE_H

#include <stdint.h>

struct call_domain;
struct domain_cache;
struct loop;

/* domain: borrowed for the call; NULL: there is no such domain; with sid NULL: the database is away
 * and nothing is cached. */
typedef void domain_cache_fn(void *arg, const struct call_domain *domain);

struct domain_cache *domain_cache_new(struct loop *loop, const char *conninfo);
void domain_cache_free(struct domain_cache *cache); /* what waits is not completed; NULL is fine */

/*
 * number (E.164, or NULL): when the domain's account owns it, its hooks, or those of its voice
 * application, are the ones that count. done runs once, never before this returned and never after
 * its cancel. -EAGAIN: too many wait; -ENOMEM.
 */
int domain_cache_get(struct domain_cache *cache, const char *domain_sid, const char *number,
		     domain_cache_fn *done, void *arg, uint64_t *ret_id);
void domain_cache_cancel(struct domain_cache *cache, uint64_t id);

/* With all numbers; NULL: all domains. What is being read for somebody now is read again. */
void domain_cache_forget(struct domain_cache *cache, const char *domain_sid);

#endif
