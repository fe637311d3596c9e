/* Locked memory: really locked, guarded, wiped, and not inherited. */
#include "server/vault/lockmem.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#else
#define UNDER_ASAN 0
#endif

#define SIZE 8192

static struct lockmem *
make(size_t bytes)
{
	struct lockmem *mem;
	const char *why;

	assert_int_equal(lockmem_new(bytes, &mem, &why), CDOP_OK);
	return mem;
}

static void
allocations_do_not_overlap_and_are_zero(void **state)
{
	uint8_t *p[SIZE / 64];
	struct lockmem *mem;
	size_t i;

	(void)state;
	mem = make(SIZE);
	for (i = 0; i < SIZE / 64; i++) {
		p[i] = lockmem_alloc(mem, 50);
		assert_non_null(p[i]);
		assert_int_equal((uintptr_t)p[i] % 16, 0);
		assert_true(sodium_is_zero(p[i], 50));
		memset(p[i], (int)i + 1, 50);
	}
	assert_null(lockmem_alloc(mem, 1));
	for (i = 0; i < SIZE / 64; i++) {
		assert_int_equal(p[i][0], i + 1);
		assert_int_equal(p[i][49], i + 1);
	}
	for (i = 0; i < SIZE / 64; i += 2)
		lockmem_free(mem, p[i], 50);
	assert_null(lockmem_alloc(mem, 65)); /* holes of 64 */
	p[0] = lockmem_alloc(mem, 64);
	assert_non_null(p[0]);
	assert_true(sodium_is_zero(p[0], 64));
	lockmem_destroy(mem);
}

static void
what_is_given_back_is_wiped(void **state)
{
	struct lockmem *mem;
	uint8_t *p;

	(void)state;
	mem = make(SIZE);
	p = lockmem_alloc(mem, 100);
	assert_non_null(p);
	assert_int_equal(lockmem_used(mem), 128);
	memset(p, 0xee, 100);
	lockmem_free(mem, p, 100);
	assert_true(sodium_is_zero(p, 100));
	assert_int_equal(lockmem_used(mem), 0);
	lockmem_free(mem, NULL, 100);
	lockmem_destroy(mem);
}

static void
odd_sizes_are_refused(void **state)
{
	struct lockmem *mem;
	const char *why;

	(void)state;
	assert_int_equal(lockmem_new(0, &mem, &why), CDOP_INVALID_ARGUMENT);
	assert_int_equal(
	    lockmem_new(LOCKMEM_MAX + 1, &mem, &why), CDOP_INVALID_ARGUMENT);
	mem = make(1);
	assert_null(lockmem_alloc(mem, 0));
	assert_null(lockmem_alloc(mem, 4097));
	assert_non_null(lockmem_alloc(mem, 4096));
	lockmem_destroy(mem);
	lockmem_destroy(NULL);
}

/* Runs fn in a child; the signal that ended it, or 0. */
static int
signal_of(void (*fn)(uint8_t *p), uint8_t *p)
{
	int status;
	pid_t pid;

	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		/* Neither cmocka nor a sanitizer is to catch the fault. */
		(void)signal(SIGSEGV, SIG_DFL);
		fn(p);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static void
read_it(uint8_t *p)
{
	volatile uint8_t byte;

	byte = *p;
	(void)byte;
}

static void
a_child_does_not_get_it_and_guards_stand_around_it(void **state)
{
	struct lockmem *mem;
	uint8_t *p;

	(void)state;
	mem = make(SIZE);
	p = lockmem_alloc(mem, SIZE);
	assert_non_null(p);
	assert_int_not_equal(signal_of(read_it, p), 0);
	assert_int_not_equal(signal_of(read_it, p - 1), 0);
	assert_int_not_equal(signal_of(read_it, p + SIZE), 0);
	lockmem_destroy(mem);
}

/* What the kernel says of the pages that p lies on: "rd wr mr ...". */
static bool
has_flag(const uint8_t *p, const char *flag)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	unsigned long from, to;
	char line[512];
	bool here = false, found = false;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			here = (uintptr_t)p >= from && (uintptr_t)p < to;
		else if (here && strncmp(line, "VmFlags:", 8) == 0)
			found = strstr(line, flag) != NULL;
	}
	(void)fclose(file);
	return found;
}

static void
it_is_in_no_core(void **state)
{
	struct lockmem *mem;
	uint8_t *p;

	(void)state;
	mem = make(SIZE);
	p = lockmem_alloc(mem, SIZE);
	assert_non_null(p);
	assert_true(has_flag(p, " dd"));
	lockmem_destroy(mem);
}

static void
try_without_limit(uint8_t *p)
{
	const struct rlimit none = {0, 0};
	struct lockmem *mem;
	const char *why;

	(void)p;
	if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || setuid(65534) != 0)
		_exit(1);
	if (lockmem_new(SIZE, &mem, &why) != CDOP_FAILED_PRECONDITION)
		_exit(2);
	_exit(strstr(why, "RLIMIT_MEMLOCK") == NULL ? 3 : 42);
}

static void
a_lock_that_fails_is_said_and_not_passed_over(void **state)
{
	(void)state;
	/* ASan makes mlock a no-op; root is not limited. */
	if (UNDER_ASAN || getuid() != 0) {
		skip();
		return;
	}
	assert_int_equal(signal_of(try_without_limit, NULL), 42);
}

static bool lies;

/* Before the C library's: one that says yes and locks nothing. */
int
mlock(const void *p, size_t len)
{
	int (*next)(const void *, size_t);
	void *found;

	if (lies)
		return 0;
	found = dlsym(RTLD_NEXT, "mlock");
	assert_non_null(found);
	memcpy(&next, &found, sizeof(next));
	return next(p, len);
}

static void
a_lock_that_is_none_is_not_believed(void **state)
{
	struct lockmem *mem;
	const char *why;

	(void)state;
	if (UNDER_ASAN) {
		skip(); /* it makes all of them none */
		return;
	}
	lies = true;
	assert_int_equal(
	    lockmem_new(SIZE, &mem, &why), CDOP_FAILED_PRECONDITION);
	lies = false;
	assert_non_null(strstr(why, "VmLck"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(allocations_do_not_overlap_and_are_zero),
	    cmocka_unit_test(what_is_given_back_is_wiped),
	    cmocka_unit_test(odd_sizes_are_refused),
	    cmocka_unit_test(
		a_child_does_not_get_it_and_guards_stand_around_it),
	    cmocka_unit_test(it_is_in_no_core),
	    cmocka_unit_test(a_lock_that_fails_is_said_and_not_passed_over),
	    cmocka_unit_test(a_lock_that_is_none_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
