/* One signature a commit. */
#include "server/registry/checkpoints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cdop/secret.h"
#include "server/base/undo.h"
#include "server/registry/registry.h"
#include "server/registry/tree.h"
#include "server/vault/lockmem.h"
#include "server/vault/rows.h"

/* What was signed, and by which key. */
struct last {
	uint64_t size;
	uint8_t key[CDOP_NOTE_PUBLIC_LEN];
	size_t len;
	uint8_t note[CDOP_CHECKPOINT_NOTE_MAX];
};

struct checkpoints {
	struct registry *reg;
	struct cdop_note_signer *signer; /* in locked memory */
	struct last last;
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

/* Seed and origin change with an incarnation, and the seed with its key. */
static enum cdop_err
take_key(struct checkpoints *checkpoints, const char *origin)
{
	struct cdop_note_signer *signer = checkpoints->signer;
	const uint8_t *seed = checkpoints->reg->log_seed;

	if (seed == NULL)
		return CDOP_FAILED_PRECONDITION;
	if (strcmp(signer->key.name, origin) == 0 &&
	    memcmp(signer->secret, seed, CDOP_NOTE_SEED_LEN) == 0)
		return CDOP_OK;
	return cdop_note_signer_init(signer, origin, CDOP_NOTE_ED25519, seed);
}

enum cdop_err
checkpoints_sign(struct checkpoints *checkpoints)
{
	struct cdop_note_signer *signer = checkpoints->signer;
	struct registry *reg = checkpoints->reg;
	struct last *last = &checkpoints->last;
	struct cdop_checkpoint checkpoint;
	enum cdop_err err;

	memset(&checkpoint, 0, sizeof(checkpoint));
	write_origin(reg, checkpoint.origin);
	err = take_key(checkpoints, checkpoint.origin);
	if (err != CDOP_OK)
		return err;
	checkpoint.size = tree_size(reg->tree);
	if (last->len > 0 && last->size == checkpoint.size &&
	    memcmp(last->key, signer->key.public, sizeof(last->key)) == 0)
		return CDOP_OK;
	if (checkpoint.size == 0)
		cdop_merkle_empty(checkpoint.root);
	else
		memcpy(checkpoint.root, rows_tree_root(reg->rows),
		    sizeof(checkpoint.root));
	if ((err = undo_save(reg->undo, last, sizeof(*last))) != CDOP_OK)
		return err;
	last->size = checkpoint.size;
	memcpy(last->key, signer->key.public, sizeof(last->key));
	return cdop_checkpoint_sign(
	    &checkpoint, signer, last->note, &last->len);
}

struct cdop_bytes
checkpoints_note(const struct checkpoints *checkpoints)
{
	return (struct cdop_bytes){
	    checkpoints->last.note, checkpoints->last.len};
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
checkpoints_manifest(const struct checkpoints *checkpoints,
    struct cdop_arena *arena, struct cdop_manifest *manifest,
    struct cdop_bytes *ret_note)
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
checkpoints_certificate(const struct checkpoints *checkpoints,
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
