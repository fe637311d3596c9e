/* A partner's question with a number and a name that fit different children. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

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

static Cdop__Form *
form_of(unsigned n)
{
	Cdop__Form *form = world_form(&w, n, "wirral");

	calls_put(&w, form, "child.family_name", "Brackenfold");
	return form;
}

/* Born 2024-05-14, as all these are; nhs NULL: by name alone. */
static Cdop__AskReply *
ask(const char *nhs)
{
	Cdop__AskRequest request;
	struct world_answer answer;

	cdop__ask_request__init(&request);
	request.nhs_number = calls_text(&w, nhs);
	request.family_name = calls_text(&w, "Brackenfold");
	request.birth_date = calls_text(&w, "14/05/2024");
	world_call(
	    &w, WORLD_PARTNER_WIRRAL, CDOP_CALL_Ask, &request.base, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	return world_body(&w, &answer, &cdop__ask_reply__descriptor);
}

/* Another child of that name, whose number nobody knows, does not unsay it. */
static void
a_number_that_fits_decides(void **state)
{
	struct calls_tell tell = {.n_decision = 1};
	Cdop__AskReply *reply;
	char *reference;

	(void)state;
	reference = calls_new(&w, WORLD_COORDINATOR, form_of(1));
	tell.form = form_of(2);
	tell.form->child->nhs_number = NULL;
	calls_put(&w, tell.form, "child.nhs_number_absent_reason",
	    "NOT_CURRENTLY_AVAILABLE");
	tell.decision[0] = calls_decision(
	    &w, reference, CDOP__DECISION__NEW_OTHER, "another family");
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	assert_int_equal(ask(NULL)->answer, CDOP__ANSWER__NOT_ENOUGH);
	reply = ask(form_of(1)->child->nhs_number);
	assert_int_equal(reply->answer, CDOP__ANSWER__KNOWN);
	assert_string_equal(reply->reference, reference);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_number_that_fits_decides),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
