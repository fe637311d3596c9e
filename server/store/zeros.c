/* Room on the disk; see zeros.h. */
#include "server/store/zeros.h"

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include "server/store/dir.h"

/* Of a file, too large is not full: no room that is made changes it. */
static enum cdop_err
write_error(void)
{
	return errno == EFBIG ? CDOP_FAILED_PRECONDITION : dir_error(errno);
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
			return write_error();
	}
	return fdatasync(fd) == 0 ? CDOP_OK : write_error();
}
