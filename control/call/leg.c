#define LOG_SUBSYSTEM "leg"
#include "call/leg_internal.h"
#include "call/leg_ng.h"

#include "base/buf.h"
#include "base/config.h"
#include "base/error_code.h"
#include "base/log.h"
#include "base/process.h"
#include "proto/sip_msg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLY_HEADERS_BYTES 4096

void leg_make_tag(struct leg *leg)
{
	int n = snprintf(leg->local_tag, sizeof(leg->local_tag), LEG_TAG_PREFIX "%c",
			 process_digit_of_call(leg->call_sid));

	random_hex(leg->local_tag + n, 16);
}

bool leg_set(struct leg *leg, enum leg_event event)
{
	int next = leg_step(leg->state, event);

	if (next < 0)
		return false;
	if (next != (int)leg->state)
		log_debug("%s: %s -> %s", leg->call_sid, leg_state_name(leg->state),
			  leg_state_name((enum leg_state)next));
	leg->state = (enum leg_state)next;
	return true;
}

int leg_reply(struct leg *leg, const char *transaction, int code, const char *reason,
	      const char *headers, const char *body)
{
	const struct world *w = leg->world;
	int r = w->ops->sip_reply(w->w, transaction, code, reason, leg->local_tag,
				  headers ? headers : "", body ? body : "");

	if (r < 0)
		log_warn("%s: a %d was not sent: %s", leg->call_sid, code, strerror(-r));
	return r;
}

void leg_add_contact(const struct leg *leg, struct buf *b)
{
	const struct config *config = leg->world->config;
	bool v6 = strchr(config->public_ip, ':') != NULL, udp = !strcmp(leg->proto, "udp");
	int port = strcmp(leg->proto, "tls") ? config->sip_port : config->sips_port;

	buf_addf(b, "Contact: <sip:%s@%s%s%s:%d%s%s>\r\n", leg->local_tag, v6 ? "[" : "",
		 config->public_ip, v6 ? "]" : "", port,
		 udp ? "" : ";transport=", udp ? "" : leg->proto);
}

/* The owner hears of the end in a turn of its own: it may be deep in a call of ours now. It may
 * free the leg meanwhile. */
static void tell_end(void *arg)
{
	struct leg *leg = arg;

	if (leg->events)
		leg->events->ended(leg->arg, leg->end, leg->end_code);
	leg->end_told = true;
	leg_release(leg);
}

struct leg *leg_alloc(struct world *world, struct legs *legs, const char *call_sid,
		      const struct leg *beside)
{
	const struct world_ops *ops = world->ops;
	struct leg *leg = calloc(1, sizeof(*leg));

	if (!leg)
		return NULL;
	leg->world = world;
	leg->legs = legs;
	snprintf(leg->call_sid, sizeof(leg->call_sid), "%s", call_sid);
	snprintf(leg->ng_ours, sizeof(leg->ng_ours), "i%s", call_sid);
	leg->ng = beside ? leg_ng_call_beside(beside, call_sid) : leg_ng_call_new(call_sid);
	leg->end_timer = ops->timer_new(world->w, tell_end, leg);
	leg->ack_timer = ops->timer_new(world->w, leg_on_ack_deadline, leg);
	leg->session_timer = ops->timer_new(world->w, leg_on_session_timer, leg);
	leg->pending.timer = ops->timer_new(world->w, leg_on_send_timer, leg);
	if (leg->ng && leg->end_timer && leg->ack_timer && leg->session_timer && leg->pending.timer)
		return leg;
	leg_destroy(leg);
	return NULL;
}

/* BYE when the party has a dialog with us and does not know of its end. */
static void tell_party(struct leg *leg, enum leg_state before)
{
	if (before == LEG_CALLING || before == LEG_ALERTING)
		leg_outbound_cancel(leg);
	if (before != LEG_ANSWERED && before != LEG_CONFIRMED)
		return;
	/* RFC 3261 §15: no BYE before the ACK; leg_on_ack or the ACK's deadline sends it. */
	if (leg->end != LEG_END_REMOTE_BYE && before == LEG_ANSWERED && leg->ack_due)
		return;
	leg_no_ack_needed(leg);
	if (leg->end != LEG_END_REMOTE_BYE)
		leg_send(leg, "BYE", LEG_REASON_NORMAL, NULL);
}

void leg_end(struct leg *leg, enum leg_end why, int code)
{
	enum leg_state before = leg->state;

	if (!leg_set(leg, LEG_EV_END))
		return;
	leg->end = why;
	if (leg->exchange.transaction[0] && leg->exchange.initial) {
		/* Early media failed: who refuses the INVITE otherwise does so by leg_final. */
		leg_reply(leg, leg->exchange.transaction, 500, "Server Internal Error", NULL, NULL);
		leg->invite_replied = true;
		leg->invite_code = 500;
		leg->exchange.transaction[0] = '\0';
	}
	leg->end_code = leg->invite_replied ? leg->invite_code : code;
	if (leg->exchange.transaction[0]) /* a re-INVITE or UPDATE that waits */
		leg_reply(leg, leg->exchange.transaction, 487, "Request Terminated", NULL, NULL);
	leg_exchange_clear(leg);
	leg_media_close(leg);
	leg->world->ops->timer_stop(leg->world->w, leg->session_timer);
	tell_party(leg, before);
	leg->world->ops->timer_start(leg->world->w, leg->end_timer, 0);
}

void leg_tell_change(struct leg *leg)
{
	bool changed = leg->changed;

	leg->changed = false;
	if (changed && leg->events && leg->events->changed && leg->state != LEG_ENDED)
		leg->events->changed(leg->arg);
}

void leg_final(struct leg *leg, int code, const char *reason, const char *headers, enum leg_end why)
{
	leg_reply(leg, leg->exchange.transaction, code, reason, headers, NULL);
	leg->invite_replied = true;
	leg->invite_code = code;
	leg->exchange.transaction[0] = '\0';
	leg_end(leg, why, code);
}

void leg_destroy(struct leg *leg)
{
	const struct world_ops *ops = leg->world->ops;
	void *w = leg->world->w;

	legs_remove(leg);
	ops->sip_forget(w, leg);
	leg_link_forget(leg);
	if (leg->ng_id)
		ops->ng_cancel(w, leg->ng_id);
	/* At a shutdown nobody waits for the command that ran: what it made goes all the same. */
	leg->ng_id = 0;
	leg_media_close(leg);
	leg_ng_call_release(leg->ng);
	ops->timer_free(w, leg->end_timer);
	ops->timer_free(w, leg->ack_timer);
	ops->timer_free(w, leg->session_timer);
	ops->timer_free(w, leg->pending.timer);
	leg_exchange_clear(leg);
	leg_outbound_free(leg);
	leg_join_free(leg);
	leg_block_free(leg);
	leg_refer_free(leg);
	free(leg->key);
	free(leg->call_id);
	free(leg->local);
	free(leg->remote);
	free(leg->target);
	free(leg->route_set);
	free(leg->next_hop);
	free(leg->socket);
	free(leg->proto);
	free(leg->sent_sdp);
	free(leg->taken_offer);
	free(leg->party_answer);
	free(leg);
}

void leg_release(struct leg *leg)
{
	if (!leg->events && leg->end_told && !leg->pending.method[0] && !leg->ack_due &&
	    !leg->ng_id && !(leg->outbound && leg->outbound->open))
		leg_destroy(leg);
}

void leg_own(struct leg *leg, const struct leg_events *events, void *arg)
{
	leg->events = events;
	leg->arg = arg;
}

void leg_free(struct leg *leg)
{
	if (!leg)
		return;
	leg->events = NULL;
	leg_hangup(leg);
	if (leg->end_told)
		leg_release(leg);
}

const char *leg_shown_sid(const struct leg *leg)
{
	return leg->outbound && leg->outbound->shown_sid[0] ? leg->outbound->shown_sid
							    : leg->call_sid;
}

int leg_dtmf_pt(const struct leg *leg)
{
	int pt = leg->exchange.initial ? leg->exchange.info.dtmf_pt : leg->dtmf_pt;

	return pt > 0 ? pt : 0;
}

const char *leg_call_id(const struct leg *leg)
{
	return leg->call_id;
}

enum leg_state leg_state(const struct leg *leg)
{
	return leg->state;
}

int leg_ring(struct leg *leg)
{
	struct buf b;

	if (!leg_set(leg, LEG_EV_RING))
		return -EINVAL;
	buf_init(&b, REPLY_HEADERS_BYTES);
	leg_add_contact(leg, &b);
	buf_adds(&b, "Allow: " LEG_ALLOW "\r\n");
	if (!b.error)
		leg_reply(leg, leg->exchange.transaction, 180, "Ringing", b.data, NULL);
	buf_done(&b);
	return 0;
}

int leg_progress(struct leg *leg)
{
	struct leg_exchange *x = &leg->exchange;

	if (leg->outbound || leg->state > LEG_RINGING || x->offerless || x->early)
		return -EINVAL;
	x->early = true;
	leg_exchange_start(leg);
	return 0;
}

int leg_answer(struct leg *leg)
{
	bool early = leg->exchange.early;

	if (!leg_set(leg, LEG_EV_ANSWER))
		return -EINVAL;
	leg->exchange.early = false;
	/* The 183 said it already, or its media is being made and will be the answer's. */
	if (!early)
		leg_exchange_start(leg);
	else if (leg->sent_sdp)
		leg_exchange_done(leg, 0, leg->sent_sdp);
	return 0;
}

int leg_reject(struct leg *leg, int code, const char *reason, int error_code)
{
	const struct error_code *e = error_code ? error_code_find(error_code) : NULL;
	char headers[256] = "";
	size_t n = 0;

	if (leg->outbound || leg->invite_replied || code < 300 || code > 699 ||
	    !sip_header_value_ok(reason))
		return -EINVAL;
	if (e)
		n = (size_t)snprintf(headers, sizeof(headers) - 32, "X-Twilio-Error: %d %.150s\r\n",
				     e->code, e->text);
	if (code == 503)
		strcpy(headers + n, "Retry-After: 5\r\n");
	leg_final(leg, code, reason, headers, LEG_END_LOCAL);
	return 0;
}

int leg_hangup(struct leg *leg)
{
	if (leg->state == LEG_ENDED)
		return -EINVAL;
	if (!leg->outbound && leg->state < LEG_ANSWERED)
		return leg_reject(leg, 603, "Decline", 0);
	leg_end(leg, LEG_END_LOCAL, leg->state < LEG_ANSWERED ? 487 : 200);
	return 0;
}

uint32_t leg_play(struct leg *leg, struct prompt *p, unsigned loops)
{
	return leg->port ? leg->world->ops->media_play(leg->world->w, leg->port, p, loops) : 0;
}

uint32_t leg_play_digits(struct leg *leg, const char *digits)
{
	return leg->port ? leg->world->ops->media_play_digits(leg->world->w, leg->port, digits) : 0;
}

void leg_stop(struct leg *leg)
{
	if (leg->port)
		leg->world->ops->media_stop(leg->world->w, leg->port);
}
