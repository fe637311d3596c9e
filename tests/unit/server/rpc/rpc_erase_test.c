/*
 * A case is erased: by two people of whom one cannot read it, never on hold;
 * nothing finds it any more, what pointed to it stands, and the certificate
 * comes when the old bytes are gone and says no more than it proves (TRUST
 * M3).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/certificate.h"
#include "server/registry/approvals.h"
#include "server/registry/backups.h"
#include "server/registry/cases.h"
#include "server/registry/certificates.h"
#include "server/registry/checkpoints.h"
#include "server/registry/rotation_step.h"
#include "server/vault/rows.h"
#include "tests/unit/server/registry/turning.h"
#include "tests/unit/server/rpc/calls.h"

static struct world w;
static char *gone, *other, *third;

static int
setup(void **state)
{
	(void)state;
	world_make(&w);
	gone = world_register(&w, 1, "sefton");
	other = world_register(&w, 2, "sefton");
	third = world_register(&w, 3, "wirral");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(gone);
	free(other);
	free(third);
	world_end(&w);
	return 0;
}

/* ---- calls --------------------------------------------------------------- */

static const Cdop__Reply *
ask_version(enum world_who who, const char *reference, uint64_t version,
    enum cdop_err want)
{
	static struct world_answer answer;
	Cdop__CaseEraseRequest request;

	cdop__case_erase_request__init(&request);
	request.reference = calls_text(&w, reference);
	request.version = version;
	request.ground = CDOP__ERASURE_GROUND__COURT_ORDER;
	world_call(&w, who, CDOP_CALL_CaseErase, &request.base, &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	assert_int_equal(answer.reply->status, want);
	return answer.reply;
}

static const Cdop__Reply *
ask(enum world_who who, const char *reference, enum cdop_err want)
{
	return ask_version(who, reference, 1, want);
}

static Cdop__CertificateGetReply *
certificate(enum world_who who, uint32_t number, enum cdop_err want)
{
	static struct world_answer answer;
	Cdop__CertificateGetRequest request;

	cdop__certificate_get_request__init(&request);
	request.has_number = number != 0;
	request.number = number;
	world_call(&w, who, CDOP_CALL_CertificateGet, &request.base, &answer);
	assert_int_equal(answer.reply->status, want);
	if (!answer.reply->has_body)
		return NULL;
	return world_body(
	    &w, &answer, &cdop__certificate_get_reply__descriptor);
}

static void
tie(const char *one, const char *two)
{
	Cdop__CaseLinkRequest request;

	cdop__case_link_request__init(&request);
	request.reference = calls_text(&w, one);
	request.other = calls_text(&w, two);
	request.kind = calls_text(&w, "siblings");
	request.reason = calls_text(&w, "same mother");
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_CaseLinkAdd,
	    &request.base, CDOP_OK);
}

static void
hold(const char *reference, uint64_t version)
{
	Cdop__HoldRequest request;

	cdop__hold_request__init(&request);
	request.reference = calls_text(&w, reference);
	request.version = version;
	request.reason = calls_text(&w, "inquest");
	(void)calls_change(
	    &w, WORLD_COORDINATOR, CDOP_CALL_HoldSet, &request.base, CDOP_OK);
}

/* ---- who ----------------------------------------------------------------- */

static void
it_takes_one_who_reads_it_and_one_who_does_not(void **state)
{
	const Cdop__Approval *a;
	size_t i;

	(void)state;
	(void)ask(WORLD_ADMIN_1, gone, CDOP_PERMISSION_DENIED);
	(void)ask(WORLD_CUSTODIAN, gone, CDOP_PERMISSION_DENIED);
	assert_string_equal(
	    ask(WORLD_COORDINATOR_WIRRAL, gone, CDOP_NOT_FOUND)->reason,
	    "no_such_case");
	(void)ask_version(WORLD_COORDINATOR, gone, 2, CDOP_ABORTED);
	(void)ask(WORLD_COORDINATOR, gone, CDOP_OK);
	assert_null(calls_waiting(&w, WORLD_COORDINATOR_WIRRAL));
	assert_null(calls_waiting(&w, WORLD_ADMIN_1));
	(void)calls_approve(&w, WORLD_COORDINATOR,
	    calls_waiting(&w, WORLD_COORDINATOR), CDOP_FAILED_PRECONDITION);
	a = calls_waiting(&w, WORLD_CUSTODIAN);
	assert_non_null(a);
	assert_non_null(strstr(a->words[0], gone));
	assert_string_equal(a->words[1], "it is not on legal hold");
	for (i = 0; i < a->n_words; i++)
		assert_null(strstr(a->words[i], "sefton"));
	(void)calls_show(&w, WORLD_COORDINATOR, gone, CDOP_OK);
	(void)calls_approve(&w, WORLD_CUSTODIAN, a, CDOP_OK);
	(void)calls_show(&w, WORLD_COORDINATOR, gone, CDOP_NOT_FOUND);
}

static void
a_case_on_hold_is_not_erased(void **state)
{
	const Cdop__Approval *a;

	(void)state;
	(void)ask(WORLD_COORDINATOR, gone, CDOP_OK);
	a = calls_waiting(&w, WORLD_CUSTODIAN);
	hold(gone, 1);
	assert_string_equal(
	    ask_version(WORLD_COORDINATOR, gone, 2, CDOP_FAILED_PRECONDITION)
		->reason,
	    "on_hold");
	/* What waited is void, too. */
	(void)calls_approve(&w, WORLD_CUSTODIAN, a, CDOP_ABORTED);
	assert_null(calls_waiting(&w, WORLD_CUSTODIAN));
	(void)calls_show(&w, WORLD_COORDINATOR, gone, CDOP_OK);
}

static void
one_rotation_at_a_time(void **state)
{
	(void)state;
	(void)turning_begin(&w, "wirral");
	assert_string_equal(
	    ask(WORLD_COORDINATOR, gone, CDOP_FAILED_PRECONDITION)->reason,
	    "rotation_running");
	(void)turning_finish(&w, 8);
	calls_erase(&w, gone);
	(void)ask(WORLD_COORDINATOR, other, CDOP_FAILED_PRECONDITION);
	(void)turning_finish(&w, 8);
	(void)ask(WORLD_COORDINATOR, other, CDOP_OK);
}

/* A custodian's words have no place that goes with the case. */
static void
it_is_approved_without_a_reason(void **state)
{
	const Cdop__Approval *a;
	const Cdop__Reply *reply;

	(void)state;
	(void)ask(WORLD_COORDINATOR, gone, CDOP_OK);
	a = calls_waiting(&w, WORLD_CUSTODIAN);
	reply = calls_decide(&w, WORLD_CUSTODIAN, a, true, "the child Smith",
	    CDOP_INVALID_ARGUMENT);
	assert_string_equal(reply->reason, "reason_outlives");
	assert_null(calls_audited(&w, "Approve")->reason_text);
	/* It waits on, and a no may say why: the case is there. */
	(void)calls_decide(
	    &w, WORLD_CUSTODIAN, a, false, "the child Smith", CDOP_OK);
	assert_null(calls_audited(&w, "Approve")->reason_text);
	(void)ask(WORLD_COORDINATOR, gone, CDOP_OK);
	(void)calls_decide(&w, WORLD_CUSTODIAN,
	    calls_waiting(&w, WORLD_CUSTODIAN), true, "", CDOP_OK);
	assert_null(calls_audited(&w, "Approve")->reason_text);
}

/* ---- what is left -------------------------------------------------------- */

static void
expect_gone(void)
{
	Cdop__DuplicatePairsRequest pairs;
	Cdop__CaseHistoryRequest history;
	struct world_answer answer;

	(void)calls_show(&w, WORLD_COORDINATOR, gone, CDOP_NOT_FOUND);
	assert_string_equal(calls_reason(), "case_erased");
	(void)calls_show(&w, WORLD_COORDINATOR_WIRRAL, gone, CDOP_NOT_FOUND);
	assert_string_equal(calls_reason(), "no_such_case");
	assert_false(calls_lists(&w, WORLD_COORDINATOR, gone));
	assert_true(calls_lists(&w, WORLD_COORDINATOR, other));
	assert_int_equal(
	    calls_show(&w, WORLD_COORDINATOR, other, CDOP_OK)->n_link, 1);
	cdop__case_history_request__init(&history);
	history.reference = other;
	world_call(&w, WORLD_COORDINATOR, CDOP_CALL_CaseHistory, &history.base,
	    &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	cdop__duplicate_pairs_request__init(&pairs);
	world_call(&w, WORLD_COORDINATOR, CDOP_CALL_DuplicatePairs, &pairs.base,
	    &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	(void)ask(WORLD_COORDINATOR, gone, CDOP_NOT_FOUND);
}

static void
what_pointed_to_it_stands(void **state)
{
	(void)state;
	tie(gone, other);
	tie(other, third);
	assert_int_equal(
	    calls_show(&w, WORLD_COORDINATOR, other, CDOP_OK)->n_link, 2);
	(void)ask_version(WORLD_COORDINATOR, gone, 2, CDOP_OK);
	(void)calls_approve(
	    &w, WORLD_CUSTODIAN, calls_waiting(&w, WORLD_CUSTODIAN), CDOP_OK);
	assert_int_equal(
	    calls_show(&w, WORLD_COORDINATOR, other, CDOP_OK)->n_link, 1);
	(void)calls_show(&w, WORLD_COORDINATOR, gone, CDOP_NOT_FOUND);
	(void)turning_finish(&w, 8);
	world_reopen(&w);
	assert_int_equal(
	    calls_show(&w, WORLD_COORDINATOR, other, CDOP_OK)->n_link, 1);
	turning_all_readable(&w);
}

static void
it_is_gone_before_and_after_a_start(void **state)
{
	struct index *before;

	(void)state;
	tie(other, third);
	calls_erase(&w, gone);
	expect_gone();
	before = cases_index(w.reg->cases);
	assert_true(index_equal(before, before));
	world_reopen(&w);
	expect_gone();
	(void)turning_finish(&w, 8);
	expect_gone();
	world_reopen(&w);
	expect_gone();
}

/* A batch that fails takes nothing. */
static void
an_erasure_that_is_aborted_erases_nothing(void **state)
{
	const Cdop__Approval *a;

	(void)state;
	(void)ask(WORLD_COORDINATOR, gone, CDOP_OK);
	a = calls_waiting(&w, WORLD_CUSTODIAN);
	calls_approve_aborted(&w, WORLD_CUSTODIAN, a);
	(void)calls_show(&w, WORLD_COORDINATOR, gone, CDOP_OK);
	assert_int_equal(certificates_count(w.reg->certificates), 0);
}

/* ---- the certificate ----------------------------------------------------- */

/* What the first line of this word says, from the n-th on; or NULL. */
static const char *
says(const Cdop__CertificateGetReply *reply, const char *word, size_t nth)
{
	const Cdop__Destruction *d = reply->certificate[0];
	struct cdop_bytes note = {d->note.data, d->note.len};
	struct cdop_certificate_line *line;
	size_t i, n;

	assert_int_equal(
	    cdop_certificate_parse(note, w.arena, &line, &n), CDOP_OK);
	for (i = 0; i < n; i++)
		if (strcmp(line[i].word, word) == 0 && nth-- == 0)
			return line[i].says;
	return NULL;
}

static void
expect_signed(const Cdop__CertificateGetReply *reply)
{
	const Cdop__Destruction *d = reply->certificate[0];
	struct cdop_bytes note = {d->note.data, d->note.len};
	struct cdop_checkpoint checkpoint;
	struct cdop_note_key key;
	char origin[CDOP_CHECKPOINT_ORIGIN_MAX];

	cdop_checkpoint_origin(w.reg->id, 1, origin);
	assert_int_equal(cdop_note_key_init(&key, origin, CDOP_NOTE_ED25519,
			     checkpoints_key(w.reg->checkpoints)),
	    CDOP_OK);
	assert_int_equal(
	    cdop_checkpoint_open(note, &key, &checkpoint), CDOP_OK);
	d->note.data[d->note.len / 2] ^= 1;
	assert_int_not_equal(
	    cdop_checkpoint_open(note, &key, &checkpoint), CDOP_OK);
	d->note.data[d->note.len / 2] ^= 1;
}

static char labels[][8] = {"early", "weekly", "cut off", "after"};

/* As a start finds one: whole, with these epoch keys, or never taken whole. */
static void
add_backup(uint32_t number, uint64_t begun_ms, uint64_t ended_ms,
    const uint64_t *key, size_t n)
{
	struct cdop_manifest manifest = {.number = number, .n_epochs = n};
	Cdop__StoredBackup stored;
	struct cdop_bytes note;
	size_t i;

	manifest.epoch = cdop_arena_calloc(
	    w.arena, n + 1, sizeof(struct cdop_manifest_epoch));
	for (i = 0; i < n; i++) {
		manifest.epoch[i].id = key[i];
		(void)snprintf(manifest.epoch[i].scope,
		    sizeof(manifest.epoch[i].scope), "log");
	}
	cdop__stored_backup__init(&stored);
	stored.number = number;
	stored.label = labels[number - 1];
	stored.person = WORLD_ADMIN_1;
	stored.device = WORLD_ADMIN_1;
	stored.begun_ms = begun_ms;
	if (ended_ms != 0) {
		assert_int_equal(checkpoints_manifest(w.reg->checkpoints,
				     w.arena, &manifest, &note),
		    CDOP_OK);
		stored.has_ended_ms = true;
		stored.ended_ms = ended_ms;
		stored.has_manifest = true;
		stored.manifest.data = (uint8_t *)(uintptr_t)note.data;
		stored.manifest.len = note.len;
	}
	assert_int_equal(backups_load(w.reg->backups, 0, &stored), CDOP_OK);
}

static void
it_names_the_backups_and_claims_no_more(void **state)
{
	const uint64_t registered_ms =
	    index_at(cases_index(w.reg->cases), calls_slot(&w, gone))
		->registered_ms;
	const uint64_t earlier = 1, old = turning_newest(&w, "sefton");
	Cdop__CertificateGetReply *reply;
	uint64_t erased_ms;

	(void)state;
	/* Before there was a case; with it, under a key of long ago. */
	add_backup(1, registered_ms - 9, registered_ms - 5, &earlier, 1);
	add_backup(2, registered_ms + 1, registered_ms + 5, &earlier, 1);
	add_backup(3, registered_ms - 9, 0, NULL, 0);
	w.now_ms += 1000;
	erased_ms = w.now_ms;
	calls_erase(&w, gone);
	w.now_ms += 1000;
	/* Begun without the case, and the key was there still. */
	add_backup(4, erased_ms + 500, erased_ms + 600, &old, 1);
	reply = certificate(WORLD_AUDITOR, 0, CDOP_OK);
	assert_int_equal(reply->n_certificate, 1);
	assert_false(reply->certificate[0]->has_issued_ms);
	(void)turning_finish(&w, 8);

	reply = certificate(WORLD_AUDITOR, 1, CDOP_OK);
	expect_signed(reply);
	assert_string_equal(says(reply, "erased", 0), gone);
	assert_string_equal(says(reply, "ground", 0), "court_order");
	assert_non_null(strstr(says(reply, "backup", 0), "epoch after"));
	assert_non_null(strstr(says(reply, "backup", 1), "unknown cut off"));
	assert_non_null(strstr(says(reply, "backup", 2), "holds weekly"));
	assert_null(says(reply, "backup", 3));
	assert_int_equal(strtoull(says(reply, "destroyed", 0), NULL, 10), old);
	assert_non_null(says(reply, "census", 0));
	assert_int_equal(strncmp(says(reply, "outside", 0), "raw media", 9), 0);
	assert_int_equal(
	    strncmp(says(reply, "outside", 2), "the old root", 12), 0);
	/* No word of the child, nor of where it lived. */
	assert_null(memmem(reply->certificate[0]->note.data,
	    reply->certificate[0]->note.len, "sefton", 6));
}

/*
 * Restored from the first of two backups: the second one is forgotten, may
 * hold the case, and a certificate that says nothing of it would claim that
 * it does not.
 */
static void
what_a_restore_forgot_is_not_claimed(void **state)
{
	Cdop__CertificateGetReply *reply;
	const char *words;
	size_t i;

	(void)state;
	add_backup(1, w.now_ms + 1, 0, NULL, 0);
	world_begin(&w, 1u << 18, 16);
	assert_int_equal(rows_next_incarnation(w.rows), CDOP_OK);
	assert_int_equal(registry_commit(w.reg), CDOP_OK);
	w.now_ms += 1000;
	calls_erase(&w, gone);
	(void)turning_finish(&w, 8);
	reply = certificate(WORLD_AUDITOR, 1, CDOP_OK);
	assert_non_null(strstr(says(reply, "backup", 0), "unknown early"));
	for (i = 0; (words = says(reply, "outside", i)) != NULL; i++)
		if (strncmp(words, "lost: before incarnation 2", 26) == 0)
			return;
	fail_msg("the lost backups are passed over");
}

/* What was moved into it may be in any backup, and in the case it left. */
static void
what_came_from_another_case_is_said(void **state)
{
	const uint64_t registered_ms =
	    index_at(cases_index(w.reg->cases), calls_slot(&w, gone))
		->registered_ms;
	const uint64_t earlier = 1;
	struct calls_tell tell = {
	    .form = world_form(&w, 2, "sefton"), .n_decision = 1};
	Cdop__NotificationMoveRequest request;
	Cdop__CertificateGetReply *reply;
	size_t i = 0;

	(void)state;
	add_backup(1, registered_ms - 9, registered_ms - 5, &earlier, 1);
	w.now_ms += 1000;
	calls_erase(&w, third);
	/* One that is begun in that very moment has it, and the next not. */
	add_backup(2, w.now_ms, w.now_ms + 600, &earlier, 1);
	add_backup(3, w.now_ms + 1, w.now_ms + 600, &earlier, 1);
	(void)turning_finish(&w, 8);
	reply = certificate(WORLD_AUDITOR, 1, CDOP_OK);
	assert_non_null(strstr(says(reply, "backup", 0), "holds weekly"));
	assert_null(says(reply, "backup", 1));
	while (says(reply, "outside", i) != NULL)
		assert_null(
		    strstr(says(reply, "outside", i++), "cases it came from"));

	tell.decision[0] =
	    calls_decision(&w, other, CDOP__DECISION__JOIN, "the same");
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	cdop__notification_move_request__init(&request);
	request.reference = other;
	request.notification = 2;
	request.version = 2;
	request.to_reference = gone;
	request.reason = calls_text(&w, "another child");
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_NotificationMove,
	    &request.base, CDOP_OK);
	(void)ask_version(WORLD_COORDINATOR, gone, 2, CDOP_OK);
	(void)calls_approve(
	    &w, WORLD_CUSTODIAN, calls_waiting(&w, WORLD_CUSTODIAN), CDOP_OK);
	(void)turning_finish(&w, 8);
	reply = certificate(WORLD_AUDITOR, 2, CDOP_OK);
	assert_non_null(strstr(says(reply, "backup", 1), "holds early"));
	for (i = 0;
	     strstr(says(reply, "outside", i), "cases it came from") == NULL;
	     i++)
		;
}

/* Nothing about it waits for a second person any more. */
static void
what_waits_about_it_goes_with_it(void **state)
{
	const Cdop__Approval *a;

	(void)state;
	(void)ask(WORLD_COORDINATOR, gone, CDOP_OK);
	w.now_ms++; /* the list is in the order of time */
	(void)ask(WORLD_COORDINATOR, other, CDOP_OK);
	(void)ask(WORLD_COORDINATOR, gone, CDOP_OK);
	assert_int_equal(approvals_count(w.reg->approvals, w.now_ms), 3);
	a = calls_waiting(&w, WORLD_CUSTODIAN);
	assert_non_null(strstr(a->words[0], gone));
	(void)calls_approve(&w, WORLD_CUSTODIAN, a, CDOP_OK);
	assert_int_equal(approvals_count(w.reg->approvals, w.now_ms), 1);
	a = calls_waiting(&w, WORLD_CUSTODIAN);
	assert_non_null(strstr(a->words[0], other));
}

static void
coordinators_hear_of_their_cases_and_of_no_turn(void **state)
{
	Cdop__CertificateGetReply *reply;

	(void)state;
	(void)certificate(WORLD_AUDITOR, 1, CDOP_NOT_FOUND);
	(void)turning_begin(&w, "wirral");
	(void)turning_finish(&w, 8);
	reply = certificate(WORLD_AUDITOR, 1, CDOP_OK);
	expect_signed(reply);
	/* It counts the cases of every area. */
	assert_non_null(says(reply, "census", 0));
	(void)certificate(WORLD_COORDINATOR, 1, CDOP_NOT_FOUND);
	(void)certificate(WORLD_COORDINATOR_WIRRAL, 1, CDOP_NOT_FOUND);
	assert_null(says(reply, "erased", 0));
	assert_non_null(says(reply, "destroyed", 0));
	calls_erase(&w, gone);
	(void)turning_finish(&w, 8);
	(void)certificate(WORLD_COORDINATOR, 2, CDOP_OK);
	(void)certificate(WORLD_COORDINATOR_WIRRAL, 2, CDOP_NOT_FOUND);
	(void)certificate(WORLD_PARTNER_SEFTON, 2, CDOP_PERMISSION_DENIED);
	assert_int_equal(
	    certificate(WORLD_COORDINATOR, 0, CDOP_OK)->n_certificate, 1);
	assert_int_equal(
	    certificate(WORLD_COORDINATOR_WIRRAL, 0, CDOP_OK)->n_certificate,
	    0);
}

/* ---- killed -------------------------------------------------------------- */

static void
killed_at_any_step_it_ends_with_one_certificate(void **state)
{
	const struct certificates_entry *entry;
	size_t round, i;
	bool running = true;

	(void)state;
	calls_erase(&w, gone);
	for (round = 1; running; round++) {
		assert_true(round < 500);
		for (i = 0; i < round; i++)
			if (rotation_running(w.reg->rotation) != NULL)
				assert_int_equal(turning_pump(&w, 1), CDOP_OK);
		world_reopen(&w);
		running = rotation_running(w.reg->rotation) != NULL;
		assert_int_equal(certificates_count(w.reg->certificates), 1);
		entry = certificates_at(w.reg->certificates, 0);
		/* Never one before the copy is the store. */
		assert_int_equal(entry->issued, !running);
	}
	assert_true(round > 4);
	expect_signed(certificate(WORLD_CUSTODIAN, 1, CDOP_OK));
	turning_all_readable(&w);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(it_takes_one_who_reads_it_and_one_who_does_not),
	    TEST(a_case_on_hold_is_not_erased),
	    TEST(it_is_approved_without_a_reason),
	    TEST(one_rotation_at_a_time),
	    TEST(what_pointed_to_it_stands),
	    TEST(it_is_gone_before_and_after_a_start),
	    TEST(an_erasure_that_is_aborted_erases_nothing),
	    TEST(it_names_the_backups_and_claims_no_more),
	    TEST(what_a_restore_forgot_is_not_claimed),
	    TEST(what_came_from_another_case_is_said),
	    TEST(what_waits_about_it_goes_with_it),
	    TEST(coordinators_hear_of_their_cases_and_of_no_turn),
	    TEST(killed_at_any_step_it_ends_with_one_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
