/*
 * The checkpoint of the log: how long it is and what its root is, signed by
 * a key that is used for nothing else.  One for each commit that appended a
 * leaf; the last one is in memory, and goes back with a batch that fails.  It
 * is signed when somebody is to be given it: of most commits nobody is.
 */
#ifndef CDOP_REGISTRY_CHECKPOINTS_H
#define CDOP_REGISTRY_CHECKPOINTS_H

#include "cdop/certificate.h"
#include "cdop/manifest.h"

struct checkpoints;
struct registry;

/* Borrows reg, and takes its key from reg->log_seed.  RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err checkpoints_new(
    struct registry *reg, struct checkpoints **ret_checkpoints);

/* Wipes and frees; NULL is fine. */
void checkpoints_free(struct checkpoints *checkpoints);

/*
 * Takes size, root and key as they are from this commit on.  Within a batch,
 * after tree_seal(), and at a start.
 */
CDOP_MUST enum cdop_err checkpoints_set(struct checkpoints *checkpoints);

/*
 * The last one as a signed note, until the next call, and the size in it.
 * Within a batch it is the one before it, which is durable.
 */
struct cdop_bytes checkpoints_note(struct checkpoints *checkpoints);
uint64_t checkpoints_size(const struct checkpoints *checkpoints);

/*
 * Signs the last one once more, with what manifest says behind it; fills in
 * its checkpoint.  Between batches.  As cdop_manifest_sign().
 */
CDOP_MUST enum cdop_err checkpoints_manifest(struct checkpoints *checkpoints,
    struct cdop_arena *arena, struct cdop_manifest *manifest,
    struct cdop_bytes *ret_note);

/* The same with a certificate; also within a batch: the one before it. */
CDOP_MUST enum cdop_err checkpoints_certificate(struct checkpoints *checkpoints,
    struct cdop_arena *arena, struct cdop_certificate *certificate,
    struct cdop_bytes *ret_note);

/* The public key it is signed with, 32 bytes. */
const uint8_t *checkpoints_key(const struct checkpoints *checkpoints);

#endif
