/* Room that is kept by taking it; see reserve.h. */
#include "server/store/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "server/store/dir.h"
#include "server/store/zeros.h"

struct reserve {
	int fd;
	uint64_t have;
	uint64_t want;
};

/* Cuts it to len bytes; the file system has the rest when this returns. */
static enum cdop_err
cut(struct reserve *reserve, uint64_t len)
{
	if (ftruncate(reserve->fd, (off_t)len) != 0 || fsync(reserve->fd) != 0)
		return CDOP_DATA_LOSS;
	reserve->have = len;
	return CDOP_OK;
}

static enum cdop_err
open_file(struct reserve *reserve, const char *dir)
{
	char path[PATH_MAX];
	struct stat st;
	int n;

	n = snprintf(path, sizeof(path), "%s/reserve", dir);
	if (n < 0 || (size_t)n >= sizeof(path))
		return CDOP_INVALID_ARGUMENT;
	reserve->fd =
	    open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (reserve->fd == -1 || fstat(reserve->fd, &st) != 0)
		return dir_error(errno);
	/* What is no whole step was cut off in the midst of one. */
	reserve->have = (uint64_t)st.st_size / RESERVE_STEP * RESERVE_STEP;
	if (reserve->have > reserve->want)
		reserve->have = reserve->want;
	return reserve->have == (uint64_t)st.st_size
	    ? CDOP_OK
	    : cut(reserve, reserve->have);
}

enum cdop_err
reserve_open(const char *dir, uint64_t want, struct reserve **ret_reserve)
{
	struct reserve *reserve;
	enum cdop_err err;

	CDOP_ASSERT(want % RESERVE_STEP == 0);
	reserve = calloc(1, sizeof(*reserve));
	if (reserve == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	reserve->fd = -1;
	reserve->want = want;
	if ((err = open_file(reserve, dir)) != CDOP_OK) {
		reserve_close(reserve);
		return err;
	}
	*ret_reserve = reserve;
	return CDOP_OK;
}

void
reserve_close(struct reserve *reserve)
{
	if (reserve == NULL)
		return;
	if (reserve->fd != -1)
		(void)close(reserve->fd);
	free(reserve);
}

uint64_t
reserve_have(const struct reserve *reserve)
{
	return reserve == NULL ? 0 : reserve->have;
}

uint64_t
reserve_want(const struct reserve *reserve)
{
	return reserve == NULL ? 0 : reserve->want;
}

/* Left on the file system; 0 where it does not say. */
static uint64_t
left(const struct reserve *reserve)
{
	struct statvfs fs;

	if (fstatvfs(reserve->fd, &fs) != 0)
		return 0;
	return (uint64_t)fs.f_bavail * fs.f_frsize;
}

bool
reserve_is_owed(const struct reserve *reserve, uint64_t keep)
{
	return reserve != NULL && reserve->have < reserve->want &&
	    left(reserve) < keep;
}

enum cdop_err
reserve_give(struct reserve *reserve, size_t len)
{
	uint64_t steps = (len + RESERVE_STEP - 1) / RESERVE_STEP;

	if (reserve == NULL || steps * RESERVE_STEP > reserve->have)
		return CDOP_RESOURCE_EXHAUSTED;
	return cut(reserve, reserve->have - steps * RESERVE_STEP);
}

enum cdop_err
reserve_fill(struct reserve *reserve, uint64_t keep)
{
	enum cdop_err err;

	if (reserve == NULL || reserve->have >= reserve->want)
		return CDOP_OK;
	if (left(reserve) < keep + RESERVE_STEP)
		return CDOP_RESOURCE_EXHAUSTED;
	err = zeros_write(reserve->fd, (off_t)reserve->have, RESERVE_STEP);
	if (err == CDOP_OK)
		reserve->have += RESERVE_STEP;
	else if (cut(reserve, reserve->have) != CDOP_OK)
		return CDOP_DATA_LOSS;
	return err;
}

enum cdop_err
reserve_extend(
    struct reserve *reserve, int fd, size_t size, size_t end, bool last)
{
	size_t len = (end - size + RESERVE_STEP - 1) / RESERVE_STEP;
	enum cdop_err err;

	len *= RESERVE_STEP;
	err = zeros_write(fd, (off_t)size, len);
	/* Somebody else may be quicker: then it gives once more. */
	while (last && err == CDOP_RESOURCE_EXHAUSTED &&
	    (err = reserve_give(reserve, len)) == CDOP_OK)
		err = zeros_write(fd, (off_t)size, len);
	return err == CDOP_FAILED_PRECONDITION ? CDOP_RESOURCE_EXHAUSTED : err;
}
