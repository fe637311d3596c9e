/* A log that is held against what was seen of it, session after session. */
#include "client/witness.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "client/call.h"
#include "client/file.h"
#include "tests/unit/client/seen_log.h"

static struct log the_log;

/* ---- growth ---------------------------------------------------------------
 */

static void
a_log_that_grows_is_followed(void **state)
{
	struct fixture *f = *state;

	log_make(f, &the_log, 1);
	log_enrol(f, &the_log, 3);
	assert_int_equal(log_meet(f, &the_log, 3), EXIT_OK);
	assert_int_equal(log_meet(f, &the_log, 20), EXIT_OK);
	assert_int_equal(log_meet(f, &the_log, 21), EXIT_OK);
	assert_int_equal(f->session.witness->seen.size, 21);
	assert_int_equal(log_kept(f, ".mine"), 0);
}

static void
a_log_that_is_shorter_was_rolled_back(void **state)
{
	struct fixture *f = *state;

	log_make(f, &the_log, 1);
	log_enrol(f, &the_log, 3);
	assert_int_equal(log_meet(f, &the_log, 20), EXIT_OK);
	assert_int_equal(log_meet(f, &the_log, 19), EXIT_INTEGRITY);
	log_reason_is(f, "log_forked");
	assert_int_equal(log_kept(f, ".mine"), 1);
	assert_int_equal(log_kept(f, ".theirs"), 1);
	/* Again: the same evidence once.  What was seen stays seen. */
	assert_int_equal(log_meet(f, &the_log, 19), EXIT_INTEGRITY);
	assert_int_equal(log_kept(f, ".mine"), 1);
	assert_int_equal(log_meet(f, &the_log, 20), EXIT_OK);
}

static void
who_shows_no_log_enrols_nobody(void **state)
{
	struct fixture *f = *state;
	Cdop__EnrolReply reply;

	log_make(f, &the_log, 1);
	log_enrolled(f, &the_log, 3, &reply);
	reply.has_checkpoint_key = false;
	assert_int_equal(witness_pin(&f->ctx, &reply), EXIT_INTEGRITY);
	log_reason_is(f, "log_forked");
	log_enrolled(f, &the_log, 3, &reply);
	reply.checkpoint_key.len--;
	assert_int_equal(witness_pin(&f->ctx, &reply), EXIT_INTEGRITY);
	log_enrolled(f, &the_log, 3, &reply);
	f->session.welcome->has_checkpoint = false;
	assert_int_equal(witness_pin(&f->ctx, &reply), EXIT_INTEGRITY);
	log_enrolled(f, &the_log, 3, &reply);
	assert_int_equal(witness_pin(&f->ctx, &reply), EXIT_OK);
}

static void
another_log_is_a_fork_whatever_its_length(void **state)
{
	static struct log other;
	struct fixture *f = *state;
	uint64_t size;

	log_make(f, &the_log, 1);
	log_make(f, &other, 1);
	memset(other.leaf[10], 0xee, CDOP_MERKLE_HASH);
	log_enrol(f, &the_log, 3);
	assert_int_equal(log_meet(f, &the_log, 12), EXIT_OK);
	for (size = 12; size < 40; size++) {
		assert_int_equal(log_meet(f, &other, size), EXIT_INTEGRITY);
		log_reason_is(f, "log_forked");
	}
	assert_int_equal(log_kept(f, ".theirs"), 28);
	assert_int_equal(log_meet(f, &the_log, 40), EXIT_OK);
}

static void
a_proof_that_is_missing_is_a_fork(void **state)
{
	struct fixture *f = *state;
	bool again;

	log_make(f, &the_log, 1);
	log_enrol(f, &the_log, 3);
	assert_int_equal(witness_load(&f->ctx), EXIT_OK);
	log_connect(f, &the_log, 9);
	f->session.welcome->n_consistency = 0;
	assert_int_equal(witness_check(&f->ctx, &again), EXIT_INTEGRITY);
	assert_int_equal(witness_load(&f->ctx), EXIT_OK);
	log_connect(f, &the_log, 9);
	f->session.welcome->consistency[0].data[0] ^= 1;
	assert_int_equal(witness_check(&f->ctx, &again), EXIT_INTEGRITY);
	assert_int_equal(witness_load(&f->ctx), EXIT_OK);
	log_connect(f, &the_log, 9);
	f->session.welcome->consistency[0].len = 31;
	assert_int_equal(witness_check(&f->ctx, &again), EXIT_INTEGRITY);
	assert_int_equal(witness_load(&f->ctx), EXIT_OK);
	log_connect(f, &the_log, 9);
	f->session.welcome->has_checkpoint = false;
	assert_int_equal(witness_check(&f->ctx, &again), EXIT_INTEGRITY);
	log_reason_is(f, "log_forked");
	/* The word that there are no two administrators yet changes nothing. */
	f->session.welcome->state = CDOP__STATE__SETUP;
	assert_int_equal(witness_check(&f->ctx, &again), EXIT_INTEGRITY);
	/* Until a restore is accepted there is none, and that is no fork. */
	f->session.welcome->state = CDOP__STATE__RESTORED;
	assert_int_equal(witness_check(&f->ctx, &again), EXIT_OK);
}

/* The word is no way around the checkpoint: nothing else is asked then. */
static void
what_says_that_it_was_restored_is_asked_nothing_else(void **state)
{
	static const uint32_t refused[] = {3, 4, 5, 40, 43, 44, 60, 70, 71};
	static const uint32_t served[] = {1, 2, 20, 21, 75, 76};
	struct fixture *f = *state;
	struct call_send send;
	size_t i;

	log_make(f, &the_log, 1);
	log_enrol(f, &the_log, 3);
	assert_int_equal(witness_load(&f->ctx), EXIT_OK);
	log_connect(f, &the_log, 9);
	f->session.welcome->state = CDOP__STATE__RESTORED;
	memset(&send, 0, sizeof(send));
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		send.method = call_method(refused[i]);
		assert_non_null(send.method);
		assert_int_equal(call_begin(&f->ctx, &send), CONN_UNSEEN);
		assert_int_not_equal(
		    call_lost(&f->ctx, send.method, CONN_UNSEEN), EXIT_OK);
		log_reason_is(f, "state");
	}
	for (i = 0; i < sizeof(served) / sizeof(served[0]); i++)
		assert_true(call_method(served[i])->restored);
}

static void
a_key_that_was_not_pinned_signs_nothing(void **state)
{
	static struct log other;
	struct fixture *f = *state;
	ProtobufCBinaryData *note;
	size_t i;
	bool again;

	log_make(f, &the_log, 1);
	log_make(f, &other, 1);
	log_sign_as(f, &other, 0x77, 1, &other.signer);
	log_enrol(f, &the_log, 3);
	assert_int_equal(log_meet(f, &other, 9), EXIT_INTEGRITY);
	log_reason_is(f, "log_forked");
	/* Every byte of the note is signed, or is the signature. */
	for (i = 0; i < 200; i += 7) {
		assert_int_equal(witness_load(&f->ctx), EXIT_OK);
		log_connect(f, &the_log, 9);
		note = &f->session.welcome->checkpoint;
		note->data[i % note->len] ^= 1;
		assert_int_equal(
		    witness_check(&f->ctx, &again), EXIT_INTEGRITY);
	}
	assert_int_equal(log_meet(f, &the_log, 9), EXIT_OK);
}

/* ---- what is kept -------------------------------------------------------- */

static void
what_was_seen_outlives_its_file(void **state)
{
	struct fixture *f = *state;
	const char *path;

	log_make(f, &the_log, 1);
	log_enrol(f, &the_log, 3);
	assert_int_equal(log_meet(f, &the_log, 20), EXIT_OK);
	witness_copy(&f->ctx); /* as when a key turns */
	assert_int_equal(log_meet(f, &the_log, 22), EXIT_OK);
	path = cdop_arena_printf(
	    f->ctx.arena, "%s/witness", f->session.context.state);
	assert_int_equal(file_remove(path), CDOP_OK);
	assert_int_equal(log_meet(f, &the_log, 19), EXIT_INTEGRITY);
	assert_int_equal(log_meet(f, &the_log, 20), EXIT_OK);
	/* One that was damaged is no better than none. */
	assert_int_equal(file_remove(path), CDOP_OK);
	(void)fixture_file(f, "state/witness", "damaged", 7);
	assert_int_equal(log_meet(f, &the_log, 19), EXIT_INTEGRITY);
}

static void
who_pinned_no_key_is_no_witness(void **state)
{
	struct fixture *f = *state;
	bool again;

	log_make(f, &the_log, 1);
	assert_int_equal(witness_load(&f->ctx), EXIT_OK);
	assert_null(f->session.witness);
	log_connect(f, &the_log, 9);
	assert_int_equal(witness_check(&f->ctx, &again), EXIT_OK);
}

/* ---- statements ---------------------------------------------------------- */

static void
a_key_that_turns_is_followed(void **state)
{
	struct fixture *f = *state;

	log_make(f, &the_log, 1);
	log_enrol(f, &the_log, 3);
	(void)log_meet(f, &the_log, 5);
	log_go_on(f, &the_log, CDOP_STATEMENT_KEY, 6, 0x52);
	log_go_on(f, &the_log, CDOP_STATEMENT_KEY, 8, 0x53);
	assert_int_equal(log_meet(f, &the_log, 12), EXIT_OK);
	assert_int_equal(f->session.witness->n_followed, 2);
	assert_int_equal(log_meet(f, &the_log, 13), EXIT_OK);
}

static void
a_statement_that_does_not_follow_is_a_fork(void **state)
{
	static struct log other;
	struct fixture *f = *state;

	log_make(f, &the_log, 1);
	log_make(f, &other, 1);
	log_enrol(f, &the_log, 3);
	log_sign_as(f, &other, 0x77, 1, &other.signer);
	log_go_on(f, &other, CDOP_STATEMENT_KEY, 6, 0x52);
	assert_int_equal(log_meet(f, &other, 12), EXIT_INTEGRITY);
	log_reason_is(f, "log_forked");
}

static void
a_restore_waits_for_a_person(void **state)
{
	struct fixture *f = *state;

	log_make(f, &the_log, 1);
	log_enrol(f, &the_log, 3);
	(void)log_meet(f, &the_log, 12);
	/* Back to 8 leaves: what lay behind is another story. */
	memset(the_log.leaf[8], 0xaa, CDOP_MERKLE_HASH);
	log_go_on(f, &the_log, CDOP_STATEMENT_RESTORE, 8, 0x61);
	assert_int_equal(log_meet(f, &the_log, 10), EXIT_INTEGRITY);
	log_reason_is(f, "log_restored");
	assert_true(f->session.witness->waits);
	assert_int_equal(
	    f->session.witness->waiting.kind, CDOP_STATEMENT_RESTORE);
	assert_int_equal(log_kept(f, ".statement"), 1);
	assert_int_equal(log_kept(f, ".theirs"), 0);
	/* Asked again it is the same, until it is accepted. */
	assert_int_equal(log_meet(f, &the_log, 10), EXIT_INTEGRITY);
	assert_int_equal(witness_accept(&f->ctx), EXIT_OK);
	assert_int_equal(f->session.witness->seen.size, 8);
	assert_int_equal(log_meet(f, &the_log, 10), EXIT_OK);
	assert_int_equal(f->session.witness->incarnation, 2);
	/* And it is held against that from then on. */
	assert_int_equal(log_meet(f, &the_log, 9), EXIT_INTEGRITY);
	log_reason_is(f, "log_forked");
}

/* What the restore leaves of what was seen has to be there. */
static void
a_restore_is_no_excuse_for_another_log(void **state)
{
	struct fixture *f = *state;

	log_make(f, &the_log, 1);
	log_enrol(f, &the_log, 3);
	(void)log_meet(f, &the_log, 6);
	memset(the_log.leaf[2], 0xaa, CDOP_MERKLE_HASH);
	log_go_on(f, &the_log, CDOP_STATEMENT_RESTORE, 8, 0x61);
	assert_int_equal(log_meet(f, &the_log, 10), EXIT_INTEGRITY);
	log_reason_is(f, "log_restored");
	assert_int_equal(witness_accept(&f->ctx), EXIT_OK);
	assert_int_equal(log_meet(f, &the_log, 10), EXIT_INTEGRITY);
	log_reason_is(f, "log_forked");
}

static void
a_restore_may_take_a_turn_of_the_key_back(void **state)
{
	static struct log restored;
	struct fixture *f = *state;

	log_make(f, &the_log, 1);
	restored = the_log;
	log_enrol(f, &the_log, 3);
	log_go_on(f, &the_log, CDOP_STATEMENT_KEY, 6, 0x52);
	assert_int_equal(log_meet(f, &the_log, 12), EXIT_OK);
	log_go_on(f, &restored, CDOP_STATEMENT_RESTORE, 5, 0x61);
	assert_int_equal(log_meet(f, &restored, 9), EXIT_INTEGRITY);
	log_reason_is(f, "log_restored");
	assert_int_equal(witness_accept(&f->ctx), EXIT_OK);
	assert_int_equal(log_meet(f, &restored, 9), EXIT_OK);
	assert_int_equal(f->session.witness->n_followed, 1);
	/* A turn that contradicts the one that was followed is none. */
	log_make(f, &restored, 1);
	log_go_on(f, &restored, CDOP_STATEMENT_KEY, 6, 0x99);
	assert_int_equal(log_meet(f, &restored, 12), EXIT_INTEGRITY);
	log_reason_is(f, "log_forked");
}

/* A backup was restored, and then the same or a later one in its place. */
static void
restored_twice(struct fixture *f, uint64_t from)
{
	static struct log later;

	log_make(f, &the_log, 1);
	later = the_log;
	log_enrol(f, &the_log, 3);
	(void)log_meet(f, &the_log, 5);
	log_go_on(f, &the_log, CDOP_STATEMENT_RESTORE, 6, 0x61);
	memset(the_log.leaf[6], 0xaa, CDOP_MERKLE_HASH);
	assert_int_equal(log_meet(f, &the_log, 9), EXIT_INTEGRITY);
	assert_int_equal(witness_accept(&f->ctx), EXIT_OK);
	assert_int_equal(log_meet(f, &the_log, 9), EXIT_OK);
	log_go_on(f, &later, CDOP_STATEMENT_RESTORE, from, 0x71);
	assert_int_equal(log_meet(f, &later, 14), EXIT_INTEGRITY);
	log_reason_is(f, "log_restored");
	assert_int_equal(witness_accept(&f->ctx), EXIT_OK);
	assert_int_equal(log_meet(f, &later, 14), EXIT_OK);
	assert_int_equal(f->session.witness->seen.size, 14);
}

static void
a_later_backup_takes_a_restore_back(void **state)
{
	restored_twice(*state, 11);
}

static void
the_same_backup_takes_a_restore_back(void **state)
{
	restored_twice(*state, 6);
}

/* What both have is held against it still. */
static void
a_later_backup_of_another_log_is_none(void **state)
{
	static struct log later;
	struct fixture *f = *state;

	log_make(f, &the_log, 1);
	later = the_log;
	memset(later.leaf[2], 0xaa, CDOP_MERKLE_HASH);
	log_enrol(f, &the_log, 3);
	log_go_on(f, &the_log, CDOP_STATEMENT_RESTORE, 6, 0x61);
	(void)log_meet(f, &the_log, 9);
	assert_int_equal(witness_accept(&f->ctx), EXIT_OK);
	assert_int_equal(log_meet(f, &the_log, 9), EXIT_OK);
	log_go_on(f, &later, CDOP_STATEMENT_RESTORE, 11, 0x71);
	assert_int_equal(log_meet(f, &later, 14), EXIT_INTEGRITY);
	assert_int_equal(witness_accept(&f->ctx), EXIT_OK);
	assert_int_equal(log_meet(f, &later, 14), EXIT_INTEGRITY);
	log_reason_is(f, "log_forked");
}

/* A client that follows a restore, and the log as it was without it. */
static void
follow_a_restore(struct fixture *f, struct log *ret_later)
{
	log_make(f, &the_log, 1);
	*ret_later = the_log;
	log_enrol(f, &the_log, 3);
	(void)log_meet(f, &the_log, 5);
	log_go_on(f, &the_log, CDOP_STATEMENT_RESTORE, 6, 0x61);
	memset(the_log.leaf[6], 0xaa, CDOP_MERKLE_HASH);
	(void)log_meet(f, &the_log, 9);
	assert_int_equal(witness_accept(&f->ctx), EXIT_OK);
	assert_int_equal(log_meet(f, &the_log, 9), EXIT_OK);
}

/* What a session with this log says on stderr, where it is restored. */
static const char *
said_of(struct fixture *f, struct log *log, uint64_t size)
{
	const char *path = fixture_file(f, "err", "", 0);
	int fd = open(path, O_WRONLY | O_TRUNC), err = dup(STDERR_FILENO);
	struct cdop_bytes text;
	enum exit_code code;

	assert_true(fd >= 0 && err >= 0);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	code = log_meet(f, log, size);
	(void)fflush(stderr);
	assert_true(dup2(err, STDERR_FILENO) >= 0);
	(void)close(fd);
	(void)close(err);
	assert_int_equal(code, EXIT_INTEGRITY);
	log_reason_is(f, "log_restored");
	assert_int_equal(file_read(path, 65536, f->ctx.arena, &text), CDOP_OK);
	return (const char *)text.data;
}

/* The first so many statements, in their order, to the byte. */
static void
shows(struct fixture *f, const char *said, const struct log *log, size_t n)
{
	const ProtobufCBinaryData *note;
	size_t i;

	for (i = 0; i < n; i++) {
		note = &log->statement[i];
		said = strstr(said,
		    cdop_arena_printf(f->ctx.arena, "%.*s", (int)note->len,
			(const char *)note->data));
		assert_non_null(said);
		said += note->len;
	}
}

/* The later backup was taken when the key had turned, and people recovered. */
static void
a_backup_from_behind_a_turn_takes_a_restore_back(void **state)
{
	static struct log later;
	struct fixture *f = *state;
	const struct witness *w;

	follow_a_restore(f, &later);
	log_go_on(f, &later, CDOP_STATEMENT_KEY, 8, 0x52);
	log_go_on(f, &later, CDOP_STATEMENT_RECOVER, 9, 0x53);
	log_go_on(f, &later, CDOP_STATEMENT_RESTORE, 11, 0x71);
	log_go_on(f, &later, CDOP_STATEMENT_KEY, 13, 0x72);
	shows(f, said_of(f, &later, 14), &later, 3);
	w = f->session.witness;
	assert_int_equal(w->waiting.kind, CDOP_STATEMENT_RESTORE);
	assert_int_equal(w->waiting.from.size, 11);
	/* They go with it, and are shown with it. */
	assert_int_equal(w->n_passed, 2);
	assert_int_equal(w->passed[1].len, later.statement[1].len);
	assert_memory_equal(
	    w->passed[1].data, later.statement[1].data, later.statement[1].len);
	/* Until a person has said yes it is the log of before. */
	assert_int_equal(log_meet(f, &the_log, 9), EXIT_OK);
	assert_int_equal(log_meet(f, &later, 14), EXIT_INTEGRITY);
	assert_int_equal(witness_accept(&f->ctx), EXIT_OK);
	assert_int_equal(f->session.witness->seen.size, 6);
	assert_int_equal(log_meet(f, &later, 14), EXIT_OK);
	w = f->session.witness;
	assert_int_equal(w->statements, 4);
	assert_int_equal(w->n_lost, 1);
	assert_non_null(strchr(w->lost[0], '+'));
	/* Back again is a restore, too, that a person has to say yes to. */
	assert_int_equal(log_meet(f, &the_log, 14), EXIT_INTEGRITY);
	log_reason_is(f, "log_restored");
}

/* What both have is held against it still. */
static void
a_turn_is_no_excuse_for_another_log(void **state)
{
	static struct log later;
	struct fixture *f = *state;

	follow_a_restore(f, &later);
	memset(later.leaf[2], 0xaa, CDOP_MERKLE_HASH);
	log_go_on(f, &later, CDOP_STATEMENT_KEY, 8, 0x52);
	log_go_on(f, &later, CDOP_STATEMENT_RESTORE, 11, 0x71);
	assert_int_equal(log_meet(f, &later, 14), EXIT_INTEGRITY);
	assert_int_equal(witness_accept(&f->ctx), EXIT_OK);
	assert_int_equal(log_meet(f, &later, 14), EXIT_INTEGRITY);
	log_reason_is(f, "log_forked");
}

/* Where no restore comes nothing says why, whatever else is said. */
static void
a_turn_takes_no_restore_back(void **state)
{
	static struct log later;
	struct fixture *f = *state;

	follow_a_restore(f, &later);
	/* All that was seen is in it. */
	memcpy(later.leaf, the_log.leaf, sizeof(later.leaf));
	log_go_on(f, &later, CDOP_STATEMENT_KEY, 8, 0x52);
	assert_int_equal(log_meet(f, &later, 14), EXIT_INTEGRITY);
	log_reason_is(f, "log_forked");
	log_go_on(f, &later, CDOP_STATEMENT_RECOVER, 11, 0x71);
	assert_int_equal(log_meet(f, &later, 14), EXIT_INTEGRITY);
	log_reason_is(f, "log_forked");
	assert_int_equal(witness_accept(&f->ctx), EXIT_INTEGRITY);
	assert_int_equal(log_meet(f, &the_log, 10), EXIT_OK);
	assert_int_equal(f->session.witness->n_lost, 0);
}

/* Who has the key of the log can turn it twice, and then say anything. */
static void
a_key_that_has_turned_to_two_is_a_fork(void **state)
{
	static struct log later;
	struct fixture *f = *state;

	log_make(f, &the_log, 1);
	later = the_log;
	log_enrol(f, &the_log, 3);
	log_go_on(f, &the_log, CDOP_STATEMENT_KEY, 6, 0x52);
	assert_int_equal(log_meet(f, &the_log, 9), EXIT_OK);
	log_go_on(f, &later, CDOP_STATEMENT_KEY, 8, 0x53);
	log_go_on(f, &later, CDOP_STATEMENT_RESTORE, 11, 0x71);
	assert_int_equal(log_meet(f, &later, 14), EXIT_INTEGRITY);
	log_reason_is(f, "log_forked");
}

/* Each of several is said yes to by itself. */
static void
two_restores_are_accepted_one_by_one(void **state)
{
	struct fixture *f = *state;

	log_make(f, &the_log, 1);
	log_enrol(f, &the_log, 3);
	(void)log_meet(f, &the_log, 4);
	log_go_on(f, &the_log, CDOP_STATEMENT_KEY, 5, 0x52);
	log_go_on(f, &the_log, CDOP_STATEMENT_RESTORE, 6, 0x61);
	log_go_on(f, &the_log, CDOP_STATEMENT_KEY, 7, 0x62);
	log_go_on(f, &the_log, CDOP_STATEMENT_RECOVER, 8, 0x71);
	assert_int_equal(log_meet(f, &the_log, 12), EXIT_INTEGRITY);
	assert_int_equal(
	    f->session.witness->waiting.kind, CDOP_STATEMENT_RESTORE);
	assert_int_equal(witness_accept(&f->ctx), EXIT_OK);
	assert_int_equal(f->session.witness->statements, 3);
	assert_int_equal(log_meet(f, &the_log, 12), EXIT_INTEGRITY);
	assert_int_equal(
	    f->session.witness->waiting.kind, CDOP_STATEMENT_RECOVER);
	assert_int_equal(witness_accept(&f->ctx), EXIT_OK);
	assert_int_equal(log_meet(f, &the_log, 12), EXIT_OK);
	assert_int_equal(f->session.witness->statements, 4);
	assert_int_equal(f->session.witness->incarnation, 3);
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(a_log_that_grows_is_followed),
	    WITH(who_shows_no_log_enrols_nobody),
	    WITH(a_log_that_is_shorter_was_rolled_back),
	    WITH(another_log_is_a_fork_whatever_its_length),
	    WITH(a_proof_that_is_missing_is_a_fork),
	    WITH(what_says_that_it_was_restored_is_asked_nothing_else),
	    WITH(a_key_that_was_not_pinned_signs_nothing),
	    WITH(what_was_seen_outlives_its_file),
	    WITH(who_pinned_no_key_is_no_witness),
	    WITH(a_key_that_turns_is_followed),
	    WITH(a_statement_that_does_not_follow_is_a_fork),
	    WITH(a_restore_waits_for_a_person),
	    WITH(a_restore_is_no_excuse_for_another_log),
	    WITH(a_restore_may_take_a_turn_of_the_key_back),
	    WITH(a_later_backup_takes_a_restore_back),
	    WITH(the_same_backup_takes_a_restore_back),
	    WITH(a_later_backup_of_another_log_is_none),
	    WITH(a_backup_from_behind_a_turn_takes_a_restore_back),
	    WITH(a_turn_is_no_excuse_for_another_log),
	    WITH(a_turn_takes_no_restore_back),
	    WITH(a_key_that_has_turned_to_two_is_a_fork),
	    WITH(two_restores_are_accepted_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
