/* Request keys of the rows of a file. */
#include "client/import_keys.h"

#include <string.h>

#include "client/sealed.h"
#include "client/session.h"
#include "client/spool.h"

#define SCRATCH_MAX ((size_t)64 << 20)

static const struct sealed_kind kind = {"cdop-import/1\n\0\0",
    "cdop-spool/1 import", &cdop__client_import__descriptor};

static const char *
path_of(struct cmd_ctx *ctx, const struct import_file *f)
{
	return cdop_arena_printf(ctx->arena, "%s.cdop-keys", f->stem);
}

static const Cdop__ClientImportRow *
find(const Cdop__ClientImport *state, unsigned number)
{
	size_t i;

	for (i = 0; state != NULL && i < state->n_row; i++)
		if (state->row[i]->row == number &&
		    state->row[i]->request_key.len == CDOP_REQUEST_KEY_LEN &&
		    state->row[i]->hash.len == 32)
			return state->row[i];
	return NULL;
}

/*
 * A corrected row keeps its key as long as nothing was accepted under it.
 * The same row keeps it for ever, so that sending it again changes nothing;
 * but a key that the registry is about to forget is not used again.
 */
static void
take_key(const Cdop__ClientImport *state, struct import_row *row)
{
	const Cdop__ClientImportRow *old = find(state, row->number);
	bool same;

	if (old == NULL)
		return;
	same = memcmp(old->hash.data, row->hash, 32) == 0;
	if (old->reference != NULL && !same)
		return;
	row->is_old = spool_key_is_old(old->request_key.data);
	if (old->reference == NULL && row->is_old)
		return;
	memcpy(row->n.key, old->request_key.data, CDOP_REQUEST_KEY_LEN);
	row->reference = old->reference;
	row->kept = same ? old : NULL;
}

static Cdop__ClientImportRow *
state_row(struct cdop_arena *arena, struct import_row *row)
{
	Cdop__ClientImportRow *r = cdop_arena_alloc(arena, sizeof(*r));

	if (r == NULL)
		return NULL;
	cdop__client_import_row__init(r);
	r->row = row->number;
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

/* All rows of this file, and those of the same name that are not in it. */
static enum cdop_err
write_rows(
    struct cmd_ctx *ctx, struct import_file *f, struct cdop_arena *scratch)
{
	size_t n_old = f->before != NULL ? f->before->n_row : 0, i;
	Cdop__ClientImport state;
	uint32_t number;
	bool *here;

	cdop__client_import__init(&state);
	state.registry_id = ctx->session->identity.open->registry_id;
	state.head = state.registry_id;
	here =
	    cdop_arena_calloc(scratch, CDOP_IMPORT_ROWS_MAX + 1, sizeof(*here));
	state.row = cdop_arena_calloc(
	    scratch, f->n_rows + n_old + 1, sizeof(*state.row));
	if (here == NULL || state.row == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < f->n_rows; i++) {
		state.row[i] = state_row(scratch, &f->row[i]);
		if (state.row[i] == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
		here[f->row[i].number] = true;
	}
	state.n_row = f->n_rows;
	for (i = 0; i < n_old; i++) {
		number = f->before->row[i]->row;
		if (number <= CDOP_IMPORT_ROWS_MAX && !here[number])
			state.row[state.n_row++] = f->before->row[i];
	}
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
read_state(struct cmd_ctx *ctx, struct import_file *f)
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
	f->before = (const Cdop__ClientImport *)message;
	return EXIT_OK;
}

enum exit_code
import_keys_take(struct cmd_ctx *ctx, struct import_file *f)
{
	enum exit_code code;
	size_t i;

	if (!f->is_stdin && (code = read_state(ctx, f)) != EXIT_OK)
		return code;
	for (i = 0; i < f->n_rows; i++) {
		spool_new_key(f->row[i].n.key);
		take_key(f->before, &f->row[i]);
	}
	return import_keys_save(ctx, f);
}
