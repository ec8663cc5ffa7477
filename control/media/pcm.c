#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "media/pcm.h"

/* Above the audible difference on a telephone line, and cheap: 2 ms CPU a second of 44.1 kHz audio
 * at most. */
#define RESAMPLE_QUALITY 5
#define CHUNK		 1024

void pcm_init(struct pcm *pcm, size_t max_samples)
{
	memset(pcm, 0, sizeof(*pcm));
	pcm->max = max_samples;
	pcm->rate = PCM_RATE;
}

void pcm_done(struct pcm *pcm)
{
	if (pcm->resampler)
		speex_resampler_destroy(pcm->resampler);
	free(pcm->samples);
	memset(pcm, 0, sizeof(*pcm));
}

/* Room for up to *samples more; fewer and -EFBIG when the maximum is near. */
static int pcm_reserve(struct pcm *pcm, size_t *samples)
{
	size_t room = pcm->max - pcm->len, cap = pcm->cap ? pcm->cap : PCM_RATE;
	int r = 0;
	int16_t *p;

	if (*samples > room) {
		*samples = room;
		r = -EFBIG;
	}
	if (pcm->len + *samples <= pcm->cap)
		return r;
	while (cap < pcm->len + *samples)
		cap += cap / 2;
	if (cap > pcm->max)
		cap = pcm->max;
	p = realloc(pcm->samples, cap * sizeof(*p));
	if (!p)
		return -ENOMEM;
	pcm->samples = p;
	pcm->cap = cap;
	return r;
}

static int pcm_append(struct pcm *pcm, const int16_t *in, size_t samples)
{
	int r = pcm_reserve(pcm, &samples);

	if (r == -ENOMEM || !samples)
		return r;
	if (in)
		memcpy(pcm->samples + pcm->len, in, samples * sizeof(*in));
	else
		memset(pcm->samples + pcm->len, 0, samples * sizeof(*in));
	pcm->len += samples;
	return r;
}

static int pcm_resample(struct pcm *pcm, const int16_t *in, size_t samples)
{
	int16_t out[CHUNK];
	int r = 0;

	while (samples && !r) {
		spx_uint32_t in_len = samples > CHUNK ? CHUNK : (spx_uint32_t)samples;
		spx_uint32_t out_len = CHUNK;

		if (speex_resampler_process_int(pcm->resampler, 0, in, &in_len, out, &out_len))
			return -ENOMEM;
		in += in_len;
		samples -= in_len;
		r = pcm_append(pcm, out, out_len);
	}
	return r;
}

int pcm_flush(struct pcm *pcm)
{
	static const int16_t zeros[CHUNK];
	size_t left;
	int r = 0;

	if (!pcm->resampler)
		return 0;
	/* skip_zeros took this latency off the beginning, so that the duration stays exact. */
	left = (size_t)speex_resampler_get_input_latency(pcm->resampler);
	while (left && !r) {
		size_t n = left > CHUNK ? CHUNK : left;

		r = pcm_resample(pcm, zeros, n);
		left -= n;
	}
	speex_resampler_reset_mem(pcm->resampler);
	speex_resampler_skip_zeros(pcm->resampler);
	return r;
}

int pcm_set_rate(struct pcm *pcm, unsigned rate)
{
	int r = pcm_flush(pcm);

	if (r < 0 || rate == pcm->rate)
		return r;
	if (rate < PCM_RATE_MIN || rate > PCM_RATE_MAX)
		return -EINVAL;
	if (pcm->resampler)
		speex_resampler_destroy(pcm->resampler);
	pcm->resampler = NULL;
	pcm->rate = rate;
	if (rate == PCM_RATE)
		return 0;
	pcm->resampler = speex_resampler_init(1, rate, PCM_RATE, RESAMPLE_QUALITY, NULL);
	if (!pcm->resampler)
		return -ENOMEM;
	speex_resampler_skip_zeros(pcm->resampler);
	return 0;
}

int pcm_write(struct pcm *pcm, const int16_t *in, size_t samples)
{
	return pcm->resampler ? pcm_resample(pcm, in, samples) : pcm_append(pcm, in, samples);
}

int pcm_silence(struct pcm *pcm, size_t samples_8k)
{
	int r = pcm_flush(pcm);

	return r < 0 ? r : pcm_append(pcm, NULL, samples_8k);
}
