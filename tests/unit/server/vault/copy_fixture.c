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
#define BOX   16 /* key and index stand before it */

static uint64_t
put_case_row(struct copy_fixture *c, uint8_t kind, size_t i)
{
	char text[96];

	(void)snprintf(text, sizeof(text), "kind %u of case %zu on day %u",
	    kind, i, c->lived);
	return store_fixture_put(&c->f, kind, c->case_key[i], text);
}

/* A leaf with a box in it. */
static void
put_leaf(struct copy_fixture *c, size_t i, const char *text)
{
	static const struct cdop_bytes words = {
	    (const uint8_t *)"why it was looked at", 20};
	uint8_t data[512], index[8];
	struct rows_new row = {.kind = SCHEMA_KIND_LEAF,
	    .schema = 1,
	    .version = (uint32_t)rows_next_leaf(c->f.rows)};
	struct cdop_bytes box;
	size_t len = strlen(text) + 1;
	uint64_t number;

	cdop_put64(index, rows_next_leaf(c->f.rows));
	assert_int_equal(rows_box_seal(c->f.rows, c->case_key[i],
			     (struct cdop_bytes){index, sizeof(index)}, words,
			     c->f.arena, &box),
	    CDOP_OK);
	memcpy(data, text, len);
	cdop_put64(data + len, c->case_key[i]);
	memcpy(data + len + 8, index, sizeof(index));
	memcpy(data + len + BOX, box.data, box.len);
	row.data = (struct cdop_bytes){data, len + BOX + box.len};
	assert_int_equal(rows_put(c->f.rows, &row, &number), CDOP_OK);
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
	put_leaf(c, i, "registered");
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
	put_leaf(c, i, "amended");
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

/* ---- Sealed anew ------------------------------------------------------- */

/* Where the key id of a leaf stands; 0: it has no box. */
static size_t
box_at(struct cdop_bytes data)
{
	size_t len = strnlen((const char *)data.data, data.len);

	return len == data.len ? 0 : len + 1;
}

enum cdop_err
copy_fixture_leaf(void *ctx, struct copy *copy, struct cdop_bytes data,
    struct cdop_arena *arena, struct cdop_bytes *ret_data)
{
	size_t at = box_at(data);
	struct cdop_bytes box;
	uint8_t *changed;
	uint64_t key;
	enum cdop_err err;

	(void)ctx;
	if (at == 0)
		return CDOP_OK;
	box = (struct cdop_bytes){data.data + at + BOX, data.len - at - BOX};
	err = copy_box(copy, cdop_get64(data.data + at),
	    (struct cdop_bytes){data.data + at + 8, 8}, box, arena, &key, &box);
	if (err != CDOP_OK)
		return err == CDOP_NOT_FOUND ? CDOP_OK : err;
	if (key == cdop_get64(data.data + at))
		return CDOP_OK;
	changed = cdop_arena_alloc(arena, data.len);
	if (changed == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	memcpy(changed, data.data, at + BOX);
	cdop_put64(changed + at, key);
	memcpy(changed + at + BOX, box.data, box.len);
	*ret_data = (struct cdop_bytes){changed, data.len};
	return CDOP_OK;
}

void
copy_fixture_turned(void *ctx, const struct copy *copy)
{
	struct copy_fixture *c = ctx;
	size_t i;

	for (i = 0; i < COPY_FIXTURE_CASES; i++)
		c->case_key[i] = copy_key(copy, c->case_key[i]);
}

void
copy_fixture_find_keys(struct copy_fixture *c)
{
	const struct keystore_entry *entry;
	size_t i;

	for (i = 0; i < keystore_places(c->f.ks); i++) {
		entry = keystore_at(c->f.ks, i);
		if (entry->scope == SCHEMA_CASE &&
		    entry->case_id <= COPY_FIXTURE_CASES)
			c->case_key[entry->case_id - 1] = entry->id;
	}
}

struct boxes {
	struct copy_fixture *c;
	size_t n;
};

static enum cdop_err
open_box(void *ctx, const struct rows_head *head, struct rows_item *item,
    bool *ret_stop)
{
	struct boxes *boxes = ctx;
	struct cdop_arena *arena = boxes->c->f.arena;
	struct cdop_bytes data, words;
	size_t at;

	(void)head;
	(void)ret_stop;
	cdop_arena_reset(arena);
	assert_int_equal(rows_item_open(item, arena, &data), CDOP_OK);
	if ((at = box_at(data)) == 0)
		return CDOP_OK;
	assert_int_equal(
	    rows_box_open(boxes->c->f.rows, cdop_get64(data.data + at),
		(struct cdop_bytes){data.data + at + 8, 8},
		(struct cdop_bytes){data.data + at + BOX, data.len - at - BOX},
		arena, &words),
	    CDOP_OK);
	assert_string_equal((const char *)words.data, "why it was looked at");
	boxes->n++;
	return CDOP_OK;
}

size_t
copy_fixture_boxes(struct copy_fixture *c)
{
	struct boxes boxes = {.c = c};

	assert_int_equal(
	    rows_walk_log(c->f.rows, 0, open_box, &boxes), CDOP_OK);
	return boxes.n;
}

void
copy_fixture_turn(struct copy_fixture *c,
    struct copy_epoch ret_epochs[static COPY_FIXTURE_EPOCHS])
{
	static const enum schema_scope scopes[COPY_FIXTURE_EPOCHS] = {
	    SCHEMA_REGISTRY, SCHEMA_LOG, SCHEMA_SEARCH, SCHEMA_AREA};

	const char *area;
	size_t i;

	store_fixture_begin(&c->f);
	for (i = 0; i < COPY_FIXTURE_EPOCHS; i++) {
		area = scopes[i] == SCHEMA_AREA ? copy_fixture_areas[0] : NULL;
		assert_true(keystore_epoch(
		    c->f.ks, scopes[i], area, &ret_epochs[i].from));
		assert_int_equal(rows_keys_epoch_new(c->f.rows, scopes[i], area,
				     &ret_epochs[i].to),
		    CDOP_OK);
	}
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

/* ---- The whole --------------------------------------------------------- */

struct copy_plan
copy_fixture_plan(struct copy_fixture *c, const struct copy_epoch *epochs)
{
	return (struct copy_plan){.epochs = epochs,
	    .n_epochs = COPY_FIXTURE_EPOCHS,
	    .areas = copy_fixture_areas,
	    .n_areas = 1,
	    .leaf = copy_fixture_leaf,
	    .turned = copy_fixture_turned,
	    .ctx = c};
}

/* K of the slots that a renewal makes; the others' while they are swapped. */
static uint8_t other_k[2][32];

struct copy_plan
copy_fixture_renewal(struct copy_fixture *c, struct copy_slot slots[static 2])
{
	memset(slots, 0, 2 * sizeof(*slots));
	memset(other_k[0], 0x31, sizeof(other_k[0]));
	memset(other_k[1], 0x32, sizeof(other_k[1]));
	slots[0].slot = (struct slots_new){.kind = SLOTS_KIND_KEYFILE,
	    .label = "new key file",
	    .k = other_k[0]};
	slots[1].slot = (struct slots_new){.kind = SLOTS_KIND_PASSPHRASE,
	    .label = "new passphrase",
	    .k = other_k[1]};
	assert_int_equal(
	    slots_kdf_new(1, SLOTS_MEMORY_MIN, &slots[1].slot.kdf), CDOP_OK);
	return (struct copy_plan){.all_areas = true,
	    .leaf = copy_fixture_leaf,
	    .ctx = c,
	    .slots = slots,
	    .n_slots = 2};
}

void
copy_fixture_swap(struct copy_fixture *c)
{
	uint8_t k[2][32];

	memcpy(k, c->f.k, sizeof(k));
	memcpy(c->f.k, other_k, sizeof(k));
	memcpy(other_k, k, sizeof(k));
}

void
copy_fixture_finish(struct copy *copy)
{
	if (copy_finish(copy) != COPY_SWITCHED)
		fail_msg("%s: %s", cdop_err_name(copy_error(copy)),
		    copy_finding(copy));
}

void
copy_fixture_copy(
    struct copy_fixture *c, const struct copy_plan *plan, bool live)
{
	struct copy *copy;

	assert_int_equal(copy_begin(c->f.rows, plan, &copy), CDOP_OK);
	assert_int_equal(copy_fixture_ready(c, copy, 5, live), CDOP_OK);
	copy_fixture_finish(copy);
	copy_free(copy);
}

void
copy_fixture_whole(struct copy_fixture *c)
{
	store_fixture_close(&c->f);
	if (store_fixture_verify(&c->f) != 0)
		fail_msg("%s", c->f.lines);
	assert_int_equal(store_fixture_open(&c->f, 0), CDOP_OK);
}

bool
copy_fixture_is_sealed_anew(
    const struct copy_fixture *c, const struct copy_fixture_row *row)
{
	const struct keystore_entry *entry;
	struct envelope_head head;

	if (row->bytes[0] != 1 ||
	    envelope_head_parse(keystore_ring(c->f.ks),
		(struct cdop_bytes){row->bytes, row->len}, row->number,
		&head) != ENVELOPE_FINE ||
	    head.kind == SCHEMA_KIND_EPOCH_KEY)
		return false;
	entry = keystore_find(c->f.ks, head.key_id);
	assert_non_null(entry);
	return (entry->scope != SCHEMA_AREA && entry->scope != SCHEMA_CASE) ||
	    strcmp(keystore_area(c->f.ks, entry->area),
		copy_fixture_areas[0]) == 0;
}
