#define LOG_SUBSYSTEM "rejected"
#include "call/rejected.h"

#include "base/error_code.h"
#include "base/log.h"
#include "call/notify.h"
#include "call/world.h"
#include "proto/form.h"
#include "proto/sip_msg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024

/* Accounts share buckets when their SIDs hash alike: the bound is what matters, not whose turn it
 * is. */
struct bucket {
	uint64_t second;
	unsigned told;
};

struct rejected {
	struct world *world;
	struct bucket buckets[BUCKETS];
	uint64_t dropped;
};

struct rejected *rejected_new(struct world *world)
{
	struct rejected *r = calloc(1, sizeof(*r));

	if (r)
		r->world = world;
	return r;
}

void rejected_free(struct rejected *r)
{
	free(r);
}

uint64_t rejected_dropped(const struct rejected *r)
{
	return r->dropped;
}

static bool may_tell(struct rejected *r, const char *account)
{
	uint64_t second = r->world->ops->now_ms(r->world->w) / 1000;
	struct bucket *b;
	uint32_t hash = 2166136261u;

	for (const char *p = account; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619u;
	b = &r->buckets[hash % BUCKETS];
	if (b->second != second)
		*b = (struct bucket){ .second = second };
	if (b->told++ < REJECTED_PER_SECOND)
		return true;
	if (r->dropped++ % 10000 == 0)
		log_warn("refused attempts that were not written down: %llu",
			 (unsigned long long)r->dropped);
	return false;
}

void rejected_tell(struct rejected *r, const char *account_sid, int error_code, const char *message)
{
	if (may_tell(r, account_sid))
		notify_account(r->world, account_sid, NULL, error_code, NULL, NULL, message);
}

static const char *text(const json_t *params, const char *name)
{
	const char *s = json_string_value(json_object_get(params, name));

	return s ? s : "";
}

void rejected_event(struct rejected *r, const json_t *params, const struct sip_msg *msg)
{
	const char *account = text(params, "account");
	int error = (int)json_integer_value(json_object_get(params, "error"));
	int code = (int)json_integer_value(json_object_get(params, "code"));
	const struct error_code *known = error_code_find(error);
	char message[256];
	struct form f;

	if (!*account || !error || !may_tell(r, account))
		return;
	form_init(&f);
	form_add(&f, "SipDomain", text(params, "domain"));
	form_add(&f, "SipDomainSid", text(params, "domain_sid"));
	form_add(&f, "SipSourceIp", text(params, "source"));
	form_addf(&f, "SipSourcePort", "%lld",
		  (long long)json_integer_value(json_object_get(params, "port")));
	form_add(&f, "SipTransport", text(params, "proto"));
	form_addf(&f, "SipResponseCode", "%d", code);
	if (msg) {
		form_add(&f, "From", msg->from_uri);
		form_add(&f, "To", msg->ruri);
		form_add(&f, "SipCallId", msg->call_id);
	}
	snprintf(message, sizeof(message), "%s: an attempt from %.64s was refused with %d",
		 known ? known->text : "SIP", text(params, "source"), code);
	notify_account(r->world, account, NULL, error, NULL, &f, message);
	form_done(&f);
}
