/* cdop audit witness, audit export: what leaves the log's host as evidence. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cdop/secret.h"
#include "client/call.h"
#include "client/export.h"
#include "client/families.h"
#include "client/file.h"
#include "client/print.h"
#include "client/session.h"

#define COSIGNS      "cdop-witness/1"
#define COSIGNED_MAX (CDOP_NOTE_MAX + CDOP_NOTE_LINE_MAX)

static const char *
root_text(struct cmd_ctx *ctx, const struct cdop_checkpoint *tree)
{
	char text[CDOP_BASE64_LEN(CDOP_MERKLE_HASH) + 1];

	cdop_secret_base64(
	    (struct cdop_bytes){tree->root, CDOP_MERKLE_HASH}, text);
	return cdop_arena_strdup(ctx->arena, text);
}

/* Connected, and held against what was seen of the log. */
static enum exit_code
look(struct cmd_ctx *ctx)
{
	const struct witness *w;
	enum exit_code code;

	if ((code = session_open(ctx)) != EXIT_OK)
		return code;
	w = ctx->session->witness;
	if (w == NULL)
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    "a device that is enrolled now pins one",
		    "this computer was enrolled before the log had a key");
	if (!w->has_seen || w->note.len == 0)
		return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
		    "the registry shows no log now");
	return EXIT_OK;
}

/* ---- audit witness ------------------------------------------------------- */

/*
 * The key with which this device co-signs: its own, and nobody learns from it
 * which the static key is.
 */
static enum exit_code
make_signer(struct cmd_ctx *ctx, struct cdop_note_signer *signer)
{
	const struct identity *identity = &ctx->session->identity;
	uint8_t seed[CDOP_NOTE_SEED_LEN];
	const char *name = cdop_arena_printf(ctx->arena, "%s/device/%" PRIu32,
	    print_hex(ctx->arena,
		(struct cdop_bytes){identity->open->registry_id.data,
		    identity->open->registry_id.len}),
	    identity->open->device);
	enum cdop_err err;

	identity_subkey(identity, COSIGNS, seed);
	err = name == NULL
	    ? CDOP_RESOURCE_EXHAUSTED
	    : cdop_note_signer_init(signer, name, CDOP_NOTE_COSIGNATURE, seed);
	cdop_secret_wipe(seed, sizeof(seed));
	return err == CDOP_OK ? EXIT_OK : cmd_no_memory(ctx);
}

static enum exit_code
cosign(struct cmd_ctx *ctx, struct cdop_note_key *ret_key,
    struct cdop_bytes *ret_note)
{
	const struct witness *w = ctx->session->witness;
	uint8_t *out = cdop_arena_alloc(ctx->arena, COSIGNED_MAX);
	struct cdop_note_signer *signer =
	    cdop_arena_alloc(ctx->arena, sizeof(*signer));
	enum exit_code code;
	enum cdop_err err;

	if (out == NULL || signer == NULL)
		return cmd_no_memory(ctx);
	if ((code = make_signer(ctx, signer)) != EXIT_OK)
		return code;
	err = cdop_note_add(w->note, signer, (uint64_t)time(NULL), out,
	    COSIGNED_MAX, &ret_note->len);
	*ret_key = signer->key;
	ret_note->data = out;
	cdop_note_signer_wipe(signer);
	return err == CDOP_OK ? EXIT_OK
			      : cmd_fail(ctx, EXIT_UNEXPECTED, NULL, NULL,
				    "the checkpoint cannot be co-signed");
}

static void
tell(struct cmd_ctx *ctx, const struct cdop_note_key *key,
    const Cdop__WitnessSubmitReply *reply)
{
	const struct cdop_checkpoint *seen = &ctx->session->witness->seen;
	json_t *object;

	if (ctx->g.json) {
		object = print_envelope(ctx, "audit.witness", true);
		(void)json_object_update_new(object,
		    json_pack("{s:s,s:s,s:I,s:s,s:I}", "file", ctx->pos[0],
			"key", witness_vkey(ctx->arena, key), "size",
			(json_int_t)seen->size, "root", root_text(ctx, seen),
			"newest_size", (json_int_t)reply->size));
		print_json(object);
		return;
	}
	print_out(ctx, "%s: the log had %" PRIu64 " entries, root %s",
	    ctx->pos[0], seen->size, root_text(ctx, seen));
	print_out(
	    ctx, "your key as a witness: %s", witness_vkey(ctx->arena, key));
	print_out(ctx,
	    "Keep the file away from this computer and from the registry.");
}

static enum exit_code
run_witness(struct cmd_ctx *ctx)
{
	Cdop__WitnessSubmitRequest request;
	Cdop__WitnessSubmitReply *reply;
	struct cdop_note_key key;
	struct cdop_bytes note;
	enum exit_code code;

	if (file_exists(ctx->pos[0]))
		return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
		    "%s is there already", ctx->pos[0]);
	if ((code = look(ctx)) != EXIT_OK ||
	    (code = cosign(ctx, &key, &note)) != EXIT_OK)
		return code;
	if (file_create(ctx->pos[0], &note, 1) != CDOP_OK)
		return cmd_fail(ctx, EXIT_UNEXPECTED, NULL, NULL,
		    "%s cannot be written: %s", ctx->pos[0], strerror(errno));
	cdop__witness_submit_request__init(&request);
	memcpy(&request.note.data, &note.data, sizeof(request.note.data));
	request.note.len = note.len;
	request.vkey =
	    cdop_arena_strdup(ctx->arena, witness_vkey(ctx->arena, &key));
	code = call_witness_submit(ctx, &request, &reply);
	if (code == EXIT_OK)
		tell(ctx, &key, reply);
	else if (code != EXIT_OUTCOME) /* the same can be said again */
		(void)unlink(ctx->pos[0]);
	return code;
}

/* ---- audit export -------------------------------------------------------- */

static void
told(struct cmd_ctx *ctx, const struct export_log *log)
{
	const struct cdop_checkpoint *tree = &log->checkpoint;
	json_t *object;

	if (ctx->g.json) {
		object = print_envelope(ctx, "audit.export", true);
		(void)json_object_update_new(object,
		    json_pack("{s:s,s:s,s:s,s:I,s:s,s:I}", "folder",
			ctx->pos[0], "origin", tree->origin, "key",
			witness_vkey(ctx->arena, &log->key), "size",
			(json_int_t)tree->size, "root", root_text(ctx, tree),
			"statements", (json_int_t)log->statements));
		print_json(object);
		return;
	}
	print_out(ctx, "%s: the log %s, whole, %" PRIu64 " entries",
	    ctx->pos[0], tree->origin, tree->size);
	print_out(ctx, "  it begins with all that this computer has seen");
	print_out(ctx, "  cdop audit verify %s --key %s", ctx->pos[0],
	    witness_vkey(ctx->arena, &log->key));
}

static enum exit_code
run_export(struct cmd_ctx *ctx)
{
	Cdop__AuditExportRequest request;
	const struct witness *w;
	struct export_held seen;
	struct export_sink sink;
	struct export_log log;
	enum exit_code code;

	if ((code = look(ctx)) != EXIT_OK ||
	    (code = export_begin(ctx, ctx->pos[0], &sink)) != EXIT_OK)
		return code;
	cdop__audit_export_request__init(&request);
	code = call_stream(
	    ctx, CDOP_CALL_AuditExport, &request.base, export_part, &sink);
	if (code != EXIT_OK || (code = export_end(ctx, &sink)) != EXIT_OK)
		return code;
	w = ctx->session->witness;
	seen.name = "what this computer has seen";
	seen.text = w->note;
	code = export_verify(ctx, ctx->pos[0], &w->key, &seen, 1, &log);
	if (code == EXIT_OK)
		told(ctx, &log);
	return code;
}

/* ---- audit compare --------------------------------------------------------
 */

static enum exit_code
run_compare(struct cmd_ctx *ctx)
{
	const struct witness *w;
	enum exit_code code;
	json_t *object;

	if ((code = session_load(ctx)) != EXIT_OK)
		return code;
	if (file_read(ctx->pos[0], COSIGNED_MAX, ctx->arena,
		&ctx->session->compared) != CDOP_OK)
		return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
		    "%s cannot be read: %s", ctx->pos[0], strerror(errno));
	if (ctx->session->compared.len == 0)
		return cmd_fail(
		    ctx, EXIT_USAGE, NULL, NULL, "%s is empty", ctx->pos[0]);
	if ((code = look(ctx)) != EXIT_OK)
		return code;
	w = ctx->session->witness;
	if (!ctx->g.json) {
		print_out(ctx,
		    "%s: its %" PRIu64 " entries are the beginning of the log, "
		    "which has %" PRIu64 " now",
		    ctx->pos[0], w->receipt.size, w->seen.size);
		return EXIT_OK;
	}
	object = print_envelope(ctx, "audit.compare", true);
	(void)json_object_update_new(object,
	    json_pack("{s:s,s:I,s:s,s:I,s:s}", "file", ctx->pos[0], "size",
		(json_int_t)w->receipt.size, "root",
		root_text(ctx, &w->receipt), "now_size",
		(json_int_t)w->seen.size, "now_root",
		root_text(ctx, &w->seen)));
	print_json(object);
	return EXIT_OK;
}

const struct cmd cmd_witness_rows[] = {
    {"audit witness", "FILE", "co-sign the log as it is now, and keep it",
	"Writes the newest checkpoint of the log, with your own signature on "
	"it, and\nhands it in. No log that is shorter or another one can be "
	"shown after that\nwithout being found out by whoever has the file.",
	"  cdop audit witness log-2026-11-02.note", NULL, 1, 1, 0, NULL,
	run_witness},
    {"audit compare", "FILE", "does the log begin with what somebody else saw",
	"FILE is a note that another computer has: of cdop audit witness, or "
	"one that was\nkept. Where two were shown two logs, this is how they "
	"find out: exit code 13,\nand both notes are kept. It takes no role.",
	"  cdop audit compare log-of-dora.note", NULL, 1, 1, 0, NULL,
	run_compare},
    {"audit export", "DIR", "the whole log into a folder, for others to check",
	"Entries without a name or a word in them, and what proves that they "
	"are all.\nIt is checked at once, as cdop audit verify does.",
	"  cdop audit export log-2026-11", NULL, 1, 1, 0, NULL, run_export},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
