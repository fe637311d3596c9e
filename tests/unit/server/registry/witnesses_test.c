/* Cosignatures: whose is taken, which is kept, what is no part of the log. */
#include "server/registry/witnesses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/checkpoint.h"
#include "server/registry/actor.h"
#include "server/registry/checkpoints.h"
#include "server/registry/tree.h"
#include "tests/unit/server/registry/house.h"

static struct house_client clients[2];

struct signed_note {
	uint8_t note[2 * CDOP_CHECKPOINT_NOTE_MAX];
	size_t len;
	char vkey[CDOP_NOTE_VKEY_MAX];
};

static void
make_witness(struct cdop_note_signer *signer, enum cdop_note_type type)
{
	const uint8_t seed[32] = {42};

	assert_int_equal(
	    cdop_note_signer_init(signer, "witness.example/ada", type, seed),
	    CDOP_OK);
}

/* note, co-signed at this time. */
static void
cosign(struct cdop_bytes note, uint64_t time_s, struct signed_note *out)
{
	struct cdop_note_signer signer;

	make_witness(&signer, CDOP_NOTE_COSIGNATURE);
	assert_int_equal(cdop_note_add(note, &signer, time_s, out->note,
			     sizeof(out->note), &out->len),
	    CDOP_OK);
	cdop_note_key_write(&signer.key, out->vkey);
}

static enum cdop_err
take(struct house *house, uint32_t person, const struct signed_note *note,
    struct witness *kept, enum witnesses_fault *fault)
{
	const struct actor actor = {.person = person, .device = person};
	const struct witnesses_sent sent = {
	    .actor = &actor,
	    .note = {note->note, note->len},
	    .vkey = note->vkey,
	    .now_ms = house->now_ms,
	};
	enum cdop_err err;

	house_begin(house);
	err = witnesses_take(
	    house->reg->witnesses, house->arena, &sent, kept, fault);
	if (err == CDOP_OK)
		house_commit(house);
	else
		house_abort(house);
	return err;
}

static void
the_newest_of_each_person_is_kept(void **state)
{
	enum witnesses_fault fault;
	struct signed_note first, second;
	struct witness kept;
	struct house house;
	uint64_t now_s;

	(void)state;
	house_open(&house, 2, clients);
	now_s = house.now_ms / 1000;
	assert_int_equal(witnesses_newest(house.reg->witnesses).person, 0);
	cosign(checkpoints_note(house.reg->checkpoints), now_s, &first);
	assert_true(house_session(&house, &clients[0]));
	cosign(checkpoints_note(house.reg->checkpoints), now_s + 5, &second);
	assert_int_equal(take(&house, 1, &second, &kept, &fault), CDOP_OK);
	assert_int_equal(kept.time_s, now_s + 5);
	/* An older one changes nothing, and another person's stands beside. */
	assert_int_equal(take(&house, 1, &first, &kept, &fault), CDOP_OK);
	assert_int_equal(kept.time_s, now_s + 5);
	assert_int_equal(take(&house, 2, &first, &kept, &fault), CDOP_OK);
	assert_int_equal(kept.time_s, now_s);
	house_reopen(&house);
	assert_int_equal(witnesses_newest(house.reg->witnesses).person, 1);
	assert_int_equal(witnesses_of(house.reg->witnesses, 2).time_s, now_s);
	house_end(&house);
}

/* Who signed once, and is perhaps long gone, keeps out nobody who signs now. */
static void
whoever_signs_now_has_a_place(void **state)
{
	enum witnesses_fault fault;
	struct signed_note sent;
	struct witness kept;
	struct house house;
	uint64_t now_s;
	uint32_t i;

	(void)state;
	house_open(&house, 2, clients);
	now_s = house.now_ms / 1000;
	for (i = 1; i <= WITNESSES_MAX + 1; i++) {
		/* Number 3 signed longest ago. */
		cosign(checkpoints_note(house.reg->checkpoints),
		    now_s + (i == 3 ? 0 : i), &sent);
		assert_int_equal(
		    take(&house, i, &sent, &kept, &fault), CDOP_OK);
		assert_int_equal(kept.person, i);
	}
	house_reopen(&house);
	assert_int_equal(witnesses_of(house.reg->witnesses, 3).person, 0);
	for (i = 1; i <= WITNESSES_MAX + 1; i++)
		if (i != 3)
			assert_int_equal(
			    witnesses_of(house.reg->witnesses, i).time_s,
			    now_s + i);
	house_end(&house);
}

static void
what_is_not_signed_or_not_ours_is_refused(void **state)
{
	enum witnesses_fault fault;
	struct signed_note sent, other;
	struct cdop_note_signer log_key;
	struct witness kept;
	struct house house;
	uint64_t now_s;

	(void)state;
	house_open(&house, 2, clients);
	now_s = house.now_ms / 1000;
	cosign(checkpoints_note(house.reg->checkpoints), now_s, &sent);
	/* A key that signs logs is no witness's. */
	other = sent;
	make_witness(&log_key, CDOP_NOTE_ED25519);
	cdop_note_key_write(&log_key.key, other.vkey);
	assert_int_equal(
	    take(&house, 1, &other, &kept, &fault), CDOP_INVALID_ARGUMENT);
	assert_int_equal(fault, WITNESSES_NO_KEY);
	/* Not co-signed at all. */
	other = sent;
	other.len = checkpoints_note(house.reg->checkpoints).len;
	assert_int_equal(
	    take(&house, 1, &other, &kept, &fault), CDOP_INVALID_ARGUMENT);
	assert_int_equal(fault, WITNESSES_NO_KEY);
	/* Another registry's. */
	other = sent;
	other.note[0] = other.note[0] == '0' ? '1' : '0';
	assert_int_equal(
	    take(&house, 1, &other, &kept, &fault), CDOP_INVALID_ARGUMENT);
	assert_int_equal(fault, WITNESSES_NO_NOTE);
	cosign(checkpoints_note(house.reg->checkpoints), now_s + 90000, &other);
	assert_int_equal(
	    take(&house, 1, &other, &kept, &fault), CDOP_INVALID_ARGUMENT);
	assert_int_equal(fault, WITNESSES_AHEAD);
	assert_int_equal(witnesses_newest(house.reg->witnesses).person, 0);
	house_end(&house);
}

static void
a_checkpoint_of_another_log_is_evidence(void **state)
{
	const uint8_t seed[32] = {7};
	struct cdop_checkpoint forked = {.root = {1}};
	uint8_t note[CDOP_CHECKPOINT_NOTE_MAX];
	struct cdop_note_signer log;
	enum witnesses_fault fault;
	struct signed_note sent;
	struct witness kept;
	struct house house;
	size_t len;

	(void)state;
	house_open(&house, 2, clients);
	forked.size = tree_size(house.reg->tree);
	cdop_checkpoint_origin(house.reg->id, 1, forked.origin);
	assert_int_equal(
	    cdop_note_signer_init(&log, forked.origin, CDOP_NOTE_ED25519, seed),
	    CDOP_OK);
	assert_int_equal(
	    cdop_checkpoint_sign(&forked, &log, note, &len), CDOP_OK);
	cosign((struct cdop_bytes){note, len}, house.now_ms / 1000, &sent);
	assert_int_equal(
	    take(&house, 1, &sent, &kept, &fault), CDOP_FAILED_PRECONDITION);
	assert_int_equal(fault, WITNESSES_FORKED);
	house_end(&house);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_newest_of_each_person_is_kept),
	    cmocka_unit_test(whoever_signs_now_has_a_place),
	    cmocka_unit_test(what_is_not_signed_or_not_ours_is_refused),
	    cmocka_unit_test(a_checkpoint_of_another_log_is_evidence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
