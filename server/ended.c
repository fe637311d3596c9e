/* A flag, which is all that a handler may set; see ended.h. */
#include "server/ended.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "server/base/log.h"
#include "server/prompt.h"

static volatile sig_atomic_t ended;

static void
on_end(int number)
{
	ended = number;
	prompt_end();
}

void
ended_on(void (*handler)(int), int flags)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
	struct sigaction was;
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		/* nohup: it is to go on when the terminal is gone. */
		if (ends[i] != SIGHUP || sigaction(SIGHUP, NULL, &was) != 0 ||
		    was.sa_handler != SIG_IGN)
			(void)sigaction(ends[i], &action, NULL);
}

void
ended_begin(void)
{
	ended_on(on_end, 0);
}

bool
ended_was(void)
{
	return ended != 0;
}

void
ended_tell(const char *so)
{
	if (ended_was())
		log_tell("ended by a signal: %s, and what was made is taken "
			 "away",
		    so);
}

/* ---- not in order ------------------------------------------------------- */

static const int faults[] = {SIGSEGV, SIGBUS, SIGABRT};
#define FAULTS (sizeof(faults) / sizeof(faults[0]))

static struct sigaction before[FAULTS];

/*
 * It comes again when this returns, and ends us as it would have; of itself
 * only where an instruction brought it, and nobody sent it.
 */
static void
on_fault(int number)
{
	static const char words[] =
	    "cdopd: the database file is damaged: cdopd verify DIR says where; "
	    "if it says that all is fine, this is a fault of cdopd\n";
	size_t i;

	(void)!write(STDERR_FILENO, words, sizeof(words) - 1);
	for (i = 0; i < FAULTS; i++)
		(void)sigaction(faults[i], &before[i], NULL);
	(void)raise(number);
}

void
ended_explain(void)
{
	static bool does;
	struct sigaction action = {.sa_handler = on_fault};
	size_t i;

	for (i = 0; i < FAULTS && !does; i++)
		(void)sigaction(faults[i], &action, &before[i]);
	does = true;
}
