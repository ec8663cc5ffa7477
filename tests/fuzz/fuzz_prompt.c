/* Media files of <Play>: the first byte chooses the content type. */
#include <stddef.h>
#include <stdint.h>

#include "media/prompt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const types[] = { "audio/wav", "audio/aiff", "audio/basic", "audio/gsm",
					     "audio/mpeg" };
	static const struct prompt_limits limits = { .max_bytes = 1 << 20, .max_seconds = 60 };
	struct prompt *p = NULL;

	if (size && prompt_decode(&p, data + 1, size - 1, types[data[0] % 5], &limits) == 0)
		prompt_unref(p);
	return 0;
}
