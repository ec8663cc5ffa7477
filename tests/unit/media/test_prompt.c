#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "media/prompt.h"
#include "media/tone.h"

#define FIXTURES "../tests/fixtures/audio/"

static const struct prompt_limits limits = { .max_bytes = 1 << 20, .max_seconds = 60 };

static uint8_t *load(const char *name, size_t *len)
{
	char path[256];
	uint8_t *data;
	FILE *f;

	snprintf(path, sizeof(path), FIXTURES "%s", name);
	f = fopen(path, "rb");
	if (!f)
		fail_msg("no fixture %s", path);
	data = malloc(1 << 16);
	*len = fread(data, 1, 1 << 16, f);
	fclose(f);
	return data;
}

static int decode(struct prompt **p, const char *name, const char *type,
		  const struct prompt_limits *l)
{
	size_t len;
	uint8_t *data = load(name, &len);
	int r = prompt_decode(p, data, len, type, l);

	free(data);
	return r;
}

static void each_listed_type_decodes_to_the_same_tone(void **state)
{
	static const struct {
		const char *file, *type;
		size_t samples, slack;
	} cases[] = {
		{ "tone-8k.wav", "audio/wav", 8000, 0 },
		{ "tone-8k.wav", "audio/x-wav; charset=binary", 8000, 0 },
		{ "tone-8k.wav", "Audio/Wave", 8000, 0 },
		{ "tone-44k-stereo-ulaw.wav", "audio/wav", 1600, 2 },
		{ "tone-16k-adpcm.wav", "audio/wav", 8000, 300 },
		{ "tone-gsm.wav", "audio/wav", 8000, 320 },
		{ "tone-22k.aiff", "audio/aiff", 4000, 2 },
		{ "tone-22k.aiff", "audio/x-aiff", 4000, 2 },
		{ "tone-16k.aifc", "audio/x-aifc", 8000, 2 },
		{ "tone.gsm", "audio/gsm", 8000, 160 },
		{ "tone.gsm", "audio/x-gsm", 8000, 160 },
		{ "tone.ulaw", "audio/ulaw", 8000, 0 },
		{ "tone.ulaw", "audio/basic", 8000, 0 },
		{ "tone.au", "audio/basic", 8000, 0 },
		{ "tone.mp3", "audio/mpeg", 8000, 700 },
		{ "tone.mp3", "audio/mp3", 8000, 700 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct prompt *p = NULL;
		double rms;

		if (decode(&p, cases[i].file, cases[i].type, &limits))
			fail_msg("%s as %s is refused", cases[i].file, cases[i].type);
		if (p->samples + cases[i].slack < cases[i].samples ||
		    p->samples > cases[i].samples + cases[i].slack)
			fail_msg("%s: %zu samples", cases[i].file, p->samples);
		if (tone_share(p->ulaw, 400, 1000, 1000) < 0.97)
			fail_msg("%s: the tone has %f", cases[i].file,
				 tone_share(p->ulaw, 400, 1000, 1000));
		rms = tone_rms(p->ulaw, 400, 1000); /* half of full scale: 16384 / sqrt(2) */
		if (rms < 10500 || rms > 12500)
			fail_msg("%s: rms %f", cases[i].file, rms);
		prompt_unref(p);
	}
}

static void an_unknown_type_is_refused_by_name(void **state)
{
	struct prompt *p = NULL;

	(void)state;
	assert_int_equal(decode(&p, "tone-8k.wav", "text/html", &limits), -EPROTONOSUPPORT);
	assert_int_equal(decode(&p, "tone-8k.wav", "audio/ogg", &limits), -EPROTONOSUPPORT);
	assert_int_equal(decode(&p, "tone-8k.wav", "audio/wavy", &limits), -EPROTONOSUPPORT);
	assert_int_equal(decode(&p, "tone-8k.wav", "", &limits), -EPROTONOSUPPORT);
	assert_null(p);
}

static void content_of_another_format_than_its_type_is_refused(void **state)
{
	struct prompt *p = NULL;

	(void)state;
	assert_int_equal(decode(&p, "tone-8k.wav", "audio/mpeg", &limits), -EINVAL);
	assert_int_equal(decode(&p, "tone.mp3", "audio/wav", &limits), -EINVAL);
	assert_int_equal(decode(&p, "tone.au", "audio/wav", &limits), -EINVAL);
	assert_int_equal(prompt_decode(&p, "<html>not found</html>", 22, "audio/wav", &limits),
			 -EINVAL);
	assert_int_equal(prompt_decode(&p, "<html>not found</html>", 22, "audio/mpeg", &limits),
			 -EINVAL);
	assert_null(p);
}

static void a_file_cut_inside_its_header_is_refused(void **state)
{
	static const char *const files[][2] = { { "tone-8k.wav", "audio/wav" },
						{ "tone-22k.aiff", "audio/aiff" },
						{ "tone.au", "audio/basic" },
						{ "tone.mp3", "audio/mpeg" } };

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		size_t len;
		uint8_t *data = load(files[i][0], &len);

		for (size_t cut = 4; cut <= 24; cut++) {
			struct prompt *p = NULL;
			uint8_t *part = malloc(cut); /* exactly so many, for the sanitizer */

			memcpy(part, data, cut);
			assert_int_equal(prompt_decode(&p, part, cut, files[i][1], &limits),
					 -EINVAL);
			free(part);
		}
		free(data);
	}
}

static void a_file_cut_in_its_audio_gives_what_it_has(void **state)
{
	struct prompt *p = NULL;
	size_t len;
	uint8_t *data = load("tone-8k.wav", &len);

	(void)state;
	assert_int_equal(prompt_decode(&p, data, 44 + 8000, "audio/wav", &limits), 0);
	assert_int_equal(p->samples, 4000);
	prompt_unref(p);
	free(data);
}

static void an_empty_body_or_a_file_without_frames_is_refused(void **state)
{
	struct prompt *p = NULL;
	size_t len;
	uint8_t *data = load("tone-8k.wav", &len);

	(void)state;
	assert_int_equal(prompt_decode(&p, "", 0, "audio/wav", &limits), -EINVAL);
	assert_int_equal(prompt_decode(&p, "", 0, "audio/ulaw", &limits), -EINVAL);
	memset(data + 40, 0, 4);
	assert_int_equal(prompt_decode(&p, data, 44, "audio/wav", &limits), -EINVAL);
	free(data);
}

static void absurd_rates_and_channel_counts_are_refused(void **state)
{
	static const struct {
		uint32_t rate;
		uint16_t channels;
	} bad[] = { { 999, 1 },	       { 0, 1 },    { 192001, 1 }, { 0xffffffff, 1 },
		    { 0x80000000, 1 }, { 8000, 0 }, { 8000, 9 },   { 8000, 0xffff } };
	size_t len;
	uint8_t *data = load("tone-8k.wav", &len);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct prompt *p = NULL;
		uint32_t rate = bad[i].rate;
		uint16_t channels = bad[i].channels, align = (uint16_t)(2 * channels);

		memcpy(data + 22, &channels, 2);
		memcpy(data + 24, &rate, 4);
		memcpy(data + 32, &align, 2);
		if (prompt_decode(&p, data, len, "audio/wav", &limits) != -EINVAL)
			fail_msg("rate %u, %u channels", rate, channels);
	}
	free(data);
}

static void a_header_that_promises_gigabytes_costs_nothing(void **state)
{
	struct prompt *p = NULL;
	size_t len;
	uint8_t *data = load("tone-8k.wav", &len);

	(void)state;
	memset(data + 40, 0xff, 4); /* what a streaming encoder writes, too */
	memset(data + 4, 0xff, 4);
	assert_int_equal(prompt_decode(&p, data, len, "audio/wav", &limits), 0);
	assert_int_equal(p->samples, 8000);
	prompt_unref(p);
	free(data);
}

static void audio_beyond_a_limit_is_refused(void **state)
{
	const struct prompt_limits small = { .max_bytes = 1000, .max_seconds = 60 };
	struct prompt_limits brief = { .max_bytes = 1 << 20, .max_seconds = 0 };
	struct prompt *p = NULL;
	uint8_t *raw = calloc(1, 16001);

	(void)state;
	assert_int_equal(decode(&p, "tone-8k.wav", "audio/wav", &small), -EFBIG);
	assert_int_equal(decode(&p, "tone-8k.wav", "audio/wav", &brief), -EFBIG);
	assert_int_equal(decode(&p, "tone.mp3", "audio/mpeg", &brief), -EFBIG);
	brief.max_seconds = 2;
	assert_int_equal(prompt_decode(&p, raw, 16001, "audio/ulaw", &brief), -EFBIG);
	assert_int_equal(prompt_decode(&p, raw, 16000, "audio/ulaw", &brief), 0);
	prompt_unref(p);
	free(raw);
}

static void damaged_files_are_decoded_or_refused_but_never_harm(void **state)
{
	static const char *const files[][2] = {
		{ "tone-16k-adpcm.wav", "audio/wav" }, { "tone-gsm.wav", "audio/wav" },
		{ "tone-22k.aiff", "audio/aiff" },     { "tone.gsm", "audio/gsm" },
		{ "tone.mp3", "audio/mpeg" },	       { "tone.au", "audio/basic" },
	};

	(void)state;
	srand(1);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		size_t len;
		uint8_t *data = load(files[i][0], &len);

		for (int round = 0; round < 60; round++) {
			uint8_t *bad = malloc(len);
			struct prompt *p = NULL;
			int r;

			memcpy(bad, data, len);
			for (int k = 0; k < 12; k++)
				bad[(size_t)rand() % (k < 8 && len > 64 ? 64 : len)] =
					(uint8_t)rand();
			r = prompt_decode(&p, bad, len, files[i][1], &limits);
			assert_true(r == 0 || r == -EINVAL || r == -EFBIG);
			if (!r)
				prompt_unref(p);
			free(bad);
		}
		free(data);
	}
}

static void a_float_file_beyond_full_scale_is_clipped_not_wrapped(void **state)
{
	static const uint8_t header[44] =
		"RIFF\x34\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x03\x00\x01\x00\x40\x1f\x00\x00"
		"\x00\x7d\x00\x00\x04\x00\x20\x00"
		"data\x10\x00\x00";
	const float samples[4] = { 1e30f, -1e30f, NAN, 0.5f };
	uint8_t file[60];
	struct prompt *p = NULL;

	(void)state;
	memcpy(file, header, 44);
	memcpy(file + 44, samples, 16);
	assert_int_equal(prompt_decode(&p, file, sizeof(file), "audio/wav", &limits), 0);
	assert_int_equal(p->samples, 4);
	assert_true(ulaw_to_linear(p->ulaw[0]) > 30000);
	assert_true(ulaw_to_linear(p->ulaw[1]) < -30000);
	assert_int_equal(ulaw_to_linear(p->ulaw[2]), 0);
	prompt_unref(p);
}

static void a_prompt_is_followed_by_silence_up_to_a_whole_packet(void **state)
{
	int16_t pcm[161] = { 1000 };
	struct prompt *p = prompt_new(pcm, 161);

	(void)state;
	for (size_t i = 161; i < 320; i++)
		assert_int_equal(p->ulaw[i], 0xff);
	prompt_unref(p);
}

static struct prompt *prompt_of(size_t samples)
{
	int16_t *pcm = calloc(samples, sizeof(*pcm));
	struct prompt *p = prompt_new(pcm, samples);

	free(pcm);
	return p;
}

static bool cached(struct prompt_cache *cache, const char *key)
{
	struct prompt *p = prompt_cache_get(cache, key);

	prompt_unref(p);
	return p != NULL;
}

static void the_cache_drops_the_least_recently_used_beyond_its_bytes(void **state)
{
	struct prompt_cache *cache = prompt_cache_new(35000);
	struct prompt *p = prompt_of(10000);

	(void)state;
	prompt_cache_put(cache, "a", p);
	prompt_cache_put(cache, "b", p);
	prompt_cache_put(cache, "c", p);
	assert_true(cached(cache, "a")); /* now b is the oldest */
	prompt_cache_put(cache, "d", p);
	assert_false(cached(cache, "b"));
	assert_true(cached(cache, "a"));
	assert_true(cached(cache, "c"));
	assert_true(cached(cache, "d"));
	prompt_unref(p);
	prompt_cache_free(cache);
}

static void the_cache_replaces_an_entry_and_refuses_what_is_larger_than_itself(void **state)
{
	struct prompt_cache *cache = prompt_cache_new(20000);
	struct prompt *a = prompt_of(9000), *b = prompt_of(9500), *huge = prompt_of(20000), *got;

	(void)state;
	prompt_cache_put(cache, "k", a);
	prompt_cache_put(cache, "k", b);
	prompt_cache_put(cache, "other", a);
	prompt_cache_put(cache, "huge", huge);
	got = prompt_cache_get(cache, "k");
	assert_ptr_equal(got, b);
	prompt_unref(got);
	assert_true(cached(cache, "other"));
	assert_false(cached(cache, "huge"));
	got = prompt_cache_get(cache, "k");
	prompt_cache_free(cache); /* the prompt outlives it */
	assert_int_equal(got->samples, 9500);
	prompt_unref(got);
	prompt_unref(a);
	prompt_unref(b);
	prompt_unref(huge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_listed_type_decodes_to_the_same_tone),
		cmocka_unit_test(an_unknown_type_is_refused_by_name),
		cmocka_unit_test(content_of_another_format_than_its_type_is_refused),
		cmocka_unit_test(a_file_cut_inside_its_header_is_refused),
		cmocka_unit_test(a_file_cut_in_its_audio_gives_what_it_has),
		cmocka_unit_test(an_empty_body_or_a_file_without_frames_is_refused),
		cmocka_unit_test(absurd_rates_and_channel_counts_are_refused),
		cmocka_unit_test(a_header_that_promises_gigabytes_costs_nothing),
		cmocka_unit_test(audio_beyond_a_limit_is_refused),
		cmocka_unit_test(damaged_files_are_decoded_or_refused_but_never_harm),
		cmocka_unit_test(a_float_file_beyond_full_scale_is_clipped_not_wrapped),
		cmocka_unit_test(a_prompt_is_followed_by_silence_up_to_a_whole_packet),
		cmocka_unit_test(the_cache_drops_the_least_recently_used_beyond_its_bytes),
		cmocka_unit_test(
			the_cache_replaces_an_entry_and_refuses_what_is_larger_than_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
