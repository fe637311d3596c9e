/*
 * What the registry states about its log (cdop/statement.h), for a person.
 * It follows no key and trusts nothing; who shows a statement has checked it,
 * or says that it did not.
 */
#ifndef CDOP_CLIENT_STATEMENT_H
#define CDOP_CLIENT_STATEMENT_H

#include "client/cmd.h"

/* The newest one of a reply: the note as it is, or the reply in JSON. */
void statement_print(
    struct cmd_ctx *ctx, const char *schema, const Cdop__StatementReply *reply);

#endif
