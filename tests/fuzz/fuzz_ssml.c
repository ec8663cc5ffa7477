/* The content of <Say>: what the customer's document holds, up to the segments that an engine gets.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "media/speech_engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct speech_script script;
	char *ssml = malloc(size + 1);

	if (!ssml)
		return 0;
	if (size)
		memcpy(ssml, data, size);
	ssml[size] = '\0';
	if (speech_ssml_parse(&script, ssml, size % 2 ? "en-us" : "fr-fr") == 0) {
		for (size_t i = 0; i < script.count; i++) {
			const struct speech_segment *s = &script.segments[i];

			if (!(s->rate >= 0.2f && s->rate <= 2 && s->pitch >= 0.5f && s->pitch <= 2))
				abort();
			for (const char *p = s->text; p && *p; p++)
				if ((unsigned char)*p < 0x20)
					abort();
		}
		speech_script_done(&script);
	}
	free(ssml);
	return 0;
}
