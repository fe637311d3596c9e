/*
 * What opens a registry without its daemon, as it was said on the command
 * line: a key file, a passphrase, or shares; and the slots it may open.
 */
#ifndef CDOP_SERVER_OFFLINE_KEY_H
#define CDOP_SERVER_OFFLINE_KEY_H

#include "cdop/share.h"
#include "server/base/unseal.h"
#include "server/offline.h"
#include "server/vault/slots_set.h"

/* For usage lines, of every verb that opens one. */
#define OFFLINE_KEY_USAGE                                                      \
	"[--key-file FILE | --passphrase-file FILE | --passphrase-stdin | "    \
	"--share-file FILE | --shares]"

struct offline_key {
	const struct offline_from *from;
	bool is_read;
	uint8_t text[UNSEAL_PASSPHRASE_MAX]; /* of a passphrase */
	size_t len;
	struct cdop_share share[SHAMIR_MAX];
	size_t n_share;
};

/*
 * Takes argv[*i], with its value, where it says what opens.  *i is then at
 * the last argument that was taken; false: it says something else.
 */
bool offline_key_take(struct offline_from *from, int argc, char **argv, int *i);

/* Nothing is read yet.  Whoever makes one wipes it. */
void offline_key_init(struct offline_key *key, const struct offline_from *from);
void offline_key_wipe(struct offline_key *key);

/*
 * The next slot behind *slot (SIZE_MAX: from the first on) that it may open,
 * and K for it; the secret is asked for once.  CDOP_NOT_FOUND: no other slot.
 * Whatever else: said why.
 */
CDOP_MUST enum cdop_err offline_key_next(struct offline_key *key,
    const struct slots_info *slots, size_t n, size_t *slot,
    uint8_t ret_k[static 32]);

/*
 * Shares that are not what was given out, each said by its place.  Good where
 * none was asked for.
 */
bool offline_key_check(const struct offline_key *key, const struct rows *rows);

#endif
