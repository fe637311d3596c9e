/*
 * A registry sealed anew while calls go on: everybody reads afterwards what
 * they read before, also what lies in boxes inside the log; and a start
 * finds the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/undo.h"
#include "server/registry/cases.h"
#include "server/registry/copying.h"
#include "server/registry/index.h"
#include "server/registry/tree.h"
#include "server/vault/keystore.h"
#include "server/vault/rows_keys.h"
#include "tests/unit/server/rpc/calls.h"

#define EPOCHS_MAX 64
#define CHILDREN   6
#define A_TILE     300 /* leaves, and there is one */

static struct world w;
static struct copy_epoch epochs[EPOCHS_MAX];
static char *reference[CHILDREN];
static uint64_t version[CHILDREN]; /* of the notification, before the last */
static char words[] = "a parent asked who had looked";

static void
look_at(size_t i)
{
	Cdop__CaseShowRequest show;

	cdop__case_show_request__init(&show);
	show.reference = reference[i];
	calls_say(&w, WORLD_COORDINATOR, CDOP_CALL_CaseShow, &show.base, words);
}

/* How many entries of this call have their purpose in words. */
static size_t
purposes(const char *call)
{
	const Cdop__AuditListReply *list = calls_log(&w, NULL, 0);
	size_t i, n = 0;

	for (i = 0; i < list->n_entry; i++)
		n += strcmp(list->entry[i]->call, call) == 0 &&
		    list->entry[i]->purpose_text != NULL &&
		    strcmp(list->entry[i]->purpose_text, words) == 0;
	return n;
}

static int
setup(void **state)
{
	static const char *const areas[] = {"wirral", "sefton", "knowsley"};
	Cdop__CaseListRequest list;
	unsigned i;

	(void)state;
	memset(version, 0, sizeof(version));
	world_make(&w);
	for (i = 0; i < CHILDREN; i++)
		reference[i] = world_register(&w, i + 1, areas[i % 3]);
	while (tree_size(w.reg->tree) < A_TILE)
		look_at(0);
	cdop__case_list_request__init(&list);
	calls_say(&w, WORLD_COORDINATOR, CDOP_CALL_CaseList, &list.base, words);
	for (i = 0; i < CHILDREN; i++)
		look_at(i);
	return 0;
}

static int
teardown(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < CHILDREN; i++)
		free(reference[i]);
	world_end(&w);
	return 0;
}

/* A new epoch key for each that there is. */
static size_t
turn(void)
{
	const struct keystore_entry *entry;
	uint64_t id;
	size_t i, n = 0;

	for (i = 0; keystore_held(w.ks, i, &id); i++)
		if (keystore_find(w.ks, id) != NULL)
			epochs[n++].from = id;
	assert_in_range(n, 4, EPOCHS_MAX);
	world_begin(&w, 1u << 16, 2 * n);
	for (i = 0; i < n; i++) {
		entry = keystore_find(w.ks, epochs[i].from);
		assert_int_equal(
		    rows_keys_epoch_new(w.rows, (enum schema_scope)entry->scope,
			entry->scope == SCHEMA_AREA
			    ? keystore_area(w.ks, entry->area)
			    : NULL,
			&epochs[i].to),
		    CDOP_OK);
	}
	assert_int_equal(rows_commit(w.rows), CDOP_OK);
	undo_commit(w.undo);
	return n;
}

static void
amend(size_t i, const char *typed)
{
	(void)calls_amend(
	    &w, reference[i], ++version[i], "gp.name", typed, NULL, CDOP_OK);
}

static void
reseal(bool live)
{
	struct copy_plan plan = {
	    .epochs = epochs, .n_epochs = turn(), .all_areas = true};
	const struct walk_budget budget = {.rows = 40, .bytes = SIZE_MAX};
	size_t n;

	assert_int_equal(copying_begin(w.reg->copying, &plan), CDOP_OK);
	for (n = 0; copying_state(w.reg->copying) == COPYING_RUNS; n++) {
		assert_int_equal(
		    copying_step(w.reg->copying, &budget), CDOP_OK);
		assert_true(n < 10000);
		if (live && n < 12)
			amend(n % CHILDREN, "Dr Sample GP");
	}
	if (copying_state(w.reg->copying) != COPYING_DONE)
		fail_msg("%s", copy_finding(copying_copy(w.reg->copying)));
	copying_clear(w.reg->copying);
	assert_int_equal(copying_state(w.reg->copying), COPYING_NONE);
}

static void
everybody_reads_what_they_read_before(void **state)
{
	size_t shown = purposes("CaseShow");
	size_t i;

	(void)state;
	assert_in_range(shown, 90, 100); /* of the newest hundred */
	reseal(false);
	for (i = 0; epochs[i].from != 0; i++)
		assert_null(keystore_find(w.ks, epochs[i].from));
	assert_in_range(purposes("CaseShow"), shown - 2, shown);
	assert_int_equal(purposes("CaseList"), 1);
	for (i = 0; i < CHILDREN; i++)
		amend(i, "Dr Other GP");
	world_reopen(&w);
	assert_int_equal(purposes("CaseList"), 1);
	for (i = 0; i < CHILDREN; i++) {
		assert_non_null(
		    calls_show(&w, WORLD_COORDINATOR, reference[i], CDOP_OK));
		amend(i, "Dr Third GP");
	}
}

static void
calls_go_on_meanwhile(void **state)
{
	const struct index_post *post;
	struct index *index;
	uint64_t key[CHILDREN];
	uint32_t i;

	(void)state;
	reseal(true);
	reseal(true);
	index = cases_index(w.reg->cases);
	assert_int_equal(index_count(index), CHILDREN);
	for (i = 0; i < CHILDREN; i++) {
		post = index_at(index, i);
		key[i] = post->key_id;
		assert_non_null(keystore_find(w.ks, key[i]));
		assert_int_equal(
		    keystore_find(w.ks, key[i])->case_id, post->case_id);
	}
	look_at(1);
	assert_true(purposes("CaseShow") > 0);
	world_reopen(&w);
	index = cases_index(w.reg->cases);
	for (i = 0; i < CHILDREN; i++)
		assert_int_equal(index_at(index, i)->key_id, key[i]);
	amend(0, "Dr Other GP");
}

/* One that fails leaves everything, and another may be begun. */
static void
held_or_given_up_nothing_changes(void **state)
{
	const struct walk_budget budget = {.rows = 10, .bytes = SIZE_MAX};
	struct copy_plan plan = {.all_areas = true};
	struct copying *copying = w.reg->copying;
	struct copy_progress before, after;

	(void)state;
	assert_int_equal(copying_begin(copying, &plan), CDOP_OK);
	assert_int_equal(copying_begin(copying, &plan), CDOP_ALREADY_EXISTS);
	assert_int_equal(copying_step(copying, &budget), CDOP_OK);
	copying_hold(copying, true);
	assert_int_equal(copying_state(copying), COPYING_HELD);
	copy_progress(copying_copy(copying), &before);
	assert_int_equal(copying_step(copying, &budget), CDOP_OK);
	copy_progress(copying_copy(copying), &after);
	assert_int_equal(before.rows, after.rows);
	copying_hold(copying, false);
	assert_int_equal(copying_step(copying, &budget), CDOP_OK);
	copy_progress(copying_copy(copying), &after);
	assert_int_equal(before.rows + 10, after.rows);
	copying_clear(copying);
	copying_hold(copying, true);
	assert_int_equal(copying_state(copying), COPYING_NONE);
	amend(0, "Dr Other GP");
	reseal(false);
	/* Closed in the midst of one. */
	assert_int_equal(copying_begin(copying, &plan), CDOP_OK);
	world_reopen(&w);
	amend(0, "Dr Third GP");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(everybody_reads_what_they_read_before),
	    TEST(calls_go_on_meanwhile),
	    TEST(held_or_given_up_nothing_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
