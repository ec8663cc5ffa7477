/* A customer's SIP URI: what goes out of it stays on its line, and reads back as itself. */
#include "fuzz.h"

#include "proto/sip_target.h"
#include "proto/utf8.h"

#include <strings.h>

static void is_clean(const struct sip_target *t)
{
	MUST(!strncmp(t->uri, "sip:", 4));
	for (const char *p = t->uri; *p; p++)
		MUST(*p > 0x20 && *p < 0x7f && !strchr("<>\"?", *p));
	MUST(*t->host && strlen(t->host) < 254 && !strpbrk(t->host, "[]@;/%"));
	MUST(!strpbrk(t->user, "@:?"));
	MUST(t->port <= 65535);
	MUST(t->transport <= SIP_TLS);
}

static void are_lines(const char *headers)
{
	MUST(utf8_ok(headers, strlen(headers)));
	while (*headers) {
		const char *end = strstr(headers, "\r\n"), *colon = strstr(headers, ": ");

		MUST(end && colon && colon > headers && colon < end);
		MUST(strncasecmp(headers, "X-Twilio-", 9));
		MUST(strchr("XxURP", *headers) || strchr("urp", *headers));
		for (const char *p = headers; p < end; p++)
			MUST((unsigned char)*p >= 0x20 && *p != 0x7f);
		headers = end + 2;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	struct sip_target_error error = { 0 };
	struct sip_target t, again;

	if (sip_target_parse(&t, text, &error) == 0) {
		is_clean(&t);
		are_lines(t.headers);
		/* sips: makes it longer than what is read. */
		if (sip_target_parse(&again, t.uri, &error) == 0) {
			MUST(!strcmp(again.uri, t.uri) && !strcmp(again.user, t.user));
			MUST(!strcmp(again.host, t.host) && again.port == t.port);
			MUST(again.transport == t.transport && !*again.headers);
			sip_target_done(&again);
		} else {
			MUST(strlen(t.uri) > SIP_TARGET_URI_MAX);
		}
		sip_target_done(&t);
	} else {
		MUST(error.code == 21211 || (error.code >= 21227 && error.code <= 21229) ||
		     error.code == 32113);
		for (const char *p = error.text; *p; p++)
			MUST(*p >= 0x20 && *p < 0x7f);
	}
	free(text);
	return 0;
}
