/* The anchor file, replaced by a rename; see anchor.h. */
#include "server/store/anchor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "server/store/dir.h"

/*
 * The directory; -1: *ret_err says why.  Others may write there: a pipe in a
 * file's place is not waited for.
 */
static int
open_dir(const char *dir, enum cdop_err *ret_err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		*ret_err = dir_error(errno);
	return fd;
}

static enum cdop_err
read_all(int fd, uint8_t *room, size_t max, size_t *ret_len)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, room + len, max - len);
		if (n > 0)
			len += (size_t)n;
	} while ((n > 0 && len < max) || (n < 0 && errno == EINTR));
	if (n < 0 || len == max)
		return CDOP_DATA_LOSS;
	*ret_len = len;
	return CDOP_OK;
}

enum cdop_err
anchor_read(const char *dir, uint8_t *room, size_t max, size_t *ret_len)
{
	enum cdop_err err = CDOP_OK;
	int at, fd;

	/* A directory that is not there is no anchor that is not there. */
	if ((at = open_dir(dir, &err)) < 0)
		return CDOP_DATA_LOSS;
	fd = openat(
	    at, "anchor", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		err = errno == ENOENT ? CDOP_NOT_FOUND : CDOP_DATA_LOSS;
	(void)close(at);
	if (err != CDOP_OK)
		return err;
	err = read_all(fd, room, max, ret_len);
	(void)close(fd);
	return err;
}

static enum cdop_err
write_all(int fd, struct cdop_bytes bytes)
{
	size_t done = 0;
	ssize_t n;

	while (done < bytes.len) {
		n = write(fd, bytes.data + done, bytes.len - done);
		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			return dir_error(errno);
	}
	return fsync(fd) == 0 ? CDOP_OK : dir_error(errno);
}

static enum cdop_err
replace(int at, struct cdop_bytes bytes)
{
	enum cdop_err err;
	int fd;

	fd = openat(at, "anchor.new",
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
	    0600);
	if (fd < 0)
		return dir_error(errno);
	err = write_all(fd, bytes);
	if (close(fd) != 0 && err == CDOP_OK)
		err = dir_error(errno);
	if (err != CDOP_OK)
		return err;
	if (renameat(at, "anchor.new", at, "anchor") != 0 || fsync(at) != 0)
		return dir_error(errno);
	return CDOP_OK;
}

enum cdop_err
anchor_write(const char *dir, struct cdop_bytes bytes)
{
	enum cdop_err err = CDOP_OK;
	int at;

	if ((at = open_dir(dir, &err)) < 0)
		return err;
	err = replace(at, bytes);
	(void)close(at);
	return err;
}
