/* A URL, and a reference against a base: "base\nref" or a URL alone. What goes on the wire is clean
 * and reads back as itself. */
#include "fuzz.h"

#include "proto/form.h"
#include "proto/url.h"

static void is_clean(const char *url)
{
	MUST(!strncmp(url, "http://", 7) || !strncmp(url, "https://", 8));
	for (const char *p = url; *p; p++)
		MUST(*p > 0x20 && *p < 0x7f && *p != '#');
}

static void parse(const char *text)
{
	struct form pairs;
	struct url u, again;
	char *query;
	int code = 0;

	form_init(&pairs);
	if (url_parse(&u, text, &code) < 0) {
		MUST(code == 11100 || (code >= 11240 && code <= 11243));
		return;
	}
	is_clean(u.request);
	is_clean(u.sign);
	MUST((u.username == NULL) == (u.password == NULL));
	MUST(u.overrides.retry_count >= -1 && u.overrides.retry_count <= 5);
	MUST(u.overrides.connect_ms <= 10000 && u.overrides.read_ms <= 15000 &&
	     u.overrides.total_ms <= 15000);
	/* Escaping may triple it beyond what is read. */
	if (url_parse(&again, u.request, &code) == 0) {
		MUST(!strcmp(again.request, u.request) && !strcmp(again.sign, u.sign));
		MUST(!again.username);
		url_done(&again);
	} else {
		MUST(strlen(u.request) > 8192);
	}
	form_add(&pairs, "a b", "c&d");
	query = url_with_query(u.request, &pairs);
	is_clean(query);
	free(query);
	form_done(&pairs);
	url_done(&u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), *ref = strchr(text, '\n'), *resolved;

	if (ref)
		*ref++ = '\0';
	parse(text);
	(void)url_valid_webhook(text);
	if (ref && url_resolve(&resolved, text, ref) == 0) {
		parse(resolved);
		free(resolved);
	}
	free(text);
	return 0;
}
