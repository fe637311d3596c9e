/*
 * Frames: u16 big-endian length, then that many bytes of one Noise message.
 * Looks at bytes that somebody else holds; keeps nothing, copies nothing.
 */
#ifndef CDOP_FRAME_H
#define CDOP_FRAME_H

#include "cdop/bytes.h"
#include "cdop/err.h"

#define CDOP_FRAME_HEAD 2

struct cdop_frame {
	struct cdop_bytes body; /* inside the bytes that were given */
	size_t used;            /* head and body; 0: not all here yet */
	size_t missing; /* at least so many bytes more, then look again */
};

/*
 * The frame at the front of in.  An incomplete one is no error: used is 0
 * and missing says how much is needed.  The length is judged as soon as the
 * head is there.  CDOP_INVALID_ARGUMENT: length zero, or over max_body;
 * the connection is then beyond repair.
 */
CDOP_MUST enum cdop_err cdop_frame_peek(
    struct cdop_bytes in, size_t max_body, struct cdop_frame *ret_frame);

/* The head for a body of len bytes, 1 to CDOP_FRAME_MAX. */
void cdop_frame_head(uint8_t out[static CDOP_FRAME_HEAD], size_t len);

#endif
