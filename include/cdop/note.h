/*
 * Signed notes (c2sp.org/signed-note): a text, an empty line, and a line for
 * each signature.  Two kinds of key: Ed25519 over the text, and the
 * cosignature of a witness (c2sp.org/tlog-cosignature), which says the time
 * as well.  Texts are read strictly: one way to write a note, no other.
 * What a note says is for others: checkpoint.h, logproof.h.
 */
#ifndef CDOP_NOTE_H
#define CDOP_NOTE_H

#include <stdbool.h>

#include "cdop/bytes.h"
#include "cdop/err.h"
#include "cdop/limits.h"

#define CDOP_NOTE_PUBLIC_LEN 32
#define CDOP_NOTE_SEED_LEN   32

/* "name+id in hex+base64 of type and public key", and a NUL. */
#define CDOP_NOTE_VKEY_MAX (CDOP_NOTE_NAME_MAX + 1 + 8 + 1 + 44 + 1)
/* A signature line of ours: dash, name, base64 of at most 76 bytes. */
#define CDOP_NOTE_LINE_MAX (4 + CDOP_NOTE_NAME_MAX + 1 + 104 + 1)

/* ---- keys -------------------------------------------------------------- */

enum cdop_note_type {
	CDOP_NOTE_ED25519 = 0x01,
	CDOP_NOTE_COSIGNATURE = 0x04,
};

/* Whom a signature is looked for of. */
struct cdop_note_key {
	char name[CDOP_NOTE_NAME_MAX + 1];
	uint32_t id; /* follows from all the others */
	enum cdop_note_type type;
	uint8_t public[CDOP_NOTE_PUBLIC_LEN];
};

/* A key that can sign.  It lies where secrets may lie: the caller's care. */
struct cdop_note_signer {
	struct cdop_note_key key;
	uint8_t secret[CDOP_NOTE_SEED_LEN + CDOP_NOTE_PUBLIC_LEN];
};

/*
 * A name is UTF-8 without any blank, control character or '+', of at most
 * CDOP_NOTE_NAME_MAX bytes, and not empty.
 */
bool cdop_note_is_name(const char *name);

/* CDOP_INVALID_ARGUMENT: not a name. */
CDOP_MUST enum cdop_err cdop_note_key_init(struct cdop_note_key *key,
    const char *name, enum cdop_note_type type,
    const uint8_t public[static CDOP_NOTE_PUBLIC_LEN]);

/*
 * A vkey, all of vkey.  CDOP_INVALID_ARGUMENT: it is none, or its id is
 * another key's.  CDOP_UNIMPLEMENTED: of a type that is not ours.
 */
CDOP_MUST enum cdop_err cdop_note_key_parse(
    struct cdop_bytes vkey, struct cdop_note_key *ret_key);
void cdop_note_key_write(
    const struct cdop_note_key *key, char out[static CDOP_NOTE_VKEY_MAX]);

/* The key pair of a seed.  CDOP_INVALID_ARGUMENT: not a name. */
CDOP_MUST enum cdop_err cdop_note_signer_init(struct cdop_note_signer *signer,
    const char *name, enum cdop_note_type type,
    const uint8_t seed[static CDOP_NOTE_SEED_LEN]);
void cdop_note_signer_wipe(struct cdop_note_signer *signer);

/* ---- notes ------------------------------------------------------------- */

struct cdop_note_signature {
	struct cdop_bytes name;
	uint32_t id;
	struct cdop_bytes base64; /* of the id and the signature */
};

/* Everything points into what was parsed. */
struct cdop_note {
	struct cdop_bytes text; /* with its last newline: what is signed */
	struct cdop_note_signature signature[CDOP_NOTE_SIGNATURES_MAX];
	size_t n;
};

/*
 * Takes a note apart and believes none of it.  CDOP_INVALID_ARGUMENT: no
 * note, or over a bound of limits.h.
 */
CDOP_MUST enum cdop_err cdop_note_parse(
    struct cdop_bytes file, struct cdop_note *ret_note);

/*
 * Whether the text is signed by this key.  CDOP_NOT_FOUND: no signature
 * under its name and id; others' say nothing.  CDOP_DATA_LOSS: there is one
 * that does not hold.  *ret_time_s, which may be NULL, is the time of the
 * newest cosignature, and 0 where the key is no witness's.
 */
CDOP_MUST enum cdop_err cdop_note_verify(const struct cdop_note *note,
    const struct cdop_note_key *key, uint64_t *ret_time_s);

/*
 * The note of text with the signature of one key, into out of max bytes.
 * time_s, in seconds since 1970, is for cosigners.  CDOP_INVALID_ARGUMENT:
 * no note can have this text.  CDOP_RESOURCE_EXHAUSTED: longer than max.
 */
CDOP_MUST enum cdop_err cdop_note_sign(struct cdop_bytes text,
    const struct cdop_note_signer *signer, uint64_t time_s, uint8_t *out,
    size_t max, size_t *ret_len);

/* The note in file and one signature more, likewise; out is not file's. */
CDOP_MUST enum cdop_err cdop_note_add(struct cdop_bytes file,
    const struct cdop_note_signer *signer, uint64_t time_s, uint8_t *out,
    size_t max, size_t *ret_len);

#endif
