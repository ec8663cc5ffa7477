#include "base/sid.h"

#include "base/log.h"
#include "base/process.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

void random_hex(char *ret, int len)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[64];

	for (int done = 0; done < len;) {
		int n = (len - done + 1) / 2;
		ssize_t got;

		if (n > (int)sizeof(bytes))
			n = sizeof(bytes);
		/* Up to 256 bytes come whole; a signal can only interrupt the wait for the pool at
		 * boot. */
		do {
			got = getrandom(bytes, (size_t)n, 0);
		} while (got < 0 && errno == EINTR);
		BUG_ON(got != n);
		for (int i = 0; i < n * 2 && done < len; i++, done++)
			ret[done] = digits[i & 1 ? bytes[i / 2] & 15 : bytes[i / 2] >> 4];
	}
	ret[len] = '\0';
}

void sid_new(char ret[SID_SIZE], const char *prefix)
{
	memcpy(ret, prefix, 2);
	random_hex(ret + 2, 32);
	if (!strcmp(prefix, "CA"))
		ret[2] = process_digit();
}

void sid_new_beside(char ret[SID_SIZE], const char *call_sid)
{
	sid_new(ret, "CA");
	ret[2] = process_digit_of_call(call_sid);
}

bool sid_valid(const char *s, const char *prefix)
{
	if (strlen(s) != 34 || strncmp(s, prefix, 2))
		return false;
	for (int i = 2; i < 34; i++)
		if (!isxdigit((unsigned char)s[i]))
			return false;
	return true;
}
