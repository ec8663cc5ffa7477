#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "io/loop.h"
#include "media/inbox.h"

struct inbox {
	struct mpsc list;
	int fd;
	struct loop_watch *watch;
	inbox_fn *fn;
	void *arg;
};

static void inbox_ready(void *arg, bool readable, bool writable)
{
	struct inbox *inbox = arg;
	struct mpsc_node *node;
	uint64_t count;

	(void)writable;
	if (!readable)
		return;
	/* The counter goes first: a put after this read makes a new wake-up. */
	if (read(inbox->fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return;
	node = mpsc_take(&inbox->list);
	while (node) {
		struct mpsc_node *next = node->next;

		inbox->fn(inbox->arg, node);
		node = next;
	}
}

struct inbox *inbox_new(struct loop *loop, inbox_fn *fn, void *arg)
{
	struct inbox *inbox = calloc(1, sizeof(*inbox));

	if (!inbox)
		return NULL;
	inbox->fn = fn;
	inbox->arg = arg;
	inbox->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (inbox->fd < 0)
		goto fail;
	inbox->watch = loop_watch_new(loop, inbox->fd, inbox_ready, inbox);
	if (!inbox->watch)
		goto fail;
	loop_watch_set(inbox->watch, true, false);
	return inbox;
fail:
	if (inbox->fd >= 0)
		close(inbox->fd);
	free(inbox);
	return NULL;
}

struct mpsc_node *inbox_free(struct inbox *inbox)
{
	struct mpsc_node *rest;

	if (!inbox)
		return NULL;
	rest = mpsc_take(&inbox->list);
	loop_watch_free(inbox->watch);
	close(inbox->fd);
	free(inbox);
	return rest;
}

void inbox_put(struct inbox *inbox, struct mpsc_node *node)
{
	const uint64_t one = 1;

	/* Only who finds it empty wakes the loop; the counter cannot overflow, so the write cannot
	 * fail. */
	if (mpsc_push(&inbox->list, node) && write(inbox->fd, &one, sizeof(one)) < 0)
		return;
}
