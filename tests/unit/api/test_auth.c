#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "api/auth.h"

static bool decodes(const char *header, const char *user, const char *password)
{
	char credentials[AUTH_CREDENTIALS_MAX], *second;

	return auth_decode(credentials, &second, header) && !strcmp(credentials, user) &&
	       !strcmp(second, password);
}

static void basic_is_split_at_the_first_colon(void **state)
{
	(void)state;
	assert_true(decodes("Basic YTpi", "a", "b"));
	assert_true(decodes("basic  YTpi", "a", "b"));
	assert_true(decodes("Basic YTpiOmM=", "a", "b:c"));
	assert_true(decodes("Basic YTo=", "a", ""));
}

static void what_is_no_basic_is_refused(void **state)
{
	static const char *const bad[] = {
		"",	     "Basic",	   "Basic ",	 "Basic    ",  "Bearer YTpi",
		"Basic YTp", "Basic ====", "Basic YQ==", "Basic Y!pi", "Basic YTpiAGM=",
		"YTpi"
	};
	char credentials[AUTH_CREDENTIALS_MAX], *password, longest[1200];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (auth_decode(credentials, &password, bad[i]))
			fail_msg("%s was taken", bad[i]);
	assert_false(auth_decode(credentials, &password, NULL));
	memset(longest, 'Y', sizeof(longest));
	memcpy(longest, "Basic ", 6);
	longest[6 + 1024] = '\0';
	assert_false(auth_decode(credentials, &password, longest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(basic_is_split_at_the_first_colon),
		cmocka_unit_test(what_is_no_basic_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
