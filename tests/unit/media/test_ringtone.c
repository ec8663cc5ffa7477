#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "proto/twiml_schema.h"
#include "media/tone.h"
#include "failing_alloc.h"

#include "media/prompt.c"
#include "media/ringtone.c"

#define SAMPLES_A_MS 8
#define PAUSE_MS     20 /* a shorter silence is a zero of the tone or of its beat */
#define EDGE_MS	     10 /* beside an edge the tone is not whole yet */

/* ITU-T E.180 Supplement 2, said once more: what is heard is measured against this. */
static const struct expected {
	const char *country;
	unsigned hz[2], beat_hz, ms[4];
} expected[] = {
	{ "at", { 420 }, 0, { 1000, 5000 } },
	{ "au", { 413, 438 }, 0, { 400, 200, 400, 2000 } },
	{ "bg", { 425 }, 0, { 1000, 4000 } },
	{ "br", { 425 }, 0, { 1000, 4000 } },
	{ "be", { 425 }, 0, { 1000, 3000 } },
	{ "ch", { 425 }, 0, { 1000, 4000 } },
	{ "cl", { 400 }, 0, { 1000, 3000 } },
	{ "cn", { 450 }, 0, { 1000, 4000 } },
	{ "cz", { 425 }, 0, { 1000, 4000 } },
	{ "de", { 425 }, 0, { 1000, 4000 } },
	{ "dk", { 425 }, 0, { 1000, 4000 } },
	{ "ee", { 425 }, 0, { 1000, 4000 } },
	{ "es", { 425 }, 0, { 1500, 3000 } },
	{ "fi", { 425 }, 0, { 1000, 4000 } },
	{ "fr", { 440 }, 0, { 1500, 3500 } },
	{ "gr", { 425 }, 0, { 1000, 4000 } },
	{ "hu", { 425 }, 0, { 1250, 3750 } },
	{ "il", { 400 }, 0, { 1000, 3000 } },
	{ "in", { 400 }, 25, { 400, 200, 400, 2000 } },
	{ "it", { 425 }, 0, { 1000, 4000 } },
	{ "lt", { 425 }, 0, { 1000, 4000 } },
	{ "jp", { 400 }, 16, { 1000, 2000 } },
	{ "mx", { 425 }, 0, { 1000, 4000 } },
	{ "my", { 425 }, 0, { 400, 200, 400, 2000 } },
	{ "nl", { 425 }, 0, { 1000, 4000 } },
	{ "no", { 425 }, 0, { 1000, 4000 } },
	{ "nz", { 400, 450 }, 0, { 400, 200, 400, 2000 } },
	{ "ph", { 425, 480 }, 0, { 1000, 4000 } },
	{ "pl", { 425 }, 0, { 1000, 4000 } },
	{ "pt", { 425 }, 0, { 1000, 5000 } },
	{ "ru", { 425 }, 0, { 800, 3200 } },
	{ "se", { 425 }, 0, { 1000, 5000 } },
	{ "sg", { 425 }, 24, { 400, 200, 400, 2000 } },
	{ "th", { 400 }, 0, { 1000, 4000 } },
	{ "uk", { 400, 450 }, 0, { 400, 200, 400, 2000 } },
	{ "us", { 440, 480 }, 0, { 2000, 4000 } },
	{ "us-old", { 420 }, 40, { 2000, 4000 } },
	{ "tw", { 440, 480 }, 0, { 1000, 2000 } },
	{ "ve", { 425 }, 0, { 1000, 4000 } },
	{ "za", { 400 }, 33, { 400, 200, 400, 2000 } },
};

#define EXPECTED (sizeof(expected) / sizeof(expected[0]))

static struct prompt *get(const char *country)
{
	struct prompt *p = NULL;

	if (ringtone_get(&p, country))
		fail_msg("no ring tone of %s", country);
	return p;
}

/* The period twice, as a loop plays it. The caller's. */
static uint8_t *looped(const struct prompt *p)
{
	uint8_t *ulaw = malloc(2 * p->samples);

	memcpy(ulaw, p->ulaw, p->samples);
	memcpy(ulaw + p->samples, p->ulaw, p->samples);
	return ulaw;
}

static void every_country_of_the_schema_has_a_tone_and_no_other(void **state)
{
	const char *words = twiml_attr_rule(twiml_element_rule("Dial"), "ringTone")->words;
	size_t listed = 0;

	(void)state;
	for (const char *w = words; *w; w += strcspn(w, "|"), w += *w == '|') {
		char country[16];
		struct prompt *p;

		snprintf(country, sizeof(country), "%.*s", (int)strcspn(w, "|"), w);
		p = get(country);
		assert_true(p->samples > 0);
		prompt_unref(p);
		listed++;
	}
	assert_int_equal(listed, EXPECTED);
	assert_int_equal(listed, COUNTRIES);
	for (size_t i = 0; i < EXPECTED; i++)
		assert_true(
			twiml_words_have(words, expected[i].country, strlen(expected[i].country)));
}

static void an_unknown_country_is_refused_and_none_is_the_american_tone(void **state)
{
	static const char *const unknown[] = { "", "xx", "u", "usa", "US", "us-", "us|uk" };
	struct prompt *none = NULL, *us = get("us");

	(void)state;
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		assert_int_equal(ringtone_get(&none, unknown[i]), -EINVAL);
		assert_null(none);
	}
	assert_int_equal(ringtone_get(&none, NULL), 0);
	assert_ptr_equal(none, us);
	prompt_unref(none);
	prompt_unref(us);
}

static void a_tone_is_made_once_and_a_reference_outlives_its_users(void **state)
{
	struct prompt *a = get("fr"), *b = get("fr");

	(void)state;
	assert_ptr_equal(a, b);
	prompt_unref(a);
	prompt_unref(b);
	a = get("fr");
	assert_ptr_equal(a, b);
	assert_true(tone_rms(a->ulaw, 800, 800) > 0);
	prompt_unref(a);
}

/* Where the next run of sound (or, from within one, of pause) ends; n: it does not. */
static size_t sound_ends(const uint8_t *ulaw, size_t from, size_t n)
{
	size_t silent = 0;

	for (size_t i = from; i < n; i++) {
		silent = ulaw_to_linear(ulaw[i]) ? 0 : silent + 1;
		if (silent == PAUSE_MS * SAMPLES_A_MS)
			return i + 1 - silent;
	}
	return n;
}

static size_t pause_ends(const uint8_t *ulaw, size_t from, size_t n)
{
	while (from < n && !ulaw_to_linear(ulaw[from]))
		from++;
	return from;
}

static void check_ms(const char *country, const char *what, size_t samples, unsigned want_ms)
{
	if (samples + 16 < (size_t)want_ms * SAMPLES_A_MS ||
	    samples > (size_t)want_ms * SAMPLES_A_MS + 16)
		fail_msg("%s: %s of %.1f ms, not %u", country, what, (double)samples / SAMPLES_A_MS,
			 want_ms);
}

static void each_cadence_has_its_times_and_goes_on_over_the_seam(void **state)
{
	(void)state;
	for (size_t i = 0; i < EXPECTED; i++) {
		const struct expected *e = &expected[i];
		struct prompt *p = get(e->country);
		uint8_t *ulaw = looped(p);
		int rings = e->ms[2] ? 2 : 1;
		size_t at = 0, next, n = 2 * p->samples;

		for (int k = 0; k < 2 * rings; k++) {
			next = sound_ends(ulaw, at, n);
			check_ms(e->country, "ring", next - at, e->ms[k % rings * 2]);
			at = next;
			next = pause_ends(ulaw, at, n);
			check_ms(e->country, "pause", next - at, e->ms[k % rings * 2 + 1]);
			at = next;
		}
		assert_int_equal(at, n);
		free(ulaw);
		prompt_unref(p);
	}
}

static void a_period_is_whole_packets_that_begin_and_end_in_silence(void **state)
{
	(void)state;
	for (size_t i = 0; i < EXPECTED; i++) {
		const struct expected *e = &expected[i];
		struct prompt *p = get(e->country);
		size_t ms = e->ms[0] + e->ms[1] + e->ms[2] + e->ms[3];

		assert_int_equal(p->samples, ms * SAMPLES_A_MS); /* exactly: or a loop drifts */
		assert_int_equal(p->samples % RTP_FRAME_SAMPLES, 0);
		assert_int_equal(ulaw_to_linear(p->ulaw[0]), 0);
		assert_int_equal(ulaw_to_linear(p->ulaw[p->samples - 1]), 0);
		prompt_unref(p);
	}
}

static void check_share(const struct expected *e, const uint8_t *ulaw, size_t from, size_t n,
			double hz, double want)
{
	double share = tone_share(ulaw, from, n, hz);

	if (fabs(share - want) > 0.04)
		fail_msg("%s: %.2f of the energy at %.0f Hz, not %.2f", e->country, share, hz,
			 want);
}

static void each_ring_has_its_frequencies_and_beat_at_20_dBm0_below_zero(void **state)
{
	(void)state;
	for (size_t i = 0; i < EXPECTED; i++) {
		const struct expected *e = &expected[i];
		struct prompt *p = get(e->country);

		for (unsigned k = 0, start_ms = 0; k < 4 && e->ms[k]; k += 2) {
			size_t from = (start_ms + EDGE_MS) * SAMPLES_A_MS;
			size_t n = (e->ms[k] - 2 * EDGE_MS) * SAMPLES_A_MS;
			double dbm0 =
				3.17 + 20 * log10(tone_rms(p->ulaw, from, n) * M_SQRT2 / 32124);

			if (e->beat_hz) { /* full depth: each side band a quarter of the carrier */
				check_share(e, p->ulaw, from, n, e->hz[0], 4.0 / 6);
				check_share(e, p->ulaw, from, n, e->hz[0] - e->beat_hz, 1.0 / 6);
				check_share(e, p->ulaw, from, n, e->hz[0] + e->beat_hz, 1.0 / 6);
			} else if (e->hz[1]) {
				check_share(e, p->ulaw, from, n, e->hz[0], 0.5);
				check_share(e, p->ulaw, from, n, e->hz[1], 0.5);
			} else {
				check_share(e, p->ulaw, from, n, e->hz[0], 1);
			}
			if (fabs(dbm0 + 20) > 0.5)
				fail_msg("%s: %.1f dBm0", e->country, dbm0);
			start_ms += e->ms[k] + e->ms[k + 1];
		}
		prompt_unref(p);
	}
}

/* A click is a step that the tone itself never makes. */
static void no_edge_and_no_seam_clicks(void **state)
{
	(void)state;
	for (size_t i = 0; i < EXPECTED; i++) {
		const struct expected *e = &expected[i];
		struct prompt *p = get(e->country);
		uint8_t *ulaw = looped(p);
		size_t n = 2 * p->samples, period = p->samples, ring = e->ms[0] * SAMPLES_A_MS;
		int steepest = 0;

		for (size_t k = EDGE_MS * SAMPLES_A_MS; k < ring - EDGE_MS * SAMPLES_A_MS; k++) {
			int step = abs(ulaw_to_linear(ulaw[k + 1]) - ulaw_to_linear(ulaw[k]));

			if (step > steepest)
				steepest = step;
		}
		for (size_t k = 0; k + 1 < n; k++)
			if (abs(ulaw_to_linear(ulaw[k + 1]) - ulaw_to_linear(ulaw[k])) > steepest)
				fail_msg("%s: a click at sample %zu of %zu", e->country, k, period);
		/* Nor one that is no step: beside an edge nothing sounds but the tone. */
		for (unsigned hz = 1500; hz <= 3500; hz += 50) {
			double last = tone_share(ulaw, ring - 240, 240, hz);
			double first = tone_share(ulaw, period, 240, hz);

			if (last > 0.001 || first > 0.001)
				fail_msg("%s: an edge sounds at %u Hz (%f, %f)", e->country, hz,
					 first, last);
		}
		free(ulaw);
		prompt_unref(p);
	}
}

static void out_of_memory_is_said_and_the_next_call_makes_it(void **state)
{
	struct prompt *p = NULL;

	(void)state;
	for (size_t i = 0; i < COUNTRIES; i++) {
		prompt_unref(made[i]);
		made[i] = NULL;
	}
	FOR_EACH_FAILING_ALLOCATION
	{
		int r = ringtone_get(&p, "nz");

		if (alloc_failed()) {
			assert_int_equal(r, -ENOMEM);
			assert_null(p);
		} else {
			assert_int_equal(r, 0);
		}
	}
	assert_non_null(p);
	prompt_unref(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_country_of_the_schema_has_a_tone_and_no_other),
		cmocka_unit_test(an_unknown_country_is_refused_and_none_is_the_american_tone),
		cmocka_unit_test(a_tone_is_made_once_and_a_reference_outlives_its_users),
		cmocka_unit_test(each_cadence_has_its_times_and_goes_on_over_the_seam),
		cmocka_unit_test(a_period_is_whole_packets_that_begin_and_end_in_silence),
		cmocka_unit_test(each_ring_has_its_frequencies_and_beat_at_20_dBm0_below_zero),
		cmocka_unit_test(no_edge_and_no_seam_clicks),
		cmocka_unit_test(out_of_memory_is_said_and_the_next_call_makes_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
