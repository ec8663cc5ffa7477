#define LOG_SUBSYSTEM "transfer"
#include "call/transfer.h"

#include "base/log.h"
#include "call/bridge.h"
#include "call/call.h"
#include "call/dial_internal.h"
#include "call/notify.h"
#include "call/verb.h"
#include "proto/form.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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
	if (!d || !d->bridged || !d->winner)
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

/* -- Replaces (RFC 3891) in the headers part of Refer-To */

struct replaces {
	char call_id[256], ours[128], theirs[128];
};

static bool unescape(char *ret, size_t size, const char *s, size_t n)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (c == '%' && i + 2 < n && isxdigit((unsigned char)s[i + 1]) &&
		    isxdigit((unsigned char)s[i + 2])) {
			char hex[3] = { s[i + 1], s[i + 2], '\0' };

			c = (char)strtol(hex, NULL, 16);
			i += 2;
		}
		if (at + 1 >= size || (unsigned char)c < ' ')
			return false;
		ret[at++] = c;
	}
	ret[at] = '\0';
	return true;
}

static bool take_tag(char *ret, size_t size, const char *value, const char *name)
{
	const char *p = strcasestr(value, name);
	size_t n;

	if (!p)
		return false;
	p += strlen(name);
	n = strcspn(p, ";");
	if (!n || n >= size)
		return false;
	memcpy(ret, p, n);
	ret[n] = '\0';
	return true;
}

static bool find_replaces(struct replaces *ret, const char *refer_to)
{
	char value[512];
	const char *p = strchr(refer_to, '?');
	size_t n;

	while (p && strncasecmp(p + 1, "Replaces=", 9))
		p = strchr(p + 1, '&');
	if (!p)
		return false;
	p += 10;
	n = strcspn(p, "&>");
	if (!unescape(value, sizeof(value), p, n))
		return false;
	n = strcspn(value, ";");
	if (!n || n >= sizeof(ret->call_id))
		return false;
	memcpy(ret->call_id, value, n);
	ret->call_id[n] = '\0';
	/* As whom the INVITE would go to sees it: its tag is to-tag, and that is ours here. */
	return take_tag(ret->ours, sizeof(ret->ours), value, ";to-tag=") &&
	       take_tag(ret->theirs, sizeof(ret->theirs), value, ";from-tag=");
}

/* -- both kinds */

static void refuse(struct call *c, const char *why)
{
	leg_refer_refuse(c->leg);
	notify(c, CODE_NO_URL, NULL, NULL, "%s", why);
}

static void attended(struct call *c, struct call *other, const struct replaces *replaces)
{
	struct call *second = legs_find_owner(c->calls->legs, replaces->call_id, replaces->theirs,
					      replaces->ours, &call_leg_events);
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
		leg_refer_notify(c->leg, 200);
		log_info("%s: transferred %s by its referUrl", c->sid, other->sid);
		free_of_others(other);
		call_hangup(c, CALL_EV_HUNG_UP);
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
	struct replaces replaces;

	if (!other || other->finished || other->ending) {
		refuse(c, "REFER is taken while the call is connected by a <Dial> with referUrl");
	} else if (find_replaces(&replaces, refer_to)) {
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
