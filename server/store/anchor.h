/*
 * The anchor: a small file outside the data directory that says how far the
 * log had come.  Whoever puts an old database back has to put back this one
 * too, which lies elsewhere (TRUST S5).  It does not know what is in it.
 */
#ifndef CDOP_STORE_ANCHOR_H
#define CDOP_STORE_ANCHOR_H

#include <stddef.h>
#include <stdint.h>

#include "cdop/bytes.h"
#include "cdop/err.h"

/*
 * DIR/anchor into room of max bytes.  CDOP_NOT_FOUND: there is none.
 * CDOP_DATA_LOSS: longer than that, or it cannot be read.
 */
CDOP_MUST enum cdop_err anchor_read(
    const char *dir, uint8_t *room, size_t max, size_t *ret_len);

/*
 * Replaces it whole, durable when this returns.  CDOP_RESOURCE_EXHAUSTED,
 * CDOP_NOT_FOUND, CDOP_PERMISSION_DENIED, CDOP_DATA_LOSS: the old one stands.
 */
CDOP_MUST enum cdop_err anchor_write(const char *dir, struct cdop_bytes bytes);

#endif
