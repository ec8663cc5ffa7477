#include "proto/sip_target.h"

#include "base/buf.h"
#include "proto/sip_addr.h"
#include "proto/utf8.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CODE_URI	  21211
#define CODE_TOO_LONG	  21227
#define CODE_HEADER_NAME  21228
#define CODE_HEADER_VALUE 21229
#define CODE_NOT_ALLOWED  32113
#define CODE_PARAM_VALUE  32114

#define HOST_MAX  253 /* RFC 1035 §2.3.4 */
#define LABEL_MAX 63

static void say(struct sip_target_error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void say(struct sip_target_error *error, int code, const char *format, ...)
{
	va_list ap;

	error->code = code;
	va_start(ap, format);
	vsnprintf(error->text, sizeof(error->text), format, ap);
	va_end(ap);
}

#define refuse(error, ...) (say(error, __VA_ARGS__), -EINVAL)

static struct sip_slice slice(const char *at, const char *end)
{
	return (struct sip_slice){ .at = at, .len = (size_t)(end - at) };
}

static bool slice_is(struct sip_slice s, const char *text)
{
	return s.len == strlen(text) && !strncasecmp(s.at, text, s.len);
}

/* The part up to the first c, which is skipped in *rest; all of it when there is none. */
static struct sip_slice cut(struct sip_slice *rest, char c)
{
	const char *end = rest->at + rest->len, *stop = memchr(rest->at, c, rest->len);
	struct sip_slice part = slice(rest->at, stop ? stop : end);

	*rest = slice(stop ? stop + 1 : end, end);
	return part;
}

static struct sip_slice trim(struct sip_slice s)
{
	while (s.len && isspace((unsigned char)*s.at)) {
		s.at++;
		s.len--;
	}
	while (s.len && isspace((unsigned char)s.at[s.len - 1]))
		s.len--;
	return s;
}

static int nibble(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* The byte of the escape "%XX" that s begins with, or -1. */
static int escaped(struct sip_slice s)
{
	if (s.len < 3 || *s.at != '%' || !isxdigit((unsigned char)s.at[1]) ||
	    !isxdigit((unsigned char)s.at[2]))
		return -1;
	return nibble(s.at[1]) << 4 | nibble(s.at[2]);
}

/* RFC 3261 §25.1: unreserved characters, those of extra, and escapes, but none of a control
 * character. */
static bool chars_ok(struct sip_slice s, const char *extra)
{
	while (s.len) {
		size_t n = 1;

		if (*s.at == '%') {
			int c = escaped(s);

			if (c < 0x20 || c == 0x7f)
				return false;
			n = 3;
		} else if (!isascii((unsigned char)*s.at) ||
			   (!isalnum((unsigned char)*s.at) &&
			    (!*s.at || (!strchr("-_.!~*'()", *s.at) && !strchr(extra, *s.at))))) {
			return false;
		}
		s.at += n;
		s.len -= n;
	}
	return true;
}

/* -- user, host and port */

static bool label_ok(struct sip_slice label)
{
	if (!label.len || label.len > LABEL_MAX || *label.at == '-' ||
	    label.at[label.len - 1] == '-')
		return false;
	for (size_t i = 0; i < label.len; i++)
		if (!isascii((unsigned char)label.at[i]) ||
		    (!isalnum((unsigned char)label.at[i]) && label.at[i] != '-'))
			return false;
	return true;
}

/*
 * A host name of RFC 3261 §25.1, or an IPv4 address. The last label of a name begins with a letter,
 * so that 0x7f.1 and the like, which resolvers take for addresses, are neither.
 */
static bool host_ok(const char *host)
{
	struct sip_slice rest = { host, strlen(host) }, label;
	struct in_addr in;

	if (inet_pton(AF_INET, host, &in) == 1)
		return true;
	if (rest.len && host[rest.len - 1] == '.')
		rest.len--;
	if (!rest.len || rest.len > HOST_MAX)
		return false;
	do {
		bool last = !memchr(rest.at, '.', rest.len);

		label = cut(&rest, '.');
		if (!label_ok(label))
			return false;
		if (last)
			return isalpha((unsigned char)*label.at);
	} while (rest.len);
	return false; /* two dots at the end */
}

static bool port_of(unsigned *ret, struct sip_slice s)
{
	unsigned port = 0;

	if (!s.len || s.len > 5)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] < '0' || s.at[i] > '9')
			return false;
		port = port * 10 + (unsigned)(s.at[i] - '0');
	}
	*ret = port;
	return port > 0 && port <= 65535;
}

static int parse_hostport(struct sip_target *t, struct sip_slice s, struct sip_target_error *error)
{
	struct sip_slice host;
	struct in6_addr in6;
	bool v6 = s.len && *s.at == '[', ok;

	if (v6) {
		s.at++;
		s.len--;
		if (!memchr(s.at, ']', s.len))
			return refuse(error, CODE_URI, "The ']' of the SIP URI's host is missing");
		host = cut(&s, ']');
		if (s.len && *s.at != ':')
			return refuse(error, CODE_URI, "Only a port may follow the host's ']'");
	} else {
		const char *colon = memchr(s.at, ':', s.len);

		host = slice(s.at, colon ? colon : s.at + s.len);
		s = slice(host.at + host.len, s.at + s.len);
	}
	t->host = strndup(host.at, host.len);
	if (!t->host)
		return -ENOMEM;
	for (char *p = t->host; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	ok = v6 ? inet_pton(AF_INET6, t->host, &in6) == 1 : host_ok(t->host);
	if (!ok)
		return refuse(error, CODE_URI,
			      "The SIP URI's host is neither a host name nor an IP address");
	if (s.len && !port_of(&t->port, slice(s.at + 1, s.at + s.len)))
		return refuse(error, CODE_URI, "The SIP URI's port is not in 1..65535");
	return 0;
}

static int parse_user(struct sip_slice userinfo, struct sip_target_error *error)
{
	struct sip_slice user = cut(&userinfo, ':');

	if (!user.len || !chars_ok(user, "&=+$,;/") || !chars_ok(userinfo, "&=+$,"))
		return refuse(error, CODE_URI,
			      "The SIP URI's user has characters that must be percent-encoded");
	return 0;
}

/* -- parameters */

/* RFC 3261 §19.1.1: no parameter twice. */
static bool seen_before(struct sip_slice all, struct sip_slice name)
{
	while (all.at < name.at) {
		struct sip_slice param = cut(&all, ';'), before = cut(&param, '=');

		if (before.at < name.at && before.len == name.len &&
		    !strncasecmp(before.at, name.at, name.len))
			return true;
	}
	return false;
}

static int parse_transport(struct sip_target *t, struct sip_slice value,
			   struct sip_target_error *error)
{
	static const char *const names[] = {
		[SIP_UDP] = "udp", [SIP_TCP] = "tcp", [SIP_TLS] = "tls"
	};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_is(value, names[i])) {
			t->transport = (enum sip_transport)i;
			t->transport_said = true;
			return 0;
		}
	return refuse(error, CODE_URI, "The SIP URI's transport must be udp, tcp or tls");
}

/* all: behind the first ';'. others: the parameters that stay in the URI. */
static int parse_params(struct sip_target *t, struct sip_slice all, struct buf *others,
			struct sip_target_error *error)
{
	static const char *const dropped[] = { "edge",	"region", "tnx",   "secure",
					       "maddr", "ttl",	  "method" };
	static const char extra[] = "[]/:&+$";
	struct sip_slice rest = all;

	while (rest.len) {
		struct sip_slice whole = cut(&rest, ';'), value = whole, name = cut(&value, '=');
		bool drop = false;

		if (!whole.len)
			continue;
		if (!name.len || !chars_ok(name, extra) || !chars_ok(value, extra))
			return refuse(error, CODE_URI, "A parameter of the SIP URI is malformed");
		if (seen_before(all, name))
			return refuse(error, CODE_URI, "A parameter of the SIP URI is there twice");
		if (slice_is(name, "transport")) {
			int r = parse_transport(t, value, error);

			if (r < 0)
				return r;
			continue;
		}
		if (slice_is(name, "secure")) {
			t->dtls = slice_is(value, "dtls");
			t->secure = t->dtls || slice_is(value, "true");
			if (!t->secure && !slice_is(value, "false"))
				say(error, CODE_PARAM_VALUE,
				    "The SIP URI's secure is true, dtls or false, and was taken as "
				    "false");
		}
		for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++)
			drop = drop || slice_is(name, dropped[i]);
		if (!drop)
			buf_addf(others, ";%.*s", (int)whole.len, whole.at);
	}
	return 0;
}

/* -- headers */

static bool name_allowed(struct sip_slice name)
{
	static const char *const others[] = { "User-to-User", "Remote-Party-ID",
					      "P-Preferred-Identity", "P-Called-Party-ID" };

	/* X-Hookswitch- is between hookswitchd and Kamailio. */
	if (name.len > 2 && !strncasecmp(name.at, "X-", 2))
		return (name.len < 9 || strncasecmp(name.at, "X-Twilio-", 9)) &&
		       (name.len < 13 || strncasecmp(name.at, "X-Hookswitch-", 13));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (slice_is(name, others[i]))
			return true;
	return false;
}

/* Appends the decoded value; false when it can be no header's. */
static bool add_value(struct buf *b, struct sip_slice value)
{
	size_t start = b->len;

	while (value.len) {
		int c = *value.at == '%' ? escaped(value) : (unsigned char)*value.at;
		size_t n = *value.at == '%' ? 3 : 1;

		if (c < 0x20 || c == 0x7f)
			return false;
		buf_addc(b, (char)c);
		value.at += n;
		value.len -= n;
	}
	return b->error || utf8_ok(b->data + start, b->len - start);
}

static int parse_header(struct buf *b, struct sip_slice header, struct sip_target_error *error)
{
	struct sip_slice name = cut(&header, '=');

	if (!sip_is_token(name.at, name.len))
		return refuse(error, CODE_HEADER_NAME,
			      "A header of the SIP URI has illegal characters in its name");
	if (!name_allowed(name)) {
		say(error, CODE_NOT_ALLOWED,
		    "The header '%.*s' is not allowed; X-* but X-Twilio-* and X-Hookswitch-* is, "
		    "and User-to-User, Remote-Party-ID, P-Preferred-Identity, P-Called-Party-ID",
		    name.len > 40 ? 40 : (int)name.len, name.at);
		return error->leave_out ? 0 : -EINVAL;
	}
	buf_addf(b, "%.*s: ", (int)name.len, name.at);
	if (!add_value(b, header))
		return refuse(error, CODE_HEADER_VALUE,
			      "The value of the header '%.*s' has illegal characters",
			      name.len > 60 ? 60 : (int)name.len, name.at);
	buf_adds(b, "\r\n");
	return 0;
}

static int parse_headers(struct sip_target *t, struct sip_slice all, struct sip_target_error *error)
{
	struct buf b;
	int r = 0;

	if (all.len > SIP_TARGET_HEADERS_MAX)
		return refuse(error, CODE_TOO_LONG,
			      "The headers of the SIP URI have %zu characters; at most %d are "
			      "allowed",
			      all.len, SIP_TARGET_HEADERS_MAX);
	buf_init(&b, 4 * SIP_TARGET_HEADERS_MAX);
	buf_adds(&b, "");
	while (all.len && r == 0) {
		struct sip_slice header = cut(&all, '&');

		/* What is left of "&amp;" when a text was escaped once too often. */
		if (header.len >= 4 && !strncmp(header.at, "amp;", 4))
			header = slice(header.at + 4, header.at + header.len);
		if (header.len)
			r = parse_header(&b, header, error);
	}
	if (r == 0) {
		t->headers = buf_steal(&b);
		r = t->headers ? 0 : -ENOMEM;
	}
	buf_done(&b);
	return r;
}

/* -- the whole */

static int build_uri(struct sip_target *t, struct sip_slice userinfo, const struct buf *others,
		     struct sip_target_error *error)
{
	static const char *const params[] = {
		[SIP_UDP] = "", [SIP_TCP] = ";transport=tcp", [SIP_TLS] = ";transport=tls"
	};
	bool v6 = strchr(t->host, ':');
	struct sip_slice user;
	struct buf b;
	int r;

	buf_init(&b, 2 * SIP_TARGET_URI_MAX);
	buf_addf(&b, "sip:%.*s%s%s%s%s", (int)userinfo.len, userinfo.at, userinfo.len ? "@" : "",
		 v6 ? "[" : "", t->host, v6 ? "]" : "");
	if (t->port)
		buf_addf(&b, ":%u", t->port);
	buf_adds(&b, params[t->transport]);
	buf_adds(&b, others->data ? others->data : "");
	t->uri = buf_steal(&b);
	buf_done(&b);
	if (!t->uri)
		return -ENOMEM;
	/* What reads messages has to agree. */
	r = sip_uri_parse((struct sip_slice){ t->uri, strlen(t->uri) }, &user, NULL);
	if (r == -EINVAL)
		return refuse(error, CODE_URI, "The SIP URI is malformed");
	if (r < 0)
		return r;
	t->user = user.at ? strndup(user.at, user.len) : strdup("");
	return t->user ? 0 : -ENOMEM;
}

/* True when *s began with it. */
static bool take_scheme(struct sip_slice *s, const char *scheme)
{
	size_t n = strlen(scheme);

	if (s->len < n || strncasecmp(s->at, scheme, n))
		return false;
	*s = slice(s->at + n, s->at + s->len);
	return true;
}

static int parse_uri(struct sip_target *t, struct sip_slice uri, struct sip_target_error *error)
{
	struct sip_slice userinfo = { uri.at, 0 };
	bool sips, scheme;
	struct buf others;
	int r;

	if (uri.len > SIP_TARGET_URI_MAX)
		return refuse(error, CODE_URI,
			      "The SIP URI has %zu characters before its headers; at most %d are "
			      "allowed",
			      uri.len, SIP_TARGET_URI_MAX);
	sips = take_scheme(&uri, "sips:");
	scheme = sips || take_scheme(&uri, "sip:");
	buf_init(&others, SIP_TARGET_URI_MAX);
	if (memchr(uri.at, '@', uri.len)) {
		userinfo = cut(&uri, '@');
		r = parse_user(userinfo, error);
		/* "tel:alice@example.com" is a scheme that we do not have, and no password. */
		if (r == 0 && !scheme && memchr(userinfo.at, ':', userinfo.len))
			r = refuse(error, CODE_URI, "The URI's scheme must be sip or sips");
	} else {
		r = scheme ? 0 : refuse(error, CODE_URI, "The SIP URI has no user and no scheme");
	}
	if (r == 0)
		r = parse_hostport(t, cut(&uri, ';'), error);
	if (r == 0)
		r = parse_params(t, uri, &others, error);
	if (r == 0 && (sips || t->secure)) {
		t->transport = SIP_TLS;
		t->transport_said = true;
	}
	if (r == 0)
		r = others.error ? others.error : build_uri(t, userinfo, &others, error);
	buf_done(&others);
	return r;
}

int sip_target_parse(struct sip_target *ret, const char *text, struct sip_target_error *error)
{
	struct sip_slice rest = trim((struct sip_slice){ text, strlen(text) }),
			 uri = cut(&rest, '?');
	struct sip_target t = { 0 };
	int r;

	r = parse_uri(&t, uri, error);
	if (r == 0)
		r = parse_headers(&t, rest, error);
	if (r < 0)
		sip_target_done(&t);
	else
		*ret = t;
	return r;
}

void sip_target_done(struct sip_target *t)
{
	free(t->uri);
	free(t->user);
	free(t->host);
	free(t->headers);
	*t = (struct sip_target){ 0 };
}

bool sip_host_is_below(const char *host, const char *base)
{
	size_t n = strlen(host), m = strlen(base);

	return n >= m && !strcasecmp(host + n - m, base) && (n == m || host[n - m - 1] == '.');
}
