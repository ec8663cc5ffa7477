/*
 * What comes from Kamailio (evapi JSON) and RTPengine (its log of digits): the switchboard reads it
 * without a leg to give it to. The first byte chooses: 'd' a digit, 'm' a raw message that is
 * wrapped as Kamailio does, else an event.
 */
#include "fuzz.h"

#include "base/log.h"
#include "base/config.h"
#include "call/leg.h"
#include "call/world.h"
#include "proto/sip_msg.h"

#include <openssl/evp.h>

static struct legs *legs;

static uint64_t now_ms(void *w)
{
	static uint64_t now;

	(void)w;
	return now += 7;
}

static int sip_reply(void *w, const char *transaction, int code, const char *reason,
		     const char *to_tag, const char *headers, const char *body)
{
	(void)w;
	MUST(transaction && reason && to_tag && headers && body);
	MUST(code >= 100 && code < 700);
	MUST(sip_header_value_ok(reason));
	return 0;
}

/* What an answer that nobody waits for is told: a BYE within its dialog, one line a header. */
static int sip_request(void *w, const struct sip_out *out, sip_sent_fn *done, void *arg)
{
	(void)w;
	MUST(!done && !arg && !out->body);
	MUST(!strcmp(out->method, "BYE") && out->ruri && out->headers);
	for (const char *line = out->headers, *end; *line; line = end + 2) {
		end = strstr(line, "\r\n");
		MUST(end && end > line && memchr(line, ':', (size_t)(end - line)));
		MUST(!memchr(line, '\n', (size_t)(end - line)));
	}
	return 0;
}

static int sip_cancel(void *w, const char *call_id, unsigned cseq)
{
	(void)w;
	(void)cseq;
	MUST(call_id && *call_id);
	return 0;
}

static void incoming(void *arg, const struct leg_invite *invite)
{
	(void)arg;
	MUST(invite->msg && invite->msg->request && invite->transaction && invite->source_ip &&
	     invite->account_sid);
}

static void rejected(void *arg, const json_t *params, const struct sip_msg *msg)
{
	(void)arg;
	(void)params;
	MUST(!msg || msg->call_id);
}

static void wrap(const uint8_t *data, size_t size, const char *method)
{
	char *b64 = malloc(size * 2 + 8), *json = malloc(size * 2 + 400);
	int n;

	EVP_EncodeBlock((unsigned char *)b64, data, (int)size);
	n = sprintf(json,
		    "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":{\"transaction\":\"1:2\","
		    "\"source\":\"192.0.2.1\",\"port\":5060,"
		    "\"proto\":\"udp\",\"code\":486,\"message\":\"%s\"}}",
		    method, b64);
	legs_sip_event(legs, json, (size_t)n);
	free(json);
	free(b64);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct world_ops ops = { .now_ms = now_ms,
					      .sip_reply = sip_reply,
					      .sip_request = sip_request,
					      .sip_cancel = sip_cancel };
	static const struct legs_events events = { .incoming = incoming, .rejected = rejected };
	static const char *const methods[] = { "sip.request", "sip.response", "sip.cancel",
					       "sip.ack", "sip.rejected" };
	static const struct config config;
	static struct world world = { .ops = &ops, .config = &config };

	if (!legs) {
		log_set_level(LOG_ERROR);
		legs = legs_new(&world, &events, NULL);
	}
	if (!size)
		return 0;
	if (data[0] == 'd') {
		legs_dtmf_event(legs, (const char *)data + 1, size - 1);
	} else if (data[0] == 'm') {
		for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
			wrap(data + 1, size - 1, methods[i]);
	} else {
		legs_sip_event(legs, (const char *)data + 1, size - 1);
	}
	MUST(legs_count(legs) == 0);
	return 0;
}
