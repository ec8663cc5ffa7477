/*
 * speech_names - inside speech: the voice and language names that TwiML documents use
 * (twiml-and-webhooks.md §2.1). Pure.
 */
#ifndef HOOKSWITCH_MEDIA_SPEECH_NAMES_H
#define HOOKSWITCH_MEDIA_SPEECH_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct speech_name {
	char language[32]; /* BCP-47; "": any, the caller's or the default */
	bool female;
	const char *engine; /* NULL: any */
	const char *engine_voice;
};

/* man, woman, alice, Polly.*, Google.*, flite.*, espeak.*; any case, accents and -Neural etc.
 * ignored. False: unknown, ret untouched. */
bool speech_name_find(struct speech_name *ret, const char *voice);

/* Walkers for documentation; NULL beyond the end. */
const char *speech_name_at(size_t i);	  /* voice names */
const char *speech_language_at(size_t i); /* languages */

bool speech_language_known(const char *language); /* one that Twilio documents */

/*
 * The engines' tag for a language, lower case; language itself when it has no entry. *near: it is
 * another language, the nearest that can be spoken.
 */
const char *speech_language_alias(const char *language, bool *near);

#endif
