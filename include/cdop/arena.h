/*
 * Memory for one batch, request or command: taken in a row, given back all
 * at once, wiped when it is given back.
 *
 * Unpacked messages, replies and scratch live here, so nothing that held a
 * family's words is ever left on a free list, and most functions have
 * nothing to free.  It is ordinary memory; keys live in vault/lockmem.h.
 */
#ifndef CDOP_ARENA_H
#define CDOP_ARENA_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "cdop/err.h"

struct cdop_arena;

/* An arena that will hand out at most max_bytes.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err cdop_arena_new(
    size_t max_bytes, struct cdop_arena **ret_arena);

/* Wipes and frees; NULL is fine. */
void cdop_arena_free(struct cdop_arena *arena);

/* Wipes all that was handed out; every pointer into it is dead. */
void cdop_arena_reset(struct cdop_arena *arena);

/*
 * Wipes what was handed out since cdop_arena_used() was `used`, and lifts the
 * budget.
 */
void cdop_arena_rewind(struct cdop_arena *arena, size_t used);

/*
 * len zeroed bytes, aligned for any type; len 0 gives a valid pointer.
 * NULL when the budget is spent: that is CDOP_RESOURCE_EXHAUSTED.
 */
void *cdop_arena_alloc(struct cdop_arena *arena, size_t len);

/* n * size, refused on overflow. */
void *cdop_arena_calloc(struct cdop_arena *arena, size_t n, size_t size);

/* A copy of len bytes followed by a NUL. */
char *cdop_arena_strndup(struct cdop_arena *arena, const char *s, size_t len);
char *cdop_arena_strdup(struct cdop_arena *arena, const char *s);

/* A formatted string, or NULL. */
__attribute__((format(printf, 2, 3))) char *cdop_arena_printf(
    struct cdop_arena *arena, const char *fmt, ...);

/*
 * From now on at most max_bytes more, until the next call or reset; what one
 * request of a batch may take.  0: no bound but the arena's own.
 */
void cdop_arena_set_budget(struct cdop_arena *arena, size_t max_bytes);

/* Would so many bytes, in one piece or in several, still be handed out? */
bool cdop_arena_has(const struct cdop_arena *arena, size_t len);

/* Whether it has ever refused: then something may not be said, or be whole. */
bool cdop_arena_was_spent(const struct cdop_arena *arena);

/* Bytes handed out since the last reset. */
size_t cdop_arena_used(const struct cdop_arena *arena);

/*
 * Allocator for protobuf-c's unpack: draws from the arena, frees nothing.
 * It lives as long as the arena.
 */
ProtobufCAllocator *cdop_arena_allocator(struct cdop_arena *arena);

#endif
