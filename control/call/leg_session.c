/* RFC 4028: the session timer. */
#define LOG_SUBSYSTEM "leg"
#include "call/leg_internal.h"

#include "base/config.h"
#include "base/log.h"
#include "proto/sip_msg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIN_SE 90

int leg_session_take(struct leg *leg, const struct sip_msg *msg, char *headers, size_t size)
{
	const char *expires = sip_msg_header(msg, "Session-Expires");
	bool supported = sip_msg_lists(msg, "Supported", "timer") || sip_msg_lists(msg, "Require", "timer");
	int wanted = expires ? atoi(expires) : 0;

	headers[0] = '\0';
	leg->session_s = 0;
	if (!expires && !supported)
		return 0;
	if (expires && wanted < MIN_SE)
		return 422;
	leg->session_s = leg->world->config->session_expires_s;
	if (expires && wanted < leg->session_s)
		leg->session_s = wanted;
	leg->we_refresh = !supported || (expires && strstr(expires, "refresher=uas"));
	snprintf(headers, size, "Session-Expires: %d;refresher=%s\r\n%s", leg->session_s, leg->we_refresh ? "uas" : "uac",
		 supported ? "Require: timer\r\n" : "");
	return 0;
}

void leg_session_start(struct leg *leg)
{
	/* RFC 4028 §10: the refresher at half of it; the other side gives up shortly before its end. */
	int s = leg->session_s, margin = s / 3 < 32 ? s / 3 : 32;

	if (s)
		leg->world->ops->timer_start(leg->world->w, leg->session_timer,
					     (uint64_t)(leg->we_refresh ? s / 2 : s - margin) * 1000);
}

void leg_on_session_timer(void *arg)
{
	struct leg *leg = arg;
	char headers[160];

	if (!leg->we_refresh || leg->pending.method[0]) {
		log_info("%s: the session expired", leg->call_sid);
		leg_end(leg, LEG_END_SESSION_EXPIRED, 200);
		return;
	}
	snprintf(headers, sizeof(headers), "Supported: timer\r\nSession-Expires: %d;refresher=uac\r\nMin-SE: %d\r\n", leg->session_s, MIN_SE);
	/* The next run of this timer, without an answer by then, is the end. */
	leg->world->ops->timer_start(leg->world->w, leg->session_timer, (uint64_t)leg->session_s / 2 * 1000 - 1000);
	if (leg->peer_update)
		leg_send(leg, "UPDATE", headers, NULL);
	else
		leg_send(leg, "INVITE", headers, leg->sent_sdp);
}
