/* Leaves as bytes, and their commitments; see cdop/leaf.h. */
#include "cdop/leaf.h"

#include <sodium.h>
#include <string.h>

#include "cdop/sha256.h"

#define VERSION        1
#define AT_ANSWERED    2
#define AT_CALL        4
#define AT_INDEX       8
#define AT_TIME        16
#define AT_SIZE        24
#define AT_ACTOR       32
#define AT_SESSION     64
#define AT_COMMITMENTS 80
#define AT_ZEROS       240

_Static_assert(AT_COMMITMENTS + 32 * CDOP_LEAF_FIELDS == AT_ZEROS, "layout");

static bool
is_kind(uint8_t kind)
{
	return kind >= CDOP_LEAF_CALL && kind <= CDOP_LEAF_STATEMENT;
}

/* A statement commits to its note alone. */
static bool
is_plain_statement(const struct cdop_leaf *leaf)
{
	return sodium_is_zero(
	    leaf->commitment[1], sizeof(leaf->commitment[1]) * 4);
}

enum cdop_err
cdop_leaf_parse(struct cdop_bytes bytes, struct cdop_leaf *ret_leaf)
{
	const uint8_t *in = bytes.data;
	struct cdop_leaf leaf;

	if (bytes.len != CDOP_LEAF_LEN || in[0] != VERSION || !is_kind(in[1]) ||
	    !sodium_is_zero(in + AT_ZEROS, CDOP_LEAF_LEN - AT_ZEROS))
		return CDOP_INVALID_ARGUMENT;
	leaf.kind = (enum cdop_leaf_kind)in[1];
	leaf.answered = cdop_get16(in + AT_ANSWERED);
	leaf.call = cdop_get32(in + AT_CALL);
	leaf.index = cdop_get64(in + AT_INDEX);
	leaf.time_ms = cdop_get64(in + AT_TIME);
	leaf.size_before = cdop_get64(in + AT_SIZE);
	memcpy(leaf.actor, in + AT_ACTOR, sizeof(leaf.actor));
	memcpy(leaf.session, in + AT_SESSION, sizeof(leaf.session));
	memcpy(leaf.commitment, in + AT_COMMITMENTS, sizeof(leaf.commitment));
	if (leaf.kind == CDOP_LEAF_STATEMENT && !is_plain_statement(&leaf))
		return CDOP_INVALID_ARGUMENT;
	*ret_leaf = leaf;
	return CDOP_OK;
}

void
cdop_leaf_write(const struct cdop_leaf *leaf, uint8_t out[static CDOP_LEAF_LEN])
{
	memset(out, 0, CDOP_LEAF_LEN);
	out[0] = VERSION;
	out[1] = (uint8_t)leaf->kind;
	cdop_put16(out + AT_ANSWERED, leaf->answered);
	cdop_put32(out + AT_CALL, leaf->call);
	cdop_put64(out + AT_INDEX, leaf->index);
	cdop_put64(out + AT_TIME, leaf->time_ms);
	cdop_put64(out + AT_SIZE, leaf->size_before);
	memcpy(out + AT_ACTOR, leaf->actor, sizeof(leaf->actor));
	memcpy(out + AT_SESSION, leaf->session, sizeof(leaf->session));
	memcpy(
	    out + AT_COMMITMENTS, leaf->commitment, sizeof(leaf->commitment));
}

void
cdop_leaf_commit(uint8_t out[static 32],
    const uint8_t salt[static CDOP_LEAF_SALT_LEN],
    const struct cdop_bytes *values, size_t n)
{
	cdop_sha256_hmac(out, salt, values, n);
}

bool
cdop_leaf_is_of_statement(const struct cdop_leaf *leaf, struct cdop_bytes note)
{
	uint8_t hash[CDOP_SHA256_LEN];

	cdop_sha256(hash, note);
	return leaf->kind == CDOP_LEAF_STATEMENT &&
	    memcmp(hash, leaf->commitment[CDOP_LEAF_REQUEST], sizeof(hash)) ==
	    0;
}

bool
cdop_leaf_is_of(const struct cdop_leaf *leaf,
    const uint8_t salt[static CDOP_LEAF_SALT_LEN], struct cdop_bytes request)
{
	uint8_t commitment[32];

	cdop_leaf_commit(commitment, salt, &request, 1);
	return leaf->kind == CDOP_LEAF_CALL &&
	    sodium_memcmp(commitment, leaf->commitment[CDOP_LEAF_REQUEST],
		sizeof(commitment)) == 0;
}
