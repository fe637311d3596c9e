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
	world_call(&w, who, CDOP_CALL_CaseShow, &request.base, &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	if (answer.reply->status != CDOP_OK) {
		assert_int_equal(answer.reply->status, CDOP_NOT_FOUND);
		return NULL;
	}
	reply = world_body(&w, &answer, &cdop__case_show_reply__descriptor);
	return reply->case_;
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
		(void)calls_change(&w, WORLD_COORDINATOR,
		    CDOP_CALL_NotificationCorrect, &request.base, CDOP_OK);
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
	entry = calls_newest(&w, NULL);
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
	entry = calls_newest(&w, NULL);
	assert_int_equal(entry->n_released, 0);
	assert_int_equal(entry->outcome, CDOP_PERMISSION_DENIED);
	assert_string_equal(entry->reason, "no_such_case");
}

/* ---- moved ------------------------------------------------------------- */

/* Two notifications in one case, the second not of this child. */
static char *
joined(unsigned n)
{
	struct calls_tell tell = {.n_decision = 1};
	char *reference =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, n, "wirral"));

	tell.form = world_form(&w, n + 1, "sefton");
	tell.decision[0] = calls_decision(
	    &w, reference, CDOP__DECISION__JOIN, "the same child");
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	return reference;
}

static Cdop__ChangeReply *
move(enum world_who who, const char *from, char *to, const uint8_t key[16])
{
	const struct world_answer *answer;
	Cdop__NotificationMoveRequest request;

	cdop__notification_move_request__init(&request);
	request.reference = calls_text(&w, from);
	request.notification = 2;
	request.to_reference = to;
	request.reason = calls_text(&w, "joined to the wrong child");
	request.version = 2;
	answer = calls_under(
	    &w, who, CDOP_CALL_NotificationMove, &request.base, key);
	assert_int_equal(answer->reply->status, CDOP_OK);
	return world_body(&w, answer, &cdop__change_reply__descriptor);
}

static void
a_move_says_where_it_went_and_says_it_again(void **state)
{
	char *from = joined(10), *to;
	Cdop__ChangeReply *reply;
	uint8_t key[16];
	Cdop__Case *found;

	(void)state;
	world_key(&w, key);
	reply = move(WORLD_COORDINATOR, from, NULL, key);
	assert_string_equal(reply->reference, from);
	assert_non_null(reply->to_reference);
	assert_string_not_equal(reply->to_reference, from);
	assert_int_equal(reply->to_notification, 1);
	/* The two of the move are told apart by it: nothing to be asked. */
	assert_int_equal(reply->n_candidate, 0);
	to = reply->to_reference;
	found = calls_show(&w, WORLD_COORDINATOR, to, CDOP_OK);
	assert_string_equal(found->owner_area, "sefton");
	assert_int_equal(found->n_notification, 1);

	/* Also after a start: the outcome comes from the log. */
	world_reopen(&w);
	reply = move(WORLD_COORDINATOR, from, NULL, key);
	assert_true(calls_answer()->reply->replayed);
	assert_string_equal(reply->to_reference, to);
	assert_int_equal(reply->to_notification, 1);
	assert_int_equal(calls_newest(&w, NULL)->n_released, 2);
}

static void
into_a_case_that_is_there_it_says_the_number(void **state)
{
	char *from = joined(20), *to;
	Cdop__ChangeReply *reply;
	uint8_t key[16];

	(void)state;
	to = calls_new(&w, WORLD_COORDINATOR, world_form(&w, 23, "wirral"));
	world_key(&w, key);
	reply = move(WORLD_COORDINATOR, from, to, key);
	assert_string_equal(reply->to_reference, to);
	assert_int_equal(reply->to_notification, 2);
}

/* Whoever moved it out of his areas is not told of it ever after. */
static void
a_case_that_was_given_away_is_not_named_again(void **state)
{
	char *from = joined(30);
	Cdop__ChangeReply *reply;
	uint8_t key[16];

	(void)state;
	world_key(&w, key);
	reply = move(WORLD_COORDINATOR_WIRRAL, from, NULL, key);
	assert_non_null(reply->to_reference);
	(void)calls_show(
	    &w, WORLD_COORDINATOR_WIRRAL, reply->to_reference, CDOP_NOT_FOUND);
	reply = move(WORLD_COORDINATOR_WIRRAL, from, NULL, key);
	assert_true(calls_answer()->reply->replayed);
	assert_null(reply->to_reference);
	assert_false(reply->has_to_notification);
}

/* The case that notification was joined to went to another area. */
static void
give_away(const char *reference, uint64_t version)
{
	Cdop__CaseOwnerRequest request;

	cdop__case_owner_request__init(&request);
	request.reference = calls_text(&w, reference);
	request.version = version;
	request.area = calls_text(&w, "sefton");
	request.reason = calls_text(&w, "lived there");
	(void)calls_change(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseOwner, &request.base, CDOP_OK);
}

static Cdop__NotificationRegisterReply *
register_under(
    const Cdop__NotificationRegisterRequest *request, const uint8_t key[16])
{
	const struct world_answer *answer;

	answer = calls_under(&w, WORLD_COORDINATOR_WIRRAL,
	    CDOP_CALL_NotificationRegister, &request->base, key);
	assert_int_equal(answer->reply->status, CDOP_OK);
	return world_body(
	    &w, answer, &cdop__notification_register_reply__descriptor);
}

static void
a_joined_one_that_was_given_away_has_no_owner_told(void **state)
{
	char *from =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 40, "wirral"));
	Cdop__NotificationRegisterRequest request;
	Cdop__NotificationRegisterReply *reply;
	Cdop__DuplicateDecision *decision;
	uint8_t key[16], other[16];

	(void)state;
	decision =
	    calls_decision(&w, from, CDOP__DECISION__JOIN, "the same child");
	cdop__notification_register_request__init(&request);
	request.form = world_form(&w, 41, "wirral");
	request.n_decision = 1;
	request.decision = &decision;
	world_key(&w, key);
	reply = register_under(&request, key);
	assert_string_equal(reply->owner_words, "Wirral");
	assert_true(reply->n_missing > 0);
	world_key(&w, other);
	(void)move(WORLD_COORDINATOR_WIRRAL, from, NULL, other);
	give_away(from, 3);

	reply = register_under(&request, key);
	assert_true(calls_answer()->reply->replayed);
	assert_true(reply->joined);
	assert_string_equal(reply->reference, from); /* as it was asked for */
	assert_null(reply->owner_area);
	assert_null(reply->owner_words);
	assert_int_equal(reply->n_missing + reply->n_difference, 0);
}

/* Whoever may see it is told whose it is now, not whose it was. */
static void
sent_again_the_owner_is_the_present_one(void **state)
{
	Cdop__NotificationRegisterRequest request;
	Cdop__NotificationRegisterReply *reply;
	const struct world_answer *answer;
	uint8_t key[16];

	(void)state;
	cdop__notification_register_request__init(&request);
	request.form = world_form(&w, 50, "wirral");
	world_key(&w, key);
	answer = calls_under(&w, WORLD_COORDINATOR,
	    CDOP_CALL_NotificationRegister, &request.base, key);
	reply = world_body(
	    &w, answer, &cdop__notification_register_reply__descriptor);
	assert_string_equal(reply->owner_words, "Wirral");
	give_away(reply->reference, 1);
	answer = calls_under(&w, WORLD_COORDINATOR,
	    CDOP_CALL_NotificationRegister, &request.base, key);
	assert_true(answer->reply->replayed);
	reply = world_body(
	    &w, answer, &cdop__notification_register_reply__descriptor);
	assert_string_equal(reply->owner_words, "Sefton");
	assert_string_equal(reply->owner_area, "sefton");
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
	    TEST(a_move_says_where_it_went_and_says_it_again),
	    TEST(into_a_case_that_is_there_it_says_the_number),
	    TEST(a_case_that_was_given_away_is_not_named_again),
	    TEST(a_joined_one_that_was_given_away_has_no_owner_told),
	    TEST(sent_again_the_owner_is_the_present_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
