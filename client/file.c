/* Private files, replaced whole. */
#include "client/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_LEN  4096
#define NAMES_MAX 10000
#define TREE_DEEP 8

static enum cdop_err
read_fd(int fd, size_t max, struct cdop_arena *arena, struct cdop_bytes *ret)
{
	size_t cap = 65536, len = 0;
	uint8_t *data, *more;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
		cap = (size_t)st.st_size + 1;
	if (cap > max + 1)
		cap = max + 1;
	if ((data = cdop_arena_alloc(arena, cap + 1)) == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (;;) {
		if (len == cap) {
			if (cap > max) {
				errno = EFBIG;
				return CDOP_RESOURCE_EXHAUSTED;
			}
			cap = cap * 2 > max + 1 ? max + 1 : cap * 2;
			more = cdop_arena_alloc(arena, cap + 1);
			if (more == NULL)
				return CDOP_RESOURCE_EXHAUSTED;
			memcpy(more, data, len);
			data = more;
		}
		n = read(fd, data + len, cap - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return CDOP_UNAVAILABLE;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	if (len > max) {
		errno = EFBIG;
		return CDOP_RESOURCE_EXHAUSTED;
	}
	data[len] = '\0';
	ret->data = data;
	ret->len = len;
	return CDOP_OK;
}

/* /dev/fd/63, of a shell, or a device: not what others put into /dev/shm. */
static bool
is_of_system(const char *path)
{
	return strncmp(path, "/dev/", 5) == 0 &&
	    (strncmp(path + 5, "fd/", 3) == 0 || strchr(path + 5, '/') == NULL);
}

/*
 * Nobody waits for a writer who does not come: a pipe that lies where a file
 * is named is refused, but one of this process.
 */
int
file_open(const char *path)
{
	const bool is_own = is_of_system(path);
	struct stat st;
	int fd, why;

	fd = open(
	    path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (is_own ? 0 : O_NONBLOCK));
	if (fd < 0 || is_own)
		return fd;
	why = fstat(fd, &st) != 0 ? errno
	    : S_ISDIR(st.st_mode) ? EISDIR
	    : S_ISREG(st.st_mode) ? 0
				  : ENOTSUP;
	if (why == 0)
		return fd;
	(void)close(fd);
	errno = why;
	return -1;
}

enum cdop_err
file_read(const char *path, size_t max, struct cdop_arena *arena,
    struct cdop_bytes *ret_bytes)
{
	enum cdop_err err;
	int fd, why;

	if (strcmp(path, "-") == 0)
		return read_fd(STDIN_FILENO, max, arena, ret_bytes);
	fd = file_open(path);
	if (fd < 0)
		return errno == ENOENT ? CDOP_NOT_FOUND : CDOP_UNAVAILABLE;
	err = read_fd(fd, max, arena, ret_bytes);
	why = errno;
	(void)close(fd);
	errno = why;
	return err;
}

static enum cdop_err
sync_dir_of(const char *path)
{
	char dir[PATH_LEN];
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - path);
	int fd, rc;

	if (len + 1 >= sizeof(dir))
		return CDOP_UNAVAILABLE;
	memcpy(dir, path, len);
	if (len == 0)
		dir[len++] = slash == NULL ? '.' : '/';
	dir[len] = '\0';
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return CDOP_UNAVAILABLE;
	rc = fsync(fd);
	(void)close(fd);
	return rc == 0 ? CDOP_OK : CDOP_UNAVAILABLE;
}

static enum cdop_err
put_parts(int fd, const struct cdop_bytes *part, size_t n)
{
	size_t i, pos;
	ssize_t wrote;

	for (i = 0; i < n; i++) {
		for (pos = 0; pos < part[i].len; pos += (size_t)wrote) {
			wrote =
			    write(fd, part[i].data + pos, part[i].len - pos);
			if (wrote < 0 && errno == EINTR)
				wrote = 0;
			if (wrote < 0)
				return CDOP_UNAVAILABLE;
		}
	}
	return CDOP_OK;
}

static enum cdop_err
write_parts(int fd, const struct cdop_bytes *part, size_t n)
{
	enum cdop_err err = put_parts(fd, part, n);

	if (err != CDOP_OK)
		return err;
	return fsync(fd) == 0 ? CDOP_OK : CDOP_UNAVAILABLE;
}

enum cdop_err
file_begin(const char *path, struct file_new *ret_new)
{
	int fd;

	fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return errno == EEXIST ? CDOP_ALREADY_EXISTS : CDOP_UNAVAILABLE;
	*ret_new = (struct file_new){.path = path, .fd = fd};
	return CDOP_OK;
}

void
file_give_up(struct file_new *new)
{
	if (new->path == NULL)
		return;
	(void)close(new->fd);
	(void)unlink(new->path);
	new->path = NULL;
}

/* Not yet its name in the folder. */
static enum cdop_err
fill_new(struct file_new *new, const struct cdop_bytes *part, size_t n)
{
	enum cdop_err err = write_parts(new->fd, part, n);

	if (close(new->fd) != 0 && err == CDOP_OK)
		err = CDOP_UNAVAILABLE;
	if (err != CDOP_OK)
		(void)unlink(new->path);
	new->path = NULL;
	return err;
}

enum cdop_err
file_finish(struct file_new *new, const struct cdop_bytes *part, size_t n)
{
	const char *path = new->path;
	enum cdop_err err;

	if ((err = fill_new(new, part, n)) != CDOP_OK)
		return err;
	return sync_dir_of(path);
}

static enum cdop_err
write_new(const char *path, const struct cdop_bytes *part, size_t n)
{
	struct file_new new;
	enum cdop_err err;

	if ((err = file_begin(path, &new)) != CDOP_OK)
		return err;
	return fill_new(&new, part, n);
}

enum cdop_err
file_replace(const char *path, const struct cdop_bytes *part, size_t n)
{
	char temp[PATH_LEN];
	enum cdop_err err;
	int len;

	len = snprintf(temp, sizeof(temp), "%s.%ld.new", path, (long)getpid());
	if (len < 0 || (size_t)len >= sizeof(temp))
		return CDOP_UNAVAILABLE;
	(void)unlink(temp); /* of a process that died with our number */
	if ((err = write_new(temp, part, n)) != CDOP_OK)
		return err;
	if (rename(temp, path) != 0) {
		(void)unlink(temp);
		return CDOP_UNAVAILABLE;
	}
	return sync_dir_of(path);
}

enum cdop_err
file_create(const char *path, const struct cdop_bytes *part, size_t n)
{
	enum cdop_err err;

	if ((err = write_new(path, part, n)) != CDOP_OK)
		return err;
	return sync_dir_of(path);
}

enum cdop_err
file_put(const char *path, const struct cdop_bytes *part, size_t n)
{
	enum cdop_err err;
	int fd;

	fd = open(
	    path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return CDOP_UNAVAILABLE;
	err = put_parts(fd, part, n);
	return close(fd) == 0 ? err : CDOP_UNAVAILABLE;
}

enum cdop_err
file_remove(const char *path)
{
	if (unlink(path) != 0)
		return errno == ENOENT ? CDOP_OK : CDOP_UNAVAILABLE;
	return sync_dir_of(path);
}

/* Files first; a folder that is entered is emptied before it goes. */
static bool
empty(int parent, const char *name, unsigned depth)
{
	const struct dirent *d;
	bool good = depth > 0;
	DIR *dir;
	int fd;

	fd = openat(
	    parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT;
	if ((dir = fdopendir(fd)) == NULL) {
		(void)close(fd);
		return false;
	}
	while (good && (d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, d->d_name, 0) == 0)
			continue;
		good = errno == EISDIR && empty(fd, d->d_name, depth - 1) &&
		    unlinkat(fd, d->d_name, AT_REMOVEDIR) == 0;
	}
	(void)closedir(dir);
	return good;
}

enum cdop_err
file_remove_tree(const char *path)
{
	if (!empty(AT_FDCWD, path, TREE_DEEP))
		return CDOP_UNAVAILABLE;
	if (rmdir(path) != 0)
		return errno == ENOENT ? CDOP_OK : CDOP_UNAVAILABLE;
	return sync_dir_of(path);
}

enum cdop_err
file_move(const char *from, const char *to)
{
	if (rename(from, to) != 0)
		return CDOP_UNAVAILABLE;
	return sync_dir_of(to) == CDOP_OK ? sync_dir_of(from)
					  : CDOP_UNAVAILABLE;
}

time_t
file_time(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_mtime : 0;
}

enum cdop_err
file_make_dir(const char *path)
{
	char dir[PATH_LEN];
	size_t i, len = strlen(path);

	if (len == 0 || len >= sizeof(dir))
		return CDOP_UNAVAILABLE;
	memcpy(dir, path, len + 1);
	for (i = 1; i <= len; i++) {
		if (dir[i] != '/' && dir[i] != '\0')
			continue;
		dir[i] = '\0';
		if (mkdir(dir, 0700) != 0 && errno != EEXIST)
			return CDOP_UNAVAILABLE;
		dir[i] = i == len ? '\0' : '/';
	}
	return CDOP_OK;
}

bool
file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

bool
file_is_open_to_others(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && (st.st_mode & 077) != 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool
ends_with(const char *name, const char *suffix)
{
	size_t n = strlen(name), s = strlen(suffix);

	return name[0] != '.' && n >= s && strcmp(name + n - s, suffix) == 0;
}

enum cdop_err
file_list(const char *path, const char *suffix, struct cdop_arena *arena,
    const char ***ret_names, size_t *ret_n)
{
	const char **names;
	struct dirent *d;
	size_t n = 0;
	DIR *dir;

	names = cdop_arena_calloc(arena, NAMES_MAX, sizeof(*names));
	if (names == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	dir = opendir(path);
	if (dir == NULL && errno != ENOENT)
		return CDOP_UNAVAILABLE;
	while (dir != NULL && n < NAMES_MAX && (d = readdir(dir)) != NULL)
		if (ends_with(d->d_name, suffix))
			names[n++] = cdop_arena_strdup(arena, d->d_name);
	if (dir != NULL)
		(void)closedir(dir);
	qsort(names, n, sizeof(*names), by_name);
	*ret_names = names;
	*ret_n = n;
	return CDOP_OK;
}
