/*
 * One change that is kept on this computer: what it is about, and what an
 * answer means for it.  A refusal loses no typing: a notification becomes a
 * draft, any other change stays and is marked.
 */
#ifndef CDOP_CLIENT_KEPT_H
#define CDOP_CLIENT_KEPT_H

#include "client/spool.h"

/* Hex digits that tell one request from the next: the time in its key. */
#define KEPT_DIGITS 12

/* The first digits of its key, as retry takes them. */
const char *kept_name(struct cmd_ctx *ctx, const Cdop__ClientRequest *r);

/* "case amend T-435A-4N5Y": the command and its case, never who. */
const char *kept_words(struct cmd_ctx *ctx, const Cdop__ClientRequest *r);

/* The one whose key begins like that.  EXIT_USAGE, EXIT_NOT_FOUND. */
enum exit_code kept_find(
    struct cmd_ctx *ctx, const char *digits, Cdop__ClientRequest **ret_request);

/* It was not answered, or the answer may be another tomorrow: it waits. */
bool kept_is_open(const struct cmd_ctx *ctx, enum exit_code code);

/* Puts what the answer means into the state folder. */
void kept_settle(
    struct cmd_ctx *ctx, Cdop__ClientRequest *r, enum exit_code code);

#endif
