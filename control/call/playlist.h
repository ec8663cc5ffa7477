/*
 * playlist - things to be heard one after the other: Say, Play, Pause, apologies. All of them are
 * made ready (spoken, fetched, decoded) before the first is heard (twiml-and-webhooks.md §2.4 1).
 * Loop thread only.
 *
 * Owner: the verb or the interpreter that made it. At most one plays in a call.
 */
#ifndef HOOKSWITCH_CALL_PLAYLIST_H
#define HOOKSWITCH_CALL_PLAYLIST_H

#include "call/verb.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct call;
struct media_want;
struct playlist;
struct prompt;
struct speech_job;
struct twiml_node;

#define PLAYLIST_LOOPS_MAX 1000
#define PLAYLIST_READY_MS  60000 /* what is not ready by then is left out */

/* One thing to be heard. Made ready by the file of its verb; while waiting is true the playlist
 * waits for it. */
struct item {
	struct playlist *list;
	bool waiting;
	unsigned line;	       /* of its element, for Notifications */
	struct prompt *prompt; /* a reference */
	unsigned loops;
	uint64_t pause_ms;
	char *digits;
	struct speech_job *job; /* what it waits for */
	struct media_want *want;
};

/* code 0: all was heard. Else an error that ends the document, about url. */
typedef void playlist_done_fn(struct call *c, int code, const char *url);

struct playlist *
playlist_new(struct call *c, bool nested,
	     playlist_done_fn *done);	/* nested: in a Gather; NULL: out of memory */
void playlist_free(struct playlist *p); /* stops what is heard; NULL is fine */

void playlist_add_node(struct playlist *p, const struct twiml_node *n); /* Say, Play or Pause */
void playlist_add_text(struct playlist *p, const char *text);
void playlist_add_audio(struct playlist *p, const void *data, size_t len_bytes,
			const char *content_type);

/* WAIT: done follows, later. MORE: there was nothing to hear, done does not follow. */
enum verb_step playlist_start(struct playlist *p);
void playlist_played(struct playlist *p, uint32_t play_id);

struct call *playlist_call(const struct playlist *p);
bool playlist_nested(const struct playlist *p);

/* For the verbs' files: fill the item, or leave it empty when there is nothing to hear. */
void say_prepare(struct item *item, const struct twiml_node *n);
void play_prepare(struct item *item, const struct twiml_node *n);
void pause_prepare(struct item *item, const struct twiml_node *n);
void item_speak(struct item *item, const char *voice, const char *language, const char *ssml);
void item_ready(struct item *item); /* it waits no longer */
void item_fail(struct item *item, int code,
	       const char *url); /* ends the playlist with that error */

#endif
