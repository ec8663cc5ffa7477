/*
 * mpsc - a lock-free list from many threads to one: what one push put in, one take gets out, oldest
 * first.
 *
 * Nodes are the owner's memory: a node is in one list at a time and stays alive until taken.
 */
#ifndef HOOKSWITCH_MEDIA_MPSC_H
#define HOOKSWITCH_MEDIA_MPSC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct mpsc_node {
	struct mpsc_node *next;
};

struct mpsc {
	_Atomic(struct mpsc_node *) head;
};

/* True when the list was empty: the consumer may need a wake-up. Any thread. */
static inline bool mpsc_push(struct mpsc *list, struct mpsc_node *node)
{
	struct mpsc_node *old = atomic_load_explicit(&list->head, memory_order_relaxed);

	do
		node->next = old;
	while (!atomic_compare_exchange_weak_explicit(&list->head, &old, node, memory_order_release,
						      memory_order_relaxed));
	return !old;
}

/* All that is in the list, chained by next in the order of pushing. The one consumer. */
static inline struct mpsc_node *mpsc_take(struct mpsc *list)
{
	struct mpsc_node *node, *fifo = NULL;

	if (!atomic_load_explicit(&list->head, memory_order_relaxed))
		return NULL;
	node = atomic_exchange_explicit(&list->head, NULL, memory_order_acquire);
	while (node) {
		struct mpsc_node *next = node->next;

		node->next = fifo;
		fifo = node;
		node = next;
	}
	return fifo;
}

#endif
