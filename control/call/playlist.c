#include "call/playlist.h"

#include "call/call.h"
#include "call/media_cache.h"
#include "call/notify.h"
#include "media/prompt.h"
#include "proto/twiml.h"

#include "base/buf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ITEMS_MAX      1000
#define TEXT_MAX_BYTES 65536

/* Items are linked one by one: what is being made ready holds their addresses. */
struct entry {
	struct item item;
	struct entry *next;
};

struct playlist {
	struct call *call;
	bool nested;
	playlist_done_fn *done;
	struct entry *first, **tail;
	unsigned count, waiting;
	struct entry *current; /* is heard */
	bool started, playing; /* playing: past the preparation */
	bool in_start;
	uint32_t play_id; /* 0: a pause, or nothing */
	void *timer;	  /* preparation's end, then pauses */
	int fail_code;
	char *fail_url;
};

static void on_timer(void *arg);

struct playlist *playlist_new(struct call *c, bool nested, playlist_done_fn *done)
{
	struct playlist *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->call = c;
	p->nested = nested;
	p->done = done;
	p->tail = &p->first;
	p->timer = c->world->ops->timer_new(c->world->w, on_timer, p);
	if (!p->timer) {
		free(p);
		return NULL;
	}
	return p;
}

/* What an item waits for. */
static void item_drop(struct item *item)
{
	struct world *world = item->list->call->world;

	if (item->job)
		world->ops->speech_cancel(world->w, item->job);
	media_cache_cancel(item->want);
	item->job = NULL;
	item->want = NULL;
}

void playlist_free(struct playlist *p)
{
	struct call *c;

	if (!p)
		return;
	c = p->call;
	if (c->playing == p) {
		c->playing = NULL;
		if (p->play_id && !c->finished)
			leg_stop(c->leg);
	}
	while (p->first) {
		struct entry *e = p->first;

		p->first = e->next;
		item_drop(&e->item);
		prompt_unref(e->item.prompt);
		free(e->item.digits);
		free(e);
	}
	c->world->ops->timer_free(c->world->w, p->timer);
	free(p->fail_url);
	free(p);
}

struct call *playlist_call(const struct playlist *p)
{
	return p->call;
}

bool playlist_nested(const struct playlist *p)
{
	return p->nested;
}

/* -- hearing */

/* True when the entry makes itself heard; played or the timer tells of its end. */
static bool entry_start(struct playlist *p, struct entry *e)
{
	struct call *c = p->call;

	p->play_id = 0;
	if (e->item.prompt)
		p->play_id = leg_play(c->leg, e->item.prompt, e->item.loops ? e->item.loops : 1);
	else if (e->item.digits)
		p->play_id = leg_play_digits(c->leg, e->item.digits);
	else if (e->item.pause_ms)
		c->world->ops->timer_start(c->world->w, p->timer, e->item.pause_ms);
	else
		return false;
	return p->play_id || e->item.pause_ms;
}

/* Goes on as far as nothing has to be waited for. The last act is done: p may be gone after it. */
static void advance(struct playlist *p)
{
	if (p->fail_code) {
		if (!p->in_start)
			p->done(p->call, p->fail_code, p->fail_url);
		return;
	}
	if (!p->started || p->waiting)
		return;
	if (!p->playing) {
		p->playing = true;
		p->call->world->ops->timer_stop(p->call->world->w, p->timer);
		p->current = p->first;
	} else {
		p->current = p->current->next;
	}
	while (p->current && !entry_start(p, p->current))
		p->current = p->current->next;
	if (!p->current && !p->in_start)
		p->done(p->call, 0, NULL);
}

enum verb_step playlist_start(struct playlist *p)
{
	p->started = true;
	p->call->playing = p;
	p->in_start = true;
	advance(p);
	p->in_start = false;
	if (p->waiting) {
		p->call->world->ops->timer_start(p->call->world->w, p->timer, PLAYLIST_READY_MS);
		return VERB_WAIT;
	}
	if (p->fail_code) {
		/* It failed before it was started: told on the next turn, as every failure is. */
		p->call->world->ops->timer_start(p->call->world->w, p->timer, 0);
		return VERB_WAIT;
	}
	return p->current ? VERB_WAIT : VERB_MORE;
}

void playlist_played(struct playlist *p, uint32_t play_id)
{
	if (!p->playing || !p->current || !p->play_id || p->play_id != play_id)
		return;
	p->play_id = 0;
	advance(p);
}

static void on_timer(void *arg)
{
	struct playlist *p = arg;

	if (p->fail_code || p->playing) {
		advance(p);
		return;
	}
	/* What is not ready now is left out. */
	for (struct entry *e = p->first; e; e = e->next) {
		if (!e->item.waiting)
			continue;
		item_drop(&e->item);
		e->item.waiting = false;
		notify(p->call, 12400, NULL, NULL,
		       "a prompt was not ready within %d s and is left out (line %u)",
		       PLAYLIST_READY_MS / 1000, e->item.line);
	}
	p->waiting = 0;
	advance(p);
}

/* -- making ready */

static struct item *add(struct playlist *p)
{
	struct entry *e;

	if (p->count >= ITEMS_MAX)
		return NULL;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->item.list = p;
	e->item.loops = 1;
	*p->tail = e;
	p->tail = &e->next;
	p->count++;
	return &e->item;
}

static void added(struct item *item)
{
	if (item->waiting)
		item->list->waiting++;
}

void item_ready(struct item *item)
{
	if (!item->waiting)
		return;
	item->waiting = false;
	item->list->waiting--;
	if (!item->list->waiting)
		advance(item->list);
}

void item_fail(struct item *item, int code, const char *url)
{
	struct playlist *p = item->list;

	if (!p->fail_code) {
		p->fail_code = code;
		p->fail_url = strdup(url ? url : "");
	}
	if (item->waiting) {
		item->waiting = false;
		p->waiting--;
	}
	if (p->started)
		advance(p);
}

void playlist_add_node(struct playlist *p, const struct twiml_node *n)
{
	struct item *item = add(p);

	if (!item)
		return;
	item->line = n->line;
	if (!strcmp(n->name, "Say"))
		say_prepare(item, n);
	else if (!strcmp(n->name, "Play"))
		play_prepare(item, n);
	else if (!strcmp(n->name, "Pause"))
		pause_prepare(item, n);
	added(item);
}

static void on_spoken(void *arg, int r, struct prompt *prompt)
{
	struct item *item = arg;

	item->job = NULL;
	item->prompt = prompt;
	if (r < 0 && r != -EINVAL)
		notify(item->list->call, 12400, NULL, NULL,
		       "a text could not be spoken and is left out (line %u)", item->line);
	item_ready(item);
}

void item_speak(struct item *item, const char *voice, const char *language, const char *ssml)
{
	struct call *c = item->list->call;
	bool voice_known = true, language_known = true, nested = item->list->nested;
	const struct speech_voice *v;

	v = c->world->ops->speech_voice(c->world->w, voice, language, &voice_known,
					&language_known);
	if (voice && !voice_known)
		notify(c, nested ? 13321 : 13511, NULL, NULL,
		       "voice '%.60s' is not known, the nearest speaks (line %u)", voice,
		       item->line);
	if (language && !language_known)
		notify(c, 13512, NULL, NULL,
		       "language '%.60s' is not known, the nearest is spoken (line %u)", language,
		       item->line);
	if (c->world->ops->speech_say(c->world->w, &item->job, v, ssml, on_spoken, item) == 0) {
		item->waiting = true;
		return;
	}
	item->job = NULL;
	notify(c, 12400, NULL, NULL, "too much waits to be spoken, a text is left out (line %u)",
	       item->line);
}

void playlist_add_text(struct playlist *p, const char *text)
{
	struct item *item = add(p);
	struct buf b;

	if (!item)
		return;
	buf_init(&b, TEXT_MAX_BYTES);
	for (; *text; text++) {
		if (*text == '<')
			buf_adds(&b, "&lt;");
		else if (*text == '&')
			buf_adds(&b, "&amp;");
		else if (*text == '>')
			buf_adds(&b, "&gt;");
		else if ((unsigned char)*text >= 0x20 || *text == '\n' || *text == '\t')
			buf_addc(&b, *text);
	}
	if (!b.error && b.len)
		item_speak(item, NULL, NULL, b.data);
	buf_done(&b);
	added(item);
}

static void on_decoded(void *arg, int r, struct prompt *prompt)
{
	struct item *item = arg;

	item->job = NULL;
	item->prompt = prompt;
	if (r < 0)
		item_fail(item, 13420, item->list->call->interp.shown_url);
	else
		item_ready(item);
}

void playlist_add_audio(struct playlist *p, const void *data, size_t len, const char *content_type)
{
	struct item *item = add(p);
	struct call *c = p->call;

	if (!item)
		return;
	if (c->world->ops->speech_decode(c->world->w, &item->job, data, len, content_type,
					 on_decoded, item) == 0) {
		item->waiting = true;
	} else {
		item->job = NULL;
		item_fail(item, 12400, c->interp.shown_url);
	}
	added(item);
}
