/* A SIP message. What its header promises of a parsed one, holds. */
#include "fuzz.h"

#include "proto/sip_msg.h"

static void is_printable(const char *s)
{
	for (; s && *s; s++)
		MUST(*s > 0x20 && *s < 0x7f && *s != '<' && *s != '>' && *s != '"');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "Supported", "Require", "Allow", "Contact" };
	struct sip_msg *m;
	char *set;

	if (sip_msg_parse(&m, (const char *)data, size) < 0)
		return 0;
	MUST(m->method && *m->method && m->call_id && *m->call_id && m->from && m->to &&
	     m->from_uri && m->to_uri);
	MUST(m->body && m->body_len <= size && m->max_forwards >= -1 && m->cseq <= 0x7fffffff);
	if (m->request)
		MUST(m->ruri && m->ruri_host && *m->ruri_host);
	else
		MUST(m->status >= 100 && m->status < 700 && m->reason);
	is_printable(m->method);
	is_printable(m->ruri);
	is_printable(m->from_uri);
	is_printable(m->to_uri);
	is_printable(m->contact_uri);
	is_printable(m->from_tag);
	is_printable(m->to_tag);
	for (size_t i = 0; i < m->n_headers; i++) {
		is_printable(m->headers[i].name);
		MUST(sip_header_value_ok(m->headers[i].value));
		MUST(sip_msg_header(m, m->headers[i].name));
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)sip_msg_lists(m, names[i], "timer");
	for (int reverse = 0; reverse < 2; reverse++) {
		set = sip_msg_route_set(m, reverse);
		MUST(!set || sip_header_value_ok(set));
		free(set);
	}
	sip_msg_free(m);
	return 0;
}
