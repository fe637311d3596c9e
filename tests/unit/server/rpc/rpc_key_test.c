/*
 * Keys turned through dispatch: who asks, who approves, what is shown of it,
 * and that no administrator is shown a word of a case on the way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/registry/rotation_copy.h"
#include "server/registry/rotation_step.h"
#include "server/store/schema.h"
#include "tests/unit/server/registry/turning.h"
#include "tests/unit/server/rpc/calls.h"

#define CASES 6

static struct world w;

/* What stands in the cases, and in no reply to an administrator. */
static const char *const canaries[] = {"Quokkatina", "Zoroaster",
    "Wombat Terrace", "Platypus narrative", "9990000"};

static char *reference[CASES];

static int
setup(void **state)
{
	Cdop__Form *form;
	unsigned i;

	(void)state;
	world_make(&w);
	for (i = 0; i < CASES; i++) {
		form = world_form(&w, i, i < 4 ? "wirral" : "sefton");
		calls_put(&w, form, "child.first_names", canaries[0]);
		calls_put(&w, form, "notifier.name", canaries[1]);
		calls_put(&w, form, "child.address", canaries[2]);
		calls_put(&w, form, "circumstances.narrative", canaries[3]);
		reference[i] = strdup(calls_new(&w, WORLD_COORDINATOR, form));
	}
	return 0;
}

static int
teardown(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < CASES; i++)
		free(reference[i]);
	world_end(&w);
	return 0;
}

/* ---- calls, each of whose replies is searched --------------------------- */

static size_t n_searched;

static void
search(const struct cdop_bytes *reply)
{
	size_t i;

	for (i = 0; i < sizeof(canaries) / sizeof(canaries[0]); i++)
		if (memmem(reply->data, reply->len, canaries[i],
			strlen(canaries[i])) != NULL)
			fail_msg("an administrator is shown %s", canaries[i]);
	for (i = 0; i < CASES; i++)
		if (memmem(reply->data, reply->len, reference[i],
			strlen(reference[i])) != NULL)
			fail_msg("an administrator is shown %s", reference[i]);
	n_searched++;
}

static uint32_t
call(enum world_who who, uint32_t method, const ProtobufCMessage *body,
    struct world_answer *answer)
{
	world_call(&w, who, method, body, answer);
	assert_int_equal(answer->failed, CDOP_OK);
	search(&answer->result.reply);
	return answer->reply->status;
}

static const char *
reason_of(const struct world_answer *answer)
{
	return answer->reply->reason == NULL ? "" : answer->reply->reason;
}

static uint32_t
rotate(enum world_who who, const char *area, struct world_answer *answer)
{
	Cdop__KeyRotateRequest request;
	char why[] = "once a year";
	char *areas[1];

	cdop__key_rotate_request__init(&request);
	areas[0] = calls_text(&w, area);
	request.what =
	    area == NULL ? CDOP__KEY_WHAT__KEY_ALL : CDOP__KEY_WHAT__KEY_AREAS;
	request.area = areas;
	request.n_area = area != NULL;
	request.reason = why;
	return call(who, CDOP_CALL_KeyRotate, &request.base, answer);
}

static Cdop__ApprovalListReply *
waiting(enum world_who who)
{
	Cdop__ApprovalListRequest request;
	struct world_answer answer;

	cdop__approval_list_request__init(&request);
	assert_int_equal(
	    call(who, CDOP_CALL_ApprovalList, &request.base, &answer), CDOP_OK);
	return world_body(&w, &answer, &cdop__approval_list_reply__descriptor);
}

static uint32_t
approve(enum world_who who, size_t i, struct world_answer *answer)
{
	world_decide(&w, who, waiting(who)->approval[i], true, NULL, answer);
	return answer->reply->status;
}

static Cdop__KeyStatusReply *
status(enum world_who who)
{
	Cdop__KeyStatusRequest request;
	struct world_answer answer;

	cdop__key_status_request__init(&request);
	assert_int_equal(
	    call(who, CDOP_CALL_KeyStatus, &request.base, &answer), CDOP_OK);
	return world_body(&w, &answer, &cdop__key_status_reply__descriptor);
}

static uint32_t
hold(uint32_t method, struct world_answer *answer)
{
	Cdop__KeyPauseRequest request;

	cdop__key_pause_request__init(&request);
	return call(WORLD_ADMIN_1, method, &request.base, answer);
}

/* ---- tests -------------------------------------------------------------- */

static void
it_takes_two_people_who_see_what_will_happen(void **state)
{
	struct world_answer answer;
	Cdop__ApprovalListReply *list;
	uint64_t old = turning_newest(&w, "wirral");

	(void)state;
	assert_int_equal(rotate(WORLD_ADMIN_1, "wirral", &answer), CDOP_OK);
	assert_string_equal(reason_of(&answer), "second_person");
	assert_null(rotation_running(w.reg->rotation));
	list = waiting(WORLD_CUSTODIAN);
	assert_int_equal(list->n_approval, 1);
	assert_non_null(strstr(list->approval[0]->words[0], "wirral"));
	assert_non_null(strstr(list->approval[0]->words[1], "4 case keys"));
	assert_non_null(strstr(list->approval[0]->words[2], "destroy"));
	assert_int_equal(
	    approve(WORLD_ADMIN_1, 0, &answer), CDOP_FAILED_PRECONDITION);
	assert_null(rotation_running(w.reg->rotation));
	assert_int_equal(approve(WORLD_CUSTODIAN, 0, &answer), CDOP_OK);
	assert_non_null(rotation_running(w.reg->rotation));
	(void)turning_finish(&w, 2);
	assert_true(turning_newest(&w, "wirral") > old);
}

static void
what_cannot_be_turned_is_refused(void **state)
{
	struct world_answer answer;
	Cdop__KeyRotateRequest request;
	char empty[] = "";
	char *twice[2];

	(void)state;
	assert_int_equal(
	    rotate(WORLD_ADMIN_1, "atlantis", &answer), CDOP_INVALID_ARGUMENT);
	assert_string_equal(reason_of(&answer), "area_unknown");
	twice[0] = twice[1] = calls_text(&w, "wirral");
	cdop__key_rotate_request__init(&request);
	request.what = CDOP__KEY_WHAT__KEY_AREAS;
	request.area = twice;
	request.n_area = 2;
	request.reason = calls_text(&w, "a slip");
	assert_int_equal(
	    call(WORLD_ADMIN_1, CDOP_CALL_KeyRotate, &request.base, &answer),
	    CDOP_INVALID_ARGUMENT);
	assert_string_equal(reason_of(&answer), "area_unknown");
	cdop__key_rotate_request__init(&request);
	request.what = CDOP__KEY_WHAT__KEY_ALL;
	request.reason = empty;
	assert_int_equal(
	    call(WORLD_ADMIN_1, CDOP_CALL_KeyRotate, &request.base, &answer),
	    CDOP_INVALID_ARGUMENT);
	assert_string_equal(reason_of(&answer), "text_needed");
	assert_int_equal(waiting(WORLD_ADMIN_2)->n_approval, 0);
	/* Nothing runs that could be held. */
	assert_int_equal(
	    hold(CDOP_CALL_KeyPause, &answer), CDOP_FAILED_PRECONDITION);
	assert_string_equal(reason_of(&answer), "no_rotation");
	assert_int_equal(
	    hold(CDOP_CALL_KeyResume, &answer), CDOP_FAILED_PRECONDITION);
}

static void
the_root_takes_two_people_and_no_area(void **state)
{
	struct world_answer answer;
	Cdop__KeyRotateRequest request;
	const Cdop__Approval *act;
	char why[] = "a custodian has left", area[] = "wirral";
	char *areas[] = {area};

	(void)state;
	cdop__key_rotate_request__init(&request);
	request.what = CDOP__KEY_WHAT__KEY_ROOT;
	request.reason = why;
	request.area = areas;
	request.n_area = 1;
	assert_int_equal(
	    call(WORLD_ADMIN_1, CDOP_CALL_KeyRotate, &request.base, &answer),
	    CDOP_INVALID_ARGUMENT);
	assert_string_equal(reason_of(&answer), "area_unknown");
	request.n_area = 0;
	request.has_reseal = request.reseal = true;
	assert_int_equal(
	    call(WORLD_ADMIN_1, CDOP_CALL_KeyRotate, &request.base, &answer),
	    CDOP_INVALID_ARGUMENT);
	assert_string_equal(reason_of(&answer), "reseal_root");
	request.reseal = false;
	assert_int_equal(
	    call(WORLD_ADMIN_1, CDOP_CALL_KeyRotate, &request.base, &answer),
	    CDOP_OK);
	assert_string_equal(reason_of(&answer), "second_person");
	act = waiting(WORLD_CUSTODIAN)->approval[0];
	assert_non_null(strstr(act->words[0], "new root"));
	assert_non_null(strstr(act->words[1], "2 slots"));
	assert_int_equal(approve(WORLD_CUSTODIAN, 0, &answer), CDOP_OK);
	(void)turning_finish(&w, 2);
	assert_int_equal(
	    status(WORLD_AUDITOR)->past[0]->what, CDOP__KEY_WHAT__KEY_ROOT);
}

static uint32_t
rotate_compromised(Cdop__KeyWhat what, bool flag, struct world_answer *answer)
{
	Cdop__KeyRotateRequest request;
	char why[] = "compromised", other[] = "a medium was lost";

	cdop__key_rotate_request__init(&request);
	request.what = what;
	request.reason = flag ? other : why;
	request.has_compromised = request.compromised = flag;
	return call(WORLD_ADMIN_1, CDOP_CALL_KeyRotate, &request.base, answer);
}

static bool
words_say(const Cdop__Approval *act, const char *words)
{
	size_t i;

	for (i = 0; i < act->n_words; i++)
		if (strstr(act->words[i], words) != NULL)
			return true;
	return false;
}

/* By the flag, or by the word alone. */
static void
what_somebody_had_is_sealed_anew(void **state)
{
	const Cdop__KeyRotation *done;
	const Cdop__Approval *act;
	struct world_answer answer;

	(void)state;
	assert_int_equal(
	    rotate_compromised(CDOP__KEY_WHAT__KEY_ALL, false, &answer),
	    CDOP_OK);
	act = waiting(WORLD_CUSTODIAN)->approval[0];
	assert_true(words_say(act, "COMPROMISED: give every case a new key"));
	assert_true(words_say(act, "registry, log and searches"));
	assert_int_equal(approve(WORLD_CUSTODIAN, 0, &answer), CDOP_OK);
	(void)turning_finish(&w, 2);
	done = status(WORLD_AUDITOR)->past[0];
	assert_true(done->compromised);
	assert_true(done->reseal);
	assert_int_equal(
	    rotate_compromised(CDOP__KEY_WHAT__KEY_LINK, true, &answer),
	    CDOP_INVALID_ARGUMENT);
	assert_string_equal(reason_of(&answer), "compromised_link");
}

static bool
is_warned(enum world_who who, const char *words)
{
	Cdop__StatusRequest request;
	struct world_answer answer;
	Cdop__StatusReply *reply;
	size_t i;

	cdop__status_request__init(&request);
	assert_int_equal(call(who, 1, &request.base, &answer), CDOP_OK);
	reply = world_body(&w, &answer, &cdop__status_reply__descriptor);
	for (i = 0; i < reply->n_warning; i++)
		if (strstr(reply->warning[i], words) != NULL)
			return true;
	return false;
}

static void
a_root_that_somebody_had_waits_and_is_given_up(void **state)
{
	const Cdop__KeyStatusReply *reply;
	Cdop__CaseEraseRequest erase;
	const Cdop__Approval *act;
	struct world_answer answer;

	(void)state;
	assert_int_equal(
	    rotate_compromised(CDOP__KEY_WHAT__KEY_ROOT, true, &answer),
	    CDOP_OK);
	act = waiting(WORLD_CUSTODIAN)->approval[0];
	assert_true(words_say(act, "cdopd renew-root"));
	assert_true(words_say(act, "none of the 2 that there are opens"));
	assert_true(words_say(act, "makes the new root: slot 2 credential"));
	assert_true(words_say(act, "a medium was lost"));
	assert_int_equal(approve(WORLD_CUSTODIAN, 0, &answer), CDOP_OK);
	reply = status(WORLD_AUDITOR);
	assert_int_equal(reply->running->phase, CDOP__KEY_PHASE__KEY_HOLDERS);
	assert_true(reply->running->until_ms > w.now_ms);
	assert_int_equal(
	    hold(CDOP_CALL_KeyPause, &answer), CDOP_FAILED_PRECONDITION);
	assert_string_equal(reason_of(&answer), "no_rotation");
	assert_true(is_warned(WORLD_ADMIN_1, "somebody has the root: cdopd"));
	assert_true(is_warned(WORLD_AUDITOR, "somebody has the root: cdopd"));
	assert_false(is_warned(WORLD_COORDINATOR, "somebody has the root"));
	cdop__case_erase_request__init(&erase);
	erase.reference = reference[0];
	erase.version = 1;
	erase.ground = CDOP__ERASURE_GROUND__COURT_ORDER;
	assert_int_equal(
	    call(WORLD_COORDINATOR, CDOP_CALL_CaseErase, &erase.base, &answer),
	    CDOP_FAILED_PRECONDITION);
	assert_non_null(
	    strstr(answer.reply->message, "waits for cdopd renew-root"));
	/* The next one says that it gives this one up. */
	assert_int_equal(rotate(WORLD_ADMIN_1, "wirral", &answer), CDOP_OK);
	act = waiting(WORLD_CUSTODIAN)->approval[0];
	assert_true(words_say(act, "give up the new root that waits"));
	assert_int_equal(approve(WORLD_CUSTODIAN, 0, &answer), CDOP_OK);
	(void)turning_finish(&w, 2);
	assert_true(status(WORLD_AUDITOR)->past[1]->given_up);
	/* Which is no reason to be quiet of it, also after a start. */
	assert_true(is_warned(WORLD_CUSTODIAN, "was given up on"));
	world_reopen(&w);
	assert_true(is_warned(WORLD_CUSTODIAN, "was given up on"));
}

static void
one_at_a_time_and_what_was_asked_before_is_void(void **state)
{
	struct world_answer answer;

	(void)state;
	assert_int_equal(rotate(WORLD_ADMIN_1, "wirral", &answer), CDOP_OK);
	assert_int_equal(rotate(WORLD_ADMIN_1, "sefton", &answer), CDOP_OK);
	assert_int_equal(approve(WORLD_ADMIN_2, 0, &answer), CDOP_OK);
	assert_int_equal(
	    rotate(WORLD_ADMIN_1, NULL, &answer), CDOP_FAILED_PRECONDITION);
	assert_string_equal(reason_of(&answer), "rotation_running");
	assert_int_equal(
	    approve(WORLD_ADMIN_2, 0, &answer), CDOP_FAILED_PRECONDITION);
	assert_string_equal(reason_of(&answer), "rotation_running");
	(void)turning_finish(&w, 10);
	/* A later one, against keys that were other ones. */
	assert_int_equal(rotate(WORLD_ADMIN_1, "wirral", &answer), CDOP_OK);
	assert_int_equal(rotate(WORLD_ADMIN_1, "sefton", &answer), CDOP_OK);
	assert_int_equal(approve(WORLD_ADMIN_2, 0, &answer), CDOP_OK);
	(void)turning_finish(&w, 10);
	assert_int_equal(approve(WORLD_ADMIN_2, 0, &answer), CDOP_ABORTED);
	assert_string_equal(reason_of(&answer), "target_changed");
}

static const Cdop__KeyEpoch *
epoch_of(const Cdop__KeyStatusReply *reply, const char *area, bool newest)
{
	size_t i;

	for (i = 0; i < reply->n_epoch; i++)
		if (reply->epoch[i]->area != NULL &&
		    strcmp(reply->epoch[i]->area, area) == 0 &&
		    reply->epoch[i]->newest == newest)
			return reply->epoch[i];
	return NULL;
}

static void
status_says_how_far_it_is(void **state)
{
	Cdop__KeyStatusReply *reply;
	struct world_answer answer;

	(void)state;
	reply = status(WORLD_AUDITOR);
	assert_null(reply->running);
	assert_int_equal(reply->n_past, 0);
	assert_int_equal(epoch_of(reply, "wirral", true)->case_keys, 4);
	assert_int_equal(epoch_of(reply, "sefton", true)->case_keys, 2);
	assert_null(epoch_of(reply, "wirral", false));
	(void)rotate(WORLD_ADMIN_1, "wirral", &answer);
	(void)approve(WORLD_ADMIN_2, 0, &answer);
	assert_int_equal(turning_step(&w, 1), CDOP_OK);
	assert_int_equal(turning_step(&w, 2), CDOP_OK);
	w.now_ms += 1000;
	reply = status(WORLD_ADMIN_1);
	assert_int_equal(reply->running->phase, CDOP__KEY_PHASE__KEY_REWRAP);
	assert_int_equal(reply->running->total, 4);
	assert_int_equal(reply->running->done, 2);
	assert_int_equal(reply->running->per_second, 2);
	assert_int_equal(reply->running->left_s, 1);
	assert_int_equal(reply->running->requester, WORLD_ADMIN_1);
	assert_int_equal(reply->running->approver, WORLD_ADMIN_2);
	assert_string_equal(reply->running->reason, "once a year");
	assert_int_equal(epoch_of(reply, "wirral", true)->case_keys, 2);
	assert_int_equal(epoch_of(reply, "wirral", false)->case_keys, 2);
	(void)turning_finish(&w, 2);
	reply = status(WORLD_CUSTODIAN);
	assert_null(reply->running);
	assert_int_equal(reply->n_past, 1);
	assert_int_equal(reply->past[0]->phase, CDOP__KEY_PHASE__KEY_DONE);
	assert_int_equal(reply->past[0]->n_destroyed, 1);
	assert_true(reply->past[0]->n_census > 3);
	assert_true(reply->past[0]->rows > 10);
	assert_null(epoch_of(reply, "wirral", false));
}

static void
it_is_held_and_goes_on(void **state)
{
	struct world_answer answer;

	(void)state;
	(void)rotate(WORLD_ADMIN_1, NULL, &answer);
	(void)approve(WORLD_ADMIN_2, 0, &answer);
	assert_int_equal(hold(CDOP_CALL_KeyPause, &answer), CDOP_OK);
	assert_false(rotation_step_due(w.reg->rotation));
	assert_true(status(WORLD_ADMIN_1)->running->paused);
	assert_int_equal(
	    hold(CDOP_CALL_KeyPause, &answer), CDOP_OK); /* it is so */
	world_reopen(&w);
	assert_false(rotation_step_due(w.reg->rotation));
	assert_int_equal(hold(CDOP_CALL_KeyResume, &answer), CDOP_OK);
	assert_true(rotation_step_due(w.reg->rotation));
	assert_false(status(WORLD_ADMIN_1)->running->has_paused);
	(void)turning_finish(&w, 5);
}

/* An erasure waits for its end: no one person holds it for ever. */
static void
it_is_held_for_a_day_at_most(void **state)
{
	const uint64_t hour_ms = 3600000;
	struct world_answer answer;

	(void)state;
	(void)rotate(WORLD_ADMIN_1, NULL, &answer);
	(void)approve(WORLD_ADMIN_2, 0, &answer);
	assert_int_equal(hold(CDOP_CALL_KeyPause, &answer), CDOP_OK);
	assert_false(is_warned(WORLD_ADMIN_2, "is held since"));
	w.now_ms += 2 * hour_ms;
	assert_true(is_warned(WORLD_ADMIN_2, "is held since"));
	assert_int_equal(hold(CDOP_CALL_KeyResume, &answer), CDOP_OK);
	assert_false(is_warned(WORLD_ADMIN_2, "is held since"));
	/* What it was held before counts, and a start forgets nothing. */
	w.now_ms += 50 * hour_ms;
	assert_int_equal(hold(CDOP_CALL_KeyPause, &answer), CDOP_OK);
	w.now_ms += 21 * hour_ms;
	world_reopen(&w);
	assert_int_equal(
	    rotation_copy_tend(w.reg->rotation, w.now_ms), CDOP_OK);
	assert_false(rotation_step_due(w.reg->rotation));
	w.now_ms += hour_ms;
	assert_int_equal(
	    rotation_copy_tend(w.reg->rotation, w.now_ms), CDOP_OK);
	assert_true(rotation_step_due(w.reg->rotation));
	assert_false(status(WORLD_ADMIN_1)->running->has_paused);
	assert_int_equal(
	    hold(CDOP_CALL_KeyPause, &answer), CDOP_FAILED_PRECONDITION);
	assert_string_equal(reason_of(&answer), "held_enough");
	(void)turning_finish(&w, 5);
}

static void
one_that_does_not_get_on_is_in_status(void **state)
{
	struct world_answer answer;

	(void)state;
	(void)rotate(WORLD_ADMIN_1, NULL, &answer);
	(void)approve(WORLD_ADMIN_2, 0, &answer);
	assert_false(is_warned(WORLD_AUDITOR, "does not get on"));
	rotation_set_stalled(w.reg->rotation, true);
	assert_true(is_warned(WORLD_AUDITOR, "does not get on"));
	rotation_set_stalled(w.reg->rotation, false);
	(void)turning_finish(&w, 5);
	/* And what was erased and is not proved. */
	calls_erase(&w, reference[0]);
	assert_false(is_warned(WORLD_CUSTODIAN, "not proved"));
	w.now_ms += 25 * 3600000ull;
	assert_true(is_warned(WORLD_CUSTODIAN, "not proved"));
	(void)turning_finish(&w, 5);
	assert_false(is_warned(WORLD_CUSTODIAN, "not proved"));
}

/* Every reply of the tests before was searched; so that the search can fail. */
static void
the_search_finds_what_a_coordinator_is_shown(void **state)
{
	Cdop__CaseShowRequest request;
	struct world_answer answer;
	size_t i, n = 0;

	(void)state;
	assert_true(n_searched > 30);
	cdop__case_show_request__init(&request);
	request.reference = reference[0];
	request.has_notifications = true;
	request.notifications = true;
	world_call(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseShow, &request.base, &answer);
	for (i = 0; i < sizeof(canaries) / sizeof(canaries[0]); i++)
		n += memmem(answer.result.reply.data, answer.result.reply.len,
			 canaries[i], strlen(canaries[i])) != NULL;
	assert_int_equal(n, sizeof(canaries) / sizeof(canaries[0]));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(it_takes_two_people_who_see_what_will_happen),
	    TEST(what_cannot_be_turned_is_refused),
	    TEST(the_root_takes_two_people_and_no_area),
	    TEST(what_somebody_had_is_sealed_anew),
	    TEST(a_root_that_somebody_had_waits_and_is_given_up),
	    TEST(one_at_a_time_and_what_was_asked_before_is_void),
	    TEST(status_says_how_far_it_is),
	    TEST(it_is_held_and_goes_on),
	    TEST(it_is_held_for_a_day_at_most),
	    TEST(one_that_does_not_get_on_is_in_status),
	    TEST(the_search_finds_what_a_coordinator_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
