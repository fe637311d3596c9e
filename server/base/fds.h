/*
 * Descriptors: pairs, passing one to another process, putting a child's in
 * their places.  The only place that knows SCM_RIGHTS.
 */
#ifndef CDOP_BASE_FDS_H
#define CDOP_BASE_FDS_H

#include <stddef.h>

#include "cdop/bytes.h"
#include "cdop/err.h"

/*
 * errno of a failed send, receive or accept as a result: would block or no
 * memory now is CDOP_RESOURCE_EXHAUSTED, everything else CDOP_UNAVAILABLE.
 */
enum cdop_err fds_errno(void);

/* close(2) that keeps errno; -1 is fine. */
void fds_close(int fd);

/*
 * A SOCK_SEQPACKET pair: non-blocking, closed on exec, buffers of at least
 * buffer bytes or of what the kernel allows.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err fds_pair(int buffer, int ret_fds[2]);

/*
 * One message of two parts with a descriptor (-1: none), without waiting;
 * the descriptor stays the caller's.  Results: fds_errno.
 */
CDOP_MUST enum cdop_err fds_send(
    int fd, struct cdop_bytes head, struct cdop_bytes body, int passed);

/*
 * One message of at most size bytes, without waiting.  *ret_passed is the
 * caller's to close, or -1.  CDOP_NOT_FOUND: nothing waits.
 * CDOP_UNAVAILABLE: the other end is gone.  CDOP_INVALID_ARGUMENT: longer
 * than size, or more than one descriptor.
 */
CDOP_MUST enum cdop_err fds_recv(
    int fd, uint8_t *buf, size_t size, size_t *ret_len, int *ret_passed);

/*
 * For a forked child before exec: makes fds[i] descriptor first + i, open
 * over exec and blocking state untouched, and closes all others above
 * stderr.  fds[i] -1 leaves its place closed.
 */
CDOP_MUST enum cdop_err fds_place(const int fds[], size_t n, int first);

#endif
