#include "proto/sip_replaces.h"

#include "proto/sip_addr.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define VALUE_MAX 512

static bool unescape(char *ret, size_t size, struct sip_slice s)
{
	size_t at = 0;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.at[i];

		if (c == '%' && i + 2 < s.len && isxdigit((unsigned char)s.at[i + 1]) &&
		    isxdigit((unsigned char)s.at[i + 2])) {
			const char hex[3] = { s.at[i + 1], s.at[i + 2], '\0' };

			c = (char)strtol(hex, NULL, 16);
			i += 2;
		}
		if (at + 1 >= size || (unsigned char)c < ' ')
			return false;
		ret[at++] = c;
	}
	ret[at] = '\0';
	return true;
}

static bool take(char *ret, size_t size, struct sip_slice s)
{
	if (!s.len || s.len >= size)
		return false;
	memcpy(ret, s.at, s.len);
	ret[s.len] = '\0';
	return true;
}

int sip_replaces_of(struct sip_replaces *ret, const char *refer_to)
{
	const char *p = strchr(refer_to, '?');
	struct sip_slice to_tag, from_tag;
	char value[VALUE_MAX];
	size_t n;

	while (p && strncasecmp(p + 1, "Replaces=", 9))
		p = strchr(p + 1, '&');
	if (!p)
		return -ENOENT;
	p += strlen("?Replaces=");
	if (!unescape(value, sizeof(value), (struct sip_slice){ p, strcspn(p, "&>") }))
		return -EINVAL;
	n = strcspn(value, ";");
	if (!take(ret->call_id, sizeof(ret->call_id), (struct sip_slice){ value, n }) ||
	    !sip_param((struct sip_slice){ value + n, strlen(value + n) }, "to-tag", &to_tag) ||
	    !sip_param((struct sip_slice){ value + n, strlen(value + n) }, "from-tag", &from_tag) ||
	    !take(ret->to_tag, sizeof(ret->to_tag), to_tag) ||
	    !take(ret->from_tag, sizeof(ret->from_tag), from_tag))
		return -EINVAL;
	return 0;
}
