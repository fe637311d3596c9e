/*
 * cdopd recover-people with a disk that fails at each call that it makes to
 * it: what it says of the registry is what the registry is.
 */
#include <errno.h>
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

#include "cdop/share.h"
#include "server/cmd.h"
#include "server/registry/audit.h"
#include "server/store/dir.h"
#include "tests/unit/server/cut.h"
#include "tests/unit/server/cut_calls.h"
#include "tests/unit/server/scratch.h"
#include "tests/unit/server/share_files.h"
#include "tests/unit/server/world.h"

#define INVITATION "recovery-invitation-1.txt"

/* What a child and its parent both see. */
struct shared {
	int status;
	uint32_t calls;
};

static struct shared *shared;
static struct world w;
static uint64_t leaves; /* that the registry has before */
static char top[64], dir[96], said[96], invitation[128];
static struct share_files shares;

/* ---- a registry, again and again ------------------------------------------
 */

static size_t
read_all(const char *path, char *out, size_t max)
{
	FILE *f = fopen(path, "re");
	size_t len;

	assert_non_null(f);
	len = fread(out, 1, max, f);
	assert_in_range(len, 0, max - 1);
	assert_int_equal(fclose(f), 0);
	return len;
}

/* What there is of the last one goes. */
static void
make_anew(void)
{
	static char bytes[8u << 20];
	static const char *const made[] = {
	    "data.mdb", "lock.mdb", "commit-failed", "held"};
	char path[160];
	size_t i, len;
	FILE *f;

	(void)unlink(invitation);
	for (i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, made[i]);
		(void)unlink(path);
	}
	(void)snprintf(path, sizeof(path), "%s/data.mdb", w.dir);
	len = read_all(path, bytes, sizeof(bytes));
	(void)snprintf(path, sizeof(path), "%s/data.mdb", dir);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fchmod(fileno(f), 0600), 0);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static int
setup(void **state)
{
	(void)state;
	scratch_dir(top, sizeof(top), "recover");
	(void)snprintf(dir, sizeof(dir), "%s/data", top);
	(void)snprintf(said, sizeof(said), "%s/said", top);
	(void)snprintf(invitation, sizeof(invitation), "%s/" INVITATION, top);
	assert_int_equal(mkdir(dir, 0700), 0);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(shared != MAP_FAILED);
	world_make(&w);
	share_files_make(&shares, &w, top);
	leaves = audit_size(w.reg->audit);
	world_close(&w);
	return 0;
}

static int
teardown(void **state)
{
	char path[160];

	(void)state;
	make_anew();
	(void)snprintf(path, sizeof(path), "%s/data.mdb", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
	share_files_remove(&shares);
	assert_int_equal(unlink(said), 0);
	assert_int_equal(rmdir(top), 0);
	world_open(&w);
	world_end(&w);
	return munmap(shared, sizeof(*shared));
}

/* ---- recovering -----------------------------------------------------------
 */

static int
recover(void)
{
	const char *const words[] = {"recover-people", dir, "--by", "Dora",
	    "--by", "Theo", "--reason", "both are away", "--admin", "Ann",
	    "--address", "127.0.0.1:4433", "--out", top, "--share-file",
	    shares.path[0], "--share-file", shares.path[1]};
	char *argv[sizeof(words) / sizeof(words[0])];

	memcpy(argv, words, sizeof(argv));
	return cmd_recover(sizeof(argv) / sizeof(argv[0]), argv);
}

static void
child(uint32_t at)
{
	if (freopen("/dev/null", "w", stdout) == NULL ||
	    freopen(said, "w", stderr) == NULL)
		_exit(2);
	cut_begin(at, EIO);
	shared->status = recover();
	shared->calls = cut_calls();
	cut_end();
}

/* Is it as it was (false), or has it new administrators to come? */
static bool
is_recovered(void)
{
	struct world other = w;
	bool is_setup;

	(void)snprintf(other.dir, sizeof(other.dir), "%.48s/data", top);
	world_open(&other);
	is_setup = registry_state(other.reg) == CDOP__STATE__SETUP;
	assert_true(is_setup || audit_size(other.reg->audit) == leaves);
	world_close(&other);
	return is_setup;
}

static bool
is_said(const char *words)
{
	char text[4096];

	text[read_all(said, text, sizeof(text))] = '\0';
	return strstr(text, words) != NULL;
}

static void
once_more(void)
{
	(void)unlink(invitation);
	assert_false(cut_child(0, child));
	assert_int_equal(shared->status, CMD_OK);
	assert_true(is_recovered());
}

static void
at_any_call_it_says_what_the_registry_is(void **state)
{
	unsigned unknown = 0, as_it_was = 0;
	struct stat st;
	uint32_t at, calls;

	(void)state;
	make_anew();
	once_more();
	calls = shared->calls;
	for (at = 1; at <= calls; at++) {
		make_anew();
		assert_false(cut_child(at, child));
		if (dir_is_marked(dir)) {
			unknown++;
			assert_int_equal(shared->status, CMD_FAILED);
			assert_true(is_said(
			    "whether it was done is not known: do it again"));
			assert_int_not_equal(stat(invitation, &st), 0);
			once_more();
		} else if (shared->status == CMD_OK ||
		    is_said("done, but not every invitation")) {
			assert_true(is_recovered());
			/* Half an invitation is none. */
			assert_int_equal(stat(invitation, &st) == 0,
			    shared->status == CMD_OK);
		} else {
			as_it_was++;
			assert_false(is_recovered());
			assert_int_not_equal(stat(invitation, &st), 0);
		}
	}
	assert_true(unknown > 0 && as_it_was > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(at_any_call_it_says_what_the_registry_is),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
