#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "media/pcm.h"
#include "media/prompt.h"
#include "media/speech_synth.h"

#define QUIET	     200 /* samples below it are the engines' own silence */
#define LEAD_SAMPLES 240 /* of which so much stays: 30 ms before, 60 ms after */
#define TAIL_SAMPLES 480
#define PEAK	     16384 /* -6 dBFS: room for louder prosody, and what telephone networks like */
#define GAIN_MAX     8
#define BEEP_SAMPLES 3200
#define BEEP_HZ	     1000
#define BEEP_PEAK    6000

struct synth {
	struct pcm pcm;
	const atomic_bool *cancelled;
	float *gains; /* of each segment */
	size_t *ends; /* where in pcm each ends */
	int r;
};

static int take_samples(void *arg, unsigned rate, const int16_t *samples, size_t count)
{
	struct synth *s = arg;

	if (atomic_load_explicit(s->cancelled, memory_order_relaxed))
		s->r = -ECANCELED;
	else if (rate != s->pcm.rate)
		s->r = pcm_set_rate(&s->pcm, rate);
	if (!s->r)
		s->r = pcm_write(&s->pcm, samples, count);
	return s->r;
}

/* Engines begin and end with silences of their own; pauses are ours to give. */
static void trim(struct pcm *pcm, size_t begin)
{
	size_t from = begin, end = pcm->len;

	while (from < end && abs(pcm->samples[from]) < QUIET)
		from++;
	while (end > from && abs(pcm->samples[end - 1]) < QUIET)
		end--;
	if (from == end) {
		pcm->len = begin;
		return;
	}
	from = from > begin + LEAD_SAMPLES ? from - LEAD_SAMPLES : begin;
	end = pcm->len - end > TAIL_SAMPLES ? end + TAIL_SAMPLES : pcm->len;
	for (size_t i = from; from > begin && i < end; i++)
		pcm->samples[begin + i - from] = pcm->samples[i];
	pcm->len = begin + end - from;
}

static int add_beep(struct pcm *pcm)
{
	int16_t beep[BEEP_SAMPLES];

	for (int i = 0; i < BEEP_SAMPLES; i++)
		beep[i] = (int16_t)(BEEP_PEAK * sin(2 * M_PI * BEEP_HZ * i / PCM_RATE));
	return pcm_write(pcm, beep, BEEP_SAMPLES);
}

static int say_segment(struct synth *s, const struct speech_voices *voices,
		       const struct speech_voice *voice, const struct speech_segment *segment)
{
	size_t begin;
	int r;

	r = pcm_silence(&s->pcm, (size_t)segment->pause_ms * PCM_RATE / 1000);
	if (r < 0)
		return r;
	if (segment->beep) {
		r = pcm_set_rate(&s->pcm, PCM_RATE);
		return r < 0 ? r : add_beep(&s->pcm);
	}
	if (!segment->text)
		return 0;
	begin = s->pcm.len;
	voice = speech_voices_in_language(voices, voice, segment->language);
	r = voice->engine->say(voice, segment, take_samples, s);
	if (r == -EILSEQ) {
		voice = speech_voices_for_any_text(voices, voice);
		r = voice->engine->say(voice, segment, take_samples, s);
	}
	if (s->r == -ECANCELED || s->r == -ENOMEM)
		return s->r;
	if (r < 0)
		return r == -EILSEQ ? -EINVAL : r;
	r = s->r ? s->r : pcm_flush(&s->pcm);
	trim(&s->pcm, begin);
	return r;
}

/* One gain for all, so that what prosody asks for stays audible. */
static void level(struct synth *s, size_t segments)
{
	int peak = 1;
	float scale;
	size_t i = 0;

	for (size_t k = 0; k < s->pcm.len; k++)
		if (abs(s->pcm.samples[k]) > peak)
			peak = abs(s->pcm.samples[k]);
	scale = (float)PEAK / (float)peak;
	if (scale > GAIN_MAX)
		scale = GAIN_MAX;
	for (size_t k = 0; k < segments; k++)
		for (; i < s->ends[k]; i++) {
			float v = (float)s->pcm.samples[i] * scale * s->gains[k];

			s->pcm.samples[i] = v > 32767 ? 32767 : v < -32768 ? -32768 : (int16_t)v;
		}
}

int speech_synthesise(struct prompt **ret, const struct speech_voices *voices,
		      const struct speech_voice *voice, const char *ssml,
		      const atomic_bool *cancelled)
{
	struct synth s = { .cancelled = cancelled };
	struct speech_script script = { 0 };
	size_t done = 0;
	struct prompt *p;
	int r;

	pcm_init(&s.pcm, (size_t)SPEECH_SECONDS_MAX * PCM_RATE);
	r = speech_ssml_parse(&script, ssml, voice->language);
	if (r < 0)
		goto out;
	r = -ENOMEM;
	s.gains = calloc(script.count, sizeof(*s.gains));
	s.ends = calloc(script.count, sizeof(*s.ends));
	if (!s.gains || !s.ends)
		goto out;
	for (r = 0; done < script.count && !r; done++) {
		r = say_segment(&s, voices, voice, &script.segments[done]);
		s.gains[done] = script.segments[done].gain;
		s.ends[done] = s.pcm.len;
	}
	if (r < 0 && r != -EFBIG) /* too long: cut off */
		goto out;
	r = -EINVAL;
	if (!s.pcm.len)
		goto out;
	level(&s, done);
	r = -ENOMEM;
	p = prompt_new(s.pcm.samples, s.pcm.len);
	if (!p)
		goto out;
	*ret = p;
	r = 0;
out:
	speech_script_done(&script);
	free(s.gains);
	free(s.ends);
	pcm_done(&s.pcm);
	return r;
}
