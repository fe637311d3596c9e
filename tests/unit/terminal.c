/* A terminal whose driver fails; see terminal.h. */
#include "tests/unit/terminal.h"

#include <dlfcn.h>
#include <errno.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

typedef int set_fn(int fd, int how, const struct termios *t);

static struct terminal_fails failing;

/* The program's own comes before the library's. */
int
tcsetattr(int fd, int how, const struct termios *t)
{
	void *found = dlsym(RTLD_NEXT, "tcsetattr");
	bool is_failing = (failing.bits & 1) != 0;
	set_fn *set;

	failing.bits >>= 1;
	if (is_failing) {
		if (failing.with != NULL)
			failing.with();
		errno = failing.error;
		return -1;
	}
	memcpy(&set, &found, sizeof(set));
	return set(fd, how, t);
}

bool
terminal_shows(void)
{
	struct termios t;

	return tcgetattr(STDIN_FILENO, &t) == 0 && (t.c_lflag & ECHO) != 0;
}

int
terminal_play(const struct terminal_fails *fails, int (*ask)(void),
    bool *ret_asked, char screen[static TERMINAL_SCREEN])
{
	static const char typed[] = TERMINAL_TYPED "\n";
	size_t len = 0;
	ssize_t n;
	int fd, status;
	pid_t pid;

	failing = *fails;
	*ret_asked = false;
	pid = forkpty(&fd, NULL, NULL, NULL);
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(ask());
	while (len + 1 < TERMINAL_SCREEN &&
	    (n = read(fd, screen + len, TERMINAL_SCREEN - len - 1)) > 0) {
		len += (size_t)n;
		if (*ret_asked || memmem(screen, len, ": ", 2) == NULL)
			continue;
		*ret_asked = true;
		assert_int_equal(
		    write(fd, typed, sizeof(typed) - 1), sizeof(typed) - 1);
	}
	screen[len] = '\0';
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)close(fd);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}
