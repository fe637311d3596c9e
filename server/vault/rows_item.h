/*
 * One row in the hand of a callback: its head is known, its data is opened
 * only when somebody asks.
 */
#ifndef CDOP_VAULT_ROWS_ITEM_H
#define CDOP_VAULT_ROWS_ITEM_H

#include "server/vault/rows.h"

struct envelope_head;

struct rows_item {
	struct rows *rows;
	const struct envelope_head *head;
	struct cdop_bytes row; /* sealed, in the map */
};

/*
 * The row's data, opened now, in arena, followed by a zero byte.  Only within
 * the callback.  CDOP_DATA_LOSS as rows_get().
 */
CDOP_MUST enum cdop_err rows_item_open(struct rows_item *item,
    struct cdop_arena *arena, struct cdop_bytes *ret_data);

#endif
