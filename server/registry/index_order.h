/*
 * Numbers in an order: a treap over (day, slot), newest day first.  Each
 * slot stands in it once or not at all.  It knows nothing of cases.
 */
#ifndef CDOP_REGISTRY_INDEX_ORDER_H
#define CDOP_REGISTRY_INDEX_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "cdop/err.h"

struct index_order_node;

/* Begin with all zero, then index_order_reserve(). */
struct index_order {
	struct index_order_node *node;
	uint32_t cap;
	uint32_t root; /* 0: empty; else slot + 1 */
};

/* Room for slots below n.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err index_order_reserve(
    struct index_order *order, uint32_t n);

void index_order_free(struct index_order *order);

/*
 * prio decides the shape and has to be unforeseeable; the same prio for the
 * same slot gives the same tree whatever the order of inserting.
 */
void index_order_add(
    struct index_order *order, uint32_t slot, int32_t day, uint32_t prio);
void index_order_remove(struct index_order *order, uint32_t slot);

/* What slot i is put in the order by. */
struct index_order_key {
	int32_t day;
	uint32_t prio;
};

/*
 * All of n slots at once, whatever the order held before: the same tree as
 * adding them one by one.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err index_order_build(
    struct index_order *order, const struct index_order_key *key, uint32_t n);

/* A way through it, as long as it is not changed. */
#define INDEX_ORDER_NEAR 32

struct index_order_walk {
	const struct index_order *order;
	int32_t day; /* where it is */
	uint32_t slot;
	uint32_t link[INDEX_ORDER_NEAR]; /* a ring: what is above, and behind */
	uint32_t n;
	uint32_t top;
	bool lost; /* there was more than that above */
};

/*
 * Behind (day, slot): at a lower day, or the same day and a lower slot.  From
 * the top: INT32_MAX, UINT32_MAX.
 */
void index_order_seek(const struct index_order *order, int32_t day,
    uint32_t slot, struct index_order_walk *walk);

/* The next one; all of them take as many steps as there are.  False at the
 * end. */
bool index_order_next(
    struct index_order_walk *walk, int32_t *day, uint32_t *slot);

#endif
