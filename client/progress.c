/* A line that is written over; see progress.h. */
#include "client/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "client/conn.h"
#include "client/print.h"

#define SHOW_MS 1000
#define LINE    120

void
progress_begin(struct progress *progress)
{
	progress->begun_ms = conn_now_ms();
	progress->shown_ms = 0;
}

bool
progress_is_due(struct progress *progress)
{
	uint64_t now = conn_now_ms();

	if (now < progress->begun_ms + SHOW_MS ||
	    now < progress->shown_ms + SHOW_MS || isatty(STDERR_FILENO) != 1)
		return false;
	progress->shown_ms = now;
	return true;
}

void
progress_say(struct cmd_ctx *ctx, const char *fmt, ...)
{
	char text[LINE], line[LINE + 2];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (ctx->g.accessible) {
		print_note(ctx, "still working: %s", text);
		return;
	}
	(void)snprintf(line, sizeof(line), "\r%s ", text);
	print_prompt(line);
}
