/* New log keys and what is said of them; see statements.h. */
#include "server/registry/statements.h"

#include <stdlib.h>
#include <string.h>

#include "cdop/secret.h"
#include "server/base/undo.h"
#include "server/registry/audit.h"
#include "server/registry/tree.h"
#include "server/vault/lockmem.h"
#include "server/vault/rows.h"

#define SEED_LABEL "cdop-log-key/1"

/* Signers and the seed between them, in locked memory. */
struct turn {
	struct cdop_note_signer before;
	struct cdop_note_signer after;
	uint8_t seed[CDOP_NOTE_SEED_LEN];
};

/* ---- what there is ------------------------------------------------------ */

void
statements_free(struct statements *statements)
{
	free(statements);
}

static void
free_list(void *list, uint64_t arg)
{
	(void)arg;
	statements_free(list);
}

/* List and notes in one piece. */
static enum cdop_err
copy_list(const Cdop__StoredConfig *config, struct statements **ret_list)
{
	struct statements *list;
	size_t i, n = config->n_statement, len = 0;
	uint8_t *at;

	if (n > STATEMENTS_MAX)
		return CDOP_DATA_LOSS;
	for (i = 0; i < n; i++) {
		if (config->statement[i].len > CDOP_STATEMENT_MAX)
			return CDOP_DATA_LOSS;
		len += config->statement[i].len;
	}
	list = malloc(sizeof(*list) + n * sizeof(list->note[0]) + len);
	if (list == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	list->n = n;
	at = (uint8_t *)&list->note[n];
	for (i = 0; i < n; i++) {
		list->note[i] =
		    (struct cdop_bytes){at, config->statement[i].len};
		memcpy(at, config->statement[i].data, list->note[i].len);
		at += list->note[i].len;
	}
	*ret_list = list;
	return CDOP_OK;
}

enum cdop_err
statements_take(struct registry *reg, const Cdop__StoredConfig *config)
{
	struct statements *list;
	enum cdop_err err;

	if ((err = copy_list(config, &list)) != CDOP_OK)
		return err;
	if ((err = undo_call(reg->undo, free_list, list, 0)) != CDOP_OK) {
		statements_free(list);
		return err;
	}
	err = undo_save(reg->undo, &reg->statements, sizeof(reg->statements));
	if (err == CDOP_OK)
		err = undo_defer(reg->undo, free_list, reg->statements, 0);
	if (err == CDOP_OK)
		reg->statements = list;
	return err;
}

/* ---- a new one --------------------------------------------------------- */

enum cdop_err
statements_from(struct registry *reg, struct cdop_checkpoint *ret_from)
{
	struct cdop_checkpoint from;
	enum cdop_err err;

	memset(&from, 0, sizeof(from));
	cdop_checkpoint_origin(
	    reg->id, rows_incarnation(reg->rows), from.origin);
	from.size = tree_size(reg->tree);
	if ((err = tree_root(reg->tree, from.root)) != CDOP_OK)
		return err;
	*ret_from = from;
	return CDOP_OK;
}

static struct cdop_bytes
text_bytes(const char *text)
{
	return (struct cdop_bytes){(const uint8_t *)text, strlen(text)};
}

static enum cdop_err
take_keys(const struct registry *reg, const struct statements_args *args,
    struct turn *turn)
{
	char origin[CDOP_CHECKPOINT_ORIGIN_MAX];
	enum cdop_err err;

	cdop_checkpoint_origin(reg->id, rows_incarnation(reg->rows), origin);
	cdop_secret_hedged(
	    turn->seed, reg->log_seed, SEED_LABEL, text_bytes(origin));
	err = cdop_note_signer_init(&turn->before, args->from->origin,
	    CDOP_NOTE_ED25519, reg->log_seed);
	if (err != CDOP_OK)
		return err;
	return cdop_note_signer_init(
	    &turn->after, origin, CDOP_NOTE_ED25519, turn->seed);
}

static enum cdop_err
sign(const struct registry *reg, struct cdop_arena *arena,
    const struct statements_args *args, const struct turn *turn,
    struct cdop_bytes *ret_note)
{
	struct cdop_statement statement = {
	    .kind = args->kind,
	    .incarnation = rows_incarnation(reg->rows),
	    .key = turn->after.key,
	    .from = *args->from,
	    .has_lost = args->lost != NULL,
	    .time_ms = args->now_ms,
	    .n_by = args->n_by,
	    .reason = text_bytes(args->reason),
	};
	uint8_t *note;
	size_t i;

	memcpy(statement.registry, reg->id, sizeof(statement.registry));
	if (args->lost != NULL)
		statement.lost = *args->lost;
	for (i = 0; i < args->n_by; i++)
		statement.by[i] = text_bytes(args->by[i]);
	note = cdop_arena_alloc(arena, CDOP_STATEMENT_MAX);
	if (note == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	ret_note->data = note;
	return cdop_statement_sign(
	    &statement, &turn->before, &turn->after, note, &ret_note->len);
}

/* Behind those there are; the old list is what was unpacked. */
static enum cdop_err
append(Cdop__StoredConfig *config, struct cdop_arena *arena,
    struct cdop_bytes note)
{
	ProtobufCBinaryData *all;
	size_t n = config->n_statement;

	if (n >= STATEMENTS_MAX)
		return CDOP_RESOURCE_EXHAUSTED;
	all = cdop_arena_calloc(arena, n + 1, sizeof(*all));
	if (all == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if (n > 0)
		memcpy(all, config->statement, n * sizeof(*all));
	all[n].data = (uint8_t *)(uintptr_t)note.data;
	all[n].len = note.len;
	config->statement = all;
	config->n_statement = n + 1;
	return CDOP_OK;
}

static enum cdop_err
take_seed(Cdop__StoredConfig *config, struct cdop_arena *arena,
    const uint8_t seed[static CDOP_NOTE_SEED_LEN])
{
	/* The arena is wiped like every place a configuration is packed in. */
	uint8_t *copy = cdop_arena_alloc(arena, CDOP_NOTE_SEED_LEN);

	if (copy == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	memcpy(copy, seed, CDOP_NOTE_SEED_LEN);
	config->log_seed.data = copy;
	config->log_seed.len = CDOP_NOTE_SEED_LEN;
	return CDOP_OK;
}

enum cdop_err
statements_make(struct registry *reg, struct cdop_arena *arena,
    const struct statements_args *args, Cdop__StoredConfig *config,
    struct cdop_bytes *ret_note)
{
	struct turn *turn;
	enum cdop_err err;

	turn = lockmem_alloc(reg->mem, sizeof(*turn));
	if (turn == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if ((err = take_keys(reg, args, turn)) == CDOP_OK)
		err = sign(reg, arena, args, turn, ret_note);
	if (err == CDOP_OK)
		err = append(config, arena, *ret_note);
	if (err == CDOP_OK)
		err = take_seed(config, arena, turn->seed);
	config->has_log_made_ms = true;
	config->log_made_ms = args->now_ms;
	lockmem_free(reg->mem, turn, sizeof(*turn));
	return err;
}

enum cdop_err
statements_leaf(struct registry *reg, struct cdop_arena *arena,
    struct cdop_bytes note, uint64_t now_ms)
{
	const struct audit_entry entry = {
	    .call = AUDIT_EVENT_STATEMENT,
	    .time_ms = now_ms,
	    .statement = note,
	};

	return audit_append(reg->audit, arena, &entry, NULL);
}

bool
statements_may_turn(const struct registry *reg)
{
	const struct statements *all = reg->statements;
	size_t i, bytes = CDOP_STATEMENT_MAX;

	for (i = 0; i < all->n; i++)
		bytes += all->note[i].len;
	return bytes <= STATEMENTS_TURNS && all->n < STATEMENTS_MAX / 2;
}

enum cdop_err
statements_turn(struct registry *reg, struct cdop_arena *arena,
    const struct statements_args *args, struct cdop_bytes *ret_note)
{
	struct statements_args turn = *args;
	struct cdop_checkpoint from;
	Cdop__StoredConfig *config;
	enum cdop_err err;

	if (!statements_may_turn(reg))
		return CDOP_RESOURCE_EXHAUSTED;
	if ((err = statements_from(reg, &from)) != CDOP_OK)
		return err;
	turn.kind = CDOP_STATEMENT_KEY;
	turn.from = &from;
	if ((err = registry_edit_config(reg, arena, &config)) != CDOP_OK)
		return err;
	err = statements_make(reg, arena, &turn, config, ret_note);
	if (err != CDOP_OK)
		return err;
	if ((err = registry_put_config(reg, arena, config)) != CDOP_OK)
		return err;
	return statements_leaf(reg, arena, *ret_note, args->now_ms);
}
