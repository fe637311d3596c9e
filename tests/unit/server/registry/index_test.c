/* The index: found by everything ever given, and whole after every abort. */
#include "server/registry/index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/undo.h"
#include "server/registry/index_hash.h"
#include "server/registry/index_order.h"

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#define CASES 40u

static const char *const families[] = {"Smith", "Smyth", "O'Shea", "Null",
    "Oyelaran-Synthetic", "\xd9\x85\xd8\xad\xd9\x85\xd8\xaf", "Tarrant"};
static const char *const areas[] = {"wirral", "sefton", "liverpool"};
static const char *const dates[] = {
    "2026-11-20", "2026-11-21", "2026-11", "2026", "~2024-05-14"};

static uint64_t seed;

static uint32_t
roll(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % n;
}

/* A summary whose lists are one to three entries; in static memory. */
struct sample {
	Cdop__StoredSummary s;
	char *nhs[2], *family[4], *first[2], *mother[2], *birth[2], *death[2];
	uint64_t decided[2];
	char nhs_text[2][24];
	char texts[16][64];
	size_t n_text;
};

static char *
text(struct sample *x, const char *from)
{
	char *to = x->texts[x->n_text++];

	(void)snprintf(to, sizeof(x->texts[0]), "%s", from);
	return to;
}

/* A case with nothing but a reference; its lists are in place. */
static void
plain(struct sample *x)
{
	memset(x, 0, sizeof(*x));
	cdop__stored_summary__init(&x->s);
	x->s.reference = text(x, "unused");
	x->s.owner_area = text(x, "wirral");
	x->s.status = text(x, "received");
	x->s.nhs_number = x->nhs;
	x->s.family_name = x->family;
	x->s.first_name = x->first;
	x->s.mother_name = x->mother;
	x->s.birth_date = x->birth;
	x->s.death_date = x->death;
	x->s.not_duplicate = x->decided;
}

static void
sample_init(struct sample *x, uint64_t case_id, uint64_t version)
{
	memset(x, 0, sizeof(*x));
	cdop__stored_summary__init(&x->s);
	x->s.case_id = case_id;
	x->s.reference = text(x, "unused");
	x->s.owner_area = text(x, areas[roll(3)]);
	x->s.status = text(x, roll(8) == 0 ? "entered-in-error" : "received");
	x->s.has_responsible = roll(3) != 0;
	x->s.responsible = roll(4);
	x->s.registered_ms = 1780000000000u + case_id * 3600000u;
	x->s.record_version = version;
	x->s.case_version = version;
	x->s.nhs_number = x->nhs;
	x->s.n_nhs_number = roll(3);
	x->nhs[0] = text(x, "9990000018");
	(void)snprintf(x->nhs_text[1], 24, "99900%05u", roll(100) % 100000u);
	x->nhs[1] = x->nhs_text[1];
	x->s.family_name = x->family;
	x->s.n_family_name = roll(4);
	x->family[0] = text(x, families[roll(7)]);
	x->family[1] = text(x, families[roll(7)]);
	x->family[2] = text(x, families[roll(7)]);
	x->s.first_name = x->first;
	x->s.n_first_name = roll(2);
	x->first[0] = text(x, "Anna Maria");
	x->s.mother_name = x->mother;
	x->s.n_mother_name = roll(2);
	x->mother[0] = text(x, families[roll(7)]);
	x->s.birth_date = x->birth;
	x->s.n_birth_date = roll(2);
	x->birth[0] = text(x, dates[roll(5)]);
	x->s.death_date = x->death;
	x->s.n_death_date = 1;
	x->death[0] = text(x, dates[roll(5)]);
	x->s.record_death = roll(3) == 0 ? NULL : x->death[0];
	x->s.not_duplicate = x->decided;
	x->s.n_not_duplicate = roll(3);
	x->decided[0] = case_id + 1;
	x->decided[1] = case_id + 2;
}

static struct index_post *
post_of(struct index *index, const Cdop__StoredSummary *s)
{
	struct cdop_arena *arena;
	struct index_post *post;

	assert_int_equal(cdop_arena_new(1u << 20, &arena), CDOP_OK);
	assert_int_equal(
	    index_make_post(index, s, s->case_id + 1000, arena, &post),
	    CDOP_OK);
	cdop_arena_free(arena);
	return post;
}

static size_t
rows_of(uint64_t case_id, uint64_t version, struct index_row row[static 8])
{
	size_t n = 0, i;

	row[n++] = (struct index_row){case_id * 100, 1, 15};
	for (i = 1; i <= version % 6 + 1; i++)
		row[n++] =
		    (struct index_row){case_id * 100 + i, (uint32_t)i, 14};
	return n;
}

/*
 * Puts version `version` of a case; the content depends on both alone, and
 * what an even version is found by the next one is found by, too.
 */
static void
put(struct index *index, uint64_t case_id, uint64_t version)
{
	struct index_row row[8];
	struct sample x;
	uint64_t kept = seed;
	size_t n;

	seed = case_id * 1000003u + version / 2 * 97u;
	sample_init(&x, case_id, version);
	seed = kept;
	n = rows_of(case_id, version, row);
	assert_int_equal(
	    index_put(index, post_of(index, &x.s), row, n), CDOP_OK);
}

static struct index *
rebuilt(struct undo *undo, const uint64_t version[static CASES])
{
	struct index *index;
	uint64_t i;

	assert_int_equal(index_new(undo, &index), CDOP_OK);
	for (i = CASES; i-- > 0;)
		if (version[i] != 0)
			put(index, i, version[i]);
	return index;
}

static void
assert_is(struct index *index, struct undo *undo,
    const uint64_t version[static CASES])
{
	struct index *fresh = rebuilt(undo, version);

	assert_true(index_equal(index, fresh));
	index_free(fresh);
}

/* Removes a case that there is, or puts its next version. */
static void
change(struct index *index, uint64_t case_id, bool remove, uint64_t *version)
{
	uint32_t slot;

	if (!remove || *version == 0) {
		put(index, case_id, ++*version);
		return;
	}
	assert_true(index_by_case(index, case_id, &slot));
	assert_int_equal(index_remove(index, slot), CDOP_OK);
	assert_false(index_by_case(index, case_id, &slot));
	*version = 0;
}

/*
 * A day of random batches.  Each is aborted after every number of its
 * changes, compared with a rebuild, and then run to its end.
 */
static void
an_abort_at_any_point_leaves_it_as_it_was(void **state)
{
	uint64_t version[CASES] = {0}, later[CASES];
	uint64_t ids[6];
	bool removed[6];
	struct index *index;
	struct undo *undo;
	uint32_t batch, n, cut, i;

	(void)state;
	seed = 42;
	assert_int_equal(undo_new(1u << 20, &undo), CDOP_OK);
	assert_int_equal(index_new(undo, &index), CDOP_OK);
	for (batch = 0; batch < 60; batch++) {
		n = 1 + roll(6);
		for (i = 0; i < n; i++)
			ids[i] = roll(CASES);
		for (i = 0; i < n; i++)
			removed[i] = roll(4) == 0;
		for (cut = 0; cut <= n; cut++) {
			memcpy(later, version, sizeof(version));
			undo_begin(undo);
			for (i = 0; i < cut; i++)
				change(
				    index, ids[i], removed[i], &later[ids[i]]);
			if (cut < n)
				undo_rollback(undo);
			else
				undo_commit(undo);
			assert_is(index, undo, cut < n ? version : later);
		}
		memcpy(version, later, sizeof(version));
	}
	index_free(index);
	undo_free(undo);
}

static void
later_requests_of_a_batch_see_what_came_before(void **state)
{
	struct index *index;
	struct undo *undo;
	uint32_t slot;

	(void)state;
	assert_int_equal(undo_new(1u << 16, &undo), CDOP_OK);
	assert_int_equal(index_new(undo, &index), CDOP_OK);
	undo_begin(undo);
	put(index, 7, 1);
	assert_true(index_by_case(index, 7, &slot));
	undo_rollback(undo);
	assert_false(index_by_case(index, 7, &slot));
	assert_int_equal(index_count(index), 0);
	index_free(index);
	undo_free(undo);
}

static size_t
found(const struct index *index, enum index_kind kind, const char *term)
{
	uint32_t at = 0, slot;
	size_t n = 0;

	while (index_find(index, kind, term, &at, &slot))
		n++;
	return n;
}

static void
everything_ever_given_finds_it_once(void **state)
{
	struct sample x;
	struct index *index;
	struct undo *undo;

	(void)state;
	assert_int_equal(undo_new(1u << 16, &undo), CDOP_OK);
	assert_int_equal(index_new(undo, &index), CDOP_OK);
	plain(&x);
	x.family[0] = text(&x, "Smith");
	x.family[1] = text(&x, "SMITH");
	x.family[2] = text(&x, "O'Shea");
	x.family[3] = text(&x, "Null");
	x.s.n_family_name = 4;
	x.nhs[0] = text(&x, "9990000018");
	x.nhs[1] = text(&x, "9990000026");
	x.s.n_nhs_number = 2;
	x.mother[0] = text(&x, "Jones");
	x.s.n_mother_name = 1;
	assert_int_equal(
	    index_put(index, post_of(index, &x.s), NULL, 0), CDOP_OK);
	assert_int_equal(found(index, INDEX_FAMILY, "smith"), 1);
	assert_int_equal(found(index, INDEX_FAMILY, "oshea"), 1);
	assert_int_equal(found(index, INDEX_FAMILY, "null"), 1);
	assert_int_equal(found(index, INDEX_SOUND, "snat"), 1);
	assert_int_equal(found(index, INDEX_SOUND, "snath"), 0);
	assert_int_equal(found(index, INDEX_NHS, "9990000018"), 1);
	assert_int_equal(found(index, INDEX_NHS, "9990000026"), 1);
	assert_int_equal(found(index, INDEX_MOTHER, "jones"), 1);
	assert_int_equal(found(index, INDEX_FAMILY, "jones"), 0);
	assert_int_equal(found(index, INDEX_MOTHER, "smith"), 0);
	assert_int_equal(found(index, INDEX_NHS, ""), 0);
	index_free(index);
	undo_free(undo);
}

static void
a_list_goes_from_the_latest_death_down(void **state)
{
	struct index_order order = {0};
	struct index_order_walk walk;
	int32_t day, last = INT32_MAX;
	uint32_t slot, last_slot = UINT32_MAX, i, n = 0;

	(void)state;
	seed = 5;
	assert_int_equal(index_order_reserve(&order, 1000), CDOP_OK);
	for (i = 0; i < 1000; i++)
		index_order_add(&order, i, (int32_t)roll(50), roll(1u << 30));
	for (i = 0; i < 1000; i += 3)
		index_order_remove(&order, i);
	index_order_seek(&order, last, last_slot, &walk);
	while (index_order_next(&walk, &day, &slot)) {
		assert_true(day < last || (day == last && slot < last_slot));
		assert_int_not_equal(slot % 3, 0);
		last = day;
		last_slot = slot;
		n++;
	}
	assert_int_equal(n, 666);
	for (i = 0; i < 1000; i++)
		index_order_remove(&order, i);
	assert_int_equal(order.root, 0);
	index_order_free(&order);
}

static void
from_top(const struct index_order *order, struct index_order_walk *walk)
{
	index_order_seek(order, INT32_MAX, UINT32_MAX, walk);
}

/* From each place on the same as by a look at all of them. */
static void
a_walk_from_anywhere_misses_none(void **state)
{
	struct index_order order = {0};
	struct index_order_walk walk;
	int32_t day, at;
	uint32_t slot, from, n;

	(void)state;
	seed = 11;
	assert_int_equal(index_order_reserve(&order, 300), CDOP_OK);
	for (slot = 0; slot < 300; slot++)
		index_order_add(
		    &order, slot, (int32_t)(slot / 3), roll(1u << 30));
	for (at = -1; at <= 100; at++)
		for (from = 0; from <= 300; from += 50) {
			index_order_seek(&order, at, from, &walk);
			n = 0;
			while (index_order_next(&walk, &day, &slot)) {
				assert_true(
				    day < at || (day == at && slot < from));
				n++;
			}
			for (slot = 0; slot < 300; slot++)
				n -= (int32_t)(slot / 3) < at ||
				    ((int32_t)(slot / 3) == at && slot < from);
			assert_int_equal(n, 0);
		}
	index_order_free(&order);
}

/* As no dice make it: each is above the next, on one side or the other. */
static void
a_walk_of_the_deepest_tree_is_whole(void **state)
{
	struct index_order order;
	struct index_order_walk walk;
	uint32_t slot, i, side, n;
	int32_t day;

	(void)state;
	for (side = 0; side < 2; side++) {
		memset(&order, 0, sizeof(order));
		assert_int_equal(index_order_reserve(&order, 1000), CDOP_OK);
		for (i = 0; i < 1000; i++)
			index_order_add(
			    &order, i, (int32_t)i, side == 0 ? i : 1000 - i);
		from_top(&order, &walk);
		for (n = 1000; index_order_next(&walk, &day, &slot);) {
			assert_int_equal(slot, --n);
			assert_int_equal(day, n);
		}
		assert_int_equal(n, 0);
		assert_false(index_order_next(&walk, &day, &slot));
		index_order_free(&order);
	}
}

/* At a start; from then on it is changed like any other. */
static void
an_order_made_at_once_is_the_same(void **state)
{
	struct index_order one = {0}, all = {0};
	struct index_order_key key[1000] = {{0}};
	struct index_order_walk walk[2];
	uint32_t slot[2], i, n;
	int32_t day[2];

	(void)state;
	seed = 7;
	assert_int_equal(index_order_build(&all, key, 0), CDOP_OK);
	from_top(&all, &walk[0]);
	assert_false(index_order_next(&walk[0], &day[0], &slot[0]));
	assert_int_equal(index_order_reserve(&one, 1000), CDOP_OK);
	for (i = 0; i < 1000; i++) {
		key[i].day = i % 5 == 0 ? (int32_t)roll(50) - 25
					: (int32_t)(roll(60000) - 30000);
		key[i].prio = roll(300); /* many are equal */
		index_order_add(&one, i, key[i].day, key[i].prio);
	}
	assert_int_equal(index_order_build(&all, key, 1000), CDOP_OK);
	assert_int_equal(one.root, all.root);
	for (i = 0; i < 1000; i += 3) {
		index_order_remove(&one, i);
		index_order_remove(&all, i);
		assert_int_equal(one.root, all.root);
	}
	for (i = 0; i < 1000; i += 6) {
		index_order_add(&one, i, (int32_t)i % 9, i);
		index_order_add(&all, i, (int32_t)i % 9, i);
		assert_int_equal(one.root, all.root);
	}
	from_top(&one, &walk[0]);
	from_top(&all, &walk[1]);
	for (n = 0; index_order_next(&walk[0], &day[0], &slot[0]); n++) {
		assert_true(index_order_next(&walk[1], &day[1], &slot[1]));
		assert_int_equal(day[0], day[1]);
		assert_int_equal(slot[0], slot[1]);
	}
	assert_false(index_order_next(&walk[1], &day[1], &slot[1]));
	assert_int_equal(n, 666 + 167);
	for (i = 0; i < 1000; i++)
		index_order_remove(&all, i);
	assert_int_equal(all.root, 0);
	index_order_free(&one);
	index_order_free(&all);
}

static void
partial_dates_fit_by_any_reading(void **state)
{
	struct sample x;
	struct index_post *post;
	struct index *index;
	struct undo *undo;
	struct cdop_date date = {2026, 5, 31, false};
	struct cdop_span span = cdop_date_span(&date);

	(void)state;
	assert_int_equal(undo_new(1u << 16, &undo), CDOP_OK);
	assert_int_equal(index_new(undo, &index), CDOP_OK);
	plain(&x);
	x.birth[0] = text(&x, "2026-05");
	x.birth[1] = text(&x, "2026-03-02");
	x.s.n_birth_date = 2;
	post = post_of(index, &x.s);
	assert_int_equal(index_post_fit(post, false, span, 0), INDEX_FIT_MAYBE);
	assert_int_equal(index_post_fit(post, true, span, 0), INDEX_FIT_NONE);
	span.first = span.last = span.last + 1; /* 1 June */
	assert_int_equal(index_post_fit(post, false, span, 0), INDEX_FIT_NO);
	assert_int_equal(index_post_fit(post, false, span, 1), INDEX_FIT_MAYBE);
	date = (struct cdop_date){2026, 3, 2, false};
	span = cdop_date_span(&date);
	assert_int_equal(index_post_fit(post, false, span, 0), INDEX_FIT_YES);
	index_post_free(post);

	x.death[0] = text(&x, "~2026");
	x.s.n_death_date = 1;
	post = post_of(index, &x.s);
	assert_int_equal(index_post_fit(post, true, span, 0), INDEX_FIT_MAYBE);
	index_post_free(post);
	index_free(index);
	undo_free(undo);
}

static void
a_summary_that_is_no_summary_is_refused(void **state)
{
	struct sample x;
	struct cdop_arena *arena;
	struct index_post *post;
	struct index *index;
	struct undo *undo;

	(void)state;
	assert_int_equal(undo_new(1u << 16, &undo), CDOP_OK);
	assert_int_equal(index_new(undo, &index), CDOP_OK);
	assert_int_equal(cdop_arena_new(1u << 16, &arena), CDOP_OK);
	plain(&x);
	x.birth[0] = text(&x, "31/02/2026");
	x.s.n_birth_date = 1;
	assert_int_equal(
	    index_make_post(index, &x.s, 1, arena, &post), CDOP_DATA_LOSS);
	cdop_arena_free(arena);
	index_free(index);
	undo_free(undo);
}

static void
the_same_version_twice_is_a_broken_disk(void **state)
{
	struct index_row row = {1, INDEX_FORM(1, 1), 14};
	struct index *index;
	struct undo *undo;

	(void)state;
	assert_int_equal(undo_new(1u << 16, &undo), CDOP_OK);
	assert_int_equal(index_new(undo, &index), CDOP_OK);
	assert_int_equal(index_load_row(index, 5, &row), CDOP_OK);
	row.number = 2;
	assert_int_equal(index_load_row(index, 5, &row), CDOP_DATA_LOSS);
	/* And rows without their summary. */
	assert_int_equal(index_load_end(index), CDOP_DATA_LOSS);
	index_free(index);
	undo_free(undo);
}

/* Vectors of the reference implementation: key 00..0f, input 00..n-1. */
static void
the_hash_is_siphash(void **state)
{
	uint8_t key[INDEX_HASH_KEY], in[63];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	for (i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	assert_true(index_hash_sip(key, in, 0) == 0x726fdb47dd0e0e31u);
	assert_true(index_hash_sip(key, in, 1) == 0x74f839c593dc67fdu);
	assert_true(index_hash_sip(key, in, 8) == 0x93f5f5799a932462u);
	assert_true(index_hash_sip(key, in, 15) == 0xa129ca6149be45e5u);
	assert_true(index_hash_sip(key, in, 63) == 0x958a324ceb064572u);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_abort_at_any_point_leaves_it_as_it_was),
	    cmocka_unit_test(later_requests_of_a_batch_see_what_came_before),
	    cmocka_unit_test(everything_ever_given_finds_it_once),
	    cmocka_unit_test(a_list_goes_from_the_latest_death_down),
	    cmocka_unit_test(a_walk_from_anywhere_misses_none),
	    cmocka_unit_test(a_walk_of_the_deepest_tree_is_whole),
	    cmocka_unit_test(an_order_made_at_once_is_the_same),
	    cmocka_unit_test(partial_dates_fit_by_any_reading),
	    cmocka_unit_test(a_summary_that_is_no_summary_is_refused),
	    cmocka_unit_test(the_same_version_twice_is_a_broken_disk),
	    cmocka_unit_test(the_hash_is_siphash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
