/*
 * A proof that something is in a log, as a text that can be kept and mailed
 * (c2sp.org/tlog-proof@v1):
 *
 *	c2sp.org/tlog-proof@v1
 *	extra BASE64
 *	index N
 *	a hash in base64, from the leaf up; as many as it takes
 *
 *	the checkpoint, a signed note
 *
 * The receipts of the registry are such texts.  Nothing vouches for `extra`:
 * whoever uses what is in it checks it against the log or the request.
 */
#ifndef CDOP_LOGPROOF_H
#define CDOP_LOGPROOF_H

#include "cdop/checkpoint.h"

/* The longest text with a checkpoint of n bytes. */
#define CDOP_LOGPROOF_MAX(n)                                                   \
	(23 + 7 + (CDOP_LOGPROOF_EXTRA_MAX + 2) / 3 * 4 + 27 +                 \
	    CDOP_MERKLE_PROOF_MAX * 45 + 1 + (n))

struct cdop_logproof {
	uint8_t extra[CDOP_LOGPROOF_EXTRA_MAX];
	size_t extra_len; /* 0: there is none */
	uint64_t index;
	struct cdop_merkle_proof proof;
	struct cdop_bytes checkpoint; /* points into what was parsed */
};

/*
 * Takes the text apart and believes none of it; only that a note follows is
 * seen to.  CDOP_INVALID_ARGUMENT: it is none, or over a bound of limits.h.
 */
CDOP_MUST enum cdop_err cdop_logproof_parse(
    struct cdop_bytes text, struct cdop_logproof *ret_logproof);

/*
 * The text, into out of max bytes.  CDOP_INVALID_ARGUMENT: parse() would not
 * take it.  CDOP_RESOURCE_EXHAUSTED: longer than max.
 */
CDOP_MUST enum cdop_err cdop_logproof_write(
    const struct cdop_logproof *logproof, uint8_t *out, size_t max,
    size_t *ret_len);

/*
 * Whether a leaf of this hash is at index in the log of this key.  Errors of
 * cdop_checkpoint_open(), and CDOP_DATA_LOSS when the proof does not hold.
 * *ret_checkpoint, which may be NULL, is the checkpoint it was proved for.
 */
CDOP_MUST enum cdop_err cdop_logproof_check(
    const struct cdop_logproof *logproof,
    const uint8_t leaf_hash[static CDOP_MERKLE_HASH],
    const struct cdop_note_key *key, struct cdop_checkpoint *ret_checkpoint);

#endif
