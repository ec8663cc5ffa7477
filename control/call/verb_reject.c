/* <Reject> (twiml-and-webhooks.md §2.13): the one verb that keeps a call from being answered. */
#include "call/call.h"
#include "call/verb.h"
#include "proto/twiml.h"

#include <string.h>

enum verb_step verb_reject_run(struct call *c, const struct twiml_node *n)
{
	const char *reason = twiml_attr_text(n, "reason");

	if (call_answered(c))
		call_hangup(c, CALL_EV_HUNG_UP);
	else if (reason && !strcmp(reason, "busy"))
		call_reject(c, 486, "Busy Here", 0, CALL_EV_BUSY);
	else
		call_reject(c, 404, "Not Found", 0, CALL_EV_REFUSED);
	return VERB_DONE;
}
