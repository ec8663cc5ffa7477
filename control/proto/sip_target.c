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

#define URI_MAX_CHARS	  255
#define HEADERS_MAX_CHARS 1024
#define HOST_MAX_CHARS	  253

#define CODE_URI	    21211
#define CODE_HEADERS_LONG   21227
#define CODE_HEADER_NAME    21228
#define CODE_HEADER_VALUE   21229
#define CODE_HEADER_REFUSED 32113

static const char *const transports[] = { [SIP_UDP] = "udp", [SIP_TCP] = "tcp", [SIP_TLS] = "tls" };

static int refuse(struct sip_target_error *error, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(struct sip_target_error *error, int code, const char *fmt, ...)
{
	va_list ap;

	error->code = code;
	va_start(ap, fmt);
	vsnprintf(error->text, sizeof(error->text), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static bool slice_is(struct sip_slice s, const char *word)
{
	return strlen(word) == s.len && !strncasecmp(s.at, word, s.len);
}

/* -- the URI */

static bool host_ok(const char *host, bool v6)
{
	unsigned char address[16];
	size_t n = strlen(host);

	if (v6)
		return inet_pton(AF_INET6, host, address) == 1;
	return n && n <= HOST_MAX_CHARS && host[0] != '-' && host[0] != '.' &&
	       strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789-.") == n;
}

/* host[:port], as it stands between the user and the parameters. */
static int take_host(struct sip_target *t, struct sip_slice s, struct sip_target_error *error)
{
	bool v6 = s.len && s.at[0] == '[';
	const char *end = v6 ? memchr(s.at, ']', s.len) : memchr(s.at, ':', s.len), *port;
	const char *start = s.at + v6;

	if (v6 && !end)
		return refuse(error, CODE_URI, "the IPv6 address has no ]");
	if (!end)
		end = s.at + s.len;
	t->host = strndup(start, (size_t)(end - start));
	if (!t->host)
		return -ENOMEM;
	for (char *c = t->host; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (!host_ok(t->host, v6))
		return refuse(error, CODE_URI, "%.100s is no host name or address", t->host);
	port = end + v6;
	if (port == s.at + s.len)
		return 0;
	for (const char *c = port + 1; c < s.at + s.len; c++) {
		if (!isdigit((unsigned char)*c) || t->port > 65535)
			return refuse(error, CODE_URI, "the port is 1 to 65535");
		t->port = t->port * 10 + (unsigned)(*c - '0');
	}
	if (*port != ':' || !t->port || t->port > 65535)
		return refuse(error, CODE_URI, "the port is 1 to 65535");
	return 0;
}

static int take_transport(struct sip_target *t, struct sip_slice value,
			  struct sip_target_error *error)
{
	for (unsigned i = 0; i < sizeof(transports) / sizeof(transports[0]); i++) {
		if (slice_is(value, transports[i])) {
			t->transport = (enum sip_transport)i;
			return 0;
		}
	}
	return refuse(error, CODE_URI, "transport is udp, tcp or tls");
}

/* ";name=value;...": what is for the party goes on, in kept. */
static int take_params(struct sip_target *t, const char *p, struct buf *kept,
		       struct sip_target_error *error)
{
	static const char *const ours[] = { "edge", "region", "tnx" };

	while (*p == ';') {
		size_t n = strcspn(p + 1, ";"), name = strcspn(p + 1, ";=");
		struct sip_slice key = { p + 1, name },
				 value = { p + 1 + name + (name < n), n - name - (name < n) };
		bool drop = false;
		int r = 0;

		for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
			drop |= slice_is(key, ours[i]);
		if (slice_is(key, "transport")) {
			drop = true;
			r = take_transport(t, value, error);
		} else if (slice_is(key, "secure")) {
			drop = true;
			t->secure = slice_is(value, "true");
		}
		if (r < 0)
			return r;
		if (!drop)
			buf_add(kept, p, n + 1);
		p += n + 1;
	}
	return 0;
}

static int take_uri(struct sip_target *t, const char *text, struct sip_target_error *error)
{
	bool sips = !strncasecmp(text, "sips:", 5), sip = !strncasecmp(text, "sip:", 4);
	const char *rest = text + (sips ? 5 : sip ? 4 : 0), *at = strrchr(rest, '@');
	const char *host = at ? at + 1 : rest;
	struct sip_slice user, whole;
	struct buf b, kept;
	int r;

	buf_init(&b, 2048);
	buf_init(&kept, 2048);
	buf_addf(&b, "sip:%s", rest);
	whole = (struct sip_slice){ b.data ? b.data : "", b.len };
	r = b.error ? b.error : sip_uri_parse(whole, &user, NULL);
	if (r == -EINVAL)
		refuse(error, CODE_URI, "it is no SIP URI");
	if (r == 0)
		r = take_host(t, (struct sip_slice){ host, strcspn(host, ";") }, error);
	if (r == 0)
		r = take_params(t, host + strcspn(host, ";"), &kept, error);
	if (r < 0)
		goto out;
	if (sips)
		t->transport = SIP_TLS;
	t->user = strndup(rest, at ? (size_t)(at - rest) : 0);
	buf_reset(&b);
	buf_addf(&b, "sip:%.*s%s", (int)(host - rest), rest, strchr(t->host, ':') ? "[" : "");
	buf_addf(&b, "%s%s", t->host, strchr(t->host, ':') ? "]" : "");
	if (t->port)
		buf_addf(&b, ":%u", t->port);
	buf_adds(&b, kept.data ? kept.data : "");
	if (t->transport != SIP_UDP)
		buf_addf(&b, ";transport=%s", transports[t->transport]);
	r = b.error | kept.error ? -ENOMEM : 0;
	if (r == 0)
		t->uri = buf_steal(&b);
	if (!t->user || !t->uri)
		r = -ENOMEM;
out:
	buf_done(&b);
	buf_done(&kept);
	return r;
}

/* -- headers */

static int hex(char c)
{
	return isdigit((unsigned char)c)    ? c - '0'
	       : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
					    : -1;
}

static bool name_allowed(struct sip_slice name)
{
	static const char *const others[] = { "User-to-User", "Remote-Party-ID",
					      "P-Preferred-Identity", "P-Called-Party-ID" };

	if (name.len > 2 && !strncasecmp(name.at, "X-", 2))
		return name.len < 9 || strncasecmp(name.at, "X-Twilio-", 9);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (slice_is(name, others[i]))
			return true;
	return false;
}

/* Percent escapes are decoded; what comes out can stand in a header line. */
static int decode_value(char *ret, struct sip_slice value)
{
	size_t n = 0;

	for (size_t i = 0; i < value.len; i++) {
		char c = value.at[i];

		if (c == '%') {
			if (i + 2 >= value.len || hex(value.at[i + 1]) < 0 ||
			    hex(value.at[i + 2]) < 0)
				return -EINVAL;
			c = (char)(hex(value.at[i + 1]) * 16 + hex(value.at[i + 2]));
			i += 2;
		}
		if ((unsigned char)c < 0x20 || c == 0x7f)
			return -EINVAL;
		ret[n++] = c;
	}
	ret[n] = '\0';
	return utf8_ok(ret, n) ? 0 : -EINVAL;
}

static int add_header(struct buf *b, struct sip_slice pair, struct sip_target_error *error)
{
	const char *equals = memchr(pair.at, '=', pair.len);
	size_t n = equals ? (size_t)(equals - pair.at) : pair.len;
	struct sip_slice name = { pair.at, n },
			 value = { pair.at + n + (n < pair.len), pair.len - n - (n < pair.len) };
	char text[HEADERS_MAX_CHARS + 1];

	if (!sip_is_token(name.at, name.len))
		return refuse(error, CODE_HEADER_NAME, "%.*s is no header name",
			      (int)(n < 80 ? n : 80), name.at);
	if (!name_allowed(name))
		return refuse(error, CODE_HEADER_REFUSED,
			      "the header %.*s may not be set; X-* may, but X-Twilio-*",
			      (int)(n < 80 ? n : 80), name.at);
	if (decode_value(text, value) < 0)
		return refuse(error, CODE_HEADER_VALUE,
			      "the value of %.*s has a broken escape, a control character or bytes "
			      "that are no UTF-8",
			      (int)(n < 80 ? n : 80), name.at);
	buf_addf(b, "%.*s: %s\r\n", (int)n, name.at, text);
	return b->error;
}

static int take_headers(struct sip_target *t, const char *text, struct sip_target_error *error)
{
	struct buf b;
	int r = 0;

	if (strlen(text) >= HEADERS_MAX_CHARS)
		return refuse(error, CODE_HEADERS_LONG, "the headers are %d characters or more",
			      HEADERS_MAX_CHARS);
	buf_init(&b, 2 * HEADERS_MAX_CHARS);
	while (*text && r == 0) {
		size_t n = strcspn(text, "&"), amp = strncmp(text, "amp;", 4) ? 0 : 4;

		if (n > amp)
			r = add_header(&b, (struct sip_slice){ text + amp, n - amp }, error);
		text += n + (text[n] == '&');
	}
	if (r == 0) {
		t->headers = b.len ? buf_steal(&b) : strdup("");
		r = t->headers ? 0 : -ENOMEM;
	}
	buf_done(&b);
	return r;
}

int sip_target_parse(struct sip_target *ret, const char *text, struct sip_target_error *error)
{
	const char *mark = strchr(text, '?');
	size_t n = mark ? (size_t)(mark - text) : strlen(text);
	struct sip_target t = { 0 };
	char uri[URI_MAX_CHARS + 1];
	int r;

	if (n >= URI_MAX_CHARS)
		return refuse(error, CODE_URI,
			      "the URI is %d characters or more before its headers", URI_MAX_CHARS);
	snprintf(uri, sizeof(uri), "%.*s", (int)n, text);
	r = take_uri(&t, uri, error);
	if (r == 0)
		r = take_headers(&t, mark ? mark + 1 : "", error);
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
	memset(t, 0, sizeof(*t));
}
