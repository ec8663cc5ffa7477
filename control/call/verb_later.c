/*
 * Verbs that are known and not carried out by this version. Each is refused with a Notification and
 * skipped: the rest of the document runs, and an unanswered call is not answered for them. A verb
 * leaves this file by a row of its own in verbs.c.
 */
#include "call/call.h"
#include "call/notify.h"
#include "call/verb.h"
#include "proto/twiml.h"

enum verb_step verb_later_run(struct call *c, const struct twiml_node *n)
{
	notify(c, 13750, NULL, NULL, "<%s> is not supported and was skipped (line %u, column %u)",
	       n->name, n->line, n->column);
	return VERB_MORE;
}
