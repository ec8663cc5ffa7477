#define LOG_SUBSYSTEM "transfer"
#include "call/transfer.h"

#include "base/log.h"
#include "call/bridge.h"
#include "call/call.h"
#include "call/dial_internal.h"
#include "call/notify.h"
#include "call/verb.h"
#include "proto/form.h"
#include "proto/sip_replaces.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CODE_NO_URL 13802

/* -- who talks with whom */

static struct dial *dial_of(struct call *c)
{
	if (c->target)
		return c->target->dial;
	return c->interp.verb && c->interp.verb->run == verb_dial_run ? c->interp.verb_state : NULL;
}

/* Whom c talks with in a <Dial> or a pair, or NULL. */
static struct call *other_of(struct call *c)
{
	struct dial *d = dial_of(c);

	if (c->mate)
		return c->mate;
	if (!d || !d->bridged || !d->joined)
		return NULL;
	return c == d->c ? d->winner->call : c == d->winner->call ? d->c : NULL;
}

void call_part(struct call *c)
{
	struct call *mate = c->mate;

	if (!mate)
		return;
	bridge_drop(c);
	c->mate = mate->mate = NULL;
	leg_leave(c->leg);
	call_hangup(mate, CALL_EV_HUNG_UP);
}

/* Out of its <Dial> or pair, without an end for it: whom it was with is on its own. */
static void free_of_others(struct call *c)
{
	struct call *mate = c->mate;

	if (mate) {
		bridge_drop(c);
		c->mate = mate->mate = NULL;
		leg_leave(c->leg);
	} else if (c->target) {
		dial_forget(c);
	} else {
		interp_stop(c);
	}
}

/* -- both kinds */

static void refuse(struct call *c, const char *why)
{
	leg_refer_refuse(c->leg);
	notify(c, CODE_NO_URL, NULL, NULL, "%s", why);
}

static void attended(struct call *c, struct call *other, const struct sip_replaces *replaces)
{
	struct call *second = legs_find_owner(c->calls->legs, replaces->call_id, replaces->from_tag,
					      replaces->to_tag, &call_leg_events);
	struct call *target = second && second != c && second != other &&
					      !strcmp(second->account_sid, c->account_sid)
				      ? other_of(second)
				      : NULL;

	if (!target || target == c || target == other || target->ending ||
	    leg_state(target->leg) == LEG_ENDED || leg_state(other->leg) == LEG_ENDED) {
		refuse(c, "Replaces names no call of this account that is connected");
		return;
	}
	leg_refer_accept(c->leg);
	leg_refer_notify(c->leg, 200);
	log_info("%s: transferred %s to %s", c->sid, other->sid, target->sid);
	free_of_others(other);
	free_of_others(target);
	call_hangup(c, CALL_EV_HUNG_UP);
	call_hangup(second, CALL_EV_HUNG_UP);
	other->mate = target;
	target->mate = other;
	if (leg_join(other->leg, target->leg) < 0)
		call_hangup(other, CALL_EV_FAILED);
	else
		bridge_save(other, target);
}

/* -- blind, and the transferor stays */

static void close_transfer(struct call *transferor, int code)
{
	transferor->transferee->transferor = NULL;
	transferor->transferee = NULL;
	leg_refer_notify(transferor->leg, code);
}

/* The document that the transferee will not come back to, and its <Dial>. */
static void drop_suspended(struct call *c)
{
	struct interp *in = c->suspended;

	if (!in)
		return;
	c->suspended = NULL;
	dial_free(in->verb_state);
	interp_done(in);
	free(in);
}

/* c and other are apart, and what other does next can be taken back. */
static int suspend(struct call *c, struct call *other, struct dial *d)
{
	/* Whom the <Dial> called has no document of its own in it. */
	if (other == d->c) {
		other->suspended = malloc(sizeof(*other->suspended));
		if (!other->suspended)
			return -ENOMEM;
		*other->suspended = other->interp;
		memset(&other->interp, 0, sizeof(other->interp));
		form_init(&other->interp.step_extra);
	}
	dial_part(d);
	c->transferee = other;
	other->transferor = c;
	return 0;
}

void transfer_succeeded(struct call *c)
{
	struct call *transferor = c->transferor;

	if (!transferor)
		return;
	close_transfer(transferor, 200);
	dial_forget(c->suspended ? transferor : c);
	drop_suspended(c);
	call_hangup(transferor, CALL_EV_HUNG_UP);
}

bool transfer_take_back(struct call *c)
{
	struct interp *before = c->suspended;

	if (!before)
		return false;
	interp_stop(c);
	interp_done(&c->interp);
	c->interp = *before;
	c->suspended = NULL;
	free(before);
	return true;
}

bool transfer_failed(struct call *c)
{
	struct call *transferor = c->transferor;

	if (!transferor)
		return false;
	log_info("%s: back with %s", c->sid, transferor->sid);
	close_transfer(transferor, 503);
	interp_stop(c);
	dial_ready(transfer_take_back(c) ? transferor : c);
	return true;
}

void transfer_leave(struct call *c)
{
	struct call *transferee = c->transferee;

	if (c->transferor) {
		close_transfer(c->transferor, 503);
		drop_suspended(c);
	}
	if (transferee) {
		close_transfer(c, 503);
		dial_forget(transferee->suspended ? c : transferee);
		drop_suspended(transferee);
	}
}

static void blind(struct call *c, struct call *other, struct dial *d, const char *refer_to)
{
	struct form params;
	char *url = NULL;

	form_init(&params);
	/* The URL is of the caller's document, whoever gets the new one. */
	if (interp_resolve(d->c, &url, d->refer_url) < 0 ||
	    form_add(&params, "ReferTransferTarget", refer_to) < 0) {
		refuse(c, "referUrl is malformed");
	} else {
		char *method = strdup(d->refer_method);

		leg_refer_accept(c->leg);
		log_info("%s: transferred %s by its referUrl", c->sid, other->sid);
		if (!d->answer_on_bridge || suspend(c, other, d) < 0) {
			leg_refer_notify(c->leg, 200);
			free_of_others(other);
			call_hangup(c, CALL_EV_HUNG_UP);
		}
		interp_fetch(other, url, method, &params);
		free(method);
	}
	form_done(&params);
	free(url);
}

void call_referred(struct call *c, const char *refer_to)
{
	struct call *other = other_of(c);
	struct dial *d = dial_of(c);
	struct sip_replaces replaces;
	int r = sip_replaces_of(&replaces, refer_to);

	if (!other || other->finished || other->ending) {
		refuse(c, "REFER is taken while the call is connected by a <Dial> with referUrl");
	} else if (r == -EINVAL) {
		refuse(c, "the Replaces of Refer-To is malformed");
	} else if (r == 0) {
		if (d ? d->refer_url != NULL : c->mate != NULL)
			attended(c, other, &replaces);
		else
			refuse(c, "the <Dial> has no referUrl");
	} else if (d && d->refer_url) {
		blind(c, other, d, refer_to);
	} else {
		refuse(c, d ? "the <Dial> has no referUrl"
			    : "a transferred call is transferred again by Replaces alone");
	}
}
