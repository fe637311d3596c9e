/* Inside the walls: one forbidden call after the other, each by a new child. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/base/log.h"
#include "server/base/sandbox.h"
#include "tests/evil/evil.h"
#include "tests/unit/server/base/tries.h"

static void
say(const char *what, const char *name)
{
	evil_say("%s %s", what, name);
}

/* What is left to a vault: its directory, and what lies outside refused. */
static void
try_files(void)
{
	static const char *const names[TRIES_FILES] = {"reading /etc/passwd",
	    "a file beside its directory", "removing a file there",
	    "moving a file there"};
	size_t i;
	long r;
	int fd;

	for (i = 0; i < TRIES_FILES; i++) {
		errno = 0;
		r = tries_files[i]();
		say(r < 0 && (errno == EACCES || errno == EPERM)
			? "refused"
			: "came back from",
		    names[i]);
	}
	fd = open(tries_world.inside, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	say(fd >= 0 ? "may open" : "may not open", "a file of its directory");
	fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	say(fd >= 0 ? "came back from" : "refused", "/proc/self/mem");
	fd = open("/proc/1/environ", O_RDONLY | O_CLOEXEC);
	say(fd >= 0 ? "came back from" : "refused", "/proc");
	fd = open("/dev/kmsg", O_RDONLY | O_CLOEXEC);
	say(fd >= 0 ? "came back from" : "refused", "/dev");
}

/* Which of the calls is the nth that this role must not make; NULL: none. */
static const struct tries_row *
forbidden(enum sandbox_role role, uint64_t n)
{
	size_t i;

	for (i = 0; i < tries_n_forbidden; i++)
		if ((tries_forbidden[i].roles & 1U << role) != 0 && n-- == 0)
			return &tries_forbidden[i];
	return NULL;
}

int
evil_walls(const struct control_start *start, bool is_vault, uint64_t n)
{
	const enum sandbox_role role = is_vault ? SANDBOX_VAULT : SANDBOX_GATE;
	const char *dirs[] = {start->conf.data_dir};
	const struct tries_row *row = forbidden(role, n);
	struct pollfd parent = {CONTROL_FD, POLLHUP, 0};
	bool landlock;

	(void)snprintf(tries_world.inside, sizeof(tries_world.inside),
	    "%.60s/evil", start->conf.data_dir);
	(void)snprintf(tries_world.outside, sizeof(tries_world.outside),
	    "%.60s.beside", start->conf.data_dir);
	tries_world.socket = CONTROL_LINK_FD;
	tries_world.listening = is_vault ? CONTROL_LINK_FD : CONTROL_LISTEN_FD;
	/* The first line of a process is the one that needs more. */
	log_info("evil", "n=%llu", (unsigned long long)n);
	if (sandbox_enter(role, dirs, is_vault ? 1 : 0, &landlock) != CDOP_OK)
		return 1;
	if (row != NULL) {
		say("tries", row->name);
		(void)row->try();
		say("came back from", row->name);
	} else {
		if (is_vault && landlock)
			try_files();
		say("has tried", "all");
	}
	(void)poll(&parent, 1, -1);
	return 1;
}
