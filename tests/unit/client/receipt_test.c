/* Receipts: what is believed of them, and what is kept. */
#include "client/receipt.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "cdop/leaf.h"
#include "cdop/logproof.h"
#include "cdop/secret.h"
#include "client/file.h"
#include "client/session.h"
#include "tests/unit/client/fixture.h"

#define SIZE     7 /* leaves in the log when it is signed */
#define INDEX    4
#define TEXT_MAX CDOP_LOGPROOF_MAX(CDOP_NOTE_MAX)

static const char body[] = "what was asked";

/* An answer with its receipt, and the question. */
struct answer {
	struct cdop_leaf leaf;
	uint8_t salt[CDOP_LEAF_SALT_LEN];
	struct cdop_note_signer signer;
	struct cdop_logproof proof;
	struct call_send send;
	Cdop__Reply reply;
};

static uint8_t leaf_hash[SIZE][CDOP_MERKLE_HASH];

static enum cdop_err
fetch(void *ctx, unsigned height, uint64_t index,
    uint8_t ret_hash[static CDOP_MERKLE_HASH])
{
	uint8_t left[CDOP_MERKLE_HASH], right[CDOP_MERKLE_HASH];

	if (height == 0) {
		memcpy(ret_hash, leaf_hash[index], CDOP_MERKLE_HASH);
		return CDOP_OK;
	}
	assert_int_equal(fetch(ctx, height - 1, index * 2, left), CDOP_OK);
	assert_int_equal(fetch(ctx, height - 1, index * 2 + 1, right), CDOP_OK);
	cdop_merkle_node(ret_hash, left, right);
	return CDOP_OK;
}

static void
sign_as(struct fixture *f, struct answer *a, uint8_t seed)
{
	char origin[CDOP_CHECKPOINT_ORIGIN_MAX];
	uint8_t bytes[CDOP_NOTE_SEED_LEN];

	memset(bytes, seed, sizeof(bytes));
	cdop_checkpoint_origin(
	    f->session.identity.open->registry_id.data, 1, origin);
	assert_int_equal(
	    cdop_note_signer_init(&a->signer, origin, CDOP_NOTE_ED25519, bytes),
	    CDOP_OK);
}

/* What the log says of a change that this device asked for. */
static void
make(struct fixture *f, struct answer *a, uint32_t method)
{
	const struct cdop_bytes key = {
	    f->session.identity.open->public_key.data, 32};
	const struct cdop_bytes request = {
	    (const uint8_t *)body, sizeof(body) - 1};
	struct witness *w = cdop_arena_alloc(f->ctx.arena, sizeof(*w));
	static Cdop__Welcome welcome;

	memset(a, 0, sizeof(*a));
	sign_as(f, a, 0x51);
	memset(w, 0, sizeof(*w));
	w->key = w->pinned = a->signer.key;
	w->incarnation = w->pinned_incarnation = 1;
	f->session.witness = w;
	cdop__welcome__init(&welcome);
	f->session.welcome = &welcome;
	memset(f->session.link_id, 0x77, sizeof(f->session.link_id));

	a->send.method = call_method(method);
	a->send.body = request;
	a->leaf.kind = CDOP_LEAF_CALL;
	a->leaf.call = method;
	a->leaf.index = a->leaf.size_before = INDEX;
	a->leaf.time_ms = 1795424707042;
	cdop_secret_hash(a->leaf.actor, 32, NULL, "", &key, 1);
	memcpy(a->leaf.session, f->session.link_id, sizeof(a->leaf.session));
	memset(a->salt, 0x5a, sizeof(a->salt));
	cdop_leaf_commit(
	    a->leaf.commitment[CDOP_LEAF_REQUEST], a->salt, &a->send.body, 1);
	cdop__reply__init(&a->reply);
	a->reply.status = CDOP_OK;
	a->reply.has_leaf_index = true;
	a->reply.leaf_index = INDEX;
}

/* Into the log with it, and its receipt into the reply. */
static void
seal(struct fixture *f, struct answer *a)
{
	struct cdop_bytes leaf = {a->proof.extra, CDOP_LEAF_LEN};
	struct cdop_checkpoint c;
	uint8_t *text = cdop_arena_alloc(f->ctx.arena, TEXT_MAX);
	uint8_t *note =
	    cdop_arena_alloc(f->ctx.arena, CDOP_CHECKPOINT_NOTE_MAX);

	memset(&a->proof, 0, sizeof(a->proof));
	cdop_leaf_write(&a->leaf, a->proof.extra);
	memcpy(a->proof.extra + CDOP_LEAF_LEN, a->salt, sizeof(a->salt));
	a->proof.extra_len = CDOP_LEAF_RECEIPT_LEN;
	a->proof.index = INDEX;
	memset(leaf_hash, 0x0d, sizeof(leaf_hash));
	cdop_merkle_leaf(leaf_hash[INDEX], leaf);
	assert_int_equal(cdop_merkle_prove_inclusion(
			     INDEX, SIZE, fetch, NULL, &a->proof.proof),
	    CDOP_OK);
	memset(&c, 0, sizeof(c));
	(void)snprintf(c.origin, sizeof(c.origin), "%s", a->signer.key.name);
	c.size = SIZE;
	assert_int_equal(cdop_merkle_root(SIZE, fetch, NULL, c.root), CDOP_OK);
	assert_int_equal(cdop_checkpoint_sign(
			     &c, &a->signer, note, &a->proof.checkpoint.len),
	    CDOP_OK);
	a->proof.checkpoint.data = note;
	assert_int_equal(cdop_logproof_write(
			     &a->proof, text, TEXT_MAX, &a->reply.receipt.len),
	    CDOP_OK);
	a->reply.receipt.data = text;
	a->reply.has_receipt = true;
}

static enum exit_code
take(struct fixture *f, struct answer *a)
{
	memset(&f->ctx.error, 0, sizeof(f->ctx.error));
	return receipt_take(&f->ctx, &a->send, &a->reply);
}

static size_t
kept(struct fixture *f, const char *suffix)
{
	const char **names, *dir;
	size_t n;

	dir = cdop_arena_printf(
	    f->ctx.arena, "%s/receipts", f->session.context.state);
	assert_int_equal(
	    file_list(dir, suffix, f->ctx.arena, &names, &n), CDOP_OK);
	return n;
}

static size_t
unchecked(struct fixture *f)
{
	const char **names, *dir;
	size_t n;

	dir = cdop_arena_printf(
	    f->ctx.arena, "%s/receipts/unchecked", f->session.context.state);
	assert_int_equal(file_list(dir, "", f->ctx.arena, &names, &n), CDOP_OK);
	return n;
}

static void
is_bad(struct fixture *f, struct answer *a)
{
	assert_int_equal(take(f, a), EXIT_INTEGRITY);
	assert_string_equal(f->ctx.error.reason, "bad_receipt");
}

static uint32_t
method_of(const char *name)
{
	uint32_t id;

	for (id = 1; id < 200; id++)
		if (call_method(id) != NULL &&
		    strcmp(call_method(id)->name, name) == 0)
			return id;
	fail_msg("no method %s", name);
	return 0;
}

/* ---- what is asked for --------------------------------------------------- */

static void
changes_ask_for_one(void **state)
{
	struct fixture *f = *state;
	struct answer a;

	make(f, &a, method_of("CaseAmend"));
	assert_true(receipt_is_wanted(&f->ctx, &a.send));
	make(f, &a, method_of("CaseShow"));
	assert_false(receipt_is_wanted(&f->ctx, &a.send));
	f->ctx.g.receipt = "file";
	assert_true(receipt_is_wanted(&f->ctx, &a.send));
	/* Those turn the key that the session stands on. */
	make(f, &a, method_of("Enrol"));
	assert_false(receipt_is_wanted(&f->ctx, &a.send));
	make(f, &a, method_of("PskTurn"));
	assert_false(receipt_is_wanted(&f->ctx, &a.send));
	/* No key, no receipt; and none before a restore is accepted. */
	make(f, &a, method_of("CaseAmend"));
	f->session.welcome->state = CDOP__STATE__RESTORED;
	assert_false(receipt_is_wanted(&f->ctx, &a.send));
	f->session.welcome->state = CDOP__STATE__OPEN;
	f->session.witness = NULL;
	assert_false(receipt_is_wanted(&f->ctx, &a.send));
	f->ctx.g.receipt = NULL;
}

/* ---- what is kept -------------------------------------------------------- */

static void
a_good_one_is_kept_without_its_salt(void **state)
{
	struct fixture *f = *state;
	struct cdop_logproof proof;
	struct cdop_bytes text;
	struct answer a;
	struct stat st;
	const char *path;

	make(f, &a, method_of("CaseAmend"));
	seal(f, &a);
	assert_int_equal(take(f, &a), EXIT_OK);
	path = cdop_arena_printf(f->ctx.arena,
	    "%s/receipts/00001-000000000000004.tlog-proof",
	    f->session.context.state);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(
	    file_read(path, TEXT_MAX, f->ctx.arena, &text), CDOP_OK);
	assert_int_equal(cdop_logproof_parse(text, &proof), CDOP_OK);
	assert_int_equal(proof.extra_len, CDOP_LEAF_LEN);
	assert_int_equal(
	    cdop_logproof_check(&proof, leaf_hash[INDEX], &a.signer.key, NULL),
	    CDOP_OK);
}

static void
what_changes_nothing_is_not_kept(void **state)
{
	struct fixture *f = *state;
	struct answer a;

	f->ctx.g.receipt = "file";
	make(f, &a, method_of("CaseShow"));
	seal(f, &a);
	assert_int_equal(take(f, &a), EXIT_OK);
	make(f, &a, method_of("CaseAmend"));
	a.send.dry = true;
	seal(f, &a);
	assert_int_equal(take(f, &a), EXIT_OK);
	assert_int_equal(kept(f, ".tlog-proof"), 0);
	f->ctx.g.receipt = NULL;
}

static void
one_that_is_missing_is_said_and_no_fault(void **state)
{
	struct fixture *f = *state;
	struct answer a;

	make(f, &a, method_of("CaseAmend"));
	a.reply.leaf_index = INDEX + 1; /* of its own */
	assert_int_equal(take(f, &a), EXIT_OK);
	assert_int_equal(kept(f, ""), 0);
}

/* One message of a stream is spoken for by the leaf before; no change is. */
static void
a_change_has_no_leaf_of_another_one(void **state)
{
	struct fixture *f = *state;
	struct answer a;

	make(f, &a, method_of("CaseAmend"));
	seal(f, &a);
	assert_int_equal(take(f, &a), EXIT_OK);
	make(f, &a, method_of("CaseAmend"));
	assert_int_equal(take(f, &a), EXIT_INTEGRITY);
	assert_string_equal(f->ctx.error.reason, "bad_receipt");
	f->ctx.g.receipt = "file";
	make(f, &a, method_of("AuditExport"));
	assert_int_equal(take(f, &a), EXIT_OK);
	f->ctx.g.receipt = NULL;
}

/* ---- of a key that turned since the Welcome ------------------------------ */

static void
take_unknown(struct fixture *f, struct answer *a)
{
	make(f, a, method_of("CaseAmend"));
	sign_as(f, a, 0x52);
	seal(f, a);
	assert_int_equal(take(f, a), EXIT_OK);
	assert_int_equal(kept(f, ".tlog-proof"), 0);
	assert_int_equal(unchecked(f), 1);
	memset(&f->ctx.error, 0, sizeof(f->ctx.error));
}

static void
one_of_the_next_key_is_checked_the_next_time(void **state)
{
	struct fixture *f = *state;
	struct answer a;

	take_unknown(f, &a);
	f->session.witness->key = a.signer.key;
	assert_int_equal(receipt_look_again(&f->ctx), EXIT_OK);
	assert_int_equal(kept(f, ".tlog-proof"), 1);
	assert_int_equal(unchecked(f), 0);
}

/* Its last bytes are the signature's. */
static void
one_that_was_changed_meanwhile_is_bad(void **state)
{
	struct fixture *f = *state;
	const char **names, *path;
	struct cdop_bytes text;
	struct answer a;
	uint8_t *last;
	size_t n;

	take_unknown(f, &a);
	f->session.witness->key = a.signer.key;
	path = cdop_arena_printf(
	    f->ctx.arena, "%s/receipts/unchecked", f->session.context.state);
	assert_int_equal(
	    file_list(path, ".tlog-proof", f->ctx.arena, &names, &n), CDOP_OK);
	path = cdop_arena_printf(f->ctx.arena, "%s/%s", path, names[0]);
	assert_int_equal(file_read(path, 65536, f->ctx.arena, &text), CDOP_OK);
	last = (uint8_t *)(uintptr_t)text.data + text.len - 20;
	*last = *last == 'A' ? 'B' : 'A';
	assert_int_equal(file_put(path, &text, 1), CDOP_OK);
	assert_int_equal(receipt_look_again(&f->ctx), EXIT_INTEGRITY);
	assert_non_null(strstr(f->ctx.error.message, "signature"));
}

static void
one_of_a_key_that_never_was_is_bad(void **state)
{
	struct fixture *f = *state;
	struct answer a;

	take_unknown(f, &a);
	assert_int_equal(receipt_look_again(&f->ctx), EXIT_INTEGRITY);
	assert_string_equal(f->ctx.error.reason, "bad_receipt");
	assert_int_equal(kept(f, ".txt"), 1);
	assert_int_equal(unchecked(f), 0);
	/* It is said once. */
	assert_int_equal(receipt_look_again(&f->ctx), EXIT_OK);
}

/* The statement that named its key lies in what was lost. */
static void
one_of_a_key_that_a_restore_lost_is_no_fault(void **state)
{
	struct fixture *f = *state;
	struct answer a;

	take_unknown(f, &a);
	f->session.witness->incarnation = 2;
	assert_int_equal(receipt_look_again(&f->ctx), EXIT_OK);
	assert_int_equal(kept(f, ".tlog-proof"), 1);
	assert_int_equal(unchecked(f), 0);
}

/* And so it does where the log that goes on has the same number. */
static void
one_of_a_key_that_was_taken_back_is_no_fault(void **state)
{
	struct fixture *f = *state;
	char vkey[CDOP_NOTE_VKEY_MAX], *lost = vkey;
	struct answer a;

	take_unknown(f, &a);
	cdop_note_key_write(&f->session.witness->key, vkey);
	f->session.witness->lost = &lost;
	f->session.witness->n_lost = 1;
	assert_int_equal(receipt_look_again(&f->ctx), EXIT_INTEGRITY);
	take_unknown(f, &a);
	cdop_note_key_write(&a.signer.key, vkey);
	f->session.witness->lost = &lost;
	f->session.witness->n_lost = 1;
	assert_int_equal(receipt_look_again(&f->ctx), EXIT_OK);
	assert_int_equal(kept(f, ".tlog-proof"), 1);
	assert_int_equal(unchecked(f), 0);
}

/* ---- what does not hold -------------------------------------------------- */

static void
each_part_of_the_leaf_is_looked_at(void **state)
{
	struct fixture *f = *state;
	struct answer a;
	unsigned part;

	for (part = 0; part < 10; part++) {
		make(f, &a, method_of("CaseAmend"));
		switch (part) {
		case 0:
			a.leaf.kind = CDOP_LEAF_EVENT;
			break;
		case 1:
			a.leaf.answered = CDOP_ABORTED;
			break;
		case 2:
			a.leaf.call++;
			break;
		case 3:
			a.leaf.index--;
			break;
		case 4:
			a.leaf.size_before++;
			break;
		case 5:
			a.leaf.actor[31] ^= 1;
			break;
		case 6:
			a.leaf.session[15] ^= 1;
			break;
		case 7:
			a.leaf.commitment[CDOP_LEAF_REQUEST][0] ^= 1;
			break;
		case 8:
			a.salt[0] ^= 1;
			break;
		default:
			a.send.body.len--;
			break;
		}
		seal(f, &a);
		is_bad(f, &a);
	}
	/* The reply says another place, or none. */
	make(f, &a, method_of("CaseAmend"));
	seal(f, &a);
	a.reply.leaf_index++;
	is_bad(f, &a);
	a.reply.leaf_index--;
	a.reply.has_leaf_index = false;
	is_bad(f, &a);
	a.reply.has_leaf_index = true;
	assert_int_equal(take(f, &a), EXIT_OK);
	assert_int_equal(kept(f, ".tlog-proof"), 1);
	assert_true(kept(f, ".txt") >= 10);
}

static void
each_byte_of_the_text_counts(void **state)
{
	struct fixture *f = *state;
	struct answer a;
	enum exit_code code;
	size_t i;

	make(f, &a, method_of("CaseAmend"));
	seal(f, &a);
	for (i = 0; i < a.reply.receipt.len; i++) {
		a.reply.receipt.data[i] ^= 1;
		code = take(f, &a);
		/* The name or the id of the key: it is another one's. */
		if (code != EXIT_INTEGRITY)
			assert_int_equal(unchecked(f), 1);
		a.reply.receipt.data[i] ^= 1;
	}
	assert_int_equal(kept(f, ".tlog-proof"), 0);
	assert_int_equal(take(f, &a), EXIT_OK);
	a.reply.receipt.len--;
	is_bad(f, &a);
	a.reply.receipt.len = 0;
	is_bad(f, &a);
}

static void
one_of_another_log_than_the_session_is_bad(void **state)
{
	struct fixture *f = *state;
	struct answer a;

	make(f, &a, method_of("CaseAmend"));
	seal(f, &a);
	f->session.witness->has_seen = true;
	f->session.witness->seen.size = SIZE + 1;
	is_bad(f, &a);
	f->session.witness->seen.size = SIZE;
	is_bad(f, &a); /* another root of the same size */
	f->session.witness->seen.size = SIZE - 1;
	assert_int_equal(take(f, &a), EXIT_OK);
}

/* ---- --receipt FILE ------------------------------------------------------ */

/* The same can be said again.  The first one here: nothing came before. */
static void
nothing_came_and_nothing_stays(void **state)
{
	struct fixture *f = *state;

	f->ctx.g.receipt = cdop_arena_printf(f->ctx.arena, "%s/mine", f->dir);
	assert_int_equal(receipt_begin(&f->ctx), EXIT_OK);
	assert_int_equal(receipt_finish(&f->ctx, EXIT_CONFLICT), EXIT_CONFLICT);
	assert_false(file_exists(f->ctx.g.receipt));
	assert_int_equal(receipt_begin(&f->ctx), EXIT_OK);
	assert_int_equal(receipt_finish(&f->ctx, EXIT_OK), EXIT_USAGE);
	assert_false(file_exists(f->ctx.g.receipt));
	f->ctx.g.receipt = NULL;
}

/* What was answered stands, and no part of a receipt stays. */
static void
full_disk(struct fixture *f, enum exit_code code, enum exit_code expected)
{
	struct rlimit was, none;

	assert_int_equal(receipt_begin(&f->ctx), EXIT_OK);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	none = was;
	none.rlim_cur = 0;
	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	code = receipt_finish(&f->ctx, code);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(code, expected);
	assert_false(file_exists(f->ctx.g.receipt));
}

static void
the_whole_one_goes_where_it_is_asked_for(void **state)
{
	struct fixture *f = *state;
	struct cdop_bytes text;
	struct answer a;

	f->ctx.g.receipt = cdop_arena_printf(f->ctx.arena, "%s/mine", f->dir);
	make(f, &a, method_of("CaseAmend"));
	seal(f, &a);
	assert_int_equal(receipt_begin(&f->ctx), EXIT_OK);
	assert_int_equal(take(f, &a), EXIT_OK);
	assert_int_equal(receipt_finish(&f->ctx, EXIT_OK), EXIT_OK);
	assert_int_equal(
	    file_read(f->ctx.g.receipt, TEXT_MAX, f->ctx.arena, &text),
	    CDOP_OK);
	assert_int_equal(text.len, a.reply.receipt.len);
	assert_memory_equal(text.data, a.reply.receipt.data, text.len);
	/* Never over another one, and nothing is asked for without a file. */
	assert_int_equal(receipt_begin(&f->ctx), EXIT_USAGE);
	f->ctx.g.receipt = "/nonexistent/mine";
	assert_int_equal(receipt_begin(&f->ctx), EXIT_USAGE);
	f->ctx.g.receipt = cdop_arena_printf(f->ctx.arena, "%s/full", f->dir);
	full_disk(f, EXIT_OK, EXIT_UNEXPECTED);
	full_disk(f, EXIT_CONFLICT, EXIT_CONFLICT);
	f->ctx.g.receipt = NULL;
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(nothing_came_and_nothing_stays),
	    WITH(changes_ask_for_one),
	    WITH(a_good_one_is_kept_without_its_salt),
	    WITH(what_changes_nothing_is_not_kept),
	    WITH(one_that_is_missing_is_said_and_no_fault),
	    WITH(a_change_has_no_leaf_of_another_one),
	    WITH(one_of_the_next_key_is_checked_the_next_time),
	    WITH(one_that_was_changed_meanwhile_is_bad),
	    WITH(one_of_a_key_that_never_was_is_bad),
	    WITH(one_of_a_key_that_a_restore_lost_is_no_fault),
	    WITH(one_of_a_key_that_was_taken_back_is_no_fault),
	    WITH(each_part_of_the_leaf_is_looked_at),
	    WITH(each_byte_of_the_text_counts),
	    WITH(one_of_another_log_than_the_session_is_bad),
	    WITH(the_whole_one_goes_where_it_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
