/*
 * A case that somebody fills up: its bounds are met long before the end of a
 * row, where what the caller does not see would decide.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/form.h"
#include "cdop/limits.h"
#include "cdop/reference.h"
#include "server/base/undo.h"
#include "server/registry/cases.h"
#include "server/registry/people.h"
#include "server/vault/rows.h"
#include "tests/unit/server/rpc/calls.h"

#define OTHERS (CDOP_CASE_LINKS_MAX + 1)

static const char *const kinds[] = {"not_duplicate", "multiple_birth",
    "siblings", "same_incident", "same_mother"};

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

static void
tie(enum world_who who, const char *one, const char *other, const char *kind,
    const char *reason, enum cdop_err want)
{
	Cdop__CaseLinkRequest request;

	cdop__case_link_request__init(&request);
	request.reference = calls_text(&w, one);
	request.other = calls_text(&w, other);
	request.kind = calls_text(&w, kind);
	request.reason = calls_text(&w, reason);
	(void)calls_change(&w, who, CDOP_CALL_CaseLinkAdd, &request.base, want);
	if (want != CDOP_OK)
		assert_string_equal(calls_rule(), "link.too_many");
	cdop_arena_reset(w.arena);
}

/* n cases of an area, the first of them child `from`. */
static void
make(char **references, size_t n, unsigned from, const char *area)
{
	size_t i;

	for (i = 0; i < n; i++) {
		references[i] = world_register(&w, from + (unsigned)i, area);
		assert_non_null(references[i]);
		cdop_arena_reset(w.arena);
	}
}

static void
drop(char **references, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		free(references[i]);
}

/* ---- links ------------------------------------------------------------- */

static void
a_case_has_links_to_twenty_others(void **state)
{
	char *own, *other[OTHERS];
	size_t i;

	(void)state;
	make(&own, 1, 100, "wirral");
	make(other, OTHERS, 101, "wirral");
	for (i = 0; i < CDOP_CASE_LINKS_MAX; i++)
		tie(WORLD_COORDINATOR_WIRRAL, own, other[i], "siblings", "so",
		    CDOP_OK);
	tie(WORLD_COORDINATOR_WIRRAL, own, other[i], "siblings", "so",
	    CDOP_INVALID_ARGUMENT);
	tie(WORLD_COORDINATOR_WIRRAL, other[i], own, "siblings", "so",
	    CDOP_INVALID_ARGUMENT);
	/* More about two that are linked already takes no other. */
	tie(WORLD_COORDINATOR_WIRRAL, own, other[0], "same_mother", "so",
	    CDOP_OK);
	drop(&own, 1);
	drop(other, OTHERS);
}

static void
move(const char *from, const char *to, const char *path)
{
	Cdop__NotificationMoveRequest request;

	cdop__notification_move_request__init(&request);
	request.reference = calls_text(&w, from);
	request.notification = 2;
	request.version =
	    calls_show(&w, WORLD_COORDINATOR, from, CDOP_OK)->version;
	request.to_reference = calls_text(&w, to);
	request.reason = calls_text(&w, "another child");
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_NotificationMove,
	    &request.base, path == NULL ? CDOP_OK : CDOP_INVALID_ARGUMENT);
	if (path != NULL) {
		assert_string_equal(calls_rule(), "link.too_many");
		assert_string_equal(
		    calls_answer()->reply->violation[0]->path, path);
	}
	cdop_arena_reset(w.arena);
}

/* What is moved leaves a link behind, for which there has to be room. */
static void
nothing_moves_where_no_link_has_room(void **state)
{
	struct calls_tell tell = {.n_decision = 1};
	char *own, *other[OTHERS];
	size_t i;

	(void)state;
	make(&own, 1, 400, "wirral");
	make(other, OTHERS, 401, "wirral");
	tell.form = world_form(&w, 400, "wirral");
	tell.decision[0] =
	    calls_decision(&w, own, CDOP__DECISION__JOIN, "the same");
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	for (i = 0; i < CDOP_CASE_LINKS_MAX; i++)
		tie(WORLD_COORDINATOR, own, other[i], "siblings", "so",
		    CDOP_OK);
	move(own, NULL, "reference");
	move(own, other[i], "to_reference");
	/* To one that it is linked with it goes. */
	move(own, other[0], NULL);
	drop(&own, 1);
	drop(other, OTHERS);
}

static void
what_a_caller_does_not_see_takes_no_room(void **state)
{
	char *own, *other[OTHERS], *foreign;
	size_t i;

	(void)state;
	make(&own, 1, 130, "wirral");
	make(&foreign, 1, 131, "sefton");
	make(other, OTHERS, 132, "wirral");
	tie(WORLD_COORDINATOR, own, foreign, "siblings", "so", CDOP_OK);
	for (i = 0; i < CDOP_CASE_LINKS_MAX; i++)
		tie(WORLD_COORDINATOR_WIRRAL, own, other[i], "siblings", "so",
		    CDOP_OK);
	tie(WORLD_COORDINATOR_WIRRAL, own, other[i], "siblings", "so",
	    CDOP_INVALID_ARGUMENT);
	drop(&own, 1);
	drop(&foreign, 1);
	drop(other, OTHERS);
}

static void
a_question_is_not_decided_by_a_link_too_many(void **state)
{
	struct calls_tell tell = {.form = world_form(&w, 165, "wirral")};
	char *own, *other[OTHERS];
	size_t i;

	(void)state;
	own = strdup(calls_new(&w, WORLD_COORDINATOR, tell.form));
	make(other, OTHERS, 166, "wirral");
	for (i = 0; i < CDOP_CASE_LINKS_MAX; i++)
		tie(WORLD_COORDINATOR_WIRRAL, own, other[i], "siblings", "so",
		    CDOP_OK);
	tell.form = world_form(&w, 165, "wirral");
	tell.decision[0] =
	    calls_decision(&w, own, CDOP__DECISION__NEW_SIBLING, "twin");
	tell.n_decision = 1;
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_INVALID_ARGUMENT);
	assert_string_equal(calls_rule(), "link.too_many");
	free(own);
	drop(other, OTHERS);
}

/* ---- sizes ------------------------------------------------------------- */

static uint32_t
slot_of(const char *reference)
{
	char text[CDOP_REFERENCE_TEXT];
	uint64_t number;
	uint32_t slot;

	assert_int_equal(
	    cdop_reference_parse(reference, true, text, &number), CDOP_OK);
	assert_true(
	    index_by_case(cases_index(w.reg->cases), number + 1, &slot));
	return slot;
}

/* What is stored of a case's own state. */
static Cdop__StoredCase *
state_of(struct cases_act *act, const struct actor *actor, const char *ref)
{
	Cdop__StoredCase *stored;

	cases_act_init(act, w.reg->cases, w.arena, actor, w.now_ms);
	assert_int_equal(cases_read_state(act, slot_of(ref), &stored), CDOP_OK);
	return stored;
}

static void
a_full_state_stays_far_below_the_end_of_a_row(void **state)
{
	char *own, *other[CDOP_CASE_LINKS_MAX],
	    longest[CDOP_REASON_MAX * 4 + 1];
	struct cases_act act;
	struct actor actor;
	size_t i, k;

	(void)state;
	for (i = 0; i < CDOP_REASON_MAX; i++)
		memcpy(longest + i * 4, "\xf0\x9f\x98\x80", 5);
	make(&own, 1, 200, "wirral");
	make(other, CDOP_CASE_LINKS_MAX, 201, "wirral");
	for (i = 0; i < CDOP_CASE_LINKS_MAX; i++)
		for (k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
			tie(WORLD_COORDINATOR_WIRRAL, own, other[i], kinds[k],
			    longest, CDOP_OK);
	memset(&actor, 0, sizeof(actor));
	assert_true(cdop__stored_case__get_packed_size(
			state_of(&act, &actor, own)) < ROWS_DATA_MAX / 4);
	drop(&own, 1);
	drop(other, CDOP_CASE_LINKS_MAX);
}

/* ---- many pairs -------------------------------------------------------- */

/* As if it had been asked about with each of these. */
static void
pair_with(const char *reference, char *const *other, size_t n)
{
	struct cases_change change;
	Cdop__StoredCase *stored;
	struct cases_act act;
	struct actor actor;
	size_t i;

	memset(&actor, 0, sizeof(actor));
	stored = state_of(&act, &actor, reference);
	for (i = 0; i < n; i++)
		assert_int_equal(
		    cases_add_link(&act, stored, "possible_duplicate",
			index_at(act.index, slot_of(other[i]))->case_id, NULL),
		    CDOP_OK);
	cases_change_init(&act, slot_of(reference), &change);
	change.state = stored;
	change.keeps_version = true;
	world_begin(&w, 1 << 20, 8);
	assert_int_equal(cases_store(&act, &change), CDOP_OK);
	world_commit(&w);
}

static const Cdop__Case *
show_after(char *reference, uint32_t after)
{
	Cdop__CaseShowRequest request;
	struct world_answer answer;
	Cdop__CaseShowReply *reply;

	cdop__case_show_request__init(&request);
	request.reference = reference;
	request.has_links_after = after > 0;
	request.links_after = after;
	world_call(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseShow, &request.base, &answer);
	reply = world_body(&w, &answer, &cdop__case_show_reply__descriptor);
	return reply->case_;
}

#define PAIRED (CDOP_LIST_MAX + 3)

static void
links_that_find_no_room_are_counted_and_come_next(void **state)
{
	char *own, *other[PAIRED];
	const Cdop__Case *seen;

	(void)state;
	make(&own, 1, 500, "wirral");
	make(other, PAIRED, 501, "wirral");
	pair_with(own, other, CDOP_LIST_MAX);
	seen = show_after(own, 0);
	assert_int_equal(seen->n_link, CDOP_LIST_MAX);
	assert_false(seen->has_more_links || seen->has_links_after);
	pair_with(own, other, PAIRED - 1);
	tie(WORLD_COORDINATOR, own, other[PAIRED - 1], "siblings", "so",
	    CDOP_OK);
	seen = show_after(own, 0);
	assert_int_equal(seen->n_link, CDOP_LIST_MAX);
	assert_int_equal(seen->more_links, 3);
	assert_int_equal(seen->links_after, CDOP_LIST_MAX);
	seen = show_after(own, seen->links_after);
	assert_int_equal(seen->n_link, 3);
	assert_string_equal(seen->link[0]->reference, other[CDOP_LIST_MAX]);
	assert_string_equal(seen->link[2]->kind, "siblings");
	assert_false(seen->has_more_links || seen->has_links_after);
	drop(&own, 1);
	drop(other, PAIRED);
}

/* ---- notifications ----------------------------------------------------- */

/* As if so many had been joined and moved away again. */
static void
fill_up(const char *reference)
{
	struct cases_change change;
	Cdop__StoredInstanceLink *link;
	Cdop__StoredCase *stored;
	struct cases_act act;
	struct actor actor;

	memset(&actor, 0, sizeof(actor));
	stored = state_of(&act, &actor, reference);
	link = stored->instance[0];
	stored->instance = cdop_arena_calloc(
	    w.arena, CDOP_CASE_NOTIFICATIONS_MAX, sizeof(*stored->instance));
	assert_non_null(stored->instance);
	for (stored->n_instance = 0;
	     stored->n_instance < CDOP_CASE_NOTIFICATIONS_MAX;
	     stored->n_instance++)
		stored->instance[stored->n_instance] = link;
	cases_change_init(&act, slot_of(reference), &change);
	change.state = stored;
	change.keeps_version = true;
	world_begin(&w, 1 << 20, 8);
	assert_int_equal(cases_store(&act, &change), CDOP_OK);
	assert_int_equal(rows_commit(w.rows), CDOP_OK);
	undo_commit(w.undo);
}

static void
five_hundred_notifications_are_joined_to_a_case(void **state)
{
	struct calls_tell tell = {.form = world_form(&w, 230, "wirral")};
	char *own;

	(void)state;
	own = strdup(calls_new(&w, WORLD_COORDINATOR, tell.form));
	fill_up(own);
	tell.form = world_form(&w, 230, "wirral");
	tell.decision[0] =
	    calls_decision(&w, own, CDOP__DECISION__JOIN, "the same child");
	tell.n_decision = 1;
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_INVALID_ARGUMENT);
	assert_string_equal(calls_rule(), "join.too_many");
	free(own);
}

#define DIFFERENT 13

/* One that says something else in each of many fields. */
static Cdop__Form *
differing(const char *text)
{
	const char *const said[DIFFERENT][2] = {{"child.first_names", text},
	    {"child.address", text}, {"child.postcode", "L1 8JQ"},
	    {"birth.time", "10:00"}, {"birth.place", text},
	    {"birth.weight_grams", "3000"}, {"birth.gestation_weeks", "39"},
	    {"death.date", "2026-11-19"}, {"death.time", "11:00"},
	    {"place.name", text}, {"place.ward", text}, {"place.address", text},
	    {"event.place", text}};
	Cdop__Form *form = world_form(&w, 231, "wirral");
	struct cdop_violations ignored = {0};
	struct cdop_path path;
	size_t i;

	for (i = 0; i < DIFFERENT; i++) {
		assert_int_equal(
		    cdop_form_path_parse(said[i][0], &path), CDOP_OK);
		assert_int_equal(cdop_form_set(form, &path, said[i][1], NULL,
				     w.arena, &ignored),
		    CDOP_OK);
	}
	return form;
}

static void
join(const char *own, const char *text, size_t n)
{
	struct calls_tell tell = {.n_decision = 1};

	for (; n > 0; n--) {
		tell.form = differing(text);
		tell.decision[0] =
		    calls_decision(&w, own, CDOP__DECISION__JOIN, "the same");
		(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
		cdop_arena_reset(w.arena);
		w.now_ms += 60000;
	}
}

/* Without its notifications, with their part of the memory of a request. */
static const Cdop__Case *
show(char *own, size_t n)
{
	Cdop__CaseShowRequest request;
	struct world_answer answer;
	Cdop__CaseShowReply *reply;

	cdop__case_show_request__init(&request);
	request.reference = own;
	w.budget = n * CDOP_REQUEST_ARENA / CDOP_CASE_NOTIFICATIONS_MAX;
	world_call(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseShow, &request.base, &answer);
	w.budget = 0;
	assert_int_equal(answer.reply->status, CDOP_OK);
	reply = world_body(&w, &answer, &cdop__case_show_reply__descriptor);
	assert_int_equal(reply->case_->n_notification, n + 1);
	assert_int_equal(reply->case_->n_difference, reply->case_->n_differing);
	return reply->case_;
}

/*
 * Twice as many want twice the memory, for all 500 have to be shown; and where
 * they fill a reply, others are counted.
 */
static void
what_notifications_say_otherwise_is_shown_however_many(void **state)
{
	const Cdop__Case *seen;
	char *own, text[201];
	size_t n = 150;

	(void)state;
	make(&own, 1, 231, "wirral");
	join(own, "Another", n);
	seen = show(own, n);
	assert_int_equal(seen->n_differing, n * DIFFERENT);
	assert_false(seen->has_more_differences);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	join(own, text, n);
	n *= 2;
	seen = show(own, n);
	assert_true(seen->more_differences > 0);
	assert_int_equal(
	    seen->n_differing + seen->more_differences, n * DIFFERENT);
	assert_true(cdop__case__get_packed_size(seen) < CDOP_MESSAGE_MAX / 2);
	drop(&own, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_case_has_links_to_twenty_others),
	    cmocka_unit_test(nothing_moves_where_no_link_has_room),
	    cmocka_unit_test(what_a_caller_does_not_see_takes_no_room),
	    cmocka_unit_test(a_question_is_not_decided_by_a_link_too_many),
	    cmocka_unit_test(a_full_state_stays_far_below_the_end_of_a_row),
	    cmocka_unit_test(links_that_find_no_room_are_counted_and_come_next),
	    cmocka_unit_test(five_hundred_notifications_are_joined_to_a_case),
	    cmocka_unit_test(
		what_notifications_say_otherwise_is_shown_however_many),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
