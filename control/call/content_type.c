#include "call/content_type.h"

#include <string.h>
#include <strings.h>

static const struct {
	const char *type;
	enum content_kind kind;
} table[] = {
	{ "text/xml", CONTENT_TWIML },	   { "application/xml", CONTENT_TWIML },
	{ "text/html", CONTENT_TWIML },	   { "text/plain", CONTENT_TEXT },
	{ "audio/mpeg", CONTENT_AUDIO },   { "audio/mp3", CONTENT_AUDIO },
	{ "audio/wav", CONTENT_AUDIO },	   { "audio/wave", CONTENT_AUDIO },
	{ "audio/x-wav", CONTENT_AUDIO },  { "audio/aiff", CONTENT_AUDIO },
	{ "audio/x-aifc", CONTENT_AUDIO }, { "audio/x-aiff", CONTENT_AUDIO },
	{ "audio/x-gsm", CONTENT_AUDIO },  { "audio/gsm", CONTENT_AUDIO },
	{ "audio/ulaw", CONTENT_AUDIO },   { "audio/basic", CONTENT_AUDIO },
};

enum content_kind content_kind(const char *content_type)
{
	size_t n;

	if (!content_type)
		return CONTENT_OTHER;
	content_type += strspn(content_type, " \t");
	n = strcspn(content_type, "; \t");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strlen(table[i].type) == n && !strncasecmp(table[i].type, content_type, n))
			return table[i].kind;
	return CONTENT_OTHER;
}

_Bool content_charset(char *ret, unsigned size, const char *content_type)
{
	for (const char *p = content_type ? strchr(content_type, ';') : NULL; p;
	     p = strchr(p, ';')) {
		size_t n;

		p++;
		p += strspn(p, " \t");
		if (strncasecmp(p, "charset=", 8))
			continue;
		p += 8;
		p += *p == '"';
		n = strcspn(p, "\"; \t");
		if (!n || n >= size)
			return 0;
		memcpy(ret, p, n);
		ret[n] = '\0';
		return 1;
	}
	return 0;
}
