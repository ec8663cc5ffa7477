#include "call/leg_ng.h"

#include "call/leg_internal.h"

#include <errno.h>

static const char *const tags[] = { [LEG_PARTY] = "p", [LEG_OURS] = "i" };
static const char *const directions[] = { [LEG_PARTY] = "external", [LEG_OURS] = "internal" };

static enum leg_side other(enum leg_side side)
{
	return side == LEG_PARTY ? LEG_OURS : LEG_PARTY;
}

/*
 * With "port latching" in all of them RTPengine keeps the party's port through the call. The
 * party's packets come from where they come from; ours from where our description says, and from
 * nowhere else: what is still on its way from the media worker, or from a peer, while our side is
 * told anew would be learned as the new address.
 */
static json_t *flags(enum leg_side side)
{
	return side == LEG_PARTY ? json_pack("[s]", "port latching")
				 : json_pack("[s, s]", "port latching", "asymmetric");
}

static int start(struct leg *leg, json_t *command, ng_done_fn *done)
{
	if (!command)
		return -ENOMEM;
	leg->ng_id = leg->world->ops->ng(leg->world->w, command, done, leg);
	return leg->ng_id ? 0 : -ENOMEM;
}

/* RTPengine may know the call from now on. */
static int start_media(struct leg *leg, json_t *command, ng_done_fn *done)
{
	int r = start(leg, command, done);

	if (r == 0)
		leg->ng_call = true;
	return r;
}

int leg_ng_offer(struct leg *leg, enum leg_side side, const char *sdp, ng_done_fn *done)
{
	/* Our side is PCMU, whatever the party chose; towards the party both are offered. */
	return start_media(
		leg,
		json_pack("{s:s, s:s, s:s, s:s*, s:s, s:[s], s:o, s:s, s:[ss], s:{s:[ss]}}",
			  "command", "offer", "call-id", leg->call_sid, "from-tag", tags[side],
			  "to-tag", leg->ng_call ? tags[other(side)] : NULL, "sdp", sdp, "replace",
			  "origin", "flags", flags(side), "transport protocol", "RTP/AVP",
			  "direction", directions[side], directions[other(side)], "codec",
			  "transcode", "PCMU", "PCMA"),
		done);
}

int leg_ng_answer(struct leg *leg, enum leg_side side, const char *sdp, ng_done_fn *done)
{
	return start_media(leg,
			   json_pack("{s:s, s:s, s:s, s:s, s:s, s:[s], s:o}", "command", "answer",
				     "call-id", leg->call_sid, "from-tag", tags[other(side)],
				     "to-tag", tags[side], "sdp", sdp, "replace", "origin", "flags",
				     flags(side)),
			   done);
}

int leg_ng_query(struct leg *leg, ng_done_fn *done)
{
	return start(leg, json_pack("{s:s, s:s}", "command", "query", "call-id", leg->call_sid),
		     done);
}

void leg_ng_delete(struct leg *leg)
{
	json_t *command;

	if (!leg->ng_call)
		return;
	leg->ng_call = false;
	/* Without a from-tag: deleting between two tags can take the wrong ones along. */
	command = json_pack("{s:s, s:s}", "command", "delete", "call-id", leg->call_sid);
	if (command)
		leg->world->ops->ng(leg->world->w, command, NULL, NULL);
}

bool leg_ng_over(struct leg *leg)
{
	leg->ng_id = 0;
	if (leg->state != LEG_ENDED)
		return false;
	leg_ng_delete(leg);
	leg_release(leg);
	return true;
}

const char *leg_ng_sdp(const json_t *reply)
{
	return json_string_value(json_object_get(reply, "sdp"));
}

int64_t leg_ng_last_packet(const json_t *reply)
{
	const json_t *tag = json_object_get(json_object_get(reply, "tags"), tags[LEG_PARTY]);
	const json_t *media = json_array_get(json_object_get(tag, "medias"), 0);
	const json_t *stream = json_array_get(json_object_get(media, "streams"), 0);

	return json_integer_value(json_object_get(stream, "last packet"));
}
