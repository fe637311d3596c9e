/* cdop audit check-receipt, audit verify: evidence, judged where it lies. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cdop/leaf.h"
#include "cdop/logproof.h"
#include "client/audit_words.h"
#include "client/call.h"
#include "client/export.h"
#include "client/families.h"
#include "client/file.h"
#include "client/json.h"
#include "client/print.h"
#include "client/session.h"
#include "client/witness.h"

#define RECEIPT_MAX CDOP_LOGPROOF_MAX(CDOP_NOTE_MAX)

/* ---- the key ------------------------------------------------------------- */

static enum exit_code
key_given(struct cmd_ctx *ctx, const char *vkey, struct cdop_note_key *ret_key)
{
	struct cdop_bytes text = {(const uint8_t *)vkey, strlen(vkey)};

	if (cdop_note_key_parse(text, ret_key) != CDOP_OK ||
	    ret_key->type != CDOP_NOTE_ED25519)
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    "it is one word, like \"name/1+c74f20a3+ARpc...\"",
		    "--key: this is not the key of a log");
	return EXIT_OK;
}

/* Those that were followed from the one that was pinned at enrolment. */
static enum exit_code
keys_followed(
    struct cmd_ctx *ctx, struct cdop_note_key **ret_key, size_t *ret_n)
{
	enum exit_code code;

	if ((code = session_unlock(ctx)) != EXIT_OK ||
	    (code = session_hold(ctx)) != EXIT_OK)
		return code;
	code = witness_load(ctx);
	session_release(ctx);
	if (code != EXIT_OK)
		return code;
	if (ctx->session->witness == NULL)
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    "cdop audit check-receipt FILE --key VKEY",
		    "this computer has pinned no key of the log");
	return witness_keys(ctx, ctx->session->witness, ret_key, ret_n);
}

static const char *
base64(struct cmd_ctx *ctx, const uint8_t hash[static CDOP_MERKLE_HASH])
{
	char text[CDOP_BASE64_LEN(CDOP_MERKLE_HASH) + 1];

	cdop_secret_base64((struct cdop_bytes){hash, CDOP_MERKLE_HASH}, text);
	return cdop_arena_strdup(ctx->arena, text);
}

/* What both commands say of the log. */
static void
add_checkpoint(struct cmd_ctx *ctx, json_t *object,
    const struct cdop_note_key *key, const struct cdop_checkpoint *checkpoint)
{
	(void)json_object_update_new(object,
	    json_pack("{s:s,s:s,s:I,s:s}", "origin", checkpoint->origin, "key",
		witness_vkey(ctx->arena, key), "size",
		(json_int_t)checkpoint->size, "root",
		base64(ctx, checkpoint->root)));
}

/* ---- audit check-receipt ------------------------------------------------- */

struct receipt {
	struct cdop_logproof proof;
	struct cdop_leaf leaf;
	struct cdop_note_key *key; /* the first that has signed it counts */
	size_t n_key;
	struct cdop_checkpoint checkpoint;
};

static enum exit_code
does_not_hold(struct cmd_ctx *ctx, const char *why)
{
	return cmd_fail(ctx, EXIT_INTEGRITY, NULL,
	    "keep the file as it is: it may be evidence",
	    "the receipt does not hold: %s", why);
}

static enum exit_code
read_receipt(struct cmd_ctx *ctx, struct receipt *r)
{
	struct cdop_bytes file, leaf;

	if (file_read(ctx->pos[0], RECEIPT_MAX, ctx->arena, &file) != CDOP_OK)
		return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
		    "the receipt %s cannot be read: %s", ctx->pos[0],
		    strerror(errno));
	if (cdop_logproof_parse(file, &r->proof) != CDOP_OK)
		return does_not_hold(ctx, "this is none, or it was changed");
	leaf = (struct cdop_bytes){r->proof.extra, CDOP_LEAF_LEN};
	if ((r->proof.extra_len != CDOP_LEAF_LEN &&
		r->proof.extra_len != CDOP_LEAF_RECEIPT_LEN) ||
	    cdop_leaf_parse(leaf, &r->leaf) != CDOP_OK)
		return does_not_hold(ctx, "there is no log entry in it");
	if (r->leaf.index != r->proof.index ||
	    r->leaf.size_before != r->proof.index)
		return does_not_hold(ctx, "its entry has another place");
	return EXIT_OK;
}

static enum exit_code
check_receipt(struct cmd_ctx *ctx, struct receipt *r)
{
	struct cdop_bytes leaf = {r->proof.extra, CDOP_LEAF_LEN};
	uint8_t hash[CDOP_MERKLE_HASH];
	enum cdop_err err;

	cdop_merkle_leaf(hash, leaf);
	err = cdop_logproof_check(&r->proof, hash, r->key, &r->checkpoint);
	for (; err == CDOP_NOT_FOUND && r->n_key > 1; r->n_key--)
		err = cdop_logproof_check(
		    &r->proof, hash, ++r->key, &r->checkpoint);
	if (err == CDOP_NOT_FOUND)
		return does_not_hold(ctx, "another key has signed it, or none");
	if (err == CDOP_DATA_LOSS)
		return does_not_hold(ctx,
		    "the signature is wrong, or the entry is not in the log");
	if (err != CDOP_OK)
		return does_not_hold(ctx, "there is no checkpoint in it");
	return EXIT_OK;
}

static const char *
call_words(struct cmd_ctx *ctx, const struct cdop_leaf *leaf)
{
	const struct call_method *method = call_method(leaf->call);

	if (leaf->kind == CDOP_LEAF_STATEMENT)
		return "statement";
	if (leaf->kind == CDOP_LEAF_CALL && method != NULL)
		return method->name;
	return cdop_arena_printf(ctx->arena, "%s %" PRIu32,
	    leaf->kind == CDOP_LEAF_CALL ? "call" : "event", leaf->call);
}

/* A leaf does not show which of the two it was. */
static bool
may_be_dry(const struct cdop_leaf *leaf)
{
	const struct call_method *method = call_method(leaf->call);

	return leaf->kind == CDOP_LEAF_CALL && method != NULL &&
	    protobuf_c_message_descriptor_get_field_by_name(
		method->request, "dry_run") != NULL;
}

/* "asked for: lift a legal hold (HoldLift)": done it was not yet. */
static const char *
deed_words(struct cmd_ctx *ctx, const struct cdop_leaf *leaf)
{
	const char *call = call_words(ctx, leaf), *deed;
	Cdop__AuditEntry entry;

	cdop__audit_entry__init(&entry);
	entry.call = cdop_arena_strdup(ctx->arena, call);
	entry.outcome = leaf->answered;
	deed = entry.call != NULL ? audit_words_deed(ctx, &entry) : call;
	return deed == entry.call || deed == NULL
	    ? call
	    : cdop_arena_printf(ctx->arena, "%s%s (%s)", deed,
		  may_be_dry(leaf) ? ", or tried it with --dry-run" : "", call);
}

static void
show_receipt(struct cmd_ctx *ctx, const struct receipt *r)
{
	const struct cdop_leaf *leaf = &r->leaf;

	print_out(ctx, "entry %" PRIu64 " is in the log %s, under its key",
	    leaf->index, r->checkpoint.origin);
	print_out(ctx, "  %s, %s, answered: %s", deed_words(ctx, leaf),
	    print_time(ctx->arena, leaf->time_ms),
	    exit_words((unsigned)exit_code_of(leaf->answered, NULL, false)));
	print_out(ctx, "  device %s",
	    print_hex(ctx->arena,
		(struct cdop_bytes){leaf->actor, sizeof(leaf->actor)}));
	print_out(ctx, "  signed when the log had %" PRIu64 " entries, root %s",
	    r->checkpoint.size, base64(ctx, r->checkpoint.root));
}

static void
print_receipt(struct cmd_ctx *ctx, const struct receipt *r)
{
	json_t *object = print_envelope(ctx, "audit.check-receipt", true);
	const struct cdop_leaf *leaf = &r->leaf;

	add_checkpoint(ctx, object, r->key, &r->checkpoint);
	(void)json_object_update_new(object,
	    json_pack("{s:I,s:s,s:s,s:o,s:s,s:s,s:b}", "index",
		(json_int_t)leaf->index, "at",
		print_utc(ctx->arena, leaf->time_ms), "call",
		call_words(ctx, leaf), "answered", json_status(leaf->answered),
		"device",
		print_hex(ctx->arena,
		    (struct cdop_bytes){leaf->actor, sizeof(leaf->actor)}),
		"session",
		print_hex(ctx->arena,
		    (struct cdop_bytes){leaf->session, sizeof(leaf->session)}),
		"salted", r->proof.extra_len == CDOP_LEAF_RECEIPT_LEN));
	print_json(object);
}

static enum exit_code
run_check_receipt(struct cmd_ctx *ctx)
{
	const char *vkey = cmd_value(ctx, "--key");
	struct cdop_note_key given;
	enum exit_code code;
	struct receipt *r;

	r = cdop_arena_alloc(ctx->arena, sizeof(*r));
	if (r == NULL)
		return cmd_no_memory(ctx);
	r->key = &given;
	r->n_key = 1;
	code = vkey != NULL ? key_given(ctx, vkey, &given)
			    : keys_followed(ctx, &r->key, &r->n_key);
	if (code != EXIT_OK || (code = read_receipt(ctx, r)) != EXIT_OK ||
	    (code = check_receipt(ctx, r)) != EXIT_OK)
		return code;
	if (ctx->g.json)
		print_receipt(ctx, r);
	else
		show_receipt(ctx, r);
	return EXIT_OK;
}

/* ---- audit verify -------------------------------------------------------- */

static void
show_log(struct cmd_ctx *ctx, const struct export_log *log, bool followed)
{
	print_out(ctx, "the log %s is whole: %" PRIu64 " entries",
	    log->checkpoint.origin, log->checkpoint.size);
	if (log->checkpoint.size > 0)
		print_out(ctx, "  from %s to %s",
		    print_time(ctx->arena, log->first_ms),
		    print_time(ctx->arena, log->last_ms));
	print_out(ctx, "  root %s", base64(ctx, log->checkpoint.root));
	if (log->statements > 0)
		print_out(ctx, "  statements: %zu", log->statements);
	if (followed)
		print_out(ctx, "  its key of today, as statements say: %s",
		    witness_vkey(ctx->arena, &log->key));
}

static void
show_held(struct cmd_ctx *ctx, const struct export_held *held, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		print_out(ctx, "  %s: its beginning, of %" PRIu64 " entries",
		    held[i].name, held[i].tree.size);
}

/* The files of --with. */
static enum exit_code
read_held(struct cmd_ctx *ctx, struct export_held **ret_held, size_t *ret_n)
{
	struct export_held *held;
	const char *name;
	size_t n = 0;

	held = cdop_arena_calloc(ctx->arena, CMD_VALUES_MAX, sizeof(*held));
	if (held == NULL)
		return cmd_no_memory(ctx);
	for (; (name = cmd_value_at(ctx, "--with", n)) != NULL; n++) {
		held[n].name = name;
		if (file_read(name, RECEIPT_MAX, ctx->arena, &held[n].text) !=
		    CDOP_OK)
			return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
			    "%s cannot be read: %s", name, strerror(errno));
	}
	*ret_held = held;
	*ret_n = n;
	return EXIT_OK;
}

static void
print_log(struct cmd_ctx *ctx, const struct export_log *log,
    const struct export_held *held, size_t n)
{
	json_t *object = print_envelope(ctx, "audit.verify", true);
	json_t *with = json_array();
	bool any = log->checkpoint.size > 0;
	size_t i;

	for (i = 0; i < n; i++)
		(void)json_array_append_new(with,
		    json_pack("{s:s,s:I}", "file", held[i].name, "size",
			(json_int_t)held[i].tree.size));

	add_checkpoint(ctx, object, &log->key, &log->checkpoint);
	(void)json_object_update_new(object,
	    json_pack("{s:o,s:I,s:s?,s:s?}", "with", with, "statements",
		(json_int_t)log->statements, "first_at",
		any ? print_utc(ctx->arena, log->first_ms) : NULL, "last_at",
		any ? print_utc(ctx->arena, log->last_ms) : NULL));
	print_json(object);
}

static enum exit_code
run_verify(struct cmd_ctx *ctx)
{
	const char *vkey = cmd_value(ctx, "--key");
	struct export_held *held = NULL;
	struct cdop_note_key key;
	struct export_log log;
	enum exit_code code;
	size_t n = 0;

	if (vkey == NULL)
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    "cdop audit verify DIR --key VKEY",
		    "--key says whose log it has to be");
	if ((code = key_given(ctx, vkey, &key)) != EXIT_OK ||
	    (code = read_held(ctx, &held, &n)) != EXIT_OK ||
	    (code = export_verify(ctx, ctx->pos[0], &key, held, n, &log)) !=
		EXIT_OK)
		return code;
	if (ctx->g.json)
		print_log(ctx, &log, held, n);
	else
		show_log(ctx, &log, memcmp(&log.key, &key, sizeof(key)) != 0);
	if (!ctx->g.json)
		show_held(ctx, held, n);
	return EXIT_OK;
}

static const struct cmd_opt receipt_opts[] = {
    {"--key", "VKEY", "of the log; without it, those known here", false},
    {NULL, NULL, NULL, false},
};

static const struct cmd_opt verify_opts[] = {
    {"--key", "VKEY", "of the log, now or at any time before", false},
    {"--with", "FILE", "a checkpoint or receipt that has to be of it", true},
    {NULL, NULL, NULL, false},
};

const struct cmd cmd_log_rows[] = {
    {"audit check-receipt", "FILE", "does this receipt prove its log entry",
	"Needs no registry and, with --key, no identity. Exit code 13: it "
	"does not hold.",
	"  cdop audit check-receipt receipt.tlog-proof", receipt_opts, 1, 1, 0,
	NULL, run_check_receipt},
    {"audit verify", "DIR", "is this exported log whole and under its key",
	"Needs no registry and no identity. Exit code 13: it does not hold, "
	"and which file does not.",
	"  cdop audit verify log-2026-11 --key 0f3a...91/1+c74f20a3+ARpc...",
	verify_opts, 1, 1, CMD_PLAIN, NULL, run_verify},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
