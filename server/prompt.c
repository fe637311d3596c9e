/* Reading a secret without showing it. */
#include "server/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define PROMPT_INTERRUPT 3 /* Ctrl-C, while signals are off */

/* What a terminal was before; for a handler that ends the process. */
static struct {
	volatile sig_atomic_t fd; /* 0: nothing is hidden */
	struct termios shown;
} hiding;

void
prompt_give_back(void)
{
	if (hiding.fd > 0)
		(void)tcsetattr(hiding.fd, TCSANOW, &hiding.shown);
}

static volatile sig_atomic_t is_ended;

void
prompt_end(void)
{
	is_ended = 1;
}

/* Byte by byte, so that nothing after the line is taken. */
static enum cdop_err
read_line(int fd, uint8_t *ret_secret, size_t max, size_t *ret_len)
{
	size_t len = 0;
	uint8_t c = 0;
	ssize_t n;

	for (;;) {
		/* A signal that came before the question ends it, too. */
		n = is_ended ? -1 : read(fd, &c, 1);
		if (n < 0 && errno == EINTR && !is_ended)
			continue;
		if (n < 0 || (n == 0 && len == 0) || c == PROMPT_INTERRUPT)
			break;
		if (n == 0 || c == '\n') {
			if (len == 0 || len > max)
				break;
			*ret_len = len;
			return CDOP_OK;
		}
		if (len < max)
			ret_secret[len] = c;
		len += len <= max; /* one over says too long */
	}
	explicit_bzero(ret_secret, max);
	return n > 0 && c == '\n' ? CDOP_INVALID_ARGUMENT : CDOP_ABORTED;
}

/* A signal that ends nothing may come while it waits for the screen. */
static bool
hide(int fd, const struct termios *hidden)
{
	int n;

	do
		n = tcsetattr(fd, TCSAFLUSH, hidden);
	while (n < 0 && errno == EINTR && !is_ended);
	return n == 0;
}

static void
show(int fd, const struct termios *shown)
{
	if (tcsetattr(fd, TCSAFLUSH, shown) < 0)
		(void)tcsetattr(fd, TCSANOW, shown); /* that waits for none */
}

static void
say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		errno = 0; /* the person will see no prompt, but can type */
}

enum cdop_err
prompt_terminal(
    const char *prompt, uint8_t *ret_secret, size_t max, size_t *ret_len)
{
	struct termios shown, hidden;
	enum cdop_err err;
	int fd;

	fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return CDOP_FAILED_PRECONDITION;
	if (tcgetattr(fd, &shown) < 0) {
		close(fd);
		return CDOP_FAILED_PRECONDITION;
	}
	hidden = shown;
	/*
	 * No signals either: a Ctrl-C must not leave the echo off.  It ends the
	 * line instead.
	 */
	hidden.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	hidden.c_cc[VEOL] = PROMPT_INTERRUPT;
	/* First: who is quick is not shown, and not thrown away. */
	hiding.shown = shown;
	hiding.fd = fd;
	if (hide(fd, &hidden)) {
		say(fd, prompt);
		err = read_line(fd, ret_secret, max, ret_len);
	} else {
		err = CDOP_ABORTED; /* what would be seen is not asked for */
	}
	show(fd, &shown);
	hiding.fd = 0;
	say(fd, "\n");
	close(fd);
	return err;
}

enum cdop_err
prompt_stdin(uint8_t *ret_secret, size_t max, size_t *ret_len)
{
	return read_line(STDIN_FILENO, ret_secret, max, ret_len);
}
