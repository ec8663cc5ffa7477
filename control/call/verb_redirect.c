/* <Redirect> (twiml-and-webhooks.md §2.13): no answer; the next document decides. */
#include "call/call.h"
#include "call/verb.h"
#include "proto/twiml.h"

#include <stdlib.h>

enum verb_step verb_redirect_run(struct call *c, const struct twiml_node *n)
{
	char *text = twiml_text(n, false);

	interp_fetch(c, text ? text : "", twiml_attr_text(n, "method"), NULL);
	free(text);
	return VERB_DONE;
}
