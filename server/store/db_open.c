/* Opening and closing, and room: flags and the lock are here. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/store/db_core.h"
#include "server/store/dir.h"
#include "server/store/files.h"
#include "server/store/reserve.h"

/* ---- Opening ---- */

int
db_core_table(MDB_env *env, MDB_dbi *ret_dbi)
{
	unsigned int flags;
	MDB_txn *txn;
	int rc;

	rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
	if (rc != 0)
		return rc;
	flags = 0;
	rc = mdb_dbi_open(txn, NULL, 0, ret_dbi);
	if (rc == 0)
		rc = mdb_dbi_flags(txn, *ret_dbi, &flags);
	if (rc == 0 && flags != 0)
		rc = MDB_INCOMPATIBLE;
	if (rc != 0)
		mdb_txn_abort(txn);
	else
		rc = mdb_txn_commit(txn);
	return rc;
}

/* Is it root that writes into somebody else's directory? */
static bool
is_others(const struct db *db, struct stat *ret_dir)
{
	return geteuid() == 0 && !db->read_only && db->lock_fd != -1 &&
	    fstat(db->lock_fd, ret_dir) == 0 && ret_dir->st_uid != 0;
}

/*
 * LMDB maps its lock file, and on a full disk whoever writes to a page of it
 * that is not there gets a signal and no error: the pages are made before.
 * Where the file system cannot, it is as it was.
 */
static int
make_lock(int dir)
{
	int fd, rc;

	fd = openat(
	    dir, "lock.mdb", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		return errno;
	do
		rc = fallocate(fd, 0, 0, DB_CORE_LOCK) == 0 ? 0 : errno;
	while (rc == EINTR);
	(void)close(fd);
	return rc == EOPNOTSUPP ? 0 : rc;
}

static int
open_files(const struct db *db, const char *dir, unsigned int flags)
{
	int rc = db->read_only ? 0 : make_lock(db->lock_fd);

	return rc != 0 ? rc : mdb_env_open(db->env, dir, flags, 0600);
}

/*
 * "." and no path: "/" itself may be closed to him.  Root's groups lead
 * further than he can go, too.
 */
static int
open_as(const struct stat *owner, const struct db *db, unsigned int flags)
{
	static gid_t groups[NGROUPS_MAX];
	gid_t group = getegid();
	int n = getgroups(NGROUPS_MAX, groups), rc;

	if (n == -1 || fchdir(db->lock_fd) != 0 || setgroups(0, NULL) != 0)
		return errno;
	if (setegid(owner->st_gid) != 0 || seteuid(owner->st_uid) != 0)
		rc = errno;
	else
		rc = open_files(db, ".", flags);
	if (seteuid(0) != 0 || setegid(group) != 0 ||
	    setgroups((size_t)n, groups) != 0)
		return errno;
	return rc;
}

/*
 * LMDB follows links, also one that was laid since we looked.  So root does it
 * as the directory's owner, whom it leads nowhere that he could not go by
 * himself; it may lie where he cannot come.
 */
static int
open_env(const struct db *db, unsigned int flags)
{
	struct stat dir;
	int here, rc;

	if (!is_others(db, &dir))
		return open_files(db, db->dir, flags);
	here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (here == -1)
		return errno;
	rc = open_as(&dir, db, flags);
	if (fchdir(here) != 0)
		rc = errno;
	(void)close(here);
	return rc;
}

int
db_core_open(struct db *db)
{
	unsigned int flags;
	MDB_env *env;
	int rc;

	db->reaches = 0; /* not known of this file */
	/* Never WRITEMAP, NOSYNC, MAPASYNC or NOMEMINIT. */
	flags = MDB_NOTLS;
	if (db->read_only)
		flags |= MDB_RDONLY | MDB_NOLOCK;
	rc = mdb_env_create(&env);
	if (rc != 0)
		return rc;
	db->env = env; /* closed with db, opened or not */
	rc = mdb_env_set_mapsize(env, (size_t)db->map_bytes);
	if (rc == 0)
		rc = open_env(db, flags);
	if (rc == 0)
		rc = db_core_table(env, &db->dbi);
	return rc;
}

/* A disk that is full already is no reason not to start. */
static enum cdop_err
open_reserve(struct db *db, const struct db_args *args)
{
	enum cdop_err err;

	if (args->reserve_bytes == 0)
		return CDOP_OK;
	err = reserve_open(args->dir, args->reserve_bytes, &db->reserve);
	return err == CDOP_RESOURCE_EXHAUSTED ? CDOP_OK : err;
}

/* A link or a directory is never opened, by LMDB neither: who asks looks. */
static enum cdop_err
only_files(const char *dir)
{
	struct files_found found;

	return files_data(dir, &found) == FILES_WRONG ? CDOP_PERMISSION_DENIED
						      : CDOP_OK;
}

enum cdop_err
db_open(const struct db_args *args, struct db **ret_db)
{
	enum cdop_err err;
	struct db *db;

	if ((err = dir_ready(args->dir, args->create)) != CDOP_OK)
		return err;
	db = calloc(1, sizeof(*db));
	if (db == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	db->lock_fd = -1;
	db->old_fd = -1;
	db->read_only = args->read_only;
	db->map_bytes = args->map_bytes == 0 ? DB_MAP_DEFAULT : args->map_bytes;
	db->dir = strdup(args->dir);
	if (db->dir == NULL) {
		err = CDOP_RESOURCE_EXHAUSTED;
		goto out;
	}
	db->marked = dir_is_marked(db->dir);
	if ((err = dir_lock(args->dir, &db->lock_fd)) != CDOP_OK)
		goto out;
	if ((err = only_files(args->dir)) != CDOP_OK)
		goto out;
	if (!args->read_only &&
	    (err = dir_tidy(args->dir, &db->left_over)) != CDOP_OK)
		goto out;
	if ((err = dir_file(args->dir, args->create)) != CDOP_OK)
		goto out;
	if ((err = db_core_error(db_core_open(db))) != CDOP_OK)
		goto out;
	if ((err = open_reserve(db, args)) != CDOP_OK)
		goto out;
	if (args->create && (err = dir_sync(args->dir)) != CDOP_OK)
		goto out;
	*ret_db = db;
	db = NULL; /* caller's */
out:
	db_close(db);
	return err;
}

void
db_close(struct db *db)
{
	if (db == NULL)
		return;
	CDOP_ASSERT(!db->in_txn);
	if (db->env != NULL)
		mdb_env_close(db->env);
	reserve_close(db->reserve);
	if (db->old_fd != -1)
		(void)close(db->old_fd);
	if (db->lock_fd != -1)
		(void)close(db->lock_fd);
	free(db->dir);
	free(db);
}

bool
db_left_over(const struct db *db)
{
	return db->left_over;
}

/* ---- Room ---- */

/*
 * What was taken from the reserve is the log's: to others there is no room
 * before it can be filled up again.
 */
static size_t
pages_kept(const struct db *db, size_t page, bool last)
{
	if (last)
		return 0;
	if (reserve_is_owed(db->reserve, DB_CORE_KEEP))
		return SIZE_MAX / 2;
	return (size_t)reserve_want(db->reserve) / page;
}

/*
 * The file reaches to `end`.  It is looked at only where it may have to grow:
 * to be asked for its times makes the system write them with every commit
 * (adr/0030).
 */
static enum cdop_err
reach(struct db *db, size_t end, bool last)
{
	struct stat st;
	enum cdop_err err = CDOP_OK;
	int fd;

	if (end <= db->reaches)
		return CDOP_OK;
	if (mdb_env_get_fd(db->env, &fd) != 0 || fstat(fd, &st) != 0)
		return CDOP_DATA_LOSS;
	db->reaches = (size_t)st.st_size;
	if (end > db->reaches)
		err = reserve_extend(
		    db->reserve, fd, (size_t)st.st_size, end, last);
	if (err == CDOP_OK && end > db->reaches)
		db->reaches = end;
	return err;
}

static enum cdop_err
room(struct db *db, size_t pages, bool last)
{
	MDB_envinfo info;
	MDB_stat stat;

	CDOP_ASSERT(!db->in_txn);
	if (mdb_env_info(db->env, &info) != 0 ||
	    mdb_env_stat(db->env, &stat) != 0)
		return CDOP_DATA_LOSS;
	pages += info.me_last_pgno + 1;
	if (pages + pages_kept(db, stat.ms_psize, last) >
	    info.me_mapsize / stat.ms_psize)
		return CDOP_RESOURCE_EXHAUSTED;
	return reach(db, pages * stat.ms_psize, last);
}

enum cdop_err
db_room(struct db *db, size_t pages)
{
	return room(db, pages, false);
}

enum cdop_err
db_room_last(struct db *db, size_t pages)
{
	return room(db, pages, true);
}

enum cdop_err
db_reserve_fill(struct db *db)
{
	CDOP_ASSERT(!db->in_txn);
	return reserve_fill(db->reserve, DB_CORE_KEEP);
}

void
db_reserve_give(struct db *db)
{
	(void)!reserve_give(db->reserve, RESERVE_STEP);
}

void
db_reserve(const struct db *db, uint64_t *ret_have, uint64_t *ret_want)
{
	*ret_have = reserve_have(db->reserve);
	*ret_want = reserve_want(db->reserve);
}

void
db_usage(struct db *db, uint64_t *ret_used, uint64_t *ret_map)
{
	MDB_envinfo info;
	MDB_stat stat;

	*ret_used = 0;
	*ret_map = 0;
	if (mdb_env_info(db->env, &info) != 0 ||
	    mdb_env_stat(db->env, &stat) != 0)
		return;
	*ret_used = (uint64_t)(info.me_last_pgno + 1) * stat.ms_psize;
	*ret_map = info.me_mapsize;
}
