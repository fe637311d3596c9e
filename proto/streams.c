/* Descriptors 0 to 2 are nobody else's. */
#include "cdop/streams.h"

#include <fcntl.h>
#include <unistd.h>

enum cdop_err
cdop_streams_hold(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* The lowest is free.  Open the wrong way round it fails. */
		if (open("/dev/null",
			fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return CDOP_UNAVAILABLE;
	}
	return CDOP_OK;
}
