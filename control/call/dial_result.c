#include "call/dial_internal.h"

#include "call/call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void dial_result_done(struct dial_result *r)
{
	free(r->sip_call_id);
	form_done(&r->headers);
	*r = (struct dial_result){ .duration_s = -1 };
}

void dial_result_take(struct dial_result *r, const struct call *callee, int sip_code,
		      bool connected)
{
	dial_result_done(r);
	form_init(&r->headers);
	strcpy(r->call_sid, callee->sid);
	r->status = callee->status;
	r->sip_code = sip_code;
	r->sip_call_id = callee->sip_call_id ? strdup(callee->sip_call_id) : NULL;
	if (connected)
		r->duration_s = call_duration_s(callee);
	form_copy(&r->headers, &callee->sip_headers);
}

static int rank(const struct dial_result *r)
{
	static const int ranks[CALL_STATUSES] = { [CALL_COMPLETED] = 5,
						  [CALL_BUSY] = 4,
						  [CALL_NO_ANSWER] = 3,
						  [CALL_FAILED] = 2,
						  [CALL_CANCELED] = 1 };

	return *r->call_sid ? ranks[r->status] : -1;
}

void dial_result_merge(struct dial_result *best, struct dial_result *other)
{
	struct dial_result drop = *other;

	if (rank(other) >= rank(best)) {
		drop = *best;
		*best = *other;
	}
	dial_result_done(&drop);
}

int dial_result_params(const struct dial *d, struct form *ret)
{
	const struct dial_result *r = &d->result;
	char name[256];
	int bad = 0;

	/* Without a call there is nothing else to tell: no target could be dialled. */
	bad |= form_add(ret, "DialCallStatus",
			*r->call_sid ? call_status_name(r->status) : "failed");
	bad |= form_add(ret, "DialBridged", d->bridged ? "true" : "false");
	if (!*r->call_sid)
		return bad;
	bad |= form_add(ret, "DialCallSid", r->call_sid);
	if (d->bridged && r->duration_s >= 0)
		bad |= form_addf(ret, "DialCallDuration", "%d", r->duration_s);
	bad |= form_add(ret, "DialSipCallId", r->sip_call_id);
	if (r->sip_code)
		bad |= form_addf(ret, "DialSipResponseCode", "%d", r->sip_code);
	for (size_t i = 0; i < r->headers.count; i++) {
		const struct form_pair *p = &r->headers.pairs[i];

		/* Only headers of the parties' own (X-) are told here. */
		if (strncasecmp(p->name, "SipHeader_X-", 12))
			continue;
		snprintf(name, sizeof(name), "Dial%s", p->name);
		bad |= form_add(ret, name, p->value);
	}
	return bad;
}
