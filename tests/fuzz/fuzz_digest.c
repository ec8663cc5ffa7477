/* Challenges of a callee, one a line, and a user name in front: what answers them can stand in a
 * header, and is of one of them. */
#include "fuzz.h"

#include "proto/digest.h"
#include "proto/sip_msg.h"

#define CHALLENGES 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), *line = text, *rest;
	const char *challenges[CHALLENGES], *user;
	char *value;
	size_t n = 0;

	user = strsep(&line, "\n");
	while (line && n < CHALLENGES && (rest = strsep(&line, "\n")))
		challenges[n++] = rest;
	value = digest_authorization(challenges, n, "INVITE", "sip:bob@192.0.2.1", user, "secret",
				     "0a4f113b");
	if (value) {
		MUST(n > 0);
		MUST(sip_header_value_ok(value));
		MUST(!strncasecmp(value, "Digest ", 7));
		MUST(strstr(value, "response=\""));
	}
	free(value);
	free(text);
	return 0;
}
