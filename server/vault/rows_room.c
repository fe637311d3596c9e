/* How much a batch can take, and from where. */
#include "server/vault/rows_room.h"

#include "server/vault/rows_core.h"

#define REST ((size_t)1 << 30) /* takes 10 ms, where all of it is ours */

void
rows_room_reserve(
    const struct rows *rows, uint64_t *ret_have, uint64_t *ret_want)
{
	db_reserve(rows->db, ret_have, ret_want);
}

enum cdop_err
rows_room_fill(struct rows *rows)
{
	return db_reserve_fill(rows->db);
}

void
rows_room_give(struct rows *rows)
{
	db_reserve_give(rows->db);
}

void
rows_room_rest(struct rows *rows)
{
	db_rest(rows->db, REST);
}

/*
 * Pages that n changes with so many bytes can dirty at the most: padding
 * doubles, a page is filled to two thirds, and a change that deletes a row
 * elsewhere dirties a leaf, its branches and the free list.
 */
static size_t
pages_for(size_t max_bytes, size_t n)
{
	return max_bytes / (DB_PAGE / 4) + n * 6 + 64;
}

enum cdop_err
rows_room_take(struct rows *rows, size_t max_bytes, size_t n, bool last)
{
	size_t pages = pages_for(max_bytes, n);

	return last ? db_room_last(rows->db, pages) : db_room(rows->db, pages);
}
