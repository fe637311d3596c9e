/* Request keys of the rows of a file. */
#include "client/import_keys.h"

#include <stdlib.h>
#include <string.h>

#include "client/file.h"
#include "client/print.h"
#include "client/sealed.h"
#include "client/session.h"
#include "client/spool.h"

#define SCRATCH_MAX ((size_t)64 << 20)
#define HASH_LEN    32

static const struct sealed_kind kind = {"cdop-import/1\n\0\0",
    "cdop-spool/1 import", &cdop__client_import__descriptor};

static const char *
path_of(struct cmd_ctx *ctx, const struct import_file *f)
{
	return cdop_arena_printf(ctx->arena, "%s.cdop-keys", f->stem);
}

/* One name for the file, however it is written on the command line. */
static const char *
real_stem(struct cmd_ctx *ctx, const struct import_file *f)
{
	const char *slash = strrchr(f->stem, '/');
	const char *name = slash != NULL ? slash + 1 : f->stem, *text = NULL;
	char *folder, *real;

	folder = slash == NULL ? cdop_arena_strdup(ctx->arena, ".")
	    : slash == f->stem ? cdop_arena_strdup(ctx->arena, "/")
			       : cdop_arena_strndup(ctx->arena, f->stem,
				     (size_t)(slash - f->stem));
	real = folder != NULL ? realpath(folder, NULL) : NULL;
	if (real != NULL)
		text = cdop_arena_printf(ctx->arena, "%s/%s", real, name);
	free(real);
	return text;
}

enum exit_code
import_keys_lock(
    struct cmd_ctx *ctx, const struct import_file *f, struct lock *ret_lock)
{
	const char *stem = real_stem(ctx, f), *path = NULL;
	struct cdop_bytes text, name;
	uint8_t hash[16];

	if (stem != NULL) {
		text.data = (const uint8_t *)stem;
		text.len = strlen(stem);
		cdop_secret_hash(
		    hash, sizeof(hash), NULL, "cdop-import-lock", &text, 1);
		name.data = hash;
		name.len = sizeof(hash);
		path = cdop_arena_printf(ctx->arena, "%s/import-%s.lock",
		    ctx->session->context.state, print_hex(ctx->arena, name));
	}
	if (path == NULL ||
	    file_make_dir(ctx->session->context.state) != CDOP_OK)
		return cmd_fail(ctx, EXIT_UNEXPECTED, NULL, NULL,
		    "%s cannot be locked against another cdop", f->path);
	return lock_take(ctx, path, "sends this file", LOCK_WAIT_MS, ret_lock);
}

/* ---- which of them it was ----------------------------------------------- */

/*
 * What was kept beside the file: by content, for people insert, delete and
 * sort rows.  Each entry belongs to one row at most.
 */
struct known {
	const struct cmd_ctx *ctx;
	const Cdop__ClientImportRow **row; /* sorted by hash, then number */
	bool *taken;
	size_t n;
};

static int
compare(const void *a, const void *b)
{
	const Cdop__ClientImportRow *one =
	    *(const Cdop__ClientImportRow *const *)a;
	const Cdop__ClientImportRow *two =
	    *(const Cdop__ClientImportRow *const *)b;
	int order = memcmp(one->hash.data, two->hash.data, HASH_LEN);

	if (order != 0)
		return order;
	return one->row < two->row ? -1 : one->row > two->row;
}

static enum cdop_err
known_make(
    struct cmd_ctx *ctx, const Cdop__ClientImport *state, struct known *known)
{
	struct cdop_arena *arena = ctx->arena;
	size_t i, n = state != NULL ? state->n_row : 0;

	memset(known, 0, sizeof(*known));
	known->ctx = ctx;
	known->row = cdop_arena_calloc(arena, n + 1, sizeof(const void *));
	known->taken = cdop_arena_calloc(arena, n + 1, sizeof(bool));
	if (known->row == NULL || known->taken == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < n; i++)
		if (state->row[i]->request_key.len == CDOP_REQUEST_KEY_LEN &&
		    state->row[i]->hash.len == HASH_LEN)
			known->row[known->n++] = state->row[i];
	qsort(known->row, known->n, sizeof(const void *), compare);
	return CDOP_OK;
}

/* The first entry of this content. */
static size_t
lower_bound(const struct known *known, const uint8_t *hash)
{
	size_t low = 0, high = known->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (memcmp(known->row[mid]->hash.data, hash, HASH_LEN) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The same row, wherever it stood; of several the one that stood here. */
static bool
find_same(const struct known *known, const struct import_row *row, size_t *ret)
{
	size_t i, found = known->n;

	for (i = lower_bound(known, row->hash); i < known->n &&
	     memcmp(known->row[i]->hash.data, row->hash, HASH_LEN) == 0;
	     i++) {
		if (known->taken[i])
			continue;
		if (found == known->n || known->row[i]->row == row->number)
			found = i;
	}
	*ret = found;
	return found < known->n;
}

/* What stood in its place and was never accepted: this row, corrected. */
static bool
find_corrected(
    const struct known *known, const struct import_row *row, size_t *ret)
{
	size_t i;

	for (i = 0; i < known->n; i++)
		if (!known->taken[i] && known->row[i]->row == row->number &&
		    known->row[i]->reference == NULL &&
		    !spool_key_is_old(
			known->ctx, known->row[i]->request_key.data)) {
			*ret = i;
			return true;
		}
	return false;
}

static void
take_key(struct known *known, size_t i, struct import_row *row)
{
	const Cdop__ClientImportRow *old = known->row[i];

	known->taken[i] = true;
	row->is_old = spool_key_is_old(known->ctx, old->request_key.data);
	/* A key that the registry is about to forget is not used again. */
	if (old->reference == NULL && row->is_old)
		return;
	memcpy(row->n.key, old->request_key.data, CDOP_REQUEST_KEY_LEN);
	row->reference = old->reference;
}

/*
 * The same row keeps its key for ever, so that sending it again changes
 * nothing.  A corrected row keeps it as long as nothing was accepted under
 * it.  First all that are the same: a row that moved up is no correction.
 */
static void
take_keys(struct known *known, struct import_file *f)
{
	size_t i, at;

	for (i = 0; i < f->n_rows; i++)
		if (find_same(known, &f->row[i], &at)) {
			take_key(known, at, &f->row[i]);
			f->row[i].kept = known->row[at];
		}
	for (i = 0; i < f->n_rows; i++)
		if (f->row[i].kept == NULL &&
		    find_corrected(known, &f->row[i], &at))
			take_key(known, at, &f->row[i]);
}

/* ---- what is kept ------------------------------------------------------- */

static Cdop__ClientImportRow *
state_row(struct cdop_arena *arena, struct import_row *row)
{
	Cdop__ClientImportRow *r = cdop_arena_alloc(arena, sizeof(*r));

	if (r == NULL)
		return NULL;
	cdop__client_import_row__init(r);
	/* Where it stood when it was sent first: that is in the request. */
	r->row = row->kept != NULL ? row->kept->row : row->number;
	r->hash.data = row->hash;
	r->hash.len = sizeof(row->hash);
	r->request_key.data = row->n.key;
	r->request_key.len = sizeof(row->n.key);
	memcpy(&r->reference, &row->reference, sizeof(r->reference));
	if (row->n.form == NULL && row->kept != NULL) {
		/* Not read yet: as it was. */
		r->decision = row->kept->decision;
		r->n_decision = row->kept->n_decision;
		r->override = row->kept->override;
		r->n_override = row->kept->n_override;
		return r;
	}
	r->decision = row->n.decision;
	r->n_decision = row->n.n_decisions;
	r->override = row->n.overrides.list;
	r->n_override = row->n.overrides.n;
	return r;
}

/*
 * All rows of this file, and what was kept of rows that are not in it: they
 * may come back.  Corrected ones have gone over into theirs.
 */
static enum cdop_err
write_rows(
    struct cmd_ctx *ctx, struct import_file *f, struct cdop_arena *scratch)
{
	Cdop__ClientImport state;
	size_t i;

	cdop__client_import__init(&state);
	state.registry_id = ctx->session->identity.open->registry_id;
	state.head = state.registry_id;
	state.row = cdop_arena_calloc(
	    scratch, f->n_rows + f->n_left + 1, sizeof(*state.row));
	if (state.row == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < f->n_rows; i++) {
		state.row[i] = state_row(scratch, &f->row[i]);
		if (state.row[i] == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
	}
	state.has_rejects = f->has_rejects;
	state.rejects.data = f->rejects;
	state.rejects.len = sizeof(f->rejects);
	state.n_row = f->n_rows;
	for (i = 0; i < f->n_left; i++)
		state.row[state.n_row++] =
		    (Cdop__ClientImportRow *)(uintptr_t)f->left[i];
	return sealed_write(ctx, &kind, path_of(ctx, f), &state.base);
}

enum exit_code
import_keys_save(struct cmd_ctx *ctx, struct import_file *f)
{
	struct cdop_arena *scratch;
	enum cdop_err err;

	if (f->is_stdin || cmd_flag(ctx, "--dry-run"))
		return EXIT_OK;
	/* Again and again during an import: of its own memory. */
	err = cdop_arena_new(SCRATCH_MAX, &scratch);
	if (err == CDOP_OK) {
		err = write_rows(ctx, f, scratch);
		cdop_arena_free(scratch);
	}
	if (err != CDOP_OK)
		return cmd_fail(ctx, EXIT_UNEXPECTED, NULL,
		    "copy the file to a folder that you can write to",
		    "the keys of the rows cannot be kept beside %s", f->path);
	return EXIT_OK;
}

/*
 * What another device has sent is not ours to send again: its keys would be
 * lost with the file, and a row could arrive twice.
 */
static enum exit_code
read_state(struct cmd_ctx *ctx, const struct import_file *f,
    const Cdop__ClientImport **ret_state)
{
	ProtobufCMessage *message = NULL;
	enum cdop_err err;

	err = sealed_read(ctx, &kind, path_of(ctx, f), &message);
	if (err == CDOP_NOT_FOUND)
		return EXIT_OK;
	if (err != CDOP_OK)
		return cmd_fail(ctx, EXIT_INTEGRITY, NULL,
		    "whoever sent it before goes on with it; where nobody "
		    "did, move the .cdop-keys file away",
		    "%s.cdop-keys is damaged, or of another device: its rows "
		    "may have been sent",
		    f->stem);
	*ret_state = (const Cdop__ClientImport *)message;
	return EXIT_OK;
}

/* Those that no row has, as many as a file may have rows. */
static enum cdop_err
keep_rest(
    const struct known *known, struct cdop_arena *arena, struct import_file *f)
{
	size_t i;

	f->left = cdop_arena_calloc(arena, known->n + 1, sizeof(const void *));
	if (f->left == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < known->n && f->n_left < CDOP_IMPORT_ROWS_MAX; i++)
		if (!known->taken[i])
			f->left[f->n_left++] = known->row[i];
	return CDOP_OK;
}

enum exit_code
import_keys_take(struct cmd_ctx *ctx, struct import_file *f)
{
	const Cdop__ClientImport *state = NULL;
	struct known known;
	enum exit_code code;
	size_t i;

	if (!f->is_stdin && (code = read_state(ctx, f, &state)) != EXIT_OK)
		return code;
	if (state != NULL && state->has_rejects &&
	    state->rejects.len == sizeof(f->rejects)) {
		memcpy(f->rejects, state->rejects.data, sizeof(f->rejects));
		f->has_rejects = true;
	}
	if (known_make(ctx, state, &known) != CDOP_OK)
		return cmd_no_memory(ctx);
	for (i = 0; i < f->n_rows; i++)
		spool_new_key(ctx, f->row[i].n.key);
	take_keys(&known, f);
	if (keep_rest(&known, ctx->arena, f) != CDOP_OK)
		return cmd_no_memory(ctx);
	return import_keys_save(ctx, f);
}
