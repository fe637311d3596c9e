/* A database against its anchor (threat T5). */
#include "server/registry/rollback.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/checkpoint.h"
#include "server/registry/checkpoints.h"
#include "server/registry/restored.h"
#include "server/registry/statements.h"
#include "server/registry/tree.h"
#include "server/vault/rows.h"
#include "tests/unit/server/registry/house.h"

static struct house_client clients[2];

struct kept {
	uint8_t note[CDOP_CHECKPOINT_NOTE_MAX];
	size_t len;
};

static struct kept
anchor_of(const struct house *house)
{
	struct cdop_bytes note = checkpoints_note(house->reg->checkpoints);
	struct kept kept = {.len = note.len};

	memcpy(kept.note, note.data, note.len);
	return kept;
}

static enum rollback
found(struct house *house, const struct kept *kept)
{
	enum rollback found;

	assert_int_equal(
	    rollback_check(
		house->reg, (struct cdop_bytes){kept->note, kept->len}, &found),
	    CDOP_OK);
	return found;
}

/* A checkpoint of this size and root, by whatever key. */
static struct kept
made_up(const struct house *house, uint16_t incarnation, uint64_t size)
{
	struct cdop_checkpoint checkpoint = {.size = size, .root = {1}};
	const uint8_t seed[32] = {7};
	struct cdop_note_signer signer;
	struct kept kept;

	cdop_checkpoint_origin(house->reg->id, incarnation, checkpoint.origin);
	assert_int_equal(cdop_note_signer_init(&signer, checkpoint.origin,
			     CDOP_NOTE_ED25519, seed),
	    CDOP_OK);
	assert_int_equal(
	    cdop_checkpoint_sign(&checkpoint, &signer, kept.note, &kept.len),
	    CDOP_OK);
	return kept;
}

static void
every_earlier_anchor_is_a_part_of_the_log(void **state)
{
	struct kept kept[20];
	struct house house;
	size_t i;

	(void)state;
	house_open(&house, 2, clients);
	for (i = 0; i < 20; i++) {
		kept[i] = anchor_of(&house);
		assert_true(house_session(&house, &clients[i % 2]));
	}
	house_reopen(&house);
	for (i = 0; i < 20; i++)
		assert_int_equal(found(&house, &kept[i]), ROLLBACK_NONE);
	house_end(&house);
}

static void
an_older_database_is_noticed(void **state)
{
	struct kept later;
	struct house house;

	(void)state;
	house_open(&house, 2, clients);
	later = made_up(&house, 1, tree_size(house.reg->tree) + 1);
	assert_int_equal(found(&house, &later), ROLLBACK_OLDER);
	later = made_up(&house, 2, 1);
	assert_int_equal(found(&house, &later), ROLLBACK_OLDER);
	house_end(&house);
}

static void
another_log_of_the_same_length_is_noticed(void **state)
{
	struct kept other;
	struct house house;
	uint64_t size;

	(void)state;
	house_open(&house, 2, clients);
	for (size = 1; size <= tree_size(house.reg->tree); size++) {
		other = made_up(&house, 1, size);
		assert_int_equal(found(&house, &other), ROLLBACK_FORKED);
	}
	house_end(&house);
}

static void
what_is_no_anchor_of_ours_is_said_to_be_none(void **state)
{
	struct kept kept;
	struct house house;

	(void)state;
	house_open(&house, 2, clients);
	kept = anchor_of(&house);
	kept.note[0] = kept.note[0] == '0' ? '1' : '0'; /* another registry */
	assert_int_equal(found(&house, &kept), ROLLBACK_FOREIGN);
	kept.len = 0;
	assert_int_equal(found(&house, &kept), ROLLBACK_FOREIGN);
	house_end(&house);
}

/* Marked on the host, it is no older database any more. */
static void
what_was_accepted_passes_its_anchor(void **state)
{
	struct kept later;
	struct house house;
	const char *why;

	(void)state;
	house_open(&house, 2, clients);
	later = made_up(&house, 1, 4711);
	{
		const struct restored_mark_args args = {
		    .lost = {later.note, later.len},
		    .by = "Olga Operator",
		    .reason = "the disk died",
		    .now_ms = house.now_ms,
		};

		assert_int_equal(
		    restored_mark(house.reg, house.arena, &args, &why),
		    CDOP_OK);
	}
	assert_int_equal(found(&house, &later), ROLLBACK_NONE);
	house_end(&house);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_earlier_anchor_is_a_part_of_the_log),
	    cmocka_unit_test(an_older_database_is_noticed),
	    cmocka_unit_test(another_log_of_the_same_length_is_noticed),
	    cmocka_unit_test(what_is_no_anchor_of_ours_is_said_to_be_none),
	    cmocka_unit_test(what_was_accepted_passes_its_anchor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
