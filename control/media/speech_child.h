/*
 * speech_child - inside speech: a process that runs engines and decoders, so that text or a file
 * that makes one of them crash or hang costs that text or file and nothing else.
 *
 * It is forked from the daemon, where the engines are loaded and never used: a new one is always as
 * good as new. One worker thread owns it.
 */
#ifndef HOOKSWITCH_MEDIA_SPEECH_CHILD_H
#define HOOKSWITCH_MEDIA_SPEECH_CHILD_H

#include <stdatomic.h>
#include <sys/types.h>

#include "media/prompt.h"
#include "media/speech_engine.h"

struct speech_child {
	const struct speech_voices *voices; /* set by the owner; lives longer */
	pid_t pid;			    /* 0: none */
	int fd;
	unsigned requests; /* that it served */
};

struct speech_request {
	const struct speech_voice *voice; /* NULL: decode a media file */
	char content_type[64];
	struct prompt_limits limits;
	size_t len_bytes;
};

/* Starts the process unless it runs: early, while the daemon is small, a fork is cheap. */
int speech_child_start(struct speech_child *child);

/*
 * Runs one request; starts the process when there is none. Errors of speech_synthesise and
 * prompt_decode; -EIO when a fresh process died of it or one took longer than a minute, -ECANCELED
 * soon after *cancelled was set.
 */
int speech_child_run(struct prompt **ret, struct speech_child *child,
		     const struct speech_request *q, const void *data,
		     const atomic_bool *cancelled);
void speech_child_stop(struct speech_child *child);

#endif
