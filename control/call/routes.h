/*
 * routes - where a call of ours goes when that stands in the database: registered phones
 * (docs/registration.md), and numbers by the account's gateways (docs/gateways.md); and whether the
 * account may call there at all (docs/hostile-internet.md). Read at each
 * call: a phone that registered a moment ago is found. It implements world.h's routes_get. Loop
 * thread only.
 */
#ifndef HOOKSWITCH_CALL_ROUTES_H
#define HOOKSWITCH_CALL_ROUTES_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct routes;

#define ROUTES_MAX 10 /* bindings of one user */

enum route_kind {
	ROUTE_AOR,    /* user of the SIP domain named domain */
	ROUTE_CLIENT, /* user of the account's oldest SIP domain that takes registrations */
	ROUTE_NUMBER, /* user is the number, E.164 */
	ROUTE_HOST,   /* user is a host: whether the account may call it; the one route says nothing
			 else */
};

struct route_want {
	enum route_kind kind;
	const char *account_sid, *domain, *user; /* domain: of ROUTE_AOR alone */
};

/* One place to send an INVITE to. Text of phones: hostile. */
struct call_route {
	const char *uri;		 /* Request-URI */
	const char *next_hop, *socket;	 /* of a binding; NULL: where the URI says */
	const char *domain;		 /* of a binding: the name of its SIP domain */
	const char *username, *password; /* of a gateway, or NULL */
	int account_calls; /* that it may have at once, of call_limits; -1: as the settings say */
	bool restricted;   /* the account has a list of destinations */
};

/*
 * error 0 and 1..ROUTES_MAX routes, borrowed for the call; else a code of the dictionary: 32214 (no
 * such domain in this account), 32009 (not registered), 13224 (no gateway for the number), 13227
 * (no destination of the account); -1: the database is away.
 */
typedef void routes_fn(void *arg, int error, const struct call_route *routes, unsigned n);

/* unlisted: whether accounts without a list of destinations call anywhere. */
struct routes *routes_new(struct loop *loop, const char *conninfo, bool unlisted);
void routes_free(struct routes *routes); /* what waits is not completed; NULL is fine */

/* done runs once, never before this returned and never after its cancel. -EAGAIN: too many wait;
 * -ENOMEM. */
int routes_get(struct routes *routes, const struct route_want *want, routes_fn *done, void *arg,
	       uint64_t *ret_id);
void routes_cancel(struct routes *routes, uint64_t id);

#endif
