#include "call/prompt_verb.h"

#include "call/call.h"
#include "call/notify.h"
#include "call/playlist.h"

void prompt_verb_cancel(struct call *c)
{
	playlist_free(c->interp.verb_state);
	c->interp.verb_state = NULL;
}

static void on_heard(struct call *c, int code, const char *url)
{
	if (code) {
		interp_fail(c, code, url, NULL, "the media cannot be played");
		return;
	}
	prompt_verb_cancel(c);
	interp_next(c);
}

enum verb_step prompt_verb_run(struct call *c, const struct twiml_node *n)
{
	struct playlist *p = playlist_new(c, false, on_heard);

	if (!p)
		return VERB_MORE;
	c->interp.verb_state = p;
	playlist_add_node(p, n);
	if (playlist_start(p) == VERB_WAIT)
		return VERB_WAIT;
	prompt_verb_cancel(c);
	return VERB_MORE;
}
