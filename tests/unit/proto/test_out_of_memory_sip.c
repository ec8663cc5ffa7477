/* Every allocation of what calls that go out are made of fails once: see test_out_of_memory.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The libraries' headers come first: their declarations are not ours to rename. */
#include <arpa/inet.h>
#include <ctype.h>
#include <openssl/evp.h>
#include <osipparser2/osip_parser.h>
#include <strings.h>
#include <sys/random.h>

#include "failing_alloc.h"

#include "base/buf.c"
#include "proto/digest.c"
#include "proto/sip_addr.c"
#include "proto/sip_target.c"

#include <cmocka.h> /* its fail() is not theirs */

static void a_target_says_so(void **state)
{
	(void)state;
	FOR_EACH_FAILING_ALLOCATION
	{
		struct sip_target_error e = { 0 };
		struct sip_target t = { 0 };
		int r;

		r = sip_target_parse(&t, "a@example.com:5070;transport=tcp;x=1?X-A=%20&X-B=2", &e);
		assert_int_equal(r, alloc_failed() ? -ENOMEM : 0);
		assert_true(r == 0 || !t.uri);
		assert_int_equal(e.code, 0);
		sip_target_done(&t);
	}
}

static void a_challenge_without_memory_is_passed_over(void **state)
{
	static const char *const challenges[] = {
		"Digest realm=\"r\", nonce=n, opaque=\"o\", qop=\"auth\", algorithm=MD5",
		"Digest realm=\"r\", nonce=n, opaque=\"o\", qop=\"auth\", algorithm=SHA-256",
	};

	(void)state;
	FOR_EACH_FAILING_ALLOCATION
	{
		char *value =
			digest_authorization(challenges, 2, "INVITE", "sip:a@b", "u", "p", NULL);

		assert_true(alloc_failed() || value);
		/* Whole or not at all. */
		assert_true(!value || strstr(value, ", cnonce=\""));
		free(value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_target_says_so),
		cmocka_unit_test(a_challenge_without_memory_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
