/*
 * A protobuf message as a row, which is what every table of the registry is
 * made of.  It knows no kind and no field.
 */
#ifndef CDOP_REGISTRY_MESSAGE_H
#define CDOP_REGISTRY_MESSAGE_H

#include <protobuf-c/protobuf-c.h>

#include "server/vault/rows.h"

/* Packs message, which is len bytes long then, into arena.
 * CDOP_RESOURCE_EXHAUSTED: no memory. */
CDOP_MUST enum cdop_err message_pack(struct cdop_arena *arena,
    const ProtobufCMessage *message, size_t len, struct cdop_bytes *ret_data);

/*
 * Packs message into arena and puts it as *row, whose data is left out; old
 * is the row it replaces, 0: none.  Within a batch.
 * CDOP_RESOURCE_EXHAUSTED: over ROWS_DATA_MAX, or no memory; errors of
 * rows_put and rows_replace.
 */
CDOP_MUST enum cdop_err message_put(struct rows *rows, struct cdop_arena *arena,
    const struct rows_new *row, uint64_t old, const ProtobufCMessage *message,
    uint64_t *ret_number);

/* A field of exactly len bytes, copied.  False: it has another length. */
bool message_take_bytes(ProtobufCBinaryData in, uint8_t *out, size_t len);

#endif
