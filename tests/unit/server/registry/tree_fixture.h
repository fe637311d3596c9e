/*
 * A store with a log in it and the tree over that, without the calls that
 * fill one: leaf n is 256 bytes that begin as a leaf does.  Rows of leaves are
 * put down only where a test wants them, so that large trees are cheap.
 */
#ifndef CDOP_TESTS_TREE_FIXTURE_H
#define CDOP_TESTS_TREE_FIXTURE_H

#include "cdop/merkle.h"
#include "server/registry/registry.h"
#include "server/registry/tree.h"
#include "tests/unit/server/vault/store_fixture.h"

struct tree_fixture {
	struct store_fixture f;
	struct registry reg;               /* nothing but rows, undo and tree */
	uint8_t (*hash)[CDOP_MERKLE_HASH]; /* of every leaf there is */
	uint64_t n;
	uint64_t max;
	uint8_t flavour; /* makes leaf n another one */
	const char *why; /* of the last start */
};

/* For at most max leaves. */
void tree_fixture_make(struct tree_fixture *t, uint64_t max);
void tree_fixture_end(struct tree_fixture *t);

/*
 * n leaves more, in batches; with rows for those from index `rows` on.  As a
 * registry does it, root and all.
 */
void tree_fixture_grow(struct tree_fixture *t, uint64_t n, uint64_t rows);

/* What leaf `index` is. */
void tree_fixture_make_leaf(
    uint8_t flavour, uint64_t index, uint8_t leaf[static 256]);

/* One, within a batch. */
void tree_fixture_leaf(struct tree_fixture *t, bool row);
/* The row of leaf `index` alone; the store has to expect that one. */
void tree_fixture_put_leaf(struct tree_fixture *t, uint64_t index);
void tree_fixture_begin(struct tree_fixture *t);
void tree_fixture_commit(struct tree_fixture *t);
void tree_fixture_abort(struct tree_fixture *t);

/* Closes, opens again and loads the tree; what that came to. */
enum cdop_err tree_fixture_reopen(struct tree_fixture *t);

/* Every leaf from 0 on, without a tree: as it was before there was one. */
void tree_fixture_bare(struct tree_fixture *t, uint64_t n);

/* The definition of RFC 6962 over hash[from] to hash[from + n - 1]. */
void tree_fixture_root(const struct tree_fixture *t, uint64_t from, uint64_t n,
    uint8_t ret_root[static CDOP_MERKLE_HASH]);

/* The tree has this root, and every proof of a leaf and of a size holds. */
void tree_fixture_check(struct tree_fixture *t, uint64_t step);

#endif
