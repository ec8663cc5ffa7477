/* Header values inside: addresses, parameters, lists, URIs, and the dialog that a Refer-To names.
 * What comes back lies within what was given. */
#include "fuzz.h"

#include "proto/sip_addr.h"
#include "proto/sip_replaces.h"

static void within(const char *text, struct sip_slice s)
{
	MUST(!s.at || (s.at >= text && s.at + s.len <= text + strlen(text)));
}

static void parse_uri(struct sip_slice uri)
{
	struct sip_slice user = { 0 };
	char *host = NULL;

	if (sip_uri_parse(uri, &user, &host) < 0)
		return;
	MUST(!user.at || (user.at >= uri.at && user.at + user.len <= uri.at + uri.len));
	MUST(!host || !strpbrk(host, "[]@<>\r\n"));
	free(host);
}

static void parse_value(const char *text, const char *value)
{
	static const char *const names[] = { "tag", "expires", "branch", "q", "" };
	struct sip_slice uri, params, found;

	if (sip_addr_parse(value, &uri, &params) < 0)
		return;
	within(text, uri);
	within(text, params);
	for (size_t i = 0; i < uri.len; i++)
		MUST(uri.at[i] >= ' ' && uri.at[i] < 0x7f);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (sip_param(params, names[i], &found))
			within(text, found);
	parse_uri(uri);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	struct sip_replaces replaces;

	for (const char *value = text;;) {
		const char *end = sip_value_end(value);

		MUST(end >= value && (*end == ',' || !*end));
		parse_value(text, value);
		if (!*end)
			break;
		value = end + 1;
	}
	if (sip_replaces_of(&replaces, text) == 0) {
		MUST(memchr(replaces.call_id, 0, sizeof(replaces.call_id)));
		MUST(memchr(replaces.to_tag, 0, sizeof(replaces.to_tag)));
		MUST(memchr(replaces.from_tag, 0, sizeof(replaces.from_tag)));
		MUST(*replaces.call_id && !strpbrk(replaces.call_id, "\r\n"));
	}
	(void)sip_is_token(text, strlen(text));
	free(text);
	return 0;
}
