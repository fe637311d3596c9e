/* Terminals: lines, silence and signals. */
#include "client/term.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <termios.h>
#include <unistd.h>

#include "client/print.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
/* LeakSanitizer looks into the process from outside. */
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define DUMPABLE 1
#else
#define DUMPABLE 0
#endif

static volatile sig_atomic_t stopped;
static volatile sig_atomic_t suspended;
static bool pasting; /* the terminal says what is pasted */

static void
on_stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static void
on_suspend(int sig)
{
	(void)sig;
	suspended = 1;
}

void
term_start(void)
{
	const struct rlimit none = {0, 0};
	struct sigaction sa, old;

	/* What is typed here lies in no core and in nobody else's sight. */
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, DUMPABLE);
	/* Widths of characters; the words stay English everywhere. */
	if (setlocale(LC_CTYPE, "") == NULL ||
	    strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		(void)setlocale(LC_CTYPE, "C.UTF-8");
	memset(&sa, 0, sizeof(sa));
	sigemptyset(&sa.sa_mask);
	sa.sa_handler = on_stop; /* no SA_RESTART: a read has to end */
	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGQUIT, &sa, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
	/* nohup: it is to go on when the terminal is gone. */
	if (sigaction(SIGHUP, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		(void)sigaction(SIGHUP, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &sa, NULL);
	(void)sigaction(
	    SIGXFSZ, &sa, NULL); /* a write fails, and that is told */
}

bool
term_is_person(void)
{
	return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

bool
term_has_colour(int fd, bool no_color)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	if (no_color || (no != NULL && *no != '\0'))
		return false;
	if (term == NULL || strcmp(term, "dumb") == 0)
		return false;
	return isatty(fd) == 1;
}

bool
term_is_stopped(void)
{
	return stopped != 0;
}

/*
 * One byte.  The signals are let in only while we wait, so that none slips
 * in between looking and waiting.
 */
static int
read_byte(int fd, char *ret_c)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	sigset_t block, old;
	ssize_t n = -1;

	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGQUIT);
	sigaddset(&block, SIGHUP);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGTSTP);
	(void)sigprocmask(SIG_BLOCK, &block, &old);
	while (stopped == 0 && suspended == 0) {
		if (ppoll(&p, 1, NULL, &old) <= 0)
			continue;
		n = read(fd, ret_c, 1);
		if (n >= 0 || errno != EINTR)
			break;
	}
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	if (stopped != 0 || suspended != 0)
		return -1;
	return n == 1 ? 1 : (n == 0 ? 0 : -1);
}

/* Whoever has us ignore Ctrl-Z has it ignored here, too. */
static void
catch_suspend(struct sigaction *ret_old)
{
	struct sigaction sa;

	suspended = 0;
	memset(&sa, 0, sizeof(sa));
	sigemptyset(&sa.sa_mask);
	sa.sa_handler = on_suspend;
	(void)sigaction(SIGTSTP, NULL, ret_old);
	if (ret_old->sa_handler != SIG_IGN)
		(void)sigaction(SIGTSTP, &sa, NULL);
}

static enum term_read
read_line(int fd, char *out, size_t max, bool *ret_cut)
{
	size_t len = 0;
	bool cut = false;
	char c;
	int n;

	while ((n = read_byte(fd, &c)) == 1 && c != '\n') {
		if (len + 1 < max)
			out[len++] = c;
		else
			cut = true;
	}
	if (len > 0 && out[len - 1] == '\r')
		len--;
	out[len] = '\0';
	if (ret_cut != NULL)
		*ret_cut = cut || (len == TERM_LINE_MAX - 1 && isatty(fd) == 1);
	if (stopped != 0)
		return TERM_STOPPED;
	if (suspended != 0)
		return TERM_RESUMED;
	return n < 0 || (n == 0 && len == 0) ? TERM_END : TERM_LINE;
}

void
term_paste(bool on)
{
	const char *term = getenv("TERM");
	struct termios t;

	if (!term_is_person() || term == NULL || strcmp(term, "dumb") == 0 ||
	    tcgetattr(STDIN_FILENO, &t) != 0)
		return;
	/* What the terminal puts around it is not to be seen. */
	if (on)
		t.c_lflag &= ~(tcflag_t)ECHOCTL;
	else
		t.c_lflag |= ECHOCTL;
	pasting = on;
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &t);
	print_prompt(on ? "\033[?2004h" : "\033[?2004l");
}

enum term_read
term_line(const char *prompt, char *out, size_t max, bool *ret_cut)
{
	bool pastes = pasting;
	struct sigaction old;
	enum term_read got;

	catch_suspend(&old); /* first: some type as soon as they see it */
	print_prompt(prompt);
	got = read_line(STDIN_FILENO, out, max, ret_cut);
	(void)sigaction(SIGTSTP, &old, NULL);
	if (got == TERM_STOPPED || got == TERM_END)
		print_prompt("\n"); /* what is said of it has its own line */
	if (got != TERM_RESUMED)
		return got;
	if (pastes)
		term_paste(false);
	(void)raise(SIGTSTP); /* goes on behind this when we do */
	if (pastes)
		term_paste(true);
	return got;
}

/* A signal that stops nothing may come while it waits for the screen. */
static bool
hide(int fd, const struct termios *quiet)
{
	int n;

	do
		n = tcsetattr(fd, TCSAFLUSH, quiet);
	while (n != 0 && errno == EINTR && stopped == 0);
	return n == 0;
}

static void
show(int fd, const struct termios *old)
{
	if (tcsetattr(fd, TCSAFLUSH, old) != 0)
		(void)tcsetattr(fd, TCSANOW, old); /* that waits for none */
}

/* With the echo off, which it is for as long as this takes. */
static enum term_read
read_hidden(int fd, const struct termios *old, const char *prompt, char *out,
    size_t max)
{
	struct termios quiet = *old;
	struct sigaction usual;
	enum term_read got;

	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet.c_lflag |= ECHONL | ICANON;
	catch_suspend(&usual);
	if (hide(fd, &quiet)) {
		print_prompt_to(fd, prompt);
		got = read_line(fd, out, max, NULL);
	} else { /* what would be seen is not asked for */
		got = stopped != 0 ? TERM_STOPPED : TERM_NONE;
	}
	show(fd, old);
	(void)sigaction(SIGTSTP, &usual, NULL);
	if (got == TERM_STOPPED || got == TERM_END)
		print_prompt_to(fd, "\n");
	return got;
}

enum term_read
term_secret(const char *prompt, char *out, size_t max)
{
	enum term_read got;
	struct termios old;
	int fd;

	fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || tcgetattr(fd, &old) != 0) {
		if (fd >= 0)
			(void)close(fd);
		return TERM_NONE;
	}
	while ((got = read_hidden(fd, &old, prompt, out, max)) == TERM_RESUMED)
		(void)raise(SIGTSTP); /* the shell finds its terminal as it was
				       */
	(void)close(fd);
	return got;
}
