/* Saying that something does not hold. */
#include "tests/fault/say.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/fault/shim.h"

void
broken(const char *format, ...)
{
	va_list args;

	shim_off();
	va_start(args, format);
	(void)printf("#   ");
	(void)vprintf(format, args);
	(void)printf("\n");
	va_end(args);
	(void)fflush(stdout);
	_exit(SAY_EXIT_BROKEN);
}

void
require(bool good, const char *what)
{
	if (!good)
		broken("%s", what);
}

void
must(enum cdop_err err, const char *what)
{
	if (err != CDOP_OK)
		broken("%s: %s", what, cdop_err_name(err));
}

static int said_to = -1;

void
say_hush(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)fflush(stdout);
	said_to = dup(STDOUT_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	(void)close(null);
}

void
say_on(void)
{
	(void)fflush(stdout);
	(void)dup2(said_to, STDOUT_FILENO);
	(void)close(said_to);
}
