#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/metrics.h"
#include "base/metrics_table.h"

#define THREADS	 4
#define ROUNDS	 20000
#define PAGE_MAX (1 << 20)

/* -- helpers */

static char *page(void)
{
	struct buf b;

	buf_init(&b, PAGE_MAX);
	assert_int_equal(metrics_render(&b), 0);
	return buf_steal(&b);
}

static char *render(const struct metric_row *row)
{
	struct buf b;

	buf_init(&b, PAGE_MAX);
	assert_int_equal(metric_render_rows(&b, row, 1), 0);
	return buf_steal(&b);
}

static unsigned times(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

static void *hammer(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		metrics_count(METRIC_CALLS_ENDED, DIRECTION_INBOUND, CALLS_BUSY);
		metrics_add(METRIC_WEBHOOKS_RUNNING, 0, 0, i & 1 ? -1 : 1);
		metrics_observe(METRIC_DB_STATEMENT_NS, 0, 0, 3000000);
	}
	return NULL;
}

/* -- tests */

static void what_several_threads_count_is_not_lost(void **state)
{
	int64_t busy = metrics_get(METRIC_CALLS_ENDED, DIRECTION_INBOUND, CALLS_BUSY);
	int64_t others = metrics_get(METRIC_CALLS_ENDED, DIRECTION_INBOUND, CALLS_FAILED);
	int64_t observed = metrics_get(METRIC_DB_STATEMENT_NS, 0, 0);
	pthread_t threads[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hammer, NULL), 0);
	for (int i = 0; i < 20; i++)
		free(page());
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(metrics_get(METRIC_CALLS_ENDED, DIRECTION_INBOUND, CALLS_BUSY),
			 busy + THREADS * ROUNDS);
	assert_int_equal(metrics_get(METRIC_CALLS_ENDED, DIRECTION_INBOUND, CALLS_FAILED), others);
	assert_int_equal(metrics_get(METRIC_WEBHOOKS_RUNNING, 0, 0), 0);
	assert_int_equal(metrics_get(METRIC_DB_STATEMENT_NS, 0, 0), observed + THREADS * ROUNDS);
}

static void the_buckets_of_a_histogram_are_cumulative_and_hold_their_bound(void **state)
{
	static const uint64_t bounds[] = { 1000000, 250000000, 2000000000 };
	metric_cell cells[5] = { 0 };
	const struct metric_row row = { .name = "t_seconds",
					.help = "h",
					.type = HISTOGRAM,
					.seconds = true,
					.bounds = bounds,
					.n_bounds = 3,
					.cells = cells,
					.n_cells = 5 };
	char *text;

	(void)state;
	metric_observe_row(&row, 0, 0, 0);
	metric_observe_row(&row, 0, 0, 1000000); /* on the bound: within */
	metric_observe_row(&row, 0, 0, 1000001);
	metric_observe_row(&row, 0, 0, 5000000000);
	text = render(&row);
	assert_string_equal(text, "# HELP t_seconds h\n"
				  "# TYPE t_seconds histogram\n"
				  "t_seconds_bucket{le=\"0.001\"} 2\n"
				  "t_seconds_bucket{le=\"0.25\"} 3\n"
				  "t_seconds_bucket{le=\"2\"} 3\n"
				  "t_seconds_bucket{le=\"+Inf\"} 4\n"
				  "t_seconds_sum 5.002000001\n"
				  "t_seconds_count 4\n");
	free(text);
}

static void the_labels_of_a_histogram_stand_before_its_bound(void **state)
{
	static const char *const kinds[] = { "x", "y" };
	static const uint64_t bounds[] = { 1000000000 };
	metric_cell cells[6] = { 0 };
	const struct metric_row row = { .name = "t",
					.help = "h",
					.type = HISTOGRAM,
					.seconds = true,
					.labels = { { "kind", kinds, 2 } },
					.bounds = bounds,
					.n_bounds = 1,
					.cells = cells,
					.n_cells = 6 };
	char *text;

	(void)state;
	metric_observe_row(&row, 1, 0, 1500000000);
	text = render(&row);
	assert_non_null(strstr(text, "t_bucket{kind=\"x\",le=\"+Inf\"} 0\n"));
	assert_non_null(strstr(text, "t_bucket{kind=\"y\",le=\"1\"} 0\n"));
	assert_non_null(strstr(text, "t_bucket{kind=\"y\",le=\"+Inf\"} 1\n"));
	assert_non_null(strstr(text, "t_sum{kind=\"y\"} 1.5\nt_count{kind=\"y\"} 1\n"));
	free(text);
}

static void help_and_label_values_are_escaped(void **state)
{
	static const char *const values[] = { "a\\b\"c\nd", "plain" };
	metric_cell cells[2] = { 7, 0 };
	const struct metric_row row = { .name = "t_total",
					.help = "back\\slash, \"quote\"\nand line",
					.type = COUNTER,
					.labels = { { "l", values, 2 } },
					.cells = cells,
					.n_cells = 2 };
	char *text = render(&row);

	(void)state;
	assert_string_equal(text, "# HELP t_total back\\\\slash, \"quote\"\\nand line\n"
				  "# TYPE t_total counter\n"
				  "t_total{l=\"a\\\\b\\\"c\\nd\"} 7\n"
				  "t_total{l=\"plain\"} 0\n");
	free(text);
}

static void a_gauge_may_be_below_zero_and_a_counter_be_huge(void **state)
{
	metric_cell low[1] = { (uint64_t)-3 }, high[1] = { UINT64_MAX };
	struct metric_row row = { .name = "g", .help = "h", .type = GAUGE, .cells = low };
	char *text = render(&row);

	(void)state;
	assert_non_null(strstr(text, "\ng -3\n"));
	free(text);
	row.type = COUNTER;
	row.cells = high;
	text = render(&row);
	assert_non_null(strstr(text, "\ng 18446744073709551615\n"));
	free(text);
}

static void every_metric_has_one_help_and_one_type_before_its_samples(void **state)
{
	char *text = page(), line[256];

	(void)state;
	for (size_t i = 0; i < METRICS; i++) {
		const char *name = metric_rows[i].name, *type, *sample;

		snprintf(line, sizeof(line), "# HELP %s ", name);
		assert_int_equal(times(text, line), 1);
		snprintf(line, sizeof(line), "# TYPE %s ", name);
		assert_int_equal(times(text, line), 1);
		type = strstr(text, line);
		snprintf(line, sizeof(line), "\n%s%s", name,
			 metric_rows[i].type == HISTOGRAM ? "_bucket{" : "");
		sample = strstr(text, line);
		assert_non_null(sample);
		assert_true(sample > type);
	}
	assert_int_equal(text[strlen(text) - 1], '\n');
	free(text);
}

static void every_row_has_the_cells_and_the_name_that_its_type_asks_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < METRICS; i++) {
		const struct metric_row *row = &metric_rows[i];
		size_t len = row->name ? strlen(row->name) : 0;
		bool total = len > 6 && !strcmp(row->name + len - 6, "_total");

		assert_true(len > 0 && row->help && *row->help);
		assert_true(!strncmp(row->name, "hookswitch_", 11) ||
			    !strncmp(row->name, "process_", 8));
		assert_int_equal(strspn(row->name, "abcdefghijklmnopqrstuvwxyz_"), len);
		assert_int_equal(total, row->type == COUNTER);
		assert_int_equal(row->n_cells,
				 (size_t)metric_series(row) * metric_cells_of_series(row));
		assert_int_equal(row->type == HISTOGRAM, row->n_bounds > 0);
		for (unsigned b = 1; b < row->n_bounds; b++)
			assert_true(row->bounds[b] > row->bounds[b - 1]);
		for (size_t k = i + 1; k < METRICS; k++)
			assert_string_not_equal(row->name, metric_rows[k].name);
		for (int l = 0; l < 2 && row->labels[l].name; l++)
			for (unsigned v = 0; v < row->labels[l].n; v++)
				assert_non_null(row->labels[l].values[v]);
	}
}

/* The enums of metrics.h and the words of the table are written down in two places. */
static void the_last_value_of_each_label_is_the_tables_last_word(void **state)
{
	static const struct {
		enum metric m;
		int label;
		unsigned last;
		const char *word;
	} ends[] = {
		{ METRIC_DEPENDENCY_UP, 0, DEPENDENCY_RTPENGINE, "rtpengine" },
		{ METRIC_CALLS_ENDED, 0, DIRECTION_OUTBOUND_DIAL, "outbound_dial" },
		{ METRIC_CALLS_ENDED, 1, CALLS_CANCELED, "canceled" },
		{ METRIC_CALLS_REFUSED, 0, REFUSED_SIP, "sip" },
		{ METRIC_WEBHOOKS, 0, WEBHOOK_MEDIA, "media" },
		{ METRIC_WEBHOOKS, 1, WEBHOOK_INTERNAL, "internal" },
		{ METRIC_WEBHOOK_STAGE_NS, 1, STAGE_TOTAL, "total" },
		{ METRIC_MEDIA_PACKETS, 0, PACKETS_RECEIVED, "received" },
		{ METRIC_DB_STATEMENTS, 0, DB_INTERNAL, "internal" },
		{ METRIC_STORE_LOST, 0, LOST_REFUSED, "refused" },
		{ METRIC_REST_REQUESTS, 0, METHOD_OTHER, "other" },
		{ METRIC_REST_REQUESTS, 1, STATUS_5XX, "5xx" },
		{ METRIC_KAMAILIO_FAILURES, 0, COMMAND_BAD, "bad" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		const struct metric_label *l = &metric_rows[ends[i].m].labels[ends[i].label];

		assert_int_equal(l->n, ends[i].last + 1);
		assert_string_equal(l->values[ends[i].last], ends[i].word);
	}
}

static void a_buffer_that_is_too_small_is_an_error(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_true(metrics_render(&b) < 0);
	buf_done(&b);
}

static void every_status_has_a_class(void **state)
{
	(void)state;
	assert_int_equal(metrics_status_class(0), STATUS_1XX);
	assert_int_equal(metrics_status_class(199), STATUS_1XX);
	assert_int_equal(metrics_status_class(200), STATUS_2XX);
	assert_int_equal(metrics_status_class(304), STATUS_3XX);
	assert_int_equal(metrics_status_class(499), STATUS_4XX);
	assert_int_equal(metrics_status_class(500), STATUS_5XX);
	assert_int_equal(metrics_status_class(999), STATUS_5XX);
}

static void the_process_is_seen_as_it_is(void **state)
{
	int64_t before, now = (int64_t)time(NULL) * 1000000000;
	FILE *open[5];

	(void)state;
	metrics_look_at_process();
	before = metrics_get(METRIC_PROCESS_FDS, 0, 0);
	for (int i = 0; i < 5; i++)
		assert_non_null(open[i] = fopen("/dev/null", "r"));
	metrics_look_at_process();
	assert_int_equal(metrics_get(METRIC_PROCESS_FDS, 0, 0), before + 5);
	for (int i = 0; i < 5; i++)
		fclose(open[i]);
	assert_true(metrics_get(METRIC_PROCESS_FDS_MAX, 0, 0) >= before + 5);
	/* The test has been running for less than ten minutes; boot time comes in whole ticks. */
	assert_true(metrics_get(METRIC_PROCESS_START_NS, 0, 0) <= now + 2000000000);
	assert_true(metrics_get(METRIC_PROCESS_START_NS, 0, 0) > now - 600000000000);
	assert_true(metrics_get(METRIC_PROCESS_CPU_NS, 0, 0) > 0);
	assert_true(metrics_get(METRIC_PROCESS_RESIDENT, 0, 0) > 1 << 20);
	assert_true(metrics_get(METRIC_PROCESS_VIRTUAL, 0, 0) >
		    metrics_get(METRIC_PROCESS_RESIDENT, 0, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_several_threads_count_is_not_lost),
		cmocka_unit_test(the_buckets_of_a_histogram_are_cumulative_and_hold_their_bound),
		cmocka_unit_test(the_labels_of_a_histogram_stand_before_its_bound),
		cmocka_unit_test(help_and_label_values_are_escaped),
		cmocka_unit_test(a_gauge_may_be_below_zero_and_a_counter_be_huge),
		cmocka_unit_test(every_metric_has_one_help_and_one_type_before_its_samples),
		cmocka_unit_test(every_row_has_the_cells_and_the_name_that_its_type_asks_for),
		cmocka_unit_test(the_last_value_of_each_label_is_the_tables_last_word),
		cmocka_unit_test(a_buffer_that_is_too_small_is_an_error),
		cmocka_unit_test(every_status_has_a_class),
		cmocka_unit_test(the_process_is_seen_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
