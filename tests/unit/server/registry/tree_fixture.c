/* A log to grow a tree over. */
#include "tests/unit/server/registry/tree_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/registry/tree_load.h"
#include "server/vault/rows_core.h"
#include "stored.pb-c.h"

#define BATCH 1024

void
tree_fixture_make(struct tree_fixture *t, uint64_t max)
{
	memset(t, 0, sizeof(*t));
	store_fixture_make(&t->f);
	t->hash = calloc(max + 1, sizeof(*t->hash));
	assert_non_null(t->hash);
	t->max = max;
	t->reg.rows = t->f.rows;
	t->reg.undo = t->f.undo;
	assert_int_equal(tree_new(t->f.rows, t->f.undo, &t->reg.tree), CDOP_OK);
}

void
tree_fixture_end(struct tree_fixture *t)
{
	tree_free(t->reg.tree);
	free(t->hash);
	store_fixture_end(&t->f);
}

/* ---- leaves ------------------------------------------------------------ */

void
tree_fixture_make_leaf(
    uint8_t flavour, uint64_t index, uint8_t leaf[static 256])
{
	memset(leaf, flavour, 256);
	leaf[0] = 1;
	cdop_put64(leaf + 8, index);
}

static void
put_row(struct tree_fixture *t, uint8_t *leaf)
{
	uint8_t packed[512], secret[32] = {7};
	Cdop__StoredWords words;
	Cdop__StoredLeaf stored;
	struct rows_new row = {
	    .kind = SCHEMA_KIND_LEAF,
	    .schema = 1,
	    .version = (uint32_t)rows_next_leaf(t->f.rows),
	};
	uint64_t number;

	cdop__stored_words__init(&words);
	words.at_ms = 1795600000000;
	cdop__stored_leaf__init(&stored);
	stored.leaf = (ProtobufCBinaryData){256, leaf};
	stored.secret = (ProtobufCBinaryData){sizeof(secret), secret};
	stored.words = &words;
	row.data.data = packed;
	row.data.len = cdop__stored_leaf__pack(&stored, packed);
	assert_true(row.data.len <= sizeof(packed));
	assert_int_equal(rows_put(t->f.rows, &row, &number), CDOP_OK);
}

void
tree_fixture_put_leaf(struct tree_fixture *t, uint64_t index)
{
	uint8_t leaf[256];

	tree_fixture_make_leaf(t->flavour, index, leaf);
	put_row(t, leaf);
}

void
tree_fixture_leaf(struct tree_fixture *t, bool row)
{
	uint8_t leaf[256];

	assert_true(t->n < t->max);
	tree_fixture_make_leaf(t->flavour, t->n, leaf);
	cdop_merkle_leaf(
	    t->hash[t->n], (struct cdop_bytes){leaf, sizeof(leaf)});
	if (row)
		put_row(t, leaf);
	else
		t->f.rows->s.head.next_leaf++;
	assert_int_equal(tree_append(t->reg.tree, t->hash[t->n]), CDOP_OK);
	t->n++;
}

void
tree_fixture_begin(struct tree_fixture *t)
{
	undo_begin(t->f.undo);
	assert_int_equal(rows_begin(t->f.rows, 2u << 20, 64), CDOP_OK);
}

void
tree_fixture_commit(struct tree_fixture *t)
{
	assert_int_equal(tree_seal(t->reg.tree), CDOP_OK);
	store_fixture_commit(&t->f);
}

void
tree_fixture_abort(struct tree_fixture *t)
{
	store_fixture_abort(&t->f);
	t->n = tree_size(t->reg.tree);
}

void
tree_fixture_grow(struct tree_fixture *t, uint64_t n, uint64_t rows)
{
	uint64_t i;

	tree_fixture_begin(t);
	for (i = 0; i < n; i++) {
		if (i > 0 && i % BATCH == 0) {
			tree_fixture_commit(t);
			tree_fixture_begin(t);
		}
		tree_fixture_leaf(t, t->n >= rows);
	}
	tree_fixture_commit(t);
}

void
tree_fixture_bare(struct tree_fixture *t, uint64_t n)
{
	uint8_t leaf[256];
	uint64_t i;

	assert_int_equal(t->n, 0);
	store_fixture_begin(&t->f);
	for (i = 0; i < n; i++) {
		tree_fixture_make_leaf(t->flavour, i, leaf);
		cdop_merkle_leaf(
		    t->hash[i], (struct cdop_bytes){leaf, sizeof(leaf)});
		put_row(t, leaf);
	}
	store_fixture_commit(&t->f);
	t->n = n;
}

enum cdop_err
tree_fixture_reopen(struct tree_fixture *t)
{
	enum cdop_err err;

	tree_free(t->reg.tree);
	t->reg.tree = NULL;
	store_fixture_close(&t->f);
	t->why = NULL;
	if ((err = store_fixture_open(&t->f, 0)) != CDOP_OK)
		return err;
	t->reg.rows = t->f.rows;
	t->reg.undo = t->f.undo;
	assert_int_equal(tree_new(t->f.rows, t->f.undo, &t->reg.tree), CDOP_OK);
	err = tree_load(&t->reg, t->f.arena, &t->why);
	if (err == CDOP_DATA_LOSS && t->why == NULL)
		t->why = rows_finding(t->f.rows);
	return err;
}

/* ---- what has to hold -------------------------------------------------- */

void
tree_fixture_root(const struct tree_fixture *t, uint64_t from, uint64_t n,
    uint8_t ret_root[static CDOP_MERKLE_HASH])
{
	uint8_t right[CDOP_MERKLE_HASH];
	uint64_t k = 1;

	if (n == 0) {
		cdop_merkle_empty(ret_root);
		return;
	}
	if (n == 1) {
		memcpy(ret_root, t->hash[from], CDOP_MERKLE_HASH);
		return;
	}
	while (k * 2 < n)
		k *= 2;
	tree_fixture_root(t, from, k, ret_root);
	tree_fixture_root(t, from + k, n - k, right);
	cdop_merkle_node(ret_root, ret_root, right);
}

void
tree_fixture_check(struct tree_fixture *t, uint64_t step)
{
	uint8_t root[CDOP_MERKLE_HASH], old[CDOP_MERKLE_HASH];
	struct cdop_merkle_proof proof;
	uint64_t i;

	assert_int_equal(tree_size(t->reg.tree), t->n);
	assert_int_equal(rows_next_leaf(t->f.rows), t->n);
	tree_fixture_root(t, 0, t->n, root);
	assert_memory_equal(rows_tree_root(t->f.rows), root, CDOP_MERKLE_HASH);
	for (i = 0; i < t->n; i += step) {
		assert_int_equal(cdop_merkle_prove_inclusion(
				     i, t->n, tree_fetch, t->reg.tree, &proof),
		    CDOP_OK);
		assert_int_equal(cdop_merkle_check_inclusion(
				     i, t->n, t->hash[i], &proof, root),
		    CDOP_OK);
	}
	for (i = 1; i <= t->n; i += step) {
		tree_fixture_root(t, 0, i, old);
		assert_int_equal(cdop_merkle_prove_consistency(
				     i, t->n, tree_fetch, t->reg.tree, &proof),
		    CDOP_OK);
		assert_int_equal(
		    cdop_merkle_check_consistency(i, old, t->n, root, &proof),
		    CDOP_OK);
	}
}
