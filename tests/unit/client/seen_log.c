/* A log, and a registry that shows it; see seen_log.h. */
#include "tests/unit/client/seen_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "client/witness.h"

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

void
log_sign_as(const struct fixture *f, struct log *log, uint8_t seed,
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
void
log_make(struct fixture *f, struct log *log, uint8_t story)
{
	size_t i;

	memset(log, 0, sizeof(*log));
	for (i = 0; i < LEAVES_MAX; i++)
		memset(log->leaf[i], story + (int)i, CDOP_MERKLE_HASH);
	log_sign_as(f, log, 0x51, 1, &log->signer);
}

void
log_checkpoint(struct log *log, uint64_t size, struct cdop_checkpoint *c)
{
	memset(c, 0, sizeof(*c));
	(void)snprintf(
	    c->origin, sizeof(c->origin), "%s", log->signer.key.name);
	c->size = size;
	assert_int_equal(cdop_merkle_root(size, fetch, log, c->root), CDOP_OK);
}

void
log_sign(
    struct fixture *f, struct log *log, uint64_t size, ProtobufCBinaryData *ret)
{
	struct cdop_checkpoint c;

	log_checkpoint(log, size, &c);
	ret->data = cdop_arena_alloc(f->ctx.arena, CDOP_CHECKPOINT_NOTE_MAX);
	assert_int_equal(
	    cdop_checkpoint_sign(&c, &log->signer, ret->data, &ret->len),
	    CDOP_OK);
}

/* A statement: the log goes on under another key from this size on. */
void
log_go_on(struct fixture *f, struct log *log, enum cdop_statement_kind kind,
    uint64_t from, uint8_t seed)
{
	static const char by[] = "Olga Operator", why[] = "because";
	struct cdop_note_signer before = log->signer, after;
	ProtobufCBinaryData *note = &log->statement[log->n_statement++];
	struct cdop_statement s;

	memset(&s, 0, sizeof(s));
	log_checkpoint(log, from, &s.from);
	log_sign_as(f, log, seed,
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

void
log_enrolled(
    struct fixture *f, struct log *log, uint64_t size, Cdop__EnrolReply *ret)
{
	Cdop__Welcome *w = cdop_arena_alloc(f->ctx.arena, sizeof(*w));

	cdop__welcome__init(w);
	w->has_incarnation = true;
	w->incarnation = log->incarnation;
	w->has_checkpoint = true;
	log_sign(f, log, size, &w->checkpoint);
	f->session.welcome = w;
	cdop__enrol_reply__init(ret);
	ret->has_checkpoint_key = true;
	ret->checkpoint_key.data =
	    cdop_arena_alloc(f->ctx.arena, CDOP_NOTE_PUBLIC_LEN);
	memcpy(ret->checkpoint_key.data, log->signer.key.public,
	    CDOP_NOTE_PUBLIC_LEN);
	ret->checkpoint_key.len = CDOP_NOTE_PUBLIC_LEN;
	ret->has_statements = true;
	ret->statements = (uint32_t)log->n_statement;
}

void
log_enrol(struct fixture *f, struct log *log, uint64_t size)
{
	Cdop__EnrolReply reply;

	log_enrolled(f, log, size, &reply);
	assert_int_equal(witness_pin(&f->ctx, &reply), EXIT_OK);
}

static void
prove(struct fixture *f, struct log *log, uint64_t from, uint64_t size,
    ProtobufCBinaryData **ret_hash, size_t *ret_n)
{
	struct cdop_merkle_proof proof = {.n = 0};
	ProtobufCBinaryData *hash;
	size_t i;

	hash = cdop_arena_calloc(f->ctx.arena, 64, sizeof(*hash));
	if (from > 0 && from < size)
		assert_int_equal(cdop_merkle_prove_consistency(
				     from, size, fetch, log, &proof),
		    CDOP_OK);
	for (i = 0; i < proof.n; i++) {
		hash[i].data = cdop_arena_alloc(f->ctx.arena, CDOP_MERKLE_HASH);
		memcpy(hash[i].data, proof.hash[i], CDOP_MERKLE_HASH);
		hash[i].len = CDOP_MERKLE_HASH;
	}
	*ret_hash = hash;
	*ret_n = proof.n;
}

/* What a registry with this log answers to this Hello. */
static void
answer(
    struct fixture *f, struct log *log, uint64_t size, const Cdop__Hello *hello)
{
	Cdop__Welcome *w = cdop_arena_alloc(f->ctx.arena, sizeof(*w));
	size_t first = hello->seen_statements;

	cdop__welcome__init(w);
	w->state = CDOP__STATE__OPEN;
	w->has_checkpoint = true;
	log_sign(f, log, size, &w->checkpoint);
	w->statement = log->statement + first;
	w->n_statement =
	    first < log->n_statement ? log->n_statement - first : 0;
	prove(f, log, hello->has_seen_size ? hello->seen_size : 0, size,
	    &w->consistency, &w->n_consistency);
	prove(f, log, hello->has_receipt_size ? hello->receipt_size : 0, size,
	    &w->receipt_consistency, &w->n_receipt_consistency);
	f->session.welcome = w;
}

void
log_connect(struct fixture *f, struct log *log, uint64_t size)
{
	Cdop__Hello hello;

	cdop__hello__init(&hello);
	if (f->session.witness != NULL)
		witness_hello(f->session.witness, &hello);
	answer(f, log, size, &hello);
}

/* A whole session; the second connection where the first asks for it. */
enum exit_code
log_meet(struct fixture *f, struct log *log, uint64_t size)
{
	enum exit_code code;
	bool again;

	memset(&f->ctx.error, 0, sizeof(f->ctx.error));
	assert_int_equal(witness_load(&f->ctx), EXIT_OK);
	log_connect(f, log, size);
	code = witness_check(&f->ctx, &again);
	if (!again)
		return code;
	log_connect(f, log, size);
	code = witness_check(&f->ctx, &again);
	assert_false(again);
	return code;
}

void
log_reason_is(const struct fixture *f, const char *reason)
{
	assert_string_equal(f->ctx.error.reason, reason);
}

/* Pairs of notes that are kept. */
size_t
log_kept(struct fixture *f, const char *suffix)
{
	const char **names;
	size_t n;

	assert_int_equal(witness_kept(&f->ctx, suffix, &names, &n), EXIT_OK);
	return n;
}
