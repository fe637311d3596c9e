/*
 * The vault killed, and the disk failing, at each call that it makes to the
 * disk, all through what is done to keys and for good: an erasure with its
 * rotation and copy, the server's link key, slots, a backup, a hold.
 *
 * Each is a row of steps.  Where it was killed, a start finds what the last
 * finished step left or the next one would have, never something between,
 * and going on from there ends as it would have.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/vault/verify.h"
#include "tests/unit/server/cut.h"
#include "tests/unit/server/cut_calls.h"
#include "tests/unit/server/registry/turning.h"
#include "tests/unit/server/rpc/key_acts.h"

#define STEPS_MAX 200
#define AGAIN_MS  60000
#define PAGE      4096

/* What a child and its parent both see. */
struct shared {
	uint32_t steps; /* finished */
	char text[STEPS_MAX + 1][KEY_ACTS_TEXT];
};

static struct world w;
static struct shared *shared;

static enum cdop_err
unlock(void *ctx, const struct slots_info *info, size_t n, size_t *slot,
    uint8_t ret_k[static 32])
{
	(void)ctx;
	(void)info;
	(void)n;
	if (*slot != SIZE_MAX)
		return CDOP_NOT_FOUND;
	*slot = 0;
	memcpy(ret_k, w.k, sizeof(w.k));
	return CDOP_OK;
}

static void
line(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

/* Every row of the closed directory. */
static void
verify(void)
{
	const struct verify_args args = {.dir = w.dir,
	    .map_bytes = WORLD_MAP,
	    .unlock = unlock,
	    .line = line};
	struct verify_result result;

	assert_int_equal(verify_dir(&args, &result), CDOP_OK);
	assert_int_equal(result.findings, 0);
}

/* ---- the disk ------------------------------------------------------------ */

static uint8_t *before; /* data.mdb, when it begins */
static size_t before_len;

static void
path_of(const char *name, char path[static 128])
{
	(void)snprintf(path, 128, "%s/%s", w.dir, name);
}

static void
keep_before(void)
{
	char path[128];
	struct stat st;
	FILE *file;

	path_of("data.mdb", path);
	assert_int_equal(stat(path, &st), 0);
	before_len = (size_t)st.st_size;
	before = malloc(before_len);
	assert_non_null(before);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_int_equal(fread(before, 1, before_len, file), before_len);
	(void)fclose(file);
}

/* Most of it is room for rows, and zeros. */
static void
put_back(void)
{
	static const char *const left[] = {
	    "data.mdb", "copy.mdb", "commit-failed"};
	static const uint8_t zeros[PAGE];
	char path[128];
	size_t i;
	int fd;

	for (i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		path_of(left[i], path);
		(void)unlink(path);
	}
	path_of("data.mdb", path);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)before_len), 0);
	for (i = 0; i + PAGE <= before_len; i += PAGE)
		if (memcmp(before + i, zeros, PAGE) != 0)
			assert_int_equal(
			    pwrite(fd, before + i, PAGE, (off_t)i), PAGE);
	assert_int_equal(close(fd), 0);
}

/* ---- killed -------------------------------------------------------------- */

static key_acts_fn *step;

/* Steps to the end, each told to who watches. */
static void
run(uint32_t at)
{
	bool done = false;

	world_open(&w);
	cut_begin(at, 0);
	while (!done) {
		assert_true(shared->steps < STEPS_MAX);
		if (step(&done) != CDOP_OK)
			_exit(1);
		cdop_arena_reset(w.arena);
		if (done)
			break;
		/* What is said of a step is not cut off. */
		key_acts_describe(shared->text[shared->steps + 1]);
		shared->steps++;
	}
	cut_end();
	world_close(&w);
}

/* From what lies on the disk to the end. */
static void
go_on(const char *wanted, bool look)
{
	char text[KEY_ACTS_TEXT];
	bool done = false;
	unsigned tries;

	key_acts_restarted();
	for (tries = 0; !done; tries++) {
		assert_true(tries < STEPS_MAX);
		assert_int_equal(step(&done), CDOP_OK);
		cdop_arena_reset(w.arena);
	}
	key_acts_describe(text);
	assert_string_equal(text, wanted);
	turning_all_readable(&w);
	world_close(&w);
	if (look)
		verify();
}

static void
killed_at_any_call_it_goes_on_and_ends_as_it_would_have(void **state)
{
	static char wanted[STEPS_MAX + 1][KEY_ACTS_TEXT];
	char text[KEY_ACTS_TEXT];
	uint32_t at, steps, n;
	bool died = true;

	(void)state;
	put_back();
	shared->steps = 0;
	world_open(&w);
	key_acts_describe(wanted[0]);
	world_close(&w);
	assert_false(cut_child(0, run));
	n = shared->steps;
	memcpy(wanted[1], shared->text[1], n * sizeof(wanted[0]));
	assert_true(n >= 3);
	for (at = 1; died; at++) {
		put_back();
		shared->steps = 0;
		died = cut_child(at, run);
		steps = shared->steps;
		world_open(&w);
		key_acts_describe(text);
		if (strcmp(text, wanted[steps]) != 0)
			assert_string_equal(
			    text, wanted[steps < n ? steps + 1 : n]);
		go_on(wanted[n], at % 16 == 1);
	}
	/* Each commit is a write, a sync and a meta page at least. */
	assert_in_range(at, 3 * 3, 2000);
}

/* ---- failing ------------------------------------------------------------- */

/* As the vault does: what found no room is tried again, else it leaves. */
static uint32_t
run_with(uint32_t at, int code, const char *wanted)
{
	bool done = false;
	unsigned tries;
	enum cdop_err err;
	uint32_t n;

	put_back();
	world_open(&w);
	cut_begin(at, code);
	for (tries = 0; !done; tries++) {
		assert_true(tries < STEPS_MAX);
		err = step(&done);
		cdop_arena_reset(w.arena);
		/* A rotation that stalls is tried again later. */
		if (err != CDOP_OK)
			w.now_ms += AGAIN_MS;
		if (err != CDOP_OK && err != CDOP_RESOURCE_EXHAUSTED) {
			done = false;
			world_reopen(&w);
			key_acts_restarted();
		}
	}
	n = cut_calls();
	cut_end();
	go_on(wanted, at % 16 == 1);
	return n;
}

static void
failing_at_any_call_it_ends_as_it_would_have(void **state)
{
	static const int codes[] = {ENOSPC, EIO};
	const uint64_t now_ms = w.now_ms;
	char wanted[KEY_ACTS_TEXT];
	uint32_t at, n;
	size_t c;

	(void)state;
	memcpy(wanted, shared->text[shared->steps], sizeof(wanted));
	n = run_with(0, 0, wanted);
	for (c = 0; c < sizeof(codes) / sizeof(codes[0]); c++)
		for (at = 1; at <= n; at++) {
			w.now_ms = now_ms;
			assert_true(run_with(at, codes[c], wanted) >= at);
		}
}

/* ---- each of them -------------------------------------------------------- */

static int
setup(key_acts_fn *act)
{
	step = act;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(shared != MAP_FAILED);
	key_acts_begin(&w);
	world_close(&w);
	keep_before();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	put_back();
	world_open(&w);
	world_end(&w);
	key_acts_end();
	free(before);
	return munmap(shared, sizeof(*shared));
}

#define SETUP(name)                                                            \
	static int setup_##name(void **state)                                  \
	{                                                                      \
		(void)state;                                                   \
		return setup(key_acts_##name);                                 \
	}
SETUP(erase)
SETUP(hold)
SETUP(link_key)
SETUP(slots)
SETUP(backup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		killed_at_any_call_it_goes_on_and_ends_as_it_would_have),
	    cmocka_unit_test(failing_at_any_call_it_ends_as_it_would_have),
	};
	int failed = 0;

	failed +=
	    cmocka_run_group_tests_name("erase", tests, setup_erase, teardown);
	failed +=
	    cmocka_run_group_tests_name("hold", tests, setup_hold, teardown);
	failed += cmocka_run_group_tests_name(
	    "link key", tests, setup_link_key, teardown);
	failed +=
	    cmocka_run_group_tests_name("slots", tests, setup_slots, teardown);
	failed += cmocka_run_group_tests_name(
	    "backup", tests, setup_backup, teardown);
	return failed;
}
