#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "media/loop_thread.h"
#include "media/prompt.h"
#include "media/speech.h"
#include "media/tone.h"

/* One loop and one speech for all tests: engines are slow to load and once per process. */
static struct {
	struct loop_thread thread;
	struct prompt_cache *cache;
	struct speech *speech;
} world;

struct request {
	const char *voice, *language, *ssml;
	const void *data;
	size_t len;
	const char *content_type;
	struct prompt_limits limits;
	bool cancel;

	struct speech_job *job;
	int started;
	unsigned calls;
	bool within; /* done came before the starter returned */
	bool returned;
	int r;
	struct prompt *prompt;
	sem_t done;
};

static void on_done(void *arg, int r, struct prompt *prompt)
{
	struct request *q = arg;

	q->within = !q->returned;
	q->r = r;
	q->prompt = prompt;
	q->calls++;
	sem_post(&q->done);
}

static void do_request(void *arg)
{
	static const struct prompt_limits usual = { .max_bytes = 1 << 20, .max_seconds = 60 };
	struct request *q = arg;
	bool a, b;

	q->returned = false;
	if (q->content_type)
		q->started = speech_decode(&q->job, world.speech, q->data, q->len, q->content_type,
					   q->limits.max_bytes ? &q->limits : &usual, on_done, q);
	else
		q->started =
			speech_say(&q->job, world.speech,
				   speech_voice_find(world.speech, q->voice, q->language, &a, &b),
				   q->ssml, on_done, q);
	q->returned = true;
	if (q->cancel)
		speech_cancel(q->job);
}

/* Says it and waits; the request keeps the prompt. */
static void ask(struct request *q)
{
	sem_init(&q->done, 0, 0);
	loop_thread_do(&world.thread, do_request, q);
	assert_int_equal(q->started, 0);
	if (!wait_sem(&q->done, 20000))
		fail_msg("no completion");
	assert_false(q->within);
	assert_int_equal(q->calls, 1);
	sem_destroy(&q->done);
}

static struct prompt *say(const char *voice, const char *language, const char *ssml)
{
	struct request q = { .voice = voice, .language = language, .ssml = ssml };

	ask(&q);
	if (q.r)
		fail_msg("%s: %d", ssml, q.r);
	return q.prompt;
}

static double seconds(const char *voice, const char *language, const char *ssml)
{
	struct prompt *p = say(voice, language, ssml);
	double s = (double)p->samples / 8000;

	prompt_unref(p);
	return s;
}

static double loudness(const char *ssml)
{
	struct prompt *p = say("man", "en-US", ssml);
	double rms = tone_rms(p->ulaw, p->samples / 2, p->samples / 2);

	prompt_unref(p);
	return rms;
}

static void a_known_phrase_is_heard_in_every_engine_and_takes_its_time(void **state)
{
	static const struct {
		const char *voice, *language, *text;
	} cases[] = {
		{ "man", "en-US", "Hello, and welcome to the support line." },
		{ "woman", "en-US", "Hello, and welcome to the support line." },
		{ "flite.kal", NULL, "Hello, and welcome to the support line." },
		{ "flite.awb", NULL, "Hello, and welcome to the support line." },
		{ "man", "en-GB", "Hello, and welcome to the support line." },
		{ "woman", "de-DE", "Guten Tag und herzlich willkommen." },
		{ "Polly.Celine", NULL, "Bonjour et bienvenue chez nous." },
		{ "alice", "zh-CN",
		  "\xe4\xbd\xa0\xe5\xa5\xbd\xef\xbc\x8c\xe6\xac\xa2\xe8\xbf\x8e\xe8\x87\xb4\xe7\x94"
		  "\xb5" },
		{ "Polly.Tatyana", NULL,
		  "\xd0\x97\xd0\xb4\xd1\x80\xd0\xb0\xd0\xb2\xd1\x81\xd1\x82\xd0\xb2\xd1\x83\xd0\xb9"
		  "\xd1\x82\xd0\xb5" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct prompt *p = say(cases[i].voice, cases[i].language, cases[i].text);
		double s = (double)p->samples / 8000, rms = tone_rms(p->ulaw, 0, p->samples);
		int peak = 0;

		for (size_t k = 0; k < p->samples; k++)
			if (abs(ulaw_to_linear(p->ulaw[k])) > peak)
				peak = abs(ulaw_to_linear(p->ulaw[k]));
		if (s < 0.6 || s > 4.5)
			fail_msg("%s %s: %f s", cases[i].voice, cases[i].language, s);
		if (rms < 800 || peak < 15000 || peak > 17500)
			fail_msg("%s %s: rms %f, peak %d", cases[i].voice, cases[i].language, rms,
				 peak);
		prompt_unref(p);
	}
}

static void a_longer_text_takes_longer(void **state)
{
	double one = seconds("man", NULL, "One two three four five."),
	       two = seconds("man", NULL,
			     "One two three four five. One two three four five. One two three four "
			     "five.");

	(void)state;
	assert_true(two > 2.4 * one);
	assert_true(two < 5 * one);
}

static void a_break_adds_its_time(void **state)
{
	static const char *const languages[] = { "en-US", "fr-FR" }; /* an engine each */

	(void)state;
	for (int i = 0; i < 2; i++) {
		double none = seconds("woman", languages[i], "un deux<break time=\"0s\"/>trois"),
		       two = seconds("woman", languages[i], "un deux<break time=\"2s\"/>trois"),
		       half = seconds("woman", languages[i], "un deux<break time=\"500ms\"/>trois"),
		       weak = seconds("woman", languages[i],
				      "un deux<break strength=\"x-weak\"/>trois"),
		       strong = seconds("woman", languages[i],
					"un deux<break strength=\"x-strong\"/>trois");

		if (fabs(two - none - 2) > 0.1 || fabs(half - none - 0.5) > 0.1)
			fail_msg("%s: %f %f %f", languages[i], none, half, two);
		assert_true(strong > weak + 0.5);
	}
	assert_true(fabs(seconds("man", NULL, "<break time=\"1500ms\"/>") - 1.5) < 0.001);
	assert_true(seconds("man", NULL, "<break time=\"3600s\"/>") <= 10.0); /* bounded */
}

static void prosody_and_emphasis_are_heard(void **state)
{
	double slow = seconds("man", NULL,
			      "<prosody rate=\"50%\">Good morning everybody</prosody>"),
	       fast = seconds("man", NULL,
			      "<prosody rate=\"x-fast\">Good morning everybody</prosody>"),
	       french_slow = seconds("man", "fr-FR",
				     "<prosody rate=\"slow\">Bonjour tout le monde</prosody>"),
	       french_fast = seconds("man", "fr-FR",
				     "<prosody rate=\"fast\">Bonjour tout le monde</prosody>");
	double soft = loudness("Good morning.<prosody volume=\"-12dB\">Good morning.</prosody>"),
	       same = loudness("Good morning.<prosody volume=\"medium\">Good morning.</prosody>"),
	       silent = loudness("Good morning.<prosody volume=\"silent\">Good morning.</prosody>"),
	       strong =
		       loudness("Good morning.<emphasis level=\"strong\">Good morning.</emphasis>");

	(void)state;
	assert_true(slow > 1.8 * fast);
	assert_true(french_slow > 1.3 * french_fast);
	assert_true(soft < 0.4 * same);
	assert_true(silent < 0.05 * same + 20);
	assert_true(strong > 1.2 * same);
}

static void say_as_and_sub_change_what_is_said(void **state)
{
	double number = seconds("man", NULL, "<say-as interpret-as=\"cardinal\">123456</say-as>"),
	       digits = seconds("man", NULL, "<say-as interpret-as=\"digits\">7000</say-as>"),
	       one_by_one = seconds("man", NULL, "7 0 0 0"),
	       together = seconds("man", NULL, "7000"), word = seconds("man", NULL, "radio"),
	       spelled = seconds("man", NULL, "<say-as interpret-as=\"spell-out\">radio</say-as>"),
	       date = seconds(
		       "man", NULL,
		       "<say-as interpret-as=\"date\" format=\"yyyymmdd\">20190922</say-as>"),
	       said_date = seconds("man", NULL, "September 22nd, 2019"),
	       al = seconds("man", NULL, "Al"),
	       sub = seconds("man", NULL, "<sub alias=\"aluminium chloride\">Al</sub>"),
	       aluminium = seconds("man", NULL, "aluminium chloride");

	(void)state;
	assert_true(number > 1.5);
	assert_true(fabs(digits - one_by_one) < 0.05);
	assert_true(fabs(digits - together) > 0.2);
	assert_true(spelled > 1.5 * word);
	assert_true(fabs(date - said_date) < 0.05);
	assert_true(sub > 1.4 * al);
	assert_true(fabs(sub - aluminium) < 0.05);
}

static void an_expletive_becomes_a_tone(void **state)
{
	struct prompt *p = say("man", NULL, "<say-as interpret-as=\"expletive\">drat</say-as>");

	(void)state;
	assert_int_equal(p->samples, 3200);
	assert_true(tone_share(p->ulaw, 0, 3200, 1000) > 0.97);
	prompt_unref(p);
}

static void elements_that_change_nothing_are_transparent(void **state)
{
	double plain = seconds("man", NULL, "You say pecan."),
	       marked = seconds("man", NULL,
				"<speak>You <w role=\"amazon:VB\">say</w> "
				"<phoneme alphabet=\"ipa\" ph=\"x\">pecan</phoneme>.</speak>");

	(void)state;
	assert_true(fabs(plain - marked) < 0.05);
}

static void another_language_inside_is_spoken_by_another_voice(void **state)
{
	struct prompt *a = say("woman", "en-US",
			       "<lang xml:lang=\"fr-FR\">Bonjour tout le monde</lang>"),
		      *b = say("woman", "fr-FR", "Bonjour tout le monde"),
		      *c = say("woman", "en-US", "Bonjour tout le monde");

	(void)state;
	assert_true(labs((long)a->samples - (long)b->samples) < 800);
	assert_true(a->samples != c->samples);
	prompt_unref(a);
	prompt_unref(b);
	prompt_unref(c);
}

static void the_same_text_is_synthesised_once(void **state)
{
	struct prompt *a = say("man", "en-US", "Cached by content."),
		      *b = say("man", "en-US", "Cached by content."),
		      *c = say("woman", "en-US", "Cached by content.");

	(void)state;
	assert_ptr_equal(a, b);
	assert_ptr_not_equal(a, c);
	prompt_unref(a);
	prompt_unref(b);
	prompt_unref(c);
}

static struct request crowd[8];

static void do_crowd(void *arg)
{
	(void)arg;
	for (int i = 0; i < 8; i++)
		do_request(&crowd[i]);
	speech_cancel(crowd[3].job);
}

static void equal_requests_that_wait_share_one_synthesis(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++) {
		crowd[i] = (struct request){ .voice = "man",
					     .ssml = "All of us want to hear just this." };
		sem_init(&crowd[i].done, 0, 0);
	}
	loop_thread_do(&world.thread, do_crowd, NULL);
	for (int i = 0; i < 8; i++) {
		if (i == 3)
			continue;
		assert_true(wait_sem(&crowd[i].done, 10000));
		assert_ptr_equal(crowd[i].prompt, crowd[0].prompt);
	}
	assert_int_equal(crowd[3].calls, 0);
	for (int i = 0; i < 8; i++)
		prompt_unref(crowd[i].prompt);
}

static void a_cancelled_job_never_completes_and_the_next_one_does(void **state)
{
	static char text[4000];
	struct request q = { .voice = "man", .ssml = text, .cancel = true };
	uint64_t begin = clock_mono_ms();
	struct prompt *p;

	(void)state;
	for (int i = 0; i < 70; i++)
		strcat(text, "This is a very long story that nobody will hear. ");
	sem_init(&q.done, 0, 0);
	for (int i = 0; i < 20; i++)
		loop_thread_do(&world.thread, do_request, &q);
	p = say("man", NULL, "After the cancelled.");
	prompt_unref(p);
	assert_int_equal(q.calls, 0);
	assert_true(clock_mono_ms() - begin < 8000);
}

static void nothing_to_say_and_broken_text_are_refused(void **state)
{
	static const char *const bad[] = {
		"",	   "   \n\t",	  "<p></p>",	    "<break time=\"0s\"/>x</speak><speak>",
		"a < b",   "&undefined;", "<a><b></a></b>", "<!DOCTYPE x><x/>",
		"\xff\xfe"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct request q = { .voice = "man", .ssml = bad[i] };

		ask(&q);
		if (q.r != -EINVAL || q.prompt)
			fail_msg("%s: %d", bad[i], q.r);
	}
}

static void hostile_text_does_no_harm(void **state)
{
	static char deep[3000], word[201], many[60000];
	struct request q = { .voice = "man", .ssml = deep };

	(void)state;
	for (int i = 0; i < 900; i++)
		strcat(deep, "<s>");
	ask(&q); /* not well-formed, and deeper than we go */
	assert_true(q.r == -EINVAL || q.r == -EFBIG);
	memset(word, 'a', 200);
	prompt_unref(say("man", NULL, word));
	prompt_unref(say("man", "fr-FR", word));
	memset(word, '9', 100);
	word[100] = '\0';
	prompt_unref(say("man", NULL, word));
	for (int i = 0; i < 5000; i++)
		strcat(many, "<break/>x");
	q = (struct request){ .voice = "man", .ssml = many };
	ask(&q);
	assert_int_equal(q.r, -EFBIG);
	prompt_unref(say("man", NULL,
			 "<say-as interpret-as=\"date\" format=\"yyy\">9999 9999 9999</say-as>"));
	prompt_unref(say("man", NULL,
			 "50% of $%s [[x]] \\x00 '; DROP -- &lt;b&gt; &amp;amp; \xc2\xa9 "
			 "\xf0\x9f\x98\x80 fin"));
	prompt_unref(say("man", "ja-JP", "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e \xf0\x9f\x98\x80"));
}

/* Kills the processes that speak; the number of them. */
static unsigned kill_children(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *e;
	unsigned killed = 0;

	while ((e = readdir(dir))) {
		char path[300];
		FILE *f;
		int pid;

		snprintf(path, sizeof(path), "/proc/self/task/%s/children", e->d_name);
		f = fopen(path, "r");
		while (f && fscanf(f, "%d", &pid) == 1)
			killed += !kill(pid, SIGKILL);
		if (f)
			fclose(f);
	}
	closedir(dir);
	return killed;
}

static void an_engine_that_dies_costs_its_text_alone(void **state)
{
	static char text[20000];
	struct request q = { .voice = "man", .ssml = text };
	struct request next = { .voice = "man", .ssml = "The next one is heard." };

	(void)state;
	for (int i = 0; i < 300; i++)
		strcat(text, "A long story that takes seconds to make. ");
	sem_init(&q.done, 0, 0);
	loop_thread_do(&world.thread, do_request, &q);
	while (sem_trywait(&q.done))
		kill_children(); /* until it was at work when it died */
	assert_int_equal(q.r, -EIO);
	assert_null(q.prompt);
	assert_int_equal(q.calls, 1);
	ask(&next); /* one that died for no fault of this text is not even noticed */
	assert_int_equal(next.r, 0);
	prompt_unref(next.prompt);
}

struct lookup {
	const char *voice, *language;
	const struct speech_voice *found;
	bool voice_known, language_known;
};

static void do_lookup(void *arg)
{
	struct lookup *l = arg;

	l->found = speech_voice_find(world.speech, l->voice, l->language, &l->voice_known,
				     &l->language_known);
}

static struct lookup find(const char *voice, const char *language)
{
	struct lookup l = { .voice = voice, .language = language };

	loop_thread_do(&world.thread, do_lookup, &l);
	assert_non_null(l.found);
	return l;
}

static void the_names_of_twiml_documents_are_known(void **state)
{
	static const char *const names[] = {
		"man",
		"woman",
		"alice",
		"Polly.Joanna",
		"Polly.Joanna-Neural",
		"Polly.Matthew-Generative",
		"Polly.C\xc3\xa9line",
		"Polly.Vit\xc3\xb3ria-Neural",
		"polly.amy",
		"Google.en-US-Standard-C",
		"Google.en-US-Neural2-D",
		"Google.cmn-CN-Wavenet-A",
		"Google.en-US-Chirp3-HD-Aoede",
		"Polly.Zeina",
	};
	static const char *const languages[] = { "en-US", "en-GB",  "en-AU", "fr-CA", "pt-BR",
						 "zh-CN", "cmn-CN", "arb",   "es-MX", "nb-NO",
						 "ja-JP", "zh-HK",  "en",    "de-DE" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!find(names[i], NULL).voice_known)
			fail_msg("%s", names[i]);
	for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++)
		if (!find("man", languages[i]).language_known)
			fail_msg("%s", languages[i]);
	assert_ptr_equal(find("Polly.Joanna", NULL).found, find("woman", "en-US").found);
	assert_ptr_equal(find("Polly.Brian", NULL).found, find("man", "en-GB").found);
	assert_ptr_equal(find("Polly.Camila", "pt-BR").found, find("alice", "pt-BR").found);
	assert_ptr_equal(find(NULL, NULL).found, find("man", "en-US").found);
	assert_ptr_equal(find("alice", "zh-CN").found,
			 find("Google.cmn-CN-Standard-A", NULL).found);
	assert_ptr_not_equal(find("man", "pt-BR").found, find("man", "pt-PT").found);
	assert_ptr_not_equal(find("man", "en-US").found, find("woman", "en-US").found);
}

static void unknown_names_fall_back_to_the_nearest_and_say_so(void **state)
{
	static const char *const names[] = {
		"Polly.Nobody",
		"robot",
		"Google.en-US-Magic-A",
		"Google.xx-XX-Standard-A",
		"Google.",
		"Polly.",
		"Polly.-Neural",
		"Google.en-US-Standard-",
		"a name so long that no table in the world would ever hold it, not even this one"
	};
	struct lookup l;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		l = find(names[i], NULL);
		if (l.voice_known || !l.language_known)
			fail_msg("%s", names[i]);
		assert_ptr_equal(l.found, find("man", "en-US").found);
	}
	l = find("woman", "xx-YY");
	assert_true(l.voice_known);
	assert_false(l.language_known);
	assert_ptr_equal(l.found, find("woman", "en-US").found);
	l = find("man", "es-AR"); /* not listed: the nearest Spanish */
	assert_false(l.language_known);
	assert_ptr_equal(l.found, find("man", "es-ES").found);
	l = find("Polly.Joanna", "fr-FR"); /* she speaks no French: a woman who does */
	assert_false(l.language_known);
	assert_ptr_equal(l.found, find("woman", "fr-FR").found);
	l = find("Nobody", "de-DE");
	assert_false(l.voice_known);
	assert_ptr_equal(l.found, find("man", "de-DE").found);
}

static void count_row(void *arg, const char *voice, const char *language, const char *engine,
		      const char *engine_voice, bool female)
{
	(void)female;
	assert_true(*voice && *language && *engine && *engine_voice);
	++*(unsigned *)arg;
}

static void do_walk(void *arg)
{
	speech_voice_walk(world.speech, count_row, arg);
}

static void the_table_of_voices_can_be_listed(void **state)
{
	unsigned rows = 0;

	(void)state;
	loop_thread_do(&world.thread, do_walk, &rows);
	assert_true(rows > 200);
}

static void media_is_decoded_beside_speech_with_the_same_rules(void **state)
{
	uint8_t *raw = malloc(8000);
	struct request q = { .data = raw, .len = 8000, .content_type = "audio/ulaw" };

	(void)state;
	memset(raw, 0x11, 8000);
	ask(&q);
	assert_int_equal(q.r, 0);
	assert_int_equal(q.prompt->samples, 8000);
	prompt_unref(q.prompt);
	q = (struct request){ .data = "nonsense", .len = 8, .content_type = "audio/wav" };
	ask(&q);
	assert_int_equal(q.r, -EINVAL);
	q = (struct request){ .data = "nonsense",
			      .len = 8,
			      .content_type = "text/plain; charset=utf-8" };
	ask(&q);
	assert_int_equal(q.r, -EPROTONOSUPPORT);
	q = (struct request){
		.data = raw, .len = 8000, .content_type = "audio/ulaw", .limits = { 100, 1 }
	};
	ask(&q);
	assert_int_equal(q.r, -EFBIG);
	q = (struct request){
		.data = raw, .len = 8000, .content_type = "audio/ulaw", .cancel = true
	};
	loop_thread_do(&world.thread, do_request, &q);
	prompt_unref(say("man", NULL, "After a cancelled decoding."));
	assert_int_equal(q.calls, 0);
	free(raw);
}

static void do_new(void *arg)
{
	(void)arg;
	world.cache = prompt_cache_new(64 << 20);
	world.speech = speech_new(world.thread.loop, world.cache, "man", "en-US");
}

static void do_free(void *arg)
{
	static struct request left = { .voice = "man", .ssml = "Nobody waits for this any more." };

	(void)arg;
	do_request(&left); /* still at work when all ends */
	speech_free(world.speech);
	prompt_cache_free(world.cache);
}

static int start(void **state)
{
	(void)state;
	loop_thread_start(&world.thread);
	loop_thread_do(&world.thread, do_new, NULL);
	return world.speech ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	loop_thread_end(&world.thread, do_free, NULL);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_known_phrase_is_heard_in_every_engine_and_takes_its_time),
		cmocka_unit_test(a_longer_text_takes_longer),
		cmocka_unit_test(a_break_adds_its_time),
		cmocka_unit_test(prosody_and_emphasis_are_heard),
		cmocka_unit_test(say_as_and_sub_change_what_is_said),
		cmocka_unit_test(an_expletive_becomes_a_tone),
		cmocka_unit_test(elements_that_change_nothing_are_transparent),
		cmocka_unit_test(another_language_inside_is_spoken_by_another_voice),
		cmocka_unit_test(the_same_text_is_synthesised_once),
		cmocka_unit_test(equal_requests_that_wait_share_one_synthesis),
		cmocka_unit_test(a_cancelled_job_never_completes_and_the_next_one_does),
		cmocka_unit_test(nothing_to_say_and_broken_text_are_refused),
		cmocka_unit_test(hostile_text_does_no_harm),
		cmocka_unit_test(an_engine_that_dies_costs_its_text_alone),
		cmocka_unit_test(the_names_of_twiml_documents_are_known),
		cmocka_unit_test(unknown_names_fall_back_to_the_nearest_and_say_so),
		cmocka_unit_test(the_table_of_voices_can_be_listed),
		cmocka_unit_test(media_is_decoded_beside_speech_with_the_same_rules),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
