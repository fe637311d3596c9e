/*
 * The index: every case in memory, found by reference, NHS number, name and
 * sound, and in the order of a list.  Built from summary rows at a start,
 * changed through the undo log, never written to disk (ARCHITECTURE 5).
 *
 * It knows which rows a case has and opens none.  Who may see a case is not
 * asked here but in access.h, by everybody who hands out what is found.
 */
#ifndef CDOP_REGISTRY_INDEX_H
#define CDOP_REGISTRY_INDEX_H

#include "server/registry/index_order.h"
#include "server/registry/index_post.h"

struct index;
struct undo;

/* A row of a case.  Kinds are SCHEMA_KIND_*. */
struct index_row {
	uint64_t number;
	uint32_t version; /* FORM: INDEX_FORM(instance, version) */
	uint8_t kind;
};

/* The version in the head of a FORM row. */
#define INDEX_FORM_INSTANCES          65535u
#define INDEX_FORM_VERSIONS           65535u
#define INDEX_FORM(instance, version) ((uint32_t)(instance) << 16 | (version))

/* undo is borrowed.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err index_new(struct undo *undo, struct index **ret_index);

/* Wipes and frees; NULL is fine. */
void index_free(struct index *index);

/* ---- at a start, outside a batch --------------------------------------- */

/*
 * Takes the head of a CASE, FORM or SUMMARY row, in any order.
 * CDOP_DATA_LOSS: two rows of a case are the same version of the same thing.
 */
CDOP_MUST enum cdop_err index_load_row(
    struct index *index, uint64_t case_id, const struct index_row *row);

/*
 * Takes the post of a case some of whose rows are known or will be; the
 * index owns it, also on failure.  CDOP_DATA_LOSS: it has one already.
 */
CDOP_MUST enum cdop_err index_load_post(
    struct index *index, struct index_post *post);

/*
 * After the last: the cases get their order.  CDOP_DATA_LOSS: one has rows
 * and no post, its summary is gone.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err index_load_end(struct index *index);

/* ---- changes ----------------------------------------------------------- */

/*
 * Adds a case, or puts post and rows in the place of what it had.  The
 * index owns post, also on failure, and copies rows.  Undone with the batch.
 * CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err index_put(struct index *index, struct index_post *post,
    const struct index_row *row, size_t n_row);

/*
 * Removes a case in a batch: nothing finds it any more.  Its slot stays, with
 * a post of status INDEX_ERASED that says nothing.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err index_remove(struct index *index, uint32_t slot);

/* ---- questions --------------------------------------------------------- */

/* Slots are numbered from 0 and stay; all have a post once it is open. */
uint32_t index_count(const struct index *index);
const struct index_post *index_at(const struct index *index, uint32_t slot);
bool index_by_case(
    const struct index *index, uint64_t case_id, uint32_t *ret_slot);

/* Rows of a case by kind, then version. */
const struct index_row *index_rows(
    const struct index *index, uint32_t slot, size_t *ret_n);

/*
 * Cases that have a term: begin with *at 0.  Each is named once.  kind is
 * any but FIRST.  False at the end.  The index must not be changed meanwhile.
 */
bool index_find(const struct index *index, enum index_kind kind,
    const char *text, uint32_t *at, uint32_t *ret_slot);

/* In the order of lists, latest death first, from behind (day, slot) on. */
void index_seek(const struct index *index, int32_t day, uint32_t slot,
    struct index_order_walk *walk);

/* What a list asks of each case first: posts lie far from each other. */
struct index_glance {
	uint32_t responsible;
	uint16_t owner;
	uint16_t status_word;
};
const struct index_glance *index_glance(
    const struct index *index, uint32_t slot);

/* ---- words ------------------------------------------------------------- */

/*
 * The number of a word that many cases share (an area id, a jurisdiction),
 * made when it is new; numbers are this process's own, and stay.
 * CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err index_word(
    struct index *index, const char *word, uint16_t *ret_number);
bool index_word_find(
    const struct index *index, const char *word, uint16_t *ret_number);

/* "" for a number that is none, as INDEX_NO_WORD. */
const char *index_word_text(const struct index *index, uint16_t number);

/* A post of this index: index_post_new() with its words. */
CDOP_MUST enum cdop_err index_make_post(struct index *index,
    const Cdop__StoredSummary *summary, uint64_t key_id,
    struct cdop_arena *scratch, struct index_post **ret_post);

/*
 * Between batches, when keys have got other names: fn tells the new one of
 * each case's key.
 */
typedef uint64_t index_rename_fn(const void *ctx, uint64_t key);
void index_rename_keys(
    struct index *index, index_rename_fn *fn, const void *ctx);

/* Entries of the table of terms, one of them the case id of each case. */
uint32_t index_n_terms(const struct index *index);

/*
 * Do two indexes hold the same cases, rows, terms and order?  For tests.
 * Slots and numbers of words may differ.
 */
bool index_equal(const struct index *a, const struct index *b);

#endif
