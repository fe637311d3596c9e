/* A log that is held against what was seen of it, session after session. */
#include "client/witness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "cdop/secret.h"
#include "client/file.h"
#include "tests/unit/client/fixture.h"

#define LEAVES_MAX 64

/* A log and the keys that sign for it, as a registry has them. */
struct log {
	uint8_t leaf[LEAVES_MAX][CDOP_MERKLE_HASH];
	struct cdop_note_signer signer;
	uint8_t seed;
	uint16_t incarnation;
	ProtobufCBinaryData statement[8];
	size_t n_statement;
};

static struct log the_log;

static enum cdop_err
fetch(void *ctx, unsigned height, uint64_t index,
    uint8_t ret_hash[static CDOP_MERKLE_HASH])
{
	const struct log *log = ctx;
	uint8_t left[CDOP_MERKLE_HASH], right[CDOP_MERKLE_HASH];

	if (height == 0) {
		memcpy(ret_hash, log->leaf[index], CDOP_MERKLE_HASH);
		return CDOP_OK;
	}
	assert_int_equal(fetch(ctx, height - 1, index * 2, left), CDOP_OK);
	assert_int_equal(fetch(ctx, height - 1, index * 2 + 1, right), CDOP_OK);
	cdop_merkle_node(ret_hash, left, right);
	return CDOP_OK;
}

static void
sign_as(const struct fixture *f, struct log *log, uint8_t seed,
    uint16_t incarnation, struct cdop_note_signer *ret)
{
	char origin[CDOP_CHECKPOINT_ORIGIN_MAX];
	uint8_t bytes[CDOP_NOTE_SEED_LEN];

	memset(bytes, seed, sizeof(bytes));
	cdop_checkpoint_origin(
	    f->session.identity.open->registry_id.data, incarnation, origin);
	assert_int_equal(
	    cdop_note_signer_init(ret, origin, CDOP_NOTE_ED25519, bytes),
	    CDOP_OK);
	log->seed = seed;
	log->incarnation = incarnation;
}

/* Leaves of a story; the same story has the same leaves. */
static void
make_log(struct fixture *f, struct log *log, uint8_t story)
{
	size_t i;

	memset(log, 0, sizeof(*log));
	for (i = 0; i < LEAVES_MAX; i++)
		memset(log->leaf[i], story + (int)i, CDOP_MERKLE_HASH);
	sign_as(f, log, 0x51, 1, &log->signer);
}

static void
checkpoint_of(struct log *log, uint64_t size, struct cdop_checkpoint *c)
{
	memset(c, 0, sizeof(*c));
	(void)snprintf(
	    c->origin, sizeof(c->origin), "%s", log->signer.key.name);
	c->size = size;
	assert_int_equal(cdop_merkle_root(size, fetch, log, c->root), CDOP_OK);
}

static void
sign(
    struct fixture *f, struct log *log, uint64_t size, ProtobufCBinaryData *ret)
{
	struct cdop_checkpoint c;

	checkpoint_of(log, size, &c);
	ret->data = cdop_arena_alloc(f->ctx.arena, CDOP_CHECKPOINT_NOTE_MAX);
	assert_int_equal(
	    cdop_checkpoint_sign(&c, &log->signer, ret->data, &ret->len),
	    CDOP_OK);
}

/* A statement: the log goes on under another key from this size on. */
static void
go_on(struct fixture *f, struct log *log, enum cdop_statement_kind kind,
    uint64_t from, uint8_t seed)
{
	static const char by[] = "Olga Operator", why[] = "because";
	struct cdop_note_signer before = log->signer, after;
	ProtobufCBinaryData *note = &log->statement[log->n_statement++];
	struct cdop_statement s;

	memset(&s, 0, sizeof(s));
	checkpoint_of(log, from, &s.from);
	sign_as(f, log, seed,
	    (uint16_t)(log->incarnation + (kind != CDOP_STATEMENT_KEY)),
	    &after);
	s.kind = kind;
	memcpy(s.registry, f->session.identity.open->registry_id.data, 16);
	s.incarnation = log->incarnation;
	s.key = after.key;
	s.time_ms = 1795424707042;
	s.by[0] = (struct cdop_bytes){(const uint8_t *)by, sizeof(by) - 1};
	s.n_by = 1;
	s.reason = (struct cdop_bytes){(const uint8_t *)why, sizeof(why) - 1};
	note->data = cdop_arena_alloc(f->ctx.arena, CDOP_STATEMENT_MAX);
	assert_int_equal(
	    cdop_statement_sign(&s, &before, &after, note->data, &note->len),
	    CDOP_OK);
	log->signer = after;
}

/* Enrolled when the log had so many leaves. */
static void
enrol(struct fixture *f, struct log *log, uint64_t size)
{
	Cdop__Welcome *w = cdop_arena_alloc(f->ctx.arena, sizeof(*w));
	Cdop__EnrolReply reply;

	cdop__welcome__init(w);
	w->has_incarnation = true;
	w->incarnation = log->incarnation;
	w->has_checkpoint = true;
	sign(f, log, size, &w->checkpoint);
	f->session.welcome = w;
	cdop__enrol_reply__init(&reply);
	reply.has_checkpoint_key = true;
	reply.checkpoint_key.data =
	    cdop_arena_alloc(f->ctx.arena, CDOP_NOTE_PUBLIC_LEN);
	memcpy(reply.checkpoint_key.data, log->signer.key.public,
	    CDOP_NOTE_PUBLIC_LEN);
	reply.checkpoint_key.len = CDOP_NOTE_PUBLIC_LEN;
	reply.has_statements = true;
	reply.statements = (uint32_t)log->n_statement;
	assert_int_equal(witness_pin(&f->ctx, &reply), EXIT_OK);
}

/* What a registry with this log answers to this Hello. */
static void
answer(
    struct fixture *f, struct log *log, uint64_t size, const Cdop__Hello *hello)
{
	Cdop__Welcome *w = cdop_arena_alloc(f->ctx.arena, sizeof(*w));
	struct cdop_merkle_proof proof = {.n = 0};
	size_t i, first = hello->seen_statements;

	cdop__welcome__init(w);
	w->state = CDOP__STATE__OPEN;
	w->has_checkpoint = true;
	sign(f, log, size, &w->checkpoint);
	w->statement = log->statement + first;
	w->n_statement =
	    first < log->n_statement ? log->n_statement - first : 0;
	if (hello->has_seen_size && hello->seen_size < size)
		assert_int_equal(cdop_merkle_prove_consistency(hello->seen_size,
				     size, fetch, log, &proof),
		    CDOP_OK);
	w->consistency =
	    cdop_arena_calloc(f->ctx.arena, 64, sizeof(*w->consistency));
	for (i = 0; i < proof.n; i++) {
		w->consistency[i].data =
		    cdop_arena_alloc(f->ctx.arena, CDOP_MERKLE_HASH);
		memcpy(w->consistency[i].data, proof.hash[i], CDOP_MERKLE_HASH);
		w->consistency[i].len = CDOP_MERKLE_HASH;
	}
	w->n_consistency = proof.n;
	f->session.welcome = w;
}

static void
connect_to(struct fixture *f, struct log *log, uint64_t size)
{
	Cdop__Hello hello;

	cdop__hello__init(&hello);
	if (f->session.witness != NULL)
		witness_hello(f->session.witness, &hello);
	answer(f, log, size, &hello);
}

/* A whole session; the second connection where the first asks for it. */
static enum exit_code
meet(struct fixture *f, struct log *log, uint64_t size)
{
	enum exit_code code;
	bool again;

	memset(&f->ctx.error, 0, sizeof(f->ctx.error));
	assert_int_equal(witness_load(&f->ctx), EXIT_OK);
	connect_to(f, log, size);
	code = witness_check(&f->ctx, &again);
	if (!again)
		return code;
	connect_to(f, log, size);
	code = witness_check(&f->ctx, &again);
	assert_false(again);
	return code;
}

static void
reason_is(const struct fixture *f, const char *reason)
{
	assert_string_equal(f->ctx.error.reason, reason);
}

/* Pairs of notes that are kept. */
static size_t
kept(struct fixture *f, const char *suffix)
{
	const char **names;
	size_t n;

	assert_int_equal(witness_kept(&f->ctx, suffix, &names, &n), EXIT_OK);
	return n;
}

/* ---- growth ---------------------------------------------------------------
 */

static void
a_log_that_grows_is_followed(void **state)
{
	struct fixture *f = *state;

	make_log(f, &the_log, 1);
	enrol(f, &the_log, 3);
	assert_int_equal(meet(f, &the_log, 3), EXIT_OK);
	assert_int_equal(meet(f, &the_log, 20), EXIT_OK);
	assert_int_equal(meet(f, &the_log, 21), EXIT_OK);
	assert_int_equal(f->session.witness->seen.size, 21);
	assert_int_equal(kept(f, ".mine"), 0);
}

static void
a_log_that_is_shorter_was_rolled_back(void **state)
{
	struct fixture *f = *state;

	make_log(f, &the_log, 1);
	enrol(f, &the_log, 3);
	assert_int_equal(meet(f, &the_log, 20), EXIT_OK);
	assert_int_equal(meet(f, &the_log, 19), EXIT_INTEGRITY);
	reason_is(f, "log_forked");
	assert_int_equal(kept(f, ".mine"), 1);
	assert_int_equal(kept(f, ".theirs"), 1);
	/* Again: the same evidence once.  What was seen stays seen. */
	assert_int_equal(meet(f, &the_log, 19), EXIT_INTEGRITY);
	assert_int_equal(kept(f, ".mine"), 1);
	assert_int_equal(meet(f, &the_log, 20), EXIT_OK);
}

static void
another_log_is_a_fork_whatever_its_length(void **state)
{
	static struct log other;
	struct fixture *f = *state;
	uint64_t size;

	make_log(f, &the_log, 1);
	make_log(f, &other, 1);
	memset(other.leaf[10], 0xee, CDOP_MERKLE_HASH);
	enrol(f, &the_log, 3);
	assert_int_equal(meet(f, &the_log, 12), EXIT_OK);
	for (size = 12; size < 40; size++) {
		assert_int_equal(meet(f, &other, size), EXIT_INTEGRITY);
		reason_is(f, "log_forked");
	}
	assert_int_equal(kept(f, ".theirs"), 28);
	assert_int_equal(meet(f, &the_log, 40), EXIT_OK);
}

static void
a_proof_that_is_missing_is_a_fork(void **state)
{
	struct fixture *f = *state;
	bool again;

	make_log(f, &the_log, 1);
	enrol(f, &the_log, 3);
	assert_int_equal(witness_load(&f->ctx), EXIT_OK);
	connect_to(f, &the_log, 9);
	f->session.welcome->n_consistency = 0;
	assert_int_equal(witness_check(&f->ctx, &again), EXIT_INTEGRITY);
	assert_int_equal(witness_load(&f->ctx), EXIT_OK);
	connect_to(f, &the_log, 9);
	f->session.welcome->consistency[0].data[0] ^= 1;
	assert_int_equal(witness_check(&f->ctx, &again), EXIT_INTEGRITY);
	assert_int_equal(witness_load(&f->ctx), EXIT_OK);
	connect_to(f, &the_log, 9);
	f->session.welcome->consistency[0].len = 31;
	assert_int_equal(witness_check(&f->ctx, &again), EXIT_INTEGRITY);
	assert_int_equal(witness_load(&f->ctx), EXIT_OK);
	connect_to(f, &the_log, 9);
	f->session.welcome->has_checkpoint = false;
	assert_int_equal(witness_check(&f->ctx, &again), EXIT_INTEGRITY);
	reason_is(f, "log_forked");
	/* Until a restore is accepted there is none, and that is no fork. */
	f->session.welcome->state = CDOP__STATE__RESTORED;
	assert_int_equal(witness_check(&f->ctx, &again), EXIT_OK);
}

static void
a_key_that_was_not_pinned_signs_nothing(void **state)
{
	static struct log other;
	struct fixture *f = *state;
	ProtobufCBinaryData *note;
	size_t i;
	bool again;

	make_log(f, &the_log, 1);
	make_log(f, &other, 1);
	sign_as(f, &other, 0x77, 1, &other.signer);
	enrol(f, &the_log, 3);
	assert_int_equal(meet(f, &other, 9), EXIT_INTEGRITY);
	reason_is(f, "log_forked");
	/* Every byte of the note is signed, or is the signature. */
	for (i = 0; i < 200; i += 7) {
		assert_int_equal(witness_load(&f->ctx), EXIT_OK);
		connect_to(f, &the_log, 9);
		note = &f->session.welcome->checkpoint;
		note->data[i % note->len] ^= 1;
		assert_int_equal(
		    witness_check(&f->ctx, &again), EXIT_INTEGRITY);
	}
	assert_int_equal(meet(f, &the_log, 9), EXIT_OK);
}

/* ---- what is kept -------------------------------------------------------- */

static void
what_was_seen_outlives_its_file(void **state)
{
	struct fixture *f = *state;
	const char *path;

	make_log(f, &the_log, 1);
	enrol(f, &the_log, 3);
	assert_int_equal(meet(f, &the_log, 20), EXIT_OK);
	witness_copy(&f->ctx); /* as when a key turns */
	assert_int_equal(meet(f, &the_log, 22), EXIT_OK);
	path = cdop_arena_printf(
	    f->ctx.arena, "%s/witness", f->session.context.state);
	assert_int_equal(file_remove(path), CDOP_OK);
	assert_int_equal(meet(f, &the_log, 19), EXIT_INTEGRITY);
	assert_int_equal(meet(f, &the_log, 20), EXIT_OK);
	/* One that was damaged is no better than none. */
	assert_int_equal(file_remove(path), CDOP_OK);
	(void)fixture_file(f, "state/witness", "damaged", 7);
	assert_int_equal(meet(f, &the_log, 19), EXIT_INTEGRITY);
}

static void
who_pinned_no_key_is_no_witness(void **state)
{
	struct fixture *f = *state;
	bool again;

	make_log(f, &the_log, 1);
	assert_int_equal(witness_load(&f->ctx), EXIT_OK);
	assert_null(f->session.witness);
	connect_to(f, &the_log, 9);
	assert_int_equal(witness_check(&f->ctx, &again), EXIT_OK);
}

/* ---- statements ---------------------------------------------------------- */

static void
a_key_that_turns_is_followed(void **state)
{
	struct fixture *f = *state;

	make_log(f, &the_log, 1);
	enrol(f, &the_log, 3);
	(void)meet(f, &the_log, 5);
	go_on(f, &the_log, CDOP_STATEMENT_KEY, 6, 0x52);
	go_on(f, &the_log, CDOP_STATEMENT_KEY, 8, 0x53);
	assert_int_equal(meet(f, &the_log, 12), EXIT_OK);
	assert_int_equal(f->session.witness->n_followed, 2);
	assert_int_equal(meet(f, &the_log, 13), EXIT_OK);
}

static void
a_statement_that_does_not_follow_is_a_fork(void **state)
{
	static struct log other;
	struct fixture *f = *state;

	make_log(f, &the_log, 1);
	make_log(f, &other, 1);
	enrol(f, &the_log, 3);
	sign_as(f, &other, 0x77, 1, &other.signer);
	go_on(f, &other, CDOP_STATEMENT_KEY, 6, 0x52);
	assert_int_equal(meet(f, &other, 12), EXIT_INTEGRITY);
	reason_is(f, "log_forked");
}

static void
a_restore_waits_for_a_person(void **state)
{
	struct fixture *f = *state;

	make_log(f, &the_log, 1);
	enrol(f, &the_log, 3);
	(void)meet(f, &the_log, 12);
	/* Back to 8 leaves: what lay behind is another story. */
	memset(the_log.leaf[8], 0xaa, CDOP_MERKLE_HASH);
	go_on(f, &the_log, CDOP_STATEMENT_RESTORE, 8, 0x61);
	assert_int_equal(meet(f, &the_log, 10), EXIT_INTEGRITY);
	reason_is(f, "log_restored");
	assert_true(f->session.witness->waits);
	assert_int_equal(
	    f->session.witness->waiting.kind, CDOP_STATEMENT_RESTORE);
	assert_int_equal(kept(f, ".statement"), 1);
	assert_int_equal(kept(f, ".theirs"), 0);
	/* Asked again it is the same, until it is accepted. */
	assert_int_equal(meet(f, &the_log, 10), EXIT_INTEGRITY);
	assert_int_equal(witness_accept(&f->ctx), EXIT_OK);
	assert_int_equal(f->session.witness->seen.size, 8);
	assert_int_equal(meet(f, &the_log, 10), EXIT_OK);
	assert_int_equal(f->session.witness->incarnation, 2);
	/* And it is held against that from then on. */
	assert_int_equal(meet(f, &the_log, 9), EXIT_INTEGRITY);
	reason_is(f, "log_forked");
}

/* What the restore leaves of what was seen has to be there. */
static void
a_restore_is_no_excuse_for_another_log(void **state)
{
	struct fixture *f = *state;

	make_log(f, &the_log, 1);
	enrol(f, &the_log, 3);
	(void)meet(f, &the_log, 6);
	memset(the_log.leaf[2], 0xaa, CDOP_MERKLE_HASH);
	go_on(f, &the_log, CDOP_STATEMENT_RESTORE, 8, 0x61);
	assert_int_equal(meet(f, &the_log, 10), EXIT_INTEGRITY);
	reason_is(f, "log_restored");
	assert_int_equal(witness_accept(&f->ctx), EXIT_OK);
	assert_int_equal(meet(f, &the_log, 10), EXIT_INTEGRITY);
	reason_is(f, "log_forked");
}

static void
a_restore_may_take_a_turn_of_the_key_back(void **state)
{
	static struct log restored;
	struct fixture *f = *state;

	make_log(f, &the_log, 1);
	restored = the_log;
	enrol(f, &the_log, 3);
	go_on(f, &the_log, CDOP_STATEMENT_KEY, 6, 0x52);
	assert_int_equal(meet(f, &the_log, 12), EXIT_OK);
	go_on(f, &restored, CDOP_STATEMENT_RESTORE, 5, 0x61);
	assert_int_equal(meet(f, &restored, 9), EXIT_INTEGRITY);
	reason_is(f, "log_restored");
	assert_int_equal(witness_accept(&f->ctx), EXIT_OK);
	assert_int_equal(meet(f, &restored, 9), EXIT_OK);
	assert_int_equal(f->session.witness->n_followed, 1);
	/* A turn that contradicts the one that was followed is none. */
	make_log(f, &restored, 1);
	go_on(f, &restored, CDOP_STATEMENT_KEY, 6, 0x99);
	assert_int_equal(meet(f, &restored, 12), EXIT_INTEGRITY);
	reason_is(f, "log_forked");
}

/* Each of several is said yes to by itself. */
static void
two_restores_are_accepted_one_by_one(void **state)
{
	struct fixture *f = *state;

	make_log(f, &the_log, 1);
	enrol(f, &the_log, 3);
	(void)meet(f, &the_log, 4);
	go_on(f, &the_log, CDOP_STATEMENT_KEY, 5, 0x52);
	go_on(f, &the_log, CDOP_STATEMENT_RESTORE, 6, 0x61);
	go_on(f, &the_log, CDOP_STATEMENT_KEY, 7, 0x62);
	go_on(f, &the_log, CDOP_STATEMENT_RECOVER, 8, 0x71);
	assert_int_equal(meet(f, &the_log, 12), EXIT_INTEGRITY);
	assert_int_equal(
	    f->session.witness->waiting.kind, CDOP_STATEMENT_RESTORE);
	assert_int_equal(witness_accept(&f->ctx), EXIT_OK);
	assert_int_equal(f->session.witness->statements, 3);
	assert_int_equal(meet(f, &the_log, 12), EXIT_INTEGRITY);
	assert_int_equal(
	    f->session.witness->waiting.kind, CDOP_STATEMENT_RECOVER);
	assert_int_equal(witness_accept(&f->ctx), EXIT_OK);
	assert_int_equal(meet(f, &the_log, 12), EXIT_OK);
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
	    WITH(a_log_that_is_shorter_was_rolled_back),
	    WITH(another_log_is_a_fork_whatever_its_length),
	    WITH(a_proof_that_is_missing_is_a_fork),
	    WITH(a_key_that_was_not_pinned_signs_nothing),
	    WITH(what_was_seen_outlives_its_file),
	    WITH(who_pinned_no_key_is_no_witness),
	    WITH(a_key_that_turns_is_followed),
	    WITH(a_statement_that_does_not_follow_is_a_fork),
	    WITH(a_restore_waits_for_a_person),
	    WITH(a_restore_is_no_excuse_for_another_log),
	    WITH(a_restore_may_take_a_turn_of_the_key_back),
	    WITH(two_restores_are_accepted_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
