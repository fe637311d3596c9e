/*
 * A value that needs more than its field's class says: raised by an
 * amendment, and lowered by nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/form.h"
#include "tests/unit/server/rpc/calls.h"

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

/* A mark alone is an amendment, stays, and stands in the history. */
static void
a_value_is_raised_by_an_amendment_and_never_lowered(void **state)
{
	char *reference =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 1, "liverpool"));
	Cdop__CaseAmendRequest request;
	Cdop__Raised mark, *list[] = {&mark};
	Cdop__Case *found;

	(void)state;
	cdop__raised__init(&mark);
	mark.path = calls_text(&w, "mother.family_name");
	mark.data_class = CDOP__DATA_CLASS__SAFEGUARDING;
	cdop__case_amend_request__init(&request);
	request.reference = reference;
	request.version = 1;
	request.form = cdop_form_new(w.arena);
	request.form->raised = list;
	request.form->n_raised = 1;
	request.reason = calls_text(&w, "told in confidence");
	request.source = calls_text(&w, "telephone, GP");
	(void)calls_change(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseAmend, &request.base, CDOP_OK);
	request.version = 2;
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_CaseAmend,
	    &request.base, CDOP_INVALID_ARGUMENT);
	assert_string_equal(calls_rule(), "amend.nothing");
	(void)calls_amend(
	    &w, reference, 2, "mother.family_name", "Raised", NULL, CDOP_OK);
	found = calls_show(&w, WORLD_COORDINATOR, reference, CDOP_OK);
	assert_int_equal(found->record->version, 3);
	assert_int_equal(found->record->form->n_raised, 1);
	assert_string_equal(
	    found->record->form->raised[0]->path, "mother.family_name");
}

static void
a_correction_that_says_nothing_of_it_lowers_nothing(void **state)
{
	Cdop__Form *form = world_form(&w, 2, "liverpool");
	Cdop__NotificationCorrectRequest request;
	Cdop__Raised mark, *list[] = {&mark};
	Cdop__Case *found;
	char *reference;

	(void)state;
	cdop__raised__init(&mark);
	mark.path = calls_text(&w, "notifier.name");
	mark.data_class = CDOP__DATA_CLASS__SAFEGUARDING;
	form->raised = list;
	form->n_raised = 1;
	reference = calls_new(&w, WORLD_COORDINATOR, form);
	form->raised = NULL;
	form->n_raised = 0;
	calls_put(&w, form, "child.first_names", "Testina");
	cdop__notification_correct_request__init(&request);
	request.reference = reference;
	request.notification = 1;
	request.version = 1;
	request.form = form;
	request.reason = calls_text(&w, "misheard");
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_NotificationCorrect,
	    &request.base, CDOP_OK);
	found = calls_show(&w, WORLD_COORDINATOR, reference, CDOP_OK);
	assert_int_equal(found->notification[0]->version, 2);
	assert_int_equal(found->notification[0]->form->n_raised, 1);
	assert_string_equal(
	    found->notification[0]->form->raised[0]->path, "notifier.name");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		a_value_is_raised_by_an_amendment_and_never_lowered),
	    cmocka_unit_test(
		a_correction_that_says_nothing_of_it_lowers_nothing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
