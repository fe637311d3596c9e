/*
 * Children who never lived, and what a client knows of their cases.
 */
#ifndef CDOP_BENCH_MIX_CHILD_H
#define CDOP_BENCH_MIX_CHILD_H

#include <stdbool.h>
#include <stdint.h>

#include "cdop/form.h"

struct mix_case {
	char reference[24];
	uint32_t who; /* which child */
	uint32_t version;
};

/* Cases in the order in which they were answered. */
struct mix_book {
	struct mix_case *all;
	uint32_t n, max;
	uint32_t next; /* the child that is registered next */
};

/* Room for max cases; the program ends when there is no memory. */
struct mix_book *mix_book_new(uint32_t max, uint32_t next);

/* As it was written, behind what the book has; false: errno says why not. */
bool mix_book_read(struct mix_book *book, const char *path);
bool mix_book_write(const struct mix_book *book, const char *path);

/* Who comes next.  Some 909,000 have NHS numbers, all others none. */
uint32_t mix_child_next(struct mix_book *book);

/* Its NHS number, or NULL. */
const char *mix_child_number(struct cdop_arena *arena, uint32_t who);

/* Eight letters that are the same for the same numbers. */
const char *mix_child_word(
    struct cdop_arena *arena, uint32_t who, uint32_t salt);

/* Its notification, about 1 KB. */
void mix_child_describe(
    struct cdop_arena *arena, Cdop__Form *form, uint32_t who);

#endif
