/*
 * Older versions of one form of a case: shown alone, named as left, and
 * nobody's who may not see the case.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/fields.h"
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

/* A version of one form; 0 and 0: neither is said.  NULL: refused. */
static Cdop__Case *
show(enum world_who who, const char *reference, uint32_t instance,
    uint64_t version)
{
	static struct world_answer answer;
	Cdop__CaseShowRequest request;
	Cdop__CaseShowReply *reply;

	cdop__case_show_request__init(&request);
	request.reference = calls_text(&w, reference);
	request.has_instance = instance != 0;
	request.instance = instance;
	request.has_version = version != 0;
	request.version = version;
	world_call(&w, who, 43, &request.base, &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	if (answer.reply->status != CDOP_OK) {
		assert_int_equal(answer.reply->status, CDOP_NOT_FOUND);
		return NULL;
	}
	reply = world_body(&w, &answer, &cdop__case_show_reply__descriptor);
	return reply->case_;
}

static const Cdop__AuditEntry *
newest(void)
{
	Cdop__AuditListRequest request;
	Cdop__AuditListReply *list;
	struct world_answer answer;

	cdop__audit_list_request__init(&request);
	request.has_limit = true;
	request.limit = 1;
	world_call(&w, WORLD_AUDITOR, 70, &request.base, &answer);
	list = world_body(&w, &answer, &cdop__audit_list_reply__descriptor);
	assert_int_equal(list->n_entry, 1);
	return list->entry[0];
}

/* Notification 1 in three versions, of which the record has the first. */
static char *
corrected(unsigned n)
{
	Cdop__Form *form = world_form(&w, n, "wirral");
	char *reference = calls_new(&w, WORLD_COORDINATOR, form);
	Cdop__NotificationCorrectRequest request;

	cdop__notification_correct_request__init(&request);
	request.reference = reference;
	request.notification = 1;
	request.form = form;
	request.reason = calls_text(&w, "misheard");
	for (request.version = 1; request.version < 3; request.version++) {
		w.now_ms += 1000;
		calls_put(&w, form, "child.first_names",
		    request.version == 1 ? "Second" : "Third");
		(void)calls_change(
		    &w, WORLD_COORDINATOR, 41, &request.base, CDOP_OK);
	}
	return reference;
}

static void
every_version_of_a_notification_is_shown(void **state)
{
	static const char *const names[] = {"Testa", "Second", "Third"};
	char *reference = corrected(1);
	const Cdop__FormInstance *f;
	Cdop__Case *found;
	uint64_t v;

	(void)state;
	world_reopen(&w);
	for (v = 1; v <= 3; v++) {
		found = show(WORLD_COORDINATOR, reference, 1, v);
		assert_non_null(found);
		assert_int_equal(found->n_notification, 1);
		f = found->notification[0];
		assert_int_equal(f->number, 1);
		assert_int_equal(f->version, v);
		assert_string_equal(f->form->child->first_names, names[v - 1]);
		assert_string_equal(f->form->notifier->name, "Dr Sample");
		/* It alone. */
		assert_null(found->record);
		assert_int_equal(found->n_difference + found->n_missing, 0);
		assert_string_equal(found->owner_area, "wirral");
	}
	/* The newest, where no version is said. */
	found = show(WORLD_COORDINATOR, reference, 1, 0);
	assert_int_equal(found->notification[0]->version, 3);
}

static void
what_is_not_there_is_said(void **state)
{
	char *reference = corrected(2);

	(void)state;
	assert_null(show(WORLD_COORDINATOR, reference, 1, 4));
	assert_null(show(WORLD_COORDINATOR, reference, 1, UINT64_MAX));
	/* One more than fits: no other version under the same row. */
	assert_null(show(WORLD_COORDINATOR, reference, 1, 65537));
	assert_null(show(WORLD_COORDINATOR, reference, 2, 1));
	assert_null(show(WORLD_COORDINATOR, reference, 65537, 1));
	assert_null(show(WORLD_COORDINATOR, reference, UINT32_MAX, 0));
}

static void
an_older_version_leaves_as_that_notification(void **state)
{
	char *reference = corrected(3);
	const Cdop__AuditEntry *entry;
	const Cdop__Released *left;

	(void)state;
	assert_non_null(show(WORLD_COORDINATOR, reference, 1, 1));
	entry = newest();
	assert_string_equal(entry->call, "CaseShow");
	assert_int_equal(entry->n_released, 1);
	left = entry->released[0];
	assert_string_equal(left->reference, reference);
	assert_int_equal(left->n_instance, 1);
	assert_int_equal(left->instance[0], 1);
	assert_true((left->classes & CDOP_CLASS_CHILD_IDENTITY) != 0);
	assert_true((left->classes & CDOP_CLASS_PROFESSIONAL_IDENTITY) != 0);
}

static void
another_areas_versions_read_like_no_case(void **state)
{
	char *reference =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 4, "sefton"));

	const Cdop__AuditEntry *entry;

	(void)state;
	assert_null(show(WORLD_COORDINATOR_WIRRAL, reference, 9, 1));
	assert_null(show(WORLD_COORDINATOR_WIRRAL, reference, 1, 1));
	entry = newest();
	assert_int_equal(entry->n_released, 0);
	assert_int_equal(entry->outcome, CDOP_PERMISSION_DENIED);
	assert_string_equal(entry->reason, "no_such_case");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(every_version_of_a_notification_is_shown),
	    TEST(what_is_not_there_is_said),
	    TEST(an_older_version_leaves_as_that_notification),
	    TEST(another_areas_versions_read_like_no_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
