/* The second file; see db_copy.h. */
#include "server/store/db_copy.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "server/store/db_core.h"
#include "server/store/dir.h"
#include "server/store/pages.h"
#include "server/store/reserve.h"
#include "server/store/zeros.h"

/* Left to the database for its own growth, besides its reserve. */
#define KEEP (2 * DB_CORE_KEEP)

#define NAME "copy.mdb"
#define STEP ((off_t)1 << 20) /* of the old file, given back at a time */

static enum cdop_err
path_of(const struct db *db, char path[static PATH_MAX])
{
	int n;

	n = snprintf(path, PATH_MAX, "%s/" NAME, db->dir);
	return n < 0 || n >= PATH_MAX ? CDOP_INVALID_ARGUMENT : CDOP_OK;
}

/* What the file system of fd has left; 0 where it does not say. */
static uint64_t
left(int fd)
{
	struct statvfs fs;

	if (fstatvfs(fd, &fs) != 0)
		return 0;
	return (uint64_t)fs.f_bavail * fs.f_frsize;
}

/* It has no lock file: DIR is locked, and nobody else knows of it. */
static int
env_open(struct db *copy, const char *path)
{
	MDB_env *env;
	int rc;

	rc = mdb_env_create(&env);
	if (rc != 0)
		return rc;
	copy->env = env;
	rc = mdb_env_set_mapsize(env, (size_t)copy->map_bytes);
	if (rc == 0)
		rc = mdb_env_open(env, path,
		    MDB_NOTLS | MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC, 0600);
	return rc == 0 ? db_core_table(env, &copy->dbi) : rc;
}

enum cdop_err
db_copy_new(struct db *db, struct db **ret_copy)
{
	uint64_t used, map, owed;
	char path[PATH_MAX];
	struct db *copy;
	bool removed;
	enum cdop_err err;

	if ((err = dir_tidy(db->dir, &removed)) != CDOP_OK)
		return err;
	if ((err = path_of(db, path)) != CDOP_OK)
		return err;
	db_usage(db, &used, &map);
	owed = reserve_want(db->reserve) - reserve_have(db->reserve);
	if (left(db->lock_fd) < used + owed + KEEP)
		return CDOP_RESOURCE_EXHAUSTED;
	copy = calloc(1, sizeof(*copy));
	if (copy == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	copy->lock_fd = -1;
	copy->old_fd = -1;
	copy->map_bytes = db->map_bytes;
	if ((err = db_core_error(env_open(copy, path))) != CDOP_OK) {
		db_copy_drop(db, copy);
		return err;
	}
	*ret_copy = copy;
	return CDOP_OK;
}

void
db_copy_drop(struct db *db, struct db *copy)
{
	bool removed;

	if (copy == NULL)
		return;
	db_close(copy);
	/* What cannot be removed now is removed by the next start. */
	(void)!dir_tidy(db->dir, &removed);
}

enum cdop_err
db_copy_room(struct db *copy, size_t len)
{
	int fd;

	CDOP_ASSERT(!copy->in_txn);
	if (mdb_env_get_fd(copy->env, &fd) != 0)
		return CDOP_DATA_LOSS;
	if (left(fd) < len + KEEP)
		return CDOP_RESOURCE_EXHAUSTED;
	/* So that the one sync at the end has little to do. */
	(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	return CDOP_OK;
}

/* LMDB leaves out pages that it took and did not need after all. */
static enum cdop_err
fill_up(struct db *copy, int fd)
{
	uint64_t used, map;
	struct stat st;

	db_usage(copy, &used, &map);
	if (fstat(fd, &st) != 0)
		return CDOP_DATA_LOSS;
	if ((uint64_t)st.st_size >= used)
		return CDOP_OK;
	return zeros_write(
	    fd, st.st_size, (size_t)(used - (uint64_t)st.st_size));
}

/* Durable under its own name, and such that a start will take it. */
static enum cdop_err
make_durable(struct db *copy, const char *path)
{
	enum cdop_err err;
	int fd;

	if (mdb_env_get_fd(copy->env, &fd) != 0)
		return CDOP_DATA_LOSS;
	if ((err = fill_up(copy, fd)) != CDOP_OK)
		return err;
	if (fsync(fd) != 0)
		return CDOP_DATA_LOSS;
	err = pages_roots(path, false);
	return err == CDOP_NOT_FOUND ? CDOP_DATA_LOSS : err;
}

/* The last one to close a file without a name waits until it is gone. */
static void
keep_old(struct db *db)
{
	int fd;

	if (db->old_fd != -1)
		(void)close(db->old_fd);
	db->old_fd = -1;
	if (mdb_env_get_fd(db->env, &fd) == 0)
		db->old_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

bool
db_copy_give_back(struct db *db)
{
	struct stat st;
	off_t len;

	if (db->old_fd == -1)
		return false;
	if (fstat(db->old_fd, &st) == 0 && st.st_size > 0) {
		len = st.st_size > STEP ? st.st_size - STEP : 0;
		if (ftruncate(db->old_fd, len) == 0 && len > 0)
			return true;
	}
	(void)close(db->old_fd);
	db->old_fd = -1;
	return false;
}

enum cdop_err
db_copy_switch(struct db *db, struct db *copy, bool *ret_renamed)
{
	char path[PATH_MAX];
	enum cdop_err err;

	CDOP_ASSERT(!db->in_txn && !copy->in_txn);
	*ret_renamed = false;
	err = path_of(db, path);
	if (err == CDOP_OK)
		err = make_durable(copy, path);
	if (err == CDOP_OK &&
	    renameat(db->lock_fd, NAME, db->lock_fd, "data.mdb") != 0)
		err = CDOP_DATA_LOSS;
	if (err != CDOP_OK) {
		db_copy_drop(db, copy);
		return err;
	}
	*ret_renamed = true;
	err = dir_sync(db->dir);
	/* Each of both is closed before the new one is opened by its name. */
	db_close(copy);
	keep_old(db);
	mdb_env_close(db->env);
	db->env = NULL;
	db->rest = (struct db_core_rest){0}; /* another map */
	return err == CDOP_OK ? db_core_error(db_core_open(db)) : err;
}
