/* Rows without keys. */
#include "tests/unit/server/vault/raw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/store/db.h"

void
raw_read(const struct store_fixture *f, struct raw_table *t)
{
	struct db_args args = {.dir = f->dir, .map_bytes = STORE_FIXTURE_MAP};
	struct cdop_bytes row;
	struct db_txn *txn;
	uint64_t number = 0;
	struct db *db;

	assert_int_equal(db_open(&args, &db), CDOP_OK);
	assert_int_equal(db_begin_read(db, &txn), CDOP_OK);
	t->n = 0;
	while (db_next(txn, number, &number, &row) == CDOP_OK) {
		assert_true(t->n < RAW_ROWS);
		t->rows[t->n].number = number;
		t->rows[t->n].len = row.len;
		t->rows[t->n].data = malloc(row.len);
		assert_non_null(t->rows[t->n].data);
		memcpy(t->rows[t->n].data, row.data, row.len);
		t->n++;
		number++;
	}
	db_abort(txn);
	db_close(db);
}

void
raw_free(struct raw_table *t)
{
	while (t->n > 0)
		free(t->rows[--t->n].data);
}

const struct raw *
raw_find(const struct raw_table *t, uint64_t number)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (t->rows[i].number == number)
			return &t->rows[i];
	return NULL;
}

static void
remove_file(const struct store_fixture *f, const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	assert_int_equal(unlink(path), 0);
}

void
raw_write(const struct store_fixture *f, const struct raw_table *t)
{
	struct db_args args = {
	    .dir = f->dir, .map_bytes = STORE_FIXTURE_MAP, .create = true};
	struct db_txn *txn;
	struct db *db;
	size_t i;

	remove_file(f, "data.mdb");
	remove_file(f, "lock.mdb");
	assert_int_equal(db_open(&args, &db), CDOP_OK);
	assert_int_equal(db_begin(db, &txn), CDOP_OK);
	for (i = 0; i < t->n; i++)
		assert_int_equal(
		    db_put(txn, t->rows[i].number,
			(struct cdop_bytes){t->rows[i].data, t->rows[i].len}),
		    CDOP_OK);
	assert_int_equal(db_commit(txn), CDOP_OK);
	db_close(db);
}

void
raw_tamper(const struct store_fixture *f, const struct raw_table *now,
    const struct raw *gone, const struct raw *back)
{
	static struct raw_table t;
	size_t i;

	t.n = 0;
	for (i = 0; i < now->n; i++)
		if (gone == NULL || now->rows[i].number != gone->number)
			t.rows[t.n++] = now->rows[i];
	if (back != NULL)
		t.rows[t.n++] = *back;
	raw_write(f, &t);
}

void
raw_swap(const struct store_fixture *f, const struct raw_table *now, size_t a,
    size_t b)
{
	static struct raw_table t;

	t = *now;
	t.rows[a] = now->rows[b];
	t.rows[a].number = now->rows[a].number;
	t.rows[b] = now->rows[a];
	t.rows[b].number = now->rows[b].number;
	raw_write(f, &t);
}
