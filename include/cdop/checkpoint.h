/*
 * Checkpoints (c2sp.org/tlog-checkpoint): the note in which a log says how
 * long it is and what its root is.
 *
 *	origin
 *	size
 *	root in base64
 *
 * The origin of ours is "registry id in hex/incarnation", and it is the name
 * of the key that signs.
 */
#ifndef CDOP_CHECKPOINT_H
#define CDOP_CHECKPOINT_H

#include "cdop/merkle.h"
#include "cdop/note.h"

/* Three lines; with the signature of the log. */
#define CDOP_CHECKPOINT_TEXT_MAX (CDOP_NOTE_NAME_MAX + 1 + 20 + 1 + 44 + 1)
#define CDOP_CHECKPOINT_NOTE_MAX                                               \
	(CDOP_CHECKPOINT_TEXT_MAX + 1 + CDOP_NOTE_LINE_MAX)

/* The origin of ours, and a NUL. */
#define CDOP_CHECKPOINT_ORIGIN_MAX (2 * 16 + 1 + 5 + 1)
void cdop_checkpoint_origin(const uint8_t registry[static 16],
    uint16_t incarnation, char out[static CDOP_CHECKPOINT_ORIGIN_MAX]);

struct cdop_checkpoint {
	char origin[CDOP_NOTE_NAME_MAX + 1];
	uint64_t size;
	uint8_t root[CDOP_MERKLE_HASH];
};

/*
 * Whether it is of this registry's log, and of which incarnation; an origin
 * has one spelling.
 */
bool cdop_checkpoint_is_of(const struct cdop_checkpoint *checkpoint,
    const uint8_t registry[static 16], uint16_t *ret_incarnation);

/*
 * The text of a note.  Lines behind the third say nothing to us.
 * CDOP_INVALID_ARGUMENT: no checkpoint, or a tree larger than
 * CDOP_MERKLE_SIZE_MAX.
 */
CDOP_MUST enum cdop_err cdop_checkpoint_parse(
    struct cdop_bytes text, struct cdop_checkpoint *ret_checkpoint);

/* CDOP_INVALID_ARGUMENT: the origin is no name, or the tree too large. */
CDOP_MUST enum cdop_err cdop_checkpoint_write(
    const struct cdop_checkpoint *checkpoint,
    uint8_t out[static CDOP_CHECKPOINT_TEXT_MAX], size_t *ret_len);

/* The signed note, likewise; signer's name has to be the origin. */
CDOP_MUST enum cdop_err cdop_checkpoint_sign(
    const struct cdop_checkpoint *checkpoint,
    const struct cdop_note_signer *signer,
    uint8_t out[static CDOP_CHECKPOINT_NOTE_MAX], size_t *ret_len);

/*
 * The checkpoint in a note that the log's own key has signed: origin and
 * name of the key are the same.  CDOP_INVALID_ARGUMENT: no note with a
 * checkpoint.  CDOP_NOT_FOUND: another log's, or not signed by this key.
 * CDOP_DATA_LOSS: the signature does not hold.
 */
CDOP_MUST enum cdop_err cdop_checkpoint_open(struct cdop_bytes file,
    const struct cdop_note_key *key, struct cdop_checkpoint *ret_checkpoint);

#endif
