/*
 * The inside of the index, for index.c only: a slot for each case, one table
 * of terms, one order.
 */
#ifndef CDOP_REGISTRY_INDEX_CORE_H
#define CDOP_REGISTRY_INDEX_CORE_H

#include "server/registry/index.h"
#include "server/registry/index_hash.h"
#include "server/registry/index_terms.h"

struct index_core_rows {
	uint32_t n;
	uint32_t cap;
	struct index_row row[];
};

struct index_core_slot {
	struct index_post *post;      /* NULL: only rows are known yet */
	struct index_core_rows *rows; /* NULL: none */
	uint64_t case_id;
	struct index_glance glance; /* of the post */
};

struct index {
	struct undo *undo;
	uint8_t key[INDEX_KINDS][INDEX_HASH_KEY]; /* of hashes, for each kind */
	struct index_core_slot *slot;
	uint32_t n;
	uint32_t cap;
	struct index_terms terms;
	struct index_order order;
	char **word; /* that many cases share: areas, jurisdictions */
	size_t n_word, cap_word;
	uint32_t last; /* slot of the row before: a case's rows come together */
};

#endif
