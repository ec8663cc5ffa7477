/*
 * speech - text to a prompt. One small interface; engines (espeak-ng, flite) stand in a table
 * behind it.
 *
 * For the loop thread. The work is done by child processes, since a text can crash an engine; what
 * is said is cached by content.
 */
#ifndef HOOKSWITCH_MEDIA_SPEECH_H
#define HOOKSWITCH_MEDIA_SPEECH_H

#include <stdbool.h>
#include <stddef.h>

struct loop;
struct speech;
struct speech_job;
struct prompt;
struct prompt_cache;

/* One at a time in a process: espeak-ng is. NULL: out of memory, or an engine does not start. */
struct speech *speech_new(struct loop *loop, struct prompt_cache *cache, const char *default_voice,
			  const char *default_language);
/* Not from a done. Jobs left end without one. NULL is fine. */
void speech_free(struct speech *speech);

/*
 * Which engine voice a TwiML voice and language mean (twiml-and-webhooks.md §2.1). NULL voice or
 * language = the default. *voice_known / *language_known false: the nearest was taken (warnings
 * 13511, 13512).
 */
struct speech_voice;
const struct speech_voice *speech_voice_find(const struct speech *speech, const char *voice,
					     const char *language, bool *voice_known,
					     bool *language_known);

/* All voices, for documentation: each TwiML name (and each language for man and woman) with the
 * engine's voice that it means. */
typedef void speech_voice_row_fn(void *arg, const char *voice, const char *language,
				 const char *engine, const char *engine_voice, bool female);
void speech_voice_walk(const struct speech *speech, speech_voice_row_fn *row, void *arg);

/* r: 0 and a prompt that the callee unrefs; or -errno (-EINVAL nothing to say, -EIO an engine or
 * decoder died of it, -EAGAIN queue full). */
typedef void speech_done_fn(void *arg, int r, struct prompt *prompt);

/*
 * Says ssml: the content of <Say> as XML text (elements of §2.1 "SSML children"; plain text
 * escaped). Completion rules as everywhere: exactly one done, on the loop, never before speech_say
 * returned, never after speech_cancel. Equal requests that wait at the same time are synthesised
 * once. Returns -EAGAIN when the queue is full, -ENOMEM.
 */
int speech_say(struct speech_job **ret, struct speech *speech, const struct speech_voice *voice,
	       const char *ssml, speech_done_fn *done, void *arg);
void speech_cancel(struct speech_job *job); /* NULL is fine */

/* Decodes a media file (prompt_decode and its errors) apart, so that slow speech delays no
 * <Play>; same rules. Copies data and content_type. */
struct prompt_limits;
int speech_decode(struct speech_job **ret, struct speech *speech, const void *data,
		  size_t len_bytes, const char *content_type, const struct prompt_limits *limits,
		  speech_done_fn *done, void *arg);

#endif
