/* Request keys of the rows of a file. */
#include "client/import_keys.h"

#include <string.h>

#include "client/sealed.h"
#include "client/session.h"
#include "client/spool.h"

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
state_row(struct cmd_ctx *ctx, struct import_row *row)
{
	Cdop__ClientImportRow *r = cdop_arena_alloc(ctx->arena, sizeof(*r));

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

static bool
is_here(const struct import_file *f, unsigned number)
{
	size_t i;

	for (i = 0; i < f->n_rows; i++)
		if (f->row[i].number == number)
			return true;
	return false;
}

static enum exit_code
write_state(
    struct cmd_ctx *ctx, struct import_file *f, const Cdop__ClientImport *old)
{
	size_t n_old = old != NULL ? old->n_row : 0, i;
	Cdop__ClientImport state;

	cdop__client_import__init(&state);
	state.registry_id = ctx->session->identity.open->registry_id;
	state.head = state.registry_id;
	state.row = cdop_arena_calloc(
	    ctx->arena, f->n_rows + n_old + 1, sizeof(*state.row));
	for (i = 0; state.row != NULL && i < f->n_rows; i++)
		if ((state.row[state.n_row] = state_row(ctx, &f->row[i])) !=
		    NULL)
			state.n_row++;
	for (i = 0; state.row != NULL && i < n_old; i++)
		if (!is_here(f, old->row[i]->row))
			state.row[state.n_row++] = old->row[i];
	if (state.row == NULL ||
	    sealed_write(ctx, &kind, path_of(ctx, f), &state.base) != CDOP_OK)
		return cmd_fail(ctx, EXIT_UNEXPECTED, NULL,
		    "copy the file to a folder that you can write to",
		    "the keys of the rows cannot be kept beside %s", f->path);
	return EXIT_OK;
}

static const Cdop__ClientImport *
read_state(struct cmd_ctx *ctx, const struct import_file *f)
{
	ProtobufCMessage *message = NULL;

	if (sealed_read(ctx, &kind, path_of(ctx, f), &message) != CDOP_OK)
		return NULL;
	return (const Cdop__ClientImport *)message;
}

enum exit_code
import_keys_take(struct cmd_ctx *ctx, struct import_file *f)
{
	const Cdop__ClientImport *old = NULL;
	size_t i;

	if (!f->is_stdin)
		old = read_state(ctx, f);
	for (i = 0; i < f->n_rows; i++) {
		spool_new_key(f->row[i].n.key);
		take_key(old, &f->row[i]);
	}
	if (f->is_stdin || cmd_flag(ctx, "--dry-run"))
		return EXIT_OK;
	return write_state(ctx, f, old);
}

enum exit_code
import_keys_save(struct cmd_ctx *ctx, struct import_file *f)
{
	if (f->is_stdin || cmd_flag(ctx, "--dry-run"))
		return EXIT_OK;
	return write_state(ctx, f, read_state(ctx, f));
}
