/*
 * An entry of the log as a sentence.  The words are the log's own: what a
 * script's exit code would have been is nothing to an auditor.
 */
#ifndef CDOP_CLIENT_AUDIT_WORDS_H
#define CDOP_CLIENT_AUDIT_WORDS_H

#include "client/cmd.h"
#include "registry.pb-c.h"

/* "Cora Coordinator (coordinator, office laptop)"; "-": the daemon itself. */
const char *audit_words_who(struct cmd_ctx *ctx, const Cdop__AuditEntry *e);

/* What was done, as a sentence goes on after a name. */
const char *audit_words_deed(struct cmd_ctx *ctx, const Cdop__AuditEntry *e);

/* What came of it: ": refused, ...", ", told ..."; "": it was done. */
const char *audit_words_outcome(struct cmd_ctx *ctx, const Cdop__AuditEntry *e);

/* Whom it was about; NULL: nobody, or who did it. */
const char *audit_words_about(struct cmd_ctx *ctx, const Cdop__AuditEntry *e);

/* Digits of a number or a hash; NULL: there is none. */
const char *audit_words_hex(
    struct cmd_ctx *ctx, bool has, ProtobufCBinaryData bytes);

/* Somebody's words, on one line; NULL: none. */
const char *audit_words_said(struct cmd_ctx *ctx, const char *text);

/* What an event counts; NULL: nothing. */
const char *audit_words_count(struct cmd_ctx *ctx, const Cdop__AuditEntry *e);

/* "child identity, exact date"; "no field" */
const char *audit_words_classes(struct cmd_ctx *ctx, uint32_t classes);

/* "on screen"; "": not said. */
const char *audit_words_use(const Cdop__AuditEntry *e);

#endif
