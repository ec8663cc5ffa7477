/* The order of RFC 2782. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "io/srv_order.h"

static uint32_t lots[8], bounds[8];
static unsigned n_lots;

static uint32_t drawn(uint32_t bound)
{
	bounds[n_lots] = bound;
	return lots[n_lots++];
}

/* "priority/weight/name" each. */
static unsigned parse(struct dns_srv *list, const char *text)
{
	unsigned n = 0, priority, weight;
	int used;

	memset(list, 0, DNS_RECORDS_MAX * sizeof(*list));
	for (; sscanf(text, "%u/%u/%15s%n", &priority, &weight, list[n].target, &used) == 3;
	     text += used, n++) {
		list[n].priority = (uint16_t)priority;
		list[n].weight = (uint16_t)weight;
	}
	return n;
}

static void order_is(const char *text, const char *want)
{
	struct dns_srv list[DNS_RECORDS_MAX];
	unsigned n = parse(list, text);
	char got[100] = "";

	n_lots = 0;
	srv_order(list, n, drawn);
	for (unsigned i = 0; i < n; i++)
		sprintf(got + strlen(got), "%s ", list[i].target);
	assert_string_equal(got, want);
}

static void lower_priorities_come_first(void **state)
{
	(void)state;
	memset(lots, 0, sizeof(lots));
	order_is("30/0/c 10/0/a 20/0/b", "a b c ");
	order_is("", "");
	order_is("65535/65535/only", "only ");
}

static void the_lot_falls_in_proportion_to_the_weights(void **state)
{
	(void)state;
	lots[0] = 4; /* of 0..10: a has 1..2, b 3..5, c 6..10 */
	lots[1] = 3; /* of 0..7: a 1..2, c 3..7 */
	lots[2] = 0;
	order_is("1/2/a 1/3/b 1/5/c", "b c a ");
	assert_int_equal(bounds[0], 11);
	assert_int_equal(bounds[1], 8);
	assert_int_equal(bounds[2], 3);
}

static void what_has_no_weight_wins_by_the_lot_of_zero_alone(void **state)
{
	(void)state;
	memset(lots, 0, sizeof(lots));
	order_is("1/9/a 1/0/z", "z a ");
	lots[0] = 1;
	order_is("1/9/a 1/0/z", "a z ");
}

static void weights_mean_nothing_across_priorities(void **state)
{
	(void)state;
	memset(lots, 0, sizeof(lots));
	lots[0] = 1;
	order_is("2/65535/late 1/1/early 1/0/none", "early none late ");
	assert_int_equal(bounds[0], 2);
	assert_int_equal(bounds[2], 65536);
}

static void over_many_draws_each_gets_its_share(void **state)
{
	struct dns_srv list[DNS_RECORDS_MAX];
	unsigned first = 0;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		unsigned n = parse(list, "1/75/a 1/25/b");

		srv_order(list, n, arc4random_uniform);
		first += !strcmp(list[0].target, "a");
	}
	/* 7,450 and some: ten standard deviations either side */
	assert_in_range(first, 7000, 7900);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lower_priorities_come_first),
		cmocka_unit_test(the_lot_falls_in_proportion_to_the_weights),
		cmocka_unit_test(what_has_no_weight_wins_by_the_lot_of_zero_alone),
		cmocka_unit_test(weights_mean_nothing_across_priorities),
		cmocka_unit_test(over_many_draws_each_gets_its_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
