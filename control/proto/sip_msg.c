#include "proto/sip_msg.h"

#include "base/buf.h"

#include <ctype.h>
#include <errno.h>
#include <osipparser2/osip_parser.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEADERS_MAX 256
#define LINE_MAX_BYTES 8192
#define MESSAGE_MAX_BYTES (128 << 10)

static pthread_once_t parser_once = PTHREAD_ONCE_INIT;

static void init_parser(void)
{
	parser_init();
}

/* RFC 3261 §7.3.3 and the IANA registry's compact forms. */
static const struct {
	const char *name;
	char compact;
} compact_forms[] = {
	{ "Via", 'v' },		 { "From", 'f' },	      { "To", 't' },	       { "Call-ID", 'i' },
	{ "Contact", 'm' },	 { "Content-Length", 'l' },   { "Content-Type", 'c' }, { "Content-Encoding", 'e' },
	{ "Supported", 'k' },	 { "Subject", 's' },	      { "Event", 'o' },	       { "Allow-Events", 'u' },
	{ "Refer-To", 'r' },	 { "Referred-By", 'b' },      { "Session-Expires", 'x' },
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

static bool is_token(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("-.!%*_+`'~", s[i]))
			return false;
	return len > 0;
}

static char *slice(const char *s, const char *end)
{
	return strndup(s, (size_t)(end - s));
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

static int parse_first_line(struct sip_msg *m, const char *s, const char *end)
{
	const char *a, *b;

	if (end - s > 12 && !strncasecmp(s, "SIP/2.0 ", 8)) {
		m->status = atoi(s + 8);
		if (m->status < 100 || m->status > 699 || (end - s > 11 && s[11] != ' '))
			return -EINVAL;
		m->reason = slice(s + 12, end);
		return m->reason ? 0 : -ENOMEM;
	}
	a = memchr(s, ' ', (size_t)(end - s));
	b = a ? memrchr(a, ' ', (size_t)(end - a)) : NULL;
	if (!a || b == a || end - b != 8 || strncasecmp(b + 1, "SIP/2.0", 7) || !is_token(s, (size_t)(a - s)))
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

	if (!colon || m->n_headers == HEADERS_MAX || end - s > LINE_MAX_BYTES)
		return -EINVAL;
	while (name_end > s && (name_end[-1] == ' ' || name_end[-1] == '\t'))
		name_end--;
	if (!is_token(s, (size_t)(name_end - s)))
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

static char *copy_or_null(const char *s)
{
	return s ? strdup(s) : NULL;
}

/* addr-spec of a parsed URI without header parameters' noise: as libosip2 prints it. */
static char *uri_text(osip_uri_t *uri)
{
	char *printed = NULL, *copy;

	if (!uri || osip_uri_to_str(uri, &printed) || !printed)
		return NULL;
	copy = strdup(printed);
	osip_free(printed);
	return copy;
}

/* From or To: value, URI, user and tag. */
static int parse_party(const char *value, char **text, char **uri, char **user, char **tag)
{
	osip_from_t *from = NULL;
	osip_generic_param_t *param = NULL;
	int r = -EINVAL;

	if (osip_from_init(&from))
		return -ENOMEM;
	if (osip_from_parse(from, value) || !from->url)
		goto out;
	if (!osip_from_get_tag(from, &param) && param && param->gvalue)
		*tag = strdup(param->gvalue);
	*text = strdup(value);
	*uri = uri_text(from->url);
	*user = copy_or_null(from->url->username);
	r = *text && *uri ? 0 : -EINVAL;
out:
	osip_from_free(from);
	return r;
}

static void parse_contact(struct sip_msg *m, const char *value)
{
	osip_contact_t *contact = NULL;
	const char *start, *end;

	/* libosip2 takes one value; a list is cut at the first comma outside <> and quotes. */
	char *first = strdup(value);

	if (!first)
		return;
	for (char *p = first, in_angle = 0, in_quote = 0; *p; p++) {
		if (*p == '"' && !in_angle)
			in_quote = !in_quote;
		else if (*p == '<' && !in_quote)
			in_angle = 1;
		else if (*p == '>' && !in_quote)
			in_angle = 0;
		else if (*p == ',' && !in_angle && !in_quote) {
			*p = '\0';
			break;
		}
	}
	if (!osip_contact_init(&contact) && !osip_contact_parse(contact, first) && contact->url) {
		/* As sent: what stands between <>, else libosip2's print. */
		start = strchr(first, '<');
		end = start ? strchr(start, '>') : NULL;
		m->contact_uri = start && end ? slice(start + 1, end) : uri_text(contact->url);
	}
	osip_contact_free(contact);
	free(first);
}

static void parse_via(struct sip_msg *m, const char *value)
{
	const char *p = strcasestr(value, ";branch"), *comma = strchr(value, ',');

	if (!p || (comma && comma < p))
		return;
	p += 7;
	while (*p == ' ')
		p++;
	if (*p++ != '=')
		return;
	while (*p == ' ')
		p++;
	m->via_branch = strndup(p, strcspn(p, ";, \t"));
}

static int parse_cseq(struct sip_msg *m, const char *value)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (!isdigit((unsigned char)*value) || n > 0x7fffffff || (*end != ' ' && *end != '\t'))
		return -EINVAL;
	end += strspn(end, " \t");
	if (!is_token(end, strlen(end)))
		return -EINVAL;
	m->cseq = (unsigned)n;
	if (m->request)
		return strcmp(m->method, end) ? -EINVAL : 0;
	m->method = strdup(end);
	return m->method ? 0 : -ENOMEM;
}

static int parse_ruri(struct sip_msg *m)
{
	osip_uri_t *uri = NULL;
	int r = -EINVAL;

	if (osip_uri_init(&uri))
		return -ENOMEM;
	if (osip_uri_parse(uri, m->ruri) == 0 && uri->host) {
		m->ruri_user = copy_or_null(uri->username);
		m->ruri_host = strdup(uri->host);
		r = m->ruri_host ? 0 : -ENOMEM;
	}
	osip_uri_free(uri);
	return r;
}

static int parse_body(struct sip_msg *m, const char *s, const char *end)
{
	const char *length = sip_msg_header(m, "Content-Length");
	size_t left = (size_t)(end - s), n = left;

	if (length) {
		if (!isdigit((unsigned char)*length) || strlen(length) > 9)
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

int sip_msg_parse(struct sip_msg **ret, const char *raw, size_t len)
{
	struct sip_msg *m;
	const char *at = raw, *end = raw + len, *stop, *next, *v;
	int r = -EINVAL;

	if (len > MESSAGE_MAX_BYTES)
		return -EINVAL;
	pthread_once(&parser_once, init_parser);
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->max_forwards = -1;
	stop = line_end(at, end, &next);
	if (!stop || stop < raw || strnlen(raw, len) < (size_t)(stop - raw))
		goto out;
	r = parse_first_line(m, at, stop);
	at = next;
	if (r == 0)
		r = parse_headers(m, &at, end);
	if (r < 0)
		goto out;
	r = -EINVAL;
	v = sip_msg_header(m, "Call-ID");
	if (!v || !*v)
		goto out;
	m->call_id = strdup(v);
	v = sip_msg_header(m, "From");
	if (!v || parse_party(v, &m->from, &m->from_uri, &m->from_user, &m->from_tag) < 0)
		goto out;
	v = sip_msg_header(m, "To");
	if (!v || parse_party(v, &m->to, &m->to_uri, &m->to_user, &m->to_tag) < 0)
		goto out;
	v = sip_msg_header(m, "CSeq");
	if (!v || parse_cseq(m, v) < 0)
		goto out;
	v = sip_msg_header(m, "Via");
	if (!v)
		goto out;
	parse_via(m, v);
	if (m->request && parse_ruri(m) < 0)
		goto out;
	v = sip_msg_header(m, "Contact");
	if (v)
		parse_contact(m, v);
	v = sip_msg_header(m, "Max-Forwards");
	if (v && isdigit((unsigned char)*v))
		m->max_forwards = atoi(v);
	v = sip_msg_header(m, "Content-Type");
	m->content_type = copy_or_null(v);
	r = m->call_id ? parse_body(m, at, end) : -ENOMEM;
out:
	if (r < 0)
		sip_msg_free(m);
	else
		*ret = m;
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

char *sip_msg_route_set(const struct sip_msg *m, bool reverse)
{
	struct buf b;

	buf_init(&b, MESSAGE_MAX_BYTES);
	for (size_t k = 0; k < m->n_headers; k++) {
		size_t i = reverse ? m->n_headers - 1 - k : k;

		if (!is_header(m->headers[i].name, "Record-Route"))
			continue;
		if (b.len)
			buf_adds(&b, ", ");
		buf_adds(&b, m->headers[i].value);
	}
	return buf_steal(&b);
}

bool sip_header_value_ok(const char *value)
{
	return !strpbrk(value, "\r\n");
}
