/* What init leaves, and what a recovery of people does (RECORDS M9). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/profile.h"
#include "cdop/role.h"
#include "server/registry/audit.h"
#include "server/registry/audit_said.h"
#include "server/registry/checkpoints.h"
#include "server/registry/restored.h"
#include "server/registry/statements.h"
#include "server/vault/keystore.h"
#include "server/vault/rows.h"
#include "tests/unit/server/registry/house.h"

static enum cdop_err
recover(struct house *house, size_t n, const char *one, const char *two,
    struct setup_result *result)
{
	const struct setup_args args = {
	    .admin = {"Eve New", "Fay New"},
	    .n_admin = n,
	    .by = {one, two},
	    .reason = "both have left",
	    .now_ms = house->now_ms,
	};

	return setup_recover(house->reg, house->arena, &args, result);
}

static void
init_leaves_setup_with_keys_and_a_leaf(void **state)
{
	struct house house;
	uint64_t key;
	size_t i;

	(void)state;
	house_make(&house, 2);
	house_reopen(&house);
	assert_int_equal(house.reg->state, CDOP_STATE_SETUP);
	assert_int_equal(house.reg->mode, REGISTRY_TRAINING);
	assert_int_equal(house.reg->profile_version, 1);
	assert_int_equal(audit_size(house.reg->audit), 1);
	assert_int_equal(people_last_person(house.reg->people), 2);
	assert_int_equal(people_n_invitations(house.reg->people), 2);
	for (i = 0; i < house.reg->profile->n_area; i++)
		assert_true(keystore_epoch(house.ks, SCHEMA_AREA,
		    house.reg->profile->area[i].id, &key));
	house_end(&house);
}

/* Damage is what verify is for; here is nothing to look at. */
static void
an_init_that_was_cut_off_is_called_so(void **state)
{
	struct house house;
	const char *why = "";

	(void)state;
	house_bare(&house);
	assert_int_equal(house_load(&house, &why), CDOP_NOT_FOUND);
	assert_non_null(strstr(why, "init was cut off"));
	house_end(&house);
}

static void
init_needs_two_different_names(void **state)
{
	struct setup_args args = {
	    .mode = REGISTRY_LIVE, .admin = {"Ada", "Ada"}, .n_admin = 2};
	struct setup_result result;
	struct house house;

	(void)state;
	house_make(&house, 2);
	/* There is one already. */
	assert_int_equal(setup_found(house.reg, house.arena, &args, &result),
	    CDOP_FAILED_PRECONDITION);
	house.reg->config_row = 0;
	assert_int_equal(setup_found(house.reg, house.arena, &args, &result),
	    CDOP_INVALID_ARGUMENT);
	args.n_admin = 1;
	assert_int_equal(setup_found(house.reg, house.arena, &args, &result),
	    CDOP_INVALID_ARGUMENT);
	assert_non_null(result.why);
	house_end(&house);
}

static bool
take_said(void *ctx, const struct audit_leaf *leaf)
{
	struct house *house = ctx;
	struct audit_said said;

	if (leaf->stored->words->call != AUDIT_EVENT_RECOVERED)
		return true;
	assert_int_equal(
	    audit_said_read(house->rows, house->arena, leaf, &said), CDOP_OK);
	assert_string_equal(
	    said.reason, "Ada One and The Director: both have left");
	house->now_ms = leaf->stored->words->at_ms;
	return false;
}

/* Who did it and why is in the log for its auditor, too. */
static void
recovery_is_in_the_log_with_both_names_and_why(void **state)
{
	struct house_client clients[2];
	struct setup_result result;
	struct house house;
	uint64_t cursor = 0;

	(void)state;
	house_open(&house, 2, clients);
	assert_int_equal(house_suspend(&house, 1, 2, 0), CDOP_OK);
	assert_int_equal(
	    recover(&house, 2, "Ada One", "The Director", &result), CDOP_OK);
	house_reopen(&house);
	house.now_ms = 0;
	assert_int_equal(audit_walk(house.reg->audit, house.arena, &cursor, 100,
			     take_said, &house),
	    CDOP_OK);
	assert_int_not_equal(house.now_ms, 0);
	house_end(&house);
}

static void
recovery_is_a_new_incarnation_that_everybody_sees(void **state)
{
	struct house_client clients[2], eve, fay;
	char origin[CDOP_CHECKPOINT_ORIGIN_MAX];
	struct cdop_statement statement;
	struct setup_result result;
	struct cdop_note_key key;
	uint8_t invitation[2][16];
	struct house house;
	char string[20];

	(void)state;
	house_open(&house, 2, clients);
	assert_int_equal(house_suspend(&house, 1, 2, 0), CDOP_OK);
	assert_int_equal(rows_incarnation(house.rows), 1);
	cdop_checkpoint_origin(house.reg->id, 1, origin);
	assert_int_equal(cdop_note_key_init(&key, origin, CDOP_NOTE_ED25519,
			     checkpoints_key(house.reg->checkpoints)),
	    CDOP_OK);
	assert_int_equal(
	    recover(&house, 2, "Ada One", "The Director", &result), CDOP_OK);
	memcpy(invitation[0], result.invitation[0]->invitation_id, 16);
	memcpy(invitation[1], result.invitation[1]->invitation_id, 16);
	house_reopen(&house);
	assert_int_equal(rows_incarnation(house.rows), 2);
	assert_int_equal(house.reg->state, CDOP_STATE_SETUP);
	assert_int_equal(house.reg->n_notice, 1);
	assert_non_null(strstr(house.reg->notice[0], "The Director"));
	assert_non_null(strstr(house.reg->notice[0], "both have left"));
	/* And a statement leads from the key they hold to the new one. */
	assert_int_equal(house.reg->statements->n, 1);
	assert_int_equal(cdop_statement_open(house.reg->statements->note[0],
			     house.reg->id, &key, &statement),
	    CDOP_OK);
	assert_int_equal(statement.kind, CDOP_STATEMENT_RECOVER);
	assert_memory_equal(
	    statement.key.public, checkpoints_key(house.reg->checkpoints), 32);

	/* The new ones activate each other, as after init. */
	house_client(&house, &eve, 3, invitation[0]);
	house_client(&house, &fay, 4, invitation[1]);
	assert_int_equal(
	    house_enrol(&house, &eve, invitation[0], false), CDOP_OK);
	assert_int_equal(
	    house_enrol(&house, &fay, invitation[1], false), CDOP_OK);
	house_string(&fay, string);
	house_begin(&house);
	house_act(&house, 3, 3)->pending = true;
	assert_int_equal(
	    people_enrol_activate(&house.act, 4, string, &(bool){false}),
	    CDOP_OK);
	house_commit(&house);
	house_string(&eve, string);
	house_begin(&house);
	house_act(&house, 4, 4)->pending = true;
	assert_int_equal(
	    people_enrol_activate(&house.act, 3, string, &(bool){false}),
	    CDOP_OK);
	house_commit(&house);
	house_reopen(&house);
	assert_int_equal(house.reg->state, CDOP_STATE_OPEN);
	assert_true(house_session(&house, &clients[0]));
	assert_true(house_session(&house, &eve));
	assert_false(house_session(&house, &clients[1]));
	house_end(&house);
}

/*
 * There may be no two administrators who could accept what was restored: then
 * those who recover it do, and the statement is of that.
 */
static void
recovery_accepts_a_restore_that_waits(void **state)
{
	struct restored_mark_args mark = {
	    .by = "Olga Operator",
	    .reason = "the disk died",
	};
	struct house_client clients[2];
	char origin[CDOP_CHECKPOINT_ORIGIN_MAX];
	struct cdop_statement statement;
	struct restored_view view;
	struct setup_result result;
	struct cdop_note_key key;
	struct house house;
	const char *why;
	uint64_t from;

	(void)state;
	house_open(&house, 2, clients);
	cdop_checkpoint_origin(house.reg->id, 1, origin);
	assert_int_equal(cdop_note_key_init(&key, origin, CDOP_NOTE_ED25519,
			     checkpoints_key(house.reg->checkpoints)),
	    CDOP_OK);
	from = audit_size(house.reg->audit);
	mark.now_ms = house.now_ms;
	assert_int_equal(
	    restored_mark(house.reg, house.arena, &mark, &why), CDOP_OK);
	house_reopen(&house);
	assert_int_equal(house.reg->state, CDOP_STATE_RESTORED);
	assert_int_equal(
	    recover(&house, 2, "Ada One", "The Director", &result), CDOP_OK);
	house_reopen(&house);
	assert_int_equal(rows_incarnation(house.rows), 3);
	assert_int_equal(house.reg->state, CDOP_STATE_SETUP);
	assert_int_equal(restored_view(house.reg, house.arena, &view),
	    CDOP_FAILED_PRECONDITION);
	assert_int_equal(house.reg->statements->n, 1);
	assert_int_equal(cdop_statement_open(house.reg->statements->note[0],
			     house.reg->id, &key, &statement),
	    CDOP_OK);
	assert_int_equal(statement.kind, CDOP_STATEMENT_RESTORE);
	assert_int_equal(statement.from.size, from);
	house_end(&house);
}

/* The one who is left is the second person for the new one. */
static void
an_administrator_who_is_left_activates_the_new_one(void **state)
{
	struct house_client clients[2], eve;
	struct setup_result result;
	uint8_t invitation[16];
	struct house house;
	char string[20];

	(void)state;
	house_open(&house, 2, clients);
	assert_int_equal(house_suspend(&house, 1, 2, 0), CDOP_OK);
	assert_int_equal(
	    recover(&house, 1, "Ada One", "The Director", &result), CDOP_OK);
	memcpy(invitation, result.invitation[0]->invitation_id, 16);
	house_client(&house, &eve, 3, invitation);
	assert_int_equal(house_enrol(&house, &eve, invitation, false), CDOP_OK);
	house_string(&eve, string);
	assert_int_equal(house_activate(&house, 1, false, 3, string), CDOP_OK);
	assert_int_equal(house.reg->state, CDOP_STATE_OPEN);
	house_end(&house);
}

/*
 * An invitation of init was intercepted: one new one is enough, beside the
 * administrator who still waits.  With nobody who waits it takes two.
 */
static void
in_setup_one_new_one_joins_the_one_who_waits(void **state)
{
	struct house_client thief, ada, bob, eve;
	struct setup_result result;
	uint8_t invitation[16];
	struct house house;
	char string[20];

	(void)state;
	house_make(&house, 2);
	house_client(&house, &thief, 8, house.invitation[0]);
	house_client(&house, &ada, 1, house.invitation[0]);
	house_client(&house, &bob, 2, house.invitation[1]);
	assert_int_equal(
	    house_enrol(&house, &thief, house.invitation[0], false), CDOP_OK);
	assert_int_equal(house_enrol(&house, &ada, house.invitation[0], false),
	    CDOP_FAILED_PRECONDITION);
	assert_int_equal(
	    people_enrol_founders(house.reg->people, house.now_ms), 1);
	assert_int_equal(people_enrol_founders(house.reg->people,
			     house.now_ms + 3 * HOUSE_DAY_MS),
	    0);
	assert_int_equal(
	    house_enrol(&house, &bob, house.invitation[1], false), CDOP_OK);
	house.now_ms += 4 * HOUSE_DAY_MS; /* a device waits longer */
	assert_int_equal(
	    recover(&house, 1, "Ada One", "The Director", &result), CDOP_OK);
	memcpy(invitation, result.invitation[0]->invitation_id, 16);
	house_reopen(&house);
	house_client(&house, &eve, 3, invitation);
	assert_int_equal(house_enrol(&house, &eve, invitation, false), CDOP_OK);

	/* The thief is let in by nothing, and nobody activates with his help.
	 */
	assert_false(house_session(&house, &thief));
	house_string(&bob, string);
	assert_int_equal(
	    house_activate(&house, 1, true, 2, string), CDOP_PERMISSION_DENIED);
	house_begin(&house);
	house_act(&house, 3, 3)->pending = true;
	assert_int_equal(
	    people_enrol_activate(&house.act, 2, string, &(bool){false}),
	    CDOP_OK);
	house_commit(&house);
	house_string(&eve, string);
	assert_int_equal(house_activate(&house, 2, true, 3, string), CDOP_OK);
	assert_int_equal(house.reg->state, CDOP_STATE_OPEN);
	assert_true(house_session(&house, &bob));
	assert_true(house_session(&house, &eve));
	assert_false(house_session(&house, &thief));
	house_end(&house);
}

static void
in_setup_with_nobody_who_waits_it_takes_two(void **state)
{
	struct setup_result result;
	struct house house;

	(void)state;
	house_make(&house, 2);
	house.now_ms += 3 * HOUSE_DAY_MS; /* both invitations have ended */
	assert_int_equal(
	    recover(&house, 1, "Ada", "Bo", &result), CDOP_INVALID_ARGUMENT);
	assert_int_equal(recover(&house, 2, "Ada", "Bo", &result), CDOP_OK);
	house_end(&house);
}

static void
recovery_wants_two_persons_and_enough_administrators(void **state)
{
	struct house_client clients[2];
	struct setup_result result;
	struct house house;

	(void)state;
	house_open(&house, 2, clients);
	assert_int_equal(
	    recover(&house, 2, "Ada", "Ada", &result), CDOP_INVALID_ARGUMENT);
	assert_int_equal(
	    recover(&house, 2, "Ada", "", &result), CDOP_INVALID_ARGUMENT);
	assert_int_equal(
	    recover(&house, 0, "Ada", "Bo", &result), CDOP_INVALID_ARGUMENT);
	assert_int_equal(house_suspend(&house, 1, 2, 0), CDOP_OK);
	assert_int_equal(house_suspend(&house, 1, 1, 0), CDOP_OK);
	assert_int_equal(
	    recover(&house, 1, "Ada", "Bo", &result), CDOP_INVALID_ARGUMENT);
	assert_int_equal(rows_incarnation(house.rows), 1);
	house_reopen(&house);
	assert_int_equal(house.reg->state, CDOP_STATE_OPEN);
	house_end(&house);
}

/* Numbers of the new incarnation, in many batches and over directories. */
static void
the_store_goes_on_after_a_recovery(void **state)
{
	struct house_client clients[2];
	struct setup_result result;
	struct house house;
	unsigned i;

	(void)state;
	house_open(&house, 2, clients);
	assert_int_equal(
	    recover(&house, 1, "Ada One", "The Director", &result), CDOP_OK);
	for (i = 0; i < 1500; i++) {
		assert_int_equal(
		    house_turn(&house, &clients[0], false), CDOP_OK);
		assert_true(house_session(&house, &clients[0]));
		cdop_arena_reset(house.arena);
	}
	house_reopen(&house);
	assert_int_equal(
	    recover(&house, 1, "Ada One", "The Director", &result), CDOP_OK);
	house_reopen(&house);
	assert_int_equal(rows_incarnation(house.rows), 3);
	assert_true(house_session(&house, &clients[0]));
	house_end(&house);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(init_leaves_setup_with_keys_and_a_leaf),
	    cmocka_unit_test(an_init_that_was_cut_off_is_called_so),
	    cmocka_unit_test(init_needs_two_different_names),
	    cmocka_unit_test(recovery_is_a_new_incarnation_that_everybody_sees),
	    cmocka_unit_test(recovery_is_in_the_log_with_both_names_and_why),
	    cmocka_unit_test(recovery_accepts_a_restore_that_waits),
	    cmocka_unit_test(in_setup_one_new_one_joins_the_one_who_waits),
	    cmocka_unit_test(in_setup_with_nobody_who_waits_it_takes_two),
	    cmocka_unit_test(
		an_administrator_who_is_left_activates_the_new_one),
	    cmocka_unit_test(
		recovery_wants_two_persons_and_enough_administrators),
	    cmocka_unit_test(the_store_goes_on_after_a_recovery),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
