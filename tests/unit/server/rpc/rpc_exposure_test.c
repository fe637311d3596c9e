/*
 * What the log says for a breach report: how many living people left with a
 * case, by which device, and each entry found by its number.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/fields.h"
#include "server/registry/audit.h"
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

/* One message of the log; NULL: refused. */
static Cdop__AuditListReply *
list(const Cdop__AuditListRequest *request, enum cdop_err want)
{
	static struct world_answer answer;

	world_call(
	    &w, WORLD_AUDITOR, CDOP_CALL_AuditList, &request->base, &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	assert_int_equal(answer.reply->status, want);
	return want != CDOP_OK
	    ? NULL
	    : world_body(&w, &answer, &cdop__audit_list_reply__descriptor);
}

static uint32_t
count(const Cdop__Released *released, const char *kind)
{
	size_t i;

	for (i = 0; i < released->n_living; i++)
		if (strcmp(released->living[i]->kind, kind) == 0)
			return released->living[i]->n;
	return 0;
}

static Cdop__Form *
family(unsigned n)
{
	static const char *const values[][2] = {
	    {"mother.family_name", "Tarrant"},
	    {"mother.address_protected", "yes"},
	    {"parent.1.family_name", "Tarrant"},
	    {"parent.1.first_names", "Ann"},
	    {"parent.2.phone", "0151 496 0999"},
	    {"household.1.relationship", "sibling"}, {"household.1.age", "4"},
	    {"household.2.relationship", "twin"},
	    {"household.3.in_household", "yes"}, /* nobody is said */
	    {"household.4.first_names", "#nk"},  /* nor here */
	    {"professional.1.name", "Dr Sample"}, {"gp.name", "Dr Other"},
	    {"child.language", "Manx"}, /* a dead child's, not a living one's */
	    {"follow_up.family_told", "yes"}};
	Cdop__Form *form = world_form(&w, n, "wirral");
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(*values); i++)
		calls_put(&w, form, values[i][0], values[i][1]);
	return form;
}

static void
show(const char *reference, bool notifications)
{
	Cdop__CaseShowRequest request;
	struct world_answer answer;

	cdop__case_show_request__init(&request);
	request.reference = calls_text(&w, reference);
	request.has_notifications = true;
	request.notifications = notifications;
	world_call(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseShow, &request.base, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
}

static void
the_living_are_counted_by_kind(void **state)
{
	struct calls_tell tell = {.n_decision = 1};
	char *reference = calls_new(&w, WORLD_COORDINATOR, family(1));
	const Cdop__Released *left;

	(void)state;
	show(reference, false);
	left = calls_newest(&w, NULL)->released[0];
	assert_int_equal(count(left, "mother"), 1);
	assert_int_equal(count(left, "parent"), 2);
	assert_int_equal(count(left, "household"), 2);
	assert_int_equal(count(left, "professional"), 1);
	assert_int_equal(count(left, "gp"), 1);
	assert_int_equal(count(left, "child"), 0);
	assert_int_equal(count(left, "follow_up"), 0);
	assert_int_equal(count(left, "notifier"), 0); /* not in the record */

	/* A second notification names the same people, but is told by another.
	 */
	tell.form = family(1);
	calls_put(&w, tell.form, "notifier.name", "The Registrar");
	calls_put(&w, tell.form, "professional.2.name", "PC Sample");
	tell.decision[0] = calls_decision(
	    &w, reference, CDOP__DECISION__JOIN, "the same child");
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	show(reference, true);
	left = calls_newest(&w, NULL)->released[0];
	assert_int_equal(count(left, "parent"), 2);
	assert_int_equal(count(left, "professional"), 2);
	assert_int_equal(count(left, "notifier"), 2);

	/* What is changed does not leave. */
	(void)calls_amend(&w, reference, 1, "child.sex", "2", NULL, CDOP_OK);
	assert_int_equal(calls_newest(&w, NULL)->released[0]->n_living, 0);
}

/* A list with names shows a nameless child by the mother's. */
static void
a_list_may_name_a_mother(void **state)
{
	Cdop__Form *form = world_form(&w, 2, "wirral");
	Cdop__CaseListRequest request;
	struct world_answer answer;
	const Cdop__AuditEntry *entry;
	char *named, *baby;
	size_t i, seen = 0;

	(void)state;
	named = calls_new(&w, WORLD_COORDINATOR, world_form(&w, 3, "wirral"));
	calls_put(&w, form, "child.name_kind", "baby_of");
	calls_put(&w, form, "child.family_name", "#nk");
	calls_put(&w, form, "child.first_names", "");
	calls_put(&w, form, "mother.family_name", "Tarrant");
	baby = calls_new(&w, WORLD_COORDINATOR, form);
	world_reopen(&w);
	cdop__case_list_request__init(&request);
	request.has_names = true;
	request.names = true;
	world_call(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseList, &request.base, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	entry = calls_newest(&w, NULL);
	for (i = 0; i < entry->n_released; i++) {
		const Cdop__Released *r = entry->released[i];
		bool mother = (r->classes & CDOP_CLASS_FAMILY_IDENTITY) != 0;

		seen += strcmp(r->reference, baby) == 0 ||
		    strcmp(r->reference, named) == 0;
		assert_true(mother == (strcmp(r->reference, baby) == 0));
		assert_int_equal(count(r, "mother"), mother);
	}
	assert_int_equal(seen, 2);
	request.names = false;
	world_call(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseList, &request.base, &answer);
	entry = calls_newest(&w, NULL);
	for (i = 0; i < entry->n_released; i++) {
		assert_int_equal(entry->released[i]->n_living, 0);
		assert_int_equal(entry->released[i]->classes &
			(CDOP_CLASS_FAMILY_IDENTITY |
			    CDOP_CLASS_CHILD_IDENTITY),
		    0);
	}
}

static void
each_entry_is_found_by_its_number(void **state)
{
	Cdop__AuditListRequest request;
	Cdop__AuditListReply *reply;
	uint64_t size, i;

	(void)state;
	/* Rows of cases lie between the leaves, and a start as well. */
	for (i = 0; i < 30; i++) {
		(void)calls_new(&w, WORLD_COORDINATOR,
		    world_form(&w, 100 + (unsigned)i, "wirral"));
		if (i == 20)
			world_reopen(&w);
		cdop_arena_reset(w.arena);
	}
	size = audit_size(w.reg->audit);
	cdop__audit_list_request__init(&request);
	request.has_index = true;
	for (i = 0; i < size; i++) {
		request.index = i;
		reply = list(&request, CDOP_OK);
		assert_int_equal(reply->n_entry, 1);
		assert_int_equal(reply->entry[0]->index, i);
		cdop_arena_reset(w.arena);
	}
	/* Looking was logged. */
	assert_int_equal(audit_size(w.reg->audit), 2 * size);
	request.index = 2 * size;
	(void)list(&request, CDOP_NOT_FOUND);
	request.index = UINT64_MAX;
	(void)list(&request, CDOP_NOT_FOUND);
	/* With another filter it is that entry or none. */
	request.index = size - 1;
	request.has_person = true;
	request.person = WORLD_ADMIN_3;
	assert_int_equal(list(&request, CDOP_OK)->n_entry, 0);
}

static void
entries_of_one_device_are_listed(void **state)
{
	Cdop__AuditListRequest request;
	Cdop__AuditListReply *reply;
	size_t i;

	(void)state;
	(void)calls_lists(&w, WORLD_COORDINATOR, "none");
	(void)calls_lists(&w, WORLD_COORDINATOR_WIRRAL, "none");
	(void)calls_lists(&w, WORLD_COORDINATOR, "none");
	cdop__audit_list_request__init(&request);
	request.has_device = true;
	request.device = WORLD_COORDINATOR_WIRRAL;
	reply = list(&request, CDOP_OK);
	assert_true(reply->n_entry > 0);
	for (i = 0; i < reply->n_entry; i++)
		assert_int_equal(
		    reply->entry[i]->device, WORLD_COORDINATOR_WIRRAL);
	request.device = 4000;
	assert_int_equal(list(&request, CDOP_OK)->n_entry, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_living_are_counted_by_kind),
	    TEST(a_list_may_name_a_mother),
	    TEST(each_entry_is_found_by_its_number),
	    TEST(entries_of_one_device_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
