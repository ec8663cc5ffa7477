#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <spandsp.h>

#include "media/prompt.h"
#include "media/rtp.h"

struct prompt_memory {
	struct prompt pub;
	atomic_uint refs;
	uint8_t bytes[];
};

/* Room for whole packets, so that a sender can send the last one from here too. */
static struct prompt_memory *prompt_alloc(size_t samples)
{
	size_t frames = (samples + RTP_FRAME_SAMPLES - 1) / RTP_FRAME_SAMPLES;
	struct prompt_memory *m;

	if (samples > SIZE_MAX / 2)
		return NULL;
	m = malloc(sizeof(*m) + frames * RTP_FRAME_SAMPLES);
	if (!m)
		return NULL;
	atomic_init(&m->refs, 1);
	m->pub.samples = samples;
	m->pub.ulaw = m->bytes;
	memset(m->bytes + samples, RTP_ULAW_SILENCE, frames * RTP_FRAME_SAMPLES - samples);
	return m;
}

struct prompt *prompt_new(const int16_t *pcm, size_t samples)
{
	struct prompt_memory *m = prompt_alloc(samples);

	if (!m)
		return NULL;
	for (size_t i = 0; i < samples; i++)
		m->bytes[i] = linear_to_ulaw(pcm[i]);
	return &m->pub;
}

struct prompt *prompt_new_ulaw(const void *ulaw, size_t samples)
{
	struct prompt_memory *m = prompt_alloc(samples);

	if (!m)
		return NULL;
	if (samples)
		memcpy(m->bytes, ulaw, samples);
	return &m->pub;
}

struct prompt *prompt_ref(struct prompt *p)
{
	struct prompt_memory *m = (struct prompt_memory *)p;

	atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
	return p;
}

void prompt_unref(struct prompt *p)
{
	struct prompt_memory *m = (struct prompt_memory *)p;

	if (m && atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) == 1)
		free(m);
}
