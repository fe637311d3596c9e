/* cdopd with another gate, or another vault; see evil.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cdop/secret.h"
#include "server/base/child.h"
#include "server/base/log.h"
#include "server/base/sandbox.h"
#include "server/base/signals.h"
#include "server/cmd.h"
#include "tests/evil/evil.h"

void
evil_say(const char *fmt, ...)
{
	char line[256] = "EVIL ";
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(line + 5, sizeof(line) - 6, fmt, ap);
	va_end(ap);
	len = len < 0 ? 5 : 5 + (len < 249 ? len : 249);
	line[len++] = '\n';
	(void)!write(STDERR_FILENO, line, (size_t)len);
}

static const char *
deed(void)
{
	const char *text = getenv("EVIL");

	return text != NULL ? text : "";
}

static int
child(bool is_vault)
{
	static struct control_start start;
	const char *what = deed();

	log_init(is_vault ? "vault" : "gate", LOG_LEVEL_INFO);
	if (is_vault && strcmp(what, "vault-walls") != 0) {
		char name[] = "vault", *argv[] = {name, NULL};

		return cmd_role_vault(1, argv);
	}
	if (!child_start(&start) || sandbox_harden() != CDOP_OK)
		return CMD_FAILED;
	signals_ignore();
	/* Each death brings another child, and with it the next number. */
	if (is_vault)
		return evil_walls(&start, true, start.link - 1);
	if (strcmp(what, "gate-walls") == 0)
		return evil_walls(&start, false, (start.first_conn >> 40) - 1);
	return evil_gate(&start, what);
}

int
main(int argc, char **argv)
{
	if (argc < 2 || cdop_secret_init() != CDOP_OK)
		return CMD_USAGE;
	if (strcmp(argv[1], "gate") == 0)
		return child(false);
	if (strcmp(argv[1], "vault") == 0)
		return child(true);
	if (strcmp(argv[1], "run") == 0 && sandbox_harden() == CDOP_OK)
		return cmd_run(argc - 1, argv + 1);
	return CMD_USAGE;
}
