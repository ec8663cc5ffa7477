#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <expat.h>

#include "base/buf.h"
#include "media/speech_engine.h"

#define DEPTH_MAX    64
#define WORD_MAX     50 /* engines stumble over longer runs without a space */
#define BREAK_MAX_MS 10000
#define GAIN_MAX     4
#define SENTENCE_MS  300
#define PARAGRAPH_MS 600

struct style {
	float rate, pitch, gain;
	char language[24];
	enum speech_say_as how;
	char format[12];
	bool alias;	   /* of <sub>: said in place of the content */
	unsigned after_ms; /* a pause when the element ends */
};

struct parser {
	XML_Parser xml;
	struct speech_script script;
	struct style stack[DEPTH_MAX];
	size_t depth;
	struct buf text; /* of the style on top */
	size_t total_bytes, word;
	unsigned pause_ms; /* before the next segment */
	unsigned break_ms; /* of it, what breaks ask for */
	bool english, said;
	int r;
};

struct word_value {
	const char *word;
	float value;
};

static const struct word_value strengths[] = { { "none", 0 },	  { "x-weak", 100 },
					       { "weak", 200 },	  { "medium", 400 },
					       { "strong", 700 }, { "x-strong", 1000 } };
static const struct word_value rates[] = {
	{ "x-slow", 0.5f }, { "slow", 0.75f }, { "medium", 1 },
	{ "default", 1 },   { "fast", 1.25f }, { "x-fast", 1.6f }
};
static const struct word_value pitches[] = {
	{ "x-low", 0.6f }, { "low", 0.8f },  { "medium", 1 },
	{ "default", 1 },  { "high", 1.2f }, { "x-high", 1.4f }
};
static const struct word_value volumes_db[] = { { "silent", -200 }, { "x-soft", -12 },
						{ "soft", -6 },	    { "medium", 0 },
						{ "default", 0 },   { "loud", 4 },
						{ "x-loud", 8 } };
static const struct word_value emphases_rate[] = {
	{ "strong", 0.85f }, { "moderate", 0.93f }, { "reduced", 1.1f }, { "none", 1 }
};
static const struct word_value emphases_db[] = {
	{ "strong", 4 }, { "moderate", 2 }, { "reduced", -3 }, { "none", 0 }
};

#define FIND_WORD(table, word, otherwise)                                                          \
	find_word(table, sizeof(table) / sizeof((table)[0]), word, otherwise)

static float find_word(const struct word_value *table, size_t count, const char *word,
		       float otherwise)
{
	for (size_t i = 0; word && i < count; i++)
		if (!strcasecmp(table[i].word, word))
			return table[i].value;
	return otherwise;
}

static float clamp(float v, float min, float max)
{
	return v >= min ? (v < max ? v : max) : min; /* NaN: min */
}

static float from_db(float db)
{
	return db <= -100 ? 0 : powf(10, clamp(db, -60, 10) / 20);
}

static const char *attribute(const XML_Char **attributes, const char *name)
{
	for (; *attributes; attributes += 2)
		if (!strcmp(attributes[0], name))
			return attributes[1];
	return NULL;
}

static int add_segment(struct parser *p, const struct speech_segment *segment)
{
	struct speech_script *s = &p->script;

	if (s->count == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 8;
		struct speech_segment *more;

		if (s->count >= SPEECH_SEGMENTS_MAX)
			return -EFBIG;
		more = realloc(s->segments, cap * sizeof(*more));
		if (!more)
			return -ENOMEM;
		s->segments = more;
		s->cap = cap;
	}
	s->segments[s->count++] = *segment;
	p->pause_ms = p->break_ms = 0;
	p->said = true;
	return 0;
}

static bool blank(const char *s)
{
	return !s || !s[strspn(s, " ")];
}

/* What was gathered so far becomes a segment in the style on top. */
static void flush(struct parser *p)
{
	const struct style *style = &p->stack[p->depth];
	struct speech_segment segment = { .pause_ms = p->pause_ms,
					  .rate = style->rate,
					  .pitch = style->pitch,
					  .gain = style->gain };
	bool english = *style->language ? !strncasecmp(style->language, "en", 2) : p->english;

	p->word = 0;
	if (p->r || p->text.error || blank(p->text.data)) {
		buf_reset(&p->text);
		return;
	}
	memcpy(segment.language, style->language, sizeof(segment.language));
	if (style->how == SAY_AS_EXPLETIVE) {
		segment.beep = true;
	} else {
		segment.text = speech_say_as(style->how, style->format, p->text.data, english);
		if (!segment.text) {
			p->r = -ENOMEM;
			return;
		}
	}
	buf_reset(&p->text);
	p->r = add_segment(p, &segment);
	if (p->r)
		free(segment.text);
}

static void add_text(struct parser *p, const char *s, size_t len)
{
	p->total_bytes += len;
	if (p->total_bytes > SPEECH_TEXT_MAX)
		p->r = -EFBIG;
	for (size_t i = 0; i < len && !p->r; i++) {
		unsigned char c = (unsigned char)s[i];

		if (isspace(c) || c < 0x20 || c == 0x7f) {
			c = ' ';
			p->word = 0;
		} else if (c < 0x80 && ++p->word > WORD_MAX) {
			buf_addc(&p->text, ' ');
			p->word = 1;
		}
		buf_addc(&p->text, (char)c);
	}
	if (!p->r && p->text.error)
		p->r = p->text.error == -ENOSPC ? -EFBIG : p->text.error;
}

static void pause_for(struct parser *p, unsigned ms)
{
	if (ms > p->pause_ms)
		p->pause_ms = ms;
}

static void start_break(struct parser *p, const XML_Char **attributes)
{
	const char *time = attribute(attributes, "time");
	float ms = FIND_WORD(strengths, attribute(attributes, "strength"), 400);
	char *end;

	if (time) {
		float v = strtof(time, &end);

		if (end != time && !strcasecmp(end, "s"))
			ms = v * 1000;
		else if (end != time && !strcasecmp(end, "ms"))
			ms = v;
	}
	p->break_ms += (unsigned)clamp(ms, 0, BREAK_MAX_MS);
	pause_for(p, p->break_ms);
	p->said = true;
}

/* "120%" is a factor, "+20%" a change; otherwise the word. */
static float percent(const char *s, float otherwise)
{
	char *end;
	float v;

	if (!s || !strchr(s, '%'))
		return otherwise;
	v = strtof(s, &end);
	if (end == s || strcmp(end, "%") != 0)
		return otherwise;
	return *s == '+' || *s == '-' ? 1 + v / 100 : v / 100;
}

static void start_prosody(struct style *style, const XML_Char **attributes)
{
	const char *rate = attribute(attributes, "rate"), *pitch = attribute(attributes, "pitch");
	const char *volume = attribute(attributes, "volume");
	float db = FIND_WORD(volumes_db, volume, 0);
	char *end;

	if (volume && (*volume == '+' || *volume == '-' || isdigit((unsigned char)*volume))) {
		db = strtof(volume, &end);
		if (strcasecmp(end, "dB") != 0)
			db = 0;
	}
	style->rate = clamp(style->rate * percent(rate, FIND_WORD(rates, rate, 1)), 0.2f, 2);
	style->pitch = clamp(style->pitch * percent(pitch, FIND_WORD(pitches, pitch, 1)), 0.5f, 2);
	style->gain = clamp(style->gain * from_db(db), 0, GAIN_MAX);
}

static void XMLCALL start_element(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	struct parser *p = arg;
	struct style style = p->stack[p->depth];
	const char *value;

	if (p->r)
		return;
	style.after_ms = 0;
	if (!strcmp(name, "break")) {
		flush(p);
		start_break(p, attributes);
	} else if (!strcmp(name, "p") || !strcmp(name, "s")) {
		flush(p);
		style.after_ms = *name == 'p' ? PARAGRAPH_MS : SENTENCE_MS;
		if (p->said)
			pause_for(p, style.after_ms);
	} else if (!strcmp(name, "prosody")) {
		flush(p);
		start_prosody(&style, attributes);
	} else if (!strcmp(name, "emphasis")) {
		flush(p);
		value = attribute(attributes, "level");
		style.rate = clamp(style.rate * FIND_WORD(emphases_rate, value, 0.93f), 0.2f, 2);
		style.gain =
			clamp(style.gain * from_db(FIND_WORD(emphases_db, value, 2)), 0, GAIN_MAX);
	} else if (!strcmp(name, "lang")) {
		flush(p);
		value = attribute(attributes, "xml:lang");
		if (value && strlen(value) < sizeof(style.language))
			snprintf(style.language, sizeof(style.language), "%s", value);
	} else if (!strcmp(name, "say-as")) {
		flush(p);
		value = attribute(attributes, "interpret-as");
		style.how = value ? speech_say_as_find(value) : SAY_AS_TEXT;
		value = attribute(attributes, "format");
		snprintf(style.format, sizeof(style.format), "%s",
			 value && strlen(value) < sizeof(style.format) ? value : "");
	} else if (!strcmp(name, "sub")) {
		value = attribute(attributes, "alias");
		if (value && !style.alias) {
			add_text(p, value, strlen(value));
			style.alias = true;
		}
	} /* phoneme, w, speak and what is unknown: their text */
	if (p->r)
		return;
	if (p->depth + 1 == DEPTH_MAX)
		p->r = -EFBIG;
	else
		p->stack[++p->depth] = style;
}

static void XMLCALL end_element(void *arg, const XML_Char *name)
{
	struct parser *p = arg;
	unsigned after_ms;

	if (p->r || !p->depth)
		return;
	/* Within one style text runs on, so that a sentence keeps its melody. */
	if (strcmp(name, "sub") && strcmp(name, "w") && strcmp(name, "phoneme") &&
	    strcmp(name, "break"))
		flush(p);
	after_ms = p->stack[p->depth--].after_ms;
	pause_for(p, after_ms);
}

static void XMLCALL character_data(void *arg, const XML_Char *s, int len)
{
	struct parser *p = arg;

	if (!p->r && !p->stack[p->depth].alias)
		add_text(p, s, (size_t)len);
}

void speech_script_done(struct speech_script *script)
{
	for (size_t i = 0; i < script->count; i++)
		free(script->segments[i].text);
	free(script->segments);
	memset(script, 0, sizeof(*script));
}

static bool feed(struct parser *p, const char *s, bool last)
{
	return XML_Parse(p->xml, s, (int)strlen(s), last) == XML_STATUS_OK;
}

int speech_ssml_parse(struct speech_script *ret, const char *ssml, const char *language)
{
	struct parser *p = calloc(1, sizeof(*p));
	struct speech_segment tail = { .rate = 1, .pitch = 1, .gain = 1 };
	int r = -ENOMEM;

	if (!p)
		return -ENOMEM;
	buf_init(&p->text, 2 * SPEECH_TEXT_MAX);
	p->english = !strncasecmp(language, "en", 2);
	p->stack[0] = (struct style){ .rate = 1, .pitch = 1, .gain = 1 };
	p->xml = XML_ParserCreate("UTF-8");
	if (!p->xml)
		goto out;
	XML_SetUserData(p->xml, p);
	XML_SetElementHandler(p->xml, start_element, end_element);
	XML_SetCharacterDataHandler(p->xml, character_data);
	r = -EFBIG;
	if (strlen(ssml) > 8 * SPEECH_TEXT_MAX)
		goto out;
	/* Inside an element there can be no DOCTYPE, hence no entities but XML's own. */
	r = -EINVAL;
	if (!feed(p, "<speak>", false) || !feed(p, ssml, false) || !feed(p, "</speak>", true))
		goto out;
	if (!p->r && p->break_ms) { /* a break at the end is waited for */
		tail.pause_ms = p->break_ms;
		p->r = add_segment(p, &tail);
	}
	r = p->r ? p->r : p->script.count ? 0 : -EINVAL;
	if (r < 0)
		goto out;
	*ret = p->script;
	memset(&p->script, 0, sizeof(p->script));
out:
	if (p->xml)
		XML_ParserFree(p->xml);
	speech_script_done(&p->script);
	buf_done(&p->text);
	free(p);
	return r;
}
