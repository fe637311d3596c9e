/*
 * The calls themselves, for the one program that includes this: they stand
 * before those of the C library, so that LMDB makes them too.
 */
#ifndef CDOP_TESTS_CUT_CALLS_H
#define CDOP_TESTS_CUT_CALLS_H

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/unit/server/cut.h"

typedef ssize_t pwrite_fn(int fd, const void *buf, size_t len, off_t at);
typedef ssize_t write_fn(int fd, const void *buf, size_t len);
typedef ssize_t writev_fn(int fd, const struct iovec *iov, int n);
typedef int open_fn(const char *path, int flags, ...);
typedef int renameat_fn(int a, const char *from, int b, const char *to);
typedef int rename_fn(const char *from, const char *to);
typedef int ftruncate_fn(int fd, off_t len);
typedef int path_fn(const char *path);
typedef int unlinkat_fn(int dir, const char *path, int flags);

/* Room is made with zeros in many writes, each like the one before. */
ssize_t
pwrite(int fd, const void *buf, size_t len, off_t at)
{
	pwrite_fn *fn;

	cut_next("pwrite", &fn);
	if (cut_is_more_room(buf, len))
		return fn(fd, buf, len, at);
	if (cut_tears(len))
		(void)!fn(fd, buf, len / 2, at);
	return cut_is() ? -1 : fn(fd, buf, len, at);
}

ssize_t
writev(int fd, const struct iovec *iov, int n)
{
	writev_fn *fn;
	write_fn *half;

	cut_next("writev", &fn);
	cut_next("write", &half);
	if (cut_tears(iov[0].iov_len))
		(void)!half(fd, iov[0].iov_base, iov[0].iov_len / 2);
	return cut_is() ? -1 : fn(fd, iov, n);
}

/* Nobody here pulls the plug: what was written is there for whoever comes. */
int
fdatasync(int fd)
{
	(void)fd;
	return cut_is() ? -1 : 0;
}

int
fsync(int fd)
{
	(void)fd;
	return cut_is() ? -1 : 0;
}

/* LMDB's way of syncing a meta page. */
int
open(const char *path, int flags, ...)
{
	open_fn *fn;
	va_list args;
	mode_t mode = 0;

	va_start(args, flags);
	if ((flags & O_CREAT) != 0)
		mode = va_arg(args, mode_t);
	va_end(args);
	cut_next("open", &fn);
	return fn(path, flags & ~O_DSYNC, mode);
}

int
renameat(int a, const char *from, int b, const char *to)
{
	renameat_fn *fn;

	cut_next("renameat", &fn);
	return cut_is() ? -1 : fn(a, from, b, to);
}

int
rename(const char *from, const char *to)
{
	rename_fn *fn;

	cut_next("rename", &fn);
	return cut_is() ? -1 : fn(from, to);
}

int
ftruncate(int fd, off_t len)
{
	ftruncate_fn *fn;

	cut_next("ftruncate", &fn);
	return cut_is() ? -1 : fn(fd, len);
}

int
unlink(const char *path)
{
	path_fn *fn;

	cut_next("unlink", &fn);
	return cut_is() ? -1 : fn(path);
}

int
unlinkat(int dir, const char *path, int flags)
{
	unlinkat_fn *fn;

	cut_next("unlinkat", &fn);
	return cut_is() ? -1 : fn(dir, path, flags);
}

#endif
