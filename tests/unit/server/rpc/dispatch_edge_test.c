/*
 * Where dispatch ends: the last byte of memory, acts of kinds that no line
 * of the call table has, a person of two roles, a key that waits already.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/role.h"
#include "server/base/undo.h"
#include "server/registry/approvals.h"
#include "server/registry/audit.h"
#include "server/registry/people.h"
#include "server/rpc/dispatch.h"
#include "server/vault/rows.h"
#include "tests/unit/server/rpc/calls.h"

#define NO_SCOPE 99

static struct world world;

static int
make(void **state)
{
	(void)state;
	world_make(&world);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	world_end(&world);
	return 0;
}

/* ---- acts that were approved --------------------------------------------- */

static bool names_case, names_person;

/* Says that it changed something, and of what it is told to. */
static enum cdop_err
change_something(struct rpc_ctx *ctx, const void *request, void *reply)
{
	(void)request;
	(void)reply;
	ctx->applied = true;
	ctx->n_released = names_case ? 1 : 0;
	ctx->subject_person = names_person ? 1 : 0;
	return CDOP_OK;
}

static struct rpc_method
method_of(uint32_t scope)
{
	struct rpc_method method = *rpc_method_find(CDOP_CALL_Status);

	method.scope = scope;
	method.handler = change_something;
	return method;
}

static enum cdop_err
run_approved(uint32_t scope, struct cdop_bytes request, size_t budget)
{
	const struct rpc_method method = method_of(scope);
	static const uint8_t key[16], target[32];
	struct cdop_bytes reply;
	struct actor actor;
	struct rpc_ctx ctx;
	enum cdop_err err;

	memset(&ctx, 0, sizeof(ctx));
	memset(&actor, 0, sizeof(actor));
	actor.person = WORLD_ADMIN_1;
	ctx.reg = world.reg;
	ctx.arena = world.arena;
	ctx.actor = &actor;
	ctx.now_ms = world.now_ms;
	cdop_arena_set_budget(world.arena, budget);
	err = dispatch_run_approved(
	    &ctx, &method, &actor, request, key, target, &reply);
	cdop_arena_set_budget(world.arena, 0);
	return err;
}

static void
an_act_names_what_it_changed_or_is_not_made(void **state)
{
	static const uint32_t cases[] = {CDOP_SCOPE_AREA, CDOP_SCOPE_ASK};
	const struct cdop_bytes none = {NULL, 0};
	size_t i;

	(void)state;
	names_case = names_person = false;
	for (i = 0; i < 2; i++)
		assert_int_equal(
		    run_approved(cases[i], none, 0), CDOP_INTERNAL);
	assert_int_equal(
	    run_approved(CDOP_SCOPE_PEOPLE, none, 0), CDOP_INTERNAL);
	assert_int_equal(run_approved(CDOP_SCOPE_REGISTRY, none, 0), CDOP_OK);
	assert_int_equal(run_approved(NO_SCOPE, none, 0), CDOP_OK);
	names_person = true;
	assert_int_equal(run_approved(CDOP_SCOPE_AREA, none, 0), CDOP_INTERNAL);
	assert_int_equal(run_approved(CDOP_SCOPE_PEOPLE, none, 0), CDOP_OK);
	names_person = false;
	names_case = true;
	for (i = 0; i < 2; i++)
		assert_int_equal(run_approved(cases[i], none, 0), CDOP_OK);
	assert_int_equal(
	    run_approved(CDOP_SCOPE_PEOPLE, none, 0), CDOP_INTERNAL);
}

static void
an_act_whose_request_cannot_be_read_is_not_made(void **state)
{
	static const uint8_t nonsense[] = {0xff, 0xff, 0xff};

	(void)state;
	names_person = true;
	assert_int_equal(
	    run_approved(CDOP_SCOPE_REGISTRY,
		(struct cdop_bytes){nonsense, sizeof(nonsense)}, 0),
	    CDOP_INVALID_ARGUMENT);
}

/* ---- memory -------------------------------------------------------------- */

/* From nothing on, in steps of the arena's, until it is enough. */
static void
an_act_is_made_or_there_is_no_memory_for_it(void **state)
{
	const struct cdop_bytes none = {NULL, 0};
	enum cdop_err err = CDOP_RESOURCE_EXHAUSTED;
	size_t budget;

	(void)state;
	names_case = names_person = true;
	for (budget = 1; err != CDOP_OK && budget < 1u << 20; budget += 8) {
		err = run_approved(CDOP_SCOPE_AREA, none, budget);
		if (err != CDOP_OK)
			assert_int_equal(err, CDOP_RESOURCE_EXHAUSTED);
	}
	assert_int_equal(err, CDOP_OK);
	assert_true(budget > sizeof(struct rpc_ctx));
}

/* Kinds of calls: one with words, a repetition, one that takes two people. */
static void
send_kind(unsigned kind, const uint8_t *key, struct world_answer *answer)
{
	char words[] = "to see how it works", other[] = "other";
	char reason[] = "a new post", title[] = "Nurse";
	static uint8_t body[4096];
	Cdop__NotificationRegisterRequest request;
	Cdop__PersonChangeRequest change;
	Cdop__Call call;

	cdop__call__init(&call);
	call.id = 1;
	call.purpose = other;
	call.purpose_text = words;
	call.has_use = true;
	call.use = CDOP__USE__SCREEN;
	call.has_body = true;
	call.has_request_key = kind != 0;
	call.request_key = (ProtobufCBinaryData){16, (uint8_t *)(uintptr_t)key};
	call.method = CDOP_CALL_CaseList;
	call.body.data = body;
	if (kind == 1) {
		cdop__notification_register_request__init(&request);
		request.form = world_form(&world, 7, "wirral");
		call.method = CDOP_CALL_NotificationRegister;
		call.body.len =
		    cdop__notification_register_request__pack(&request, body);
	} else if (kind == 2) {
		cdop__person_change_request__init(&change);
		change.person = WORLD_PARTNER_WIRRAL;
		change.job_title = title;
		change.reason = reason;
		call.method = CDOP_CALL_PersonChange;
		call.body.len =
		    cdop__person_change_request__pack(&change, body);
	}
	world_send(&world, kind == 2 ? WORLD_ADMIN_1 : WORLD_COORDINATOR, &call,
	    answer);
}

/* Each byte of memory that might be the last one. */
static void
a_call_is_worked_on_or_there_is_no_memory_for_it(void **state)
{
	struct world_answer answer;
	uint8_t key[16];
	enum cdop_err err;
	unsigned kind;
	size_t budget, before;

	(void)state;
	world_key(&world, key);
	/* The first of it, of which the second is the repetition. */
	send_kind(1, key, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	before = cdop_arena_used(world.arena);
	world.abort = true;
	for (kind = 0; kind < 3; kind++) {
		if (kind == 2)
			world_key(&world, key);
		err = CDOP_RESOURCE_EXHAUSTED;
		for (budget = 1; err != CDOP_OK && budget < 96u << 10;
		     budget += 16) {
			world.budget = budget;
			send_kind(kind, key, &answer);
			err = answer.failed != CDOP_OK ? answer.failed
						       : answer.packed_status;
			if (err != CDOP_OK)
				assert_int_equal(err, CDOP_RESOURCE_EXHAUSTED);
			cdop_arena_rewind(world.arena, before);
		}
		assert_int_equal(err, CDOP_OK);
	}
	world.budget = 0;
	world.abort = false;
}

static void
a_refusal_has_memory_or_says_so(void **state)
{
	struct dispatch_request request;
	struct dispatch_result result;
	struct dispatch_peer peer;

	(void)state;
	memset(&request, 0, sizeof(request));
	memset(&peer, 0, sizeof(peer));
	request.peer = &peer;
	cdop_arena_set_budget(world.arena, 1);
	assert_int_equal(dispatch_refuse(world.reg, world.arena, &request,
			     CDOP_RESOURCE_EXHAUSTED, &result),
	    CDOP_RESOURCE_EXHAUSTED);
	cdop_arena_set_budget(world.arena, 0);
}

/* ---- policy -------------------------------------------------------------- */

static const char *
reason_of(enum world_who who, uint32_t method, const ProtobufCMessage *body)
{
	struct world_answer answer;

	world_call(&world, who, method, body, &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	return answer.reply->status == CDOP_OK ? "" : answer.reply->reason;
}

static void
on_a_full_disk_nobody_asks_about_a_child(void **state)
{
	Cdop__AskRequest ask;

	(void)state;
	cdop__ask_request__init(&ask);
	world.reg->room = REGISTRY_FULL;
	assert_string_equal(
	    reason_of(WORLD_PARTNER_WIRRAL, CDOP_CALL_Ask, &ask.base),
	    "disk_full");
	assert_string_equal(
	    reason_of(WORLD_COORDINATOR, CDOP_CALL_CaseList, NULL),
	    "disk_full");
	assert_string_equal(
	    reason_of(WORLD_PARTNER_WIRRAL, CDOP_CALL_Status, NULL), "");
	world.reg->room = REGISTRY_ROOM;
	assert_string_not_equal(
	    reason_of(WORLD_PARTNER_WIRRAL, CDOP_CALL_Ask, &ask.base),
	    "disk_full");
}

/* A custodian who is an administrator, too. */
static void
grant_two(void)
{
	Cdop__RoleGrant grant[2], *grants[2] = {&grant[0], &grant[1]};
	static char reason[] = "two posts";
	Cdop__PersonChangeRequest change;
	struct world_answer answer;

	cdop__role_grant__init(&grant[0]);
	cdop__role_grant__init(&grant[1]);
	grant[0].role = CDOP__ROLE__CUSTODIAN;
	grant[1].role = CDOP__ROLE__ADMINISTRATOR;
	cdop__person_change_request__init(&change);
	change.person = WORLD_CUSTODIAN;
	change.n_grant = 2;
	change.grant = grants;
	change.has_grants_set = true;
	change.grants_set = true;
	change.reason = reason;
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_PersonChange, &change.base,
	    &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	(void)calls_approve(&world, WORLD_ADMIN_2,
	    calls_waiting(&world, WORLD_ADMIN_2), CDOP_OK);
}

static void
who_has_two_roles_says_in_which(void **state)
{
	struct world_answer answer;
	Cdop__Call call;

	(void)state;
	assert_string_equal(
	    reason_of(WORLD_CUSTODIAN, CDOP_CALL_ApprovalList, NULL), "");
	grant_two();
	assert_string_equal(
	    reason_of(WORLD_CUSTODIAN, CDOP_CALL_ApprovalList, NULL),
	    "role_needed");
	cdop__call__init(&call);
	call.id = 1;
	call.method = CDOP_CALL_ApprovalList;
	call.has_body = true;
	call.has_role = true;
	call.role = CDOP__ROLE__CUSTODIAN;
	world_send(&world, WORLD_CUSTODIAN, &call, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
}

/* It waits, and what became of it was never kept: as after a damage. */
static void
a_key_that_waits_for_another_act_is_not_used_again(void **state)
{
	static const uint8_t nothing[] = {0}, target[32];
	struct world_answer answer;
	struct approval_ask ask;
	uint8_t key[16], number[8];
	struct actor actor;

	(void)state;
	memset(&actor, 0, sizeof(actor));
	memset(&ask, 0, sizeof(ask));
	world_key(&world, key);
	people_actor(world.reg->people, WORLD_ADMIN_1, world.now_ms, &actor);
	ask.method = CDOP_CALL_PersonChange;
	ask.actor = &actor;
	ask.request_key = key;
	ask.request = (struct cdop_bytes){nothing, sizeof(nothing)};
	ask.target_version = target;
	ask.now_ms = world.now_ms;
	ask.ttl_s = 3600;
	world_begin(&world, 1u << 20, 64);
	assert_int_equal(
	    approvals_file(world.reg->approvals, world.arena, &ask, number),
	    CDOP_OK);
	assert_int_equal(registry_commit(world.reg), CDOP_OK);
	send_kind(2, key, &answer);
	assert_int_equal(answer.reply->status, CDOP_ALREADY_EXISTS);
	assert_string_equal(answer.reply->reason, "request_key_reused");
}

/* ---- what was kept of a call, in another shape -------------------------- */

/* The log says that this came of the first call under the key. */
static void
keep(const Cdop__StoredOutcome *stored)
{
	struct audit_entry entry = {.call = CDOP_CALL_PersonChange,
	    .time_ms = world.now_ms,
	    .stored = stored};
	struct actor actor;

	memset(&actor, 0, sizeof(actor));
	people_actor(world.reg->people, WORLD_ADMIN_1, world.now_ms, &actor);
	entry.actor = &actor;
	undo_begin(world.undo);
	assert_int_equal(rows_begin(world.rows, 1u << 20, 64), CDOP_OK);
	assert_int_equal(
	    audit_append(world.reg->audit, world.arena, &entry, NULL), CDOP_OK);
	assert_int_equal(registry_commit(world.reg), CDOP_OK);
}

/* So much of the right hash, and of the number of what waits. */
static uint32_t
status_after(size_t hash_len, size_t approval_len)
{
	char reason[] = "a new post", title[] = "Nurse";
	uint8_t key[16], hash[32], number[8] = {7}, *body;
	Cdop__PersonChangeRequest change;
	Cdop__StoredOutcome stored;
	uint32_t status;
	size_t len;

	cdop__person_change_request__init(&change);
	change.person = WORLD_PARTNER_WIRRAL;
	change.job_title = title;
	change.reason = reason;
	len = cdop__person_change_request__get_packed_size(&change);
	body = cdop_arena_alloc(world.arena, len);
	assert_non_null(body);
	(void)cdop__person_change_request__pack(&change, body);
	audit_request_hash(
	    hash, CDOP_CALL_PersonChange, (struct cdop_bytes){body, len});
	world_key(&world, key);
	cdop__stored_outcome__init(&stored);
	stored.request_key = (ProtobufCBinaryData){sizeof(key), key};
	stored.request_hash = (ProtobufCBinaryData){hash_len, hash};
	stored.has_approval = approval_len > 0;
	stored.approval = (ProtobufCBinaryData){approval_len, number};
	keep(&stored);
	status = calls_under(
	    &world, WORLD_ADMIN_1, CDOP_CALL_PersonChange, &change.base, key)
		     ->reply->status;
	/* It is not filed once more. */
	assert_null(calls_waiting(&world, WORLD_ADMIN_2));
	return status;
}

static void
what_was_kept_in_another_shape_is_not_believed(void **state)
{
	(void)state;
	assert_int_equal(status_after(32, 0), CDOP_OK);
	assert_int_equal(status_after(32, 7), CDOP_OK);
	assert_int_equal(status_after(32, 8), CDOP_OK);
	assert_int_equal(status_after(31, 0), CDOP_ALREADY_EXISTS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_act_names_what_it_changed_or_is_not_made),
	    TEST(an_act_whose_request_cannot_be_read_is_not_made),
	    TEST(an_act_is_made_or_there_is_no_memory_for_it),
	    TEST(a_call_is_worked_on_or_there_is_no_memory_for_it),
	    TEST(a_refusal_has_memory_or_says_so),
	    TEST(on_a_full_disk_nobody_asks_about_a_child),
	    TEST(who_has_two_roles_says_in_which),
	    TEST(a_key_that_waits_for_another_act_is_not_used_again),
	    TEST(what_was_kept_in_another_shape_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
