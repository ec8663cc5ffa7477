#include "proto/url.h"

#include "base/buf.h"
#include "proto/form.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define URL_MAX_BYTES 8192

/* Parts of a URL (RFC 3986 §3), as slices of the text. */
struct parts {
	const char *scheme, *authority, *path, *query, *fragment; /* NULL: absent (path: never) */
	size_t scheme_len, authority_len, path_len, query_len, fragment_len;
};

static void split(struct parts *p, const char *text)
{
	const char *s = text, *end;
	size_t n;

	memset(p, 0, sizeof(*p));
	n = strcspn(s, ":/?#");
	if (n && s[n] == ':' && isalpha((unsigned char)s[0])) {
		p->scheme = s;
		p->scheme_len = n;
		s += n + 1;
	}
	if (s[0] == '/' && s[1] == '/') {
		p->authority = s + 2;
		p->authority_len = strcspn(s + 2, "/?#");
		s = p->authority + p->authority_len;
	}
	p->path = s;
	p->path_len = strcspn(s, "?#");
	s += p->path_len;
	if (*s == '?') {
		p->query = s + 1;
		p->query_len = strcspn(s + 1, "#");
		s = p->query + p->query_len;
	}
	if (*s == '#') {
		end = s + strlen(s);
		p->fragment = s + 1;
		p->fragment_len = (size_t)(end - s) - 1;
	}
}

/* What may stand in a URL on a request line: printable ASCII, or UTF-8 that is escaped later. */
static bool clean(const char *text)
{
	size_t n = strlen(text);

	if (!n || n > URL_MAX_BYTES)
		return false;
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if (*p <= 0x20 || *p == 0x7f || strchr("\"<>\\^`{|}", *p))
			return false;
	return true;
}

static bool is_http(const struct parts *p)
{
	return p->scheme && ((p->scheme_len == 4 && !strncasecmp(p->scheme, "http", 4)) ||
			     (p->scheme_len == 5 && !strncasecmp(p->scheme, "https", 5)));
}

/* A name, an IPv4 address, or an IPv6 address in []. '_' is none of DNS's, but hosts that have one
 * exist. */
static bool host_ok(const char *host, size_t len)
{
	bool ip6 = len > 2 && host[0] == '[';

	if (!len || len > 255)
		return false;
	for (size_t i = ip6; i < len - ip6; i++)
		if (ip6 ? !isxdigit((unsigned char)host[i]) && host[i] != ':' && host[i] != '.'
			: !isalnum((unsigned char)host[i]) && !strchr("-._", host[i]))
			return false;
	return true;
}

/* Splits an authority: user info, host and port. False when the host is none or the port is no
 * number. */
static bool split_authority(const struct parts *p, const char **userinfo, size_t *userinfo_len,
			    const char **host, size_t *host_len, const char **port,
			    size_t *port_len)
{
	const char *end = p->authority + p->authority_len, *at = NULL, *colon;

	for (const char *s = p->authority; s < end; s++)
		if (*s == '@')
			at = s;
	*userinfo = at ? p->authority : NULL;
	*userinfo_len = at ? (size_t)(at - p->authority) : 0;
	*host = at ? at + 1 : p->authority;
	if (**host == '[') {
		colon = memchr(*host, ']', (size_t)(end - *host));
		if (!colon)
			return false;
		colon++;
	} else {
		colon = memchr(*host, ':', (size_t)(end - *host));
		if (!colon)
			colon = end;
	}
	*host_len = (size_t)(colon - *host);
	*port = NULL;
	*port_len = 0;
	if (colon < end) {
		if (*colon != ':')
			return false;
		*port = colon + 1;
		*port_len = (size_t)(end - colon) - 1;
		if (*port_len > 5 || strspn(*port, "0123456789") < *port_len || atoi(*port) > 65535)
			return false;
	}
	return host_ok(*host, *host_len);
}

/* -- overrides */

#define CODE_BAD_EDGE	11240
#define CODE_BAD_POLICY 11243
#define CODE_BAD_URL	11100

static int policy(unsigned *ret, const char *text, size_t len)
{
	static const struct {
		const char *name;
		unsigned bit;
	} names[] = { { "4xx", URL_RETRY_4XX },
		      { "5xx", URL_RETRY_5XX },
		      { "ct", URL_RETRY_CT },
		      { "rt", URL_RETRY_RT },
		      { "all", URL_RETRY_ALL } };

	while (len) {
		const char *comma = memchr(text, ',', len);
		size_t n = comma ? (size_t)(comma - text) : len, i;

		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (strlen(names[i].name) == n && !strncmp(names[i].name, text, n))
				break;
		if (i == sizeof(names) / sizeof(names[0]))
			return -EINVAL;
		*ret |= names[i].bit;
		text += comma ? n + 1 : n;
		len -= comma ? n + 1 : n;
	}
	return *ret ? 0 : -EINVAL;
}

static int number(unsigned *ret, const char *text, size_t len, unsigned min, unsigned max)
{
	if (!len || len > 6 || strspn(text, "0123456789") < len)
		return -EINVAL;
	*ret = (unsigned)atoi(text);
	return *ret >= min && *ret <= max ? 0 : -EINVAL;
}

/* One k=v of the fragment; unknown keys are somebody's anchor and mean nothing. */
static int override(struct url_overrides *o, const char *key, size_t key_len, const char *value,
		    size_t len, int *code)
{
	unsigned retries;

	*code = CODE_BAD_URL;
	if (key_len == 2 && !strncmp(key, "ct", 2))
		return number(&o->connect_ms, value, len, 100, 10000);
	if (key_len == 2 && !strncmp(key, "rt", 2))
		return number(&o->read_ms, value, len, 100, 15000);
	if (key_len == 2 && !strncmp(key, "tt", 2))
		return number(&o->total_ms, value, len, 100, 15000);
	if (key_len == 2 && !strncmp(key, "rc", 2)) {
		if (number(&retries, value, len, 0, 5) < 0)
			return -EINVAL;
		o->retry_count = (int)retries;
		return 0;
	}
	if (key_len == 2 && !strncmp(key, "rp", 2)) {
		*code = CODE_BAD_POLICY;
		return policy(&o->retry_policy, value, len);
	}
	if (key_len == 3 && !strncmp(key, "sni", 3)) {
		o->sni_off = len == 1 && *value == 'n';
		return len == 1 && (*value == 'y' || *value == 'n') ? 0 : -EINVAL;
	}
	if (key_len == 1 && *key == 'e') {
		/* Edges mean nothing on a host of one's own; the names are checked for their form
		 * only. */
		*code = CODE_BAD_EDGE;
		for (size_t i = 0; i < len; i++)
			if (!islower((unsigned char)value[i]) && value[i] != '-' && value[i] != ',')
				return -EINVAL;
		return len ? 0 : -EINVAL;
	}
	return 0;
}

static int parse_overrides(struct url_overrides *o, const char *fragment, size_t len, int *code)
{
	const char *end;

	o->retry_count = -1;
	if (!fragment)
		return 0;
	end = fragment + len;
	for (const char *s = fragment; s < end;) {
		const char *amp = memchr(s, '&', (size_t)(end - s)), *stop = amp ? amp : end;
		const char *eq = memchr(s, '=', (size_t)(stop - s));

		if (eq &&
		    override(o, s, (size_t)(eq - s), eq + 1, (size_t)(stop - eq) - 1, code) < 0)
			return -ENOTSUP;
		s = amp ? amp + 1 : end;
	}
	return 0;
}

/* -- public */

static int hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : (c | 32) - 'a' + 10;
}

/* Decodes user info. A control character in it would end up in a header: -EINVAL. */
static int unescape(char **ret, const char *text, size_t len)
{
	char *out = malloc(len + 1);
	size_t n = 0;

	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '%' && i + 2 < len && isxdigit((unsigned char)text[i + 1]) &&
		    isxdigit((unsigned char)text[i + 2])) {
			c = (char)(hex(text[i + 1]) << 4 | hex(text[i + 2]));
			i += 2;
		}
		if ((unsigned char)c < 0x20 || c == 0x7f) {
			free(out);
			return -EINVAL;
		}
		out[n++] = c;
	}
	out[n] = '\0';
	*ret = out;
	return 0;
}

static void add_ascii(struct buf *b, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] >= 0x80)
			buf_addf(b, "%%%02X", (unsigned char)text[i]);
		else
			buf_addc(b, text[i]);
	}
}

/* scheme://host[:port]path[?query]: bytes beyond ASCII escaped, all else as written (§3.3: nothing
 * is normalised). */
static char *rebuild(const struct parts *p, const char *host, size_t host_len, const char *port,
		     size_t port_len)
{
	struct buf b;

	buf_init(&b, URL_MAX_BYTES * 3);
	for (size_t i = 0; i < p->scheme_len; i++)
		buf_addc(&b, (char)tolower((unsigned char)p->scheme[i]));
	buf_adds(&b, "://");
	buf_add(&b, host, host_len);
	if (port) {
		buf_addc(&b, ':');
		buf_add(&b, port, port_len);
	}
	add_ascii(&b, p->path, p->path_len);
	if (p->query) {
		buf_addc(&b, '?');
		add_ascii(&b, p->query, p->query_len);
	}
	return buf_steal(&b);
}

int url_parse(struct url *ret, const char *text, int *error_code)
{
	const char *userinfo, *host, *port;
	size_t userinfo_len, host_len, port_len;
	struct url u = { 0 };
	struct parts p;
	int r = -ENOMEM;

	*error_code = CODE_BAD_URL;
	if (!clean(text))
		return -EINVAL;
	split(&p, text);
	if (!is_http(&p) || !p.authority ||
	    !split_authority(&p, &userinfo, &userinfo_len, &host, &host_len, &port, &port_len))
		return -EINVAL;
	r = parse_overrides(&u.overrides, p.fragment, p.fragment_len, error_code);
	if (r < 0)
		return r;
	r = -ENOMEM;
	u.request = rebuild(&p, host, host_len, port, port_len);
	u.sign = rebuild(&p, host, host_len, p.scheme_len == 5 ? NULL : port, port_len);
	if (!u.request || !u.sign)
		goto fail;
	if (userinfo) {
		const char *colon = memchr(userinfo, ':', userinfo_len);
		size_t name_len = colon ? (size_t)(colon - userinfo) : userinfo_len;

		r = unescape(&u.username, userinfo, name_len);
		if (r == 0)
			r = colon ? unescape(&u.password, colon + 1, userinfo_len - name_len - 1)
				  : unescape(&u.password, "", 0);
		if (r < 0)
			goto fail;
	}
	*ret = u;
	return 0;
fail:
	url_done(&u);
	return r;
}

void url_done(struct url *u)
{
	free(u->request);
	free(u->sign);
	free(u->username);
	free(u->password);
	*u = (struct url){ 0 };
}

/* RFC 3986 §5.2.4 on the path in b. */
static void remove_dots(struct buf *out, const char *path, size_t len)
{
	const char *s = path, *end = path + len;
	size_t start = out->len;

	while (s < end) {
		const char *slash = memchr(s + 1, '/', (size_t)(end - s - 1)),
			   *stop = slash ? slash : end;
		size_t n = (size_t)(stop - s);

		if ((n == 2 && !memcmp(s, "/.", 2)) || (n == 3 && !memcmp(s, "/..", 3))) {
			if (n == 3) {
				while (out->len > start && out->data[out->len - 1] != '/')
					out->len--;
				if (out->len > start)
					out->len--;
			}
			if (stop == end)
				buf_addc(out, '/');
		} else {
			buf_add(out, s, n);
		}
		s = stop;
	}
}

int url_resolve(char **ret, const char *base, const char *ref)
{
	const char *path, *slash = NULL;
	struct parts b, r;
	struct buf out, merged;
	size_t path_len;
	int error;

	if (!clean(*ref ? ref : "-"))
		return -EINVAL;
	split(&r, ref);
	if (r.scheme) {
		*ret = strdup(ref);
		return *ret ? 0 : -ENOMEM;
	}
	if (!base)
		return -EINVAL;
	split(&b, base);
	if (!b.scheme || !b.authority)
		return -EINVAL;
	buf_init(&out, URL_MAX_BYTES * 3);
	buf_init(&merged, URL_MAX_BYTES * 2);
	buf_add(&out, b.scheme, b.scheme_len);
	buf_adds(&out, "://");
	if (r.authority)
		buf_add(&out, r.authority, r.authority_len);
	else
		buf_add(&out, b.authority, b.authority_len);
	path = r.path;
	path_len = r.path_len;
	if (!r.authority && !path_len) {
		path = b.path;
		path_len = b.path_len;
		if (!r.query && b.query) {
			r.query = b.query;
			r.query_len = b.query_len;
		}
	} else if (!r.authority && *path != '/') {
		slash = memrchr(b.path, '/', b.path_len);
		if (slash)
			buf_add(&merged, b.path, (size_t)(slash - b.path) + 1);
		else
			buf_addc(&merged, '/');
		buf_add(&merged, path, path_len);
		path = merged.data;
		path_len = merged.len;
	}
	if (!merged.error && path_len)
		remove_dots(&out, path, path_len);
	if (r.query) {
		buf_addc(&out, '?');
		buf_add(&out, r.query, r.query_len);
	}
	if (r.fragment) {
		buf_addc(&out, '#');
		buf_add(&out, r.fragment, r.fragment_len);
	}
	if (merged.error)
		out.error = merged.error;
	buf_done(&merged);
	error = out.error == -ENOSPC ? -EINVAL : -ENOMEM;
	*ret = buf_steal(&out);
	return *ret ? 0 : error;
}

char *url_with_query(const char *url, const struct form *pairs)
{
	struct buf b;

	buf_init(&b, 256 << 10);
	buf_adds(&b, url);
	if (pairs->count) {
		if (!strchr(url, '?'))
			buf_addc(&b, '?');
		else if (url[strlen(url) - 1] != '?' && url[strlen(url) - 1] != '&')
			buf_addc(&b, '&');
		form_encode(pairs, &b, 0);
	}
	return buf_steal(&b);
}

bool url_valid_webhook(const char *text)
{
	const char *userinfo, *host, *port;
	size_t userinfo_len, host_len, port_len;
	struct parts p;

	if (!clean(text))
		return false;
	split(&p, text);
	return is_http(&p) && p.authority &&
	       split_authority(&p, &userinfo, &userinfo_len, &host, &host_len, &port, &port_len) &&
	       !memchr(host, '_', host_len);
}
