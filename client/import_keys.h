/* Which row goes under which request key, kept sealed beside the file. */
#ifndef CDOP_CLIENT_IMPORT_KEYS_H
#define CDOP_CLIENT_IMPORT_KEYS_H

#include "client/import.h"
#include "client/lock.h"

/*
 * Gives every row its key: the one it had, unless another version of the row
 * was accepted under that; and writes them down before anything is sent.
 */
enum exit_code import_keys_take(struct cmd_ctx *ctx, struct import_file *f);

/*
 * No other process sends this file, or its rejects, at the same time: each
 * would give the rows keys of its own, and they would arrive twice.
 */
enum exit_code import_keys_lock(
    struct cmd_ctx *ctx, const struct import_file *f, struct lock *ret_lock);

/*
 * Writes down what was accepted, and what rows are about to be sent with:
 * under the same key they have to be sent again byte for byte.
 */
enum exit_code import_keys_save(struct cmd_ctx *ctx, struct import_file *f);

#endif
