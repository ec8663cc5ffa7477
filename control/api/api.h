/*
 * api - the REST API (sip-and-rest.md §1, §2): listener, routing, authentication, the generic
 * operations on the resource table. docs/api.md.
 *
 * Handlers run on the listener's threads, each with a database connection of its own; what touches
 * a live call goes through call/control.h.
 */
#ifndef HOOKSWITCH_API_API_H
#define HOOKSWITCH_API_API_H

#include <stdbool.h>
#include <stddef.h>

struct api;
struct calls;
struct config;

struct api_neighbours {
	bool kamailio, rtpengine;
};

struct api_options {
	const struct config *config; /* outlives the api */
	int socket;	     /* of http_server_bind, taken over; 0: the settings say where */
	struct calls *calls; /* may be NULL in tests: live calls are then unknown */
	/* REST changed a SIP domain, or (NULL) something that several may depend on. Called on a
	 * listener's thread. */
	void (*changed)(void *arg, const char *domain_sid);
	/* Who is there, for /readyz. Any thread; NULL in tests. */
	void (*neighbours)(void *arg, struct api_neighbours *ret);
	/* Sets the metrics that nobody sets as they change, before each /metrics. Any thread; NULL
	 * in tests. */
	void (*measure)(void *arg);
	void *arg;
};

/* Makes the first account (or gives it the token of the settings) and listens. NULL with a sentence
 * in err. */
struct api *api_start(const struct api_options *options, char *err, size_t err_size);
void api_stop(struct api *api); /* waits for running requests; NULL is fine */

#endif
