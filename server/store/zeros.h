/* Zeros written to a file: room that is there, not only promised. */
#ifndef CDOP_STORE_ZEROS_H
#define CDOP_STORE_ZEROS_H

#include <stddef.h>
#include <sys/types.h>

#include "cdop/err.h"

/*
 * len of them from `at` on, synced.  CDOP_RESOURCE_EXHAUSTED: no room on the
 * disk, CDOP_FAILED_PRECONDITION: the file may not be that large; some may
 * have been written.  CDOP_PERMISSION_DENIED, CDOP_DATA_LOSS.
 */
CDOP_MUST enum cdop_err zeros_write(int fd, off_t at, size_t len);

#endif
