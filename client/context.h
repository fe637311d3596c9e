/*
 * Contexts: which registry, which identity, and where their files lie.  A
 * context is a folder; nothing here opens a key.
 *
 *	$XDG_CONFIG_HOME/cdop/current              name of the one in use
 *	$XDG_CONFIG_HOME/cdop/contexts/NAME/identity
 *	$XDG_STATE_HOME/cdop/NAME/                 requests, drafts, profile
 */
#ifndef CDOP_CLIENT_CONTEXT_H
#define CDOP_CLIENT_CONTEXT_H

#include "client/cmd.h"

#define CONTEXT_NAME_MAX 40

struct context {
	const char *name;
	const char *dir;      /* of the identity */
	const char *identity; /* file */
	const char *state;    /* folder */
};

/*
 * The context of this command: --context, CDOP_CONTEXT, the current one, or
 * the only one there is.  EXIT_AUTH: none; EXIT_USAGE: several, or no such.
 */
enum exit_code context_choose(struct cmd_ctx *ctx, struct context *ret_context);

/* The context of a name that may not exist yet.  EXIT_USAGE: no name. */
enum exit_code context_of(
    struct cmd_ctx *ctx, const char *name, struct context *ret_context);

/* Names of all contexts. */
enum exit_code context_list(
    struct cmd_ctx *ctx, const char ***ret_names, size_t *ret_n);

/* Name of the current one, or NULL. */
const char *context_current(struct cmd_ctx *ctx);
/* NULL: none is. */
enum exit_code context_set_current(struct cmd_ctx *ctx, const char *name);

#endif
