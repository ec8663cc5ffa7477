/* <Pause> (twiml-and-webhooks.md §2.3): as the first verb it passes before the call is answered. */
#include "call/playlist.h"
#include "call/prompt_verb.h"
#include "proto/twiml.h"

void pause_prepare(struct item *item, const struct twiml_node *n)
{
	item->pause_ms = (uint64_t)twiml_attr_int(n, "length") * 1000;
}

enum verb_step verb_pause_run(struct call *c, const struct twiml_node *n)
{
	return prompt_verb_run(c, n);
}
