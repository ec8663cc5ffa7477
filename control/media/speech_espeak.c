#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <espeak-ng/speak_lib.h>

#include "media/speech_engine.h"

#define RATE_NORMAL  165 /* words a minute; espeak-ng's own 175 is hasty on the telephone */
#define PITCH_NORMAL 50

/* espeak-ng is one per process: so is this state, used by the speech thread alone. */
static struct {
	unsigned rate;
	speech_sink_fn *sink;
	void *arg;
} espeak;

static int espeak_samples(short *samples, int count, espeak_EVENT *events)
{
	(void)events;
	if (!samples || count <= 0 || !espeak.sink)
		return 0;
	return espeak.sink(espeak.arg, espeak.rate, samples, (size_t)count) != 0;
}

static int espeak_start(void)
{
	int rate =
		espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 100, NULL, espeakINITIALIZE_DONT_EXIT);

	if (rate <= 0)
		return -EIO;
	espeak.rate = (unsigned)rate;
	espeak_SetSynthCallback(espeak_samples);
	return 0;
}

static void espeak_stop(void)
{
	espeak_Terminate();
}

static int espeak_list(speech_voice_add_fn *add, void *arg)
{
	const espeak_VOICE **voices = espeak_ListVoices(NULL);
	int r = 0;

	for (; voices && *voices && !r; voices++) {
		const char *l = (*voices)->languages; /* priority byte and string, repeated; a zero
							 byte ends them */

		for (; *l && !r; l += 2 + strlen(l + 1))
			r = add(arg, (*voices)->identifier, l + 1, (unsigned char)*l);
	}
	return r;
}

static int scaled(float normal, float factor, int min, int max)
{
	float v = normal * factor;

	return v<(float)min ? min : v>(float) max ? max : (int)v;
}

static int espeak_say(const struct speech_voice *voice, const struct speech_segment *segment,
		      speech_sink_fn *sink, void *arg)
{
	char name[64];
	espeak_ERROR e;

	/* Always with a variant: what a former variant set stays otherwise. */
	snprintf(name, sizeof(name), "%s+%s", voice->name, voice->female ? "f2" : "m3");
	if (espeak_SetVoiceByName(name) != EE_OK)
		return -EIO;
	espeak_SetParameter(
		espeakRATE,
		scaled(RATE_NORMAL, segment->rate, espeakRATE_MINIMUM, espeakRATE_MAXIMUM), 0);
	espeak_SetParameter(espeakPITCH, scaled(PITCH_NORMAL, segment->pitch, 0, 99), 0);
	espeak.sink = sink;
	espeak.arg = arg;
	e = espeak_Synth(segment->text, strlen(segment->text) + 1, 0, POS_CHARACTER, 0,
			 espeakCHARS_UTF8, NULL, NULL);
	espeak.sink = NULL;
	return e == EE_OK ? 0 : -EIO;
}

const struct speech_engine speech_espeak = {
	.name = "espeak-ng",
	.start = espeak_start,
	.stop = espeak_stop,
	.list = espeak_list,
	.say = espeak_say,
};
