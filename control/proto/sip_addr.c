#include "proto/sip_addr.h"

#include <ctype.h>
#include <errno.h>
#include <osipparser2/osip_parser.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HOST_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:"

bool sip_is_token(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!s[i] || (!isalnum((unsigned char)s[i]) && !strchr("-.!%*_+`'~", s[i])))
			return false;
	return len > 0;
}

/* Behind a quoted string that begins at s; NULL when it does not end. */
static const char *skip_quoted(const char *s)
{
	for (s++; *s && *s != '"'; s++)
		if (*s == '\\' && s[1])
			s++;
	return *s ? s + 1 : NULL;
}

/* The first of the characters in stop, outside quotes and, unless one is a bracket, outside <>; or
 * the NUL. */
static const char *find(const char *s, const char *stop)
{
	bool angle = false;

	while (*s) {
		if (!angle && strchr(stop, *s))
			return s;
		if (*s == '"' && !angle) {
			const char *next = skip_quoted(s);

			if (!next)
				return s + strlen(s);
			s = next;
			continue;
		}
		if (*s == '<')
			angle = true;
		else if (*s == '>')
			angle = false;
		s++;
	}
	return s;
}

const char *sip_value_end(const char *value)
{
	return find(value, ",");
}

static bool uri_bytes_ok(struct sip_slice uri)
{
	for (size_t i = 0; i < uri.len; i++)
		if (uri.at[i] <= 0x20 || uri.at[i] >= 0x7f || strchr("<>\"\\^`{|}", uri.at[i]))
			return false;
	return uri.len > 0;
}

int sip_addr_parse(const char *value, struct sip_slice *uri, struct sip_slice *params)
{
	const char *end = sip_value_end(value), *angle = find(value, "<,"), *stop, *rest;

	if (*angle == '<') {
		uri->at = angle + 1;
		stop = strchr(uri->at, '>');
		if (!stop)
			return -EINVAL;
		uri->len = (size_t)(stop - uri->at);
		rest = stop + 1;
		rest += strspn(rest, " \t");
	} else {
		/* Without <> every parameter is the header's (§20.10). */
		uri->at = value + strspn(value, " \t");
		rest = find(uri->at, ";,");
		for (stop = rest; stop > uri->at && isspace((unsigned char)stop[-1]); stop--)
			;
		uri->len = (size_t)(stop - uri->at);
	}
	if (rest < end && *rest != ';')
		return -EINVAL;
	params->at = rest;
	params->len = rest < end ? (size_t)(end - rest) : 0;
	return uri_bytes_ok(*uri) ? 0 : -EINVAL;
}

bool sip_param(struct sip_slice params, const char *name, struct sip_slice *value)
{
	const char *s = params.at, *end = params.at + params.len;
	size_t len = strlen(name);

	while (s < end && *s == ';') {
		const char *next, *at;

		s++;
		s += strspn(s, " \t");
		next = find(s, ";,");
		if (next > end)
			next = end;
		at = s + strcspn(s, "=;, \t");
		if ((size_t)(at - s) == len && !strncasecmp(s, name, len)) {
			at += strspn(at, " \t");
			if (*at == '=')
				at += 1 + strspn(at + 1, " \t");
			value->at = at;
			value->len = *at == '"' ? (size_t)(next - at) : strcspn(at, ";, \t");
			return true;
		}
		s = next;
	}
	return false;
}

int sip_uri_parse(struct sip_slice uri, struct sip_slice *user, char **host)
{
	const char *colon, *at;
	osip_uri_t *parsed = NULL;
	char *copy = NULL;
	int r = -ENOMEM;

	user->at = NULL;
	user->len = 0;
	if (host)
		*host = NULL;
	if (!uri_bytes_ok(uri))
		return -EINVAL;
	copy = strndup(uri.at, uri.len);
	if (!copy || osip_uri_init(&parsed))
		goto out;
	r = osip_uri_parse(parsed, copy);
	if (r) {
		r = r == OSIP_NOMEM ? -ENOMEM : -EINVAL;
		goto out;
	}
	if (!parsed->scheme ||
	    (strcasecmp(parsed->scheme, "sip") && strcasecmp(parsed->scheme, "sips")))
		goto out;
	r = -EINVAL;
	/* libosip2 takes a second @, or a bracket that nothing closes, for a part of it. */
	if (!parsed->host || !*parsed->host || parsed->host[strspn(parsed->host, HOST_CHARS)])
		goto out;
	r = -ENOMEM;
	if (host) {
		*host = strdup(parsed->host);
		if (!*host)
			goto out;
	}
	/* libosip2 unescapes the user part; ours is as sent. '@' stands in a SIP URI only behind
	 * it. */
	colon = memchr(uri.at, ':', uri.len);
	at = memchr(uri.at, '@', uri.len);
	if (parsed->username && colon && at && at > colon) {
		user->at = colon + 1;
		user->len = (size_t)(at - user->at);
		colon = memchr(user->at, ':', user->len);
		if (colon)
			user->len = (size_t)(colon - user->at);
	}
	r = 0;
out:
	osip_uri_free(parsed);
	free(copy);
	return r;
}
