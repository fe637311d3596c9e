/*
 * The inside of the keystore, shared by the keystore*.c files and nobody
 * else: held keys in locked memory, the table in chunks that never move.
 */
#ifndef CDOP_VAULT_KEYSTORE_INNER_H
#define CDOP_VAULT_KEYSTORE_INNER_H

#include "server/vault/keystore.h"

#define KEYSTORE_AREAS  1024 /* of one registry, over its life */
#define KEYSTORE_CHUNK  4096 /* entries */
#define KEYSTORE_CHUNKS 65536
#define KEYSTORE_IN_USE 256 /* case keys at a time */

/* A key that stays. */
struct keystore_held {
	uint64_t id;
	struct envelope_key key;
};

/* A case key in use; id 0: none. */
struct keystore_in_use {
	uint64_t id;
	struct envelope_key key;
};

/* All of it in locked memory. */
struct keystore_secrets {
	struct keystore_held root;
	struct keystore_held old_root; /* while a batch turns it */
	struct envelope_ring ring;
	struct keystore_in_use in_use[KEYSTORE_IN_USE];
	bool used[KEYSTORE_IN_USE]; /* which of them, since the last rest */
	uint8_t scratch[256];
	uint8_t copying[ENVELOPE_KEY];
	struct keystore_next next;
};

struct keystore_area {
	char id[KEYSTORE_AREA_MAX + 1];
	uint64_t newest;
};

struct keystore {
	struct lockmem *mem;
	struct undo *undo;
	struct keystore_secrets *secrets;
	bool open;

	struct keystore_held *held[KEYSTORE_EPOCHS_MAX];
	size_t n_held;

	/* Area numbers start at 1; 0 is none. */
	struct keystore_area areas[KEYSTORE_AREAS];
	size_t n_areas;
	uint64_t newest[SCHEMA_CASE + 1]; /* by scope */

	struct keystore_entry *chunks[KEYSTORE_CHUNKS];
	uint32_t n;
	size_t n_live;
	uint32_t *map;    /* open addressing: id to entry */
	uint32_t map_len; /* power of two, or 0 */
};

/* Given back when it is sure that the key is gone: an undo_fn. */
void keystore_let_go(void *ctx, uint64_t id);

#endif
