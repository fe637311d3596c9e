/*
 * What the vault does by itself, with a disk that has no room for its commit:
 * it is put off and tried again, and nobody else feels it.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/base/clock.h"
#include "server/base/undo.h"
#include "server/registry/audit.h"
#include "server/registry/rotation.h"
#include "server/store/schema.h"
#include "server/vault/keystore.h"
#include "server/vault/rows.h"
#include "tests/unit/server/cycle/cycle_fixture.h"
#include "tests/unit/server/registry/turning.h"

#define DAY_MS   86400000ull
#define AGAIN_MS 60000 /* a rotation that failed */
#define CASES    20

static struct fixture f;
static bool is_full; /* no commit finds room */

/* In place of libc's; LMDB calls it before it writes a meta page. */
int
fdatasync(int fd)
{
	if (is_full) {
		errno = ENOSPC;
		return -1;
	}
	return fsync(fd);
}

static int
setup(void **state)
{
	(void)state;
	is_full = false;
	fixture_start(&f, false, 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

/* Not asleep before there is nothing to do. */
static void
rest(void)
{
	size_t turns;

	fixture_turn(&f);
	for (turns = 1; cycle_sleep_ms(f.cycle) == 0; turns++) {
		assert_true(turns < 50);
		fixture_turn(&f);
	}
}

/* What was said on stderr meanwhile. */
static const char *
heard(void (*fn)(void))
{
	static char text[4096];
	int fds[2], was;
	ssize_t n;

	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	was = dup(STDERR_FILENO);
	assert_true(was >= 0 && dup2(fds[1], STDERR_FILENO) >= 0);
	fn();
	assert_true(dup2(was, STDERR_FILENO) >= 0);
	n = read(fds[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	(void)close(was);
	(void)close(fds[0]);
	(void)close(fds[1]);
	return text;
}

static void
rest_full(void)
{
	is_full = true;
	rest();
	is_full = false;
}

/* rest() with a full disk. */
static const char *
rest_when_full(void)
{
	return heard(rest_full);
}

/* ---- a clock that was set ------------------------------------------------ */

static void
sign_in(void)
{
	(void)fixture_sign_in(&f, WORLD_ADMIN_1);
}

/* Once, until it is right again; and not of a minute, which clocks do. */
static void
a_clock_that_was_set_back_is_told_once(void **state)
{
	const char *said;

	(void)state;
	fixture_restart(&f);
	sign_in();
	fixture_set_back(50000);
	assert_null(strstr(heard(sign_in), "clock."));
	fixture_set_back(365 * DAY_MS);
	said = heard(sign_in);
	assert_non_null(strstr(said, "clock.behind seconds=3153"));
	assert_non_null(strstr(said, "set the clock"));
	assert_null(strstr(heard(sign_in), "clock."));
	fixture_set_back(0);
	fixture_pass(1000);
	assert_null(strstr(heard(sign_in), "clock.behind"));
	fixture_set_back(DAY_MS);
	assert_non_null(strstr(heard(sign_in), "clock.behind"));
	fixture_set_back(0);
}

/* What is believed, too: the times of all that follows hang on it. */
static void
each_time_that_the_clock_is_set_is_told(void **state)
{
	(void)state;
	fixture_restart(&f);
	rest();
	fixture_pass(DAY_MS);
	assert_string_equal(heard(rest), "");
	fixture_set_back(60000);
	fixture_pass(1000);
	assert_string_equal(heard(rest), "");
	fixture_set_back(60001);
	fixture_pass(1000);
	assert_non_null(strstr(heard(rest), "clock.set seconds=-60\n"));
	fixture_pass(1000);
	assert_string_equal(heard(rest), "");
	fixture_set_back(0);
	fixture_pass(1000);
	assert_non_null(strstr(heard(rest), "clock.set seconds=60\n"));
}

static void
a_clock_of_another_year_is_told_once(void **state)
{
	(void)state;
	fixture_restart(&f);
	sign_in();
	fixture_pass(365 * DAY_MS);
	assert_non_null(strstr(heard(sign_in), "clock.ahead days=36"));
	assert_null(strstr(heard(sign_in), "clock."));
}

/* One mistake mended by another is told as the other one. */
static void
a_clock_that_is_wrong_the_other_way_is_told_again(void **state)
{
	(void)state;
	fixture_restart(&f);
	sign_in();
	fixture_set_back(DAY_MS);
	assert_non_null(strstr(heard(sign_in), "clock.behind"));
	fixture_set_back(0);
	fixture_pass(365 * DAY_MS);
	assert_non_null(strstr(heard(sign_in), "clock.ahead"));
	fixture_set_back(366 * DAY_MS);
	assert_non_null(strstr(heard(sign_in), "clock.behind"));
	fixture_set_back(0);
}

/* ---- searches that are to be forgotten ----------------------------------- */

static uint64_t
search(void)
{
	struct audit_term terms[1] = {{"child.family_name", "Sampleton"}};
	struct audit_entry entry = {.call = CDOP_CALL_CaseFind,
	    .time_ms = f.world.now_ms,
	    .terms = terms,
	    .n_terms = 1};
	uint64_t key;

	undo_begin(f.world.undo);
	assert_int_equal(rows_begin(f.world.rows, 1u << 16, 64), CDOP_OK);
	assert_int_equal(
	    audit_append(f.world.reg->audit, f.world.arena, &entry, NULL),
	    CDOP_OK);
	assert_int_equal(registry_commit(f.world.reg), CDOP_OK);
	assert_true(keystore_epoch(f.world.ks, SCHEMA_SEARCH, NULL, &key));
	return key;
}

/* The time that the log believes, too. */
static void
days_later(unsigned days)
{
	fixture_pass(days * DAY_MS);
	audit_say_day(f.world.reg->audit, clock_wall_ms());
}

static void
what_cannot_be_forgotten_is_left_for_the_next_day(void **state)
{
	const char *said;
	uint64_t key;

	(void)state;
	fixture_restart(&f);
	rest();
	key = search();
	days_later(800);
	said = rest_when_full();
	assert_non_null(strstr(said, "search.kept code=RESOURCE_EXHAUSTED "));
	assert_non_null(strstr(said, "make room"));
	assert_null(strstr(said, "finding")); /* nothing is damaged */
	assert_non_null(keystore_find(f.world.ks, key));
	/* Not before, however often it has time. */
	fixture_pass(1000);
	rest();
	assert_non_null(keystore_find(f.world.ks, key));
	days_later(1);
	rest();
	assert_null(keystore_find(f.world.ks, key));
}

/* ---- a rotation ---------------------------------------------------------- */

static void
a_rotation_that_cannot_be_written_is_stalled_and_goes_on(void **state)
{
	const struct rotation *rotation;
	struct fixture_client *client;
	unsigned i;

	(void)state;
	for (i = 0; i < CASES; i++)
		free(world_register(&f.world, i, "wirral"));
	(void)turning_begin(&f.world, "wirral");
	fixture_restart(&f);
	rotation = f.world.reg->rotation;
	fixture_turn(&f); /* that it was opened goes before everything */
	assert_non_null(rotation_running(rotation));
	fixture_pass(1000);
	is_full = true;
	rest();
	is_full = false;
	assert_true(rotation_is_stalled(rotation));
	/* Who calls meanwhile is answered, and it is not tried at once. */
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	(void)fixture_call(client, CDOP_CALL_Status, NULL);
	fixture_send(&f, client);
	rest();
	fixture_answers(&f, client, 1, 1);
	assert_true(rotation_is_stalled(rotation));
	assert_non_null(rotation_running(rotation));
	fixture_pass(AGAIN_MS);
	rest();
	assert_false(rotation_is_stalled(rotation));
	assert_null(rotation_running(rotation));
	turning_all_readable(&f.world);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_clock_that_was_set_back_is_told_once),
	    TEST(each_time_that_the_clock_is_set_is_told),
	    TEST(a_clock_of_another_year_is_told_once),
	    TEST(a_clock_that_is_wrong_the_other_way_is_told_again),
	    TEST(a_rotation_that_cannot_be_written_is_stalled_and_goes_on),
	    TEST(what_cannot_be_forgotten_is_left_for_the_next_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
