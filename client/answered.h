/*
 * An answer is about what was asked: a server that hides one thing could show
 * another instead, and each of them is whole, and signed where that is so.
 */
#ifndef CDOP_CLIENT_ANSWERED_H
#define CDOP_CLIENT_ANSWERED_H

#include "client/cmd.h"
#include "registry.pb-c.h"

/*
 * The case, the number and the person that request names are those that reply
 * names, itself or in the message inside it that it is about.  What one of
 * them does not name is not compared.  EXIT_INTEGRITY: they are others.
 */
enum exit_code answered_about(struct cmd_ctx *ctx,
    const ProtobufCMessage *request, const ProtobufCMessage *reply);

/* The same of one number: what is a word, like "certificate". */
enum exit_code answered_number(
    struct cmd_ctx *ctx, const char *what, uint64_t asked, uint64_t came);

#endif
