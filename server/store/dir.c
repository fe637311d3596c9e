/* Modes, the lock, and whether the database is there. */
#include "server/store/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/store/pages.h"

enum cdop_err
dir_error(int code)
{
	switch (code) {
	case ENOENT:
	case ENOTDIR:
		return CDOP_NOT_FOUND;
	case EACCES:
	case EPERM:
	case EROFS:
	case ELOOP:
		return CDOP_PERMISSION_DENIED;
	case ENAMETOOLONG:
		return CDOP_INVALID_ARGUMENT;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
	case ENOMEM:
	case EMFILE:
	case ENFILE:
		return CDOP_RESOURCE_EXHAUSTED;
	default:
		return CDOP_DATA_LOSS;
	}
}

enum cdop_err
dir_ready(const char *dir, bool create)
{
	struct stat st;

	if (create && mkdir(dir, 0700) != 0 && errno != EEXIST)
		return dir_error(errno);
	if (stat(dir, &st) != 0)
		return dir_error(errno);
	if (!S_ISDIR(st.st_mode))
		return CDOP_NOT_FOUND;
	return (st.st_mode & 077) == 0 ? CDOP_OK : CDOP_PERMISSION_DENIED;
}

static enum cdop_err
path_of(const char *dir, const char *name, char path[static PATH_MAX])
{
	int n;

	n = snprintf(path, PATH_MAX, "%s/%s", dir, name);
	return n < 0 || n >= PATH_MAX ? CDOP_INVALID_ARGUMENT : CDOP_OK;
}

enum cdop_err
dir_lock(const char *dir, int *ret_fd)
{
	enum cdop_err err;
	int fd;

	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return dir_error(errno);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		err = errno == EWOULDBLOCK ? CDOP_FAILED_PRECONDITION
					   : dir_error(errno);
		(void)close(fd);
		return err;
	}
	*ret_fd = fd;
	return CDOP_OK;
}

enum cdop_err
dir_file(const char *dir, bool create)
{
	bool is_marked = dir_is_marked(dir);
	char path[PATH_MAX];
	enum cdop_err err;

	if ((err = path_of(dir, "data.mdb", path)) != CDOP_OK)
		return err;
	err = pages_roots(path, is_marked);
	if (create && err == CDOP_NOT_FOUND)
		return CDOP_OK;
	if (err == CDOP_RESOURCE_EXHAUSTED) /* it was not looked at */
		return err;
	return create ? CDOP_ALREADY_EXISTS : err;
}

static enum cdop_err
give(int dir, int in, const char *name)
{
	struct stat to, st;
	bool good;
	int fd;

	if (fstat(dir, &to) != 0)
		return CDOP_PERMISSION_DENIED;
	if (to.st_uid == geteuid())
		return CDOP_OK;
	fd = openat(in, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd == -1)
		return errno == ENOENT ? CDOP_OK : CDOP_PERMISSION_DENIED;
	good = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
	    (st.st_uid == geteuid() || st.st_uid == to.st_uid) &&
	    fchown(fd, to.st_uid, to.st_gid) == 0;
	(void)close(fd);
	return good ? CDOP_OK : CDOP_PERMISSION_DENIED;
}

enum cdop_err
dir_give(const char *dir, int in, const char *name)
{
	enum cdop_err err;
	int fd;

	if (geteuid() != 0)
		return CDOP_OK;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return CDOP_PERMISSION_DENIED;
	err = give(fd, in == -1 ? fd : in, name);
	(void)close(fd);
	return err;
}

enum cdop_err
dir_tidy(const char *dir, bool *ret_removed)
{
	char path[PATH_MAX];
	enum cdop_err err;

	if ((err = path_of(dir, "copy.mdb", path)) != CDOP_OK)
		return err;
	if (unlink(path) != 0)
		return errno == ENOENT ? CDOP_OK : dir_error(errno);
	*ret_removed = true;
	return CDOP_OK;
}

static const char mark[] = "commit-failed";

void
dir_mark(const char *dir)
{
	char path[PATH_MAX];
	int fd;

	if (path_of(dir, mark, path) != CDOP_OK)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		return;
	(void)close(fd);
	if (dir_sync(dir) != CDOP_OK)
		(void)unlink(path);
}

void
dir_unmark(const char *dir)
{
	char path[PATH_MAX];

	if (path_of(dir, mark, path) == CDOP_OK)
		(void)unlink(path);
}

bool
dir_is_marked(const char *dir)
{
	char path[PATH_MAX];
	struct stat st;

	return path_of(dir, mark, path) == CDOP_OK && lstat(path, &st) == 0;
}

enum cdop_err
dir_sync(const char *dir)
{
	int fd, rc;

	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return dir_error(errno);
	rc = fsync(fd);
	(void)close(fd);
	return rc == 0 ? CDOP_OK : CDOP_DATA_LOSS;
}
