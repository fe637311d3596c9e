/*
 * The rows of a store as they lie on the disk, for whoever can write there
 * and has no key: read, left out, exchanged, written again.
 */
#ifndef CDOP_TESTS_RAW_H
#define CDOP_TESTS_RAW_H

#include "tests/unit/server/vault/store_fixture.h"

#define RAW_ROWS 1200

struct raw {
	uint64_t number;
	size_t len;
	uint8_t *data; /* of the table that was read */
};

/* A copy of it shares the bytes. */
struct raw_table {
	struct raw rows[RAW_ROWS];
	size_t n;
};

/* All rows of a closed store; what the table held before is forgotten. */
void raw_read(const struct store_fixture *f, struct raw_table *t);

/* Frees the bytes. */
void raw_free(struct raw_table *t);

/* NULL: no such row. */
const struct raw *raw_find(const struct raw_table *t, uint64_t number);

/* Makes the file anew, with these rows. */
void raw_write(const struct store_fixture *f, const struct raw_table *t);

/* The same without one row and with another; either may be NULL. */
void raw_tamper(const struct store_fixture *f, const struct raw_table *t,
    const struct raw *gone, const struct raw *back);

/* The bytes of two rows change places. */
void raw_swap(const struct store_fixture *f, const struct raw_table *t,
    size_t a, size_t b);

#endif
