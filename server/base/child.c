/* Fork, descriptors in their places, exec of ourselves. */
#include "server/base/child.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "server/base/fds.h"
#include "server/base/signals.h"

#define CHILD_START_MS    10000
#define CHILD_EXIT_FAILED 71

/* What whoever started us types, or takes for our word, is none of theirs. */
static bool
drop_streams(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	return fd >= 0 && dup2(fd, STDIN_FILENO) >= 0 &&
	    dup2(fd, STDOUT_FILENO) >= 0;
}

/* In the forked child; does not come back. */
static void
child_exec(const struct child_args *args, int control, pid_t parent)
{
	char name[] = "cdopd";
	char role[16];
	char *argv[] = {name, role, NULL};
	int fds[1 + CHILD_FDS_MAX];

	/* Dies with the parent, also with one that died before this line. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
	    getppid() != parent)
		_exit(CHILD_EXIT_FAILED);
	signals_default();
	memset(role, 0, sizeof(role));
	memcpy(role, args->role, strnlen(args->role, sizeof(role) - 1));
	fds[0] = control;
	memcpy(fds + 1, args->fds, args->n_fds * sizeof(int));
	if (drop_streams() &&
	    fds_place(fds, 1 + args->n_fds, CONTROL_FD) == CDOP_OK)
		execv("/proc/self/exe", argv);
	_exit(CHILD_EXIT_FAILED);
}

enum cdop_err
child_spawn(const struct child_args *args, pid_t *ret_pid, int *ret_control)
{
	struct cdop_bytes start = {
	    (const uint8_t *)args->start, sizeof(*args->start)};
	pid_t parent = getpid(), pid;
	enum cdop_err err;
	int pair[2];

	if ((err = control_pair(pair)) != CDOP_OK)
		return err;
	if ((err = control_send(pair[0], CONTROL_START, start, -1)) != CDOP_OK)
		goto out;
	if ((pid = fork()) == 0)
		child_exec(args, pair[1], parent);
	if (pid < 0) {
		err = CDOP_RESOURCE_EXHAUSTED;
		goto out;
	}
	*ret_pid = pid;
	*ret_control = pair[0];
	pair[0] = -1; /* caller's */
out:
	fds_close(pair[0]);
	fds_close(pair[1]);
	return err;
}

bool
child_start(struct control_start *ret_start)
{
	static struct control_msg msg;

	if (control_wait(CONTROL_FD, CHILD_START_MS, &msg) != CDOP_OK)
		return false;
	fds_close(msg.fd);
	if (msg.kind != CONTROL_START || msg.len != sizeof(*ret_start))
		return false;
	memcpy(ret_start, msg.body, sizeof(*ret_start));
	return true;
}
