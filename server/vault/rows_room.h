/*
 * Whether there is room for a batch, and the reserve that is kept for the
 * last ones (TRUST M16).
 */
#ifndef CDOP_VAULT_ROWS_ROOM_H
#define CDOP_VAULT_ROWS_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cdop/err.h"

struct rows;

/* The reserve: bytes it has, and bytes it is to have; 0: there is none. */
void rows_room_reserve(
    const struct rows *rows, uint64_t *ret_have, uint64_t *ret_want);

/* A step of filling it up, between batches; as db_reserve_fill(). */
CDOP_MUST enum cdop_err rows_room_fill(struct rows *rows);

/* A step of it back to the file system, where a commit found no room. */
void rows_room_give(struct rows *rows);

/* A step of giving pages back that nobody reads now; as db_rest(). */
void rows_room_rest(struct rows *rows);

/* For rows_begin() and rows_begin_last() only: see there. */
CDOP_MUST enum cdop_err rows_room_take(
    struct rows *rows, size_t max_bytes, size_t n, bool last);

#endif
