/* Boxes under other keys, and tables that name them. */
#include "server/registry/reseal.h"

#include "cdop/leaf.h"
#include "server/registry/cases.h"
#include "server/registry/index.h"
#include "server/registry/registry.h"
#include "server/registry/search_key.h"
#include "stored.pb-c.h"

/* The box of a case that was erased stays: nobody opens it. */
static enum cdop_err
renew_box(struct copy *copy, Cdop__StoredLeaf *stored, struct cdop_arena *arena,
    bool *ret_changed)
{
	struct cdop_bytes bytes = {stored->leaf.data, stored->leaf.len};
	struct cdop_bytes box = {stored->case_box.data, stored->case_box.len};
	struct cdop_leaf leaf;
	uint8_t index[8];
	uint64_t key;
	enum cdop_err err;

	*ret_changed = false;
	if (cdop_leaf_parse(bytes, &leaf) != CDOP_OK)
		return CDOP_DATA_LOSS;
	cdop_put64(index, leaf.index);
	err = copy_box(copy, stored->case_box_key,
	    (struct cdop_bytes){index, sizeof(index)}, box, arena, &key, &box);
	if (err != CDOP_OK)
		return err == CDOP_NOT_FOUND ? CDOP_OK : err;
	if (key == stored->case_box_key)
		return CDOP_OK;
	stored->case_box_key = key;
	/* Borrowed until it is packed. */
	stored->case_box.data = (uint8_t *)(uintptr_t)box.data;
	stored->case_box.len = box.len;
	*ret_changed = true;
	return CDOP_OK;
}

static enum cdop_err
renew_leaf(void *ctx, struct copy *copy, struct cdop_bytes data,
    struct cdop_arena *arena, struct cdop_bytes *ret_data)
{
	Cdop__StoredLeaf *stored;
	uint8_t *packed;
	bool changed;
	enum cdop_err err;

	(void)ctx;
	stored = cdop__stored_leaf__unpack(
	    cdop_arena_allocator(arena), data.len, data.data);
	if (stored == NULL)
		return CDOP_DATA_LOSS;
	if (!stored->has_case_box)
		return CDOP_OK;
	err = renew_box(copy, stored, arena, &changed);
	if (err != CDOP_OK || !changed)
		return err;
	packed =
	    cdop_arena_alloc(arena, cdop__stored_leaf__get_packed_size(stored));
	if (packed == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	*ret_data = (struct cdop_bytes){
	    packed, cdop__stored_leaf__pack(stored, packed)};
	return CDOP_OK;
}

static uint64_t
name_of(const void *ctx, uint64_t key)
{
	return copy_key(ctx, key);
}

static void
turned(void *ctx, const struct copy *copy)
{
	struct registry *reg = ctx;

	index_rename_keys(cases_index(reg->cases), name_of, copy);
	search_key_rename(reg->search_key, copy);
}

void
reseal_prepare(struct registry *reg, struct copy_plan *plan)
{
	plan->leaf = renew_leaf;
	plan->turned = turned;
	plan->ctx = reg;
}
