/*
 * Warnings that somebody decides to go on with: from the command line, from
 * a column of a file, or asked.  An override holds for the value it was
 * given for and no other (RECORDS M19).
 */
#ifndef CDOP_CLIENT_OVERRIDES_H
#define CDOP_CLIENT_OVERRIDES_H

#include "cdop/form.h"
#include "client/cmd.h"

#define OVERRIDES_MAX 100

struct overrides {
	Cdop__Override *list[OVERRIDES_MAX];
	size_t n;
};

/* Adds one for the value that stands at path now; replaces an older one. */
enum exit_code overrides_add(struct cmd_ctx *ctx, struct overrides *o,
    const Cdop__Form *form, const struct cmd_finding *finding,
    const char *reason);

/* Drops those whose value is not the one they were given for. */
void overrides_prune(
    struct cmd_ctx *ctx, struct overrides *o, const Cdop__Form *form);

/*
 * The reason for a rule in "RULE: reason; RULE: reason", or NULL.
 */
const char *overrides_reason(
    struct cmd_ctx *ctx, const char *accepted, const char *rule);

/*
 * Shows warnings one by one and asks for a reason; answers that
 * --accept-warning gives are taken first.  EXIT_INVALID: one stays
 * unanswered; EXIT_STOPPED.
 */
enum exit_code overrides_ask(struct cmd_ctx *ctx, struct overrides *o,
    const Cdop__Form *form, const struct cmd_finding *finding, size_t n);

#endif
