/*
 * The server's link key and the next one, which clients pin beside it from
 * Welcome on: so the key can turn and nobody has to enrol again (TRUST M10).
 */
#ifndef CDOP_REGISTRY_LINK_KEY_H
#define CDOP_REGISTRY_LINK_KEY_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cdop/arena.h"
#include "server/registry/people.h"
#include "server/registry/registry.h"

#define LINK_KEY_ID 8 /* bytes of a public key that stand for it in a row */

/* Public keys that clients may pin, the current one first; 1 or 2. */
size_t link_key_publics(const struct registry *reg, uint8_t out[static 2][32]);

/* The same for a message.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err link_key_fill(const struct registry *reg,
    struct cdop_arena *arena, size_t *ret_n, ProtobufCBinaryData **ret_keys);

/*
 * A next key, in the open transaction.  CDOP_FAILED_PRECONDITION: there is
 * one.
 */
CDOP_MUST enum cdop_err link_key_make(
    struct registry *reg, struct cdop_arena *arena, uint64_t now_ms);

/*
 * The next one is the current one, and the old one is gone.
 * CDOP_FAILED_PRECONDITION: there is none.
 */
CDOP_MUST enum cdop_err link_key_turn(
    struct registry *reg, struct cdop_arena *arena);

/*
 * A device has said which key is the newest that it keeps on its disk; noted
 * where that is the next one.  In the open transaction.
 */
CDOP_MUST enum cdop_err link_key_known(struct registry *reg,
    struct cdop_arena *arena, uint32_t device, const uint8_t key[static 32]);

/* A device that may connect, or may again, and has not said so. */
bool link_key_waits_for(const struct registry *reg,
    const struct people_device *device, uint64_t now_ms);

/* What an act about it is bound to. */
void link_key_target(const struct registry *reg, uint8_t out[static 32]);

#endif
