#define LOG_SUBSYSTEM "metrics"
#include "base/metrics.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/metrics_table.h"
#include "base/process.h"

#include <errno.h>
#include <inttypes.h>

#define NS_PER_S UINT64_C(1000000000)

/* -- the processes of a node: the cells of each behind those of the one before */

static metric_cell *shared;
static size_t cells_of_process;

int metrics_share(void)
{
	for (size_t i = 0; i < METRICS; i++)
		cells_of_process += metric_rows[i].n_cells;
	shared = process_shared(process_count() * cells_of_process * sizeof(*shared));
	return shared ? 0 : -ENOMEM;
}

void metrics_begin_process(void)
{
	metric_cell *cells = shared + process_index() * cells_of_process;

	for (size_t i = 0; i < METRICS; i++) {
		struct metric_row *row = &metric_rows[i];

		row->cells = cells;
		cells += row->n_cells;
		for (size_t k = 0; k < row->n_cells && row->type == GAUGE; k++)
			atomic_store_explicit(&row->cells[k], 0, memory_order_relaxed);
	}
}

/* -- counting */

unsigned metric_cells_of_series(const struct metric_row *row)
{
	return row->type == HISTOGRAM ? row->n_bounds + 2 : 1;
}

unsigned metric_series(const struct metric_row *row)
{
	unsigned n = 1;

	for (int i = 0; i < 2; i++)
		if (row->labels[i].name)
			n *= row->labels[i].n;
	return n;
}

/* The first cell of a series. */
static metric_cell *series(const struct metric_row *row, unsigned a, unsigned b)
{
	unsigned n_a = row->labels[0].name ? row->labels[0].n : 1;
	unsigned n_b = row->labels[1].name ? row->labels[1].n : 1;

	BUG_ON(a >= n_a || b >= n_b);
	return row->cells + (size_t)(a * n_b + b) * metric_cells_of_series(row);
}

static uint64_t load(const metric_cell *cell)
{
	return atomic_load_explicit(cell, memory_order_relaxed);
}

/* What the node shows of this cell of ours. */
static uint64_t of_all(const struct metric_row *row, const metric_cell *cell)
{
	uint64_t ret = load(cell), n;

	if (!shared || cell < shared || cell >= shared + process_count() * cells_of_process)
		return ret;
	for (unsigned i = 0; i < process_count(); i++) {
		if (i == process_index())
			continue;
		n = load(shared + i * cells_of_process + (cell - shared) % cells_of_process);
		ret = row->type != LEAST ? ret + n : n < ret ? n : ret;
	}
	return ret;
}

static void add(metric_cell *cell, uint64_t n)
{
	atomic_fetch_add_explicit(cell, n, memory_order_relaxed);
}

void metrics_add(enum metric m, unsigned a, unsigned b, int64_t n)
{
	add(series(&metric_rows[m], a, b), (uint64_t)n);
}

void metrics_count(enum metric m, unsigned a, unsigned b)
{
	metrics_add(m, a, b, 1);
}

void metrics_set(enum metric m, unsigned a, unsigned b, int64_t value)
{
	atomic_store_explicit(series(&metric_rows[m], a, b), (uint64_t)value, memory_order_relaxed);
}

void metric_observe_row(const struct metric_row *row, unsigned a, unsigned b, uint64_t value)
{
	metric_cell *cells = series(row, a, b);
	unsigned i = 0;

	while (i < row->n_bounds && value > row->bounds[i])
		i++;
	add(&cells[i], 1);
	add(&cells[row->n_bounds + 1], value);
}

void metrics_observe(enum metric m, unsigned a, unsigned b, uint64_t value)
{
	BUG_ON(metric_rows[m].type != HISTOGRAM);
	metric_observe_row(&metric_rows[m], a, b, value);
}

int64_t metrics_get(enum metric m, unsigned a, unsigned b)
{
	const struct metric_row *row = &metric_rows[m];
	const metric_cell *cells = series(row, a, b);
	uint64_t n = load(cells);

	for (unsigned i = 1; row->type == HISTOGRAM && i <= row->n_bounds; i++)
		n += load(&cells[i]);
	return (int64_t)n;
}

enum metric_status_class metrics_status_class(int status)
{
	return status < 200   ? STATUS_1XX
	       : status < 300 ? STATUS_2XX
	       : status < 400 ? STATUS_3XX
	       : status < 500 ? STATUS_4XX
			      : STATUS_5XX;
}

/* -- the page */

/* HELP escapes the backslash and the line feed, a label's value the quote too. */
static void add_escaped(struct buf *b, const char *text, bool quote)
{
	for (; *text; text++) {
		if (*text == '\n')
			buf_adds(b, "\\n");
		else if (*text == '\\' || (quote && *text == '"'))
			buf_addf(b, "\\%c", *text);
		else
			buf_addc(b, *text);
	}
}

/* No floating point: exact, and no locale's comma. Zeros at the end are left out. */
static void add_seconds(struct buf *b, uint64_t ns)
{
	uint64_t fraction = ns % NS_PER_S;
	int digits = 9;

	buf_addf(b, "%" PRIu64, ns / NS_PER_S);
	if (!fraction)
		return;
	for (; fraction % 10 == 0; digits--)
		fraction /= 10;
	buf_addf(b, ".%0*" PRIu64, digits, fraction);
}

static void add_value(struct buf *b, const struct metric_row *row, uint64_t value)
{
	if (row->seconds)
		add_seconds(b, value);
	else if (row->type == GAUGE || row->type == LEAST)
		buf_addf(b, "%" PRId64, (int64_t)value);
	else
		buf_addf(b, "%" PRIu64, value);
}

static void add_label(struct buf *b, const char *before, const char *name, const char *value)
{
	buf_addf(b, "%s%s=\"", before, name);
	add_escaped(b, value, true);
	buf_addc(b, '"');
}

/* name + suffix and the labels of a series; the brace stays open for a bucket's `le`. */
static void add_name(struct buf *b, const struct metric_row *row, const char *suffix, unsigned at)
{
	unsigned n_b = row->labels[1].name ? row->labels[1].n : 1;
	unsigned value[2] = { at / n_b, at % n_b };
	const char *before = "{";

	buf_addf(b, "%s%s", row->name, suffix);
	for (int i = 0; i < 2 && row->labels[i].name; i++) {
		add_label(b, before, row->labels[i].name, row->labels[i].values[value[i]]);
		before = ",";
	}
}

static void end_name(struct buf *b, const struct metric_row *row)
{
	buf_adds(b, row->labels[0].name ? "} " : " ");
}

/* The count is the buckets' sum, so that both are of one moment. */
static void add_histogram(struct buf *b, const struct metric_row *row, unsigned at)
{
	const metric_cell *cells = row->cells + (size_t)at * metric_cells_of_series(row);
	uint64_t n = 0;

	for (unsigned i = 0; i <= row->n_bounds; i++) {
		n += of_all(row, &cells[i]);
		add_name(b, row, "_bucket", at);
		buf_adds(b, row->labels[0].name ? ",le=\"" : "{le=\"");
		if (i < row->n_bounds)
			add_value(b, row, row->bounds[i]);
		else
			buf_adds(b, "+Inf");
		buf_addf(b, "\"} %" PRIu64 "\n", n);
	}
	add_name(b, row, "_sum", at);
	end_name(b, row);
	add_value(b, row, of_all(row, &cells[row->n_bounds + 1]));
	buf_addc(b, '\n');
	add_name(b, row, "_count", at);
	end_name(b, row);
	buf_addf(b, "%" PRIu64 "\n", n);
}

int metric_render_rows(struct buf *b, const struct metric_row *rows, size_t n)
{
	static const char *const types[] = { [COUNTER] = "counter",
					     [GAUGE] = "gauge",
					     [LEAST] = "gauge",
					     [HISTOGRAM] = "histogram" };

	for (const struct metric_row *row = rows; row < rows + n; row++) {
		buf_addf(b, "# HELP %s ", row->name);
		add_escaped(b, row->help, false);
		buf_addf(b, "\n# TYPE %s %s\n", row->name, types[row->type]);
		for (unsigned at = 0; at < metric_series(row); at++) {
			if (row->type == HISTOGRAM) {
				add_histogram(b, row, at);
				continue;
			}
			add_name(b, row, "", at);
			end_name(b, row);
			add_value(b, row, of_all(row, &row->cells[at]));
			buf_addc(b, '\n');
		}
	}
	return b->error;
}

int metrics_render(struct buf *b)
{
	return metric_render_rows(b, metric_rows, METRICS);
}
