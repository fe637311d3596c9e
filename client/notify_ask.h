/* Asking for a notification, prompt by prompt, from the dictionary. */
#ifndef CDOP_CLIENT_NOTIFY_ASK_H
#define CDOP_CLIENT_NOTIFY_ASK_H

#include "client/notify.h"

/*
 * Asks what is missing in the order of the stages, checks while typing with
 * the functions of the registry, and keeps a draft after each group.
 * EXIT_STOPPED: broken off; what was typed is kept.
 */
enum exit_code notify_ask(
    struct cmd_ctx *ctx, const struct cdop_profile *profile, struct notify *n);

/* Dates and choices are said back in words. */
void notify_ask_echo(struct cmd_ctx *ctx, const Cdop__Form *form,
    const struct cdop_path *path, const struct cdop_profile *profile,
    const char *typed);

#endif
