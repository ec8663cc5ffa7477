/*
 * Every row of every resource's parameters and filters, with values at and around its limits: what
 * is taken and what is refused is what the row's rule says, with the row's code and name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/error_code.h"
#include "request_kit.h"

#define BAD_FILTER  20422
#define RANDOM_RUNS 200
#define TEXT_SIZE   (2 * 4096)
#define HEX	    "0123456789abcdef0123456789ABCDEF"

/* What is tried: a row of a resource, in one operation (0: as a filter). */
struct trial {
	const struct resource *resource;
	const struct param *param;
	const struct filter *filter;
	int when;
	unsigned taken, refused;
};

static const char *message_of(const struct request_kit *k, char *ret, size_t size)
{
	json_t *body = k->out.body ? json_loads(k->out.body, 0, NULL) : NULL;
	const char *text = json_string_value(json_object_get(body, "message"));

	snprintf(ret, size, "%s", text ? text : "");
	json_decref(body);
	return ret;
}

/* The row's outcome for a value (NULL: missing) is the expected one. */
static void expect(struct trial *t, const char *value, bool good)
{
	const char *name = t->param->name, *taken;
	char message[700];
	struct request_kit k;
	struct api_request *q = request_new(&k, "", "");
	int r;

	if (value)
		assert_int_equal(form_add(t->when ? &q->form : &q->query, name, value), 0);
	r = t->when ? params_take(q, t->param, 1, t->when) : filters_take(q, t->filter, 1);
	taken = t->when ? q->values[0] : q->filters[0];
	if ((r == 0) != good)
		fail_msg("%s %s (%d): \"%.200s\" was %s", t->resource->path, name, t->when,
			 value ? value : "(none)", r ? "refused" : "taken");
	message_of(&k, message, sizeof(message));
	if (!good && (k.out.status != error_code_find(t->param->error)->http_status ||
		      k.out.status / 100 != 4 || request_code(&k) != t->param->error ||
		      strncmp(message, name, strlen(name)) || message[strlen(name)] != ' '))
		fail_msg("%s %s: \"%.200s\" was answered with %d %d: %s", t->resource->path, name,
			 value ? value : "(none)", k.out.status, request_code(&k), message);
	if (good)
		assert_null(k.out.body);
	if (good && value && *value)
		assert_non_null(taken);
	t->taken += good;
	t->refused += !good;
	request_free(&k);
}

static void expect_all(struct trial *t, const char *const *values, size_t n, bool good)
{
	for (size_t i = 0; i < n; i++)
		expect(t, values[i], good);
}

#define EXPECT(t, good, ...)                                                                       \
	expect_all(t, (const char *const[]){ __VA_ARGS__ },                                        \
		   sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *), good)

/* -- texts */

static char *repeat(char *ret, const char *unit, long n)
{
	size_t len = strlen(unit);

	assert_true((size_t)n * len < TEXT_SIZE);
	for (long i = 0; i < n; i++)
		memcpy(ret + (size_t)i * len, unit, len);
	ret[(size_t)n * len] = '\0';
	return ret;
}

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* Texts of every length up to beyond the limit, of characters of one to four bytes. */
static void try_random_texts(struct trial *t, uint32_t *seed)
{
	static const char *const units[] = {
		"a", "Z", "0", "-", " ", "ä", "€", "😀", "\x01", "\n"
	};
	const struct param *p = t->param;
	char value[TEXT_SIZE];

	for (int run = 0; run < RANDOM_RUNS; run++) {
		long length = 1 + (long)(next_random(seed) % (unsigned long)(p->max + 8));
		bool good = length >= p->min && length <= p->max;
		size_t at = 0;

		for (long i = 0; i < length; i++) {
			const char *unit = units[next_random(seed) % 10];

			good = good && (!p->pattern || strstr(p->pattern, unit));
			at += (size_t)snprintf(value + at, sizeof(value) - at, "%s", unit);
		}
		expect(t, value, good);
	}
}

static void try_text(struct trial *t)
{
	const struct param *p = t->param;
	char unit[2] = { p->pattern ? p->pattern[0] : 'a' }, value[TEXT_SIZE];
	uint32_t seed = 0x5eed1;

	expect(t, repeat(value, unit, p->max), true);
	expect(t, repeat(value, unit, p->max + 1), false);
	if (p->min > 0)
		expect(t, repeat(value, unit, p->min), true);
	if (p->min > 1)
		expect(t, repeat(value, unit, p->min - 1), false);
	expect(t, repeat(value, "ä", p->max), !p->pattern);
	expect(t, repeat(value, "ä", p->max + 1), false);
	if (p->pattern) {
		for (const char *c = p->pattern; *c; c++) {
			unit[0] = *c;
			expect(t, repeat(value, unit, p->min > 0 ? p->min : 1), true);
		}
		for (int c = 1; c < 0x80; c++) {
			unit[0] = (char)c;
			if (!strchr(p->pattern, c))
				expect(t, repeat(value, unit, p->min > 0 ? p->min : 1), false);
		}
	}
	if (p->max < TEXT_SIZE / 4 - 8)
		try_random_texts(t, &seed);
}

/* -- numbers, words, SIDs */

static void try_int(struct trial *t)
{
	const long good[] = { t->param->min, t->param->min + 1, t->param->max - 1, t->param->max };
	char value[40];

	for (size_t i = 0; i < 4; i++) {
		snprintf(value, sizeof(value), "%ld", good[i]);
		expect(t, value, true);
	}
	snprintf(value, sizeof(value), "%ld", t->param->min - 1);
	expect(t, value, false);
	snprintf(value, sizeof(value), "%ld", t->param->max + 1);
	expect(t, value, false);
	snprintf(value, sizeof(value), "+%ld", t->param->max);
	expect(t, value, false);
	snprintf(value, sizeof(value), "%ld.0", t->param->max);
	expect(t, value, false);
	snprintf(value, sizeof(value), "%ld\n", t->param->max);
	expect(t, value, false);
	EXPECT(t, false, "x", " 1", "0x1", "1e1", "true", "١", "18446744073709551617",
	       "-9223372036854775809", "99999999999999999999999999999");
}

static bool is_word(const char *words, const char *value)
{
	char list[600], item[600];

	snprintf(list, sizeof(list), "|%s|", words);
	snprintf(item, sizeof(item), "|%s|", value);
	return !strchr(value, '|') && strstr(list, item);
}

static void try_enum(struct trial *t)
{
	char words[500], *rest = words, *word, value[520];

	snprintf(words, sizeof(words), "%s", t->param->pattern);
	expect(t, words, !strchr(words, '|'));
	while ((word = strsep(&rest, "|"))) {
		expect(t, word, true);
		snprintf(value, sizeof(value), "%sx", word);
		expect(t, value, is_word(t->param->pattern, value));
		snprintf(value, sizeof(value), "%s\n", word);
		expect(t, value, false);
		snprintf(value, sizeof(value), "%.*s", (int)strlen(word) - 1, word);
		if (*value)
			expect(t, value, is_word(t->param->pattern, value));
		snprintf(value, sizeof(value), "%s", word);
		value[0] = (char)(value[0] ^ 0x20);
		expect(t, value, is_word(t->param->pattern, value));
	}
	EXPECT(t, false, "|", "ä", " ", "\x01");
}

static void try_sid(struct trial *t)
{
	const char *prefix = t->param->pattern;
	char value[80];

	snprintf(value, sizeof(value), "%s" HEX, prefix);
	expect(t, value, true);
	value[2 + 31] = '\0';
	expect(t, value, false);
	snprintf(value, sizeof(value), "%s" HEX "0", prefix);
	expect(t, value, false);
	snprintf(value, sizeof(value), "%s" HEX, prefix);
	value[20] = 'g';
	expect(t, value, false);
	snprintf(value, sizeof(value), "%c%c" HEX, prefix[0] | 0x20, prefix[1] | 0x20);
	expect(t, value, false);
	snprintf(value, sizeof(value), "ZZ" HEX);
	expect(t, value, false);
	snprintf(value, sizeof(value), "%s" HEX "\n", prefix);
	expect(t, value, false);
	snprintf(value, sizeof(value), "%sä" HEX, prefix);
	expect(t, value, false);
	expect(t, prefix, false);
}

/* -- the others: the rule is of the type alone */

static void try_password(struct trial *t)
{
	char value[TEXT_SIZE];

	expect(t, strcat(repeat(value, "Ab1", PASSWORD_MAX / 3), "x"), PASSWORD_MAX % 3 == 1);
	expect(t, repeat(value, "Ab1", PASSWORD_MAX / 3 + 1), false);
	EXPECT(t, true, "Abcdefghijk1", "Äbcdefghij1X", "A b c d e f 1");
	EXPECT(t, false, "Abcdefghij1", "abcdefghijk1", "ABCDEFGHIJK1", "Abcdefghijkl");
}

static void try_others(struct trial *t)
{
	switch (t->param->type) {
	case PARAM_URL:
		EXPECT(t, true, "http://example.com", "https://example.com:8443/a?b=c#rc=2",
		       "https://[2001:db8::1]/");
		EXPECT(t, false, "example.com", "/voice", "ftp://example.com/", "http://",
		       "http://my_host/", "http://example.com/a b", "http://example.com/\x01",
		       "https//example.com", "javascript:alert(1)");
		break;
	case PARAM_METHOD:
		EXPECT(t, true, "GET", "POST", "get", "Post");
		EXPECT(t, false, "PUT", "HEAD", "GET ", " GET", "GE", "POST\n", "1", "ä");
		break;
	case PARAM_BOOL:
		EXPECT(t, true, "true", "false", "TRUE", "False");
		EXPECT(t, false, "1", "0", "yes", "no", "t", "true ", "true\n", "ä");
		break;
	case PARAM_IP:
		EXPECT(t, true, "0.0.0.0", "203.0.113.7", "255.255.255.255", "::", "2001:db8::7",
		       "2001:DB8::7");
		EXPECT(t, false, "256.0.0.1", "1.2.3", "1.2.3.4.5", "1.2.3.4/32", "1.2.3.4\n",
		       " 1.2.3.4", "2001:db8::g", "::1%lo", "[::1]", "localhost", "١.2.3.4");
		break;
	case PARAM_NUMBER:
		EXPECT(t, true, "+14155550100", "+123456789012345");
		EXPECT(t, false, "14155550100", "+1234567890123456", "+04155550100", "+", "+1x",
		       "+1415555 0100", " +14155550100", "+14155550100\n", "+١٤١٥٥٥٥٠١٠٠");
		break;
	case PARAM_DATE:
		EXPECT(t, true, "2009-07-06", "2008-02-29", "2009-07-06T23:59:59Z",
		       "2009-07-06T01:02:03+01:00");
		EXPECT(t, false, "2009-02-29", "2009-00-01", "2009-13-01", "2009-07-32",
		       "2009-07-06T24:00:01Z", "2009-07-06T01:02:03Q", "today", "20090706",
		       "2009-07-06\n", "٢٠٠٩-07-06");
		break;
	case PARAM_PASSWORD:
		try_password(t);
		break;
	default:
		fail_msg("%s %s: a type that is not tried", t->resource->path, t->param->name);
	}
}

static void try_row(struct trial *t)
{
	switch (t->param->type) {
	case PARAM_TEXT:
		try_text(t);
		break;
	case PARAM_INT:
		try_int(t);
		break;
	case PARAM_ENUM:
		try_enum(t);
		break;
	case PARAM_SID:
		try_sid(t);
		break;
	default:
		try_others(t);
	}
	assert_true(t->taken && t->refused);
}

static void every_parameter_takes_what_its_row_says_and_no_more(void **state)
{
	const struct resource *r;
	unsigned rows = 0;

	(void)state;
	for (size_t i = 0; (r = resource_at(i)); i++) {
		for (size_t k = 0; k < 2 * r->n_params; k++) {
			const struct param *p = &r->params[k / 2];
			int when = k % 2 ? ON_UPDATE : ON_CREATE;
			bool required = p->when & (k % 2 ? NEEDED : REQUIRED);
			struct trial t = { .resource = r, .param = p, .when = when };

			if ((p->when & COMPUTED) || !(p->when & when))
				continue;
			expect(&t, NULL, !required);
			expect(&t, "",
			       !required && p->min == 0 && p->type != PARAM_PASSWORD &&
				       p->type != PARAM_IP && p->type != PARAM_NUMBER);
			try_row(&t);
			rows++;
		}
	}
	assert_true(rows > 50);
}

static void a_parameter_of_another_operation_is_not_looked_at(void **state)
{
	const struct resource *r;

	(void)state;
	for (size_t i = 0; (r = resource_at(i)); i++) {
		for (size_t k = 0; k < 2 * r->n_params; k++) {
			const struct param *p = &r->params[k / 2];
			int when = k % 2 ? ON_UPDATE : ON_CREATE;
			struct request_kit kit;
			struct api_request *q;

			if (p->when & when)
				continue;
			q = request_new(&kit, "", "");
			form_add(&q->form, p->name, "\x01 nonsense");
			assert_int_equal(params_take(q, p, 1, when), 0);
			assert_null(q->values[0]);
			request_free(&kit);
		}
	}
}

static void every_filter_takes_what_its_row_says_and_no_more(void **state)
{
	const struct resource *r;
	unsigned rows = 0;

	(void)state;
	for (size_t i = 0; (r = resource_at(i)); i++) {
		for (size_t k = 0; k < r->n_filters; k++) {
			const struct filter *f = &r->filters[k];
			const struct param rule = { .name = f->name,
						    .type = f->type,
						    .max = FILTER_MAX,
						    .pattern = f->pattern,
						    .error = BAD_FILTER };
			struct trial t = { .resource = r, .param = &rule, .filter = f };

			expect(&t, NULL, true);
			expect(&t, "", true);
			try_row(&t);
			rows++;
		}
	}
	assert_true(rows > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_parameter_takes_what_its_row_says_and_no_more),
		cmocka_unit_test(a_parameter_of_another_operation_is_not_looked_at),
		cmocka_unit_test(every_filter_takes_what_its_row_says_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
