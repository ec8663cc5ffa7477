/* What an INVITE may ask of us, and where our requests to its sender go. */
#include "call/leg_internal.h"

#include "base/buf.h"
#include "base/config.h"
#include "proto/sip_msg.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The host of a SIP URI, without brackets; false when there is none. */
static bool uri_host(const char *uri, char *host, size_t size)
{
	const char *p = strchr(uri, ':'), *at;
	size_t n;

	if (!p)
		return false;
	p++;
	at = strchr(p, '@');
	if (at)
		p = at + 1;
	n = *p == '[' ? strcspn(++p, "]") : strcspn(p, ":;?> ");
	if (!n || n >= size)
		return false;
	memcpy(host, p, n);
	host[n] = '\0';
	return true;
}

static bool is_loopback(const char *host)
{
	return !strncmp(host, "127.", 4) || !strcmp(host, "::1") || !strcasecmp(host, "localhost");
}

/* RFC 1918, 6598, 3927: means nothing outside the network it belongs to. */
static bool is_private(const char *host)
{
	struct in_addr in;
	uint32_t a;

	if (inet_pton(AF_INET, host, &in) != 1)
		return false;
	a = ntohl(in.s_addr);
	return a >> 24 == 10 || a >> 20 == 0xac1 || a >> 16 == 0xc0a8 || a >> 22 == 0x191 ||
	       a >> 16 == 0xa9fe;
}

/* RFC 3261 §8.2.2.3: extensions that we do not have; `timer` is ours. */
static bool requires_unknown(const struct sip_msg *msg, struct leg_refusal *ret)
{
	size_t used = 0;

	for (size_t i = 0; i < msg->n_headers; i++) {
		const char *p = msg->headers[i].value;
		size_t n;

		if (strcasecmp(msg->headers[i].name, "Require"))
			continue;
		for (; *p; p += n) {
			p += strspn(p, ", \t");
			n = strcspn(p, ", \t");
			if (!n || (n == 5 && !strncasecmp(p, "timer", 5)))
				continue;
			if (used + n + 24 > sizeof(ret->headers))
				break;
			used += (size_t)sprintf(ret->headers + used, "%s%.*s",
						used ? ", " : "Unsupported: ", (int)n, p);
		}
	}
	if (!used)
		return false;
	strcpy(ret->headers + used, "\r\n");
	ret->code = 420;
	ret->reason = "Bad Extension";
	return true;
}

bool leg_check_request(const struct leg_invite *request, struct leg_refusal *ret)
{
	const char *contact = request->msg->contact_uri;
	char host[128];

	if (requires_unknown(request->msg, ret))
		return false;
	/* A Contact of loopback leads nowhere, unless the party itself is there. */
	if (contact && (!uri_host(contact, host, sizeof(host)) ||
			(is_loopback(host) && !is_loopback(request->source_ip)))) {
		ret->code = 400;
		ret->reason = "Invalid Contact";
		ret->error = 32105;
		return false;
	}
	return true;
}

bool leg_check_invite(const struct leg_invite *invite, struct leg_refusal *ret)
{
	const struct sip_msg *msg = invite->msg;

	if (!leg_check_request(invite, ret))
		return false;
	if (!msg->from_tag || !msg->contact_uri) {
		ret->code = 400;
		ret->reason = msg->from_tag ? "Missing Contact" : "Missing From tag";
		return false;
	}
	return true;
}

/* A description that we can take, secure or not; false with the refusal. */
static bool check_sdp(const struct sip_msg *msg, struct sdp_info *info, struct leg_refusal *ret)
{
	const char *type = msg->content_type ? msg->content_type : "";
	size_t n = strcspn(type, "; \t");

	if (n != 15 || strncasecmp(type, "application/sdp", 15)) {
		ret->code = 415;
		ret->reason = "Unsupported Media Type";
		strcpy(ret->headers, "Accept: application/sdp\r\n");
		return false;
	}
	if (sdp_parse(info, msg->body, msg->body_len) < 0) {
		ret->code = 400;
		ret->error = 32102;
		ret->reason = "Bad SDP";
		return false;
	}
	ret->code = 488;
	ret->reason = "Not Acceptable Here";
	if (!info->has_audio)
		return false;
	ret->code = 0;
	return true;
}

/* sip-and-rest.md §3.2, row 8. */
static bool check_security(const struct leg *leg, const struct sdp_info *info,
			   struct leg_refusal *ret)
{
	static const struct {
		int error;
		const char *reason;
	} not_accepted = { 32207, "Secure media not accepted" },
	  required = { 32208, "Secure media required" },
	  unusable = { 32208, "No crypto suite that is supported" }, *what;

	if (info->secure && leg->security == LEG_RTP)
		what = &not_accepted;
	else if (!info->secure && leg->security == LEG_SRTP)
		what = &required;
	else if (info->secure && (!info->suite || (!strcmp(info->suite, SDP_DTLS) &&
						   !leg->world->config->srtp_dtls)))
		what = &unusable;
	else
		return true;
	ret->code = 488;
	ret->error = what->error;
	ret->reason = what->reason;
	return false;
}

static bool has_codec(const struct sdp_info *info, struct leg_refusal *ret)
{
	if (info->pcmu || info->pcma)
		return true;
	ret->code = 488;
	ret->reason = "Not Acceptable Here";
	return false;
}

bool leg_check_offer(const struct leg *leg, const struct sip_msg *msg, struct sdp_info *info,
		     struct leg_refusal *ret)
{
	return check_sdp(msg, info, ret) && check_security(leg, info, ret) && has_codec(info, ret);
}

/* Without what RTPengine need not know of, and as JSON can carry it. */
static char *copy_sdp(const struct sip_msg *msg, bool answer)
{
	char *text = strndup(msg->body, msg->body_len), *copy;
	json_t *utf8;
	struct buf b;

	if (!text)
		return NULL;
	buf_init(&b, 2 * msg->body_len + 64);
	sdp_clean(&b, text, answer);
	free(text);
	copy = buf_steal(&b);
	utf8 = copy ? json_string(copy) : NULL;
	/* Free text (s=, i=) in another encoding: what it says does not matter to the media. */
	if (copy && !utf8)
		for (char *p = copy; *p; p++)
			if ((unsigned char)*p >= 0x80)
				*p = '?';
	json_decref(utf8);
	return copy;
}

char *leg_copy_offer(const struct sip_msg *msg)
{
	return copy_sdp(msg, false);
}

/* With the key for the suite that we offered, under its tag (RFC 4568 §5.1.2). */
static bool answers_crypto(const struct leg *leg, const struct sdp_info *info)
{
	struct sdp_info ours;

	return !info->secure ||
	       (leg->sent_sdp && sdp_parse(&ours, leg->sent_sdp, strlen(leg->sent_sdp)) == 0 &&
		ours.suite == info->suite && ours.crypto_tag == info->crypto_tag);
}

char *leg_take_answer(const struct leg *leg, const struct sip_msg *msg, enum leg_end *why)
{
	struct leg_refusal refusal = { 0 };
	struct sdp_info info;

	*why = LEG_END_MEDIA_FAILURE;
	if (!check_sdp(msg, &info, &refusal))
		return NULL;
	if (!check_security(leg, &info, &refusal) || !answers_crypto(leg, &info)) {
		*why = LEG_END_INSECURE;
		return NULL;
	}
	return has_codec(&info, &refusal) ? copy_sdp(msg, true) : NULL;
}

char *leg_next_hop(const struct leg_invite *from)
{
	bool stream = strcmp(from->proto, "udp") != 0, v6 = strchr(from->source_ip, ':') != NULL;
	const char *contact = from->msg->contact_uri;
	char host[128], *hop = NULL;

	if (!contact || !from->source_ip[0])
		return NULL;
	/* A connection is there already, and often only the party could open it. With datagrams:
	 * behind NAT. */
	if (!stream && (!uri_host(contact, host, sizeof(host)) || !is_private(host) ||
			!strcmp(host, from->source_ip)))
		return NULL;
	if (asprintf(&hop, "sip:%s%s%s:%d%s%s", v6 ? "[" : "", from->source_ip, v6 ? "]" : "",
		     from->source_port, stream ? ";transport=" : "", stream ? from->proto : "") < 0)
		return NULL;
	return hop;
}
