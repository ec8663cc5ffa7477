#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "media/speech_engine.h"
#include "media/speech_names.h"

#define VOICES_MAX 2048

/* Where two engines have a language, the one that sounds better comes first
 * (docs/adr/0007-speech-engines.md). */
static const struct speech_engine *const engines[] = { &speech_flite, &speech_espeak };
#define ENGINES (sizeof(engines) / sizeof(engines[0]))

struct speech_voices {
	struct speech_voice *list;
	size_t count, cap;
	unsigned started; /* engines */
	const struct speech_engine *adding;
	char *default_voice, *default_language;
};

static int add_one(struct speech_voices *voices, const char *name, const char *language,
		   unsigned priority, bool female)
{
	struct speech_voice *v;

	if (strlen(name) >= sizeof(v->name) || strlen(language) >= sizeof(v->language) ||
	    voices->count == VOICES_MAX)
		return 0; /* a voice that nobody can name */
	if (voices->count == voices->cap) {
		size_t cap = voices->cap ? 2 * voices->cap : 256;

		v = realloc(voices->list, cap * sizeof(*v));
		if (!v)
			return -ENOMEM;
		voices->list = v;
		voices->cap = cap;
	}
	v = &voices->list[voices->count++];
	*v = (struct speech_voice){ .engine = voices->adding,
				    .priority = priority,
				    .female = female };
	snprintf(v->name, sizeof(v->name), "%s", name);
	snprintf(v->language, sizeof(v->language), "%s", language);
	return 0;
}

static int add_voice(void *arg, const char *name, const char *language, unsigned priority)
{
	struct speech_voices *voices = arg;
	int r;

	if (voices->adding == &speech_flite) /* its voices are persons; slt is the woman */
		return add_one(voices, name, language, priority, !strcmp(name, "slt"));
	r = add_one(voices, name, language, priority, false);
	return r < 0 ? r : add_one(voices, name, language, priority, true);
}

struct speech_voices *speech_voices_new(const char *default_voice, const char *default_language)
{
	struct speech_voices *voices = calloc(1, sizeof(*voices));
	int r = 0;

	if (!voices)
		return NULL;
	voices->default_voice = strdup(default_voice ? default_voice : "man");
	voices->default_language = strdup(default_language ? default_language : "en-US");
	if (!voices->default_voice || !voices->default_language)
		goto fail;
	for (; voices->started < ENGINES && !r; voices->started++) {
		voices->adding = engines[voices->started];
		if (voices->adding->start() < 0)
			goto fail;
		r = voices->adding->list(add_voice, voices);
	}
	if (r < 0 || !voices->count)
		goto fail;
	return voices;
fail:
	speech_voices_free(voices);
	return NULL;
}

void speech_voices_free(struct speech_voices *voices)
{
	if (!voices)
		return;
	while (voices->started)
		engines[--voices->started]->stop();
	free(voices->default_voice);
	free(voices->default_language);
	free(voices->list);
	free(voices);
}

/* The best voice with this very tag; with prefix: the tag or one below it (xx of xx-yy). */
static const struct speech_voice *find_tag(const struct speech_voices *voices, const char *tag,
					   bool prefix, const struct speech_name *want)
{
	const struct speech_voice *best = NULL;
	size_t n = strlen(tag);

	for (size_t i = 0; i < voices->count; i++) {
		const struct speech_voice *v = &voices->list[i];

		if (strncasecmp(v->language, tag, n) != 0 ||
		    (v->language[n] && !(prefix && v->language[n] == '-')))
			continue;
		if (v->female != want->female ||
		    (want->engine && strcmp(want->engine, v->engine->name) != 0) ||
		    (want->engine_voice && strcmp(want->engine_voice, v->name) != 0))
			continue;
		/* Engines are in the order of preference, so of two a later one never wins. */
		if (!best || (v->engine == best->engine && v->priority < best->priority))
			best = v;
	}
	return best;
}

/* The voice for a language: its tag, what the tag is another name of, its first part. NULL: cannot
 * be spoken. */
static const struct speech_voice *find_language(const struct speech_voices *voices,
						const char *language,
						const struct speech_name *want, bool *near)
{
	const char *tag = speech_language_alias(language, near);
	const struct speech_voice *v = find_tag(voices, tag, false, want);
	char primary[16];
	size_t n = strcspn(language, "-_");
	bool near_primary;

	if (v || n >= sizeof(primary) || !n)
		return v;
	memcpy(primary, language, n);
	primary[n] = '\0';
	tag = speech_language_alias(primary, &near_primary);
	*near = *near || near_primary;
	v = find_tag(voices, tag, false, want);
	return v ? v : find_tag(voices, tag, true, want);
}

/* A documented language, or a tag that an engine has itself (eo, en-gb-scotland). */
static bool language_known(const struct speech_voices *voices, const char *language,
			   const struct speech_name *want)
{
	return speech_language_known(language) || find_tag(voices, language, false, want);
}

static bool same_primary(const char *a, const char *b)
{
	size_t n = strcspn(a, "-_"), m = strcspn(b, "-_");

	return n == m && !strncasecmp(a, b, n);
}

const struct speech_voice *speech_voices_find(const struct speech_voices *voices, const char *voice,
					      const char *language, bool *voice_known, bool *known)
{
	struct speech_name want = { .female = false };
	const struct speech_voice *v = NULL;
	const char *spoken;
	bool near = false;

	if (language && !*language)
		language = NULL;
	if (!voice || !*voice)
		voice = voices->default_voice;
	*known = true;
	*voice_known = speech_name_find(&want, voice);
	if (!*voice_known)
		speech_name_find(&want, voices->default_voice);

	/* A voice speaks its own language; another one only when the document asks for it, and then
	 * by the nearest voice. */
	spoken = language ? language : want.language[0] ? want.language : voices->default_language;
	if (want.language[0] && *voice_known &&
	    (!language || same_primary(language, want.language)))
		spoken = want.language;
	else if (want.language[0])
		want.engine_voice = want.engine = NULL;
	if (language)
		*known = language_known(voices, language, &want) &&
			 (!*voice_known || !want.language[0] ||
			  same_primary(language, want.language) ||
			  same_primary(speech_language_alias(language, &near),
				       speech_language_alias(want.language, &near)));
	v = find_language(voices, spoken, &want, &near);
	if (v && near && language)
		*known = false;
	if (!v) {
		*known = !language;
		want.engine_voice = want.engine = NULL;
		v = find_language(voices, voices->default_language, &want, &near);
	}
	return v ? v
		 : find_tag(voices, "en-us", false, &(struct speech_name){ .female = want.female });
}

const struct speech_voice *speech_voices_in_language(const struct speech_voices *voices,
						     const struct speech_voice *voice,
						     const char *language)
{
	const struct speech_name want = { .female = voice->female };
	const struct speech_voice *v;
	bool near;

	if (!*language || same_primary(language, voice->language))
		return voice;
	v = find_language(voices, language, &want, &near);
	return v ? v : voice;
}

const struct speech_voice *speech_voices_for_any_text(const struct speech_voices *voices,
						      const struct speech_voice *voice)
{
	const struct speech_name want = { .female = voice->female, .engine = speech_espeak.name };
	const struct speech_voice *v;
	bool near;

	v = find_language(voices, voice->language, &want, &near);
	return v ? v : voice;
}

void speech_voices_walk(const struct speech_voices *voices, speech_voice_row_fn *row, void *arg)
{
	bool voice_known, known;
	const struct speech_voice *v;
	const char *name, *language;

	for (size_t i = 0; (name = speech_name_at(i)); i++) {
		struct speech_name found;

		if (!speech_name_find(&found, name))
			continue;
		v = speech_voices_find(voices, name, NULL, &voice_known, &known);
		row(arg, name, found.language[0] ? found.language : voices->default_language,
		    v->engine->name, v->name, v->female);
	}
	for (size_t i = 0; (language = speech_language_at(i)); i++)
		for (int female = 0; female < 2; female++) {
			name = female ? "woman" : "man";
			v = speech_voices_find(voices, name, language, &voice_known, &known);
			if (known)
				row(arg, name, language, v->engine->name, v->name, v->female);
		}
}
