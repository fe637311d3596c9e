/*
 * A share from a file or from a person: whoever typed a letter wrong is told
 * so before anything is done with it.
 */
#ifndef CDOP_SERVER_SHARE_READ_H
#define CDOP_SERVER_SHARE_READ_H

#include "cdop/share.h"

#define SHARE_READ_FILE_MAX 4096

/* Says what is wrong with it.  The caller wipes the share. */
CDOP_MUST enum cdop_err share_read_file(
    const char *path, struct cdop_share *ret_share);

/*
 * Asked for on the terminal, a line of the sheet or all of it at a time,
 * without echo, again where there is a slip in it.  CDOP_ABORTED: an empty
 * line instead.  CDOP_FAILED_PRECONDITION: no terminal; said why.
 */
CDOP_MUST enum cdop_err share_read_terminal(struct cdop_share *ret_share);

#endif
