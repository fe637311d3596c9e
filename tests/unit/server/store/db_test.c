/* The one door to LMDB: order, stickiness, room, and who may come in. */
#include "server/store/db.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <grp.h>
#include <lmdb.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/server/scratch.h"

#define MAP      ((uint64_t)16 << 20)
#define SOMEBODY 65534

static char dir[64];

static struct cdop_bytes
bytes(const char *s)
{
	return (struct cdop_bytes){(const uint8_t *)s, strlen(s)};
}

static struct db *
make(void)
{
	struct db_args args = {.dir = dir, .map_bytes = MAP, .create = true};
	struct db *db;

	scratch_dir(dir, sizeof(dir), "db");
	assert_int_equal(db_open(&args, &db), CDOP_OK);
	assert_int_equal(db_room(db, 64), CDOP_OK);
	return db;
}

static struct db *
again(void)
{
	struct db_args args = {.dir = dir, .map_bytes = MAP};
	struct db *db;

	assert_int_equal(db_open(&args, &db), CDOP_OK);
	return db;
}

static void
end(struct db *db)
{
	static const char *const names[] = {"data.mdb", "lock.mdb"};
	char path[128];
	size_t i;

	db_close(db);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(dir), 0);
}

static struct db_txn *
begin(struct db *db)
{
	struct db_txn *txn;

	assert_int_equal(db_begin(db, &txn), CDOP_OK);
	return txn;
}

static void
rows_come_back_in_order(void **state)
{
	struct cdop_bytes row;
	struct db_txn *txn;
	struct db *db;
	uint64_t n;

	(void)state;
	db = make();
	txn = begin(db);
	assert_int_equal(db_put(txn, 300, bytes("c")), CDOP_OK);
	assert_int_equal(db_put(txn, 1, bytes("a")), CDOP_OK);
	assert_int_equal(db_put(txn, 256, bytes("b")), CDOP_OK);
	assert_int_equal(db_put(txn, UINT64_C(1) << 48, bytes("d")), CDOP_OK);
	assert_int_equal(db_commit(txn), CDOP_OK);
	db_close(db);
	db = again();
	assert_int_equal(db_begin_read(db, &txn), CDOP_OK);
	assert_int_equal(db_count(txn, &n), CDOP_OK);
	assert_int_equal(n, 4);
	assert_int_equal(db_next(txn, 0, &n, &row), CDOP_OK);
	assert_int_equal(n, 1);
	assert_int_equal(db_next(txn, 2, &n, &row), CDOP_OK);
	assert_int_equal(n, 256);
	assert_int_equal(row.data[0], 'b');
	assert_int_equal(db_next(txn, 257, &n, &row), CDOP_OK);
	assert_int_equal(n, 300);
	assert_int_equal(db_previous(txn, UINT64_MAX, &n, &row), CDOP_OK);
	assert_int_equal(n, UINT64_C(1) << 48);
	assert_int_equal(db_previous(txn, 299, &n, &row), CDOP_OK);
	assert_int_equal(n, 256);
	assert_int_equal(db_previous(txn, 256, &n, &row), CDOP_OK);
	assert_int_equal(n, 256);
	assert_int_equal(db_previous(txn, 0, &n, &row), CDOP_NOT_FOUND);
	assert_int_equal(
	    db_next(txn, (UINT64_C(1) << 48) + 1, &n, &row), CDOP_NOT_FOUND);
	assert_int_equal(db_get(txn, 300, &row), CDOP_OK);
	assert_int_equal(db_get(txn, 301, &row), CDOP_NOT_FOUND);
	db_abort(txn);
	end(db);
}

static void
the_first_error_stays_and_commit_reports_it(void **state)
{
	struct cdop_bytes row;
	struct db_txn *txn;
	struct db *db;

	(void)state;
	db = make();
	txn = begin(db);
	assert_int_equal(db_put(txn, 1, bytes("a")), CDOP_OK);
	assert_int_equal(db_put(txn, 1, bytes("b")), CDOP_INTERNAL);
	assert_int_equal(db_put(txn, 2, bytes("b")), CDOP_INTERNAL);
	assert_int_equal(db_get(txn, 1, &row), CDOP_INTERNAL);
	assert_int_equal(db_commit(txn), CDOP_INTERNAL);
	/* Consumed, and nothing of it is there. */
	txn = begin(db);
	assert_int_equal(db_get(txn, 1, &row), CDOP_NOT_FOUND);
	assert_int_equal(db_del(txn, 1), CDOP_NOT_FOUND);
	assert_int_equal(db_commit(txn), CDOP_NOT_FOUND);
	txn = begin(db);
	assert_int_equal(db_overwrite(txn, 1, bytes("x")), CDOP_NOT_FOUND);
	db_abort(txn);
	db_abort(NULL);
	end(db);
}

static void
a_deleted_last_row_does_not_spoil_the_append(void **state)
{
	struct cdop_bytes row;
	struct db_txn *txn;
	struct db *db;
	uint64_t i;

	(void)state;
	db = make();
	txn = begin(db);
	for (i = 1; i < 200; i++) {
		assert_int_equal(db_put(txn, i, bytes("row")), CDOP_OK);
		if (i > 1)
			assert_int_equal(db_del(txn, i - 1), CDOP_OK);
	}
	assert_int_equal(db_del(txn, 199), CDOP_OK);
	assert_int_equal(db_put(txn, 150, bytes("back")), CDOP_OK);
	assert_int_equal(db_put(txn, 200, bytes("on")), CDOP_OK);
	assert_int_equal(db_commit(txn), CDOP_OK);
	assert_int_equal(db_begin_read(db, &txn), CDOP_OK);
	assert_int_equal(db_count(txn, &i), CDOP_OK);
	assert_int_equal(i, 2);
	assert_int_equal(db_get(txn, 150, &row), CDOP_OK);
	db_abort(txn);
	end(db);
}

static void
room_is_written_ahead_and_the_end_of_the_map_is_seen(void **state)
{
	uint64_t used, map;
	struct stat st;
	char path[128];
	struct db *db;

	(void)state;
	db = make();
	(void)snprintf(path, sizeof(path), "%s/data.mdb", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size >= 1 << 20);
	assert_true(st.st_blocks * 512 >= 1 << 20); /* written, not a hole */
	assert_int_equal(db_room(db, 1000), CDOP_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size >= 1000 * DB_PAGE);
	db_usage(db, &used, &map);
	assert_int_equal(map, MAP);
	assert_true(used < 1 << 20);
	assert_int_equal(db_room(db, MAP / DB_PAGE), CDOP_RESOURCE_EXHAUSTED);
	end(db);
}

/* The file may be longer than it was when it was last looked at. */
static void
room_is_written_behind_whatever_is_there(void **state)
{
	char path[128], found[4] = "";
	struct stat st;
	struct db *db;
	int fd;

	(void)state;
	db = make();
	(void)snprintf(path, sizeof(path), "%s/data.mdb", dir);
	assert_true((fd = open(path, O_RDWR)) >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(pwrite(fd, "abc", 4, st.st_size), 4);
	assert_int_equal(db_room(db, 64), CDOP_OK);
	assert_int_equal(db_room(db, 1000), CDOP_OK);
	assert_int_equal(pread(fd, found, 4, st.st_size), 4);
	assert_string_equal(found, "abc");
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(st.st_size >= 1000 * DB_PAGE);
	(void)close(fd);
	end(db);
}

/* Whatever the one who starts it lets others have. */
static void
what_is_made_is_for_nobody_else(void **state)
{
	static const char *const names[] = {"", "data.mdb", "lock.mdb"};
	const mode_t was = umask(0);
	struct stat st;
	char path[128];
	struct db *db;
	size_t i;

	(void)state;
	db = make();
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 077, 0);
	}
	(void)umask(was);
	end(db);
}

static void
a_full_map_takes_nothing_and_leaves_a_good_file(void **state)
{
	static uint8_t big[1 << 20];
	struct cdop_bytes row;
	struct db_txn *txn;
	enum cdop_err err;
	struct db *db;
	uint64_t i;

	(void)state;
	db = make();
	txn = begin(db);
	assert_int_equal(db_put(txn, 1, bytes("kept")), CDOP_OK);
	assert_int_equal(db_commit(txn), CDOP_OK);
	txn = begin(db);
	err = CDOP_OK;
	for (i = 2; err == CDOP_OK && i < 100; i++)
		err = db_put(txn, i, (struct cdop_bytes){big, sizeof(big)});
	assert_int_equal(err, CDOP_RESOURCE_EXHAUSTED);
	assert_int_equal(db_commit(txn), CDOP_RESOURCE_EXHAUSTED);
	txn = begin(db);
	assert_int_equal(db_get(txn, 1, &row), CDOP_OK);
	assert_int_equal(db_get(txn, 2, &row), CDOP_NOT_FOUND);
	assert_int_equal(db_put(txn, 2, bytes("on")), CDOP_OK);
	assert_int_equal(db_commit(txn), CDOP_OK);
	end(db);
}

static void
the_right_directory_or_none(void **state)
{
	struct db_args args = {.dir = dir, .map_bytes = MAP};
	char path[128];
	struct db *db, *other;
	FILE *file;

	(void)state;
	db = make();
	args.create = true;
	assert_int_equal(db_open(&args, &other), CDOP_FAILED_PRECONDITION);
	args.read_only = true;
	args.create = false;
	assert_int_equal(db_open(&args, &other), CDOP_FAILED_PRECONDITION);
	db_close(db);
	args.read_only = false;
	args.create = true;
	assert_int_equal(db_open(&args, &other), CDOP_ALREADY_EXISTS);
	args.create = false;
	assert_int_equal(chmod(dir, 0750), 0);
	assert_int_equal(db_open(&args, &other), CDOP_PERMISSION_DENIED);
	assert_int_equal(chmod(dir, 0700), 0);
	args.dir = "/nonexistent/registry";
	assert_int_equal(db_open(&args, &other), CDOP_NOT_FOUND);
	args.dir = dir;

	(void)snprintf(path, sizeof(path), "%s/data.mdb", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(db_open(&args, &other), CDOP_NOT_FOUND);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs("not a database", file) >= 0);
	(void)fclose(file);
	assert_int_equal(db_open(&args, &other), CDOP_DATA_LOSS);
	end(NULL);
}

static void
the_lock_ends_with_its_process(void **state)
{
	char path[128], byte;
	int fds[2], status;
	struct db *db;
	pid_t pid;

	(void)state;
	db = make();
	db_close(db);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		db = again();
		if (write(fds[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	assert_int_equal(read(fds[0], &byte, 1), 1);
	/* Nothing that may be taken for a leftover is the lock. */
	(void)snprintf(path, sizeof(path), "%s/lock.mdb", dir);
	assert_int_equal(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "%s/lock", dir);
	(void)unlink(path);
	{
		struct db_args args = {.dir = dir, .map_bytes = MAP};

		assert_int_equal(db_open(&args, &db), CDOP_FAILED_PRECONDITION);
	}
	assert_int_equal(kill(pid, 9), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)close(fds[0]);
	(void)close(fds[1]);
	db = again();
	end(db);
}

/* KiB of the file that count as this process's. */
static unsigned long
resident(void)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	char line[512], name[128];
	unsigned long kib, sum = 0;
	bool ours = false;

	assert_non_null(f);
	(void)snprintf(name, sizeof(name), "%s/data.mdb", dir);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%lx-%lx %*s", &kib, &kib) == 2)
			ours = strstr(line, name) != NULL;
		else if (ours && sscanf(line, "Rss: %lu kB", &kib) == 1)
			sum += kib;
	}
	assert_int_equal(fclose(f), 0);
	return sum;
}

static void
what_a_walk_has_read_is_let_go(void **state)
{
	const struct cdop_bytes row = bytes("a row of a walk");
	struct db *db = make();
	struct cdop_bytes got;
	struct db_txn *txn;
	uint64_t n;

	(void)state;
	assert_int_equal(db_room(db, 1024), CDOP_OK);
	assert_int_equal(db_begin(db, &txn), CDOP_OK);
	for (n = 0; n < 40000; n++)
		assert_int_equal(db_put(txn, n, row), CDOP_OK);
	assert_int_equal(db_commit(txn), CDOP_OK);

	assert_int_equal(db_begin_read(db, &txn), CDOP_OK);
	for (n = 0; db_next(txn, n, &n, &got) == CDOP_OK; n++)
		assert_int_equal(got.len, row.len);
	assert_int_equal(n, 40000);
	assert_true(resident() > 1024);
	db_let_go(txn);
	assert_true(resident() < 256);
	assert_int_equal(db_next(txn, 7, &n, &got), CDOP_OK);
	assert_memory_equal(got.data, row.data, row.len);
	db_abort(txn);
	db_close(db);
}

/* Rows of a write lie partly in the heap, which is nobody's to give back. */
static void
what_was_read_is_given_back_in_rest(void **state)
{
	const struct cdop_bytes row = bytes("a row of a batch");
	struct db *db = make();
	struct cdop_bytes got;
	struct db_txn *txn;
	uint64_t n;

	(void)state;
	assert_int_equal(db_room(db, 1024), CDOP_OK);
	txn = begin(db);
	for (n = 0; n < 1000; n++)
		assert_int_equal(db_put(txn, n, row), CDOP_OK);
	assert_int_equal(db_commit(txn), CDOP_OK);
	db_rest(db, MAP); /* nobody has said where */
	assert_int_equal(db_begin_read(db, &txn), CDOP_OK);
	for (n = 0; db_next(txn, n, &n, &got) == CDOP_OK; n++)
		assert_int_equal(got.len, row.len);
	db_let_go(txn);
	db_abort(txn);
	/* The file grows behind what that walk has seen. */
	txn = begin(db);
	for (; n < 40000; n++)
		assert_int_equal(db_put(txn, n, row), CDOP_OK);
	assert_int_equal(db_commit(txn), CDOP_OK);
	txn = begin(db);
	assert_int_equal(db_overwrite(txn, 7, row), CDOP_OK);
	for (n = 0; n < 40000; n++)
		assert_int_equal(db_get(txn, n, &got), CDOP_OK);
	assert_int_equal(db_commit(txn), CDOP_OK);
	assert_true(resident() > 1024);
	db_rest(db, 16 * DB_PAGE);
	assert_true(resident() > 1024);
	for (n = 0; n < MAP / (16 * DB_PAGE); n++)
		db_rest(db, 16 * DB_PAGE);
	assert_true(resident() < 256);
	txn = begin(db);
	for (n = 0; n < 40000; n++) {
		assert_int_equal(db_get(txn, n, &got), CDOP_OK);
		assert_memory_equal(got.data, row.data, row.len);
	}
	db_abort(txn);
	db_rest(db, MAP);
	assert_true(resident() < 256);
	end(db);
}

/* As a page says that was changed on the disk; none at all is no matter. */
static void
a_length_that_cannot_be_is_not_let_go_of(void **state)
{
	static const uint8_t here[1];
	struct db_read read = {NULL, NULL};

	(void)state;
	db_read_let_go(&read);
	db_read_add(&read, (struct cdop_bytes){here, SIZE_MAX / 2});
	assert_ptr_equal(read.from, here);
	assert_int_equal(read.to - here, 1u << 20);
}

static void
belongs_to(const char *name, uid_t user)
{
	char path[128];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_uid, user);
}

typedef int open_fn(MDB_env *, const char *, unsigned int, mdb_mode_t);

static struct {
	uid_t user;
	gid_t group;
	int groups;
} opener;

/* Who was it?  The program's own comes before the library's. */
int
mdb_env_open(MDB_env *env, const char *path, unsigned int flags, mdb_mode_t m)
{
	void *found = dlsym(RTLD_NEXT, "mdb_env_open");
	open_fn *go;

	opener.user = geteuid();
	opener.group = getegid();
	opener.groups = getgroups(0, NULL);
	memcpy(&go, &found, sizeof(go));
	return go(env, path, flags, m);
}

/* What LMDB opens by name, and through a link, is opened as him. */
static void
root_opens_another_users_as_he_would(void **state)
{
	struct db_args args = {.dir = dir, .map_bytes = MAP, .create = true};
	static const gid_t more[] = {0, 4242};
	gid_t before[64], after[64];
	int n = getgroups(64, before);
	struct db *db;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_true(n >= 0);
	assert_int_equal(setgroups(2, more), 0);
	scratch_dir(dir, sizeof(dir), "db");
	assert_int_equal(chown(dir, SOMEBODY, SOMEBODY), 0);
	assert_int_equal(db_open(&args, &db), CDOP_OK);
	assert_int_equal(opener.user, SOMEBODY);
	assert_int_equal(opener.group, SOMEBODY);
	assert_int_equal(opener.groups, 0);
	assert_int_equal(geteuid(), 0);
	assert_int_equal(getegid(), 0);
	assert_int_equal(getgroups(64, after), 2);
	assert_memory_equal(after, more, sizeof(more));
	assert_int_equal(setgroups((size_t)n, before), 0);
	belongs_to("data.mdb", SOMEBODY);
	belongs_to("lock.mdb", SOMEBODY);
	end(db);
}

/* Where "/" is root's alone, and nothing lies in it but this. */
static int
open_below_a_closed_root(const char *root)
{
	struct db_args args = {.dir = "/of_him", .map_bytes = MAP};
	struct db *db;

	args.create = true;
	if (chroot(root) != 0 || chdir("/") != 0 || db_open(&args, &db) != 0)
		return 1;
	db_close(db);
	return geteuid() == 0 && unlink("of_him/data.mdb") == 0 &&
		unlink("of_him/lock.mdb") == 0
	    ? 0
	    : 2;
}

static void
root_opens_it_where_its_owner_cannot_go(void **state)
{
	char root[48];
	pid_t child;
	int status;

	(void)state;
	if (geteuid() != 0)
		skip();
	scratch_dir(root, sizeof(root), "db");
	assert_int_equal(chmod(root, 0700), 0);
	(void)snprintf(dir, sizeof(dir), "%s/of_him", root);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(chown(dir, SOMEBODY, SOMEBODY), 0);
	child = fork();
	assert_int_not_equal(child, -1);
	if (child == 0)
		_exit(open_below_a_closed_root(root));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(rmdir(root), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_come_back_in_order),
	    cmocka_unit_test(the_first_error_stays_and_commit_reports_it),
	    cmocka_unit_test(a_deleted_last_row_does_not_spoil_the_append),
	    cmocka_unit_test(
		room_is_written_ahead_and_the_end_of_the_map_is_seen),
	    cmocka_unit_test(room_is_written_behind_whatever_is_there),
	    cmocka_unit_test(a_full_map_takes_nothing_and_leaves_a_good_file),
	    cmocka_unit_test(what_is_made_is_for_nobody_else),
	    cmocka_unit_test(root_opens_another_users_as_he_would),
	    cmocka_unit_test(root_opens_it_where_its_owner_cannot_go),
	    cmocka_unit_test(the_right_directory_or_none),
	    cmocka_unit_test(the_lock_ends_with_its_process),
	    cmocka_unit_test(what_a_walk_has_read_is_let_go),
	    cmocka_unit_test(what_was_read_is_given_back_in_rest),
	    cmocka_unit_test(a_length_that_cannot_be_is_not_let_go_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
