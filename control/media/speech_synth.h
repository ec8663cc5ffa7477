/*
 * speech_synth - inside speech: SSML to a prompt, on the speech thread.
 */
#ifndef HOOKSWITCH_MEDIA_SPEECH_SYNTH_H
#define HOOKSWITCH_MEDIA_SPEECH_SYNTH_H

#include <stdatomic.h>

#include "media/speech_engine.h"

/* -EINVAL nothing to say or not well-formed, -EFBIG, -EIO engine, -ENOMEM, -ECANCELED once
 * *cancelled is set. */
int speech_synthesise(struct prompt **ret, const struct speech_voices *voices,
		      const struct speech_voice *voice, const char *ssml,
		      const atomic_bool *cancelled);

#endif
