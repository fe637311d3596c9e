/* A flag, which is all that a handler may set; see ended.h. */
#include "server/ended.h"

#include <signal.h>
#include <stddef.h>

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
