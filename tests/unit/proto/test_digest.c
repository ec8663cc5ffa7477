#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
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

/* Each attribute of the answer, or NULL. */
static const char *attribute(const char *value, const char *name)
{
	static char text[300];
	char mark[40];
	const char *p;

	snprintf(mark, sizeof(mark), "%s=", name);
	p = strstr(value, mark);
	if (!p)
		return NULL;
	p += strlen(mark);
	if (*p == '"')
		snprintf(text, sizeof(text), "%.*s", (int)strcspn(p + 1, "\""), p + 1);
	else
		snprintf(text, sizeof(text), "%.*s", (int)strcspn(p, ","), p);
	return text;
}

static void answers_are_the_samples_of_the_rfcs(void **state)
{
	static const struct {
		const char *challenge, *uri, *username, *password, *cnonce, *response, *algorithm;
	} rows[] = {
		/* RFC 2617 §3.5 */
		{ "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", "
		  "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
		  "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
		  "/dir/index.html", "Mufasa", "Circle Of Life", "0a4f113b",
		  "6629fae49393a05397450978507c4ef1", "MD5" },
		/* RFC 7616 §3.9.1 */
		{ "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", "
		  "algorithm=SHA-256, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
		  "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
		  "/dir/index.html", "Mufasa", "Circle of Life",
		  "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
		  "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", "SHA-256" },
		{ "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", "
		  "algorithm=MD5, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\"",
		  "/dir/index.html", "Mufasa", "Circle of Life",
		  "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
		  "8ca523f5e9506fed4657c9700eebdbec", "MD5" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *value =
			digest_authorization(&rows[i].challenge, 1, "GET", rows[i].uri,
					     rows[i].username, rows[i].password, rows[i].cnonce);

		assert_non_null(value);
		assert_int_equal(strncmp(value, "Digest username=\"Mufasa\", ", 26), 0);
		assert_string_equal(attribute(value, "response"), rows[i].response);
		assert_string_equal(attribute(value, "algorithm"), rows[i].algorithm);
		assert_string_equal(attribute(value, "qop"), "auth");
		assert_string_equal(attribute(value, "nc"), "00000001");
		assert_string_equal(attribute(value, "cnonce"), rows[i].cnonce);
		free(value);
	}
}

static void the_strongest_challenge_is_answered(void **state)
{
	static const char *const challenges[] = {
		"Basic realm=\"x\"",
		"Digest realm=\"a\", nonce=\"n1\", algorithm=SHA-512-256",
		"Digest realm=\"a\", nonce=\"n2\"",
		"Digest realm=\"a\", nonce=\"n3\", algorithm=\"SHA-256\", qop=auth",
	};
	char *value = digest_authorization(challenges, 4, "INVITE", "sip:b@x", "u", "p", NULL);

	(void)state;
	assert_string_equal(attribute(value, "nonce"), "n3");
	assert_int_equal(strlen(attribute(value, "cnonce")), 32);
	free(value);
	value = digest_authorization(challenges, 3, "INVITE", "sip:b@x", "u", "p", NULL);
	assert_string_equal(attribute(value, "nonce"), "n2");
	assert_null(attribute(value, "qop")); /* as RFC 2069 knew it */
	free(value);
	assert_null(digest_authorization(challenges, 2, "INVITE", "sip:b@x", "u", "p", NULL));
}

static void what_cannot_be_answered_is_not(void **state)
{
	static const char *const challenges[] = {
		"",
		"Digest",
		"Digestx realm=\"a\", nonce=\"n\"",
		"Digest realm=\"a\"",
		"Digest nonce=\"n\"",
		"Digest realm=\"a, nonce=n",
		"Digest realm=\"a\", nonce=\"n\", qop=\"auth-int\"",
		"Digest realm=\"a\", nonce=\"n\", algorithm=MD5-sess",
		"Digest realm=\"a\" nonce",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(challenges) / sizeof(challenges[0]); i++)
		if (digest_authorization(&challenges[i], 1, "INVITE", "sip:b@x", "u", "p", NULL))
			fail_msg("%s", challenges[i]);
}

static void quotes_stay_inside_their_value(void **state)
{
	static const char challenge[] = "Digest realm=\"a\\\"b\\\\c\", nonce=\"n\"";
	const char *list = challenge;
	char *value = digest_authorization(&list, 1, "INVITE", "sip:b@x", "u\"v", "p", NULL);

	(void)state;
	assert_non_null(strstr(value, "realm=\"a\\\"b\\\\c\","));
	assert_non_null(strstr(value, "username=\"u\\\"v\","));
	free(value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(md5_is_the_sample_of_rfc_2617_section_3_5),
		cmocka_unit_test(sha256_is_the_hash_of_the_three_parts),
		cmocka_unit_test(empty_parts_count),
		cmocka_unit_test(answers_are_the_samples_of_the_rfcs),
		cmocka_unit_test(the_strongest_challenge_is_answered),
		cmocka_unit_test(what_cannot_be_answered_is_not),
		cmocka_unit_test(quotes_stay_inside_their_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
