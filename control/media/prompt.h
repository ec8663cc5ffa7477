/*
 * prompt - audio ready to be sent: mono G.711 mu-law, 8000 samples a second, immutable, reference
 * counted; and a cache.
 *
 * Any thread.
 */
#ifndef HOOKSWITCH_MEDIA_PROMPT_H
#define HOOKSWITCH_MEDIA_PROMPT_H

#include <stddef.h>
#include <stdint.h>

struct prompt {
	size_t samples;	     /* = bytes */
	const uint8_t *ulaw; /* samples bytes, then silence up to a whole packet of 160 */
};

struct prompt *prompt_new(const int16_t *pcm,
			  size_t samples); /* encodes; one reference; NULL: out of memory */
struct prompt *
prompt_new_ulaw(const void *ulaw,
		size_t samples); /* copies what is encoded already; NULL: out of memory */
struct prompt *prompt_ref(struct prompt *p);
void prompt_unref(struct prompt *p); /* NULL is fine */

struct prompt_limits {
	size_t max_bytes; /* of the encoded input */
	int max_seconds;  /* of the decoded audio */
};

/*
 * Decodes a media file. content_type decides the format (twiml-and-webhooks.md §2.2): audio/mpeg,
 * mp3, wav, wave, x-wav, aiff, x-aifc, x-aiff, x-gsm, gsm, ulaw, basic; parameters after ';' are
 * ignored. Any rate and channel count becomes 8 kHz mono. CPU-heavy: not for the loop thread. The
 * content must be of that format. ulaw and basic are headerless 8 kHz mu-law or a Sun/NeXT file
 * (".snd"); gsm is bare 33-byte frames. A file that ends early gives what it has: whether all of
 * the body came is the fetcher's to know. -EPROTONOSUPPORT unknown type, -EINVAL undecodable or
 * empty, -EFBIG beyond a limit, -EINVAL also for rates outside 1-192 kHz or more than 8 channels,
 * -ENOMEM.
 */
int prompt_decode(struct prompt **ret, const void *data, size_t len_bytes, const char *content_type,
		  const struct prompt_limits *limits);

/* Bounded by the bytes of its prompts; the least recently used go first. Its prompts may outlive
 * it. */
struct prompt_cache;
struct prompt_cache *prompt_cache_new(size_t max_bytes);
void prompt_cache_free(struct prompt_cache *cache);
struct prompt *prompt_cache_get(struct prompt_cache *cache,
				const char *key); /* a reference, or NULL */
void prompt_cache_put(struct prompt_cache *cache, const char *key,
		      struct prompt *p); /* takes its own reference */

#endif
