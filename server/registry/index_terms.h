/*
 * The hash table of the index: from a hash to the slots that gave it.  It
 * holds no term; whoever gets a slot compares the term itself.
 */
#ifndef CDOP_REGISTRY_INDEX_TERMS_H
#define CDOP_REGISTRY_INDEX_TERMS_H

#include <stdbool.h>
#include <stdint.h>

#include "cdop/err.h"

struct index_terms_node {
	uint32_t next; /* node + 1; 0: end */
	uint32_t hash;
	uint32_t slot;
};

/* Begin with all zero. */
struct index_terms {
	uint32_t *head;  /* node + 1; 0: empty */
	uint32_t n_head; /* a power of two */
	struct index_terms_node *node;
	uint32_t n_node; /* in use or on the free list */
	uint32_t cap;
	uint32_t free;
	uint32_t n; /* in use */
};

/* Room for n more; adding them cannot fail.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err index_terms_reserve(
    struct index_terms *terms, uint32_t n);

void index_terms_free(struct index_terms *terms);

/* After a reserve. */
void index_terms_add(struct index_terms *terms, uint32_t hash, uint32_t slot);

/* One that is there. */
void index_terms_remove(
    struct index_terms *terms, uint32_t hash, uint32_t slot);

/*
 * Slots under a hash, each as often as it was added.  Begin with *at 0;
 * false at the end.  Nothing may be changed meanwhile.
 */
bool index_terms_next(const struct index_terms *terms, uint32_t hash,
    uint32_t *at, uint32_t *ret_slot);

#endif
