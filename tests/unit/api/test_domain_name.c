#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "api/domain_name.h"

#define BASE "sip.example.test"

static bool good(const char *name)
{
	char lower[DOMAIN_NAME_SIZE];
	const char *parent;

	return !domain_name_check(lower, &parent, name, BASE);
}

static void a_name_is_one_label_below_the_base_in_lower_case(void **state)
{
	char lower[DOMAIN_NAME_SIZE];
	const char *parent;

	(void)state;
	assert_null(domain_name_check(lower, &parent, "My-PBX1.SIP.example.test", BASE));
	assert_string_equal(lower, "my-pbx1.sip.example.test");
	assert_null(parent);
}

static void a_name_of_two_labels_is_a_subdomain_of_the_second(void **state)
{
	char lower[DOMAIN_NAME_SIZE];
	const char *parent;

	(void)state;
	assert_null(domain_name_check(lower, &parent, "a.B." BASE, BASE));
	assert_string_equal(parent, "b." BASE);
}

static void names_elsewhere_or_of_other_characters_are_refused(void **state)
{
	static const char *const bad[] = {
		"",	      BASE,	     "." BASE,	 "a.sip.twilio.com", "a" BASE,
		"a..b." BASE, "-a." BASE,    "a-." BASE, "a_b." BASE,	     "a b." BASE,
		"ä." BASE,    "a." BASE ".", "*." BASE,	 "a@b." BASE,	     ".a." BASE
	};
	char label[80], name[400];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (good(bad[i]))
			fail_msg("%s was taken", bad[i]);
	memset(label, 'a', 64);
	label[64] = '\0';
	snprintf(name, sizeof(name), "%s.%s", label, BASE);
	assert_false(good(name));
	assert_true(good(name + 1));
	memset(name, 'a', sizeof(name));
	strcpy(name + 300, "." BASE);
	assert_false(good(name));
}

static void the_sid_of_an_account_is_a_name_for_that_account_alone(void **state)
{
	const char *own = "AC0123456789abcdef0123456789abcdef";

	(void)state;
	assert_false(domain_name_reserved("ac0123456789abcdef0123456789abcdef." BASE, BASE, own));
	assert_true(domain_name_reserved("ac0123456789abcdef0123456789abcde0." BASE, BASE, own));
	assert_false(domain_name_reserved("ac0123456789abcdef0123456789abcde." BASE, BASE, own));
	assert_false(domain_name_reserved("ac0123456789abcdef0123456789abcde0.b." BASE, BASE, own));
	assert_false(domain_name_reserved("acme." BASE, BASE, own));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_one_label_below_the_base_in_lower_case),
		cmocka_unit_test(a_name_of_two_labels_is_a_subdomain_of_the_second),
		cmocka_unit_test(names_elsewhere_or_of_other_characters_are_refused),
		cmocka_unit_test(the_sid_of_an_account_is_a_name_for_that_account_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
