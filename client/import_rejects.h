/*
 * What was not accepted, ready to be corrected and sent again: the columns
 * of the file, then row, field, rule and message.  It is the only plain copy
 * that the client ever writes; mode 0600.
 */
#ifndef CDOP_CLIENT_IMPORT_REJECTS_H
#define CDOP_CLIENT_IMPORT_REJECTS_H

#include "client/import.h"

/* *ret_path: where they went; NULL when every row was accepted. */
enum exit_code import_rejects_write(
    struct cmd_ctx *ctx, const struct import_file *f, const char **ret_path);

#endif
