/*
 * What RTPengine counted of a secure leg, asked when the leg is over: the packets that decrypted
 * and those that did not. Its tags go when the answer is there; the leg is gone by then.
 */
#define LOG_SUBSYSTEM "leg"
#include "call/leg_internal.h"
#include "call/leg_ng.h"

#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

struct leg_proof {
	struct leg_proof *prev, *next;
	struct leg_proofs *all;
	uint64_t ng_id;
	json_t *deletion;
	char call_sid[SID_SIZE], tag[SID_SIZE];
};

static void finish(struct leg_proof *p)
{
	struct world *world = p->all->world;

	DL_DELETE(p->all->first, p);
	world->ops->ng(world->w, p->deletion, NULL, NULL);
	free(p);
}

static int64_t count(const json_t *stream, const char *direction, const char *what)
{
	return json_integer_value(json_object_get(json_object_get(stream, direction), what));
}

static void on_query(void *arg, int r, const json_t *reply)
{
	struct leg_proof *p = arg;
	const json_t *party = json_object_get(json_object_get(reply, "tags"), p->tag);
	const json_t *media = json_array_get(json_object_get(party, "medias"), 0);
	const json_t *stream = json_array_get(json_object_get(media, "streams"), 0);
	const char *suite = json_string_value(json_object_get(stream, "crypto suite"));
	const struct leg_media_report report = {
		.call_sid = p->call_sid,
		.protocol = json_string_value(json_object_get(media, "protocol")),
		.suite = suite ? suite : "none", /* the handshake did not end */
		.received = count(stream, "stats", "packets"),
		.rejected = count(stream, "stats", "errors"),
		.sent = count(stream, "stats_out", "packets"),
	};

	if (r == 0 && report.protocol) {
		log_info("%s: %s %s, %" PRId64 " packets received, %" PRId64 " rejected, %" PRId64
			 " sent",
			 p->call_sid, report.protocol, report.suite, report.received,
			 report.rejected, report.sent);
		p->all->tell(p->all->arg, &report);
	}
	finish(p);
}

bool leg_proof_ask(struct leg_proofs *all, const struct leg *leg, json_t *deletion)
{
	struct leg_proof *p = all->closed ? NULL : calloc(1, sizeof(*p));
	json_t *query =
		p ? json_pack("{s:s, s:s}", "command", "query", "call-id", leg->ng->id) : NULL;

	if (query)
		p->ng_id = all->world->ops->ng(all->world->w, query, on_query, p);
	if (!query || !p->ng_id) {
		free(p);
		return false;
	}
	p->all = all;
	p->deletion = deletion;
	snprintf(p->tag, sizeof(p->tag), "%s", leg->call_sid);
	snprintf(p->call_sid, sizeof(p->call_sid), "%s", leg_shown_sid(leg));
	DL_APPEND(all->first, p);
	return true;
}

void leg_proofs_close(struct leg_proofs *all)
{
	struct leg_proof *p, *next;

	all->closed = true;
	DL_FOREACH_SAFE(all->first, p, next)
	{
		all->world->ops->ng_cancel(all->world->w, p->ng_id);
		finish(p);
	}
}
