/*
 * A copy cut off at each call that it makes to the disk, and each such call
 * made to fail: what a start finds is the old file or the new one, whole.
 *
 * The calls of this program stand before those of the C library, so that
 * LMDB makes them too.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/server/vault/copy_fixture.h"

#define STEP 10 /* rows */

/* ---- the calls --------------------------------------------------------- */

/* What a child and its parent both see. */
struct shared {
	uint64_t leaves; /* acknowledged */
	uint32_t calls;
	bool renamed;
};

static struct shared *shared;
static bool armed;
static uint32_t stop_at;  /* the call that does not come back; 0: none */
static int fail_with;     /* or which fails with this, once */
static bool unsynced;     /* something was written to the copy since */
static bool seen_renamed; /* and it was synced by then */
static bool seen_named;   /* the directory was synced behind that */

static void
next(const char *name, void *ret_fn)
{
	void *p;

	p = dlsym(RTLD_NEXT, name);
	memcpy(ret_fn, &p, sizeof(p));
}

/* True, with errno, where this call has to fail. */
static bool
is_cut(void)
{
	if (!armed)
		return false;
	shared->calls++;
	if (shared->calls != stop_at)
		return false;
	if (fail_with == 0)
		_exit(9);
	errno = fail_with;
	return true;
}

typedef ssize_t pwrite_fn(int fd, const void *buf, size_t len, off_t at);
typedef ssize_t writev_fn(int fd, const struct iovec *iov, int n);
typedef int fd_fn(int fd);
typedef int renameat_fn(int a, const char *from, int b, const char *to);
typedef int ftruncate_fn(int fd, off_t len);

/* A part of a write arrives before the process is gone. */
ssize_t
pwrite(int fd, const void *buf, size_t len, off_t at)
{
	pwrite_fn *fn;

	next("pwrite", &fn);
	if (armed && fail_with == 0 && shared->calls + 1 == stop_at)
		(void)!fn(fd, buf, len / 2, at);
	if (is_cut())
		return -1;
	unsynced = unsynced || armed;
	return fn(fd, buf, len, at);
}

ssize_t
writev(int fd, const struct iovec *iov, int n)
{
	writev_fn *fn;

	if (is_cut())
		return -1;
	unsynced = unsynced || armed;
	next("writev", &fn);
	return fn(fd, iov, n);
}

int
fdatasync(int fd)
{
	fd_fn *fn;

	if (is_cut())
		return -1;
	next("fdatasync", &fn);
	return fn(fd);
}

int
fsync(int fd)
{
	struct stat st;
	fd_fn *fn;

	if (is_cut())
		return -1;
	if (armed && shared->renamed)
		seen_named = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
	unsynced = false;
	next("fsync", &fn);
	return fn(fd);
}

int
renameat(int a, const char *from, int b, const char *to)
{
	renameat_fn *fn;

	if (is_cut())
		return -1;
	if (armed)
		seen_renamed = !unsynced;
	if (armed)
		shared->renamed = true;
	next("renameat", &fn);
	return fn(a, from, b, to);
}

int
ftruncate(int fd, off_t len)
{
	ftruncate_fn *fn;

	if (is_cut())
		return -1;
	next("ftruncate", &fn);
	return fn(fd, len);
}

/* ---- a copy ------------------------------------------------------------ */

static struct copy_fixture c;
static struct copy_epoch epochs[COPY_FIXTURE_EPOCHS];
static struct copy_plan plan; /* zero: a plain copy */
static struct copy_slot slots[2];
static bool swapped; /* the new root's slots open it */

/* Everything that a plan can name. */
static void
plan_reseal(void)
{
	copy_fixture_turn(&c, epochs);
	plan = (struct copy_plan){.epochs = epochs,
	    .n_epochs = COPY_FIXTURE_EPOCHS,
	    .all_areas = true,
	    .leaf = copy_fixture_leaf,
	    .turned = copy_fixture_turned,
	    .ctx = &c};
}

/* So that the copy is made in more than one transaction. */
static void
add_large(void)
{
	static char text[200000];
	size_t i;

	memset(text, 'z', sizeof(text) - 1);
	for (i = 0; i < 4; i++) {
		undo_begin(c.f.undo);
		assert_int_equal(rows_begin(c.f.rows, 1u << 19, 4), CDOP_OK);
		(void)store_fixture_put(&c.f, SCHEMA_KIND_REASON, 0, text);
		store_fixture_commit(&c.f);
	}
}

static int
setup(void **state)
{
	(void)state;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(shared != MAP_FAILED);
	memset(shared, 0, sizeof(*shared));
	stop_at = 0;
	fail_with = 0;
	memset(&plan, 0, sizeof(plan));
	copy_fixture_make_small(&c);
	add_large();
	return 0;
}

static int
setup_reseal(void **state)
{
	(void)setup(state);
	plan_reseal();
	return 0;
}

static int
setup_renewal(void **state)
{
	(void)setup(state);
	plan = copy_fixture_renewal(&c, slots);
	swapped = false;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	armed = false;
	copy_fixture_end(&c);
	assert_int_equal(munmap(shared, sizeof(*shared)), 0);
	return 0;
}

/* One step, with the calls counted; life itself is another test's. */
static enum cdop_err
step(struct copy *copy, enum copy_state *ret_state)
{
	const struct walk_budget budget = copy_fixture_budget(STEP);
	enum cdop_err err;

	armed = true;
	err = copy_step(copy, &budget, ret_state);
	armed = false;
	return err;
}

static enum copy_end
whole(struct copy **ret_copy, bool live)
{
	enum copy_state now = COPY_MORE;
	enum copy_end end;
	enum cdop_err err;
	unsigned int days = 0;

	armed = true;
	err = copy_begin(c.f.rows, &plan, ret_copy);
	armed = false;
	if (err != CDOP_OK) {
		*ret_copy = NULL;
		return COPY_KEPT;
	}
	while (now == COPY_MORE) {
		if (step(*ret_copy, &now) != CDOP_OK)
			return COPY_KEPT;
		if (!live || ++days > 4)
			continue;
		copy_fixture_live(&c);
		shared->leaves = rows_next_leaf(c.f.rows);
	}
	armed = true;
	end = copy_finish(*ret_copy);
	armed = false;
	return end;
}

/* ---- killed ------------------------------------------------------------ */

/* Opens the store again in a child, which dies at a call. */
static bool
dies_at(uint32_t call)
{
	struct copy *copy;
	int status;
	pid_t pid;

	memset(shared, 0, sizeof(*shared));
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		if (store_fixture_open(&c.f, 0) != CDOP_OK)
			_exit(1);
		copy_fixture_find_keys(&c);
		stop_at = call;
		/* A new root is made while nobody calls. */
		if (whole(&copy, plan.n_slots == 0) != COPY_SWITCHED)
			_exit(2);
		_exit(seen_renamed && seen_named ? 0 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 9)
		assert_int_equal(WEXITSTATUS(status), 0);
	return WEXITSTATUS(status) == 9;
}

/* Opened by what opened it before, or else by the slots of the new root. */
static void
open_again(void)
{
	enum cdop_err err = store_fixture_open(&c.f, 0);

	if (err == CDOP_UNAUTHENTICATED && plan.n_slots > 0) {
		store_fixture_close(&c.f);
		assert_true(shared->renamed);
		copy_fixture_swap(&c);
		swapped = !swapped;
		err = store_fixture_open(&c.f, 1);
	}
	assert_int_equal(err, CDOP_OK);
	copy_fixture_find_keys(&c);
}

/* The store of the old keys, or that of the new ones. */
static void
expect_one_world(void)
{
	bool is_old = keystore_find(c.f.ks, epochs[0].from) != NULL;
	size_t i;

	for (i = 0; i < plan.n_epochs; i++)
		assert_int_equal(
		    keystore_find(c.f.ks, epochs[i].from) != NULL, is_old);
	assert_true(copy_fixture_boxes(&c) > 0);
	/* The first that did not come back may have been the name's. */
	if (plan.n_epochs > 0 && !shared->renamed)
		assert_true(is_old);
}

static void
killed_at_any_call_it_is_the_old_file_or_the_new_one(void **state)
{
	uint8_t *file;
	uint32_t call;
	size_t len;
	bool died;

	(void)state;
	store_fixture_close(&c.f);
	file = store_fixture_file(&c.f, &len);
	for (call = 1;; call++) {
		store_fixture_write(&c.f, file, len);
		died = dies_at(call);
		open_again();
		/* All days that were committed, and none else. */
		if (shared->leaves != 0)
			assert_int_equal(
			    rows_next_leaf(c.f.rows), shared->leaves);
		expect_one_world();
		store_fixture_close(&c.f);
		if (shared->renamed || call % 16 == 1)
			assert_int_equal(store_fixture_verify(&c.f), 0);
		if (!died)
			break;
		if (swapped)
			copy_fixture_swap(&c);
		swapped = false;
	}
	/* Some commits, the sync, the name, the directory, the lock. */
	assert_in_range(call, 12, 1000);
	free(file);
}

/* ---- failing ----------------------------------------------------------- */

/* One that fails at this call; true where it came to an end before that. */
static bool
fails_at(uint32_t call, int code)
{
	char *before = copy_fixture_texts(&c), *after;
	struct copy *copy;
	enum copy_end end;

	memset(shared, 0, sizeof(*shared));
	stop_at = call;
	fail_with = code;
	end = whole(&copy, false);
	if (end == COPY_KEPT)
		assert_false(shared->renamed);
	if (end == COPY_KEPT && copy != NULL)
		assert_int_not_equal(copy_error(copy), CDOP_OK);
	copy_free(copy);
	if (end == COPY_LOST)
		assert_true(shared->renamed);
	/* The store of a new root is sealed. */
	if (end == COPY_LOST || (end == COPY_SWITCHED && plan.n_slots > 0)) {
		store_fixture_close(&c.f);
		open_again();
	}
	after = copy_fixture_texts(&c);
	assert_string_equal(before, after);
	expect_one_world();
	free(before);
	free(after);
	/* Whichever file it is, life goes on in it. */
	copy_fixture_live(&c);
	if (end == COPY_LOST && plan.n_epochs > 0)
		plan_reseal();
	return shared->calls < call;
}

static void
failing_at_any_call_it_loses_nothing(void **state)
{
	static const int codes[] = {ENOSPC, EIO};
	uint32_t call;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		for (call = 1; !fails_at(call, codes[i]); call++)
			if (call % 8 == 0) {
				store_fixture_close(&c.f);
				assert_int_equal(
				    store_fixture_open(&c.f, 0), CDOP_OK);
			}
		assert_in_range(call, 12, 1000);
		store_fixture_close(&c.f);
		assert_int_equal(store_fixture_verify(&c.f), 0);
		assert_int_equal(store_fixture_open(&c.f, 0), CDOP_OK);
		if (plan.n_epochs > 0)
			plan_reseal();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		killed_at_any_call_it_is_the_old_file_or_the_new_one, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(
		failing_at_any_call_it_loses_nothing, setup, teardown),
	    {"killed_at_any_call_of_a_reseal_it_is_one_of_both",
		killed_at_any_call_it_is_the_old_file_or_the_new_one,
		setup_reseal, teardown, NULL},
	    {"failing_at_any_call_of_a_reseal_it_loses_nothing",
		failing_at_any_call_it_loses_nothing, setup_reseal, teardown,
		NULL},
	    {"killed_at_any_call_of_a_new_root_it_is_one_of_both",
		killed_at_any_call_it_is_the_old_file_or_the_new_one,
		setup_renewal, teardown, NULL},
	    {"failing_at_any_call_of_a_new_root_it_loses_nothing",
		failing_at_any_call_it_loses_nothing, setup_renewal, teardown,
		NULL},
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
