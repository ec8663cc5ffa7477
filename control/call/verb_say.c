/* <Say> (twiml-and-webhooks.md §2.1) */
#include "call/call.h"
#include "call/notify.h"
#include "call/playlist.h"
#include "call/prompt_verb.h"
#include "call/verb.h"
#include "proto/twiml.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Limits of the text in characters, by the kind of the voice (13521). */
static size_t text_limit(const char *voice)
{
	if (voice && !strncasecmp(voice, "Polly.", 6))
		return 3000;
	if (voice && !strncasecmp(voice, "Google.", 7))
		return 5000;
	return 4096;
}

static size_t characters(const char *utf8)
{
	size_t n = 0;

	for (; *utf8; utf8++)
		n += ((unsigned char)*utf8 & 0xc0) != 0x80;
	return n;
}

void say_prepare(struct item *item, const struct twiml_node *n)
{
	struct call *c = playlist_call(item->list);
	const char *voice = twiml_attr(n, "voice"), *language = twiml_attr(n, "language");
	char *text = twiml_text(n, true), *ssml = twiml_xml(n);
	int loops = twiml_attr_int(n, "loop");

	if (!text || !ssml)
		goto out;
	/* A <break> alone is something to hear, white space is not. */
	if (!*text && !strchr(ssml, '<')) {
		notify(c, 13520, NULL, NULL, "<Say> has no text (line %u, column %u)", n->line,
		       n->column);
		goto out;
	}
	if (characters(text) > text_limit(voice)) {
		notify(c, 13521, NULL, NULL, "<Say> has %zu characters (line %u, column %u)",
		       characters(text), n->line, n->column);
		goto out;
	}
	item->loops =
		loops <= 0 || loops > PLAYLIST_LOOPS_MAX ? PLAYLIST_LOOPS_MAX : (unsigned)loops;
	item_speak(item, voice, language, ssml);
out:
	free(text);
	free(ssml);
}

enum verb_step verb_say_run(struct call *c, const struct twiml_node *n)
{
	return prompt_verb_run(c, n);
}
