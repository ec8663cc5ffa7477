/* Parameters and filters against their rules. */
#include "api/resource.h"

#include "proto/e164.h"
#include "proto/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define CODE_BAD_PARAM	 20422
#define SECONDS_OF_A_DAY 86400

/* Characters, not bytes: the form is UTF-8 by now. */
static long length(const char *s)
{
	long n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static bool one_of(const char *words, const char *value)
{
	size_t len = strlen(value);

	while (*words) {
		size_t n = strcspn(words, "|");

		if (n == len && !memcmp(words, value, n))
			return true;
		words += n + (words[n] == '|');
	}
	return false;
}

static bool is_int(const struct param *p, const char *value)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(value, &end, 10);
	return isdigit((unsigned char)*value) && !*end && !errno && n >= p->min && n <= p->max;
}

static bool is_password(const char *s)
{
	bool digit = false, upper = false, lower = false;

	for (const char *c = s; *c; c++) {
		digit |= isdigit((unsigned char)*c) != 0;
		upper |= isupper((unsigned char)*c) != 0;
		lower |= islower((unsigned char)*c) != 0;
	}
	return digit && upper && lower && length(s) >= PASSWORD_MIN && strlen(s) <= PASSWORD_MAX;
}

/* n digits from *s, as a number; -1 when they are not there. */
static int digits(const char **s, int n)
{
	int value = 0;

	for (; n; n--, (*s)++) {
		if (!isdigit((unsigned char)**s))
			return -1;
		value = value * 10 + (**s - '0');
	}
	return value;
}

static bool skip(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

/* What stands behind a time: a fraction, then Z, +hh:mm, -hh:mm or nothing (UTC). */
static bool zone_offset(const char *s, long *offset_s)
{
	int sign, h, m;

	*offset_s = 0;
	if (skip(&s, '.'))
		s += strspn(s, "0123456789");
	if (!*s)
		return true;
	if (skip(&s, 'Z'))
		return !*s;
	sign = *s == '-' ? -1 : 1;
	/* A '+' that was not escaped in the query has become a space. */
	if (!skip(&s, '+') && !skip(&s, '-') && !skip(&s, ' '))
		return false;
	h = digits(&s, 2);
	skip(&s, ':');
	m = digits(&s, 2);
	*offset_s = sign * (h * 3600L + m * 60L);
	return h >= 0 && h <= 15 && m >= 0 && m <= 59 && !*s;
}

bool date_range(const char *value, long long *from, long long *to)
{
	struct tm tm = { 0 }, given;
	const char *s = value;
	long offset_s = 0;
	bool timed;

	tm.tm_year = digits(&s, 4) - 1900;
	if (tm.tm_year < 0 || !skip(&s, '-'))
		return false;
	tm.tm_mon = digits(&s, 2) - 1;
	if (tm.tm_mon < 0 || !skip(&s, '-'))
		return false;
	tm.tm_mday = digits(&s, 2);
	timed = *s == 'T' || *s == ' ';
	if (timed) {
		s++;
		tm.tm_hour = digits(&s, 2);
		if (tm.tm_hour < 0 || !skip(&s, ':'))
			return false;
		tm.tm_min = digits(&s, 2);
		if (tm.tm_min < 0 || !skip(&s, ':'))
			return false;
		tm.tm_sec = digits(&s, 2);
		if (tm.tm_sec < 0 || !zone_offset(s, &offset_s))
			return false;
	} else if (*s) {
		return false;
	}
	given = tm;
	*from = timegm(&tm);
	/* timegm makes a real day of an impossible one. */
	if (tm.tm_mon != given.tm_mon || tm.tm_mday != given.tm_mday ||
	    tm.tm_hour != given.tm_hour || tm.tm_min != given.tm_min || tm.tm_sec != given.tm_sec)
		return false;
	*from -= offset_s;
	*to = *from + (timed ? 1 : SECONDS_OF_A_DAY);
	return true;
}

const char *param_check(const struct param *p, const char *value)
{
	static _Thread_local char want[160];
	long long from, to;
	struct in6_addr addr;

	want[0] = '\0';
	switch (p->type) {
	case PARAM_TEXT:
		if (length(value) < p->min || length(value) > p->max)
			snprintf(want, sizeof(want), "must have %ld to %ld characters", p->min,
				 p->max);
		else if (p->pattern && strspn(value, p->pattern) != strlen(value))
			snprintf(want, sizeof(want), "must have none but these characters: %s",
				 p->pattern);
		break;
	case PARAM_URL:
		if (!url_valid_webhook(value))
			snprintf(want, sizeof(want),
				 "must be an absolute http or https URL, its host without '_'");
		break;
	case PARAM_METHOD:
		if (strcasecmp(value, "GET") && strcasecmp(value, "POST"))
			snprintf(want, sizeof(want), "must be GET or POST");
		break;
	case PARAM_BOOL:
		if (strcasecmp(value, "true") && strcasecmp(value, "false"))
			snprintf(want, sizeof(want), "must be true or false");
		break;
	case PARAM_INT:
		if (!is_int(p, value))
			snprintf(want, sizeof(want), "must be a whole number from %ld to %ld",
				 p->min, p->max);
		break;
	case PARAM_SID:
		if (!sid_valid(value, p->pattern))
			snprintf(want, sizeof(want), "must be a SID: %s and 32 hex digits",
				 p->pattern);
		break;
	case PARAM_ENUM:
		if (!one_of(p->pattern, value))
			snprintf(want, sizeof(want), "must be one of %s", p->pattern);
		break;
	case PARAM_IP:
		if (inet_pton(AF_INET, value, &addr) != 1 && inet_pton(AF_INET6, value, &addr) != 1)
			snprintf(want, sizeof(want),
				 "must be a complete IPv4 or IPv6 address, such as 203.0.113.7 or "
				 "2001:db8::7");
		break;
	case PARAM_NUMBER:
		if (!e164_ok(value))
			snprintf(want, sizeof(want),
				 "must be a number in E.164: + and up to 15 digits, such as "
				 "+14155550100");
		break;
	case PARAM_PASSWORD:
		if (!is_password(value))
			snprintf(want, sizeof(want),
				 "must have %d to %d characters, among them a digit, an upper and "
				 "a lower case letter",
				 PASSWORD_MIN, PASSWORD_MAX);
		break;
	case PARAM_DATE:
		if (!date_range(value, &from, &to))
			snprintf(want, sizeof(want),
				 "must be a date as YYYY-MM-DD, or YYYY-MM-DDThh:mm:ssZ");
		break;
	}
	return want[0] ? want : NULL;
}

/* The one spelling that is stored. */
static const char *canonical(const struct param *p, const char *value)
{
	if (p->type == PARAM_METHOD)
		return strcasecmp(value, "GET") ? "POST" : "GET";
	if (p->type == PARAM_BOOL)
		return strcasecmp(value, "true") ? "false" : "true";
	return value;
}

bool param_may_be_empty(const struct param *p, bool required)
{
	return !required && p->min == 0 && p->type != PARAM_PASSWORD && p->type != PARAM_IP &&
	       p->type != PARAM_NUMBER;
}

int params_take(struct api_request *q, const struct param *params, size_t n, int when)
{
	for (size_t i = 0; i < n; i++) {
		const struct param *p = &params[i];
		const char *value = form_get(&q->form, p->name), *want;
		bool required = p->when & (when == ON_CREATE ? REQUIRED : NEEDED);

		q->values[i] = NULL;
		if (!(p->when & when))
			continue;
		if (!value || (!*value && required)) {
			if (required)
				return api_error(q, p->error, "%s is required", p->name);
			continue;
		}
		want = *value || !param_may_be_empty(p, required) ? param_check(p, value) : NULL;
		if (want)
			return api_error(q, p->error, "%s %s", p->name, want);
		q->values[i] = *value ? canonical(p, value) : value;
	}
	return 0;
}

/* A date's SQL takes the seconds that it means, as "from,to". */
static const char *date_value(struct api_request *q, const char *value)
{
	char range[64];
	long long from = 0, to = 0;

	date_range(value, &from, &to);
	snprintf(range, sizeof(range), "%lld,%lld", from, to);
	return api_keep(q, range);
}

int filters_take(struct api_request *q, const struct filter *filters, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct filter *f = &filters[i];
		const struct param rule = {
			.name = f->name, .type = f->type, .max = FILTER_MAX, .pattern = f->pattern
		};
		const char *value = form_get(&q->query, f->name), *want;

		q->filters[i] = NULL;
		if (!value || !*value)
			continue;
		want = param_check(&rule, value);
		if (want)
			return api_error(q, CODE_BAD_PARAM, "%s %s", f->name, want);
		q->filters[i] =
			f->type == PARAM_DATE ? date_value(q, value) : canonical(&rule, value);
		if (!q->filters[i])
			return api_error(q, 20500, NULL);
	}
	return 0;
}

static const struct param *param_of(const struct resource *r, const char *name)
{
	for (size_t i = 0; i < r->n_params; i++)
		if (*name && !strcmp(r->params[i].name, name))
			return &r->params[i];
	return NULL;
}

static bool known(const struct resource *r, const char *name, int when)
{
	const struct param *p = param_of(r, name);

	if (when)
		return p && (p->when & when);
	if (!strcmp(name, "PageSize") || !strcmp(name, "Page") || !strcmp(name, "PageToken"))
		return true;
	for (size_t i = 0; i < r->n_filters; i++)
		if (!strcmp(r->filters[i].name, name))
			return true;
	return false;
}

void params_unknown(struct buf *ret, const struct form *form, const struct resource *r, int when)
{
	for (size_t i = 0; i < form->count; i++)
		if (!known(r, form->pairs[i].name, when))
			buf_addf(ret, "%s%.64s", ret->len ? ", " : "", form->pairs[i].name);
}

/* The value; of a URL without the password that stands in it. */
static json_t *shown(const char *value)
{
	const char *host = strstr(value, "://"), *at, *colon;

	if (!host)
		return json_string(value);
	host += 3;
	at = memrchr(host, '@', strcspn(host, "/?#"));
	colon = at ? memchr(host, ':', (size_t)(at - host)) : NULL;
	if (!colon)
		return json_string(value);
	return json_sprintf("%.*s:***%s", (int)(colon - value), value, at);
}

json_t *params_json(const struct form *form, const struct resource *r)
{
	json_t *json = json_object();

	for (size_t i = 0; json && i < form->count; i++) {
		const char *name = form->pairs[i].name;
		const struct param *p = param_of(r, name);
		/* What no row knows is not kept: it may be a secret under a mistaken name. */
		bool hidden = p && (p->type == PARAM_PASSWORD || (p->when & HIDDEN));

		json_object_set_new(json, name,
				    !p	     ? json_string("?")
				    : hidden ? json_string("***")
					     : shown(form->pairs[i].value));
	}
	return json;
}
