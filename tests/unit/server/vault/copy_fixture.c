/* A store to copy. */
#include "tests/unit/server/vault/copy_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/store/db.h"
#include "server/vault/rows_core.h"

const char *const copy_fixture_areas[COPY_FIXTURE_AREAS] = {
    "liverpool", "sefton", "wirral"};

#define LARGE 20000

static uint64_t
put_case_row(struct copy_fixture *c, uint8_t kind, size_t i)
{
	char text[96];

	(void)snprintf(text, sizeof(text), "kind %u of case %zu on day %u",
	    kind, i, c->lived);
	return store_fixture_put(&c->f, kind, c->case_key[i], text);
}

static void
add_case(struct copy_fixture *c, size_t i)
{
	const char *area = copy_fixture_areas[i % COPY_FIXTURE_AREAS];

	assert_int_equal(rows_keys_area(c->f.rows, area), CDOP_OK);
	assert_int_equal(
	    rows_keys_case_new(c->f.rows, i + 1, area, &c->case_key[i]),
	    CDOP_OK);
	(void)put_case_row(c, SCHEMA_KIND_CASE, i);
	(void)put_case_row(c, SCHEMA_KIND_FORM, i);
	c->summary[i] = put_case_row(c, SCHEMA_KIND_SUMMARY, i);
	(void)store_fixture_put(&c->f, SCHEMA_KIND_TERMS, 0, "terms");
	(void)store_fixture_leaf(&c->f, "registered");
}

/* One that lies in overflow pages. */
static void
add_large(struct copy_fixture *c)
{
	static char text[LARGE];

	memset(text, 'x', sizeof(text) - 1);
	(void)store_fixture_put(&c->f, SCHEMA_KIND_FORM, c->case_key[0], text);
}

/* Over the first directory row. */
static void
add_log(struct copy_fixture *c)
{
	size_t i;

	for (i = 0; i < LAYOUT_DIR_ROWS; i++) {
		if (i % 60 == 0)
			store_fixture_begin(&c->f);
		(void)store_fixture_leaf(&c->f, "a leaf");
		if (i % 60 == 59 || i == LAYOUT_DIR_ROWS - 1)
			store_fixture_commit(&c->f);
	}
}

static void
make(struct copy_fixture *c, bool large)
{
	size_t i;

	memset(c, 0, sizeof(*c));
	store_fixture_make(&c->f);
	for (i = 0; i < COPY_FIXTURE_CASES / 2; i++) {
		store_fixture_begin(&c->f);
		add_case(c, i);
		if (i == 0)
			add_large(c);
		store_fixture_commit(&c->f);
	}
	if (large)
		add_log(c);
	store_fixture_begin(&c->f);
	c->person = store_fixture_put(&c->f, SCHEMA_KIND_PERSON, 0, "person");
	store_fixture_commit(&c->f);
}

void
copy_fixture_make(struct copy_fixture *c)
{
	make(c, true);
}

void
copy_fixture_make_small(struct copy_fixture *c)
{
	make(c, false);
}

void
copy_fixture_end(struct copy_fixture *c)
{
	store_fixture_end(&c->f);
}

/* ---- A day ------------------------------------------------------------- */

static void
amend(struct copy_fixture *c, size_t i)
{
	assert_int_equal(rows_del(c->f.rows, c->summary[i]), CDOP_OK);
	(void)put_case_row(c, SCHEMA_KIND_FORM, i);
	c->summary[i] = put_case_row(c, SCHEMA_KIND_SUMMARY, i);
	(void)store_fixture_leaf(&c->f, "amended");
}

void
copy_fixture_live(struct copy_fixture *c)
{
	struct copy_fixture before = *c;
	size_t day, i;

	day = ++c->lived;
	i = day % (COPY_FIXTURE_CASES / 2);
	store_fixture_begin(&c->f);
	amend(c, i);
	assert_int_equal(rows_del(c->f.rows, c->person), CDOP_OK);
	store_fixture_abort(&c->f);
	memcpy(c->summary, before.summary, sizeof(c->summary));
	store_fixture_begin(&c->f);
	amend(c, i);
	assert_int_equal(rows_keys_case_move(c->f.rows, c->case_key[i],
			     copy_fixture_areas[day % COPY_FIXTURE_AREAS]),
	    CDOP_OK);
	if (day < COPY_FIXTURE_CASES / 2)
		add_case(c, COPY_FIXTURE_CASES / 2 + day);
	assert_int_equal(rows_del(c->f.rows, c->person), CDOP_OK);
	c->person = store_fixture_put(&c->f, SCHEMA_KIND_PERSON, 0, "person");
	store_fixture_commit(&c->f);
}

/* ---- Looking ----------------------------------------------------------- */

void
copy_fixture_read(
    const struct copy_fixture *c, struct copy_fixture_image *ret_image)
{
	struct copy_fixture_image image = {NULL, 0};
	struct copy_fixture_row *row;
	struct cdop_bytes bytes;
	struct db_txn *txn;
	uint64_t number, n;

	assert_int_equal(db_begin_read(c->f.rows->db, &txn), CDOP_OK);
	assert_int_equal(db_count(txn, &n), CDOP_OK);
	image.row = calloc((size_t)n, sizeof(*image.row));
	assert_non_null(image.row);
	for (number = 0; db_next(txn, number, &number, &bytes) == CDOP_OK;
	     number++) {
		assert_true(image.n < n);
		row = &image.row[image.n++];
		row->number = number;
		row->len = bytes.len;
		row->bytes = malloc(bytes.len);
		assert_non_null(row->bytes);
		memcpy(row->bytes, bytes.data, bytes.len);
	}
	assert_int_equal(image.n, n);
	db_abort(txn);
	*ret_image = image;
}

void
copy_fixture_drop(struct copy_fixture_image *image)
{
	size_t i;

	for (i = 0; i < image->n; i++)
		free(image->row[i].bytes);
	free(image->row);
}

char *
copy_fixture_texts(struct copy_fixture *c)
{
	struct copy_fixture_image image;
	struct rows_head head;
	struct cdop_bytes data;
	char *texts, line[128];
	size_t i, len;

	copy_fixture_read(c, &image);
	texts = calloc(image.n, sizeof(line));
	assert_non_null(texts);
	for (len = 0, i = 0; i < image.n; i++) {
		if (layout_incarnation(image.row[i].number) == 0)
			continue;
		cdop_arena_reset(c->f.arena);
		assert_int_equal(rows_get(c->f.rows, image.row[i].number,
				     c->f.arena, &head, &data),
		    CDOP_OK);
		if (head.kind < SCHEMA_KIND_CONFIG)
			continue; /* the vault's own */
		len += (size_t)snprintf(texts + len, sizeof(line),
		    "%llu %u.%u v%u %.40s\n", (unsigned long long)head.number,
		    head.kind, head.schema, head.version,
		    (const char *)data.data);
	}
	copy_fixture_drop(&image);
	return texts;
}

struct walk_budget
copy_fixture_budget(size_t rows)
{
	return (struct walk_budget){.rows = rows, .bytes = SIZE_MAX};
}

enum cdop_err
copy_fixture_ready(
    struct copy_fixture *c, struct copy *copy, size_t rows, bool live)
{
	const struct walk_budget budget = copy_fixture_budget(rows);
	enum copy_state state = COPY_MORE;
	enum cdop_err err;
	unsigned int n;

	for (n = 0; n < 100000; n++) {
		if ((err = copy_step(copy, &budget, &state)) != CDOP_OK)
			return err;
		if (state == COPY_READY)
			return CDOP_OK;
		if (live && n % 8 == 0 && n < 8 * COPY_FIXTURE_CASES)
			copy_fixture_live(c);
	}
	return CDOP_DEADLINE_EXCEEDED;
}
