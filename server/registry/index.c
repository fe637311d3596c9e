/* The index: posts by slot, one table of terms, one order. */
#include "server/registry/index.h"

#include <stdlib.h>
#include <string.h>

#include "cdop/secret.h"
#include "server/base/undo.h"
#include "server/registry/index_core.h"
#include "server/registry/index_room.h"

#define ROWS_FIRST 3u /* state, notification, summary */

/* What a put took away: kept until the batch is over. */
struct change {
	struct index *index;
	struct index_core_slot before;
	uint32_t slot;
	bool is_new;
	bool is_gone; /* it was removed */
	bool moves;   /* it is found by other terms, or stands elsewhere */
	bool done;
};

static struct index_core_rows *
rows_new(uint32_t cap)
{
	struct index_core_rows *rows;

	rows = calloc(1, sizeof(*rows) + cap * sizeof(rows->row[0]));
	if (rows != NULL)
		rows->cap = cap;
	return rows;
}

enum cdop_err
index_new(struct undo *undo, struct index **ret_index)
{
	struct index *index = calloc(1, sizeof(*index));

	if (index == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	index->undo = undo;
	cdop_secret_random(index->key, sizeof(index->key));
	*ret_index = index;
	return CDOP_OK;
}

void
index_free(struct index *index)
{
	uint32_t i;

	if (index == NULL)
		return;
	for (i = 0; i < index->n; i++) {
		index_post_free(index->slot[i].post);
		free(index->slot[i].rows);
	}
	free(index->slot);
	for (i = 0; i < index->n_word; i++)
		free(index->word[i]);
	free(index->word);
	index_terms_free(&index->terms);
	index_order_free(&index->order);
	cdop_secret_wipe(index, sizeof(*index));
	free(index);
}

static enum cdop_err
word_of(void *ctx, const char *word, uint16_t *ret_number)
{
	return index_word(ctx, word, ret_number);
}

enum cdop_err
index_make_post(struct index *index, const Cdop__StoredSummary *summary,
    uint64_t key_id, struct cdop_arena *scratch, struct index_post **ret_post)
{
	return index_post_new(
	    summary, key_id, word_of, index, scratch, ret_post);
}

/* ---- hashes ------------------------------------------------------------ */

static uint32_t
hash_bytes(const struct index *index, enum index_kind kind, const void *data,
    size_t len)
{
	return (uint32_t)index_hash_sip(index->key[kind], data, len);
}

static uint32_t
hash_text(const struct index *index, enum index_kind kind, const char *text)
{
	return hash_bytes(index, kind, text, strlen(text));
}

static uint32_t
hash_case(const struct index *index, uint64_t case_id)
{
	return hash_bytes(index, INDEX_CASE, &case_id, sizeof(case_id));
}

/* ---- posting: none of these can fail after reserve() ------------------- */

static enum cdop_err
reserve_slot(struct index *index)
{
	struct index_core_slot *slot;
	uint32_t cap;

	if (index->n < index->cap)
		return CDOP_OK;
	if (index->n >= INDEX_ROOM_MAX)
		return CDOP_RESOURCE_EXHAUSTED;
	cap = index_room(index->cap, index->n + 1);
	slot = calloc(cap, sizeof(*slot));
	if (slot == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if (index->n > 0)
		memcpy(slot, index->slot, index->n * sizeof(*slot));
	free(index->slot);
	index->slot = slot;
	index->cap = cap;
	return CDOP_OK;
}

static enum cdop_err
reserve(struct index *index, size_t n_term)
{
	enum cdop_err err;

	if (n_term >= UINT32_MAX)
		return CDOP_RESOURCE_EXHAUSTED;
	if ((err = reserve_slot(index)) != CDOP_OK)
		return err;
	err = index_terms_reserve(&index->terms, (uint32_t)n_term + 1);
	if (err != CDOP_OK)
		return err;
	return index_order_reserve(&index->order, index->n + 1);
}

/* What nobody can foresee who chooses cases. */
static uint32_t
prio_of(const struct index *index, const struct index_post *post)
{
	return hash_case(index, ~post->case_id);
}

static void
post_terms(struct index *index, uint32_t slot)
{
	const struct index_post *post = index->slot[slot].post;
	struct index_term term = {.text = NULL};

	while (index_post_term(post, &term))
		if (term.kind != INDEX_FIRST)
			index_terms_add(&index->terms,
			    hash_text(index, term.kind, term.text), slot);
}

static void
unpost_terms(struct index *index, uint32_t slot)
{
	const struct index_post *post = index->slot[slot].post;
	struct index_term term = {.text = NULL};

	while (index_post_term(post, &term))
		if (term.kind != INDEX_FIRST)
			index_terms_remove(&index->terms,
			    hash_text(index, term.kind, term.text), slot);
}

/* Into the table and into the order of lists. */
static void
post_all(struct index *index, uint32_t slot)
{
	const struct index_post *post = index->slot[slot].post;

	post_terms(index, slot);
	index_order_add(&index->order, slot, post->day, prio_of(index, post));
}

static void
unpost_all(struct index *index, uint32_t slot)
{
	unpost_terms(index, slot);
	index_order_remove(&index->order, slot);
}

static void
set_post(struct index *index, uint32_t slot, struct index_post *post)
{
	index->slot[slot].post = post;
	index->slot[slot].glance = (struct index_glance){
	    post->responsible, post->owner, post->status_word};
}

static uint32_t
push_slot(struct index *index, uint64_t case_id)
{
	uint32_t slot = index->n++;

	memset(&index->slot[slot], 0, sizeof(index->slot[slot]));
	index->slot[slot].case_id = case_id;
	index_terms_add(&index->terms, hash_case(index, case_id), slot);
	return slot;
}

static void
pop_slot(struct index *index)
{
	uint32_t slot = index->n - 1;

	index_terms_remove(
	    &index->terms, hash_case(index, index->slot[slot].case_id), slot);
	index->n--;
}

bool
index_by_case(const struct index *index, uint64_t case_id, uint32_t *ret_slot)
{
	uint32_t at = 0, hash = hash_case(index, case_id), slot;

	while (index_terms_next(&index->terms, hash, &at, &slot))
		if (index->slot[slot].case_id == case_id) {
			*ret_slot = slot;
			return true;
		}
	return false;
}

/* ---- at a start -------------------------------------------------------- */

static enum cdop_err
load_slot(struct index *index, uint64_t case_id, uint32_t *ret_slot)
{
	enum cdop_err err;

	if (index->last < index->n &&
	    index->slot[index->last].case_id == case_id) {
		*ret_slot = index->last;
		return CDOP_OK;
	}
	if (!index_by_case(index, case_id, ret_slot)) {
		if ((err = reserve(index, 0)) != CDOP_OK)
			return err;
		*ret_slot = push_slot(index, case_id);
	}
	index->last = *ret_slot;
	return CDOP_OK;
}

static int
compare_rows(const struct index_row *a, const struct index_row *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->version != b->version)
		return a->version < b->version ? -1 : 1;
	return 0;
}

static enum cdop_err
rows_add(struct index_core_rows **rows, const struct index_row *row)
{
	struct index_core_rows *old = *rows, *more;
	uint32_t i;

	if (old == NULL || old->n == old->cap) {
		more = rows_new(old == NULL ? ROWS_FIRST : old->cap * 2);
		if (more == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
		if (old != NULL) {
			memcpy(
			    more->row, old->row, old->n * sizeof(old->row[0]));
			more->n = old->n;
		}
		free(old);
		*rows = old = more;
	}
	for (i = old->n; i > 0; i--)
		if (compare_rows(&old->row[i - 1], row) <= 0)
			break;
	if (i > 0 && compare_rows(&old->row[i - 1], row) == 0)
		return CDOP_DATA_LOSS;
	memmove(
	    &old->row[i + 1], &old->row[i], (old->n - i) * sizeof(old->row[0]));
	old->row[i] = *row;
	old->n++;
	return CDOP_OK;
}

enum cdop_err
index_load_row(
    struct index *index, uint64_t case_id, const struct index_row *row)
{
	enum cdop_err err;
	uint32_t slot;

	if ((err = load_slot(index, case_id, &slot)) != CDOP_OK)
		return err;
	return rows_add(&index->slot[slot].rows, row);
}

enum cdop_err
index_load_post(struct index *index, struct index_post *post)
{
	enum cdop_err err;
	uint32_t slot;

	err = load_slot(index, post->case_id, &slot);
	if (err == CDOP_OK && index->slot[slot].post != NULL)
		err = CDOP_DATA_LOSS;
	if (err == CDOP_OK)
		err = reserve(index, post->n_term);
	if (err != CDOP_OK) {
		index_post_free(post);
		return err;
	}
	set_post(index, slot, post);
	post_terms(index, slot);
	return CDOP_OK;
}

enum cdop_err
index_load_end(struct index *index)
{
	struct index_order_key *key;
	const struct index_post *post;
	enum cdop_err err;
	uint32_t i;

	key = calloc(index->n + 1u, sizeof(*key));
	if (key == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < index->n; i++) {
		post = index->slot[i].post;
		if (post == NULL) {
			free(key);
			return CDOP_DATA_LOSS;
		}
		key[i].day = post->day;
		key[i].prio = prio_of(index, post);
	}
	err = index_order_build(&index->order, key, index->n);
	free(key);
	return err;
}

/* ---- changes ----------------------------------------------------------- */

static void
revert(void *ctx, uint64_t arg)
{
	struct change *change = ctx;
	struct index *index = change->index;
	struct index_core_slot *slot;

	(void)arg;
	if (change->done) {
		slot = &index->slot[change->slot];
		if (change->is_gone)
			index_terms_add(&index->terms,
			    hash_case(index, slot->case_id), change->slot);
		else if (change->moves)
			unpost_all(index, change->slot);
		index_post_free(slot->post);
		free(slot->rows);
		*slot = change->before;
		if (change->is_new)
			pop_slot(index);
		else if (change->moves && slot->post != NULL)
			post_all(index, change->slot);
	}
	free(change);
}

static void
dispose(void *ctx, uint64_t arg)
{
	struct change *change = ctx;

	(void)arg;
	index_post_free(change->before.post);
	free(change->before.rows);
	free(change);
}

static struct change *
change_new(struct index *index, uint64_t case_id)
{
	struct change *change = calloc(1, sizeof(*change));

	if (change == NULL)
		return NULL;
	change->index = index;
	change->is_new = !index_by_case(index, case_id, &change->slot);
	return change;
}

/* Within a batch: says how it is taken back, and what a commit frees. */
static enum cdop_err
announce(struct index *index, struct change *change)
{
	enum cdop_err err;

	err = undo_call(index->undo, revert, change, 0);
	if (err != CDOP_OK) {
		free(change);
		return err;
	}
	return undo_defer(index->undo, dispose, change, 0);
}

static void
replace(struct index *index, struct change *change, struct index_post *post,
    struct index_core_rows *rows)
{
	const struct index_post *old;

	if (change->is_new)
		change->slot = push_slot(index, post->case_id);
	change->before = index->slot[change->slot];
	old = change->before.post;
	change->moves = old == NULL || old->day != post->day ||
	    !index_post_same_terms(old, post);
	if (change->moves && old != NULL)
		unpost_all(index, change->slot);
	set_post(index, change->slot, post);
	index->slot[change->slot].rows = rows;
	if (change->moves)
		post_all(index, change->slot);
	change->done = true;
}

enum cdop_err
index_put(struct index *index, struct index_post *post,
    const struct index_row *row, size_t n_row)
{
	struct change *change = NULL;
	struct index_core_rows *rows = NULL;
	bool batch = undo_is_begun(index->undo);
	enum cdop_err err;
	size_t i;

	err = CDOP_RESOURCE_EXHAUSTED;
	if (n_row >= UINT32_MAX / 2 ||
	    (rows = rows_new((uint32_t)n_row)) == NULL)
		goto out;
	for (i = 0; i < n_row; i++)
		if ((err = rows_add(&rows, &row[i])) != CDOP_OK)
			goto out;
	if ((err = reserve(index, post->n_term)) != CDOP_OK)
		goto out;
	change = change_new(index, post->case_id);
	if (change == NULL) {
		err = CDOP_RESOURCE_EXHAUSTED;
		goto out;
	}
	if (batch && (err = announce(index, change)) != CDOP_OK)
		goto out;
	replace(index, change, post, rows);
	post = NULL; /* the index's */
	rows = NULL;
	if (!batch)
		dispose(change, 0);
	err = CDOP_OK;
out:
	index_post_free(post);
	free(rows);
	return err;
}

/* What stays in the place of a case: nothing that leads to it, or says of it.
 */
static struct index_post *
blank_of(const struct index_post *post)
{
	struct index_post *blank = calloc(1, sizeof(*blank) + 1);

	if (blank == NULL)
		return NULL;
	blank->case_id = post->case_id;
	blank->size = sizeof(*blank) + 1; /* an empty name */
	blank->owner = INDEX_NO_WORD;
	blank->jurisdiction = INDEX_NO_WORD;
	blank->status_word = INDEX_NO_WORD;
	blank->scope = INDEX_NO_WORD;
	blank->status = INDEX_ERASED;
	return blank;
}

enum cdop_err
index_remove(struct index *index, uint32_t slot)
{
	struct index_core_slot *place = &index->slot[slot];
	struct index_post *blank = blank_of(place->post);
	struct change *change;
	enum cdop_err err;

	if (blank == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	change = change_new(index, place->case_id);
	if (change == NULL) {
		index_post_free(blank);
		return CDOP_RESOURCE_EXHAUSTED;
	}
	if ((err = announce(index, change)) != CDOP_OK) {
		index_post_free(blank);
		return err;
	}
	change->before = *place;
	change->is_gone = true;
	change->moves = true;
	change->done = true;
	unpost_all(index, slot);
	index_terms_remove(
	    &index->terms, hash_case(index, place->case_id), slot);
	set_post(index, slot, blank);
	place->rows = NULL;
	return CDOP_OK;
}

/* ---- questions --------------------------------------------------------- */

uint32_t
index_count(const struct index *index)
{
	return index->n;
}

const struct index_post *
index_at(const struct index *index, uint32_t slot)
{
	return index->slot[slot].post;
}

const struct index_glance *
index_glance(const struct index *index, uint32_t slot)
{
	return &index->slot[slot].glance;
}

const struct index_row *
index_rows(const struct index *index, uint32_t slot, size_t *ret_n)
{
	const struct index_core_rows *rows = index->slot[slot].rows;

	*ret_n = rows == NULL ? 0 : rows->n;
	return rows == NULL ? NULL : rows->row;
}

bool
index_find(const struct index *index, enum index_kind kind, const char *text,
    uint32_t *at, uint32_t *ret_slot)
{
	uint32_t hash = hash_text(index, kind, text), slot;

	while (index_terms_next(&index->terms, hash, at, &slot))
		if (index_post_has(index->slot[slot].post, kind, text)) {
			*ret_slot = slot;
			return true;
		}
	return false;
}

void
index_seek(const struct index *index, int32_t day, uint32_t slot,
    struct index_order_walk *walk)
{
	index_order_seek(&index->order, day, slot, walk);
}

uint32_t
index_n_terms(const struct index *index)
{
	return index->terms.n;
}

/* ---- other keys -------------------------------------------------------- */

void
index_rename_keys(struct index *index, index_rename_fn *fn, const void *ctx)
{
	struct index_post *post;
	uint32_t i;

	CDOP_ASSERT(!undo_is_begun(index->undo));
	for (i = 0; i < index->n; i++) {
		post = index->slot[i].post;
		if (post->status != INDEX_ERASED)
			post->key_id = fn(ctx, post->key_id);
	}
}
