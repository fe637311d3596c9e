/*
 * Backups: the file as a stream, and which were taken.  What is in it is
 * sealed, and the keys of today do not open it (server/vault/dump.h).
 */
#include <string.h>

#include "cdop/limits.h"
#include "cdop/manifest.h"
#include "cdop/secret.h"
#include "cdop/text.h"
#include "server/registry/backups.h"
#include "server/registry/people.h"
#include "server/registry/rotation.h"
#include "server/rpc/rpc_person.h"
#include "server/rpc/rpc_reason.h"
#include "server/vault/rows_slots.h"

/* Every message has a leaf, and its whole piece is copied twice. */
#define PIECE (512u << 10)

static enum cdop_err
refused(struct rpc_ctx *ctx, enum cdop_err err, enum backups_fault fault)
{
	switch (fault) {
	case BACKUPS_NO_SHARES:
		return rpc_fail(ctx, err, "no_share_slot",
		    "nothing could open it: a backup carries no slot but those "
		    "of shares; make one on the host: cdopd slot add");
	case BACKUPS_BUSY:
		return rpc_fail(ctx, err, "backup_runs",
		    "a backup is being taken: wait for its end, or for two "
		    "minutes if nobody takes it any more; one of somebody "
		    "else gives way to yours after half an hour");
	case BACKUPS_FULL:
		return rpc_fail(ctx, err, "too_many_backups",
		    "so many backups are known as can be: say of some that "
		    "they "
		    "are destroyed, and they make room (cdop backup "
		    "destroyed)");
	case BACKUPS_OFTEN:
		return rpc_fail(ctx, err, "too_many_backups",
		    "as many backups were begun within a day as may be, by "
		    "you or by all: wait until tomorrow");
	case BACKUPS_OVER:
		return rpc_fail(ctx, err, "backup_over",
		    "it was given up, as nobody took anything for two "
		    "minutes, or somebody else's took its place after half "
		    "an hour: begin again");
	case BACKUPS_TURNED:
		return rpc_fail(ctx, err, "keys_turned",
		    "keys were turned while it was taken: begin again");
	case BACKUPS_FAILED:
		return rpc_fail(ctx, err, "backup_failed",
		    "a row could not be read: the operator's log says which, "
		    "and cdopd verify looks at all of them");
	case BACKUPS_NOT_SENT:
		return rpc_fail(ctx, err, "backup_not_whole",
		    "it was not taken whole, so nobody can have opened it");
	case BACKUPS_CODE_NEEDED:
		return rpc_fail(ctx, err, "code_needed",
		    "it has a code, which cdopd verify FILE prints when every "
		    "row of it has opened");
	case BACKUPS_CODE_WRONG:
		return rpc_fail(ctx, err, "code_wrong",
		    "that is not what opening this backup gives: look at the "
		    "number, and at the code that cdopd verify FILE printed");
	case BACKUPS_CODE_USED:
		return rpc_fail(ctx, err, "code_used",
		    "it was proved with that code before (cdop backup list), "
		    "and the code is always the same: to prove another time "
		    "that backups open, open a newer one");
	case BACKUPS_NO_CODE:
		return rpc_fail(ctx, err, "no_code",
		    "it is older than codes are, and was said to be proved by "
		    "word alone: leave the code out");
	case BACKUPS_FINE:
	default:
		return err;
	}
}

/* Nobody writes a line of a list or a certificate with it. */
static enum cdop_err
check_label(struct rpc_ctx *ctx, const char *label)
{
	enum cdop_text_fault fault;
	const char *clean;
	enum cdop_err err;

	err =
	    cdop_text_clean(label, CDOP_TEXT_LINE, ctx->arena, &clean, &fault);
	if (err == CDOP_RESOURCE_EXHAUSTED)
		return err;
	if (err == CDOP_OK && *label != '\0' && strcmp(label, clean) == 0 &&
	    cdop_text_length(label) <= BACKUPS_LABEL_MAX)
		return CDOP_OK;
	rpc_violation(ctx, "label", "text_needed", CDOP__SEVERITY__ERROR,
	    "what the backup is called, in one line of at most 80 characters, "
	    "without control characters and blanks at its ends");
	return rpc_fail(
	    ctx, CDOP_INVALID_ARGUMENT, "text_needed", "it needs a label");
}

static enum cdop_err
begin(struct rpc_ctx *ctx, const Cdop__BackupCreateRequest *req,
    Cdop__BackupCreateReply *rep)
{
	enum backups_fault fault;
	uint32_t number;
	enum cdop_err err;

	if ((err = check_label(ctx, req->label)) != CDOP_OK)
		return err;
	err = backups_begin(ctx->reg->backups, ctx->arena, ctx->actor,
	    req->label, ctx->now_ms, &number, &fault);
	if (err != CDOP_OK)
		return refused(ctx, err, fault);
	rep->has_number = true;
	rep->number = number;
	ctx->next.at = number;
	ctx->next.backup = number;
	return CDOP_OK;
}

/* The manifest of the one whose last piece this is. */
static enum cdop_err
fill_manifest(
    struct rpc_ctx *ctx, uint32_t number, Cdop__BackupCreateReply *rep)
{
	const struct backups_entry *entry;

	entry = backups_find(ctx->reg->backups, number);
	if (entry == NULL)
		return CDOP_INTERNAL;
	rep->has_manifest = true;
	rep->manifest.data = (uint8_t *)(uintptr_t)entry->manifest.data;
	rep->manifest.len = entry->manifest.len;
	return CDOP_OK;
}

static enum cdop_err
go_on(struct rpc_ctx *ctx, Cdop__BackupCreateReply *rep)
{
	const uint32_t number = (uint32_t)ctx->stream.at;
	struct backups_piece piece = {.max = PIECE};
	enum backups_fault fault;
	enum cdop_err err;

	piece.out = cdop_arena_alloc(ctx->arena, PIECE);
	if (piece.out == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	err =
	    backups_take(ctx->reg->backups, ctx->arena, number, &piece, &fault);
	if (err != CDOP_OK)
		return refused(ctx, err, fault);
	rep->has_piece = true;
	rep->piece.data = piece.out;
	rep->piece.len = piece.len;
	ctx->count = piece.len;
	if (piece.end)
		return fill_manifest(ctx, number, rep);
	ctx->next.at = number;
	ctx->next.backup = number;
	return CDOP_OK;
}

enum cdop_err
rpc_backup_create(struct rpc_ctx *ctx, const Cdop__BackupCreateRequest *req,
    Cdop__BackupCreateReply *rep)
{
	return ctx->stream.at == 0 ? begin(ctx, req, rep) : go_on(ctx, rep);
}

/* ---- the list ------------------------------------------------------------ */

static char *
name_of(struct rpc_ctx *ctx, uint32_t number)
{
	const struct people_person *person;

	person = people_person(ctx->reg->people, number);
	return person == NULL ? NULL : (char *)(uintptr_t)person->name;
}

static enum cdop_err
fill_slot(struct rpc_ctx *ctx, const struct backups_slot *slot,
    Cdop__BackupSlot **ret_out)
{
	Cdop__BackupSlot *out;
	size_t at;

	out = cdop_arena_alloc(ctx->arena, sizeof(*out));
	if (out == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop__backup_slot__init(out);
	out->number = slot->number;
	out->need = slot->need;
	out->of = slot->of;
	out->gone = !rows_slots_find(ctx->reg->rows, slot->number, &at);
	*ret_out = out;
	return CDOP_OK;
}

/* Which shares open it, whatever the registry itself opens with today. */
static enum cdop_err
fill_opens(struct rpc_ctx *ctx, const struct backups_opens *opens,
    Cdop__BackupEntry *out)
{
	enum cdop_err err;
	size_t i;

	if (!opens->known)
		return CDOP_OK;
	out->has_older_root = true;
	out->older_root = opens->root != rotation_root(ctx->reg->rotation);
	out->slot =
	    cdop_arena_calloc(ctx->arena, BACKUPS_SLOTS, sizeof(*out->slot));
	if (out->slot == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < opens->n; i++) {
		err = fill_slot(ctx, &opens->slot[i], &out->slot[i]);
		if (err != CDOP_OK)
			return err;
		out->n_slot++;
	}
	return CDOP_OK;
}

static enum cdop_err
fill_entry(struct rpc_ctx *ctx, const struct backups_entry *entry,
    Cdop__BackupEntry **ret_out)
{
	Cdop__BackupEntry *out;

	out = cdop_arena_alloc(ctx->arena, sizeof(*out));
	if (out == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop__backup_entry__init(out);
	out->number = entry->number;
	out->label = entry->label;
	out->person = entry->person;
	out->name = name_of(ctx, entry->person);
	out->begun_ms = entry->begun_ms;
	out->has_ended_ms = entry->ended_ms != 0;
	out->ended_ms = entry->ended_ms;
	out->has_proved_ms = entry->proved_ms != 0;
	out->proved_ms = entry->proved_ms;
	out->proved_by = name_of(ctx, entry->proved_by);
	out->has_by_code = entry->proved_ms != 0;
	out->by_code = entry->by_code;
	out->has_destroyed_ms = entry->destroyed_ms != 0;
	out->destroyed_ms = entry->destroyed_ms;
	out->destroyed_by = name_of(ctx, entry->destroyed_by);
	out->destroyed_second = name_of(ctx, entry->destroyed_second);
	out->has_manifest = entry->manifest.len > 0 && entry->ended_ms != 0;
	out->manifest.data = (uint8_t *)(uintptr_t)entry->manifest.data;
	out->manifest.len = entry->manifest.len;
	*ret_out = out;
	return fill_opens(ctx, &entry->opens, out);
}

/* A page is not longer than a message: manifests may be. */
static bool
is_full(const Cdop__BackupListReply *rep, size_t bytes)
{
	return rep->n_backup == CDOP_LIST_MAX || bytes > CDOP_MESSAGE_MAX / 2;
}

enum cdop_err
rpc_backup_list(struct rpc_ctx *ctx, const Cdop__BackupListRequest *req,
    Cdop__BackupListReply *rep)
{
	const struct backups *backups = ctx->reg->backups;
	const struct backups_entry *entry;
	size_t i, bytes = 0;
	enum cdop_err err;

	rep->backup =
	    cdop_arena_calloc(ctx->arena, CDOP_LIST_MAX, sizeof(*rep->backup));
	if (rep->backup == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = backups_count(backups); i > 0; i--) {
		entry = backups_at(backups, i - 1);
		if (req->has_before && entry->number >= req->before)
			continue;
		if (is_full(rep, bytes)) {
			rep->more = true;
			break;
		}
		err = fill_entry(ctx, entry, &rep->backup[rep->n_backup]);
		if (err != CDOP_OK)
			return err;
		rep->n_backup++;
		bytes += entry->manifest.len;
	}
	return CDOP_OK;
}

/* ---- what is said of one ------------------------------------------------- */

enum cdop_err
rpc_backup_kept(struct rpc_ctx *ctx, const Cdop__BackupKeptRequest *req,
    Cdop__BackupKeptReply *rep)
{
	const struct backups_kept kept = {
	    .number = req->number,
	    .manifest = req->manifest.data,
	    .now_ms = ctx->now_ms,
	};
	enum cdop_err err = CDOP_OK;

	if (req->manifest.len != CDOP_MANIFEST_HASH)
		return rpc_fail(ctx, CDOP_INVALID_ARGUMENT, "bad_field",
		    "the hash of the manifest has 32 bytes");
	if (ctx->replay == NULL)
		err = backups_kept(
		    ctx->reg->backups, ctx->arena, ctx->actor, &kept);
	if (err == CDOP_NOT_FOUND)
		return rpc_fail(ctx, err, "no_such_backup",
		    "this device has begun no backup of that number");
	if (err == CDOP_FAILED_PRECONDITION)
		return rpc_fail(ctx, err, "backup_not_whole",
		    "not all of it was sent, so no file has all of it");
	if (err == CDOP_ABORTED)
		return rpc_fail(ctx, err, "backup_differs",
		    "what was sent has another manifest");
	if (err != CDOP_OK)
		return err;
	ctx->applied = ctx->replay == NULL;
	ctx->count = req->number;
	rep->number = req->number;
	return CDOP_OK;
}

enum cdop_err
rpc_backup_proved(struct rpc_ctx *ctx, const Cdop__BackupProvedRequest *req,
    Cdop__BackupProvedReply *rep)
{
	const struct backups_proof proof = {
	    .number = req->number,
	    .code = req->has_proof ? req->proof.data : NULL,
	    .now_ms = ctx->now_ms,
	};
	enum backups_fault fault = BACKUPS_FINE;
	const struct backups_entry *entry;
	enum cdop_err err = CDOP_OK;

	if (req->has_proof && req->proof.len != CDOP_MANIFEST_PROOF)
		return rpc_fail(ctx, CDOP_INVALID_ARGUMENT, "bad_field",
		    "the code of a backup has 10 bytes");
	if (ctx->replay == NULL)
		err = backups_prove(
		    ctx->reg->backups, ctx->arena, ctx->actor, &proof, &fault);
	if (err == CDOP_NOT_FOUND)
		return rpc_fail(ctx, err, "no_such_backup",
		    "no backup has that number: cdop backup list");
	if (fault != BACKUPS_FINE)
		return refused(ctx, err, fault);
	entry = backups_find(ctx->reg->backups, req->number);
	if (err != CDOP_OK || entry == NULL)
		return err != CDOP_OK ? err : CDOP_INTERNAL;
	ctx->applied = ctx->replay == NULL;
	ctx->count = req->number;
	return fill_entry(ctx, entry, &rep->backup);
}

/* ---- one that is no more --------------------------------------------------
 */

static enum cdop_err
check_destroyed(struct rpc_ctx *ctx, const Cdop__BackupDestroyedRequest *req,
    const struct backups_entry **ret_entry)
{
	enum cdop_err err;

	err = rpc_reason_check(ctx, req->reason, "it needs a reason");
	if (err != CDOP_OK)
		return err;
	*ret_entry = backups_find(ctx->reg->backups, req->number);
	if (*ret_entry == NULL)
		return rpc_fail(ctx, CDOP_NOT_FOUND, "no_such_backup",
		    "no backup has that number: cdop backup list");
	if ((*ret_entry)->destroyed_ms != 0)
		return rpc_fail(ctx, CDOP_FAILED_PRECONDITION, "already_so",
		    "it was said to be destroyed before");
	return CDOP_OK;
}

/* What is approved is that backup, as it was known when it was asked. */
static void
version_of(const struct backups_entry *entry, uint8_t ret_version[static 32])
{
	uint8_t plain[16];
	const struct cdop_bytes part = {plain, sizeof(plain)};

	cdop_put32(plain, entry->number);
	cdop_put32(plain + 4, entry->version);
	cdop_put64(plain + 8, entry->begun_ms);
	cdop_secret_hash(
	    ret_version, 32, NULL, "cdop-backup-destroyed/1", &part, 1);
}

static void
say(struct rpc_ctx *ctx, const char *words)
{
	rpc_second_words(ctx, words != NULL ? words : "(out of memory)");
}

static void
say_destroyed(struct rpc_ctx *ctx, const Cdop__BackupDestroyedRequest *req,
    const struct backups_entry *entry)
{
	say(ctx,
	    cdop_arena_printf(ctx->arena,
		"there is no file any more of backup %u \"%s\", begun on %s",
		entry->number, entry->label,
		rpc_person_day(ctx, entry->begun_ms)));
	say(ctx,
	    "nobody can prove that: a certificate names then the two of you, "
	    "and not the backup, and status counts it no more");
	say(ctx, cdop_arena_printf(ctx->arena, "reason: %s", req->reason));
}

static enum cdop_err
destroy(struct rpc_ctx *ctx, uint32_t number, Cdop__BackupDestroyedReply *rep)
{
	const struct backups_gone gone = {
	    .number = number,
	    .by = ctx->actor->person,
	    .second = ctx->second_person,
	    .now_ms = ctx->now_ms,
	};
	enum cdop_err err;

	err = backups_destroyed(ctx->reg->backups, ctx->arena, &gone);
	if (err != CDOP_OK)
		return err;
	ctx->applied = true;
	return fill_entry(
	    ctx, backups_find(ctx->reg->backups, number), &rep->backup);
}

enum cdop_err
rpc_backup_destroyed(struct rpc_ctx *ctx,
    const Cdop__BackupDestroyedRequest *req, Cdop__BackupDestroyedReply *rep)
{
	const struct backups_entry *entry = NULL;
	uint8_t version[32];
	enum cdop_err err;

	rep->number = req->number;
	if (ctx->replay != NULL)
		return CDOP_OK;
	if ((err = check_destroyed(ctx, req, &entry)) != CDOP_OK)
		return err;
	version_of(entry, version);
	ctx->audit_reason = req->reason;
	ctx->count = req->number;
	say_destroyed(ctx, req, entry);
	return rpc_second_may_apply(ctx, version)
	    ? destroy(ctx, req->number, rep)
	    : CDOP_OK;
}
