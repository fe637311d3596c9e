/* Results: names, frozen numbers, and the end of an impossible state. */
#include "cdop/err.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

/* gRPC's list, written out once more: these numbers are on the wire. */
static const struct {
	int number;
	const char *name;
} known[] = {
    {0, "OK"},
    {3, "INVALID_ARGUMENT"},
    {4, "DEADLINE_EXCEEDED"},
    {5, "NOT_FOUND"},
    {6, "ALREADY_EXISTS"},
    {7, "PERMISSION_DENIED"},
    {8, "RESOURCE_EXHAUSTED"},
    {9, "FAILED_PRECONDITION"},
    {10, "ABORTED"},
    {12, "UNIMPLEMENTED"},
    {13, "INTERNAL"},
    {14, "UNAVAILABLE"},
    {15, "DATA_LOSS"},
    {16, "UNAUTHENTICATED"},
};

static const char *
name_of(int number)
{
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].number == number)
			return known[i].name;
	return "UNKNOWN";
}

static void
numbers_and_names_are_those_of_grpc(void **state)
{
	int number;

	(void)state;
	for (number = -1; number <= 300; number++)
		assert_string_equal(
		    cdop_err_name((enum cdop_err)number), name_of(number));
}

static void
the_list_is_frozen(void **state)
{
	(void)state;
	assert_int_equal(CDOP_OK, 0);
	assert_int_equal(CDOP_INVALID_ARGUMENT, 3);
	assert_int_equal(CDOP_DEADLINE_EXCEEDED, 4);
	assert_int_equal(CDOP_NOT_FOUND, 5);
	assert_int_equal(CDOP_ALREADY_EXISTS, 6);
	assert_int_equal(CDOP_PERMISSION_DENIED, 7);
	assert_int_equal(CDOP_RESOURCE_EXHAUSTED, 8);
	assert_int_equal(CDOP_FAILED_PRECONDITION, 9);
	assert_int_equal(CDOP_ABORTED, 10);
	assert_int_equal(CDOP_UNIMPLEMENTED, 12);
	assert_int_equal(CDOP_INTERNAL, 13);
	assert_int_equal(CDOP_UNAVAILABLE, 14);
	assert_int_equal(CDOP_DATA_LOSS, 15);
	assert_int_equal(CDOP_UNAUTHENTICATED, 16);
}

static void
a_true_assertion_costs_nothing(void **state)
{
	int evaluated = 0;

	(void)state;
	CDOP_ASSERT(++evaluated == 1);
	assert_int_equal(evaluated, 1);
}

/* What the child says of an impossible state, and the signal it ends by. */
static int
die_of_assertion(char *said, size_t max)
{
	const struct rlimit no_core = {0, 0};
	int out[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(out), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)signal(SIGABRT, SIG_DFL);
		(void)setrlimit(RLIMIT_CORE, &no_core);
		(void)dup2(out[1], STDERR_FILENO);
		CDOP_ASSERT(getppid() == 0);
		_exit(0);
	}
	(void)close(out[1]);
	n = read(out[0], said, max - 1);
	assert_true(n >= 0);
	said[n] = '\0';
	(void)close(out[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void
an_impossible_state_ends_the_process_and_says_where(void **state)
{
	char said[512];

	(void)state;
	assert_int_equal(die_of_assertion(said, sizeof(said)), SIGABRT);
	assert_non_null(strstr(said, "getppid() == 0"));
	assert_non_null(strstr(said, "err_test.c:"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_and_names_are_those_of_grpc),
	    cmocka_unit_test(the_list_is_frozen),
	    cmocka_unit_test(a_true_assertion_costs_nothing),
	    cmocka_unit_test(
		an_impossible_state_ends_the_process_and_says_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
