/*
 * What a backup may be called, that its label writes nobody's lines, and what
 * does not prove one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/limits.h"
#include "server/registry/backups.h"
#include "server/registry/custody_act.h"
#include "tests/unit/server/rpc/calls.h"

static struct world w;

static int
setup(void **state)
{
	static const struct slots_set_new plan = {.k = 2, .n = 4};
	struct custody_act_new new = {
	    .slot = {.kind = SLOTS_KIND_SHARES, .label = "custodians"},
	    .plan = &plan,
	    .by = "Ada",
	};
	struct cdop_share shares[SHAMIR_MAX];
	uint16_t set;

	(void)state;
	world_make(&w);
	new.now_ms = w.now_ms;
	assert_int_equal(
	    custody_act_add(w.reg, w.arena, &new, &set, shares), CDOP_OK);
	(void)backups_pump(w.reg->backups, 1000);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

static const Cdop__Reply *
create(const char *label)
{
	static struct world_answer answer;
	Cdop__BackupCreateRequest request;

	cdop__backup_create_request__init(&request);
	request.label = calls_text(&w, label);
	world_call(
	    &w, WORLD_ADMIN_1, CDOP_CALL_BackupCreate, &request.base, &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	return answer.reply;
}

static void
a_label_is_one_plain_line(void **state)
{
	char long_label[BACKUPS_LABEL_MAX + 2] = "";
	const char *const bad[] = {
	    "",
	    long_label,
	    "weekly\nbackup 9 1 holds nothing",
	    "weekly\r",
	    "weekly\xe2\x80\xa8outside nothing", /* LINE SEPARATOR */
	    "weekly\xc2\x85outside nothing",     /* NEL */
	    "weekly\x1b[2J",
	    "\xe2\x80\xaeylkeew", /* RIGHT-TO-LEFT OVERRIDE */
	    "week\tly",
	    " weekly",
	};
	const Cdop__Reply *reply;
	size_t i;

	(void)state;
	memset(long_label, 'x', BACKUPS_LABEL_MAX + 1);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		reply = create(bad[i]);
		assert_int_equal(reply->status, CDOP_INVALID_ARGUMENT);
		assert_string_equal(reply->reason, "text_needed");
	}
	assert_int_equal(backups_count(w.reg->backups), 0);
	reply = create("Montag \xe2\x80\x93 Caf\xc3\xa9, tape 7");
	assert_int_equal(reply->status, CDOP_OK);
	assert_int_equal(backups_count(w.reg->backups), 1);
}

static const Cdop__Reply *
prove(uint32_t number, uint8_t *code, size_t len)
{
	static struct world_answer answer;
	Cdop__BackupProvedRequest request;

	cdop__backup_proved_request__init(&request);
	request.number = number;
	request.has_proof = code != NULL;
	request.proof = (ProtobufCBinaryData){len, code};
	world_call(
	    &w, WORLD_ADMIN_1, CDOP_CALL_BackupProved, &request.base, &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	return answer.reply;
}

/* What was begun and never sent; what is no code; what is no backup. */
static void
what_is_no_proof_is_refused(void **state)
{
	uint8_t code[CDOP_MANIFEST_PROOF + 1] = {0};
	const Cdop__Reply *reply;

	(void)state;
	if (backups_count(w.reg->backups) == 0)
		(void)create("weekly");
	reply = prove(1, code, sizeof(code));
	assert_int_equal(reply->status, CDOP_INVALID_ARGUMENT);
	assert_string_equal(reply->reason, "bad_field");
	reply = prove(1, code, CDOP_MANIFEST_PROOF);
	assert_int_equal(reply->status, CDOP_FAILED_PRECONDITION);
	assert_string_equal(reply->reason, "backup_not_whole");
	reply = prove(2, code, CDOP_MANIFEST_PROOF);
	assert_int_equal(reply->status, CDOP_NOT_FOUND);
	assert_null(backups_proved(w.reg->backups));
}

static const Cdop__Reply *
destroyed(uint32_t number, const char *reason)
{
	static struct world_answer answer;
	Cdop__BackupDestroyedRequest request;

	cdop__backup_destroyed_request__init(&request);
	request.number = number;
	request.reason = calls_text(&w, reason);
	world_call(&w, WORLD_ADMIN_1, CDOP_CALL_BackupDestroyed, &request.base,
	    &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	return answer.reply;
}

/* Bound to the backup as it was known when it was asked. */
static void
two_people_say_that_it_is_destroyed(void **state)
{
	char long_reason[CDOP_REASON_MAX + 2] = "";
	struct backups_entry *entry;
	Cdop__Approval *act;

	(void)state;
	assert_string_equal(destroyed(1, "")->reason, "text_needed");
	memset(long_reason, 'x', CDOP_REASON_MAX + 1);
	assert_string_equal(destroyed(1, long_reason)->reason, "text_needed");
	assert_string_equal(destroyed(7, "shredded")->reason, "no_such_backup");
	assert_string_equal(destroyed(1, "shredded")->reason, "second_person");
	entry =
	    (struct backups_entry *)(uintptr_t)backups_find(w.reg->backups, 1);
	assert_non_null(entry);
	assert_int_equal(entry->destroyed_ms, 0);
	act = calls_waiting(&w, WORLD_ADMIN_2);
	assert_non_null(act);
	assert_non_null(strstr(act->words[0], "no file any more of backup 1"));
	entry->version++; /* somebody has proved it meanwhile */
	assert_string_equal(
	    calls_approve(&w, WORLD_ADMIN_2, act, CDOP_ABORTED)->reason,
	    "target_changed");
	entry->version--;
	assert_int_equal(entry->destroyed_ms, 0);
	(void)destroyed(1, "shredded");
	act = calls_waiting(&w, WORLD_ADMIN_2);
	assert_non_null(act);
	(void)calls_approve(&w, WORLD_ADMIN_2, act, CDOP_OK);
	entry =
	    (struct backups_entry *)(uintptr_t)backups_find(w.reg->backups, 1);
	assert_int_not_equal(entry->destroyed_ms, 0);
	assert_int_equal(entry->destroyed_by, WORLD_ADMIN_1);
	assert_int_equal(entry->destroyed_second, WORLD_ADMIN_2);
	assert_int_equal(calls_audited(&w, "Approve")->count, 1);
	assert_int_equal(calls_audited(&w, "BackupDestroyed")->count, 1);
	assert_string_equal(destroyed(1, "shredded")->reason, "already_so");
}

/* One administrator in a loop: whose client is gone each time. */
static void
so_many_are_begun_within_a_day(void **state)
{
	const struct backups *backups = w.reg->backups;
	const Cdop__Reply *reply;
	size_t i;

	(void)state;
	for (i = backups_count(backups); i < BACKUPS_OF_ONE; i++) {
		backups_leave(w.reg->backups, (uint32_t)i);
		(void)backups_pump(w.reg->backups, 2000);
		reply = create("again");
		assert_int_equal(reply->status, CDOP_OK);
	}
	backups_leave(w.reg->backups, BACKUPS_OF_ONE);
	(void)backups_pump(w.reg->backups, 2000);
	reply = create("again");
	assert_int_equal(reply->status, CDOP_RESOURCE_EXHAUSTED);
	assert_string_equal(reply->reason, "too_many_backups");
	assert_int_equal(backups_count(backups), BACKUPS_OF_ONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_label_is_one_plain_line),
	    cmocka_unit_test(what_is_no_proof_is_refused),
	    cmocka_unit_test(two_people_say_that_it_is_destroyed),
	    cmocka_unit_test(so_many_are_begun_within_a_day),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
