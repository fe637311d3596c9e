/* What was typed with a call, found again beside its leaf. */
#include "server/registry/audit_said.h"

#include "cdop/bytes.h"
#include "server/registry/audit.h"
#include "server/store/schema.h"
#include "server/vault/rows.h"
#include "server/vault/rows_scan.h"

/* A row that names this leaf is looked for. */
struct beside {
	struct cdop_arena *arena;
	uint64_t index;
	char *reason;
	Cdop__StoredTerms *terms;
};

static enum cdop_err
take_reason(void *ctx, const struct rows_head *head, struct rows_item *item,
    bool *ret_stop)
{
	struct beside *beside = ctx;
	Cdop__StoredReason *reason;
	struct cdop_bytes data;
	enum cdop_err err;

	if (head->kind != SCHEMA_KIND_REASON)
		return CDOP_OK;
	if ((err = rows_item_open(item, beside->arena, &data)) != CDOP_OK)
		return err;
	reason = cdop__stored_reason__unpack(
	    cdop_arena_allocator(beside->arena), data.len, data.data);
	if (reason == NULL)
		return CDOP_DATA_LOSS;
	*ret_stop = reason->leaf_index == beside->index;
	if (*ret_stop)
		beside->reason = reason->text;
	return CDOP_OK;
}

static enum cdop_err
take_terms(void *ctx, const struct rows_head *head, struct rows_item *item,
    bool *ret_stop)
{
	struct beside *beside = ctx;
	Cdop__StoredTerms *terms;
	struct cdop_bytes data;
	enum cdop_err err;

	if (head->kind != SCHEMA_KIND_TERMS)
		return CDOP_OK;
	if ((err = rows_item_open(item, beside->arena, &data)) != CDOP_OK)
		return err;
	terms = cdop__stored_terms__unpack(
	    cdop_arena_allocator(beside->arena), data.len, data.data);
	if (terms == NULL)
		return CDOP_DATA_LOSS;
	*ret_stop = terms->leaf_index == beside->index;
	if (*ret_stop)
		beside->terms = terms;
	return CDOP_OK;
}

static enum cdop_err
find_reason(struct rows *rows, const struct audit_leaf *leaf,
    struct cdop_arena *arena, const char **ret_text)
{
	struct beside beside = {.arena = arena, .index = leaf->index};
	enum cdop_err err;

	err = rows_walk_beside(
	    rows, SCHEMA_REGISTRY, leaf->row, take_reason, &beside);
	*ret_text = beside.reason;
	return err;
}

enum cdop_err
audit_said_terms(struct rows *rows, struct cdop_arena *arena,
    const struct audit_leaf *leaf, Cdop__StoredTerms **ret_terms)
{
	struct beside beside = {.arena = arena, .index = leaf->index};
	enum cdop_err err;

	err = rows_walk_beside(
	    rows, SCHEMA_SEARCH, leaf->row, take_terms, &beside);
	*ret_terms = beside.terms;
	return err;
}

/* The terms themselves do not leave. */
static enum cdop_err
find_purpose(struct rows *rows, const struct audit_leaf *leaf,
    struct cdop_arena *arena, const char **ret_text)
{
	Cdop__StoredTerms *terms;
	enum cdop_err err;

	err = audit_said_terms(rows, arena, leaf, &terms);
	*ret_text = terms != NULL ? terms->purpose_text : NULL;
	return err;
}

/* The purpose lies with the case, and goes with it. */
static enum cdop_err
open_box(struct rows *rows, const struct audit_leaf *leaf,
    struct cdop_arena *arena, const char **ret_text)
{
	const Cdop__StoredLeaf *stored = leaf->stored;
	struct cdop_bytes box = {stored->case_box.data, stored->case_box.len};
	struct cdop_bytes context, data;
	Cdop__CaseBox *open;
	uint8_t index[8];
	enum cdop_err err;

	cdop_put64(index, leaf->index);
	context = (struct cdop_bytes){index, sizeof(index)};
	err = rows_box_open(
	    rows, stored->case_box_key, context, box, arena, &data);
	if (err == CDOP_NOT_FOUND)
		return CDOP_OK;
	if (err != CDOP_OK)
		return err;
	open = cdop__case_box__unpack(
	    cdop_arena_allocator(arena), data.len, data.data);
	if (open == NULL)
		return CDOP_DATA_LOSS;
	*ret_text = open->purpose_text;
	return CDOP_OK;
}

enum cdop_err
audit_said_read(struct rows *rows, struct cdop_arena *arena,
    const struct audit_leaf *leaf, struct audit_said *ret_said)
{
	const Cdop__StoredWords *words = leaf->stored->words;
	struct audit_said said = {NULL, NULL};
	enum cdop_err err = CDOP_OK;

	if (words->has_reason_said)
		err = find_reason(rows, leaf, arena, &said.reason);
	if (err == CDOP_OK && words->has_purpose_said)
		err = leaf->stored->has_case_box
		    ? open_box(rows, leaf, arena, &said.purpose)
		    : find_purpose(rows, leaf, arena, &said.purpose);
	if (err == CDOP_OK)
		*ret_said = said;
	return err;
}
