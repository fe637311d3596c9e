/* flock(2) on a file that is there for nothing else. */
#include "client/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "client/conn.h"
#include "client/print.h"
#include "client/term.h"

#define PAUSE_NS 50000000
#define SAY_MS   1000

enum attempt {
	TAKEN,
	BUSY,
	FAILED,
};

/* The file may have been taken away between open and lock: once more. */
static enum attempt
attempt(const char *path, int *ret_fd)
{
	struct stat held, there;
	int fd;

	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return FAILED;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		(void)close(fd);
		return errno == EWOULDBLOCK || errno == EINTR ? BUSY : FAILED;
	}
	if (fstat(fd, &held) != 0 || stat(path, &there) != 0 ||
	    held.st_ino != there.st_ino || held.st_dev != there.st_dev) {
		(void)close(fd);
		return BUSY;
	}
	*ret_fd = fd;
	return TAKEN;
}

enum exit_code
lock_take(struct cmd_ctx *ctx, const char *path, const char *what,
    unsigned wait_ms, struct lock *ret_lock)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	uint64_t begun = conn_now_ms();
	enum attempt came;
	bool said = false;

	while ((came = attempt(path, &ret_lock->fd)) == BUSY) {
		if (term_is_stopped())
			return EXIT_STOPPED;
		if (conn_now_ms() > begun + wait_ms)
			return cmd_fail(ctx, EXIT_UNREACHABLE, "busy",
			    "try again when it has ended; nothing was done",
			    "another cdop on this computer %s", what);
		if (!said && conn_now_ms() > begun + SAY_MS) {
			print_note(ctx,
			    "another cdop on this computer %s: waiting", what);
			said = true;
		}
		(void)nanosleep(&pause, NULL);
	}
	if (came == FAILED)
		return cmd_fail(ctx, EXIT_UNEXPECTED, NULL, NULL,
		    "the lock %s cannot be taken: %s", path, strerror(errno));
	ret_lock->path = path;
	return EXIT_OK;
}

void
lock_drop(struct lock *lock, bool gone)
{
	/* While it is held: who waits for it finds that out. */
	if (gone)
		(void)unlink(lock->path);
	(void)close(lock->fd);
	lock->fd = -1;
}
