/* Reading a file of notifications into rows of text; nothing is judged. */
#ifndef CDOP_CLIENT_IMPORT_READ_H
#define CDOP_CLIENT_IMPORT_READ_H

#include "client/import.h"

/* Column of a rejects file: cells that stood behind the last one. */
#define IMPORT_BEYOND "beyond"

/*
 * EXIT_USAGE: cannot be read, or its encoding has to be said; EXIT_INVALID:
 * no CSV or JSON, or columns that are no fields.
 */
enum exit_code import_read(
    struct cmd_ctx *ctx, const char *path, struct import_file *ret_file);

/* The columns that are not fields of a form. */
bool import_read_is_control(const char *column);

/* Text of a control column of a row, or NULL. */
const char *import_read_control(const struct import_file *file,
    const struct import_row *row, const char *name);

#endif
