/*
 * What was not accepted, ready to be corrected and sent again: the columns
 * of the file, then row, field, rule and message.  It is the only plain copy
 * that the client ever writes; mode 0600.
 */
#ifndef CDOP_CLIENT_IMPORT_REJECTS_H
#define CDOP_CLIENT_IMPORT_REJECTS_H

#include "client/import.h"

/*
 * Before anything is sent: rejects that somebody has corrected and not sent
 * yet are not written over.  EXIT_CONFLICT.
 */
enum exit_code import_rejects_check(
    struct cmd_ctx *ctx, const struct import_file *f);

/* Is the file that is sent the one that rejects are written to? */
bool import_rejects_is_input(struct cmd_ctx *ctx, const struct import_file *f);

/*
 * *ret_path: where they went; NULL when every row was accepted.  f then knows
 * them again, until import_keys_save.
 */
enum exit_code import_rejects_write(
    struct cmd_ctx *ctx, struct import_file *f, const char **ret_path);

/*
 * Every row is in: a rejects file that still lies there, with names in it,
 * and is the person's to delete; or NULL.  One that was sent just now may be
 * written over by the next rejects.
 */
const char *import_rejects_done(struct cmd_ctx *ctx, struct import_file *f);

#endif
