#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <flite/flite.h>

#include "base/buf.h"
#include "media/speech_engine.h"

/* A piece of text that flite makes into sound at once: bounds its memory and how long a cancel
 * takes. */
#define PIECE_SOFT 200
#define PIECE_MAX  500

/* flite's headers do not declare its voices. */
cst_voice *register_cmu_us_kal(const char *voxdir);
cst_voice *register_cmu_us_slt(const char *voxdir);
cst_voice *register_cmu_us_rms(const char *voxdir);
cst_voice *register_cmu_us_awb(const char *voxdir);

static struct {
	const char *name, *language;
	unsigned priority;
	cst_voice *(*register_voice)(const char *voxdir);
	cst_voice *voice;
} flite_voices[] = {
	{ "slt", "en-us", 1, register_cmu_us_slt, NULL },
	{ "rms", "en-us", 1, register_cmu_us_rms, NULL },
	{ "awb", "en-gb-scotland", 1, register_cmu_us_awb, NULL },
	{ "kal", "en-us", 9, register_cmu_us_kal, NULL },
};
#define FLITE_VOICES (sizeof(flite_voices) / sizeof(flite_voices[0]))

/* Used by the speech thread alone, as its voices are. */
static struct {
	speech_sink_fn *sink;
	void *arg;
	bool stopped;
} flite;

static int flite_samples(const cst_wave *w, int start, int size, int last,
			 cst_audio_streaming_info *info)
{
	(void)last, (void)info;
	if (!flite.stopped && size > 0 && flite.sink)
		flite.stopped = flite.sink(flite.arg, (unsigned)w->sample_rate, w->samples + start,
					   (size_t)size) != 0;
	return flite.stopped ? CST_AUDIO_STREAM_STOP : CST_AUDIO_STREAM_CONT;
}

static int flite_start(void)
{
	flite_init();
	for (size_t i = 0; i < FLITE_VOICES; i++) {
		cst_audio_streaming_info *info;

		if (flite_voices[i].voice)
			continue; /* they stay for the life of the process: static data of the
				     libraries */
		flite_voices[i].voice = flite_voices[i].register_voice(NULL);
		info = new_audio_streaming_info();
		if (!flite_voices[i].voice || !info)
			return -EIO;
		info->asc = flite_samples;
		feat_set(flite_voices[i].voice->features, "streaming_info",
			 audio_streaming_info_val(info));
	}
	return 0;
}

static void flite_stop(void)
{
}

static int flite_list(speech_voice_add_fn *add, void *arg)
{
	int r = 0;

	for (size_t i = 0; i < FLITE_VOICES && !r; i++)
		r = add(arg, flite_voices[i].name, flite_voices[i].language,
			flite_voices[i].priority);
	return r;
}

/* flite reads ASCII: what English text holds beyond it, in its place. */
static const struct {
	const char *utf8, *ascii;
} replacements[] = {
	{ "\xe2\x80\x98", "'" },   { "\xe2\x80\x99", "'" },	 { "\xe2\x80\x9c", "\"" },
	{ "\xe2\x80\x9d", "\"" },  { "\xe2\x80\x93", "-" },	 { "\xe2\x80\x94", ", " },
	{ "\xe2\x80\xa6", "..." }, { "\xe2\x82\xac", " euro " }, { "\xc2\xa3", " pound " },
	{ "\xc2\xa0", " " },	   { "\xc2\xb0", " degrees " },	 { "\xc2\xa9", "" },
	{ "\xc2\xae", "" },	   { "\xe2\x84\xa2", "" },	 { "\xc2\xbd", " one half " },
	{ "\xc2\xad", "" },	   { "\xc3\xa0", "a" },		 { "\xc3\xa1", "a" },
	{ "\xc3\xa2", "a" },	   { "\xc3\xa4", "a" },		 { "\xc3\xa7", "c" },
	{ "\xc3\xa8", "e" },	   { "\xc3\xa9", "e" },		 { "\xc3\xaa", "e" },
	{ "\xc3\xab", "e" },	   { "\xc3\xad", "i" },		 { "\xc3\xae", "i" },
	{ "\xc3\xaf", "i" },	   { "\xc3\xb1", "n" },		 { "\xc3\xb3", "o" },
	{ "\xc3\xb4", "o" },	   { "\xc3\xb6", "o" },		 { "\xc3\xb8", "o" },
	{ "\xc3\xba", "u" },	   { "\xc3\xbc", "u" },		 { "\xc3\x89", "E" },
	{ "\xc3\x96", "O" },	   { "\xc3\x9c", "U" },
};

static int to_ascii(struct buf *out, const char *text)
{
	while (*text) {
		size_t i, n = 0;

		if ((unsigned char)*text < 0x80) {
			buf_addc(out, *text++);
			continue;
		}
		for (i = 0; i < sizeof(replacements) / sizeof(replacements[0]); i++) {
			n = strlen(replacements[i].utf8);
			if (!strncmp(text, replacements[i].utf8, n))
				break;
		}
		if (i == sizeof(replacements) / sizeof(replacements[0]))
			return -EILSEQ;
		buf_adds(out, replacements[i].ascii);
		text += n;
	}
	return out->error;
}

/* Where the next piece ends: at a sentence's end after PIECE_SOFT, else at a space, else anywhere.
 */
static size_t piece_end(const char *text, size_t len)
{
	size_t space = 0;

	if (len <= PIECE_SOFT)
		return len;
	for (size_t i = 0; i < len && i < PIECE_MAX; i++) {
		if (!isspace((unsigned char)text[i]))
			continue;
		space = i;
		if (i > PIECE_SOFT && strchr(".!?;:", text[i - 1]))
			return i;
	}
	if (len <= PIECE_MAX)
		return len;
	return space ? space : PIECE_MAX;
}

static int flite_say(const struct speech_voice *voice, const struct speech_segment *segment,
		     speech_sink_fn *sink, void *arg)
{
	cst_voice *v = NULL;
	struct buf ascii;
	size_t pos = 0;
	int r;

	for (size_t i = 0; i < FLITE_VOICES; i++)
		if (!strcmp(flite_voices[i].name, voice->name))
			v = flite_voices[i].voice;
	buf_init(&ascii, 4 * SPEECH_TEXT_MAX);
	r = v ? to_ascii(&ascii, segment->text) : -EIO;
	if (r < 0)
		goto out;
	feat_set_float(v->features, "duration_stretch", 1 / segment->rate);
	feat_set_float(v->features, "f0_shift", segment->pitch);
	flite.sink = sink;
	flite.arg = arg;
	flite.stopped = false;
	while (pos < ascii.len && !flite.stopped) {
		char piece[PIECE_MAX + 1];
		size_t n = piece_end(ascii.data + pos, ascii.len - pos);

		memcpy(piece, ascii.data + pos, n);
		piece[n] = '\0';
		flite_text_to_speech(piece, v, "stream");
		pos += n;
	}
	flite.sink = NULL;
out:
	buf_done(&ascii);
	return r;
}

const struct speech_engine speech_flite = {
	.name = "flite",
	.start = flite_start,
	.stop = flite_stop,
	.list = flite_list,
	.say = flite_say,
};
