#include "call/call.h"
#include "call/call_order.h"
#include "proto/sip_msg.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

int params_standard(struct form *f, const struct call *c, const char *status)
{
	int bad = 0;

	bad |= form_add(f, "AccountSid", c->account_sid);
	bad |= form_add(f, "ApiVersion", "2010-04-01");
	bad |= form_add(f, "CallSid", c->sid);
	bad |= form_add(f, "CallStatus", status ? status : call_status_name(c->status));
	bad |= form_add(f, "Called", c->to);
	bad |= form_add(f, "Caller", c->from);
	bad |= form_add(f, "Direction", c->direction);
	bad |= form_add(f, "From", c->from);
	if (c->sip_call_id)
		bad |= form_add(f, "SipCallId", c->sip_call_id);
	if (c->order)
		bad |= form_add(f, "ParentCallSid", c->order->parent_sid);
	if (c->answered_by) {
		bad |= form_add(f, "AnsweredBy", c->answered_by);
		bad |= form_add(f, "MachineDetectionDuration", "0");
	}
	if (*c->domain_name)
		bad |= form_add(f, "SipDomain", c->domain_name);
	if (*c->domain_sid)
		bad |= form_add(f, "SipDomainSid", c->domain_sid);
	bad |= form_copy(f, &c->sip_headers);
	if (*c->source_ip)
		bad |= form_add(f, "SipSourceIp", c->source_ip);
	if (*c->user)
		bad |= form_add(f, "SipUsername", c->user);
	bad |= form_add(f, "To", c->to);
	return bad ? -ENOMEM : 0;
}

int params_sip_headers(struct form *f, const struct sip_msg *msg)
{
	char name[256];
	int r = 0;

	for (size_t i = 0; i < msg->n_headers && r == 0; i++) {
		const struct sip_header *h = &msg->headers[i];

		/* Names stay as they were received, but for the one that has a documented spelling.
		 */
		if (!strcasecmp(h->name, "User-to-User"))
			snprintf(name, sizeof(name), "SipHeader_User-to-User");
		else if (!strncasecmp(h->name, "X-", 2) && strlen(h->name) < 200)
			snprintf(name, sizeof(name), "SipHeader_%s", h->name);
		else
			continue;
		r = form_add(f, name, h->value);
	}
	return r;
}
