#include "proto/e164.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool e164_ok(const char *number)
{
	size_t n = strlen(number);

	return n >= 3 && n < E164_SIZE && number[0] == '+' && number[1] != '0' &&
	       strspn(number + 1, "0123456789") == n - 1;
}

int e164_of_user(char ret[E164_SIZE], const char *user)
{
	size_t n = 0;

	if (*user != '+')
		return -EINVAL;
	for (; *user && *user != ';'; user++) {
		if (n && strchr("-.()", *user))
			continue;
		if (n == E164_SIZE - 1)
			return -EINVAL;
		ret[n++] = *user;
	}
	ret[n] = '\0';
	return e164_ok(ret) ? 0 : -EINVAL;
}

int e164_of_text(char ret[E164_SIZE], const char *text)
{
	char digits[E164_SIZE];
	size_t n = 0;

	for (; *text; text++) {
		if (strchr(" -.()/", *text))
			continue;
		if (n == E164_SIZE - 1)
			return -EINVAL;
		digits[n++] = *text;
	}
	digits[n] = '\0';
	if (n == 10 && digits[0] != '+')
		snprintf(ret, E164_SIZE, "+1%.10s", digits);
	else if (n == 11 && digits[0] == '1')
		snprintf(ret, E164_SIZE, "+%.11s", digits);
	else
		strcpy(ret, digits);
	return e164_ok(ret) ? 0 : -EINVAL;
}
