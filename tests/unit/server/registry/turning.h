/*
 * A rotation of keys in a test's world, step by step, and what has to be so
 * at any moment of it.
 */
#ifndef CDOP_TESTS_TURNING_H
#define CDOP_TESTS_TURNING_H

#include "tests/unit/server/world.h"

/* Begins one of an area (NULL: all) in a batch of its own; its number. */
uint32_t turning_begin(struct world *world, const char *area);

/* The same, also with new case keys. */
uint32_t turning_begin_with(struct world *world, const char *area, bool reseal);

/* Begins one of the root; its number. */
uint32_t turning_begin_root(struct world *world);

/*
 * Keys that somebody had: of an area (NULL: all of them), or the root, which
 * waits then for turning_renew().
 */
uint32_t turning_begin_compromised(struct world *world, const char *area);
uint32_t turning_begin_renewal(struct world *world);

/*
 * What cdopd renew-root does with the root that waits: closes the world with
 * another file, which world->k, other bytes by then, opens as slots 3 and 4.
 */
void turning_renew(struct world *world);

/* What the host says first of all, as Olga. */
enum cdop_err turning_begin_renew(struct world *world, const char *reason);

/* One move of it, in a batch or of its copy: as the cycle does. */
enum cdop_err turning_pump(struct world *world, size_t n);

/* One step of at most n keys; what its commit said. */
enum cdop_err turning_step(struct world *world, size_t n);

/* Steps until all is done but the copy. */
void turning_to_copy(struct world *world, size_t n);

/* Steps until it is done; how many it were. */
size_t turning_finish(struct world *world, size_t n);

/*
 * What is under what, as text: for each area its case keys, how many keys
 * the area has, and whether all of them are the newest's.
 */
#define TURNING_TEXT 1024
void turning_census(const struct world *world, char out[static TURNING_TEXT]);

/* Every row of every case that there is opens. */
void turning_all_readable(struct world *world);

/* The newest key of an area. */
uint64_t turning_newest(const struct world *world, const char *area);

#endif
