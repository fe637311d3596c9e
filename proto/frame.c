/* Cutting bytes into frames, without keeping any. */
#include "cdop/frame.h"

#include "cdop/limits.h"

enum cdop_err
cdop_frame_peek(
    struct cdop_bytes in, size_t max_body, struct cdop_frame *ret_frame)
{
	struct cdop_frame frame = {.used = 0};
	size_t len;

	if (in.len < CDOP_FRAME_HEAD) {
		frame.missing = CDOP_FRAME_HEAD - in.len;
		*ret_frame = frame;
		return CDOP_OK;
	}
	len = cdop_get16(in.data);
	if (len == 0 || len > max_body)
		return CDOP_INVALID_ARGUMENT;
	if (in.len - CDOP_FRAME_HEAD < len) {
		frame.missing = len - (in.len - CDOP_FRAME_HEAD);
		*ret_frame = frame;
		return CDOP_OK;
	}
	frame.body = (struct cdop_bytes){in.data + CDOP_FRAME_HEAD, len};
	frame.used = CDOP_FRAME_HEAD + len;
	*ret_frame = frame;
	return CDOP_OK;
}

void
cdop_frame_head(uint8_t out[static CDOP_FRAME_HEAD], size_t len)
{
	CDOP_ASSERT(len >= 1 && len <= CDOP_FRAME_MAX);
	cdop_put16(out, (uint16_t)len);
}
