/*
 * inbox - what the media and speech threads hand to the loop thread: one wake-up for any number of
 * nodes.
 *
 * Unlike loop_post an inbox can be freed with something in it, and a put allocates nothing.
 */
#ifndef HOOKSWITCH_MEDIA_INBOX_H
#define HOOKSWITCH_MEDIA_INBOX_H

#include "media/mpsc.h"

struct loop;
struct inbox;

/* Runs on the loop thread, once a node, in the order of putting. It may put, but not free the
 * inbox. */
typedef void inbox_fn(void *arg, struct mpsc_node *node);

struct inbox *inbox_new(struct loop *loop, inbox_fn *fn,
			void *arg); /* NULL: out of memory or descriptors */
struct mpsc_node *
inbox_free(struct inbox *inbox); /* what was still in it; NULL is fine. No producer by then. */
void inbox_put(struct inbox *inbox, struct mpsc_node *node); /* any thread */

#endif
