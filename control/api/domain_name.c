#include "api/domain_name.h"

#include "base/sid.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LABEL_MAX 63

static bool is_label(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '-')
			return false;
	return len && len <= LABEL_MAX && s[0] != '-' && s[len - 1] != '-';
}

/* Where "." base begins in name; NULL when name does not end so, or has nothing before it. */
static const char *tail_of(const char *name, const char *base)
{
	size_t n = strlen(name), tail = strlen(base) + 1;

	if (n <= tail || name[n - tail] != '.' || strcasecmp(name + n - tail + 1, base))
		return NULL;
	return name + n - tail;
}

const char *domain_name_check(char ret[DOMAIN_NAME_SIZE], const char **parent, const char *name,
			      const char *base)
{
	static _Thread_local char want[DOMAIN_NAME_SIZE + 80];
	const char *tail = tail_of(name, base), *s = name;

	snprintf(want, sizeof(want), "must be a name that ends with .%s", base);
	if (!tail || strlen(name) >= DOMAIN_NAME_SIZE)
		return want;
	for (; s < tail; s++) {
		size_t len = strcspn(s, ".");

		if (!is_label(s, len))
			return "must be made of letters, digits and hyphens, each part beginning "
			       "and ending with a letter or digit";
		s += len;
	}
	for (size_t i = 0; i <= strlen(name); i++)
		ret[i] = (char)tolower((unsigned char)name[i]);
	*parent = strchr(ret, '.');
	*parent = *parent < ret + (tail - name) ? *parent + 1 : NULL;
	return NULL;
}

bool domain_name_reserved(const char *name, const char *base, const char *account_sid)
{
	size_t n = (size_t)(tail_of(name, base) - name);
	char label[LABEL_MAX + 1];

	if (n > LABEL_MAX)
		return false;
	snprintf(label, sizeof(label), "%.*s", (int)n, name);
	return sid_valid(label, "ac") && strcasecmp(label, account_sid);
}
