#include "proto/sip_msg.h"

#include "base/buf.h"
#include "proto/sip_addr.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEADERS_MAX	  256
#define ROUTES_MAX	  128
#define LINE_MAX_BYTES	  8192
#define MESSAGE_MAX_BYTES (128 << 10)

/* RFC 3261 §7.3.3 and the IANA registry's compact forms. */
static const struct {
	const char *name;
	char compact;
} compact_forms[] = {
	{ "Via", 'v' },
	{ "From", 'f' },
	{ "To", 't' },
	{ "Call-ID", 'i' },
	{ "Contact", 'm' },
	{ "Content-Length", 'l' },
	{ "Content-Type", 'c' },
	{ "Content-Encoding", 'e' },
	{ "Supported", 'k' },
	{ "Subject", 's' },
	{ "Event", 'o' },
	{ "Allow-Events", 'u' },
	{ "Refer-To", 'r' },
	{ "Referred-By", 'b' },
	{ "Session-Expires", 'x' },
};

static bool is_header(const char *name, const char *wanted)
{
	if (!strcasecmp(name, wanted))
		return true;
	if (!name[0] || name[1])
		return false;
	for (size_t i = 0; i < sizeof(compact_forms) / sizeof(compact_forms[0]); i++)
		if (compact_forms[i].compact == tolower((unsigned char)name[0]))
			return !strcasecmp(compact_forms[i].name, wanted);
	return false;
}

static char *slice(const char *s, const char *end)
{
	return strndup(s, (size_t)(end - s));
}

/* *ret: a copy of what is there; NULL for what is absent. */
static int copy(char **ret, struct sip_slice s)
{
	*ret = s.at ? strndup(s.at, s.len) : NULL;
	return s.at && !*ret ? -ENOMEM : 0;
}

static int copy_text(char **ret, const char *s)
{
	*ret = s ? strdup(s) : NULL;
	return s && !*ret ? -ENOMEM : 0;
}

static const char *skip_blank_lines(const char *s, const char *end)
{
	while (s < end && (*s == '\r' || *s == '\n'))
		s++;
	return s;
}

/* The end of the line at s: at CR LF or a bare LF. *next is behind it; NULL without one. */
static const char *line_end(const char *s, const char *end, const char **next)
{
	const char *lf = memchr(s, '\n', (size_t)(end - s));

	if (!lf)
		return NULL;
	*next = lf + 1;
	return lf > s && lf[-1] == '\r' ? lf - 1 : lf;
}

/* "SIP/2.0 200 OK"; the reason phrase may be empty. */
static int parse_status_line(struct sip_msg *m, const char *s, const char *end)
{
	for (int i = 8; i < 11; i++)
		if (!isdigit((unsigned char)s[i]))
			return -EINVAL;
	m->status = atoi(s + 8);
	if (m->status < 100 || m->status > 699 || (end - s > 11 && s[11] != ' '))
		return -EINVAL;
	m->reason = end - s > 12 ? slice(s + 12, end) : strdup("");
	return m->reason ? 0 : -ENOMEM;
}

static int parse_first_line(struct sip_msg *m, const char *s, const char *end)
{
	const char *a, *b;

	if (end - s >= 11 && !strncasecmp(s, "SIP/2.0 ", 8))
		return parse_status_line(m, s, end);
	a = memchr(s, ' ', (size_t)(end - s));
	b = a ? memrchr(a, ' ', (size_t)(end - a)) : NULL;
	if (!a || b == a || end - b != 8 || strncasecmp(b + 1, "SIP/2.0", 7) ||
	    !sip_is_token(s, (size_t)(a - s)))
		return -EINVAL;
	if (memchr(a + 1, ' ', (size_t)(b - a) - 1))
		return -EINVAL;
	m->request = true;
	m->method = slice(s, a);
	m->ruri = slice(a + 1, b);
	return m->method && m->ruri ? 0 : -ENOMEM;
}

/* One header; the value's folded lines are joined by a space. */
static int add_header(struct sip_msg *m, const char *s, const char *end)
{
	const char *colon = memchr(s, ':', (size_t)(end - s)), *name_end = colon, *v;
	struct sip_header *h;

	if (!colon || m->n_headers == HEADERS_MAX || end - s > LINE_MAX_BYTES ||
	    memchr(s, 0, (size_t)(end - s)))
		return -EINVAL;
	while (name_end > s && (name_end[-1] == ' ' || name_end[-1] == '\t'))
		name_end--;
	if (!sip_is_token(s, (size_t)(name_end - s)))
		return -EINVAL;
	for (v = colon + 1; v < end && isspace((unsigned char)*v); v++)
		;
	while (end > v && isspace((unsigned char)end[-1]))
		end--;
	h = &m->headers[m->n_headers];
	h->name = slice(s, name_end);
	h->value = slice(v, end);
	m->n_headers++;
	if (!h->name || !h->value)
		return -ENOMEM;
	for (char *p = h->value; *p; p++)
		if (*p == '\r' || *p == '\n' || *p == '\t')
			*p = ' ';
	return 0;
}

static int parse_headers(struct sip_msg *m, const char **at, const char *end)
{
	const char *s = *at, *next, *stop;

	m->headers = calloc(HEADERS_MAX, sizeof(*m->headers));
	if (!m->headers)
		return -ENOMEM;
	for (;;) {
		const char *start = s;
		int r;

		stop = line_end(s, end, &next);
		if (!stop)
			return -EINVAL;
		if (stop == s) {
			*at = next;
			return 0;
		}
		while (next < end && (*next == ' ' || *next == '\t')) {
			stop = line_end(next, end, &next);
			if (!stop)
				return -EINVAL;
		}
		r = add_header(m, start, stop);
		if (r < 0)
			return r;
		s = next;
	}
}

/* From or To: value, URI, user and tag. */
static int parse_party(const char *value, char **text, char **uri, char **user, char **tag)
{
	struct sip_slice uri_part, params, user_part, tag_part = { NULL, 0 };
	int r = sip_addr_parse(value, &uri_part, &params);

	if (r < 0 || *sip_value_end(value) != '\0')
		return -EINVAL;
	r = sip_uri_parse(uri_part, &user_part, NULL);
	if (r < 0)
		return r;
	if (sip_param(params, "tag", &tag_part) && !sip_is_token(tag_part.at, tag_part.len))
		return -EINVAL;
	r = copy_text(text, value);
	if (r == 0)
		r = copy(uri, uri_part);
	if (r == 0)
		r = copy(user, user_part);
	if (r == 0)
		r = copy(tag, tag_part);
	return r;
}

/* The first Contact, when it is an address; "*" and what is none leave contact_uri NULL. */
static int parse_contact(struct sip_msg *m, const char *value)
{
	struct sip_slice uri, params, user;
	int r = sip_addr_parse(value, &uri, &params);

	if (r == 0)
		r = sip_uri_parse(uri, &user, NULL);
	if (r == -EINVAL)
		return 0;
	return r < 0 ? r : copy(&m->contact_uri, uri);
}

static int parse_via(struct sip_msg *m, const char *value)
{
	struct sip_slice params, branch;

	params.at = value + strcspn(value, ";,");
	params.len = (size_t)(sip_value_end(value) - params.at);
	if (!sip_param(params, "branch", &branch) || !branch.len)
		return 0;
	return copy(&m->via_branch, branch);
}

static int parse_cseq(struct sip_msg *m, const char *value)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (!isdigit((unsigned char)*value) || n > 0x7fffffff || (*end != ' ' && *end != '\t'))
		return -EINVAL;
	end += strspn(end, " \t");
	if (!sip_is_token(end, strlen(end)))
		return -EINVAL;
	m->cseq = (unsigned)n;
	if (m->request)
		return strcmp(m->method, end) ? -EINVAL : 0;
	m->method = strdup(end);
	return m->method ? 0 : -ENOMEM;
}

static int parse_ruri(struct sip_msg *m)
{
	struct sip_slice user;
	int r = sip_uri_parse((struct sip_slice){ m->ruri, strlen(m->ruri) }, &user, &m->ruri_host);

	if (r == 0 && !m->ruri_host)
		r = -EINVAL; /* tel: and the like are not for us */
	return r < 0 ? r : copy(&m->ruri_user, user);
}

static int parse_body(struct sip_msg *m, const char *s, const char *end)
{
	const char *length = sip_msg_header(m, "Content-Length");
	size_t left = (size_t)(end - s), n = left;

	if (length) {
		if (!*length || strlen(length) > 9 || length[strspn(length, "0123456789")])
			return -EINVAL;
		n = (size_t)atol(length);
		if (n > left)
			return -EINVAL;
	}
	m->body = malloc(n + 1);
	if (!m->body)
		return -ENOMEM;
	memcpy(m->body, s, n);
	m->body[n] = '\0';
	m->body_len = n;
	return 0;
}

/* The headers that every message has once (§8.1.1, §20), and what we need of the others. */
static int parse_known(struct sip_msg *m)
{
	static const char *const once[] = { "Call-ID", "From",		 "To",
					    "CSeq",    "Content-Length", "Max-Forwards" };
	const char *values[6], *v;
	int r;

	for (size_t k = 0; k < 6; k++) {
		values[k] = NULL;
		for (size_t i = 0; i < m->n_headers; i++) {
			if (!is_header(m->headers[i].name, once[k]))
				continue;
			if (values[k])
				return -EINVAL;
			values[k] = m->headers[i].value;
		}
		if (k < 4 && (!values[k] || !*values[k]))
			return -EINVAL;
	}
	if (strpbrk(values[0], " \t") || !sip_msg_header(m, "Via"))
		return -EINVAL;
	r = copy_text(&m->call_id, values[0]);
	if (r == 0)
		r = parse_party(values[1], &m->from, &m->from_uri, &m->from_user, &m->from_tag);
	if (r == 0)
		r = parse_party(values[2], &m->to, &m->to_uri, &m->to_user, &m->to_tag);
	if (r == 0)
		r = parse_cseq(m, values[3]);
	if (r == 0)
		r = parse_via(m, sip_msg_header(m, "Via"));
	if (r == 0 && m->request)
		r = parse_ruri(m);
	v = sip_msg_header(m, "Contact");
	if (r == 0 && v)
		r = parse_contact(m, v);
	v = values[5];
	if (r == 0 && v) {
		if (!*v || strlen(v) > 9 || v[strspn(v, "0123456789")])
			return -EINVAL;
		m->max_forwards = atoi(v);
	}
	return r < 0 ? r : copy_text(&m->content_type, sip_msg_header(m, "Content-Type"));
}

int sip_msg_parse(struct sip_msg **ret, const char *raw, size_t len)
{
	const char *at, *end, *stop, *next = NULL;
	struct sip_msg *m;
	int r = -EINVAL;

	if (!len || len > MESSAGE_MAX_BYTES)
		return -EINVAL;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->max_forwards = -1;
	end = raw + len;
	at = skip_blank_lines(raw, end);
	stop = line_end(at, end, &next);
	if (!stop || stop < at || memchr(at, 0, (size_t)(stop - at)))
		goto out;
	r = parse_first_line(m, at, stop);
	at = next;
	if (r == 0)
		r = parse_headers(m, &at, end);
	if (r == 0)
		r = parse_known(m);
	if (r == 0)
		r = parse_body(m, at, end);
	if (r < 0)
		goto out;
	*ret = m;
	m = NULL;
out:
	sip_msg_free(m);
	return r;
}

void sip_msg_free(struct sip_msg *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n_headers; i++) {
		free(m->headers[i].name);
		free(m->headers[i].value);
	}
	free(m->headers);
	free(m->method);
	free(m->ruri);
	free(m->reason);
	free(m->call_id);
	free(m->from);
	free(m->to);
	free(m->from_uri);
	free(m->to_uri);
	free(m->from_tag);
	free(m->to_tag);
	free(m->from_user);
	free(m->to_user);
	free(m->ruri_user);
	free(m->ruri_host);
	free(m->contact_uri);
	free(m->via_branch);
	free(m->content_type);
	free(m->body);
	free(m);
}

const char *sip_msg_header(const struct sip_msg *m, const char *name)
{
	for (size_t i = 0; i < m->n_headers; i++)
		if (is_header(m->headers[i].name, name))
			return m->headers[i].value;
	return NULL;
}

bool sip_msg_lists(const struct sip_msg *m, const char *name, const char *token)
{
	size_t len = strlen(token);

	for (size_t i = 0; i < m->n_headers; i++) {
		if (!is_header(m->headers[i].name, name))
			continue;
		for (const char *p = m->headers[i].value; *p;) {
			size_t n;

			p += strspn(p, ", \t");
			n = strcspn(p, ",; \t");
			if (n == len && !strncasecmp(p, token, n))
				return true;
			p += strcspn(p, ",");
		}
	}
	return false;
}

/* The values of a list header as slices: their count, or -E2BIG when there are more than max. */
static int list_values(const struct sip_msg *m, const char *name, struct sip_slice *ret, int max)
{
	int n = 0;

	for (size_t i = 0; i < m->n_headers; i++) {
		const char *s = is_header(m->headers[i].name, name) ? m->headers[i].value : "";

		while (*s) {
			const char *end, *stop;

			s += strspn(s, ", \t");
			end = stop = sip_value_end(s);
			while (stop > s && (stop[-1] == ' ' || stop[-1] == '\t'))
				stop--;
			if (stop > s && n == max)
				return -E2BIG;
			if (stop > s)
				ret[n++] = (struct sip_slice){ s, (size_t)(stop - s) };
			s = end;
		}
	}
	return n;
}

char *sip_msg_route_set(const struct sip_msg *m, bool reverse)
{
	struct sip_slice routes[ROUTES_MAX];
	int n = list_values(m, "Record-Route", routes, ROUTES_MAX);
	struct buf b;

	if (n < 0)
		return NULL;
	buf_init(&b, MESSAGE_MAX_BYTES);
	for (int k = 0; k < n; k++) {
		const struct sip_slice *route = &routes[reverse ? n - 1 - k : k];

		if (k)
			buf_adds(&b, ", ");
		buf_add(&b, route->at, route->len);
	}
	return buf_steal(&b);
}

bool sip_header_value_ok(const char *value)
{
	return !strpbrk(value, "\r\n");
}
