/*
 * A call that ends just short of its memory: whatever there is no room for,
 * nothing leaves that the log does not name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/server/rpc/calls.h"

#define STEP  16 /* what the arena rounds to */
#define STEPS ((size_t)1 << 16)

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

/* Whether the call came to an answer with a body, with so much memory. */
static bool
leaves(uint32_t method, const ProtobufCMessage *body, size_t budget)
{
	struct world_answer answer;

	w.budget = budget;
	world_call(&w, WORLD_COORDINATOR, method, body, &answer);
	w.budget = 0;
	assert_int_equal(answer.failed, CDOP_OK);
	return answer.reply->has_body;
}

/* With the least memory with which something leaves; the leaf of that. */
static const Cdop__AuditEntry *
barely(uint32_t method, const ProtobufCMessage *body)
{
	size_t low = 0, high = STEPS, mid;

	while (high - low > 1) {
		mid = (low + high) / 2;
		if (leaves(method, body, mid * STEP))
			high = mid;
		else
			low = mid;
	}
	assert_in_range(high, 2, STEPS - 1);
	assert_true(leaves(method, body, high * STEP));
	return calls_newest(&w, NULL);
}

static void
a_case_that_is_shown_is_named(void **state)
{
	Cdop__CaseShowRequest request;
	const Cdop__AuditEntry *entry;
	char *reference;

	(void)state;
	reference = world_register(&w, 300, "wirral");
	cdop__case_show_request__init(&request);
	request.reference = reference;
	entry = barely(CDOP_CALL_CaseShow, &request.base);
	assert_string_equal(entry->call, "CaseShow");
	assert_int_equal(entry->n_released, 1);
	assert_string_equal(entry->released[0]->reference, reference);
	free(reference);
}

static void
a_candidate_and_what_it_was_found_by_are_named(void **state)
{
	Cdop__NotificationRegisterRequest request;
	const Cdop__AuditEntry *entry;
	char *reference;

	(void)state;
	reference = world_register(&w, 301, "wirral");
	cdop__notification_register_request__init(&request);
	request.form = world_form(&w, 301, "wirral");
	request.has_dry_run = true;
	request.dry_run = true;
	entry = barely(CDOP_CALL_NotificationRegister, &request.base);
	assert_string_equal(entry->reason, "possible_duplicate");
	assert_int_equal(entry->n_released, 1);
	assert_string_equal(entry->released[0]->reference, reference);
	assert_true(entry->n_term_kind >= 3);
	free(reference);
}

/*
 * A notification with long versions, and every amount of memory up to what
 * it takes to move it: refused before anything is changed, or moved.
 */
static void
a_move_is_refused_whole_or_done(void **state)
{
	Cdop__NotificationCorrectRequest correct;
	Cdop__NotificationMoveRequest move;
	struct calls_tell tell = {.n_decision = 1};
	struct world_answer answer;
	static char text[20001];
	char *reference;
	uint64_t version;
	size_t budget;

	(void)state;
	reference = world_register(&w, 320, "wirral");
	tell.form = world_form(&w, 320, "wirral");
	tell.decision[0] = calls_decision(
	    &w, reference, CDOP__DECISION__JOIN, "the same child");
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	memset(text, 'x', sizeof(text) - 1);
	cdop__notification_correct_request__init(&correct);
	for (version = 1; version < 20; version++) {
		correct.reference = reference;
		correct.notification = 2;
		correct.version = version;
		correct.form = world_form(&w, 320, "wirral");
		text[0] = (char)('a' + version);
		calls_put(&w, correct.form, "circumstances.narrative", text);
		correct.reason = calls_text(&w, "typed wrongly");
		(void)calls_change(&w, WORLD_COORDINATOR,
		    CDOP_CALL_NotificationCorrect, &correct.base, CDOP_OK);
		cdop_arena_reset(w.arena);
	}
	cdop__notification_move_request__init(&move);
	move.reference = reference;
	move.notification = 2;
	move.version = 2;
	move.reason = calls_text(&w, "joined wrongly");
	for (budget = 256u << 10; budget < (8u << 20); budget += 64u << 10) {
		w.budget = budget;
		world_call(&w, WORLD_COORDINATOR, CDOP_CALL_NotificationMove,
		    &move.base, &answer);
		w.budget = 0;
		assert_int_equal(answer.failed, CDOP_OK);
		if (answer.reply->status == CDOP_OK)
			break;
		assert_int_equal(answer.reply->status, CDOP_RESOURCE_EXHAUSTED);
		assert_string_equal(answer.reply->reason, "too_large");
	}
	assert_in_range(budget, 1u << 20, 4u << 20);
	free(reference);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_case_that_is_shown_is_named),
	    cmocka_unit_test(a_candidate_and_what_it_was_found_by_are_named),
	    cmocka_unit_test(a_move_is_refused_whole_or_done),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
