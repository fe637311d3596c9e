/*
 * Questions to the log that take two people: kept sealed, request and key,
 * because the same request gets the answer once it is approved.
 *
 *	STATE/asked/<request key in hex>.request
 */
#ifndef CDOP_CLIENT_ASKED_H
#define CDOP_CLIENT_ASKED_H

#include "client.pb-c.h"
#include "client/cmd.h"

/* Before it is sent. */
enum exit_code asked_put(
    struct cmd_ctx *ctx, const Cdop__ClientRequest *request);

/* Paths of those that are kept, oldest first. */
enum exit_code asked_list(
    struct cmd_ctx *ctx, const char ***ret_path, size_t *ret_n);

/* EXIT_INTEGRITY: damaged, or sealed by another device. */
enum exit_code asked_get(
    struct cmd_ctx *ctx, const char *path, Cdop__ClientRequest **ret_request);

/* There will be no answer to it any more. */
void asked_drop(struct cmd_ctx *ctx, const Cdop__ClientRequest *request);

#endif
