/*
 * Files of the client: small, private to their owner, replaced whole or not
 * at all.  It knows nothing of what is in them.
 */
#ifndef CDOP_CLIENT_FILE_H
#define CDOP_CLIENT_FILE_H

#include <stdbool.h>
#include <time.h>

#include "cdop/arena.h"
#include "cdop/bytes.h"

/*
 * Opens a file that was named, for reading.  -1: errno says why; what is no
 * file, like a pipe that lies there, is not waited for.
 */
int file_open(const char *path);

/*
 * The whole of a file of at most max bytes, with a NUL behind it, in the
 * arena.  path "-" is stdin.  CDOP_NOT_FOUND; CDOP_RESOURCE_EXHAUSTED: over
 * max; CDOP_UNAVAILABLE: it cannot be read.  Why stands in errno.
 */
CDOP_MUST enum cdop_err file_read(const char *path, size_t max,
    struct cdop_arena *arena, struct cdop_bytes *ret_bytes);

/*
 * Writes a file of mode 0600 beside path, flushes it, renames it over path
 * and flushes the folder: after a crash there is the old one or the new one.
 * CDOP_UNAVAILABLE.
 */
CDOP_MUST enum cdop_err file_replace(
    const char *path, const struct cdop_bytes *part, size_t n);

/* The same, but a file that is there already is CDOP_ALREADY_EXISTS. */
CDOP_MUST enum cdop_err file_create(
    const char *path, const struct cdop_bytes *part, size_t n);

/*
 * A file that is made before what it will hold is asked for: an answer that
 * comes once only is not to be lost because it cannot be written.
 */
struct file_new {
	const char *path; /* borrowed; NULL: none was begun */
	int fd;
};

/* Mode 0600, and empty.  CDOP_ALREADY_EXISTS; CDOP_UNAVAILABLE: see errno. */
CDOP_MUST enum cdop_err file_begin(const char *path, struct file_new *ret_new);

/*
 * Fills, flushes and ends it; where it cannot, it is taken away.
 * CDOP_UNAVAILABLE.
 */
CDOP_MUST enum cdop_err file_finish(
    struct file_new *new, const struct cdop_bytes *part, size_t n);

/* Takes away one that was begun; nothing where none was, or it is ended. */
void file_give_up(struct file_new *new);

/*
 * Written in place and not flushed: for what may be lost with the power, and
 * comes in great numbers.  Mode 0600.  CDOP_UNAVAILABLE.
 */
CDOP_MUST enum cdop_err file_put(
    const char *path, const struct cdop_bytes *part, size_t n);

/* Removes a file and flushes its folder; one that is not there is fine. */
CDOP_MUST enum cdop_err file_remove(const char *path);

/*
 * Removes a folder with all in it, at most eight deep; links are removed and
 * not followed.  One that is not there is fine.  CDOP_UNAVAILABLE: something
 * is left of it.
 */
CDOP_MUST enum cdop_err file_remove_tree(const char *path);

/* Moves a file within a file system.  CDOP_UNAVAILABLE. */
CDOP_MUST enum cdop_err file_move(const char *from, const char *to);

/* When it was last written; 0: there is none. */
time_t file_time(const char *path);

/* Makes a folder of mode 0700 with all above it.  CDOP_UNAVAILABLE. */
CDOP_MUST enum cdop_err file_make_dir(const char *path);

bool file_exists(const char *path);

/* Can anybody but the owner read or write it? */
bool file_is_open_to_others(const char *path);

/*
 * Names in a folder that end with suffix, sorted; *ret_n of them.  A folder
 * that is not there has none.
 */
CDOP_MUST enum cdop_err file_list(const char *path, const char *suffix,
    struct cdop_arena *arena, const char ***ret_names, size_t *ret_n);

#endif
