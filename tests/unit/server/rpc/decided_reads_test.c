/*
 * Showing a case costs what it has, and not each decision that was made about
 * it times each version that a notification had then.
 */
#include <dlfcn.h>
#include <lmdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/server/rpc/calls.h"

/* Each is in the notification, and decided otherwise by itself. */
static const char *const paths[] = {"gp.name", "gp.practice",
    "mother.former_names", "mother.family_name", "mother.first_names",
    "mother.address"};

#define PATHS (sizeof(paths) / sizeof(paths[0]))

static struct world w;
static size_t n_read; /* rows */

typedef int cursor_get(
    MDB_cursor *cursor, MDB_val *key, MDB_val *data, MDB_cursor_op op);

int
mdb_cursor_get(
    MDB_cursor *cursor, MDB_val *key, MDB_val *data, MDB_cursor_op op)
{
	static cursor_get *get;

	if (get == NULL) {
		void *found = dlsym(RTLD_NEXT, "mdb_cursor_get");

		memcpy(&get, &found, sizeof(get));
	}
	n_read++;
	return get(cursor, key, data, op);
}

/* Rows that are read for a CaseShow. */
static size_t
reads(const char *reference)
{
	size_t before = n_read;
	const Cdop__Case *c;

	c = calls_show(&w, WORLD_COORDINATOR, reference, CDOP_OK);
	assert_int_equal(c->n_difference, 0);
	return n_read - before;
}

static void
correct(const char *reference, Cdop__Form *form)
{
	Cdop__NotificationCorrectRequest request;

	cdop__notification_correct_request__init(&request);
	request.reference = calls_text(&w, reference);
	request.notification = 1;
	request.version = 1;
	request.reason = calls_text(&w, "mistyped");
	request.form = form;
	calls_put(&w, form, "notifier.name", "Dr Other");
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_NotificationCorrect,
	    &request.base, CDOP_OK);
}

static void
decisions_at_many_times_are_looked_up_once(void **state)
{
	Cdop__Form *form;
	char *reference;
	size_t plain, i;

	(void)state;
	world_make(&w);
	form = world_form(&w, 82, "wirral");
	for (i = 0; i < PATHS; i++)
		calls_put(&w, form, paths[i], "As notified");
	reference = calls_new(&w, WORLD_COORDINATOR, form);
	for (i = 0; i < PATHS; i++) {
		w.now_ms += 1000;
		(void)calls_amend(
		    &w, reference, i + 1, paths[i], "Otherwise", NULL, CDOP_OK);
	}
	plain = reads(reference);
	assert_true(plain > 0);
	w.now_ms += 1000;
	correct(reference, form);
	/* Its first version, to find when it was and what it said. */
	assert_int_equal(reads(reference), plain + 2);
	world_end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(decisions_at_many_times_are_looked_up_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
