/*
 * The identity file of a device: which registry, and the keys, sealed under
 * a passphrase (Argon2id, XChaCha20-Poly1305).
 *
 *	"cdop-identity/1\n" || passes u32 || memory KiB u32 || salt 16 ||
 *	nonce 24 || len u32 || ClientIdentity || len u32 || sealed
 *
 * Everything before the sealed part is its additional data, so that each
 * byte of the file is authenticated.  passes 0: no passphrase, which only a
 * training registry allows.
 */
#ifndef CDOP_CLIENT_IDENTITY_H
#define CDOP_CLIENT_IDENTITY_H

#include "cdop/arena.h"
#include "cdop/secret.h"
#include "client.pb-c.h"

/* PSKs of before that are kept: about a year of days at work. */
#define IDENTITY_EARLIER_MAX 250

struct identity {
	const char *path;
	Cdop__ClientIdentity *open; /* readable without a passphrase */
	Cdop__ClientSecret *secret; /* NULL while locked */
	uint32_t passes, memory_kib;
	uint8_t salt[CDOP_SALT_LEN];
	uint8_t key[CDOP_KEY_LEN]; /* of the seal, once unlocked */
	struct cdop_bytes head;    /* as read: additional data */
	uint8_t nonce[CDOP_XNONCE_LEN];
	struct cdop_bytes sealed;
};

/*
 * Reads the open part; all of it lies in the arena.  CDOP_NOT_FOUND;
 * CDOP_DATA_LOSS: not such a file; CDOP_UNAVAILABLE.
 */
CDOP_MUST enum cdop_err identity_load(
    const char *path, struct cdop_arena *arena, struct identity *ret_identity);

bool identity_has_passphrase(const struct identity *identity);

/*
 * Opens the sealed part.  CDOP_UNAUTHENTICATED: wrong passphrase, or the
 * file was changed: they cannot be told apart.
 */
CDOP_MUST enum cdop_err identity_unlock(struct identity *identity,
    struct cdop_bytes passphrase, struct cdop_arena *arena);

/* Opens it with the key of an agent.  CDOP_UNAUTHENTICATED. */
CDOP_MUST enum cdop_err identity_unlock_key(struct identity *identity,
    const uint8_t key[static CDOP_KEY_LEN], struct cdop_arena *arena);

/*
 * Makes salt and sealing key for a new file; an empty passphrase makes one
 * without.  open and secret are set by the caller.
 */
CDOP_MUST enum cdop_err identity_protect(
    struct identity *identity, struct cdop_bytes passphrase);

/* Writes it all, under a new nonce, replacing the old file whole. */
CDOP_MUST enum cdop_err identity_save(
    struct identity *identity, struct cdop_arena *arena);

/* Forgets every key in it. */
void identity_wipe(struct identity *identity);

/*
 * A key of this device for a purpose of the client's own files:
 * BLAKE2b-256 keyed with the static key over label.
 */
void identity_subkey(const struct identity *identity, const char *label,
    uint8_t out[static CDOP_KEY_LEN]);

#endif
