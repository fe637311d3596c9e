/*
 * The three descriptors that every program has words for.  One that was
 * closed before the start (cdop ... >&-) would be given to the next file or
 * connection, and what is said there would go into that: a case in the clear
 * onto the network, a warning into a file of keys.
 */
#ifndef CDOP_STREAMS_H
#define CDOP_STREAMS_H

#include "cdop/err.h"

/*
 * Before anything is opened.  A closed one is held open, so that nothing else
 * gets its number, and fails as a closed one does.
 */
CDOP_MUST enum cdop_err cdop_streams_hold(void);

#endif
