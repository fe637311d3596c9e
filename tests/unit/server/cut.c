/* The disk, call by call; see cut.h. */
#include "tests/unit/server/cut.h"

#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SECTOR 512

static bool armed;
static uint32_t calls;
static uint32_t cut_at;
static int fail_with;
static bool zeros; /* were written by the last call */

void
cut_begin(uint32_t at, int code)
{
	armed = true;
	zeros = false;
	calls = 0;
	cut_at = at;
	fail_with = code;
}

void
cut_end(void)
{
	armed = false;
}

uint32_t
cut_calls(void)
{
	return calls;
}

bool
cut_child(uint32_t at, void (*fn)(uint32_t at))
{
	int status;
	pid_t pid;

	(void)fflush(NULL);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		fn(at);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != CUT_DIED)
		assert_int_equal(WEXITSTATUS(status), 0);
	return WEXITSTATUS(status) == CUT_DIED;
}

/* What is smaller than a sector, as a meta page, does not tear. */
bool
cut_tears(size_t len)
{
	return armed && fail_with == 0 && calls + 1 == cut_at && len > SECTOR;
}

bool
cut_is_more_room(const uint8_t *bytes, size_t len)
{
	bool before = zeros;

	zeros = len > SECTOR && bytes[0] == 0 &&
	    memcmp(bytes, bytes + 1, len - 1) == 0;
	return before && zeros;
}

bool
cut_is(void)
{
	if (!armed || ++calls != cut_at)
		return false;
	if (fail_with == 0)
		_exit(CUT_DIED);
	errno = fail_with;
	return true;
}

void
cut_next(const char *name, void *ret_fn)
{
	void *p;

	p = dlsym(RTLD_NEXT, name);
	memcpy(ret_fn, &p, sizeof(p));
}
