/*
 * speech_engine - inside speech: what an engine is, what it is asked to say, and the voices of all
 * engines.
 *
 * Engines run on the speech thread alone, but for start, stop and list (loop thread, while that
 * thread does not run).
 */
#ifndef HOOKSWITCH_MEDIA_SPEECH_ENGINE_H
#define HOOKSWITCH_MEDIA_SPEECH_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/speech.h"

#define SPEECH_TEXT_MAX	    (64 * 1024)
#define SPEECH_SEGMENTS_MAX 4096
#define SPEECH_SECONDS_MAX  600 /* speech beyond it is cut off */

/* Runs of the same manner; built from SSML by speech_ssml.c. */
struct speech_segment {
	char *text;	   /* UTF-8 without control characters; NULL: a pause or a beep */
	unsigned pause_ms; /* before the text */
	bool beep;	   /* instead of the text (say-as expletive) */
	float rate, pitch; /* 1: the voice's own */
	float gain;	   /* linear */
	char language[24]; /* of <lang>; "": the voice's */
};

struct speech_script {
	struct speech_segment *segments;
	size_t count, cap;
};

/* -EINVAL: not well-formed or nothing to say; -EFBIG beyond the limits above; -ENOMEM. ret is to be
 * freed on success. */
int speech_ssml_parse(struct speech_script *ret, const char *ssml, const char *language);
void speech_script_done(struct speech_script *script);

/* What say-as makes of text, in English where words are needed; NULL: out of memory. The caller
 * frees. */
enum speech_say_as {
	SAY_AS_TEXT,
	SAY_AS_CHARACTERS,
	SAY_AS_DIGITS,
	SAY_AS_TELEPHONE,
	SAY_AS_NUMBER,
	SAY_AS_ORDINAL,
	SAY_AS_FRACTION,
	SAY_AS_DATE,
	SAY_AS_TIME,
	SAY_AS_EXPLETIVE
};
enum speech_say_as speech_say_as_find(const char *interpret_as);
char *speech_say_as(enum speech_say_as how, const char *format, const char *text, bool english);

/* Samples of one segment; non-zero: stop. */
typedef int speech_sink_fn(void *arg, unsigned rate, const int16_t *samples, size_t count);
typedef int speech_voice_add_fn(void *arg, const char *name, const char *language,
				unsigned priority);

struct speech_engine {
	const char *name;
	int (*start)(void);
	void (*stop)(void);
	/* Calls add for every voice and language that it has; stops at an error and returns it. */
	int (*list)(speech_voice_add_fn *add, void *arg);
	/* -EIO; -EILSEQ: not text that this voice can read. */
	int (*say)(const struct speech_voice *voice, const struct speech_segment *segment,
		   speech_sink_fn *sink, void *arg);
};

extern const struct speech_engine speech_espeak, speech_flite;

struct speech_voice {
	const struct speech_engine *engine;
	char name[48];	   /* as the engine calls it */
	char language[32]; /* the engine's tag, lower case */
	unsigned priority; /* lower is better for this language */
	bool female;
};

struct speech_voices;
struct speech_voices *speech_voices_new(const char *default_voice, const char *default_language);
void speech_voices_free(struct speech_voices *voices);
const struct speech_voice *speech_voices_find(const struct speech_voices *voices, const char *voice,
					      const char *language, bool *voice_known,
					      bool *language_known);
/* For <lang>: the same gender in another language; the same voice when the language is unknown or
 * its own. */
const struct speech_voice *speech_voices_in_language(const struct speech_voices *voices,
						     const struct speech_voice *voice,
						     const char *language);
/* espeak-ng reads any script: its voice of the same language and gender. */
const struct speech_voice *speech_voices_for_any_text(const struct speech_voices *voices,
						      const struct speech_voice *voice);
void speech_voices_walk(const struct speech_voices *voices, speech_voice_row_fn *row, void *arg);

#endif
