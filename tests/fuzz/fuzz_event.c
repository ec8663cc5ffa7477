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
	static const struct world_ops ops = { .now_ms = now_ms, .sip_reply = sip_reply };
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
