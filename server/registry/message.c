/* Packing and putting; see message.h. */
#include "server/registry/message.h"

#include <string.h>

enum cdop_err
message_pack(struct cdop_arena *arena, const ProtobufCMessage *message,
    size_t len, struct cdop_bytes *ret_data)
{
	uint8_t *data = cdop_arena_alloc(arena, len);

	if (data == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	ret_data->len = protobuf_c_message_pack(message, data);
	ret_data->data = data;
	return CDOP_OK;
}

enum cdop_err
message_put(struct rows *rows, struct cdop_arena *arena,
    const struct rows_new *row, uint64_t old, const ProtobufCMessage *message,
    uint64_t *ret_number)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	struct rows_new packed = *row;
	enum cdop_err err;

	if (len > ROWS_DATA_MAX)
		return CDOP_RESOURCE_EXHAUSTED;
	err = message_pack(arena, message, len, &packed.data);
	if (err != CDOP_OK)
		return err;
	return old == 0 ? rows_put(rows, &packed, ret_number)
			: rows_replace(rows, old, &packed, ret_number);
}

bool
message_take_bytes(ProtobufCBinaryData in, uint8_t *out, size_t len)
{
	if (in.len != len)
		return false;
	memcpy(out, in.data, len);
	return true;
}
