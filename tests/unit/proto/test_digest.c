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

/* -- answers to challenges */

#define RFC2617_NONCE "dcd98b7102dd2f0e8b11d0f600bfb0c093"
#define RFC2617	      "Digest realm=\"testrealm@host.com\", nonce=\"" RFC2617_NONCE "\""
#define RFC7616                                                                                    \
	"Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", "                         \
	"nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "                                 \
	"opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
#define RFC7616_CNONCE "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"

static char *answer_of(const char *const *challenges, size_t n)
{
	return digest_authorization(challenges, n, "GET", "/dir/index.html", "Mufasa",
				    "Circle of Life", RFC7616_CNONCE);
}

static void has(char *value, const char *part)
{
	assert_non_null(value);
	if (!strstr(value, part))
		fail_msg("'%s' is not in '%s'", part, value);
	free(value);
}

static void not_answered(const char *challenge)
{
	char *value = answer_of(&challenge, 1);

	if (value)
		fail_msg("'%s' was answered: %s", challenge, value);
}

static void qop_auth_is_the_sample_of_rfc_2617_section_3_5(void **state)
{
	static const char *const challenge[] = {
		RFC2617 ", qop=\"auth,auth-int\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""
	};
	char *value = digest_authorization(challenge, 1, "GET", "/dir/index.html", "Mufasa",
					   "Circle Of Life", "0a4f113b");

	(void)state;
	assert_non_null(value);
	assert_string_equal(
		value,
		"Digest username=\"Mufasa\", realm=\"testrealm@host.com\", nonce=\"" RFC2617_NONCE
		"\", uri=\"/dir/index.html\", response=\"6629fae49393a05397450978507c4ef1\", "
		"opaque=\"5ccc069c403ebaf9f0171e9517f40e41\", qop=auth, nc=00000001, "
		"cnonce=\"0a4f113b\"");
	free(value);
}

static void without_a_qop_the_answer_is_rfc_2069_s(void **state)
{
	static const char *const challenge[] = { RFC2617 };
	char *value = digest_authorization(challenge, 1, "GET", "/dir/index.html", "Mufasa",
					   "Circle Of Life", "0a4f113b");

	(void)state;
	assert_non_null(value);
	/* The hash by md5sum(1). */
	assert_string_equal(
		value,
		"Digest username=\"Mufasa\", realm=\"testrealm@host.com\", nonce=\"" RFC2617_NONCE
		"\", uri=\"/dir/index.html\", response=\"670fd8c2df070c60b045671b8b24ff02\"");
	free(value);
}

static void sha256_goes_before_md5_as_in_rfc_7616_section_3_9_1(void **state)
{
	static const char *const challenges[] = { RFC7616 ", algorithm=MD5",
						  RFC7616 ", algorithm=SHA-256" };
	static const char *const swapped[] = { RFC7616 ", algorithm=SHA-256",
					       RFC7616 ", algorithm=MD5" };
	const char *sha =
		"response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
		"\", algorithm=SHA-256, "
		"opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", qop=auth, "
		"nc=00000001, cnonce=\"" RFC7616_CNONCE "\"";

	(void)state;
	has(answer_of(challenges, 2), sha);
	has(answer_of(swapped, 2), sha);
	has(answer_of(challenges, 1),
	    "response=\"8ca523f5e9506fed4657c9700eebdbec\", algorithm=MD5, ");
}

static void the_other_algorithms_are_answered_too(void **state)
{
	/* The hashes by Python's hashlib. */
	static const struct {
		const char *challenge, *response;
	} cases[] = {
		{ RFC7616 ", algorithm=md5-SESS",
		  "response=\"e783283f46242139c486a698fec7211d\", algorithm=MD5-sess," },
		{ RFC7616 ", algorithm=\"SHA-256-sess\"",
		  "\"2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7\"" },
		{ RFC7616 ", algorithm=SHA-512-256",
		  "\"430d05014cecc49cab6fbe03176d41a1da86cbfe24a16580e22aaad928d960d0\"" },
		{ RFC7616 ", algorithm=SHA-512-256-sess",
		  "\"3f2a34f923c38b0fb26dce2fdfc2ce326c23cecf86fbb1444f3e51fbbc2cb92e\"" },
	};
	static const char *const first[] = { RFC7616 ", algorithm=SHA-512-256",
					     RFC7616 ", algorithm=SHA-256" };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		has(answer_of(&cases[i].challenge, 1), cases[i].response);
	has(answer_of(first, 2), "algorithm=SHA-512-256,");
}

static void what_nobody_can_answer_is_passed_over(void **state)
{
	static const char *const bad[] = {
		"",
		"Digest",
		"Basic realm=\"x\"",
		"Digestive realm=\"x\", nonce=\"y\"",
		"Digest realm=\"x\"",
		"Digest nonce=\"x\"",
		RFC2617 ", algorithm=AKAv1-MD5",
		RFC2617 ", algorithm=SHA-1",
		RFC2617 ", algorithm=",
		RFC2617 ", qop=\"auth-int\"",
		RFC2617 ", qop=\"\"",
		RFC2617 ", qop=\"xauth\"",
		RFC2617 ", algorithm=MD5-sess",
		RFC2617 ", nonce=\"other\"",
		RFC2617 ", opaque=\"cut",
		RFC2617 ", opaque=\"cut\\",
		RFC2617 ", opaque=\"cut\\\"",
		RFC2617 ", opaque=\"a\"b",
		RFC2617 ", opaque=\"a\\\rb\"",
		RFC2617 ", opaque",
		RFC2617 " opaque=\"a\"",
		RFC2617 "; opaque=\"a\"",
		RFC2617 ", \"opaque\"=\"a\"",
	};
	static const char *const one_good[] = { "", RFC2617 ", algorithm=SHA-1",
						RFC2617 ", qop=auth-int",
						RFC2617 ",stale=FALSE,x=\"y,z\" , QOP=Auth",
						"Digest" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		not_answered(bad[i]);
	assert_null(answer_of(NULL, 0));
	has(answer_of(one_good, 5), ", qop=auth, nc=00000001, cnonce=");
}

static void hostile_quotes_stay_inside_theirs(void **state)
{
	static const char *const challenge[] = {
		"DIGEST  realm = \"a \\\"b\\\" \\\\c\" ,nonce=n,opaque=\"\\\"\""
	};
	char *value =
		digest_authorization(challenge, 1, "INVITE", "sip:x@y", "bo\"b\\", "p\"w", NULL);

	(void)state;
	assert_non_null(value);
	/* The hash, by Python's hashlib, is of what the quotes hold: a "b" \c */
	assert_string_equal(value,
			    "Digest username=\"bo\\\"b\\\\\", realm=\"a \\\"b\\\" \\\\c\", "
			    "nonce=\"n\", uri=\"sip:x@y\", "
			    "response=\"ac12f9a5c8b1222e00fb3b0a16011aea\", opaque=\"\\\"\"");
	free(value);
	assert_null(
		digest_authorization(challenge, 1, "INVITE", "sip:x@y", "a\r\nVia: b", "", NULL));
	assert_null(digest_authorization(challenge, 1, "INVITE", "sip:x@y\n", "a", "", NULL));
}

static void each_answer_has_a_cnonce_of_its_own(void **state)
{
	static const char *const challenge[] = { RFC7616 };
	char *a = digest_authorization(challenge, 1, "INVITE", "sip:x@y", "u", "p", NULL);
	char *b = digest_authorization(challenge, 1, "INVITE", "sip:x@y", "u", "p", NULL);
	const char *cnonce;

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	cnonce = strstr(a, ", cnonce=\"");
	assert_non_null(cnonce);
	assert_int_equal(strlen(cnonce), strlen(", cnonce=\"\"") + 32);
	assert_string_not_equal(cnonce, strstr(b, ", cnonce=\""));
	free(a);
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(md5_is_the_sample_of_rfc_2617_section_3_5),
		cmocka_unit_test(sha256_is_the_hash_of_the_three_parts),
		cmocka_unit_test(empty_parts_count),
		cmocka_unit_test(qop_auth_is_the_sample_of_rfc_2617_section_3_5),
		cmocka_unit_test(without_a_qop_the_answer_is_rfc_2069_s),
		cmocka_unit_test(sha256_goes_before_md5_as_in_rfc_7616_section_3_9_1),
		cmocka_unit_test(the_other_algorithms_are_answered_too),
		cmocka_unit_test(what_nobody_can_answer_is_passed_over),
		cmocka_unit_test(hostile_quotes_stay_inside_theirs),
		cmocka_unit_test(each_answer_has_a_cnonce_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
