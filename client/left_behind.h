/*
 * What is kept unsent in a context whose key may be lost: nothing else opens
 * it, so all there is to say is of what kind it is, and of when.
 */
#ifndef CDOP_CLIENT_LEFT_BEHIND_H
#define CDOP_CLIENT_LEFT_BEHIND_H

#include "client/context.h"

/* A note for each; how many there were. */
size_t left_behind_tell(struct cmd_ctx *ctx, const struct context *context);

#endif
