/*
 * A store with something of every kind in it, a life that goes on while it is
 * copied, and looks into the file.  For the tests of walk and copy.
 */
#ifndef CDOP_TESTS_COPY_FIXTURE_H
#define CDOP_TESTS_COPY_FIXTURE_H

#include "server/vault/copy.h"
#include "tests/unit/server/vault/store_fixture.h"

#define COPY_FIXTURE_CASES 24
#define COPY_FIXTURE_AREAS 3

struct copy_fixture {
	struct store_fixture f;
	uint64_t case_key[COPY_FIXTURE_CASES];
	uint64_t summary[COPY_FIXTURE_CASES]; /* row number */
	uint64_t person;
	uint32_t lived; /* days */
};

/* The names of the areas, case i lies in area i % COPY_FIXTURE_AREAS. */
extern const char *const copy_fixture_areas[COPY_FIXTURE_AREAS];

/* Made and filled; the large one has a directory row. */
void copy_fixture_make(struct copy_fixture *c);
void copy_fixture_make_small(struct copy_fixture *c);
void copy_fixture_end(struct copy_fixture *c);

/*
 * One batch of a day: puts, replaces and deletes rows in front of and behind
 * a walk, moves a case, registers another; one that is aborted as well.
 */
void copy_fixture_live(struct copy_fixture *c);

/*
 * Leaves about a case are text || 0 || key id u64 || leaf index u64 || box of
 * a few words under the case key, bound to that index.  copy_fixture_leaf() is
 * for plans; copy_fixture_turned() gives c->case_key the new names.  ctx: c.
 */
enum cdop_err copy_fixture_leaf(void *ctx, struct copy *copy,
    struct cdop_bytes data, struct cdop_arena *arena,
    struct cdop_bytes *ret_data);
void copy_fixture_turned(void *ctx, const struct copy *copy);

/* c->case_key from the key table, after a start. */
void copy_fixture_find_keys(struct copy_fixture *c);

/* Every box of the log opens under the key that it names; how many. */
size_t copy_fixture_boxes(struct copy_fixture *c);

/*
 * New epoch keys for REGISTRY, LOG, SEARCH and for the first area, in a
 * batch: what a rotation of all that and a plan need.
 */
#define COPY_FIXTURE_EPOCHS 4
void copy_fixture_turn(struct copy_fixture *c,
    struct copy_epoch ret_epochs[static COPY_FIXTURE_EPOCHS]);

/* All rows of the live file, as they are. */
struct copy_fixture_row {
	uint64_t number;
	size_t len;
	uint8_t *bytes;
};

struct copy_fixture_image {
	struct copy_fixture_row *row;
	size_t n;
};

void copy_fixture_read(
    const struct copy_fixture *c, struct copy_fixture_image *ret_image);
void copy_fixture_drop(struct copy_fixture_image *image);

/* The texts of the rows that a start hands out, in the order of numbers. */
char *copy_fixture_texts(struct copy_fixture *c);

/* So many rows a step. */
struct walk_budget copy_fixture_budget(size_t rows);

/* Steps until it is ready, living a day between each two. */
enum cdop_err copy_fixture_ready(
    struct copy_fixture *c, struct copy *copy, size_t rows, bool live);

/* A plan of all that copy_fixture_turn() made, and of the first area. */
struct copy_plan copy_fixture_plan(
    struct copy_fixture *c, const struct copy_epoch *epochs);

/*
 * A plan of a new root, which a key file and a passphrase open whose K are
 * other bytes than those of c->f; copy_fixture_swap() takes these, or back.
 */
struct copy_plan copy_fixture_renewal(
    struct copy_fixture *c, struct copy_slot slots[static 2]);
void copy_fixture_swap(struct copy_fixture *c);

/* Finishes one that is ready, or fails the test with what was found. */
void copy_fixture_finish(struct copy *copy);

/* A copy from its beginning to its end, in steps of 5 rows. */
void copy_fixture_copy(
    struct copy_fixture *c, const struct copy_plan *plan, bool live);

/* Closed, verified, opened from the disk. */
void copy_fixture_whole(struct copy_fixture *c);

/* Is this row one of those that copy_fixture_plan() seals anew? */
bool copy_fixture_is_sealed_anew(
    const struct copy_fixture *c, const struct copy_fixture_row *row);

#endif
