/*
 * A change that runs out of memory in the midst of itself: whoever is told
 * that it was not applied finds everything as it was, at every amount of
 * memory.  Rows may be the first of it that changed, and the only one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cdop/form.h"
#include "tests/unit/server/rpc/calls.h"

#define FIRST (2u << 10)
#define STEP  128u
#define LAST  (512u << 10)

static struct world w;

static int
setup(void **state)
{
	(void)state;
	world_make(&w);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

static Cdop__CaseAmendRequest
amendment(const char *reference)
{
	Cdop__CaseAmendRequest request;

	cdop__case_amend_request__init(&request);
	request.reference = calls_text(&w, reference);
	request.version = 1;
	request.form = cdop_form_new(w.arena);
	request.reason = calls_text(&w, "the GP rang");
	request.source = calls_text(&w, "telephone, GP");
	calls_put(&w, request.form, "child.first_names", "Testina");
	return request;
}

static void
what_was_not_applied_has_changed_nothing(void **state)
{
	char *reference = world_register(&w, 1, "wirral");
	size_t mark = cdop_arena_used(w.arena), budget, aborted = 0;
	Cdop__CaseAmendRequest request;
	struct world_answer answer;
	bool done = false;

	(void)state;
	for (budget = FIRST; !done && budget < LAST; budget += STEP) {
		cdop_arena_rewind(w.arena, mark);
		request = amendment(reference);
		w.budget = budget;
		world_call(&w, WORLD_COORDINATOR, CDOP_CALL_CaseAmend,
		    &request.base, &answer);
		w.budget = 0;
		aborted += answer.failed != CDOP_OK;
		done =
		    answer.failed == CDOP_OK && answer.reply->status == CDOP_OK;
		/* Every row is where the index says that it is. */
		assert_int_equal(
		    calls_show(&w, WORLD_COORDINATOR, reference, CDOP_OK)
			->record->version,
		    done ? 2 : 1);
	}
	assert_true(done && aborted > 0);
	free(reference);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		what_was_not_applied_has_changed_nothing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
