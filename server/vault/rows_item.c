/* Opens what a walk has found. */
#include "server/vault/rows_item.h"

#include "server/vault/rows_core.h"

enum cdop_err
rows_item_open(struct rows_item *item, struct cdop_arena *arena,
    struct cdop_bytes *ret_data)
{
	uint8_t *out;

	out = cdop_arena_alloc(arena, item->row.len);
	if (out == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	return rows_core_open(item->rows, item->head, item->row, out, ret_data);
}
