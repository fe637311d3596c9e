/*
 * What lies in a directory of the daemon's under the names that it opens
 * there, looked at from outside: is each a file, whose is it, and who else
 * may open it?  Nothing is opened and nothing changed.
 */
#ifndef CDOP_STORE_FILES_H
#define CDOP_STORE_FILES_H

#include <stdbool.h>

/* The worse the higher. */
enum files_verdict {
	FILES_FINE,
	FILES_OPEN,     /* others might open it, were they let into DIR */
	FILES_NOT_OURS, /* whose DIR is cannot open it */
	FILES_WRONG,    /* not a file: it is not opened by anybody */
};

struct files_found {
	char words[128];  /* "lock.mdb is a symbolic link" */
	const char *next; /* how it is mended */
};

/*
 * The worst that is to be seen in DIR, and of that the first; *ret_found is
 * left alone where all is fine, as it is where DIR has none of them.
 */
enum files_verdict files_data(const char *dir, struct files_found *ret_found);

/* The same of a directory for the anchor, which others may read. */
enum files_verdict files_anchor(const char *dir, struct files_found *ret_found);

/*
 * DIR lies on a file system that is mounted read-only, as the kernel does when
 * its disk fails: what cannot be opened there is nobody's right that is
 * missing.  *ret_found says so, and is left alone where it is not.
 */
bool files_read_only(const char *dir, struct files_found *ret_found);

#endif
