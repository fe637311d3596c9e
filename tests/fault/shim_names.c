/*
 * Calls about names: of directories, and by path.  The recorder does not hear
 * of them; the vault makes none of these while it runs.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "tests/fault/shim_core.h"

typedef int mkdir_fn(const char *path, mode_t mode);

int
mkdir(const char *path, mode_t mode)
{
	NEXT(mkdir);

	return shim_path_fails(path, SHIM_WRITE, "mkdir") ? -1 : fn(path, mode);
}

typedef char *mkdtemp_fn(char *path);

char *
mkdtemp(char *path)
{
	NEXT(mkdtemp);

	return shim_path_fails(path, SHIM_WRITE, "mkdtemp") ? NULL : fn(path);
}

typedef int rmdir_fn(const char *path);

int
rmdir(const char *path)
{
	NEXT(rmdir);

	return shim_path_fails(path, SHIM_WRITE, "rmdir") ? -1 : fn(path);
}

typedef int unlinkat_fn(int dir, const char *path, int flags);

int
unlinkat(int dir, const char *path, int flags)
{
	NEXT(unlinkat);

	if (shim_file_fails(dir, SHIM_WRITE, "unlinkat"))
		return -1;
	return fn(dir, path, flags);
}

typedef int lchown_fn(const char *path, uid_t uid, gid_t gid);

int
lchown(const char *path, uid_t uid, gid_t gid)
{
	NEXT(lchown);

	if (shim_path_fails(path, SHIM_WRITE, "lchown"))
		return -1;
	return fn(path, uid, gid);
}

typedef int fchownat_fn(
    int dir, const char *path, uid_t uid, gid_t gid, int flags);

int
fchownat(int dir, const char *path, uid_t uid, gid_t gid, int flags)
{
	NEXT(fchownat);

	if (shim_file_fails(dir, SHIM_WRITE, "fchownat"))
		return -1;
	return fn(dir, path, uid, gid, flags);
}

typedef int stat_fn(const char *path, struct stat *ret);
typedef int lstat_fn(const char *path, struct stat *ret);

int
stat(const char *path, struct stat *ret)
{
	NEXT(stat);

	return shim_path_fails(path, SHIM_FILE, "stat") ? -1 : fn(path, ret);
}

int
lstat(const char *path, struct stat *ret)
{
	NEXT(lstat);

	return shim_path_fails(path, SHIM_FILE, "lstat") ? -1 : fn(path, ret);
}

typedef int statvfs_fn(const char *path, struct statvfs *ret);

int
statvfs(const char *path, struct statvfs *ret)
{
	NEXT(statvfs);

	return shim_path_fails(path, SHIM_FILE, "statvfs") ? -1 : fn(path, ret);
}

typedef int faccessat_fn(int dir, const char *path, int mode, int flags);

int
faccessat(int dir, const char *path, int mode, int flags)
{
	NEXT(faccessat);

	if (shim_path_fails(path, SHIM_FILE, "faccessat"))
		return -1;
	return fn(dir, path, mode, flags);
}

typedef char *realpath_fn(const char *path, char *ret);

char *
realpath(const char *path, char *ret)
{
	NEXT(realpath);

	if (shim_path_fails(path, SHIM_FILE, "realpath"))
		return NULL;
	return fn(path, ret);
}

typedef DIR *opendir_fn(const char *path);

DIR *
opendir(const char *path)
{
	NEXT(opendir);

	return shim_path_fails(path, SHIM_FILE, "opendir") ? NULL : fn(path);
}

typedef FILE *fopen_fn(const char *path, const char *mode);

FILE *
fopen(const char *path, const char *mode)
{
	NEXT(fopen);

	return shim_path_fails(path, SHIM_FILE, "fopen") ? NULL
							 : fn(path, mode);
}
