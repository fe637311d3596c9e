/*
 * Who has two images of a disk, a month apart (T2).  Two histories of one
 * shape, with all that was said in them another: children, areas, what was
 * looked at and by which call, the words that were written, typed in a search,
 * given as a reason.  What is not noise in one image is the same in
 * the other, to the byte, so it tells nothing of these; and what it does tell
 * stands in SECURITY.md.
 */
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/store/db.h"
#include "server/vault/envelope.h"
#include "tests/unit/server/rpc/calls.h"
#include "tests/unit/server/vault/raw.h"

#define IMAGES 2

/* What differs between two histories. */
struct past {
	const char *area[2]; /* of two cases, and where the changed one goes */
	size_t looked;       /* which of both is looked at ... */
	bool listed;         /* ... or whether all are listed */
	size_t changed;      /* which is changed */
	const char *school;
	const char *typed; /* in a search */
	const char *why;   /* somebody was suspended, and a case moved */
	size_t looks;      /* more than the one */
};

static const struct past one = {.area = {"wirral", "sefton"},
    .looked = 0,
    .school = "Greenfield",
    .typed = "Ferncastle",
    .why = "laptop stolen"};
static const struct past other = {.area = {"liverpool", "knowsley"},
    .looked = 1,
    .listed = true,
    .school = "St Ann, Bootle",
    .typed = "Quokkatina Moss",
    .why = "on leave until May"};

/* One image of the file: its rows, and all of it. */
struct image {
	struct raw_table rows;
	uint8_t *file;
	size_t len;
};

static struct image images[2][IMAGES];

static struct store_fixture
place_of(const struct world *w)
{
	struct store_fixture f;

	memset(&f, 0, sizeof(f));
	memcpy(f.dir, w->dir, sizeof(w->dir));
	return f;
}

/* As a thief takes it: the machine is off. */
static void
take(struct world *w, struct image *image)
{
	struct store_fixture f = place_of(w);

	world_close(w);
	raw_free(&image->rows);
	raw_read(&f, &image->rows);
	free(image->file);
	image->file = store_fixture_file(&f, &image->len);
	world_open(w);
}

static void
suspend(struct world *w, const struct past *past)
{
	Cdop__SuspendRequest request;
	struct world_answer answer;

	cdop__suspend_request__init(&request);
	request.person = WORLD_ANALYST;
	request.reason = calls_text(w, past->why);
	world_call(w, WORLD_ADMIN_1, CDOP_CALL_Suspend, &request.base, &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	assert_int_equal(answer.reply->status, CDOP_OK);
}

static void
move(struct world *w, const struct past *past, const char *reference)
{
	Cdop__CaseOwnerRequest request;

	cdop__case_owner_request__init(&request);
	request.reference = calls_text(w, reference);
	request.version = 1;
	request.area = calls_text(w, past->area[1 - past->changed]);
	request.reason = calls_text(w, past->why);
	(void)calls_change(
	    w, WORLD_COORDINATOR, CDOP_CALL_CaseOwner, &request.base, CDOP_OK);
}

static void
look(struct world *w, const struct past *past, const char *reference)
{
	Cdop__CaseHistoryRequest request;
	struct world_answer answer;

	if (past->listed) {
		assert_true(calls_lists(w, WORLD_COORDINATOR, reference));
		return;
	}
	cdop__case_history_request__init(&request);
	request.reference = calls_text(w, reference);
	world_call(w, WORLD_COORDINATOR, CDOP_CALL_CaseHistory, &request.base,
	    &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	assert_int_equal(answer.reply->status, CDOP_OK);
}

/* A month: a look, a word, a search, a case that goes elsewhere, a person. */
static void
month(struct world *w, const struct past *past, char *const *reference)
{
	const char *changed = reference[past->changed];
	size_t i;

	for (i = 0; i <= past->looks; i++)
		look(w, past, reference[past->looked]);
	(void)calls_amend(
	    w, changed, 1, "child.school", past->school, NULL, CDOP_OK);
	assert_int_equal(
	    calls_find(w, WORLD_COORDINATOR, past->typed, "2024-02-03"), 0);
	move(w, past, changed);
	suspend(w, past);
}

static void
play(const struct past *past, struct image *image)
{
	char *reference[2];
	struct world w;
	size_t i;

	world_make(&w);
	for (i = 0; i < 2; i++)
		reference[i] = world_register(
		    &w, (unsigned)(1 + i + 7 * past->looked), past->area[i]);
	take(&w, &image[0]);
	month(&w, past, reference);
	take(&w, &image[1]);
	free(reference[0]);
	free(reference[1]);
	world_end(&w);
}

static int
teardown(void **state)
{
	size_t i, j;

	(void)state;
	for (i = 0; i < 2; i++)
		for (j = 0; j < IMAGES; j++) {
			raw_free(&images[i][j].rows);
			free(images[i][j].file);
			images[i][j].file = NULL;
		}
	return 0;
}

/* ---- rows ---------------------------------------------------------------- */

/* The same numbers, in the same sizes, of the same format. */
static bool
have_one_shape(const struct raw_table *a, const struct raw_table *b)
{
	size_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++)
		if (a->rows[i].number != b->rows[i].number ||
		    a->rows[i].len != b->rows[i].len ||
		    a->rows[i].data[0] != b->rows[i].data[0])
			return false;
	return true;
}

/* Rows of the second image that are not in the first, byte for byte. */
static size_t
count_new(const struct image *image)
{
	const struct raw *was;
	size_t i, n = 0;

	for (i = 0; i < image[1].rows.n; i++) {
		was = raw_find(&image[0].rows, image[1].rows.rows[i].number);
		n += was == NULL;
		/* A number is never used again. */
		if (was != NULL)
			assert_memory_equal(
			    was->data, image[1].rows.rows[i].data, was->len);
	}
	return n;
}

/* Is what is sealed noise, and other noise there than here? */
static void
expect_noise(const struct raw_table *a, const struct raw_table *b)
{
	double seen[256] = {0}, chi = 0, n = 0, same = 0;
	size_t i, k;

	for (i = 0; i < a->n; i++) {
		if (a->rows[i].data[0] != 1)
			continue; /* a slot, or the ring */
		for (k = 1; k < a->rows[i].len; k++, n++) {
			seen[a->rows[i].data[k]]++;
			same += a->rows[i].data[k] == b->rows[i].data[k];
		}
	}
	assert_true(n > 20000);
	for (i = 0; i < 256; i++)
		chi += (seen[i] - n / 256) * (seen[i] - n / 256) / (n / 256);
	/* 255 and 22 are usual; of a hundred million images one has more. */
	assert_in_range((uint64_t)chi, 100, 400);
	assert_in_range((uint64_t)(same * 1000 / n), 1, 8); /* 3.9 */
}

/* ---- the file -------------------------------------------------------------
 */

static uint64_t
le(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	while (n > 0)
		v = v << 8 | p[--n];
	return v;
}

/* A row or an entry of the free list, which is shorter or has a count. */
static void
blank_row(uint8_t *row, size_t len)
{
	/* Of a slot and of the ring the first bytes are in clear. */
	if (len >= SLOTS_RING && row[0] == 2)
		memset(row + 24, 0, len - 24);
	else if (envelope_is_row_len(len) && row[0] == 1)
		memset(row + 1, 0, len - 1);
}

/* Zeros in the place of rows: what is left is LMDB's own. */
static void
blank_page(uint8_t *page)
{
	const uint64_t kind = le(page + 10, 2);
	size_t i, n, at;

	if (kind == 0x08)
		return; /* a meta page */
	if (kind == 0x04) {
		memset(page + 16, 0, DB_PAGE - 16); /* a large row */
		return;
	}
	n = ((size_t)le(page + 12, 2) - 16) / 2;
	for (i = 0; kind == 0x02 && i < n; i++) {
		at = (size_t)le(page + 16 + 2 * i, 2);
		if (le(page + at + 4, 2) == 0)
			blank_row(page + at + 16, (size_t)le(page + at, 4));
	}
	/* Bytes of rows that were on the page before are noise, too. */
	memset(page + 16 + 2 * n, 0, (size_t)le(page + 14, 2) - 16 - 2 * n);
}

/* A page that goes on with a large row has no head. */
static bool
is_page(const uint8_t *page, size_t number)
{
	const uint64_t kind = le(page + 10, 2);

	return le(page, 8) == number &&
	    (kind == 0x01 || kind == 0x02 || kind == 0x04 || kind == 0x08);
}

static void
blank(struct image *image)
{
	size_t i;

	for (i = 0; i < image->len / DB_PAGE; i++) {
		if (is_page(image->file + i * DB_PAGE, i))
			blank_page(image->file + i * DB_PAGE);
		else
			memset(image->file + i * DB_PAGE, 0, DB_PAGE);
	}
}

/* ---- the tests ------------------------------------------------------------
 */

static void
two_histories_of_one_shape_differ_in_noise_alone(void **state)
{
	size_t i;

	(void)state;
	play(&one, images[0]);
	play(&other, images[1]);
	for (i = 0; i < IMAGES; i++) {
		assert_true(
		    have_one_shape(&images[0][i].rows, &images[1][i].rows));
		expect_noise(&images[0][i].rows, &images[1][i].rows);
	}
	assert_int_equal(count_new(images[0]), count_new(images[1]));
	assert_true(count_new(images[0]) > 10);
	for (i = 0; i < IMAGES; i++) {
		assert_int_equal(images[0][i].len, images[1][i].len);
		blank(&images[0][i]);
		blank(&images[1][i]);
		assert_memory_equal(
		    images[0][i].file, images[1][i].file, images[0][i].len);
	}
}

/* Of the first image and not of the second, or the other way round. */
static size_t
only_in(const struct image *in, const struct image *not_in, struct raw *ret)
{
	size_t i, n = 0;

	for (i = 0; i < in->rows.n; i++)
		if (raw_find(&not_in->rows, in->rows.rows[i].number) == NULL)
			ret[n++] = in->rows.rows[i];
	return n;
}

static size_t
count_len(const struct raw *rows, size_t n, size_t len)
{
	size_t i, found = 0;

	for (i = 0; i < n; i++)
		found += rows[i].len == len;
	return found;
}

/*
 * Numbers are of the time when a row was written: that it was the case
 * registered second which has changed is seen, and nothing else of it.
 */
static void
what_changed_is_seen_by_its_age_alone(void **state)
{
	static struct raw a[RAW_ROWS], b[RAW_ROWS];
	struct past past = other;
	size_t i, n;

	(void)state;
	past.changed = 1;
	play(&one, images[0]);
	play(&past, images[1]);
	n = only_in(&images[0][1], &images[0][0], a);
	assert_int_equal(only_in(&images[1][1], &images[1][0], b), n);
	for (i = 0; i < n; i++) {
		assert_true(a[i].number == b[i].number);
		assert_int_equal(a[i].len, b[i].len);
	}
	n = only_in(&images[0][0], &images[0][1], a);
	assert_int_equal(only_in(&images[1][0], &images[1][1], b), n);
	assert_true(n > 2);
	for (i = 0; i < n; i++)
		assert_int_equal(
		    count_len(a, n, a[i].len), count_len(b, n, a[i].len));
}

/* What it does tell: how much happened, and sizes by their classes. */
static void
a_look_more_and_a_size_more_are_seen(void **state)
{
	char words[481];
	struct past past = one;

	(void)state;
	play(&one, images[0]);
	past.looks = 1;
	play(&past, images[1]);
	assert_true(have_one_shape(&images[0][0].rows, &images[1][0].rows));
	assert_false(have_one_shape(&images[0][1].rows, &images[1][1].rows));
	past.looks = 0;
	memset(words, 'w', sizeof(words) - 1);
	words[sizeof(words) - 1] = '\0';
	past.why = words;
	play(&past, images[1]);
	assert_int_equal(images[0][1].rows.n, images[1][1].rows.n);
	assert_false(have_one_shape(&images[0][1].rows, &images[1][1].rows));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(
		two_histories_of_one_shape_differ_in_noise_alone, teardown),
	    cmocka_unit_test_teardown(
		what_changed_is_seen_by_its_age_alone, teardown),
	    cmocka_unit_test_teardown(
		a_look_more_and_a_size_more_are_seen, teardown),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
