/*
 * The manifest of a backup: a checkpoint of the log (cdop/checkpoint.h) with
 * lines behind the third, signed by the key of the log like every other, so
 * that it can be checked by whoever checks checkpoints.
 *
 *	origin
 *	size
 *	root in base64
 *	cdop-backup/1
 *	number 3
 *	taken 1790000000123
 *	rows 375
 *	cases 39
 *	bytes 123456
 *	sha256 (of those bytes, in base64)
 *	epoch 281474976710657 area wirral 12
 *	epoch 281474976710658 log 0
 *
 * An epoch line has the key's id, what it is for, the area's id where it is
 * an area's, and how many case keys it wraps.
 */
#ifndef CDOP_MANIFEST_H
#define CDOP_MANIFEST_H

#include "cdop/arena.h"
#include "cdop/checkpoint.h"

#define CDOP_MANIFEST_AREA_MAX   47   /* bytes of an area's id */
#define CDOP_MANIFEST_EPOCHS_MAX 1024 /* epoch keys of a registry */
#define CDOP_MANIFEST_SCOPE_MAX  15   /* bytes: "registry" */

struct cdop_manifest_epoch {
	uint64_t id;
	char scope[CDOP_MANIFEST_SCOPE_MAX + 1]; /* lower case, a word */
	char area[CDOP_MANIFEST_AREA_MAX + 1];   /* "" but for scope area */
	uint64_t cases;                          /* case keys that it wraps */
};

struct cdop_manifest {
	struct cdop_checkpoint checkpoint; /* what the backup ends with */
	uint64_t number;                   /* of the backup, from 1 on */
	uint64_t taken_ms;                 /* UTC, since 1970 */
	uint64_t rows;                     /* that a restore has */
	uint64_t cases;
	uint64_t bytes; /* of the file before the manifest */
	uint8_t sha256[32];
	struct cdop_manifest_epoch *epoch;
	size_t n_epochs;
};

/*
 * The signed note, in arena; signer's name has to be the origin.
 * CDOP_INVALID_ARGUMENT: it is not, or a word is none.
 * CDOP_RESOURCE_EXHAUSTED: longer than CDOP_NOTE_MAX, or no memory.
 */
CDOP_MUST enum cdop_err cdop_manifest_sign(const struct cdop_manifest *manifest,
    const struct cdop_note_signer *signer, struct cdop_arena *arena,
    struct cdop_bytes *ret_note);

/*
 * Takes a manifest apart and believes none of it: cdop_checkpoint_open()
 * says whether it is signed.  Its epochs lie in arena.  CDOP_INVALID_ARGUMENT:
 * no manifest.  CDOP_UNIMPLEMENTED: one of a later format.
 * CDOP_RESOURCE_EXHAUSTED: no memory.
 */
CDOP_MUST enum cdop_err cdop_manifest_parse(struct cdop_bytes file,
    struct cdop_arena *arena, struct cdop_manifest *ret_manifest);

#define CDOP_MANIFEST_HASH 32

/* What names a manifest: BLAKE2b-256 over "cdop-manifest/1" || the note. */
void cdop_manifest_hash(
    uint8_t out[static CDOP_MANIFEST_HASH], struct cdop_bytes note);

#define CDOP_MANIFEST_PROOF      10
#define CDOP_MANIFEST_PROOF_TEXT 20 /* with its hyphens, and a NUL */

/*
 * The code of a backup, which whoever opened it reads off and types
 * elsewhere: base32 (RFC 4648) in groups of four.  How it is made is
 * server/vault/dump.h's.
 */
void cdop_manifest_proof_write(const uint8_t proof[static CDOP_MANIFEST_PROOF],
    char ret_text[static CDOP_MANIFEST_PROOF_TEXT]);

/*
 * In either case, with or without blanks and hyphens.  CDOP_INVALID_ARGUMENT:
 * not 16 letters and digits of base32.
 */
CDOP_MUST enum cdop_err cdop_manifest_proof_parse(
    const char *text, uint8_t ret_proof[static CDOP_MANIFEST_PROOF]);

#endif
