/* Slots over the link: the second person, the drill, and who is told what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/undo.h"
#include "server/registry/approvals.h"
#include "server/registry/audit.h"
#include "server/registry/custody.h"
#include "server/registry/custody_act.h"
#include "server/registry/rotation.h"
#include "server/vault/rows_slots.h"
#include "tests/unit/server/rpc/calls.h"

static char reason[] = "it was seen", lines[] = "it was\nseen";
static struct world world;
static struct cdop_share shares[SHAMIR_MAX];
static uint16_t set;

static int
make(void **state)
{
	static const struct slots_set_new plan = {.k = 2, .n = 4};
	struct custody_act_new new = {
	    .slot = {.kind = SLOTS_KIND_SHARES, .label = "custodians"},
	    .plan = &plan,
	    .by = "Ada",
	};

	(void)state;
	world_make(&world);
	new.now_ms = world.now_ms;
	assert_int_equal(
	    custody_act_add(world.reg, world.arena, &new, &set, shares),
	    CDOP_OK);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	world_end(&world);
	return 0;
}

static bool
opens_nothing(void *ctx, uint16_t number)
{
	uint16_t *asked = ctx;
	size_t slot;

	*asked = number;
	/* It is there to be tried. */
	return !rows_slots_find(world.reg->rows, number, &slot);
}

static void
a_slot_that_was_not_proved_is_none(void **state)
{
	static const struct slots_set_new plan = {.k = 2, .n = 4};
	uint16_t number = 0, asked = 0;
	const struct custody_act_new new = {
	    .slot = {.kind = SLOTS_KIND_SHARES, .label = "others"},
	    .plan = &plan,
	    .by = "Ada",
	    .now_ms = world.now_ms,
	    .prove = opens_nothing,
	    .ctx = &asked,
	};
	struct cdop_share other[SHAMIR_MAX];
	const uint64_t leaves = audit_size(world.reg->audit);
	size_t slot;

	(void)state;
	assert_int_equal(
	    custody_act_add(world.reg, world.arena, &new, &number, other),
	    CDOP_ABORTED);
	assert_int_not_equal(asked, 0);
	assert_false(rows_slots_find(world.reg->rows, asked, &slot));
	assert_null(rows_slots_set(world.reg->rows, asked));
	assert_int_equal(audit_size(world.reg->audit), leaves);
	world_reopen(&world);
	assert_false(rows_slots_find(world.reg->rows, asked, &slot));
	assert_true(rows_slots_find(world.reg->rows, set, &slot));
}

static Cdop__CustodianDrillRequest
drill_of(const struct cdop_share *share, uint8_t proof[static 32])
{
	Cdop__CustodianDrillRequest request;

	cdop__custodian_drill_request__init(&request);
	cdop_share_proof(share, rows_registry(world.reg->rows), proof);
	request.set = share->set;
	request.share = share->x;
	request.proof = (ProtobufCBinaryData){32, proof};
	return request;
}

static void
a_drill_is_noted_and_a_wrong_proof_is_not(void **state)
{
	Cdop__CustodianDrillRequest request;
	const struct custody_proof *proof;
	struct world_answer answer;
	uint8_t bytes[32];
	size_t bit;

	(void)state;
	assert_int_equal(custody_drilled_ms(world.reg->custody), 0);
	for (bit = 0; bit < 256; bit += 5) {
		request = drill_of(&shares[1], bytes);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		world_call(&world, WORLD_CUSTODIAN, CDOP_CALL_CustodianDrill,
		    &request.base, &answer);
		assert_string_equal(answer.reply->reason, "share_wrong");
	}
	request = drill_of(&shares[1], bytes);
	request.share = 3; /* shown under another number */
	world_call(&world, WORLD_CUSTODIAN, CDOP_CALL_CustodianDrill,
	    &request.base, &answer);
	assert_string_equal(answer.reply->reason, "share_wrong");
	assert_null(custody_proof(world.reg->custody, set, 2));
	request = drill_of(&shares[1], bytes);
	world_call(&world, WORLD_CUSTODIAN, CDOP_CALL_CustodianDrill,
	    &request.base, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	proof = custody_proof(world.reg->custody, set, 2);
	assert_non_null(proof);
	assert_int_equal(proof->how, CDOP__PROOF__DRILLED);
	assert_int_equal(proof->person, WORLD_CUSTODIAN);
	assert_null(custody_proof(world.reg->custody, set, 1));
	assert_true(custody_drilled_ms(world.reg->custody) != 0);
}

static bool
status_warns(const char *words)
{
	Cdop__StatusRequest request;
	struct world_answer answer;
	const Cdop__StatusReply *reply;
	size_t i;

	cdop__status_request__init(&request);
	world_call(
	    &world, WORLD_ADMIN_1, CDOP_CALL_Status, &request.base, &answer);
	reply = world_body(&world, &answer, &cdop__status_reply__descriptor);
	for (i = 0; i < reply->n_warning; i++)
		if (strstr(reply->warning[i], words) != NULL)
			return true;
	return false;
}

/* Whoever tests them on the host may be whoever has them all. */
static void
a_test_on_the_host_takes_no_share_out_of_a_hand(void **state)
{
	struct custody_proof tested[2];
	Cdop__CustodianDrillRequest request;
	const struct custody_proof *proof;
	struct world_answer answer;
	uint8_t bytes[32], i;

	(void)state;
	assert_false(status_warns("showed 2 shares or more"));
	for (i = 0; i < 2; i++) {
		request = drill_of(&shares[i], bytes);
		world_call(&world, WORLD_CUSTODIAN, CDOP_CALL_CustodianDrill,
		    &request.base, &answer);
		assert_int_equal(answer.reply->status, CDOP_OK);
		tested[i] = (struct custody_proof){
		    .slot = set,
		    .share = (uint8_t)(i + 1),
		    .how = CDOP__PROOF__TESTED,
		    .at_ms = world.now_ms + 5,
		};
	}
	assert_true(status_warns("showed 2 shares or more"));
	assert_int_equal(
	    custody_act_tested(world.reg, world.arena, tested, 2, false),
	    CDOP_OK);
	world_reopen(&world);
	proof = custody_proof(world.reg->custody, set, 2);
	assert_non_null(proof);
	assert_int_equal(proof->how, CDOP__PROOF__TESTED);
	assert_int_equal(proof->person, WORLD_CUSTODIAN);
	assert_true(status_warns("showed 2 shares or more"));
}

static Cdop__SlotRemoveRequest
removal_of(uint32_t slot)
{
	Cdop__SlotRemoveRequest request;

	cdop__slot_remove_request__init(&request);
	request.slot = slot;
	request.reason = reason;
	return request;
}

static void
a_removal_waits_and_one_kind_or_none_never_stays_by_mistake(void **state)
{
	Cdop__SlotRemoveRequest request = removal_of(set);
	struct world_answer answer;
	size_t slot;

	(void)state;
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_SlotRemove, &request.base,
	    &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	assert_string_equal(answer.reply->reason, "second_person");
	assert_true(rows_slots_find(world.reg->rows, set, &slot));
	request = removal_of(set);
	request.reason = lines;
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_SlotRemove, &request.base,
	    &answer);
	assert_string_equal(answer.reply->reason, "second_person");
	assert_string_equal(
	    approvals_at(world.reg->approvals, 1, world.now_ms)
		->words[approvals_at(world.reg->approvals, 1, world.now_ms)
			    ->n_words -
		    1],
	    "reason: it was seen");
	lines[0] = '\0';
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_SlotRemove, &request.base,
	    &answer);
	assert_string_equal(answer.reply->reason, "text_needed");
	request = removal_of(77);
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_SlotRemove, &request.base,
	    &answer);
	assert_string_equal(answer.reply->reason, "no_such_slot");
	request = removal_of(65536u + set);
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_SlotRemove, &request.base,
	    &answer);
	assert_string_equal(answer.reply->reason, "no_such_slot");
	/* The set and the credential go: key files alone would be left. */
	world_begin(&world, 4096, 8);
	assert_int_equal(rows_slots_remove(world.reg->rows, set), CDOP_OK);
	assert_int_equal(rows_commit(world.reg->rows), CDOP_OK);
	undo_commit(world.reg->undo);
	request = removal_of(2);
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_SlotRemove, &request.base,
	    &answer);
	assert_string_equal(answer.reply->reason, "one_kind");
	request.has_one_kind = request.one_kind = true;
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_SlotRemove, &request.base,
	    &answer);
	assert_string_equal(answer.reply->reason, "second_person");
}

/* By another administrator; what came of it. */
static const char *
approve(void)
{
	const struct approval *a =
	    approvals_at(world.reg->approvals, 0, world.now_ms);
	Cdop__ApproveRequest request;
	struct world_answer answer;
	uint8_t number[8], hash[32];

	assert_non_null(a);
	memcpy(number, a->number, sizeof(number));
	memcpy(hash, a->hash, sizeof(hash));
	cdop__approve_request__init(&request);
	request.number = (ProtobufCBinaryData){sizeof(number), number};
	request.hash = (ProtobufCBinaryData){sizeof(hash), hash};
	request.approve = true;
	world_call(
	    &world, WORLD_ADMIN_2, CDOP_CALL_Approve, &request.base, &answer);
	return answer.reply->reason != NULL ? answer.reply->reason : "";
}

/* TRUST M13: what is approved is all that opens it, as it was then. */
static void
slots_that_have_changed_meanwhile_are_not_what_was_approved(void **state)
{
	static const struct slots_set_new plan = {.k = 2, .n = 4};
	const struct custody_act_new new = {
	    .slot = {.kind = SLOTS_KIND_SHARES, .label = "others"},
	    .plan = &plan,
	    .by = "Ada",
	    .now_ms = world.now_ms,
	};
	Cdop__SlotRemoveRequest request = removal_of(2);
	struct cdop_share other[SHAMIR_MAX];
	struct world_answer answer;
	uint16_t number;
	size_t slot;

	(void)state;
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_SlotRemove, &request.base,
	    &answer);
	assert_string_equal(answer.reply->reason, "second_person");
	assert_int_equal(
	    custody_act_add(world.reg, world.arena, &new, &number, other),
	    CDOP_OK);
	assert_string_equal(approve(), "target_changed");
	assert_true(rows_slots_find(world.reg->rows, 2, &slot));
}

static void
slots_that_have_not_changed_are(void **state)
{
	Cdop__SlotRemoveRequest request = removal_of(2);
	struct world_answer answer;
	size_t slot;

	(void)state;
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_SlotRemove, &request.base,
	    &answer);
	assert_string_equal(answer.reply->reason, "second_person");
	/* The log says which one it was, of who asked and of who approved. */
	assert_int_equal(calls_audited(&world, "SlotRemove")->count, 2);
	assert_string_equal(approve(), "");
	assert_false(rows_slots_find(world.reg->rows, 2, &slot));
	assert_int_equal(calls_audited(&world, "Approve")->count, 2);
}

static void
only_who_keeps_keys_or_looks_on_is_told_of_slots(void **state)
{
	Cdop__StatusRequest request;
	struct world_answer answer;
	Cdop__StatusReply *status;
	int who;

	(void)state;
	for (who = WORLD_ADMIN_1; who <= WORLD_AUDITOR; who++) {
		cdop__status_request__init(&request);
		world_call(&world, (enum world_who)who, CDOP_CALL_Status,
		    &request.base, &answer);
		status = world_body(
		    &world, &answer, &cdop__status_reply__descriptor);
		if (who == WORLD_ADMIN_1 || who == WORLD_ADMIN_2 ||
		    who == WORLD_CUSTODIAN || who == WORLD_AUDITOR)
			assert_int_equal(status->n_slot, 3);
		else
			assert_int_equal(status->n_slot, 0);
	}
}

static void
call_slots(enum world_who who, Cdop__StatusReply **ret_status,
    Cdop__SlotListReply **ret_list)
{
	Cdop__SlotListRequest list;
	Cdop__StatusRequest status;
	struct world_answer answer;

	cdop__status_request__init(&status);
	world_call(&world, who, CDOP_CALL_Status, &status.base, &answer);
	*ret_status =
	    world_body(&world, &answer, &cdop__status_reply__descriptor);
	cdop__slot_list_request__init(&list);
	world_call(&world, who, CDOP_CALL_SlotList, &list.base, &answer);
	*ret_list =
	    world_body(&world, &answer, &cdop__slot_list_reply__descriptor);
}

/* An older program took a label as it was typed: no client reads past it. */
static void
what_is_no_utf8_leaves_as_question_marks(void **state)
{
	static const struct slots_set_new plan = {
	    .k = 2, .n = 4, .holder = {"Jos\xe9", "Zo\xc3\xab"}};
	const struct custody_act_new new = {
	    .slot = {.kind = SLOTS_KIND_SHARES, .label = "caf\xe9"},
	    .plan = &plan,
	    .by = "Ada",
	    .now_ms = world.now_ms,
	};
	Cdop__SlotRemoveRequest removal;
	struct cdop_share other[SHAMIR_MAX];
	Cdop__CustodianDrillRequest drill;
	Cdop__CustodianDrillReply *drilled;
	struct world_answer answer;
	Cdop__StatusReply *status;
	Cdop__SlotListReply *list;
	const struct approval *a;
	uint16_t number;
	uint8_t proof[32];

	(void)state;
	assert_int_equal(
	    custody_act_add(world.reg, world.arena, &new, &number, other),
	    CDOP_OK);
	call_slots(WORLD_ADMIN_1, &status, &list);
	assert_int_equal(status->n_slot, 4);
	assert_non_null(strstr(status->slot[3], "\"caf?\" (any 2 of 4)"));
	assert_int_equal(list->n_slot, 4);
	assert_string_equal(list->slot[3]->label, "caf?");
	assert_string_equal(list->slot[3]->share[0]->holder, "Jos?");
	assert_string_equal(list->slot[3]->share[1]->holder, "Zo\xc3\xab");
	drill = drill_of(&other[0], proof);
	world_call(&world, WORLD_CUSTODIAN, CDOP_CALL_CustodianDrill,
	    &drill.base, &answer);
	drilled = world_body(
	    &world, &answer, &cdop__custodian_drill_reply__descriptor);
	assert_string_equal(drilled->holder, "Jos?");
	removal = removal_of(number);
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_SlotRemove, &removal.base,
	    &answer);
	assert_string_equal(answer.reply->reason, "second_person");
	a = approvals_at(world.reg->approvals, 0, world.now_ms);
	assert_non_null(strstr(a->words[0], "\"caf?\""));
	/* It is the slot's own label still, and goes when two say so. */
	assert_string_equal(rows_slot(world.reg->rows, 3)->label, "caf\xe9");
	assert_string_equal(approve(), "");
	assert_int_equal(rows_slots(world.reg->rows), 3);
}

static void
ask_for_another_root(void)
{
	Cdop__KeyRotateRequest request;
	struct world_answer answer;

	cdop__key_rotate_request__init(&request);
	request.what = CDOP__KEY_WHAT__KEY_ROOT;
	request.reason = reason;
	request.has_compromised = request.compromised = true;
	world_call(
	    &world, WORLD_ADMIN_1, CDOP_CALL_KeyRotate, &request.base, &answer);
	assert_string_equal(answer.reply->reason, "second_person");
}

/* Whoever adds a slot in between would make the new root with it. */
static void
a_new_root_is_approved_with_the_slots_it_was_asked_with(void **state)
{
	static const struct slots_set_new plan = {.k = 2, .n = 4};
	const struct custody_act_new new = {
	    .slot = {.kind = SLOTS_KIND_SHARES, .label = "Mallory"},
	    .plan = &plan,
	    .by = "Mallory",
	    .now_ms = world.now_ms,
	};
	struct cdop_share more[SHAMIR_MAX];
	uint16_t number;

	(void)state;
	ask_for_another_root();
	assert_int_equal(
	    custody_act_add(world.reg, world.arena, &new, &number, more),
	    CDOP_OK);
	assert_string_equal(
	    calls_approve(&world, WORLD_CUSTODIAN,
		calls_waiting(&world, WORLD_CUSTODIAN), CDOP_ABORTED)
		->reason,
	    "target_changed");
	assert_null(rotation_running(world.reg->rotation));
	/* Asked again it is what there is, and no start changes that. */
	ask_for_another_root();
	world_reopen(&world);
	(void)calls_approve(&world, WORLD_CUSTODIAN,
	    calls_waiting(&world, WORLD_CUSTODIAN), CDOP_OK);
	assert_true(rotation_waits(world.reg->rotation));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_slot_that_was_not_proved_is_none, make, end),
	    cmocka_unit_test_setup_teardown(
		a_drill_is_noted_and_a_wrong_proof_is_not, make, end),
	    cmocka_unit_test_setup_teardown(
		a_test_on_the_host_takes_no_share_out_of_a_hand, make, end),
	    cmocka_unit_test_setup_teardown(
		a_removal_waits_and_one_kind_or_none_never_stays_by_mistake,
		make, end),
	    cmocka_unit_test_setup_teardown(
		slots_that_have_changed_meanwhile_are_not_what_was_approved,
		make, end),
	    cmocka_unit_test_setup_teardown(
		slots_that_have_not_changed_are, make, end),
	    cmocka_unit_test_setup_teardown(
		a_new_root_is_approved_with_the_slots_it_was_asked_with, make,
		end),
	    cmocka_unit_test_setup_teardown(
		only_who_keeps_keys_or_looks_on_is_told_of_slots, make, end),
	    cmocka_unit_test_setup_teardown(
		what_is_no_utf8_leaves_as_question_marks, make, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
