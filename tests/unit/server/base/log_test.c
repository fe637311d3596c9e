/* Log lines: one line each, whatever a stranger puts into a value. */
#include "server/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int saved_stderr;
static int said; /* read end */
static char text[4096];

static int
catch_stderr(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	saved_stderr = dup(STDERR_FILENO);
	assert_true(dup2(fds[1], STDERR_FILENO) >= 0);
	close(fds[1]);
	said = fds[0];
	log_init("gate", LOG_LEVEL_INFO);
	return 0;
}

static int
free_stderr(void **state)
{
	(void)state;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(said);
	return 0;
}

/* What was written since the last call, behind the time. */
static const char *
heard(void)
{
	ssize_t n = read(said, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return n > 25 ? text + 25 : text;
}

static void
a_line_has_time_level_role_event_and_values(void **state)
{
	(void)state;
	log_info("link.open", "conn=%llu from=%s n=%zu bad=%d u=%u x=%x", 7ULL,
	    "127.0.0.1:4", (size_t)3, -1, 5U, 255U);
	assert_string_equal(heard(),
	    "info gate link.open conn=7 from=127.0.0.1:4 n=3 bad=-1 u=5 "
	    "x=ff\n");
	assert_int_equal(text[4], '-');
	assert_int_equal(text[10], 'T');
	assert_int_equal(text[23], 'Z');
	log_error("stop", NULL);
	assert_string_equal(heard(), "error gate stop\n");
}

static void
no_value_makes_a_second_line_or_key(void **state)
{
	const char *volatile none = NULL; /* as a bug would have it */

	(void)state;
	log_info("e", "v=%s", "a b");
	assert_string_equal(heard(), "info gate e v=\"a b\"\n");
	log_info("e", "v=%s", "a\nforged=1");
	assert_string_equal(heard(), "info gate e v=\"a\\x0aforged=1\"\n");
	log_info("e", "v=%s", "x=1");
	assert_string_equal(heard(), "info gate e v=\"x=1\"\n");
	log_info("e", "v=%s", "\"\\\x1b[2J\x7f");
	assert_string_equal(
	    heard(), "info gate e v=\"\\\"\\\\\\x1b[2J\\x7f\"\n");
	log_info("e", "v=%s", "\xc3\xa9");
	assert_string_equal(heard(), "info gate e v=\"\\xc3\\xa9\"\n");
	log_info("e", "v=%s w=%s", "", none);
	assert_string_equal(heard(), "info gate e v=\"\" w=\"\"\n");
	log_info("e", "v=%.*s", 2, "abcdef");
	assert_string_equal(heard(), "info gate e v=ab\n");
	/* A percent sign in a value is no conversion. */
	log_info("e", "v=%s", "%s%n%d");
	assert_string_equal(heard(), "info gate e v=%s%n%d\n");
}

static void
a_line_is_bounded_and_ends(void **state)
{
	char big[5000];
	const char *line;

	(void)state;
	memset(big, '\n', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_info("e", "a=%s b=%s c=%s d=%s", big, big, big, big);
	line = heard();
	assert_true(strlen(text) <= 1024);
	assert_int_equal(line[strlen(line) - 1], '\n');
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void
levels_below_the_wanted_one_are_silent(void **state)
{
	(void)state;
	log_debug("e", NULL);
	assert_string_equal(heard(), "");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("e", NULL);
	assert_string_equal(heard(), "debug gate e\n");
	log_set_level(LOG_LEVEL_ERROR);
	log_warning("e", NULL);
	log_info("e", NULL);
	assert_string_equal(heard(), "");
	log_error("e", NULL);
	assert_string_equal(heard(), "error gate e\n");
	log_set_level(LOG_LEVEL_INFO);
}

static void
a_stranger_cannot_flood_the_log(void **state)
{
	struct log_limit limit = {.per_minute = 3};
	size_t i, lines = 0;
	const char *at;

	(void)state;
	for (i = 0; i < 1000; i++)
		log_limited(&limit, "e", "i=%zu", i);
	heard();
	for (at = text; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	/* A minute may have turned in between. */
	assert_in_range(lines, 3, 7);
	limit.minute = 0; /* another minute */
	limit.held = 997;
	log_limited(&limit, "e", "i=%d", 1);
	assert_non_null(strstr(heard(), "log.held event=e held=997\n"));
}

static void
errno_survives_a_log_line(void **state)
{
	(void)state;
	errno = ENOSPC;
	log_error("e", "n=%d", 1);
	assert_int_equal(errno, ENOSPC);
	heard();
}

static void
a_sentence_for_a_person_has_no_quotes_but_is_escaped(void **state)
{
	ssize_t n;

	(void)state;
	log_tell("%s: unknown key \"%s\"", "a b.conf", "x\x1b");
	n = read(said, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	assert_string_equal(text, "cdopd: a b.conf: unknown key \"x\\x1b\"\n");
	log_tell("%s", "unknown key \"foo\" \\");
	n = read(said, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	assert_string_equal(text, "cdopd: unknown key \"foo\" \\\\\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_line_has_time_level_role_event_and_values),
	    cmocka_unit_test(no_value_makes_a_second_line_or_key),
	    cmocka_unit_test(a_line_is_bounded_and_ends),
	    cmocka_unit_test(levels_below_the_wanted_one_are_silent),
	    cmocka_unit_test(a_stranger_cannot_flood_the_log),
	    cmocka_unit_test(errno_survives_a_log_line),
	    cmocka_unit_test(
		a_sentence_for_a_person_has_no_quotes_but_is_escaped),
	};

	return cmocka_run_group_tests(tests, catch_stderr, free_stderr);
}
