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

/*
 * A cell that gets ' before it: a spreadsheet may calculate it, perhaps
 * after it has taken away what stands before; or it begins with ' and such
 * a cell, so that taking away one ' gives what there was.
 */
bool import_rejects_is_guarded(const char *cell);

#endif
