/*
 * What a process has from whoever started it, and does not keep.
 *
 * A standard stream that was closed (cdop ... >&-) would be given to the next
 * file or connection, and what is said there would go into that: a case in
 * the clear onto the network, a warning into a file of keys.  Where SIGCHLD
 * is ignored nobody learns how a child ended: a check that found nothing, an
 * editor that was done with, looks as one that failed.  Signals that are
 * blocked are never heard: a daemon does not end, nor notice that its vault
 * did.  A umask that takes rights from the owner makes files that whoever made
 * them cannot open: a registry that never starts.
 */
#ifndef CDOP_INHERITED_H
#define CDOP_INHERITED_H

#include "cdop/err.h"

/*
 * Before anything is opened.  A stream that was closed is held open, so that
 * nothing else gets its number, and fails as a closed one does.
 */
CDOP_MUST enum cdop_err cdop_inherited_settle(void);

#endif
