/* Receipts: held against what was asked, and kept. */
#include "client/receipt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cdop/call.h"
#include "cdop/leaf.h"
#include "cdop/logproof.h"
#include "client/file.h"
#include "client/print.h"
#include "client/session.h"

#define SUFFIX   ".tlog-proof"
#define KEPT_MAX 5000 /* of one device; the oldest go */
#define TEXT_MAX CDOP_LOGPROOF_MAX(CDOP_NOTE_MAX)

/* What goes into --receipt FILE. */
static struct {
	uint8_t text[TEXT_MAX]; /* an arena is rewound in a long stream */
	size_t len;
	bool of_change;
	bool kept;     /* some were: look whether there are too many */
	bool missed;   /* it was said that there was none */
	uint64_t leaf; /* of the last receipt, + 1 */
	struct file_new file;
} last;

bool
receipt_is_wanted(const struct cmd_ctx *ctx, const struct call_send *send)
{
	const struct session *s = ctx->session;

	/* The last two have their own way of being repeated. */
	if (s->witness == NULL || s->welcome == NULL ||
	    s->welcome->state == CDOP__STATE__RESTORED ||
	    send->method->id == CDOP_CALL_Enrol ||
	    send->method->id == CDOP_CALL_PskTurn)
		return false;
	return send->method->change || ctx->g.receipt != NULL;
}

/* ---- checking ------------------------------------------------------------ */

static bool
is_ours(const struct cmd_ctx *ctx, const struct call_send *send,
    const Cdop__Reply *reply, const struct cdop_logproof *proof,
    const struct cdop_leaf *leaf)
{
	const Cdop__ClientIdentity *open = ctx->session->identity.open;
	struct cdop_bytes key = {open->public_key.data, open->public_key.len};
	uint8_t actor[32];

	cdop_secret_hash(actor, sizeof(actor), NULL, "", &key, 1);
	return leaf->kind == CDOP_LEAF_CALL && leaf->index == proof->index &&
	    reply->has_leaf_index && leaf->index == reply->leaf_index &&
	    leaf->size_before == leaf->index &&
	    leaf->answered == reply->status && leaf->call == send->method->id &&
	    memcmp(leaf->actor, actor, sizeof(actor)) == 0 &&
	    memcmp(leaf->session, ctx->session->link_id,
		sizeof(leaf->session)) == 0 &&
	    cdop_leaf_is_of(leaf, proof->extra + CDOP_LEAF_LEN, send->body);
}

/* Why it does not hold; NULL: it does.  *ret_unknown: of a newer key. */
static const char *
judge(const struct cmd_ctx *ctx, const struct call_send *send,
    const Cdop__Reply *reply, const struct cdop_logproof *proof,
    bool *ret_unknown)
{
	const struct witness *w = ctx->session->witness;
	struct cdop_bytes bytes = {proof->extra, CDOP_LEAF_LEN};
	struct cdop_checkpoint now;
	uint8_t hash[CDOP_MERKLE_HASH];
	struct cdop_leaf leaf;
	enum cdop_err err;

	if (proof->extra_len != CDOP_LEAF_RECEIPT_LEN ||
	    cdop_leaf_parse(bytes, &leaf) != CDOP_OK)
		return "there is no log entry in it";
	if (!is_ours(ctx, send, reply, proof, &leaf))
		return "it is of another request";
	cdop_merkle_leaf(hash, bytes);
	err = cdop_logproof_check(proof, hash, &w->key, &now);
	*ret_unknown = err == CDOP_NOT_FOUND;
	if (*ret_unknown)
		return NULL;
	if (err != CDOP_OK)
		return "its signature or its proof does not hold";
	if (w->has_seen &&
	    (now.size < w->seen.size ||
		(now.size == w->seen.size &&
		    memcmp(now.root, w->seen.root, CDOP_MERKLE_HASH) != 0)))
		return "it is of another log than this session";
	return NULL;
}

/* ---- keeping ------------------------------------------------------------- */

static const char *
folder(struct cmd_ctx *ctx, bool checked)
{
	return cdop_arena_printf(ctx->arena, "%s/receipts%s",
	    ctx->session->context.state, checked ? "" : "/unchecked");
}

/* Evidence, not keys: one that is lost with the power is asked for again. */
static void
keep(struct cmd_ctx *ctx, struct cdop_logproof *proof, bool checked)
{
	const char *dir = folder(ctx, checked), *path;
	uint8_t *out = cdop_arena_alloc(ctx->arena, TEXT_MAX);
	struct cdop_bytes text;

	proof->extra_len = CDOP_LEAF_LEN; /* without the salt */
	path = cdop_arena_printf(ctx->arena, "%s/%05u-%015" PRIu64 SUFFIX, dir,
	    ctx->session->witness->incarnation, proof->index);
	if (dir == NULL || path == NULL || out == NULL ||
	    cdop_logproof_write(proof, out, TEXT_MAX, &text.len) != CDOP_OK)
		return;
	text.data = out;
	if (file_make_dir(dir) != CDOP_OK ||
	    file_put(path, &text, 1) != CDOP_OK)
		print_note(ctx, "the receipt cannot be kept on this computer");
	last.kept = true;
}

static const char *
keep_bad(struct cmd_ctx *ctx, struct cdop_bytes text)
{
	const char *dir = folder(ctx, true), *path;
	struct cdop_bytes id;
	uint8_t hash[8];

	cdop_secret_hash(hash, sizeof(hash), NULL, "", &text, 1);
	id.data = hash;
	id.len = sizeof(hash);
	path = cdop_arena_printf(
	    ctx->arena, "%s/bad-%s.txt", dir, print_hex(ctx->arena, id));
	if (dir == NULL || path == NULL || file_make_dir(dir) != CDOP_OK ||
	    file_replace(path, &text, 1) != CDOP_OK)
		return "(not kept: is the disk full?)";
	return path;
}

static enum exit_code
bad(struct cmd_ctx *ctx, struct cdop_bytes text, const char *what,
    const char *why)
{
	return cmd_fail(ctx, EXIT_INTEGRITY, "bad_receipt",
	    "ring the technical contact",
	    "%s does not hold: %s.  It is kept in %s", what, why,
	    keep_bad(ctx, text));
}

static void
remember(
    struct cmd_ctx *ctx, const struct call_send *send, const Cdop__Reply *reply)
{
	if (ctx->g.receipt == NULL || reply->receipt.len > sizeof(last.text) ||
	    (last.of_change && !send->method->change))
		return;
	memcpy(last.text, reply->receipt.data, reply->receipt.len);
	last.len = reply->receipt.len;
	last.of_change = send->method->change;
}

enum exit_code
receipt_take(
    struct cmd_ctx *ctx, const struct call_send *send, const Cdop__Reply *reply)
{
	struct cdop_bytes text = {reply->receipt.data, reply->receipt.len};
	struct cdop_logproof *proof;
	bool unknown = false;
	const char *why;

	if (!receipt_is_wanted(ctx, send))
		return EXIT_OK;
	if (!reply->has_receipt && reply->has_leaf_index &&
	    reply->leaf_index + 1 == last.leaf) {
		if (!send->method->change)
			return EXIT_OK; /* its leaf speaks for this, too */
		return cmd_fail(ctx, EXIT_INTEGRITY, "bad_receipt",
		    "ring the technical contact",
		    "the registry gave no receipt, and named the log entry of "
		    "another request");
	}
	if (!reply->has_receipt) {
		if (!last.missed)
			print_note(ctx,
			    "the registry gave no receipt: tell the panel's "
			    "office");
		last.missed = true;
		return EXIT_OK;
	}
	proof = cdop_arena_alloc(ctx->arena, sizeof(*proof));
	if (proof == NULL)
		return cmd_no_memory(ctx);
	why = cdop_logproof_parse(text, proof) != CDOP_OK
	    ? "it is none"
	    : judge(ctx, send, reply, proof, &unknown);
	if (why != NULL)
		return bad(
		    ctx, text, "the registry answered, and its receipt", why);
	if (unknown)
		print_note(ctx,
		    "the key of the log has turned just now: the receipt is "
		    "checked in the next session");
	remember(ctx, send, reply);
	last.leaf = proof->index + 1;
	if (send->method->change && !send->dry && reply->status == CDOP_OK)
		keep(ctx, proof, !unknown);
	return EXIT_OK;
}

void
receipt_of_refusal(
    struct cmd_ctx *ctx, const struct call_send *send, const Cdop__Reply *reply)
{
	struct cmd_error error = ctx->error;

	if (ctx->g.receipt != NULL)
		(void)receipt_take(ctx, send, reply);
	ctx->error = error;
}

/* ---- another day --------------------------------------------------------- */

/* By a key that the log had here until a restore took it back? */
static bool
is_of_lost(const struct witness *w, const struct cdop_logproof *proof,
    const uint8_t hash[static CDOP_MERKLE_HASH])
{
	struct cdop_note_key key;
	struct cdop_bytes vkey;
	size_t i;

	for (i = 0; i < w->n_lost; i++) {
		vkey.data = (const uint8_t *)w->lost[i];
		vkey.len = strlen(w->lost[i]);
		if (cdop_note_key_parse(vkey, &key) == CDOP_OK &&
		    cdop_logproof_check(proof, hash, &key, NULL) == CDOP_OK)
			return true;
	}
	return false;
}

/* NULL: it holds under one of the keys, or a restore has lost its own. */
static const char *
judge_again(struct cmd_ctx *ctx, const char *name, struct cdop_bytes text)
{
	const struct witness *w = ctx->session->witness;
	struct cdop_logproof *proof;
	struct cdop_note_key *key;
	struct cdop_bytes leaf;
	uint8_t hash[CDOP_MERKLE_HASH];
	enum cdop_err err = CDOP_NOT_FOUND;
	size_t n, i;

	proof = cdop_arena_alloc(ctx->arena, sizeof(*proof));
	if (proof == NULL || cdop_logproof_parse(text, proof) != CDOP_OK ||
	    proof->extra_len != CDOP_LEAF_LEN ||
	    witness_keys(ctx, w, &key, &n) != EXIT_OK)
		return "it is not whole";
	leaf.data = proof->extra;
	leaf.len = CDOP_LEAF_LEN;
	cdop_merkle_leaf(hash, leaf);
	for (i = 0; i < n && err == CDOP_NOT_FOUND; i++)
		err = cdop_logproof_check(proof, hash, &key[i], NULL);
	if (err == CDOP_NOT_FOUND)
		return strtoul(name, NULL, 10) != w->incarnation ||
			is_of_lost(w, proof, hash)
		    ? NULL
		    : "the log never had the key that has signed it";
	return err == CDOP_OK ? NULL
			      : "its signature or its proof does not hold";
}

static enum exit_code
look_again(struct cmd_ctx *ctx, const char *dir, const char *name)
{
	const char *from, *to, *why;
	struct cdop_bytes text;

	from = cdop_arena_printf(ctx->arena, "%s/%s", dir, name);
	to = cdop_arena_printf(ctx->arena, "%s/%s", folder(ctx, true), name);
	if (from == NULL || to == NULL ||
	    file_read(from, TEXT_MAX, ctx->arena, &text) != CDOP_OK)
		return EXIT_OK;
	if ((why = judge_again(ctx, name, text)) == NULL) {
		if (file_move(from, to) != CDOP_OK)
			print_note(ctx, "a receipt cannot be put away");
		return EXIT_OK;
	}
	(void)bad(ctx, text, "a receipt of another day", why);
	if (file_remove(from) != CDOP_OK)
		print_note(ctx, "a receipt cannot be put away");
	return EXIT_INTEGRITY;
}

enum exit_code
receipt_look_again(struct cmd_ctx *ctx)
{
	const char *dir = folder(ctx, false), **name;
	enum exit_code code = EXIT_OK;
	size_t n, i;

	if (ctx->session->witness == NULL || dir == NULL ||
	    ctx->session->welcome->state == CDOP__STATE__RESTORED ||
	    file_list(dir, SUFFIX, ctx->arena, &name, &n) != CDOP_OK)
		return EXIT_OK;
	for (i = 0; i < n && code == EXIT_OK; i++)
		code = look_again(ctx, dir, name[i]);
	return code;
}

/* Of the largest index; one that cannot be read is not this one's to say. */
bool
receipt_newest(struct cmd_ctx *ctx, const struct witness *w,
    struct cdop_checkpoint *ret_checkpoint, struct cdop_bytes *ret_note)
{
	const char *dir = folder(ctx, true), **name, *path;
	struct cdop_logproof *proof;
	struct cdop_bytes text;
	size_t n;

	proof = cdop_arena_alloc(ctx->arena, sizeof(*proof));
	if (dir == NULL || proof == NULL ||
	    file_list(dir, SUFFIX, ctx->arena, &name, &n) != CDOP_OK || n == 0)
		return false;
	path = cdop_arena_printf(ctx->arena, "%s/%s", dir, name[n - 1]);
	if (path == NULL ||
	    file_read(path, TEXT_MAX, ctx->arena, &text) != CDOP_OK ||
	    cdop_logproof_parse(text, proof) != CDOP_OK ||
	    cdop_checkpoint_open(proof->checkpoint, &w->key, ret_checkpoint) !=
		CDOP_OK)
		return false;
	*ret_note = proof->checkpoint;
	return !w->has_seen || ret_checkpoint->size > w->seen.size;
}

/* ---- afterwards ---------------------------------------------------------- */

static void
tidy(struct cmd_ctx *ctx)
{
	const char *dir = folder(ctx, true), **name, *path;
	size_t n, i;

	if (dir == NULL ||
	    file_list(dir, SUFFIX, ctx->arena, &name, &n) != CDOP_OK)
		return;
	for (i = 0; i + KEPT_MAX < n; i++) {
		path = cdop_arena_printf(ctx->arena, "%s/%s", dir, name[i]);
		if (path == NULL || file_remove(path) != CDOP_OK)
			return;
	}
}

enum exit_code
receipt_begin(struct cmd_ctx *ctx)
{
	enum cdop_err err;

	if (ctx->g.receipt == NULL)
		return EXIT_OK;
	if ((err = file_begin(ctx->g.receipt, &last.file)) == CDOP_OK)
		return EXIT_OK;
	if (err == CDOP_ALREADY_EXISTS)
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    "say the name of a new file",
		    "--receipt: %s is there already", ctx->g.receipt);
	return cmd_fail(ctx, EXIT_USAGE, NULL, "say a file that you may write",
	    "--receipt: %s cannot be made: %s", ctx->g.receipt,
	    strerror(errno));
}

enum exit_code
receipt_finish(struct cmd_ctx *ctx, enum exit_code code)
{
	struct cdop_bytes text = {last.text, last.len};

	if (last.kept)
		tidy(ctx);
	if (last.file.path == NULL)
		return code;
	if (last.len == 0) {
		file_give_up(&last.file);
		return code != EXIT_OK
		    ? code
		    : cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
			  "--receipt: no answer of the registry came with one");
	}
	if (file_finish(&last.file, &text, 1) == CDOP_OK)
		return code;
	if (code != EXIT_OK)
		return code;
	return cmd_fail(ctx, EXIT_UNEXPECTED, NULL,
	    "the answer stands; the receipt without its salt is kept",
	    "the receipt cannot be written to %s", ctx->g.receipt);
}

size_t
receipt_lost(struct cmd_ctx *ctx, const struct cdop_statement *statement)
{
	const char *dir = folder(ctx, true), **name;
	uint16_t incarnation;
	size_t n, i, lost = 0;
	unsigned long of;
	uint64_t index;
	char *end;

	if (!cdop_checkpoint_is_of(
		&statement->from, statement->registry, &incarnation) ||
	    dir == NULL ||
	    file_list(dir, SUFFIX, ctx->arena, &name, &n) != CDOP_OK)
		return 0;
	for (i = 0; i < n; i++) {
		of = strtoul(name[i], &end, 10);
		if (of < incarnation || *end != '-')
			continue;
		/* Of a later one: from what a restore takes back. */
		index = strtoull(end + 1, &end, 10);
		lost += of > incarnation || index >= statement->from.size;
	}
	return lost;
}
