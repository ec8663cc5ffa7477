/* <Hangup> (twiml-and-webhooks.md §2.13); as the first verb it answers and hangs up, or declines:
 * TWIML_HANGUP_FIRST. */
#include "base/config.h"
#include "call/call.h"
#include "call/verb.h"

#include <string.h>

enum verb_step verb_hangup_run(struct call *c, const struct twiml_node *n)
{
	(void)n;
	if (call_answered(c)) {
		call_hangup(c, CALL_EV_HUNG_UP);
	} else if (c->world->config->hangup_first &&
		   !strcmp(c->world->config->hangup_first, "603")) {
		call_reject(c, 603, "Decline", 0, CALL_EV_REFUSED);
	} else {
		/* The answer brings us back to an empty rest of the document, whose end is the BYE.
		 */
		c->interp.verb = NULL;
		c->interp.node = NULL;
		c->interp.awaiting = true;
		call_answer(c);
	}
	return VERB_DONE;
}
