/*
 * What a process in a test does not have around it.  Its walls are not raised:
 * behind them it could say nothing, and they have tests of their own.  Nobody
 * else decides when it goes on.
 */
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "cdop/err.h"
#include "tests/fault/shim_core.h"

enum cdop_err __wrap_sandbox_harden(void);
enum cdop_err __wrap_sandbox_enter(
    int role, const char *const dirs[], size_t n, bool *ret_landlock);

enum cdop_err
__wrap_sandbox_harden(void)
{
	return CDOP_OK;
}

enum cdop_err
__wrap_sandbox_enter(
    int role, const char *const dirs[], size_t n, bool *ret_landlock)
{
	(void)role;
	(void)dirs;
	(void)n;
	*ret_landlock = true;
	return CDOP_OK;
}

typedef int poll_fn(struct pollfd *fds, nfds_t n, int timeout_ms);

static void (*before_poll)(unsigned n);

void
shim_poll(void (*fn)(unsigned n))
{
	before_poll = fn;
}

int
poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	static unsigned count;
	NEXT(poll);

	if (before_poll == NULL || !shim_is_on())
		return fn(fds, n, timeout_ms);
	shim_off();
	before_poll(++count);
	shim_on();
	return fn(fds, n, 0);
}
