/*
 * A directory in which a database is made that is worth nothing before it is
 * whole: gone at the end, gone at a signal that ends the process, and what a
 * kill -9 left is gone the next time.
 */
#ifndef CDOP_SERVER_WORKPLACE_H
#define CDOP_SERVER_WORKPLACE_H

#include <stdbool.h>

#include "cdop/err.h"

/*
 * Makes TOP/cdopd-NAME.XXXXXX (0700) and removes those of the same name that
 * nobody holds.  From here on INT, TERM, HUP and QUIT take it away before they
 * end the process.  One at a time.  CDOP_FAILED_PRECONDITION: it cannot be
 * made; errno says why.
 */
CDOP_MUST enum cdop_err workplace_make(const char *top, const char *name);

/* May an entry of a directory be one?  What others call so is theirs. */
bool workplace_is_one(const char *entry, const char *name);

/* Removes those that nobody holds. */
void workplace_sweep(const char *top, const char *name);

/* Its path; the database of it is a registry's directory of its own. */
const char *workplace_path(void);

/*
 * Its data.mdb, closed and durable, becomes TOP's, which the caller has
 * locked, and belongs to whom TOP belongs; nothing in TOP is written over.
 * CDOP_ALREADY_EXISTS: there is one.  CDOP_PERMISSION_DENIED.
 * CDOP_DATA_LOSS: the disk failed.
 */
CDOP_MUST enum cdop_err workplace_publish(void);

/* Takes it away; fine where there is none. */
void workplace_remove(void);

#endif
