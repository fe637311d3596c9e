/*
 * A vault that cannot open what it is given: what it says, and the status it
 * leaves with, which tells the service manager whether to try again.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/base/control.h"
#include "server/base/fds.h"
#include "server/base/ipc.h"
#include "server/base/log.h"
#include "server/cycle/vault.h"
#include "tests/unit/server/vault/raw.h"

static struct store_fixture f;
static struct raw_table rows;
static char said[1u << 14];

static int
setup(void **state)
{
	(void)state;
	store_fixture_make(&f);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	store_fixture_end(&f);
	return 0;
}

static void
be_the_vault(int control, int link, int key)
{
	static struct config conf;
	struct vault_fds fds = {.control = control,
	    .link = link,
	    .key = key,
	    .credential = -1,
	    .boot = -1};

	(void)alarm(60); /* one that opens would go on */
	log_init("vault", LOG_LEVEL_INFO);
	(void)snprintf(conf.data_dir, sizeof(conf.data_dir), "%s", f.dir);
	conf.map_size_gib = 1;
	fds.note = mmap(NULL, sizeof(*fds.note), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	_exit(fds.note == MAP_FAILED ? 99 : vault_main(&conf, &fds));
}

/* As the parent hands it over. */
static int
key_file(void)
{
	int fd = memfd_create("key", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, f.file, sizeof(f.file)), sizeof(f.file));
	return fd;
}

/* Its exit status; what it said is in `said`. */
static int
start(void)
{
	int control[2], link[2], out[2], key = key_file(), status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(out), 0);
	assert_int_equal(control_pair(control), CDOP_OK);
	assert_int_equal(ipc_pair(link), CDOP_OK);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(control[0]);
		if (dup2(out[1], STDERR_FILENO) != STDERR_FILENO)
			_exit(98);
		be_the_vault(control[1], link[1], key);
	}
	(void)close(out[1]);
	while ((n = read(out[0], said + len, sizeof(said) - 1 - len)) > 0)
		len += (size_t)n;
	said[len] = '\0';
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	fds_close(out[0]);
	fds_close(key);
	fds_close(control[0]);
	fds_close(control[1]);
	fds_close(link[0]);
	fds_close(link[1]);
	return WEXITSTATUS(status);
}

static void
says(const char *words)
{
	if (strstr(said, words) == NULL)
		fail_msg("\"%s\" is not in: %s", words, said);
}

/* ---- the store ----------------------------------------------------------- */

static void
remove_store(void)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/data.mdb", f.dir);
	assert_int_equal(unlink(path), 0);
}

static void
where_nothing_is_it_says_who_makes_one(void **state)
{
	(void)state;
	store_fixture_close(&f);
	remove_store();
	assert_int_equal(start(), CONTROL_EXIT_CONFIG);
	says("store.refused code=NOT_FOUND");
	says("cdopd init makes one");
}

static void
a_file_that_is_no_store_is_not_tried_again(void **state)
{
	char path[96];
	int fd;

	(void)state;
	store_fixture_close(&f);
	(void)snprintf(path, sizeof(path), "%s/data.mdb", f.dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, said, 8192, 0), 8192);
	(void)close(fd);
	assert_int_equal(start(), CONTROL_EXIT_DATA);
	says("store.refused code=DATA_LOSS");
	says("cdopd verify");
}

/* ---- the registry in it -------------------------------------------------- */

/* As an init leaves it that was cut off. */
static void
rows_without_a_registry_are_taken_away(void **state)
{
	(void)state;
	store_fixture_close(&f);
	assert_int_equal(start(), CONTROL_EXIT_CONFIG);
	says("registry.refused code=NOT_FOUND");
	says("take the data directory away and run cdopd init");
}

static void
a_row_that_is_gone_is_not_tried_again(void **state)
{
	uint64_t number;

	(void)state;
	store_fixture_begin(&f);
	number = store_fixture_put(&f, SCHEMA_KIND_PERSON, 0, "a note");
	store_fixture_commit(&f);
	store_fixture_close(&f);
	raw_read(&f, &rows);
	raw_tamper(&f, &rows, raw_find(&rows, number), NULL);
	raw_free(&rows);
	assert_int_equal(start(), CONTROL_EXIT_DATA);
	says("registry.refused code=DATA_LOSS");
	says("cdopd verify");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(where_nothing_is_it_says_who_makes_one),
	    TEST(a_file_that_is_no_store_is_not_tried_again),
	    TEST(rows_without_a_registry_are_taken_away),
	    TEST(a_row_that_is_gone_is_not_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
