/* Verify: its own ways of ending, and findings that only it can have. */
#include "server/vault/verify.h"

#include <setjmp.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/vault/rows_core.h"
#include "tests/unit/server/vault/raw.h"
#include "tests/unit/server/vault/store_fixture.h"

#define PAGE 4096u

static const char canary[] = "Quokkatina";

struct report {
	const struct store_fixture *f;
	char lines[2048];
	int how;
};

enum {
	WRONG_KEY,
	REFUSE,
	DIE,
	LEAVE,
	NO_SUCH_SLOT,
};

static void
on_line(void *ctx, const char *line)
{
	struct report *r;
	size_t used;

	r = ctx;
	used = strlen(r->lines);
	(void)snprintf(r->lines + used, sizeof(r->lines) - used, "%s\n", line);
}

static enum cdop_err
on_unlock(void *ctx, const struct slots_info *slots, size_t n, size_t *ret_slot,
    uint8_t ret_k[static 32])
{
	const struct report *r;

	r = ctx;
	assert_int_equal(n, 2);
	assert_string_equal(slots[0].label, "key file");
	*ret_slot = 0;
	memcpy(ret_k, r->f->k[0], 32);
	switch (r->how) {
	case WRONG_KEY:
		ret_k[0] ^= 1;
		return CDOP_OK;
	case REFUSE:
		return CDOP_NOT_FOUND;
	case DIE:
		(void)signal(SIGBUS, SIG_DFL);
		(void)raise(SIGBUS);
		return CDOP_OK;
	case LEAVE:
		_exit(0);
	default:
		*ret_slot = 2;
		return CDOP_OK;
	}
}

static enum cdop_err
run(const struct store_fixture *f, int how, struct report *r,
    struct verify_result *result)
{
	struct verify_args args = {.dir = f->dir,
	    .map_bytes = STORE_FIXTURE_MAP,
	    .unlock = on_unlock,
	    .line = on_line,
	    .ctx = r};

	memset(r, 0, sizeof(*r));
	r->f = f;
	r->how = how;
	return verify_dir(&args, result);
}

static void
each_end_of_the_walk_is_told_from_the_others(void **state)
{
	struct verify_result result;
	struct store_fixture f;
	struct report r;

	(void)state;
	store_fixture_make(&f);
	store_fixture_close(&f);
	assert_int_equal(run(&f, WRONG_KEY, &r, &result), CDOP_UNAUTHENTICATED);
	assert_int_equal(run(&f, REFUSE, &r, &result), CDOP_ABORTED);
	assert_int_equal(
	    run(&f, NO_SUCH_SLOT, &r, &result), CDOP_INVALID_ARGUMENT);
	assert_int_equal(run(&f, DIE, &r, &result), CDOP_OK);
	assert_int_equal(result.findings, 1);
	assert_non_null(strstr(r.lines, "ended by signal 7"));
	assert_int_equal(run(&f, LEAVE, &r, &result), CDOP_OK);
	assert_int_equal(result.findings, 1);
	assert_int_equal(store_fixture_verify(&f), 0);
	store_fixture_end(&f);
}

static void
a_directory_that_hides_a_row_is_found_at_start_and_by_verify(void **state)
{
	struct store_fixture f;
	uint64_t person, leaf;
	unsigned int i;

	(void)state;
	store_fixture_make(&f);
	store_fixture_begin(&f);
	person = store_fixture_put(&f, SCHEMA_KIND_PERSON, 0, canary);
	leaf = store_fixture_leaf(&f, "a leaf");
	store_fixture_commit(&f);
	/* Whoever can seal a directory, and lies in it. */
	layout_dir_set(&f.rows->s.dir, person);
	i = (unsigned int)(leaf - f.rows->s.dir.first);
	f.rows->s.dir.bits[i / 8] &= (uint8_t) ~(1u << i % 8);
	for (i = 0; i < 14; i++) {
		unsigned int j;

		undo_begin(f.undo);
		assert_int_equal(rows_begin(f.rows, 300 * 564, 310), CDOP_OK);
		for (j = 0; j < 300; j++)
			(void)store_fixture_leaf(&f, "a look");
		store_fixture_commit(&f);
	}
	store_fixture_close(&f);
	assert_int_equal(store_fixture_open(&f, 0), CDOP_DATA_LOSS);
	assert_string_equal(rows_finding(f.rows),
	    "the state digest differs: a row is missing or an old one is back");
	store_fixture_close(&f);
	assert_int_equal(store_fixture_verify(&f), 2);
	assert_non_null(strstr(f.lines, ": hidden by its directory"));
	assert_non_null(
	    strstr(f.lines, ": a log row that its directory lacks"));
	assert_null(strstr(f.lines, canary));
	store_fixture_end(&f);
}

static void
a_leaf_index_that_is_there_twice_is_found(void **state)
{
	struct store_fixture f;

	(void)state;
	store_fixture_make(&f);
	store_fixture_begin(&f);
	(void)store_fixture_leaf(&f, "leaf 0");
	(void)store_fixture_leaf(&f, "leaf 1");
	f.rows->s.head.next_leaf = 1;
	(void)store_fixture_leaf(&f, "leaf 1 again");
	f.rows->s.head.next_leaf = 4;
	store_fixture_commit(&f);
	store_fixture_close(&f);
	assert_int_equal(store_fixture_verify(&f), 2);
	assert_non_null(strstr(f.lines, "a leaf index that is there twice"));
	assert_non_null(
	    strstr(f.lines, "2 leaves are missing, the first is 2"));
	store_fixture_end(&f);
}

static void
rows_without_their_key_are_found(void **state)
{
	struct store_fixture f;
	uint64_t key;

	(void)state;
	store_fixture_make(&f);
	store_fixture_begin(&f);
	key = store_fixture_case(&f, 1, "wirral");
	assert_int_equal(rows_keys_case_destroy(f.rows, key), CDOP_OK);
	store_fixture_commit(&f);
	store_fixture_close(&f);
	assert_int_equal(store_fixture_open(&f, 0), CDOP_DATA_LOSS);
	assert_non_null(strstr(rows_finding(f.rows), "unknown key"));
	store_fixture_close(&f);
	assert_int_equal(store_fixture_verify(&f), 3);
	assert_non_null(strstr(f.line, ": under an unknown key"));
	store_fixture_end(&f);
}

/* ---- five faults, five words --------------------------------------------- */

enum fault {
	OTHER_KEY,
	UNKNOWN_KEY,
	DAMAGED,
	MISPLACED,
	LATER_VERSION,
	FAULTS,
};

static const char *const words[FAULTS] = {
    [OTHER_KEY] = "",
    [UNKNOWN_KEY] = "under an unknown key",
    [DAMAGED] = "damaged",
    [MISPLACED] = "misplaced",
    [LATER_VERSION] = "of an unknown format: a later version",
};

/* Two persons' rows on the disk of a closed store. */
static void
spoil(const struct store_fixture *f, enum fault fault, uint64_t a, uint64_t b)
{
	static struct raw_table t;
	struct raw row;
	size_t i, at[2] = {0, 0};

	raw_read(f, &t);
	for (i = 0; i < t.n; i++) {
		at[0] = t.rows[i].number == a ? i : at[0];
		at[1] = t.rows[i].number == b ? i : at[1];
	}
	row = t.rows[at[0]];
	if (fault == DAMAGED)
		row.data[row.len - 1] ^= 1;
	if (fault == LATER_VERSION)
		row.data[0] = 3;
	if (fault == DAMAGED || fault == LATER_VERSION)
		raw_write(f, &t);
	if (fault == MISPLACED)
		raw_swap(f, &t, at[0], at[1]);
	raw_free(&t);
}

static void
expect_words(const char *said, enum fault fault)
{
	size_t i;

	for (i = UNKNOWN_KEY; i < FAULTS; i++)
		assert_int_equal(
		    strstr(said, words[i]) != NULL, i == (size_t)fault);
}

/* Start and verify say the same, and no byte is another afterwards. */
static void
check_fault(enum fault fault)
{
	struct store_fixture f;
	uint64_t a, b, key = 0;
	uint8_t *before, *after;
	size_t len, n;

	store_fixture_make(&f);
	store_fixture_begin(&f);
	a = store_fixture_put(&f, SCHEMA_KIND_PERSON, 0, canary);
	b = store_fixture_put(&f, SCHEMA_KIND_PERSON, 0, canary);
	if (fault == UNKNOWN_KEY) {
		key = store_fixture_case(&f, 1, "wirral");
		assert_int_equal(rows_keys_case_destroy(f.rows, key), CDOP_OK);
	}
	store_fixture_commit(&f);
	store_fixture_close(&f);
	spoil(&f, fault, a, b);
	before = store_fixture_file(&f, &len);
	f.k[0][0] ^= fault == OTHER_KEY;
	assert_int_equal(store_fixture_open(&f, 0),
	    fault == OTHER_KEY ? CDOP_UNAUTHENTICATED : CDOP_DATA_LOSS);
	expect_words(rows_finding(f.rows), fault);
	store_fixture_close(&f);
	f.lines[0] = '\0';
	assert_int_equal(store_fixture_verify(&f) > 0, fault != OTHER_KEY);
	assert_int_equal(f.last == CDOP_UNAUTHENTICATED, fault == OTHER_KEY);
	expect_words(f.lines, fault);
	assert_null(strstr(f.lines, canary));
	after = store_fixture_file(&f, &n);
	assert_int_equal(n, len);
	assert_memory_equal(after, before, len);
	free(after);
	free(before);
	f.k[0][0] ^= fault == OTHER_KEY;
	store_fixture_end(&f);
}

static void
five_faults_have_five_words_and_nothing_is_touched(void **state)
{
	unsigned fault;

	(void)state;
	for (fault = 0; fault < FAULTS; fault++)
		check_fault((enum fault)fault);
}

/*
 * The number of a page in use is another: it is told before anybody maps the
 * file, and no row is looked at.
 */
static void
a_page_in_the_wrong_place_is_found(void **state)
{
	struct store_fixture f;
	uint8_t *file;
	size_t len, at, found = 0;

	(void)state;
	store_fixture_make(&f);
	store_fixture_close(&f);
	file = store_fixture_file(&f, &len);
	for (at = 2 * PAGE; at + PAGE <= len && at < 20 * PAGE; at += PAGE) {
		file[at + 1] ^= 0x40;
		store_fixture_write(&f, file, len);
		file[at + 1] ^= 0x40;
		f.lines[0] = '\0';
		if (store_fixture_verify(&f) > 0) {
			found++;
			assert_non_null(strstr(f.lines, "page "));
			assert_null(strstr(f.lines, "row "));
		}
	}
	assert_true(found > 0);
	store_fixture_write(&f, file, len);
	assert_int_equal(store_fixture_verify(&f), 0);
	free(file);
	store_fixture_end(&f);
}

static void
a_registry_that_is_not_there_is_no_finding(void **state)
{
	struct verify_result result;
	struct store_fixture f;
	struct report r;

	(void)state;
	store_fixture_make(&f);
	store_fixture_close(&f);
	f.dir[strlen(f.dir) - 1] ^= 1;
	assert_int_equal(run(&f, REFUSE, &r, &result), CDOP_NOT_FOUND);
	f.dir[strlen(f.dir) - 1] ^= 1;
	store_fixture_end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_end_of_the_walk_is_told_from_the_others),
	    cmocka_unit_test(
		a_directory_that_hides_a_row_is_found_at_start_and_by_verify),
	    cmocka_unit_test(a_leaf_index_that_is_there_twice_is_found),
	    cmocka_unit_test(rows_without_their_key_are_found),
	    cmocka_unit_test(
		five_faults_have_five_words_and_nothing_is_touched),
	    cmocka_unit_test(a_page_in_the_wrong_place_is_found),
	    cmocka_unit_test(a_registry_that_is_not_there_is_no_finding),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
