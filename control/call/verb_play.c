/* <Play> (twiml-and-webhooks.md §2.2) */
#include "base/config.h"
#include "call/call.h"
#include "call/media_cache.h"
#include "call/notify.h"
#include "call/playlist.h"
#include "call/prompt_verb.h"
#include "media/prompt.h"
#include "proto/twiml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CODE_NOT_AUDIO	      13420
#define CODE_NESTED_NOT_AUDIO 13325

static void on_media(void *arg, const struct media_result *result)
{
	struct item *item = arg;
	struct call *c = playlist_call(item->list);
	bool nested = playlist_nested(item->list);
	int code = result->code;

	item->want = NULL;
	if (!code) {
		item->prompt = prompt_ref(result->prompt);
		item_ready(item);
		return;
	}
	if (code == CODE_NOT_AUDIO && nested)
		code = CODE_NESTED_NOT_AUDIO;
	if (!nested && (code == CODE_NOT_AUDIO || c->world->config->play_strict)) {
		item_fail(item, code, result->url);
		return;
	}
	notify(c, code, &result->about, NULL, "%s is left out: %s (line %u)", result->url,
	       result->text, item->line);
	item_ready(item);
}

static void prepare_digits(struct item *item, const struct twiml_node *n, const char *digits)
{
	if (playlist_nested(item->list)) {
		notify(playlist_call(item->list), 13320, NULL, NULL,
		       "<Play digits> may not stand in a <Gather> (line %u, column %u)", n->line,
		       n->column);
		return;
	}
	item->digits = strdup(digits);
}

void play_prepare(struct item *item, const struct twiml_node *n)
{
	struct call *c = playlist_call(item->list);
	const char *digits = twiml_attr(n, "digits");
	char *text = twiml_text(n, false), *url = NULL;
	int loops, r;

	if (!text)
		return;
	if (digits && *digits && !*text) {
		prepare_digits(item, n, digits);
		goto out;
	}
	if (!*text) {
		notify(c, 12200, NULL, NULL, "<Play> has no URL (line %u, column %u)", n->line,
		       n->column);
		goto out;
	}
	loops = twiml_attr_int(n, "loop");
	item->loops =
		loops <= 0 || loops > PLAYLIST_LOOPS_MAX ? PLAYLIST_LOOPS_MAX : (unsigned)loops;
	r = interp_resolve(c, &url, text);
	if (r == 0)
		r = media_cache_get(&item->want, c->calls->media, c->account_sid, c->auth_token,
				    url, on_media, item);
	if (r == 0) {
		item->waiting = true;
	} else {
		item->want = NULL;
		notify(c, r == -EINVAL ? 11100 : 12400, NULL, NULL,
		       "%.200s is left out (line %u, column %u)", text, n->line, n->column);
	}
out:
	free(text);
	free(url);
}

enum verb_step verb_play_run(struct call *c, const struct twiml_node *n)
{
	return prompt_verb_run(c, n);
}
