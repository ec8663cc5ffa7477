/* What is taken has whole header lines and nothing else, and reads back the same. */
#include "fuzz.h"

#include "proto/sip_target.h"

static void check_lines(const char *headers)
{
	while (*headers) {
		size_t n = strcspn(headers, "\r\n");

		MUST(n > 2 && memchr(headers, ':', n));
		MUST(headers[n] == '\r' && headers[n + 1] == '\n');
		headers += n + 2;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sip_target_error error = { 0 };
	struct sip_target t, again;
	char *text = malloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	if (sip_target_parse(&t, text, &error) == 0) {
		MUST(!strpbrk(t.uri, "\r\n<> \""));
		check_lines(t.headers);
		MUST(sip_target_parse(&again, t.uri, &error) == 0);
		MUST(!strcmp(again.uri, t.uri) && !strcmp(again.host, t.host));
		MUST(again.port == t.port && again.transport == t.transport);
		sip_target_done(&again);
		sip_target_done(&t);
	} else {
		MUST(error.code && error.text[0]);
	}
	free(text);
	return 0;
}
