/*
 * metrics_table - what metrics.c counts and renders: one row a metric. Internal to base/metrics*
 * and their test.
 */
#ifndef HOOKSWITCH_BASE_METRICS_TABLE_H
#define HOOKSWITCH_BASE_METRICS_TABLE_H

#include "base/metrics.h"

#include <stdatomic.h>
#include <stdbool.h>

/* LEAST: a gauge of which a node shows the least among its processes, of all others their sum. */
enum metric_type { COUNTER, GAUGE, LEAST, HISTOGRAM };

typedef _Atomic uint64_t metric_cell;

struct metric_label {
	const char *name; /* NULL: no such label */
	const char *const *values;
	unsigned n;
};

/*
 * The cells of a series lie together; series by the first label's value, then the second's. A
 * counter or gauge has one cell (a gauge's is signed), a histogram one for each bucket, one for
 * what is beyond them, and the sum.
 */
struct metric_row {
	const char *name, *help;
	enum metric_type type;
	bool seconds; /* cells and bounds are nanoseconds */
	struct metric_label labels[2];
	const uint64_t *bounds; /* ascending */
	unsigned n_bounds;
	metric_cell *cells;
	size_t n_cells; /* as allocated; the test compares it with what the labels need */
};

extern struct metric_row metric_rows[METRICS]; /* nothing of it changes but by metrics_share */

unsigned metric_cells_of_series(const struct metric_row *row);
unsigned metric_series(const struct metric_row *row);
void metric_observe_row(const struct metric_row *row, unsigned a, unsigned b, uint64_t value);
/* Appends n rows, each with its HELP and TYPE. */
int metric_render_rows(struct buf *b, const struct metric_row *rows, size_t n);

#endif
