/*
 * How far long work has come, on stderr: nothing for the first second, and
 * nothing where nobody looks.
 */
#ifndef CDOP_CLIENT_PROGRESS_H
#define CDOP_CLIENT_PROGRESS_H

#include <stdbool.h>

#include "client/cmd.h"

struct progress {
	uint64_t begun_ms;
	uint64_t shown_ms;
};

void progress_begin(struct progress *progress);

/* It is time to say something. */
bool progress_is_due(struct progress *progress);

/* "38 of 40 rows", in place of what was said last. */
__attribute__((format(printf, 2, 3))) void progress_say(
    struct cmd_ctx *ctx, const char *fmt, ...);

#endif
