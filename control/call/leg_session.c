/* The session timer: RFC 4028. */
#define LOG_SUBSYSTEM "leg"
#include "call/leg_internal.h"

#include "base/config.h"
#include "base/log.h"
#include "proto/sip_msg.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIN_SE	 90
#define MAX_SE	 86400
#define SOON_MS	 2000  /* a refresh that something was in the way of */
#define RETRY_MS 30000 /* a refresh that was refused */

/* The delta-seconds that a header begins with; 0: absent or none. */
static int seconds(const struct sip_msg *msg, const char *name)
{
	const char *value = sip_msg_header(msg, name);
	unsigned long n;

	if (!value || !isdigit((unsigned char)*value))
		return 0;
	n = strtoul(value, NULL, 10);
	return n > MAX_SE ? MAX_SE : (int)n;
}

static bool refresher_is(const struct sip_msg *msg, const char *who)
{
	const char *value = sip_msg_header(msg, "Session-Expires");
	const char *p = value ? strcasestr(value, "refresher") : NULL;

	if (!p)
		return false;
	p += strspn(p + 9, " \t=") + 9;
	return !strncasecmp(p, who, 3);
}

int leg_session_take(struct leg *leg, const struct sip_msg *msg, struct leg_session *ret,
		     char *headers, size_t size)
{
	bool asked = sip_msg_header(msg, "Session-Expires") != NULL;
	bool supported =
		sip_msg_lists(msg, "Supported", "timer") || sip_msg_lists(msg, "Require", "timer");
	int wanted = seconds(msg, "Session-Expires"), least = seconds(msg, "Min-SE");

	*ret = (struct leg_session){ 0 };
	headers[0] = '\0';
	if (!asked && !supported)
		return 0;
	if (asked && wanted < MIN_SE) {
		if (supported)
			return 422;
		return 0; /* nobody could be told: without a timer */
	}
	ret->interval_s = leg->world->config->session_expires_s;
	if (asked && wanted < ret->interval_s)
		ret->interval_s = wanted;
	if (ret->interval_s < least)
		ret->interval_s = least;
	/* Table 2: the party's wish is law; without one we leave it to a party that asked for a
	 * timer, and do it for others. */
	ret->we_refresh =
		!supported || refresher_is(msg, "uas") || (!asked && !refresher_is(msg, "uac"));
	snprintf(headers, size, "Session-Expires: %d;refresher=%s\r\n%s", ret->interval_s,
		 ret->we_refresh ? "uas" : "uac", ret->we_refresh ? "" : "Require: timer\r\n");
	return 0;
}

static void wait_ms(struct leg *leg, uint64_t ms)
{
	uint64_t now = leg->world->ops->now_ms(leg->world->w);

	if (now + ms > leg->session_ends_ms)
		ms = leg->session_ends_ms > now ? leg->session_ends_ms - now : 0;
	leg->world->ops->timer_start(leg->world->w, leg->session_timer, ms);
}

void leg_session_start(struct leg *leg)
{
	int s = leg->session.interval_s, margin = s / 3 < 32 ? s / 3 : 32;

	if (!s) {
		leg->world->ops->timer_stop(leg->world->w, leg->session_timer);
		return;
	}
	/* §10: the refresher acts at half of it; who heard nothing gives up shortly before its end.
	 */
	leg->session_ends_ms =
		leg->world->ops->now_ms(leg->world->w) + (uint64_t)(s - margin) * 1000;
	wait_ms(leg, leg->session.we_refresh ? (uint64_t)s * 500 : (uint64_t)s * 1000);
}

void leg_session_retry(struct leg *leg)
{
	wait_ms(leg, SOON_MS);
}

static void refresh(struct leg *leg)
{
	char headers[160];
	int r;

	if (leg->pending.method[0] || leg->exchange.transaction[0] || leg->ng_id ||
	    leg->answer_in_ack) {
		wait_ms(leg, SOON_MS);
		return;
	}
	snprintf(headers, sizeof(headers),
		 "Supported: timer\r\nSession-Expires: %d;refresher=uac\r\nMin-SE: %d\r\n",
		 leg->session.interval_s, MIN_SE);
	if (leg->peer_update)
		r = leg_send(leg, "UPDATE", headers, NULL);
	else
		r = leg_send(leg, "INVITE", headers, leg->sent_sdp);
	wait_ms(leg, r < 0 ? SOON_MS : UINT32_MAX);
}

void leg_on_session_timer(void *arg)
{
	struct leg *leg = arg;

	if (leg->state == LEG_ENDED)
		return;
	if (leg->world->ops->now_ms(leg->world->w) >= leg->session_ends_ms) {
		log_info("%s: the session expired", leg->call_sid);
		leg_end(leg, LEG_END_SESSION_EXPIRED, 200);
	} else if (leg->session.we_refresh) {
		refresh(leg);
	}
}

void leg_session_answered(struct leg *leg, const char *method, const struct sip_msg *msg)
{
	int least = seconds(msg, "Min-SE");

	if (msg->status < 300) {
		int agreed = seconds(msg, "Session-Expires");

		/* A party that knows no timers answers without it: then we go on alone (§7.2). */
		if (agreed >= MIN_SE) {
			leg->session.interval_s = agreed;
			leg->session.we_refresh = !refresher_is(msg, "uas");
		}
		leg_session_start(leg);
	} else if (msg->status == 422 && least > leg->session.interval_s) {
		leg->session.interval_s = least;
		wait_ms(leg, 0);
	} else if ((msg->status == 405 || msg->status == 501) && !strcmp(method, "UPDATE")) {
		leg->peer_update = false;
		wait_ms(leg, 0);
	} else if (msg->status == 491) {
		/* RFC 3261 §14.1: who did not begin the dialog waits up to 2 s. */
		wait_ms(leg, (uint64_t)(random() % 200) * 10);
	} else {
		wait_ms(leg, RETRY_MS);
	}
}
