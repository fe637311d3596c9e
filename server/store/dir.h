/*
 * The directory of a registry, before its database is opened: whose it is,
 * that nobody else works in it, and whether a registry is there.  It does
 * not read a row.
 */
#ifndef CDOP_STORE_DIR_H
#define CDOP_STORE_DIR_H

#include <stdbool.h>

#include "cdop/err.h"

/*
 * DIR is there and closed to others (0700).  With create it is made where it
 * is missing.  CDOP_NOT_FOUND, CDOP_PERMISSION_DENIED.
 */
CDOP_MUST enum cdop_err dir_ready(const char *dir, bool create);

/*
 * Takes DIR until *ret_fd is closed.  The lock is on the directory, not on a
 * file in it that somebody takes for a leftover.  CDOP_FAILED_PRECONDITION:
 * another process has it.
 */
CDOP_MUST enum cdop_err dir_lock(const char *dir, int *ret_fd);

/*
 * DIR/data.mdb is there and can be opened (or, to create, is not there).
 * CDOP_NOT_FOUND, CDOP_ALREADY_EXISTS, CDOP_DATA_LOSS;
 * CDOP_RESOURCE_EXHAUSTED: nobody could look.
 */
CDOP_MUST enum cdop_err dir_file(const char *dir, bool create);

/*
 * For root, who has made NAME, in DIR or in the open directory in (-1: DIR),
 * for the user whose DIR is: it is his then.  Nothing where that is root, or
 * where NAME is not there.
 * Whoever may write there may have put another file in its place: one with a
 * second name, or neither of this process's user nor of that one, is not given
 * to anybody. CDOP_PERMISSION_DENIED.
 */
CDOP_MUST enum cdop_err dir_give(const char *dir, int in, const char *name);

/*
 * Removes DIR/copy.mdb: a copy that was not finished is worth nothing.
 * CDOP_PERMISSION_DENIED, CDOP_DATA_LOSS: it is there and stays there.
 */
CDOP_MUST enum cdop_err dir_tidy(const char *dir, bool *ret_removed);

/*
 * A commit failed and nobody knows what of it is on the disk: DIR says so
 * until a commit succeeds.  What cannot be written then is not: the next
 * opening is stricter without it, never looser.
 */
void dir_mark(const char *dir);
void dir_unmark(const char *dir);
bool dir_is_marked(const char *dir);

/* What a call about a file or a directory failed with, as ours. */
enum cdop_err dir_error(int code);

/* New names in DIR are durable.  CDOP_DATA_LOSS. */
CDOP_MUST enum cdop_err dir_sync(const char *dir);

#endif
