/*
 * siblings - how the hookswitchd processes of a node (base/process.h) tell each other something: a
 * unix datagram socket between any two of them, beside the one to Kamailio. Loop thread only.
 */
#ifndef HOOKSWITCH_IO_SIBLINGS_H
#define HOOKSWITCH_IO_SIBLINGS_H

#include <jansson.h>
#include <stddef.h>

struct loop;
struct siblings;

enum sibling_message {
	SIBLING_DIGIT,	 /* RTPengine's event, of a call that is not the sender's */
	SIBLING_CHANGED, /* REST changed this domain; "": anything (control.h) */
	SIBLING_COMMAND, /* for a call of the receiver's (control.h) */
	SIBLING_ANSWER,	 /* to that */
	SIBLING_ORDER,	 /* of a call that the receiver dials (call_order.h) */
};

/* data is borrowed, with a NUL behind it. */
typedef void siblings_fn(void *arg, unsigned from, enum sibling_message what, const char *data,
			 size_t len_bytes);

/* The sockets stand at path, with the numbers of both behind it. NULL: one could not be made, the
 * log says why. Of a process alone: one that tells nobody. */
struct siblings *siblings_new(struct loop *loop, const char *path, siblings_fn *fn, void *arg);
void siblings_free(struct siblings *s);

/* -ECONNREFUSED: it is not there now; -EMSGSIZE: over SIBLING_MAX_BYTES; -EAGAIN: too many wait. */
#define SIBLING_MAX_BYTES 65000
int siblings_tell(struct siblings *s, unsigned to, enum sibling_message what, const char *data,
		  size_t len_bytes);
/* The same with compact JSON for data. */
int siblings_tell_json(struct siblings *s, unsigned to, enum sibling_message what,
		       const json_t *json);
/* All of them that are there. */
void siblings_tell_all(struct siblings *s, enum sibling_message what, const char *data,
		       size_t len_bytes);

#endif
