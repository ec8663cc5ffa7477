#include "io/srv_order.h"

#include <stdlib.h>

/* Those without weight first in their priority, as the lot of RFC 2782 wants it. */
static int compare(const void *a, const void *b)
{
	const struct dns_srv *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return (x->weight > 0) - (y->weight > 0);
}

/* Moves the drawn one to the front; the others keep their order. */
static void draw(struct dns_srv *list, unsigned n, srv_random_fn *random)
{
	uint32_t sum = 0, running = 0, lot;
	struct dns_srv drawn;
	unsigned i;

	for (i = 0; i < n; i++)
		sum += list[i].weight;
	lot = random(sum + 1);
	for (i = 0; i < n - 1; i++) {
		running += list[i].weight;
		if (running >= lot)
			break;
	}
	drawn = list[i];
	for (; i; i--)
		list[i] = list[i - 1];
	list[0] = drawn;
}

void srv_order(struct dns_srv *list, unsigned n, srv_random_fn *random)
{
	qsort(list, n, sizeof(*list), compare);
	for (unsigned i = 0; i < n; i++) {
		unsigned same = 1;

		while (i + same < n && list[i + same].priority == list[i].priority)
			same++;
		draw(&list[i], same, random);
	}
}
