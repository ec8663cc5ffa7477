#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "proto/digest.h"

static void md5_is_the_sample_of_rfc_2617_section_3_5(void **state)
{
	char ha1[DIGEST_MD5_SIZE];

	(void)state;
	digest_ha1_md5(ha1, "Mufasa", "testrealm@host.com", "Circle Of Life");
	assert_string_equal(ha1, "939e7578ed9e3c518a452acee763bce9");
}

static void sha256_is_the_hash_of_the_three_parts(void **state)
{
	char ha1[DIGEST_SHA256_SIZE];

	(void)state;
	/* The user of RFC 7616 §3.9.1; the value by sha256sum(1). */
	digest_ha1_sha256(ha1, "Mufasa", "http-auth@example.org", "Circle of Life");
	assert_string_equal(ha1,
			    "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232");
}

static void empty_parts_count(void **state)
{
	char ha1[DIGEST_MD5_SIZE];

	(void)state;
	digest_ha1_md5(ha1, "", "", "");
	assert_string_equal(ha1, "4501c091b0366d76ea3218b6cfdd8097"); /* of "::" */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(md5_is_the_sample_of_rfc_2617_section_3_5),
		cmocka_unit_test(sha256_is_the_hash_of_the_three_parts),
		cmocka_unit_test(empty_parts_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
