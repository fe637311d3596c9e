/* What an answer says it is about, against what was asked. */
#include "client/answered.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "tests/unit/client/fixture.h"

static void
a_case_is_the_one_that_was_asked_for(void **state)
{
	struct fixture *f = *state;
	char one[] = "T-AAAA", same[] = "T-AAAA", other[] = "T-BBBB";
	Cdop__CaseShowRequest request;
	Cdop__CaseShowReply reply;
	Cdop__Case c;

	cdop__case_show_request__init(&request);
	cdop__case_show_reply__init(&reply);
	cdop__case__init(&c);
	request.reference = one;
	reply.case_ = &c;
	c.reference = same;
	assert_int_equal(
	    answered_about(&f->ctx, &request.base, &reply.base), EXIT_OK);
	c.reference = other;
	assert_int_equal(answered_about(&f->ctx, &request.base, &reply.base),
	    EXIT_INTEGRITY);
	assert_string_equal(f->ctx.error.message,
	    "case T-AAAA was asked for, and the answer is about T-BBBB");
}

static void
a_person_is_the_one_that_was_asked_for(void **state)
{
	struct fixture *f = *state;
	Cdop__SuspendRequest request;
	Cdop__PersonReply reply;
	Cdop__Person person;

	cdop__suspend_request__init(&request);
	cdop__person_reply__init(&reply);
	cdop__person__init(&person);
	request.person = 4;
	reply.person = &person;
	person.number = 4;
	assert_int_equal(
	    answered_about(&f->ctx, &request.base, &reply.base), EXIT_OK);
	person.number = 5;
	assert_int_equal(answered_about(&f->ctx, &request.base, &reply.base),
	    EXIT_INTEGRITY);
}

/* A device is named by its number: whose it is the registry says. */
static void
what_was_not_named_is_not_compared(void **state)
{
	struct fixture *f = *state;
	Cdop__PersonActivateRequest request;
	Cdop__PersonActivateReply reply;

	cdop__person_activate_request__init(&request);
	cdop__person_activate_reply__init(&reply);
	request.device = reply.device = 9;
	reply.person = 4;
	assert_int_equal(
	    answered_about(&f->ctx, &request.base, &reply.base), EXIT_OK);
	request.has_person = true;
	request.person = 3;
	assert_int_equal(answered_about(&f->ctx, &request.base, &reply.base),
	    EXIT_INTEGRITY);
}

/* That it waits for a second person: there is no entry yet. */
static void
nor_what_the_answer_does_not_name(void **state)
{
	struct fixture *f = *state;
	Cdop__BackupDestroyedRequest request;
	Cdop__BackupDestroyedReply reply;
	Cdop__BackupEntry entry;

	cdop__backup_destroyed_request__init(&request);
	cdop__backup_destroyed_reply__init(&reply);
	cdop__backup_entry__init(&entry);
	request.number = reply.number = 3;
	assert_int_equal(
	    answered_about(&f->ctx, &request.base, &reply.base), EXIT_OK);
	entry.number = 2;
	reply.backup = &entry;
	assert_int_equal(answered_about(&f->ctx, &request.base, &reply.base),
	    EXIT_INTEGRITY);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_case_is_the_one_that_was_asked_for),
	    TEST(a_person_is_the_one_that_was_asked_for),
	    TEST(what_was_not_named_is_not_compared),
	    TEST(nor_what_the_answer_does_not_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
