/* Streams and signals as they are by themselves. */
#include "cdop/inherited.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

static enum cdop_err
hold_streams(void)
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

enum cdop_err
cdop_inherited_settle(void)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)umask(umask(077) & 077);
	return hold_streams();
}
