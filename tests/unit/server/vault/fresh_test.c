/* Bytes for nonces: each once, also in a process that was forked. */
#include "server/vault/fresh.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define N 200 /* more than are drawn at a time */

static void
none_comes_twice(void **state)
{
	static uint8_t seen[N][FRESH_LEN];
	size_t i, j;

	(void)state;
	for (i = 0; i < N; i++) {
		fresh_take(seen[i]);
		for (j = 0; j < i; j++)
			assert_memory_not_equal(seen[i], seen[j], FRESH_LEN);
	}
}

static void
a_child_draws_its_own(void **state)
{
	uint8_t ours[FRESH_LEN], theirs[FRESH_LEN];
	int end[2], status;
	pid_t pid;

	(void)state;
	fresh_take(ours); /* there are some left to be shared */
	assert_int_equal(pipe(end), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		fresh_take(theirs);
		_exit(write(end[1], theirs, sizeof(theirs)) != sizeof(theirs));
	}
	fresh_take(ours);
	assert_int_equal(read(end[0], theirs, sizeof(theirs)), sizeof(theirs));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_memory_not_equal(ours, theirs, FRESH_LEN);
	assert_false(sodium_is_zero(theirs, sizeof(theirs)));
	(void)close(end[0]);
	(void)close(end[1]);
}

static const uint8_t *held; /* where the source wrote */
static size_t held_len;

static void
known_buf(void *const buf, const size_t len)
{
	memset(buf, 0x5a, len);
	held = buf;
	held_len = len;
}

static const char *
known_name(void)
{
	return "known";
}

static struct randombytes_implementation known = {
    .implementation_name = known_name,
    .buf = known_buf,
};

static void
what_was_handed_out_is_wiped(void **state)
{
	uint8_t out[FRESH_LEN];
	size_t i;

	(void)state;
	assert_int_equal(randombytes_set_implementation(&known), 0);
	while (held == NULL)
		fresh_take(out);
	for (i = FRESH_LEN; i < held_len; i += FRESH_LEN)
		fresh_take(out);
	assert_int_equal(out[0], 0x5a);
	assert_true(sodium_is_zero(held, held_len));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(none_comes_twice),
	    cmocka_unit_test(a_child_draws_its_own),
	    cmocka_unit_test(what_was_handed_out_is_wiped),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
