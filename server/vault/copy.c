/* The life of a copy: its plan, its steps, the switch. */
#include "server/vault/copy.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/store/db_copy.h"
#include "server/vault/copy_core.h"
#include "server/vault/walk_core.h"

#define ARENA  ((size_t)4 << 20) /* one LEAF, unpacked and packed again */
#define COMMIT ((size_t)1 << 18) /* bytes of rows in one transaction */

enum cdop_err
copy_core_find(struct copy *copy, uint64_t number, const char *what)
{
	return rows_core_find(copy->rows, number, what);
}

/* ---- The plan ---------------------------------------------------------- */

static bool
is_fine(const struct keystore *ks, const struct copy_epoch *epoch)
{
	const struct keystore_entry *from = keystore_find(ks, epoch->from);
	const struct keystore_entry *to = keystore_find(ks, epoch->to);

	return from != NULL && to != NULL && from->scope != SCHEMA_CASE &&
	    from->scope == to->scope && from->area == to->area &&
	    to->id > from->id;
}

/* The new key may not go itself. */
static enum cdop_err
take_epochs(struct copy *copy, const struct copy_plan *plan)
{
	size_t i;

	for (i = 0; i < plan->n_epochs; i++)
		if (!is_fine(copy->rows->ks, &plan->epochs[i]))
			return CDOP_INVALID_ARGUMENT;
	if (plan->n_epochs == 0)
		return CDOP_OK;
	copy->epochs = calloc(plan->n_epochs, sizeof(*copy->epochs));
	if (copy->epochs == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	memcpy(
	    copy->epochs, plan->epochs, plan->n_epochs * sizeof(*copy->epochs));
	copy->n_epochs = plan->n_epochs;
	for (i = 0; i < copy->n_epochs; i++)
		if (copy_core_drops(copy, copy->epochs[i].to))
			return CDOP_INVALID_ARGUMENT;
	return CDOP_OK;
}

static bool
lies_in(const struct copy_plan *plan, const char *area)
{
	size_t i;

	for (i = 0; i < plan->n_areas; i++)
		if (strcmp(plan->areas[i], area) == 0)
			return true;
	return plan->all_areas;
}

/* Ids for all places there are, taken for good. */
static enum cdop_err
take_ids(struct copy *copy)
{
	struct layout_head *head = &copy->rows->s.head;

	if (head->next_key > LAYOUT_COUNTER_MAX - copy->n_anew)
		return CDOP_RESOURCE_EXHAUSTED;
	copy->first_key = layout_number(head->incarnation, head->next_key);
	head->next_key += copy->n_anew;
	return CDOP_OK;
}

static enum cdop_err
take_cases(struct copy *copy, const struct copy_plan *plan)
{
	struct keystore *ks = copy->rows->ks;
	const struct keystore_entry *entry;
	uint8_t context[8];
	size_t i;

	if (plan->n_areas == 0 && !plan->all_areas)
		return CDOP_OK;
	if (plan->leaf == NULL)
		return CDOP_INVALID_ARGUMENT;
	copy->n_anew = keystore_places(ks);
	copy->anew = calloc(copy->n_anew / 8 + 1, 1);
	if (copy->anew == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < copy->n_anew; i++) {
		entry = keystore_at(ks, i);
		if (entry->scope == SCHEMA_CASE &&
		    lies_in(plan, keystore_area(ks, entry->area)))
			copy->anew[i / 8] |= (uint8_t)(1u << i % 8);
	}
	copy->opens_leaves = true;
	cdop_put64(context, copy->rows->s.head.next_key);
	envelope_fresh(keystore_key(ks, 0),
	    (struct cdop_bytes){context, sizeof(context)},
	    keystore_copying(ks));
	return take_ids(copy);
}

static enum cdop_err
prepare(struct copy *copy, const struct copy_plan *plan)
{
	enum cdop_err err;

	copy->leaf = plan->leaf;
	copy->turned = plan->turned;
	copy->ctx = plan->ctx;
	copy->cursor = layout_number(1, 0);
	copy->plain = malloc(ENVELOPE_ROW_MAX);
	if (copy->plain == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if ((err = cdop_arena_new(ARENA, &copy->arena)) != CDOP_OK)
		return err;
	if ((err = take_epochs(copy, plan)) != CDOP_OK)
		return err;
	if ((err = take_cases(copy, plan)) != CDOP_OK)
		return err;
	if (plan->n_slots > 0 && (err = copy_core_renew(copy, plan)) != CDOP_OK)
		return err;
	copy->reseals = copy->n_epochs > 0 || copy->opens_leaves;
	if ((err = walk_begin(copy->rows, &copy->walk)) != CDOP_OK)
		return err;
	return db_copy_new(copy->rows->db, &copy->to);
}

enum cdop_err
copy_begin(
    struct rows *rows, const struct copy_plan *plan, struct copy **ret_copy)
{
	struct copy *copy;
	enum cdop_err err;

	CDOP_ASSERT(!rows->batch && rows->txn == NULL);
	if (rows->phase != ROWS_CORE_READY || rows->read_only)
		return CDOP_FAILED_PRECONDITION;
	if (rows->copy != NULL)
		return CDOP_ALREADY_EXISTS;
	copy = calloc(1, sizeof(*copy));
	if (copy == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	copy->rows = rows;
	rows->copy = copy;
	if ((err = prepare(copy, plan)) != CDOP_OK) {
		copy_free(copy);
		return err;
	}
	*ret_copy = copy;
	return CDOP_OK;
}

bool
copy_left_over(const struct rows *rows)
{
	return db_left_over(rows->db);
}

/* Its file, its walk and its secret; what it says is still to be read. */
static void
end(struct copy *copy)
{
	if (copy->txn != NULL)
		db_abort(copy->txn);
	copy->txn = NULL;
	db_copy_drop(copy->rows->db, copy->to);
	copy->to = NULL;
	walk_free(copy->walk);
	copy->walk = NULL;
	keystore_rest(copy->rows->ks);
	sodium_memzero(keystore_copying(copy->rows->ks), ENVELOPE_KEY);
	sodium_memzero(keystore_next(copy->rows->ks),
	    sizeof(*keystore_next(copy->rows->ks)));
	copy->done = true;
}

void
copy_free(struct copy *copy)
{
	if (copy == NULL)
		return;
	if (!copy->done)
		end(copy);
	copy->rows->copy = NULL;
	if (copy->plain != NULL)
		sodium_memzero(copy->plain, ENVELOPE_ROW_MAX);
	free(copy->plain);
	cdop_arena_free(copy->arena);
	free(copy->epochs);
	free(copy->anew);
	free(copy->low);
	free(copy);
}

/* The first error ends it; the words are kept, the store forgets them. */
static enum cdop_err
fail(struct copy *copy, enum cdop_err err)
{
	if (copy->finding[0] == '\0')
		(void)snprintf(copy->finding, sizeof(copy->finding), "%s",
		    copy->rows->finding);
	copy->err = err;
	end(copy);
	return err;
}

enum cdop_err
copy_error(const struct copy *copy)
{
	return copy->err;
}

const char *
copy_finding(const struct copy *copy)
{
	return copy->finding;
}

void
copy_progress(const struct copy *copy, struct copy_progress *ret_progress)
{
	*ret_progress = (struct copy_progress){.rows = copy->n_put,
	    .opened = copy->n_opened,
	    .total = copy->n_put,
	    .bytes = copy->n_bytes};
	if (copy->walk != NULL)
		walk_progress(
		    copy->walk, &ret_progress->rows, &ret_progress->total);
}

/* ---- Writing ----------------------------------------------------------- */

static enum cdop_err
commit(struct copy *copy)
{
	struct db_txn *txn = copy->txn;

	copy->txn = NULL;
	copy->unsaid = 0;
	return txn == NULL ? CDOP_OK : db_commit(txn);
}

/* The transaction goes on over several steps, up to some size. */
static enum cdop_err
write_begin(struct copy *copy)
{
	enum cdop_err err;

	if (copy->unsaid >= COMMIT && (err = commit(copy)) != CDOP_OK)
		return err;
	if (copy->txn != NULL)
		return CDOP_OK;
	err = db_copy_room(copy->to, COMMIT + ENVELOPE_ROW_MAX);
	return err == CDOP_OK ? db_begin(copy->to, &copy->txn) : err;
}

static enum cdop_err
put(struct copy *copy, uint64_t number, struct cdop_bytes bytes,
    enum schema_scope scope)
{
	enum cdop_err err;

	if ((err = write_begin(copy)) != CDOP_OK)
		return err;
	if ((err = db_put(copy->txn, number, bytes)) != CDOP_OK)
		return err;
	copy->unsaid += bytes.len;
	copy->n_bytes += bytes.len;
	if (number == copy->rows->s.head_row)
		return CDOP_OK;
	copy->n_put++;
	copy_core_count(copy, number, bytes, scope, &copy->put);
	return CDOP_OK;
}

static enum cdop_err
take_row(void *ctx, const struct walk_row *row)
{
	struct copy *copy = ctx;
	struct cdop_bytes bytes;
	enum cdop_err err;

	if ((err = copy_core_seal(copy, row, &bytes)) != CDOP_OK)
		return err;
	return put(copy, row->number, bytes,
	    row->head == NULL ? SCHEMA_ROOT
			      : schema_find(row->head->kind)->scope);
}

static enum cdop_err
take_gone(void *ctx, uint64_t number)
{
	struct copy *copy = ctx;
	struct cdop_bytes bytes;
	enum cdop_err err;

	if ((err = write_begin(copy)) != CDOP_OK)
		return err;
	err = db_get(copy->txn, number, &bytes);
	if (err == CDOP_NOT_FOUND)
		return copy_core_find(copy, number, "missing in the new file");
	if (err == CDOP_OK)
		err = copy_core_close(copy, number, bytes);
	return err == CDOP_OK ? db_del(copy->txn, number) : err;
}

/* ---- Steps ------------------------------------------------------------- */

static enum cdop_err
step(struct copy *copy, const struct walk_budget *budget, bool *ret_ready)
{
	const struct walk_sink sink = {
	    .row = take_row, .gone = take_gone, .ctx = copy};
	bool all;
	enum cdop_err err;

	*ret_ready = false;
	err = walk_step(copy->walk, budget, &sink, &all);
	if (err != CDOP_OK || !all)
		return err;
	if ((err = commit(copy)) != CDOP_OK)
		return err;
	return copy_core_open(copy, budget, ret_ready);
}

enum cdop_err
copy_step(struct copy *copy, const struct walk_budget *budget,
    enum copy_state *ret_state)
{
	bool ready;
	enum cdop_err err;

	if (copy->done)
		return copy->err == CDOP_OK ? CDOP_FAILED_PRECONDITION
					    : copy->err;
	copy->rows->finding[0] = '\0';
	if ((err = step(copy, budget, &ready)) != CDOP_OK)
		return fail(copy, err);
	*ret_state = ready ? COPY_READY : COPY_MORE;
	return CDOP_OK;
}

/* ---- The end ----------------------------------------------------------- */

/* The slots of the new root stand in no row of the old file. */
static enum cdop_err
put_slots(struct copy *copy)
{
	const struct copy_low *low;
	enum cdop_err err;
	size_t i;

	for (i = 0; i < copy->n_low; i++) {
		low = &copy->low[i];
		err = put(copy, low->number,
		    (struct cdop_bytes){low->bytes, low->len}, SCHEMA_ROOT);
		if (err != CDOP_OK)
			return err;
	}
	return CDOP_OK;
}

static enum cdop_err
take_renewed(struct copy *copy, const struct walk_row *row)
{
	struct cdop_bytes bytes;
	enum cdop_err err;

	if (row->number == copy->rows->s.head_row) {
		if ((err = put_slots(copy)) != CDOP_OK)
			return err;
		copy_core_head(copy, row->head, &bytes);
		return put(copy, row->number, bytes, SCHEMA_REGISTRY);
	}
	if (layout_incarnation(row->number) != 0)
		return take_row(copy, row);
	err = copy_core_renew_low(copy, row, &bytes);
	if (err != CDOP_OK || bytes.len == 0)
		return err;
	return put(copy, row->number, bytes, SCHEMA_ROOT);
}

/* What the last look at the store finds: low rows, and the head row. */
static enum cdop_err
take_last(void *ctx, const struct walk_row *row)
{
	struct copy *copy = ctx;
	struct cdop_bytes bytes = row->bytes, data;
	struct layout_key key;
	enum cdop_err err;

	if (copy->renews)
		return take_renewed(copy, row);
	if (row->head != NULL && row->head->kind == SCHEMA_KIND_EPOCH_KEY) {
		err = rows_core_open(
		    copy->rows, row->head, row->bytes, copy->plain, &data);
		if (err != CDOP_OK)
			return err;
		if (layout_epoch_parse(data, &key) != CDOP_OK)
			return copy_core_find(
			    copy, row->number, "not a key row");
		if (copy_core_drops(copy, key.id))
			return CDOP_OK;
	}
	if (row->number != copy->rows->s.head_row)
		return take_row(ctx, row);
	if (copy->reseals)
		copy_core_head(copy, row->head, &bytes);
	return put(copy, row->number, bytes, SCHEMA_REGISTRY);
}

/* Everything but the switch. */
static enum cdop_err
complete(struct copy *copy)
{
	const struct walk_budget all = {.rows = SIZE_MAX, .bytes = SIZE_MAX};
	const struct walk_sink last = {
	    .row = take_last, .gone = take_gone, .ctx = copy};
	bool ready;
	enum cdop_err err;

	if ((err = step(copy, &all, &ready)) != CDOP_OK)
		return err;
	if ((err = walk_last(copy->walk, &last)) != CDOP_OK)
		return err;
	if ((err = commit(copy)) != CDOP_OK)
		return err;
	if ((err = copy_core_open_last(copy)) != CDOP_OK)
		return err;
	return copy_core_compare(copy);
}

static void
renew(void *ctx, size_t place, struct keystore_entry *entry)
{
	const struct copy *copy = ctx;

	(void)place;
	entry->wrapped_by = copy_key(copy, entry->wrapped_by);
	if (copy_core_drops(copy, entry->id))
		entry->scope = 0;
	else
		entry->id = copy_key(copy, entry->id);
}

/* Memory follows the file. */
static void
turn(struct copy *copy)
{
	struct rows *rows = copy->rows;

	if (copy->renews) {
		keystore_lock(rows->ks);
		rows->phase = ROWS_CORE_SEALED;
		rows->n_slots = 0;
		rows->n_sets = 0;
		return;
	}
	if (copy->turned != NULL)
		copy->turned(copy->ctx, copy);
	if (!copy->reseals)
		return;
	keystore_renew(rows->ks, renew, copy);
	memcpy(rows->s.head.digest, copy->put.digest, 32);
	memcpy(rows->s.head.log_digest, copy->put.log_digest, 32);
	walk_core_break(rows, copy->walk);
}

enum copy_end
copy_finish(struct copy *copy)
{
	struct db *to;
	bool renamed;
	enum cdop_err err;

	if (copy->done)
		return COPY_KEPT;
	copy->rows->finding[0] = '\0';
	if ((err = complete(copy)) != CDOP_OK) {
		(void)fail(copy, err);
		return COPY_KEPT;
	}
	to = copy->to;
	copy->to = NULL;
	err = db_copy_switch(copy->rows->db, to, &renamed);
	if (err == CDOP_OK)
		turn(copy);
	else
		(void)fail(copy, err);
	if (err == CDOP_OK)
		end(copy);
	if (renamed)
		return err == CDOP_OK ? COPY_SWITCHED : COPY_LOST;
	return COPY_KEPT;
}

bool
copy_give_back(struct copy *copy, const struct walk_budget *budget)
{
	do
		if (!db_copy_give_back(copy->rows->db))
			return false;
	while (budget->spent != NULL && !budget->spent(budget->ctx));
	return true;
}
