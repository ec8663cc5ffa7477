#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define LOG_SUBSYSTEM "test"
#include "base/log.h"

static FILE *taken;
static int real_stderr;

/* What is logged from here on goes to a file. */
static void take_log(void)
{
	taken = tmpfile();
	assert_non_null(taken);
	real_stderr = dup(STDERR_FILENO);
	dup2(fileno(taken), STDERR_FILENO);
}

static const char *taken_log(void)
{
	static char text[1 << 16];
	size_t n;

	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	rewind(taken);
	n = fread(text, 1, sizeof(text) - 1, taken);
	text[n] = '\0';
	fclose(taken);
	return text;
}

static const char *logged(const char *text)
{
	take_log();
	log_info("%s", text);
	return taken_log();
}

static void a_line_has_level_subsystem_and_text(void **state)
{
	(void)state;
	take_log();
	log_warn("call %s ended: %d", "CA1", 486);
	assert_string_equal(taken_log(), "WARN test: call CA1 ended: 486\n");
}

static void a_line_below_the_level_is_not_written(void **state)
{
	(void)state;
	take_log();
	log_debug("no");
	log_set_level(LOG_ERROR);
	log_warn("no");
	log_error("yes");
	log_set_level(LOG_DEBUG);
	log_debug("yes");
	log_set_level(LOG_INFO);
	assert_string_equal(taken_log(), "ERROR test: yes\nDEBUG test: yes\n");
}

static void a_peers_text_cannot_make_a_line_of_its_own(void **state)
{
	(void)state;
	assert_string_equal(logged("x\r\nERROR test: forged\x1b[2J\x7f\\n"),
			    "INFO test: x\\x0d\\x0aERROR test: forged\\x1b[2J\\x7f\\x5cn\n");
}

static void letters_of_any_language_stay_readable(void **state)
{
	(void)state;
	assert_string_equal(logged("Zo\u00eb \u65e5\u672c \U0001f600"),
			    "INFO test: Zo\u00eb \u65e5\u672c \U0001f600\n");
}

static void bytes_that_are_no_utf8_are_shown_as_bytes(void **state)
{
	(void)state;
	assert_string_equal(logged("\x9b\xc3"), "INFO test: \\x9b\\xc3\n");
	assert_string_equal(logged("\xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80 \xff"),
			    "INFO test: \\xc0\\xaf \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80 \\xff\n");
}

static void characters_that_deceive_a_reader_are_shown_as_bytes(void **state)
{
	(void)state;
	assert_string_equal(logged("\xc2\x85 \u2028 \u202e \u200b \ufeff"),
			    "INFO test: \\xc2\\x85 \\xe2\\x80\\xa8 \\xe2\\x80\\xae \\xe2\\x80\\x8b "
			    "\\xef\\xbb\\xbf\n");
}

static void an_endless_text_is_one_bounded_line(void **state)
{
	static char text[100000];
	const char *line;

	(void)state;
	memset(text, '\n', sizeof(text) - 1);
	line = logged(text);
	assert_in_range(strlen(line), 1000, 4096);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void *write_lines(void *arg)
{
	for (int i = 0; i < 100; i++)
		log_info("%s", (const char *)arg);
	return NULL;
}

static void lines_of_several_threads_do_not_mix(void **state)
{
	static const char *const texts[] = { "aaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbb" };
	pthread_t t[2];
	char *save = NULL;
	int lines = 0;

	(void)state;
	take_log();
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&t[i], NULL, write_lines, (void *)texts[i]), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	for (char *line = strtok_r((char *)taken_log(), "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		assert_true(!strcmp(line + 11, texts[0]) || !strcmp(line + 11, texts[1]));
		lines++;
	}
	assert_int_equal(lines, 200);
}

static void a_bug_is_told_and_ends_the_process(void **state)
{
	const char *text;
	int status;
	pid_t child;

	(void)state;
	take_log();
	child = fork();
	if (!child) {
		BUG_ON(1 + 1 == 2);
		_exit(0);
	}
	waitpid(child, &status, 0);
	text = taken_log();
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
	assert_non_null(strstr(text, "ERROR log: bug at "));
	assert_non_null(strstr(text, "1 + 1 == 2"));
}

/* The last. */
static void a_process_of_several_has_its_number_in_each_line(void **state)
{
	(void)state;
	log_set_process(3);
	assert_string_equal(logged("x"), "INFO test/3: x\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_level_subsystem_and_text),
		cmocka_unit_test(a_line_below_the_level_is_not_written),
		cmocka_unit_test(a_peers_text_cannot_make_a_line_of_its_own),
		cmocka_unit_test(letters_of_any_language_stay_readable),
		cmocka_unit_test(bytes_that_are_no_utf8_are_shown_as_bytes),
		cmocka_unit_test(characters_that_deceive_a_reader_are_shown_as_bytes),
		cmocka_unit_test(an_endless_text_is_one_bounded_line),
		cmocka_unit_test(lines_of_several_threads_do_not_mix),
		cmocka_unit_test(a_bug_is_told_and_ends_the_process),
		cmocka_unit_test(a_process_of_several_has_its_number_in_each_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
