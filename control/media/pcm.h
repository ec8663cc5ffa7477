/*
 * pcm - collects mono samples of any rate as 8000 Hz, bounded. One owner, one thread.
 */
#ifndef HOOKSWITCH_MEDIA_PCM_H
#define HOOKSWITCH_MEDIA_PCM_H

#include <stddef.h>
#include <stdint.h>
#include <speex/speex_resampler.h>

#define PCM_RATE     8000
#define PCM_RATE_MIN 1000
#define PCM_RATE_MAX 192000

struct pcm {
	int16_t *samples; /* 8000 Hz */
	size_t len, cap, max;
	SpeexResamplerState *resampler; /* NULL while the input is 8000 Hz */
	unsigned rate;
};

void pcm_init(struct pcm *pcm, size_t max_samples);
void pcm_done(struct pcm *pcm);

/* The rate of what is written next; what the resampler still holds of the former rate comes out.
 * -EINVAL outside 1-192 kHz. */
int pcm_set_rate(struct pcm *pcm, unsigned rate);
/* -EFBIG: more than max_samples; what fits stays. -ENOMEM. */
int pcm_write(struct pcm *pcm, const int16_t *in, size_t samples);
int pcm_silence(struct pcm *pcm, size_t samples_8k);
int pcm_flush(struct pcm *pcm); /* the resampler's tail; call it at the end */

#endif
