/*
 * Calls about files below the watched directories: failing, half done, the
 * last of a process; and, for the recorder, what they did.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/fault/shim_core.h"

#define FDS    1024
#define FILES  64
#define SECTOR 512

struct watched {
	bool is;
	bool recorded; /* below the first directory */
	bool is_dir;
	bool durable; /* O_DSYNC */
	unsigned file;
};

static struct watched fds[FDS];
static const char *dirs[2];

static shim_event_fn *record_fn;
static void *record_ctx;

/* Which file a name of the first directory leads to; 0: none. */
static struct {
	char name[32];
	unsigned file;
} names[FILES];

static unsigned n_files;

void
shim_next(const char *name, void *ret_fn)
{
	void *p = dlsym(RTLD_NEXT, name);

	memcpy(ret_fn, &p, sizeof(p));
}

void
shim_watch(const char *dir, const char *other)
{
	dirs[0] = dir;
	dirs[1] = other;
}

/* ---- which file it is --------------------------------------------------- */

static const struct watched *
watched(int fd)
{
	return fd >= 0 && fd < FDS && fds[fd].is ? &fds[fd] : NULL;
}

/* The part of a path behind a watched directory; NULL: another path. */
static const char *
below(const char *path, bool *ret_first)
{
	size_t i, len;

	for (i = 0; i < 2; i++) {
		len = dirs[i] == NULL ? 0 : strlen(dirs[i]);
		*ret_first = i == 0;
		if (len == 0 || strncmp(path, dirs[i], len) != 0)
			continue;
		if (path[len] == '\0')
			return "";
		if (path[len] == '/')
			return path + len + 1;
	}
	return NULL;
}

static unsigned *
file_of(const char *name)
{
	size_t i;

	for (i = 0; i < FILES; i++)
		if (strcmp(names[i].name, name) == 0)
			return &names[i].file;
	for (i = 0; i < FILES && names[i].name[0] != '\0'; i++)
		continue;
	if (i == FILES)
		abort();
	(void)snprintf(names[i].name, sizeof(names[i].name), "%s", name);
	return &names[i].file;
}

static void
say(const struct shim_event *event)
{
	if (record_fn != NULL)
		record_fn(record_ctx, event);
}

void
shim_entered(void)
{
	say(&(struct shim_event){.act = SHIM_ACT_SAID});
}

unsigned
shim_file(const char *name)
{
	unsigned *file = file_of(name);

	if (*file == 0)
		*file = ++n_files;
	return *file;
}

void
shim_record(shim_event_fn *fn, void *ctx)
{
	record_fn = fn;
	record_ctx = ctx;
}

static void
opened(int fd, const char *name, bool first, int flags)
{
	struct shim_event event = {.act = SHIM_ACT_MAKE};
	unsigned *file;

	if (fd < 0 || fd >= FDS)
		return;
	fds[fd] = (struct watched){.is = true, .recorded = first};
	fds[fd].durable = (flags & O_DSYNC) != 0;
	fds[fd].is_dir = *name == '\0';
	if (!first || fds[fd].is_dir || !shim_is_on())
		return;
	file = file_of(name);
	if (*file == 0) {
		*file = ++n_files;
		event.file = *file;
		(void)snprintf(event.name, sizeof(event.name), "%s", name);
		say(&event);
	}
	fds[fd].file = *file;
}

static void
acted(int fd, enum shim_act act, uint64_t at, const void *data, size_t len)
{
	const struct watched *w = watched(fd);
	struct shim_event event = {.act = act, .at = at, .len = len};

	if (w == NULL || !w->recorded || !shim_is_on())
		return;
	if (w->is_dir && act == SHIM_ACT_SYNC)
		event.act = SHIM_ACT_SYNC_DIR;
	event.file = w->file;
	event.durable = w->durable;
	event.data = (uint8_t *)(uintptr_t)data;
	say(&event);
}

/* ---- failing ------------------------------------------------------------ */

static bool
fails(enum shim_class which, const char *name)
{
	/* Each is counted in every class that it is of. */
	bool due = shim_due(SHIM_FILE, name);

	if (which != SHIM_FILE)
		due = shim_due(SHIM_WRITE, name) || due;
	if (!due)
		return false;
	if (shim_kind() == SHIM_KILL)
		shim_killed();
	errno = shim_kind() == SHIM_ENOSPC ? ENOSPC : EIO;
	return true;
}

bool
shim_file_fails(int fd, enum shim_class which, const char *name)
{
	return watched(fd) != NULL && fails(which, name);
}

bool
shim_path_fails(const char *path, enum shim_class which, const char *name)
{
	bool first;

	return below(path, &first) != NULL && fails(which, name);
}

typedef ssize_t pwrite_fn(int fd, const void *buf, size_t len, off_t at);

/* Only a part of the bytes gets there: true, and that is said. */
static bool
is_half(int fd, const char *name, const void *buf, size_t len, off_t at,
    ssize_t *ret_len)
{
	NEXT(pwrite);

	if (watched(fd) == NULL || !shim_due(SHIM_DATA, name))
		return false;
	len /= 2;
	if (shim_kind() == SHIM_TORN) {
		/* A sector is written or it is not. */
		(void)!fn(fd, buf, len / SECTOR * SECTOR, at);
		shim_killed();
	}
	*ret_len = fn(fd, buf, len, at);
	return true;
}

/* ---- the calls ---------------------------------------------------------- */

typedef int open_fn(const char *path, int flags, ...);
typedef int openat_fn(int dir, const char *path, int flags, ...);

/* Making one is a write. */
static enum shim_class
class_of_open(int flags)
{
	return (flags & O_CREAT) != 0 ? SHIM_WRITE : SHIM_FILE;
}

int
open(const char *path, int flags, ...)
{
	NEXT(open);
	bool first;
	const char *name = below(path, &first);
	mode_t mode = 0;
	va_list args;
	int fd;

	if ((flags & O_CREAT) != 0) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	if (name != NULL && fails(class_of_open(flags), "open"))
		return -1;
	fd = fn(path, flags, mode);
	if (name != NULL)
		opened(fd, name, first, flags);
	return fd;
}

int
openat(int dir, const char *path, int flags, ...)
{
	NEXT(openat);
	mode_t mode = 0;
	va_list args;
	int fd;

	if ((flags & O_CREAT) != 0) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	if (shim_file_fails(dir, class_of_open(flags), "openat"))
		return -1;
	fd = fn(dir, path, flags, mode);
	if (watched(dir) != NULL)
		opened(fd, path, watched(dir)->recorded, flags);
	return fd;
}

typedef int close_fn(int fd);

int
close(int fd)
{
	NEXT(close);

	if (fd >= 0 && fd < FDS)
		fds[fd].is = false;
	return fn(fd);
}

typedef int fcntl_fn(int fd, int cmd, ...);

int
fcntl(int fd, int cmd, ...)
{
	NEXT(fcntl);
	va_list args;
	void *arg;
	int rc;

	va_start(args, cmd);
	arg = va_arg(args, void *);
	va_end(args);
	if (cmd != F_SETFD && cmd != F_GETFL &&
	    shim_file_fails(fd, SHIM_FILE, "fcntl"))
		return -1;
	rc = fn(fd, cmd, arg);
	if (cmd == F_DUPFD_CLOEXEC && watched(fd) != NULL && rc >= 0 &&
	    rc < FDS)
		fds[rc] = fds[fd];
	return rc;
}

typedef int flock_fn(int fd, int how);

int
flock(int fd, int how)
{
	NEXT(flock);

	return shim_file_fails(fd, SHIM_FILE, "flock") ? -1 : fn(fd, how);
}

typedef ssize_t pread_fn(int fd, void *buf, size_t len, off_t at);

ssize_t
pread(int fd, void *buf, size_t len, off_t at)
{
	NEXT(pread);

	if (shim_file_fails(fd, SHIM_FILE, "pread"))
		return -1;
	return fn(fd, buf, len, at);
}

typedef ssize_t read_fn(int fd, void *buf, size_t len);

ssize_t
read(int fd, void *buf, size_t len)
{
	NEXT(read);

	if (shim_file_fails(fd, SHIM_FILE, "read"))
		return -1;
	return fn(fd, buf, len);
}

ssize_t
pwrite(int fd, const void *buf, size_t len, off_t at)
{
	NEXT(pwrite);
	ssize_t n;

	if (shim_file_fails(fd, SHIM_WRITE, "pwrite"))
		return -1;
	if (!is_half(fd, "pwrite", buf, len, at, &n))
		n = fn(fd, buf, len, at);
	if (n > 0)
		acted(fd, SHIM_ACT_WRITE, (uint64_t)at, buf, (size_t)n);
	return n;
}

typedef ssize_t write_fn(int fd, const void *buf, size_t len);

ssize_t
write(int fd, const void *buf, size_t len)
{
	NEXT(write);
	ssize_t n;
	off_t at;

	if (watched(fd) == NULL)
		return fn(fd, buf, len);
	if (fails(SHIM_WRITE, "write"))
		return -1;
	at = lseek(fd, 0, SEEK_CUR);
	if (!is_half(fd, "write", buf, len, at, &n))
		n = fn(fd, buf, len);
	else if (n > 0)
		(void)lseek(fd, n, SEEK_CUR);
	if (n > 0)
		acted(fd, SHIM_ACT_WRITE, (uint64_t)at, buf, (size_t)n);
	return n;
}

typedef ssize_t writev_fn(int fd, const struct iovec *iov, int n);

ssize_t
writev(int fd, const struct iovec *iov, int n)
{
	NEXT(writev);
	ssize_t done;
	off_t at;
	int i;

	if (watched(fd) == NULL)
		return fn(fd, iov, n);
	if (fails(SHIM_WRITE, "writev"))
		return -1;
	at = lseek(fd, 0, SEEK_CUR);
	if (is_half(fd, "writev", iov[0].iov_base, iov[0].iov_len, at, &done))
		return done;
	done = fn(fd, iov, n);
	for (i = 0; done > 0 && i < n; i++) {
		acted(fd, SHIM_ACT_WRITE, (uint64_t)at, iov[i].iov_base,
		    iov[i].iov_len);
		at += (off_t)iov[i].iov_len;
	}
	return done;
}

typedef int ftruncate_fn(int fd, off_t len);

int
ftruncate(int fd, off_t len)
{
	NEXT(ftruncate);
	int rc;

	if (shim_file_fails(fd, SHIM_WRITE, "ftruncate"))
		return -1;
	rc = fn(fd, len);
	if (rc == 0)
		acted(fd, SHIM_ACT_CUT, (uint64_t)len, NULL, 0);
	return rc;
}

typedef int fallocate_fn(int fd, int mode, off_t at, off_t len);

/* Of the lock file alone, which no image has. */
int
fallocate(int fd, int mode, off_t at, off_t len)
{
	NEXT(fallocate);

	if (shim_file_fails(fd, SHIM_WRITE, "fallocate"))
		return -1;
	return fn(fd, mode, at, len);
}

typedef int fsync_fn(int fd);
typedef int fdatasync_fn(int fd);

static int
synced(int fd, const char *name, fsync_fn *fn)
{
	if (shim_file_fails(fd, SHIM_WRITE, name) || fn(fd) != 0)
		return -1;
	acted(fd, SHIM_ACT_SYNC, 0, NULL, 0);
	return 0;
}

int
fsync(int fd)
{
	NEXT(fsync);

	return synced(fd, "fsync", fn);
}

int
fdatasync(int fd)
{
	NEXT(fdatasync);

	return synced(fd, "fdatasync", fn);
}

typedef int renameat_fn(int a, const char *from, int b, const char *to);

int
renameat(int a, const char *from, int b, const char *to)
{
	NEXT(renameat);
	struct shim_event event = {.act = SHIM_ACT_NAME};
	int rc;

	if (shim_file_fails(a, SHIM_WRITE, "renameat"))
		return -1;
	rc = fn(a, from, b, to);
	if (rc != 0 || watched(a) == NULL || !watched(a)->recorded)
		return rc;
	event.file = *file_of(from);
	(void)snprintf(event.name, sizeof(event.name), "%s", to);
	*file_of(to) = event.file;
	*file_of(from) = 0;
	say(&event);
	return rc;
}

typedef int unlink_fn(const char *path);

int
unlink(const char *path)
{
	NEXT(unlink);
	struct shim_event event = {.act = SHIM_ACT_GONE};
	bool first = false;
	const char *name = below(path, &first);
	int rc;

	if (name != NULL && fails(SHIM_WRITE, "unlink"))
		return -1;
	rc = fn(path);
	if (rc != 0 || name == NULL || !first || !shim_is_on())
		return rc;
	(void)snprintf(event.name, sizeof(event.name), "%s", name);
	*file_of(name) = 0;
	say(&event);
	return rc;
}

typedef int fstatvfs_fn(int fd, struct statvfs *ret);

int
fstatvfs(int fd, struct statvfs *ret)
{
	NEXT(fstatvfs);

	return shim_file_fails(fd, SHIM_FILE, "fstatvfs") ? -1 : fn(fd, ret);
}

typedef int fstat_fn(int fd, struct stat *ret);

int
fstat(int fd, struct stat *ret)
{
	NEXT(fstat);

	return shim_file_fails(fd, SHIM_FILE, "fstat") ? -1 : fn(fd, ret);
}
