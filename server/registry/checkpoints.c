/* What there is to sign after a commit, and the signature when it is asked for.
 */
#include "server/registry/checkpoints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cdop/merkle.h"
#include "server/base/undo.h"
#include "server/registry/registry.h"
#include "server/registry/tree.h"
#include "server/vault/lockmem.h"
#include "server/vault/rows.h"

/* What is to be signed, and by which key. */
struct last {
	bool any;
	uint64_t size;
	uint8_t root[CDOP_MERKLE_HASH];
	uint8_t key[CDOP_NOTE_PUBLIC_LEN];
};

struct checkpoints {
	struct registry *reg;
	struct cdop_note_signer *signer; /* in locked memory */
	uint16_t incarnation;            /* in the signer's name; 0: none yet */
	struct last last;                /* goes back with a batch */
	struct last signed_;             /* what note is of */
	size_t len;
	uint8_t note[CDOP_CHECKPOINT_NOTE_MAX];
};

enum cdop_err
checkpoints_new(struct registry *reg, struct checkpoints **ret_checkpoints)
{
	struct checkpoints *checkpoints;

	checkpoints = calloc(1, sizeof(*checkpoints));
	if (checkpoints == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	checkpoints->reg = reg;
	checkpoints->signer =
	    lockmem_alloc(reg->mem, sizeof(*checkpoints->signer));
	if (checkpoints->signer == NULL) {
		free(checkpoints);
		return CDOP_RESOURCE_EXHAUSTED;
	}
	*ret_checkpoints = checkpoints;
	return CDOP_OK;
}

void
checkpoints_free(struct checkpoints *checkpoints)
{
	if (checkpoints == NULL)
		return;
	lockmem_free(checkpoints->reg->mem, checkpoints->signer,
	    sizeof(*checkpoints->signer));
	free(checkpoints);
}

/* "registry id in hex/incarnation". */
static void
write_origin(const struct registry *reg, char origin[static 48])
{
	size_t i;

	for (i = 0; i < sizeof(reg->id); i++)
		(void)snprintf(origin + 2 * i, 3, "%02x", reg->id[i]);
	(void)snprintf(origin + 2 * i, 16, "/%u", rows_incarnation(reg->rows));
}

static bool
is_same(const struct last *a, const struct last *b)
{
	return a->any == b->any && a->size == b->size &&
	    memcmp(a->root, b->root, sizeof(a->root)) == 0 &&
	    memcmp(a->key, b->key, sizeof(a->key)) == 0;
}

/*
 * Seed and origin change with an incarnation, and the seed with its key.  What
 * is still to be signed by the old one is signed first: it is wanted again
 * where this batch goes back.
 */
static enum cdop_err
take_key(struct checkpoints *checkpoints)
{
	struct cdop_note_signer *signer = checkpoints->signer;
	const uint16_t incarnation = rows_incarnation(checkpoints->reg->rows);
	const uint8_t *seed = checkpoints->reg->log_seed;
	char origin[48];
	enum cdop_err err;

	if (seed == NULL)
		return CDOP_FAILED_PRECONDITION;
	if (checkpoints->incarnation == incarnation &&
	    memcmp(signer->secret, seed, CDOP_NOTE_SEED_LEN) == 0)
		return CDOP_OK;
	(void)checkpoints_note(checkpoints);
	checkpoints->incarnation = 0;
	write_origin(checkpoints->reg, origin);
	err = cdop_note_signer_init(signer, origin, CDOP_NOTE_ED25519, seed);
	if (err == CDOP_OK)
		checkpoints->incarnation = incarnation;
	return err;
}

enum cdop_err
checkpoints_set(struct checkpoints *checkpoints)
{
	struct registry *reg = checkpoints->reg;
	struct last next = {.any = true, .size = tree_size(reg->tree)};
	enum cdop_err err;

	if ((err = take_key(checkpoints)) != CDOP_OK)
		return err;
	memcpy(next.key, checkpoints->signer->key.public, sizeof(next.key));
	if (next.size == 0)
		cdop_merkle_empty(next.root);
	else
		memcpy(next.root, rows_tree_root(reg->rows), sizeof(next.root));
	if (is_same(&next, &checkpoints->last))
		return CDOP_OK;
	err =
	    undo_save(reg->undo, &checkpoints->last, sizeof(checkpoints->last));
	if (err == CDOP_OK)
		checkpoints->last = next;
	return err;
}

struct cdop_bytes
checkpoints_note(struct checkpoints *checkpoints)
{
	const struct cdop_note_signer *signer = checkpoints->signer;
	const struct last *last = &checkpoints->last;
	struct cdop_checkpoint checkpoint = {.size = last->size};
	enum cdop_err err;

	if (last->any && !is_same(last, &checkpoints->signed_)) {
		CDOP_ASSERT(memcmp(signer->key.public, last->key,
				sizeof(last->key)) == 0);
		memcpy(checkpoint.root, last->root, sizeof(last->root));
		(void)snprintf(checkpoint.origin, sizeof(checkpoint.origin),
		    "%s", signer->key.name);
		err = cdop_checkpoint_sign(
		    &checkpoint, signer, checkpoints->note, &checkpoints->len);
		CDOP_ASSERT(err == CDOP_OK);
		checkpoints->signed_ = *last;
	}
	return (struct cdop_bytes){checkpoints->note, checkpoints->len};
}

uint64_t
checkpoints_size(const struct checkpoints *checkpoints)
{
	return checkpoints->last.size;
}

const uint8_t *
checkpoints_key(const struct checkpoints *checkpoints)
{
	return checkpoints->last.key;
}

enum cdop_err
checkpoints_manifest(struct checkpoints *checkpoints, struct cdop_arena *arena,
    struct cdop_manifest *manifest, struct cdop_bytes *ret_note)
{
	enum cdop_err err;

	err = cdop_checkpoint_open(checkpoints_note(checkpoints),
	    &checkpoints->signer->key, &manifest->checkpoint);
	if (err != CDOP_OK)
		return err;
	return cdop_manifest_sign(
	    manifest, checkpoints->signer, arena, ret_note);
}

enum cdop_err
checkpoints_certificate(struct checkpoints *checkpoints,
    struct cdop_arena *arena, struct cdop_certificate *certificate,
    struct cdop_bytes *ret_note)
{
	enum cdop_err err;

	err = cdop_checkpoint_open(checkpoints_note(checkpoints),
	    &checkpoints->signer->key, &certificate->checkpoint);
	if (err != CDOP_OK)
		return err;
	return cdop_certificate_sign(
	    certificate, checkpoints->signer, arena, ret_note);
}
