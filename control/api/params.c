#include "api/resource.h"

#include "base/buf.h"
#include "proto/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

	for (const char *p = words; p && *p; p = strchr(p, '|')) {
		p += *p == '|';
		if (strcspn(p, "|") == len && !strncmp(p, value, len))
			return true;
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
	return digit && upper && lower && length(s) >= 12 && strlen(s) <= 256;
}

const char *param_check(const struct param *p, const char *value)
{
	static _Thread_local char want[120];
	struct in_addr addr;

	want[0] = '\0';
	switch (p->type) {
	case PARAM_TEXT:
		if (length(value) < p->min || length(value) > p->max || (p->pattern && strspn(value, p->pattern) != strlen(value)))
			snprintf(want, sizeof(want), "must have %ld to %ld characters%s", p->min, p->max,
				 p->pattern ? " of those allowed" : "");
		break;
	case PARAM_URL:
		if (*value && !url_valid_webhook(value))
			snprintf(want, sizeof(want), "must be an absolute http or https URL, without '_' in its host");
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
			snprintf(want, sizeof(want), "must be a whole number from %ld to %ld", p->min, p->max);
		break;
	case PARAM_SID:
		if (!sid_valid(value, p->pattern))
			snprintf(want, sizeof(want), "must be a SID: %s and 32 hex digits", p->pattern);
		break;
	case PARAM_ENUM:
		if (!one_of(p->pattern, value))
			snprintf(want, sizeof(want), "must be one of %s", p->pattern);
		break;
	case PARAM_IP:
		if (strspn(value, "0123456789.") != strlen(value) || inet_pton(AF_INET, value, &addr) != 1)
			snprintf(want, sizeof(want), "must be a complete IPv4 address, such as 203.0.113.7");
		break;
	case PARAM_PASSWORD:
		if (!is_password(value))
			snprintf(want, sizeof(want), "must have at least 12 characters, among them a digit, an upper and a lower case letter");
		break;
	}
	return want[0] ? want : NULL;
}

int params_take(struct api_request *q, const struct param *params, size_t n, int when)
{
	for (size_t i = 0; i < n; i++) {
		const struct param *p = &params[i];
		const char *value = form_get(&q->form, p->name), *want;
		bool required = p->when & (when == ON_CREATE ? REQUIRED : REQUIRED_U);

		q->values[i] = NULL;
		if (!(p->when & when))
			continue;
		if (!value || (!*value && required)) {
			if (required)
				return api_error(q, p->error, "%s is required", p->name);
			continue;
		}
		want = param_check(p, value);
		if (want)
			return api_error(q, p->error, "%s %s", p->name, want);
		/* The canonical spelling goes into the database. */
		if (p->type == PARAM_METHOD)
			value = strcasecmp(value, "GET") ? "POST" : "GET";
		else if (p->type == PARAM_BOOL)
			value = strcasecmp(value, "true") ? "false" : "true";
		q->values[i] = value;
	}
	return 0;
}
