/* cdop unlock and lock: the passphrase once, for a while. */
#include <stdlib.h>
#include <string.h>

#include "client/agent.h"
#include "client/families.h"
#include "client/print.h"
#include "client/session.h"

#define USUAL_S   (15 * 60)
#define LONGEST_S (8 * 60 * 60)

/* "15m", "2h", "90s". */
static enum exit_code
span(struct cmd_ctx *ctx, const char *text, unsigned *ret_seconds)
{
	unsigned long n, unit = 0;
	char *end;

	n = strtoul(text, &end, 10);
	if (strcmp(end, "s") == 0)
		unit = 1;
	else if (strcmp(end, "m") == 0 || *end == '\0')
		unit = 60;
	else if (strcmp(end, "h") == 0)
		unit = 3600;
	if (text[0] < '0' || text[0] > '9' || unit == 0 || n == 0 ||
	    n > LONGEST_S / unit)
		return cmd_fail(ctx, EXIT_USAGE, NULL, "cdop unlock 15m",
		    "a time up to 8 hours is wanted: 15m, 2h");
	*ret_seconds = (unsigned)(n * unit);
	return EXIT_OK;
}

static enum exit_code
run_unlock(struct cmd_ctx *ctx)
{
	unsigned seconds = USUAL_S;
	enum exit_code code;

	if (ctx->n_pos > 0 &&
	    (code = span(ctx, ctx->pos[0], &seconds)) != EXIT_OK)
		return code;
	/* Or whoever finds it unlocked has it so for ever. */
	if ((code = session_unlock_anew(ctx)) != EXIT_OK ||
	    (code = agent_start(ctx, seconds)) != EXIT_OK)
		return code;
	if (ctx->g.json)
		print_json(print_envelope(ctx, "unlock", true));
	else
		print_out(ctx, "Unlocked for %u min; cdop lock ends it.",
		    (seconds + 59) / 60);
	return EXIT_OK;
}

static enum exit_code
run_lock(struct cmd_ctx *ctx)
{
	enum exit_code code;
	bool was;

	if ((code = session_load(ctx)) != EXIT_OK)
		return code;
	was = agent_stop(ctx);
	if (ctx->g.json)
		print_json(print_envelope(ctx, "lock", true));
	else
		print_out(ctx, "%s", was ? "Locked." : "It was not unlocked.");
	return EXIT_OK;
}

const struct cmd cmd_agent_rows[] = {
    {"unlock", "[TIME]", "ask for the passphrase once, for 15 minutes",
	"The key is held in locked memory by a process of your own; nothing "
	"of it\nis on disk.  To go on, the passphrase is asked for again.",
	"  cdop unlock 30m", NULL, 0, 1, 0, NULL, run_unlock},
    {"lock", "", "forget it at once", NULL, "  cdop lock", NULL, 0, 0, 0, NULL,
	run_lock},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
