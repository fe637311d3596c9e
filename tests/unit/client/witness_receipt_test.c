/* A log that is held against the receipts of the sessions before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "client/witness.h"

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "cdop/logproof.h"
#include "client/file.h"
#include "client/receipt.h"
#include "tests/unit/client/seen_log.h"

static struct log the_log;

/* A receipt that is kept, of a log that had so many leaves. */
static struct cdop_bytes
keep_receipt(struct fixture *f, struct log *log, uint64_t size)
{
	struct cdop_logproof *proof;
	ProtobufCBinaryData note;
	struct cdop_bytes text;
	const char *dir, *path;
	uint8_t *out;

	proof = cdop_arena_alloc(f->ctx.arena, sizeof(*proof));
	memset(proof, 0, sizeof(*proof));
	log_sign(f, log, size, &note);
	proof->extra_len = 256;
	proof->index = size - 1;
	proof->checkpoint = (struct cdop_bytes){note.data, note.len};
	out = cdop_arena_alloc(f->ctx.arena, 4096);
	assert_int_equal(
	    cdop_logproof_write(proof, out, 4096, &text.len), CDOP_OK);
	text.data = out;
	dir = cdop_arena_printf(
	    f->ctx.arena, "%s/receipts", f->session.context.state);
	path = cdop_arena_printf(f->ctx.arena, "%s/%05u-%015u.tlog-proof", dir,
	    log->incarnation, (unsigned)size - 1);
	assert_int_equal(file_make_dir(dir), CDOP_OK);
	assert_int_equal(file_put(path, &text, 1), CDOP_OK);
	return proof->checkpoint;
}

/* A receipt is newer than the Welcome of its session. */
static void
the_log_goes_on_from_the_newest_receipt(void **state)
{
	struct fixture *f = *state;
	bool again;

	log_make(f, &the_log, 1);
	log_enrol(f, &the_log, 3);
	assert_int_equal(log_meet(f, &the_log, 10), EXIT_OK);
	(void)keep_receipt(f, &the_log, 12);
	(void)keep_receipt(f, &the_log, 14);
	assert_int_equal(witness_load(&f->ctx), EXIT_OK);
	assert_true(f->session.witness->has_receipt);
	assert_int_equal(f->session.witness->receipt.size, 14);
	/* The proof has to be there. */
	log_connect(f, &the_log, 20);
	f->session.welcome->n_receipt_consistency = 0;
	assert_int_equal(witness_check(&f->ctx, &again), EXIT_INTEGRITY);
	log_reason_is(f, "log_forked");
	assert_int_equal(log_meet(f, &the_log, 20), EXIT_OK);
	/* What was seen since is more than it says. */
	assert_int_equal(witness_load(&f->ctx), EXIT_OK);
	assert_false(f->session.witness->has_receipt);
	(void)keep_receipt(f, &the_log, 25);
	assert_int_equal(log_meet(f, &the_log, 24), EXIT_INTEGRITY);
	assert_int_equal(log_meet(f, &the_log, 25), EXIT_OK);
	assert_int_equal(log_kept(f, ".theirs"), 2);
}

/* Both logs go on from what was seen: the receipt alone tells them apart. */
static void
a_receipt_of_another_log_is_found_out(void **state)
{
	static struct log other;
	struct fixture *f = *state;
	const char **names, *path;
	struct cdop_bytes note, mine;
	size_t n;

	log_make(f, &the_log, 1);
	log_make(f, &other, 1);
	memset(other.leaf[10], 0xee, CDOP_MERKLE_HASH);
	log_enrol(f, &the_log, 3);
	assert_int_equal(log_meet(f, &the_log, 10), EXIT_OK);
	note = keep_receipt(f, &other, 14);
	assert_int_equal(log_meet(f, &the_log, 14), EXIT_INTEGRITY);
	assert_int_equal(log_meet(f, &the_log, 20), EXIT_INTEGRITY);
	log_reason_is(f, "log_forked");
	/* What it says is the evidence, beside what is shown now. */
	assert_int_equal(witness_kept(&f->ctx, ".mine", &names, &n), EXIT_OK);
	assert_int_equal(n, 2);
	path = cdop_arena_printf(
	    f->ctx.arena, "%s/log/%s", f->session.context.state, names[0]);
	assert_int_equal(file_read(path, 4096, f->ctx.arena, &mine), CDOP_OK);
	assert_int_equal(mine.len, note.len);
	assert_memory_equal(mine.data, note.data, note.len);
	assert_int_equal(log_meet(f, &other, 20), EXIT_OK);
}

/* Of a key that is not the log's, or of one that a restore has ended. */
static void
a_receipt_of_another_key_says_nothing(void **state)
{
	static struct log other;
	struct fixture *f = *state;

	log_make(f, &the_log, 1);
	log_make(f, &other, 9);
	log_sign_as(f, &other, 0x99, 1, &other.signer);
	log_enrol(f, &the_log, 3);
	assert_int_equal(log_meet(f, &the_log, 10), EXIT_OK);
	(void)keep_receipt(f, &other, 14);
	assert_int_equal(log_meet(f, &the_log, 12), EXIT_OK);
	(void)keep_receipt(f, &the_log, 15);
	log_go_on(f, &the_log, CDOP_STATEMENT_RESTORE, 12, 0x61);
	assert_int_equal(log_meet(f, &the_log, 14), EXIT_INTEGRITY);
	log_reason_is(f, "log_restored");
	assert_int_equal(witness_accept(&f->ctx), EXIT_OK);
	assert_int_equal(log_meet(f, &the_log, 14), EXIT_OK);
}

/* Behind where it goes on from; and all of a restore that is taken back. */
static void
receipts_of_what_is_lost_are_counted(void **state)
{
	struct fixture *f = *state;
	struct cdop_statement s;

	log_make(f, &the_log, 1);
	log_enrol(f, &the_log, 3);
	(void)keep_receipt(f, &the_log, 10);
	(void)keep_receipt(f, &the_log, 11);
	(void)keep_receipt(f, &the_log, 14);
	memset(&s, 0, sizeof(s));
	memcpy(s.registry, f->session.identity.open->registry_id.data, 16);
	log_checkpoint(&the_log, 10, &s.from);
	assert_int_equal(receipt_lost(&f->ctx, &s), 2);
	log_sign_as(f, &the_log, 0x61, 2, &the_log.signer);
	(void)keep_receipt(f, &the_log, 8);
	assert_int_equal(receipt_lost(&f->ctx, &s), 3);
	log_checkpoint(&the_log, 7, &s.from);
	assert_int_equal(receipt_lost(&f->ctx, &s), 1);
	log_checkpoint(&the_log, 8, &s.from);
	assert_int_equal(receipt_lost(&f->ctx, &s), 0);
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(the_log_goes_on_from_the_newest_receipt),
	    WITH(a_receipt_of_another_log_is_found_out),
	    WITH(a_receipt_of_another_key_says_nothing),
	    WITH(receipts_of_what_is_lost_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
