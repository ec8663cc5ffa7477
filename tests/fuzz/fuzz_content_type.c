/* The Content-Type of a customer's web server. */
#include "fuzz.h"

#include "call/content_type.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), charset[16];

	MUST(content_kind(text) <= CONTENT_OTHER);
	if (content_charset(charset, sizeof(charset), text))
		MUST(memchr(charset, 0, sizeof(charset)));
	free(text);
	return 0;
}
