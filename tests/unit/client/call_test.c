/* How long an answer is waited for. */
#include "client/call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "tests/unit/client/fixture.h"

static const struct call_method *
method_of(const char *name)
{
	uint32_t id;

	for (id = 0; id < 200; id++)
		if (call_method(id) != NULL &&
		    strcmp(call_method(id)->name, name) == 0)
			return call_method(id);
	fail_msg("there is no %s", name);
	return NULL;
}

/* A registry of a million cases reads them for longer than a call takes. */
static void
the_last_share_is_waited_for(void **state)
{
	struct fixture *f = *state;

	f->ctx.g.timeout_ms = 20000;
	f->ctx.g.timeout = NULL;
	assert_true(
	    call_patience_ms(&f->ctx, method_of("ShareSubmit")) >= 15 * 60000);
	assert_in_range(
	    call_patience_ms(&f->ctx, method_of("Status")), 20000, 25000);
	/* Who says how long is meant. */
	f->ctx.g.timeout = "20";
	assert_in_range(
	    call_patience_ms(&f->ctx, method_of("ShareSubmit")), 20000, 25000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		the_last_share_is_waited_for, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
