/* Room on the disk; see zeros.h. */
#include "server/store/zeros.h"

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

static enum cdop_err
map_errno(int code)
{
	switch (code) {
	case ENOSPC:
	case EDQUOT:
	case ENOMEM:
		return CDOP_RESOURCE_EXHAUSTED;
	case EFBIG:
		return CDOP_FAILED_PRECONDITION;
	case EACCES:
	case EPERM:
	case EROFS:
		return CDOP_PERMISSION_DENIED;
	default:
		return CDOP_DATA_LOSS;
	}
}

enum cdop_err
zeros_write(int fd, off_t at, size_t len)
{
	static const uint8_t zeros[1 << 16];
	size_t n, done;
	ssize_t rc;

	for (done = 0; done < len; done += (size_t)rc) {
		n = len - done < sizeof(zeros) ? len - done : sizeof(zeros);
		do
			rc = pwrite(fd, zeros, n, at + (off_t)done);
		while (rc == -1 && errno == EINTR);
		if (rc == 0)
			return CDOP_RESOURCE_EXHAUSTED;
		if (rc == -1)
			return map_errno(errno);
	}
	return fdatasync(fd) == 0 ? CDOP_OK : map_errno(errno);
}
