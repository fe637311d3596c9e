/* Entries of the log as a person reads them, and as a program does. */
#ifndef CDOP_CLIENT_AUDIT_SHOW_H
#define CDOP_CLIENT_AUDIT_SHOW_H

#include <jansson.h>

#include "client/cmd.h"
#include "registry.pb-c.h"

/*
 * Some lines; of a list that names the case that was asked about, that one
 * alone.  reference may be NULL.
 */
void audit_show_entry(
    struct cmd_ctx *ctx, const Cdop__AuditEntry *e, const char *reference);

/* The entry in an envelope, printed; takes the object. */
void audit_show_object(
    struct cmd_ctx *ctx, json_t *object, const Cdop__AuditEntry *e);

#endif
