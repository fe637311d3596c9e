/* Checkpoints, read and written; see cdop/checkpoint.h. */
#include "cdop/checkpoint.h"

#include <stdio.h>
#include <string.h>

#include "cdop/secret.h"
#include "proto/note_inner.h"

#define REGISTRY_LEN 16

void
cdop_checkpoint_origin(const uint8_t registry[static 16], uint16_t incarnation,
    char out[static CDOP_CHECKPOINT_ORIGIN_MAX])
{
	cdop_secret_hex((struct cdop_bytes){registry, REGISTRY_LEN}, out);
	snprintf(out + 2 * REGISTRY_LEN,
	    CDOP_CHECKPOINT_ORIGIN_MAX - 2 * REGISTRY_LEN, "/%u", incarnation);
}

bool
cdop_checkpoint_is_of(const struct cdop_checkpoint *checkpoint,
    const uint8_t registry[static 16], uint16_t *ret_incarnation)
{
	const char *number = checkpoint->origin + 2 * REGISTRY_LEN + 1;
	char ours[CDOP_CHECKPOINT_ORIGIN_MAX];
	uint64_t incarnation;

	cdop_checkpoint_origin(registry, 0, ours);
	if (strncmp(checkpoint->origin, ours, 2 * REGISTRY_LEN + 1) != 0 ||
	    !cdop_note_decimal(
		(struct cdop_bytes){(const uint8_t *)number, strlen(number)},
		&incarnation) ||
	    incarnation > UINT16_MAX)
		return false;
	*ret_incarnation = (uint16_t)incarnation;
	return true;
}

enum cdop_err
cdop_checkpoint_parse(
    struct cdop_bytes text, struct cdop_checkpoint *ret_checkpoint)
{
	struct cdop_bytes rest = text, origin, size, root, line;
	struct cdop_checkpoint checkpoint;

	if (!cdop_note_is_text(text) || !cdop_note_line(&rest, &origin) ||
	    !cdop_note_line(&rest, &size) || !cdop_note_line(&rest, &root))
		return CDOP_INVALID_ARGUMENT;
	while (cdop_note_line(&rest, &line))
		if (line.len == 0)
			return CDOP_INVALID_ARGUMENT;
	memset(&checkpoint, 0, sizeof(checkpoint));
	if (origin.len == 0 || origin.len > CDOP_NOTE_NAME_MAX ||
	    !cdop_note_decimal(size, &checkpoint.size) ||
	    checkpoint.size > CDOP_MERKLE_SIZE_MAX ||
	    !cdop_note_hash(root, checkpoint.root))
		return CDOP_INVALID_ARGUMENT;
	memcpy(checkpoint.origin, origin.data, origin.len);
	*ret_checkpoint = checkpoint;
	return CDOP_OK;
}

enum cdop_err
cdop_checkpoint_write(const struct cdop_checkpoint *checkpoint,
    uint8_t out[static CDOP_CHECKPOINT_TEXT_MAX], size_t *ret_len)
{
	struct note_out to = {.data = out, .max = CDOP_CHECKPOINT_TEXT_MAX};

	if (!cdop_note_is_name(checkpoint->origin) ||
	    checkpoint->size > CDOP_MERKLE_SIZE_MAX)
		return CDOP_INVALID_ARGUMENT;
	cdop_note_put_text(&to, checkpoint->origin);
	cdop_note_put_text(&to, "\n");
	cdop_note_put_decimal(&to, checkpoint->size);
	cdop_note_put_text(&to, "\n");
	cdop_note_put_base64(
	    &to, (struct cdop_bytes){checkpoint->root, CDOP_MERKLE_HASH});
	cdop_note_put_text(&to, "\n");
	CDOP_ASSERT(!to.full);
	*ret_len = to.len;
	return CDOP_OK;
}

enum cdop_err
cdop_checkpoint_sign(const struct cdop_checkpoint *checkpoint,
    const struct cdop_note_signer *signer,
    uint8_t out[static CDOP_CHECKPOINT_NOTE_MAX], size_t *ret_len)
{
	uint8_t text[CDOP_CHECKPOINT_TEXT_MAX];
	enum cdop_err err;
	size_t len;

	if (strcmp(checkpoint->origin, signer->key.name) != 0 ||
	    signer->key.type != CDOP_NOTE_ED25519)
		return CDOP_INVALID_ARGUMENT;
	if ((err = cdop_checkpoint_write(checkpoint, text, &len)) != CDOP_OK)
		return err;
	return cdop_note_sign((struct cdop_bytes){text, len}, signer, 0, out,
	    CDOP_CHECKPOINT_NOTE_MAX, ret_len);
}

enum cdop_err
cdop_checkpoint_open(struct cdop_bytes file, const struct cdop_note_key *key,
    struct cdop_checkpoint *ret_checkpoint)
{
	struct cdop_checkpoint checkpoint;
	struct cdop_note note;
	enum cdop_err err;

	if ((err = cdop_note_parse(file, &note)) != CDOP_OK ||
	    (err = cdop_checkpoint_parse(note.text, &checkpoint)) != CDOP_OK)
		return err;
	if (strcmp(checkpoint.origin, key->name) != 0)
		return CDOP_NOT_FOUND;
	if ((err = cdop_note_verify(&note, key, NULL)) != CDOP_OK)
		return err;
	*ret_checkpoint = checkpoint;
	return CDOP_OK;
}
