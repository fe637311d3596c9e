/* A secret on a terminal whose driver is interrupted. */
#include "server/prompt.h"

#include <dlfcn.h>
#include <errno.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
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

/* Which of the calls fail, counted from bit 0, and with what. */
static struct {
	unsigned bits;
	int error;
	bool end; /* a signal comes with it that ends what is asked */
} fails;

/* The program's own comes before the library's. */
int
tcsetattr(int fd, int how, const struct termios *t)
{
	void *found = dlsym(RTLD_NEXT, "tcsetattr");
	bool is_failing = (fails.bits & 1) != 0;
	set_fn *set;

	fails.bits >>= 1;
	if (is_failing) {
		if (fails.end)
			prompt_end();
		errno = fails.error;
		return -1;
	}
	memcpy(&set, &found, sizeof(set));
	return set(fd, how, t);
}

/* In the child: what came of it, + 64 where the terminal does not show. */
static int
ask(void)
{
	static const char typed[] = "swordfish";
	enum cdop_err err;
	struct termios t;
	uint8_t text[64];
	size_t len = 0;

	err = prompt_terminal("Secret: ", text, sizeof(text), &len);
	if (err == CDOP_OK &&
	    (len != sizeof(typed) - 1 || memcmp(text, typed, len) != 0))
		return 32;
	if (tcgetattr(STDIN_FILENO, &t) != 0 || (t.c_lflag & ECHO) == 0)
		return (int)err + 64;
	return (int)err;
}

/* Types it when it is asked for; whether it was, and the child's status. */
static int
play(bool *ret_asked, char screen[static 1024])
{
	size_t len = 0;
	ssize_t n;
	int fd, status;
	pid_t pid;

	*ret_asked = false;
	pid = forkpty(&fd, NULL, NULL, NULL);
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(ask());
	while (len + 1 < 1024 &&
	    (n = read(fd, screen + len, 1024 - len - 1)) > 0) {
		len += (size_t)n;
		if (*ret_asked || memmem(screen, len, ": ", 2) == NULL)
			continue;
		*ret_asked = true;
		assert_int_equal(write(fd, "swordfish\n", 10), 10);
	}
	screen[len] = '\0';
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)close(fd);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* While it waits for the screen, and while it is given back. */
static void
a_signal_that_stops_nothing_shows_nothing(void **state)
{
	static const unsigned bits[] = {0, 1, 7, 2, 5};
	char screen[1024];
	bool asked;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		fails.bits = bits[i];
		fails.error = EINTR;
		fails.end = false;
		assert_int_equal(play(&asked, screen), CDOP_OK);
		assert_true(asked);
		assert_null(strstr(screen, "swordfish"));
	}
}

static void
what_would_be_seen_is_not_asked_for(void **state)
{
	char screen[1024];
	bool asked;

	(void)state;
	fails.bits = 1;
	fails.error = EIO;
	fails.end = false;
	assert_int_equal(play(&asked, screen), CDOP_ABORTED);
	assert_false(asked);
	fails.bits = 1;
	fails.error = EINTR;
	fails.end = true;
	assert_int_equal(play(&asked, screen), CDOP_ABORTED);
	assert_false(asked);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_signal_that_stops_nothing_shows_nothing),
	    cmocka_unit_test(what_would_be_seen_is_not_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
