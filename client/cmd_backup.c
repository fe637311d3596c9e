/* cdop backup: the registry as one sealed file, and which were taken. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cdop/backup.h"
#include "cdop/manifest.h"
#include "client/call.h"
#include "client/families.h"
#include "client/file.h"
#include "client/json.h"
#include "client/paged.h"
#include "client/pager.h"
#include "client/people.h"
#include "client/print.h"
#include "client/progress.h"
#include "client/prompt.h"
#include "client/session.h"
#include "client/witness.h"

#define COLUMNS 7

/* ---- create -------------------------------------------------------------- */

struct sink {
	const char *path;
	int fd;
	uint32_t number;
	uint64_t bytes;
	struct cdop_bytes manifest; /* empty until the last message */
	size_t used;                /* of the arena, after the first message */
	struct progress progress;
};

static enum exit_code
cannot_write(struct cmd_ctx *ctx, const struct sink *sink)
{
	return cmd_fail(ctx, EXIT_UNEXPECTED, NULL,
	    "is the disk full?  What there is of the file is removed",
	    "%s cannot be written: %s", sink->path, strerror(errno));
}

static bool
write_all(int fd, const uint8_t *data, size_t len)
{
	ssize_t n;

	for (; len > 0; data += n, len -= (size_t)n) {
		n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			n = 0;
		if (n < 0)
			return false;
	}
	return true;
}

static enum exit_code
does_not_hold(struct cmd_ctx *ctx, const char *why)
{
	return cmd_fail(ctx, EXIT_INTEGRITY, NULL,
	    "the file is removed; take another one, and tell the operator",
	    "the backup does not hold: %s", why);
}

static enum exit_code
take_part(struct cmd_ctx *ctx, const ProtobufCMessage *part, void *arg)
{
	const Cdop__BackupCreateReply *reply =
	    (const Cdop__BackupCreateReply *)part;
	struct sink *sink = arg;

	/* It lies behind what is wiped from part to part. */
	if (sink->manifest.len > 0)
		return does_not_hold(ctx, "it goes on behind its manifest");
	if (reply->has_number)
		sink->number = reply->number;
	if (reply->has_piece &&
	    !write_all(sink->fd, reply->piece.data, reply->piece.len))
		return cannot_write(ctx, sink);
	sink->bytes += reply->piece.len;
	if (progress_is_due(&sink->progress))
		progress_say(ctx, "%" PRIu64 " KiB", sink->bytes / 1024);
	if (reply->has_manifest) {
		sink->manifest = (struct cdop_bytes){
		    reply->manifest.data, reply->manifest.len};
		return EXIT_OK;
	}
	paged_pass(ctx, &sink->used, NULL);
	return EXIT_OK;
}

static enum exit_code
check_signature(struct cmd_ctx *ctx, const struct sink *sink)
{
	enum exit_code code;
	bool has;

	code = witness_has_signed(ctx, sink->manifest, &has);
	return code != EXIT_OK || has
	    ? code
	    : does_not_hold(ctx, "the log has not signed it");
}

/* Until then it is none for the registry (status, certificates). */
static enum exit_code
tell_kept(struct cmd_ctx *ctx, const struct sink *sink)
{
	Cdop__BackupKeptRequest request;
	Cdop__BackupKeptReply *reply;
	uint8_t hash[CDOP_MANIFEST_HASH];
	enum exit_code code;

	cdop_manifest_hash(hash, sink->manifest);
	cdop__backup_kept_request__init(&request);
	request.number = sink->number;
	request.manifest = (ProtobufCBinaryData){sizeof(hash), hash};
	code = call_backup_kept(ctx, &request, &reply);
	if (code != EXIT_OK)
		print_note(ctx,
		    "%s is whole, but the registry does not know: "
		    "cdopd verify %s --shares, then cdop backup proved %" PRIu32
		    " and the code that it prints",
		    sink->path, sink->path, sink->number);
	return code;
}

/* Every record of what lies on the disk now. */
static enum cdop_err
read_back(const char *path, const struct cdop_manifest *manifest)
{
	struct cdop_backup_record record;
	struct cdop_backup *backup;
	enum cdop_err err;

	if ((err = cdop_backup_open(path, &backup)) != CDOP_OK)
		return err;
	do
		err = cdop_backup_next(backup, &record);
	while (err == CDOP_OK && record.type != CDOP_BACKUP_END);
	if (err == CDOP_OK &&
	    (cdop_backup_length(backup) != manifest->bytes ||
		memcmp(cdop_backup_sha256(backup), manifest->sha256,
		    sizeof(manifest->sha256)) != 0))
		err = CDOP_DATA_LOSS;
	cdop_backup_close(backup);
	return err;
}

static enum exit_code
receive(struct cmd_ctx *ctx, struct sink *sink, struct cdop_manifest *manifest)
{
	Cdop__BackupCreateRequest request;
	const char *label = cmd_value(ctx, "--label");
	enum exit_code code;

	if (label == NULL) {
		label = strrchr(sink->path, '/');
		label = label == NULL ? sink->path : label + 1;
	}
	progress_begin(&sink->progress);
	cdop__backup_create_request__init(&request);
	request.label = cdop_arena_strdup(ctx->arena, label);
	code = call_stream(
	    ctx, CDOP_CALL_BackupCreate, &request.base, take_part, sink);
	if (code != EXIT_OK)
		return code;
	if (cdop_manifest_parse(sink->manifest, ctx->arena, manifest) !=
	    CDOP_OK)
		return does_not_hold(ctx, "it has no manifest");
	if (manifest->number != sink->number)
		return does_not_hold(ctx, "its manifest is that of another");
	if ((code = check_signature(ctx, sink)) != EXIT_OK)
		return code;
	if (fsync(sink->fd) != 0)
		return cannot_write(ctx, sink);
	if (read_back(sink->path, manifest) != CDOP_OK)
		return does_not_hold(ctx, "its bytes are not those it is of");
	return EXIT_OK;
}

static void
print_made(struct cmd_ctx *ctx, const struct sink *sink,
    const struct cdop_manifest *manifest)
{
	json_t *object;

	if (ctx->g.json) {
		object = print_envelope(ctx, "backup.create", true);
		(void)json_object_update_new(object,
		    json_pack("{s:I,s:s,s:I,s:I,s:I,s:I}", "number",
			(json_int_t)sink->number, "file", sink->path, "bytes",
			(json_int_t)sink->bytes, "rows",
			(json_int_t)manifest->rows, "cases",
			(json_int_t)manifest->cases, "log_entries",
			(json_int_t)manifest->checkpoint.size));
		print_json(object);
		return;
	}
	print_mode(ctx);
	print_out(ctx,
	    "backup %" PRIu32 " in %s: %" PRIu64 " cases, %" PRIu64
	    " rows, %" PRIu64 " KiB, up to log entry %" PRIu64,
	    sink->number, sink->path, manifest->cases, manifest->rows,
	    sink->bytes / 1024, manifest->checkpoint.size);
	print_out(ctx,
	    "It opens with the custodians' shares and with nothing "
	    "else. Prove it: cdopd verify %s --shares",
	    sink->path);
}

static enum exit_code
run_create(struct cmd_ctx *ctx)
{
	struct sink sink = {.path = ctx->pos[0]};
	struct cdop_manifest manifest;
	enum exit_code code;

	if ((code = session_open(ctx)) != EXIT_OK)
		return code;
	sink.fd = open(sink.path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (sink.fd < 0)
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    errno == EEXIST ? "say the name of a new file" : NULL,
		    "%s cannot be made: %s", sink.path, strerror(errno));
	code = receive(ctx, &sink, &manifest);
	if (close(sink.fd) != 0 && code == EXIT_OK)
		code = cannot_write(ctx, &sink);
	if (code != EXIT_OK) {
		(void)unlink(sink.path);
		return code;
	}
	if ((code = tell_kept(ctx, &sink)) == EXIT_OK)
		print_made(ctx, &sink, &manifest);
	return code;
}

/* ---- list ---------------------------------------------------------------- */

static const char *
name(const char *of)
{
	return of != NULL ? of : "?";
}

/* The shares that open it, though the registry opens with others now. */
static const char *
opens_with(struct cmd_ctx *ctx, const Cdop__BackupEntry *entry)
{
	const Cdop__BackupSlot *slot;
	const char *words = "";
	size_t i;

	if (entry->n_slot == 0)
		return "not known";
	for (i = 0; words != NULL && i < entry->n_slot; i++) {
		slot = entry->slot[i];
		words = cdop_arena_printf(ctx->arena,
		    "%s%s%u of the shares of %sslot %u", words,
		    i > 0 ? ", or " : "", slot->need,
		    slot->gone ? "the former " : "", slot->number);
	}
	if (words != NULL && entry->older_root)
		words =
		    cdop_arena_printf(ctx->arena, "%s (root of before)", words);
	return words;
}

static const char *
facts(struct cmd_ctx *ctx, const Cdop__BackupEntry *entry)
{
	struct cdop_manifest manifest;
	struct cdop_bytes note = {entry->manifest.data, entry->manifest.len};

	if (entry->has_destroyed_ms)
		return cdop_arena_printf(ctx->arena,
		    "said to be destroyed on %s by %s and %s",
		    print_time(ctx->arena, entry->destroyed_ms),
		    name(entry->destroyed_by), name(entry->destroyed_second));
	if (!entry->has_ended_ms || !entry->has_manifest ||
	    cdop_manifest_parse(note, ctx->arena, &manifest) != CDOP_OK)
		return "not known to be whole";
	return cdop_arena_printf(ctx->arena,
	    "%" PRIu64 " cases, %" PRIu64 " rows, up to log entry %" PRIu64,
	    manifest.cases, manifest.rows, manifest.checkpoint.size);
}

static const char *
proved(struct cmd_ctx *ctx, const Cdop__BackupEntry *entry)
{
	if (!entry->has_proved_ms)
		return "never";
	return cdop_arena_printf(ctx->arena, "%s%s",
	    print_time(ctx->arena, entry->proved_ms),
	    entry->by_code ? "" : ", by word");
}

static void
show(struct cmd_ctx *ctx, const Cdop__BackupListReply *reply)
{
	static const char *const head[COLUMNS] = {
	    "BACKUP", "BEGUN", "LABEL", "BY", "PROVED", "OPENS WITH", "WHAT"};
	const char **cell = cdop_arena_calloc(
	    ctx->arena, reply->n_backup * COLUMNS + 1, sizeof(*cell));
	const Cdop__BackupEntry *entry;
	const char **row = cell;
	size_t i;

	for (i = 0; cell != NULL && i < reply->n_backup; i++) {
		entry = reply->backup[i];
		if (ctx->g.json) {
			json_line(ctx, "backup.list", &entry->base);
			continue;
		}
		row[0] = cdop_arena_printf(ctx->arena, "%u", entry->number);
		row[1] = print_time(ctx->arena, entry->begun_ms);
		row[2] = entry->label;
		row[3] = entry->name;
		row[4] = proved(ctx, entry);
		row[5] = opens_with(ctx, entry);
		row[6] = facts(ctx, entry);
		row += COLUMNS;
	}
	if (cell != NULL && !ctx->g.json && reply->n_backup > 0)
		print_table(ctx, head, cell, COLUMNS, reply->n_backup);
}

static enum exit_code
run_list(struct cmd_ctx *ctx)
{
	Cdop__BackupListRequest request;
	Cdop__BackupListReply *reply;
	struct paged paged = {.of = "backups", .falls = true};
	enum exit_code code;
	size_t i, n = 0, used = 0;

	cdop__backup_list_request__init(&request);
	do {
		code = call_backup_list(ctx, &request, &reply);
		if (code != EXIT_OK)
			return code;
		pager_start(ctx);
		show(ctx, reply);
		i = reply->n_backup;
		n += i;
		code = paged_took(ctx, &paged,
		    i > 0 ? &reply->backup[i - 1]->number : NULL, reply->more);
		if (code != EXIT_OK)
			return code;
		request.has_before = paged.has_last;
		request.before = paged.last;
		paged_pass(ctx, &used, NULL);
	} while (paged.more);
	if (ctx->g.json)
		print_end(ctx, "backup.list", n);
	else if (n == 0)
		print_out(ctx, "No backup was ever taken.");
	return EXIT_OK;
}

/* ---- proved -------------------------------------------------------------- */

/* What cdopd verify has printed; of an old backup there is nothing. */
static enum exit_code
take_code(struct cmd_ctx *ctx, Cdop__BackupProvedRequest *request)
{
	uint8_t *proof;

	if (ctx->n_pos < 2)
		return EXIT_OK;
	proof = cdop_arena_alloc(ctx->arena, CDOP_MANIFEST_PROOF);
	if (proof == NULL)
		return cmd_fail(
		    ctx, EXIT_UNEXPECTED, NULL, NULL, "not enough memory");
	if (cdop_manifest_proof_parse(ctx->pos[1], proof) != CDOP_OK)
		return cmd_fail(ctx, EXIT_USAGE, "input_needed",
		    "it is like ABCD-EFGH-JKLM-NOPQ",
		    "that is not the code that cdopd verify prints");
	request->has_proof = true;
	request->proof = (ProtobufCBinaryData){CDOP_MANIFEST_PROOF, proof};
	return EXIT_OK;
}

static enum exit_code
run_proved(struct cmd_ctx *ctx)
{
	Cdop__BackupProvedRequest request;
	Cdop__BackupProvedReply *reply;
	enum exit_code code;
	uint64_t number;

	cdop__backup_proved_request__init(&request);
	code = cmd_number(ctx, "NUMBER", ctx->pos[0], UINT32_MAX, &number);
	if (code != EXIT_OK)
		return code;
	request.number = (uint32_t)number;
	if ((code = take_code(ctx, &request)) != EXIT_OK ||
	    (code = call_backup_proved(ctx, &request, &reply)) != EXIT_OK)
		return code;
	if (ctx->g.json) {
		json_line(ctx, "backup.proved", &reply->base);
		return EXIT_OK;
	}
	print_mode(ctx);
	print_out(ctx, "Noted: backup %u (%s) was proved on %s%s.",
	    reply->backup->number, reply->backup->label,
	    print_time(ctx->arena, reply->backup->proved_ms),
	    reply->backup->by_code ? "" : ", by word alone");
	return EXIT_OK;
}

static const struct cmd_opt create_opts[] = {
    {"--label", "TEXT", "what it is called; without it, the file's name",
	false},
    {NULL, NULL, NULL, false},
};

/* ---- destroyed ----------------------------------------------------------- */

static enum exit_code
run_destroyed(struct cmd_ctx *ctx)
{
	Cdop__BackupDestroyedRequest request;
	Cdop__BackupDestroyedReply *reply;
	const char *reason;
	enum exit_code code;
	uint64_t number;

	cdop__backup_destroyed_request__init(&request);
	code = cmd_number(ctx, "NUMBER", ctx->pos[0], UINT32_MAX, &number);
	if (code != EXIT_OK ||
	    (code = people_reason(ctx, &reason)) != EXIT_OK ||
	    (code = session_open(ctx)) != EXIT_OK)
		return code;
	request.number = (uint32_t)number;
	request.reason = cdop_arena_strdup(ctx->arena, reason);
	if (!ctx->g.json)
		print_mode(ctx);
	code = prompt_agree(ctx,
	    cdop_arena_printf(ctx->arena,
		"Say that there is no file any more of backup %u",
		request.number));
	if (code != EXIT_OK)
		return code;
	code = call_backup_destroyed(ctx, &request, &reply);
	if (code != EXIT_OK || !ctx->g.json)
		return code;
	json_line(ctx, "backup.destroyed", &reply->base);
	return EXIT_OK;
}

static const struct cmd_opt destroyed_opts[] = {
    {"--reason", "TEXT", "how and why", false},
    {"--yes", NULL, "do not ask", false},
    {NULL, NULL, NULL, false},
};

const struct cmd cmd_backup_rows[] = {
    {"backup create", "FILE", "the whole registry as one sealed file",
	"Taken while the registry serves. It opens with the custodians' "
	"shares only:\nneither the key file nor the passphrase of the "
	"registry opens it. The file is\nread back and held against the "
	"manifest that the log has signed; then the\nregistry is told that "
	"it is whole, and not before. One that does not hold is\nremoved.",
	"  cdop backup create /mnt/backup/2026-11-26.cdop", create_opts, 1, 1,
	0, NULL, run_create},
    {"backup proved", "NUMBER [CODE]", "say that a backup was opened elsewhere",
	"CODE is what cdopd verify FILE prints when every row has opened. "
	"Without the\nbackup and its shares nobody knows it, and the registry "
	"takes no other. A backup\nfrom before there were codes is proved by "
	"word alone, and the list says so.",
	"  cdop backup proved 3 ABCD-EFGH-JKLM-NOPQ", NULL, 1, 2, 0, NULL,
	run_proved},
    {"backup destroyed", "NUMBER",
	"say that a backup was destroyed; takes two people",
	"Certificates name it no more among those that hold what was erased, "
	"but who has\nsaid that it is gone; nothing proves it. Certificates "
	"that were issued before stay\nas they are.",
	"  cdop backup destroyed 3 --reason \"tape 7 was shredded\"",
	destroyed_opts, 1, 1, 0, NULL, run_destroyed},
    {"backup list", "", "the backups that were ever begun",
	"Each of them still has the keys of its day, and opens with the shares "
	"of its day:\nthose are named, though the slot may be gone here or the "
	"root another.",
	"  cdop backup list", NULL, 0, 0, 0, NULL, run_list},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
