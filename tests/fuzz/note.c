/*
 * What lies around a log, from anybody: notes, keys, checkpoints, statements,
 * proofs, leaves and entry bundles.  Each is refused, or there was no other
 * way to write it.
 */
#include <stdlib.h>
#include <string.h>

#include "cdop/leaf.h"
#include "cdop/logproof.h"
#include "cdop/statement.h"
#include "cdop/tile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A published key, and a witness's: the corpus has notes of both. */
static const char *const vkeys[] = {
    "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
};

static struct cdop_bytes
bytes_of(const char *text)
{
	return (struct cdop_bytes){(const uint8_t *)text, strlen(text)};
}

static void
must_be(struct cdop_bytes in, const uint8_t *out, size_t len)
{
	CDOP_ASSERT(in.len == len && memcmp(in.data, out, len) == 0);
}

static void
try_key(struct cdop_bytes in)
{
	char text[CDOP_NOTE_VKEY_MAX];
	struct cdop_note_key key;

	if (cdop_note_key_parse(in, &key) != CDOP_OK)
		return;
	CDOP_ASSERT(cdop_note_is_name(key.name));
	cdop_note_key_write(&key, text);
	must_be(in, (const uint8_t *)text, strlen(text));
}

/* Three lines are written back, where the origin is one of ours. */
static void
try_checkpoint(struct cdop_bytes in)
{
	uint8_t out[CDOP_CHECKPOINT_TEXT_MAX];
	struct cdop_checkpoint checkpoint;
	size_t len;

	if (cdop_checkpoint_parse(in, &checkpoint) != CDOP_OK ||
	    cdop_checkpoint_write(&checkpoint, out, &len) != CDOP_OK)
		return;
	CDOP_ASSERT(len <= in.len);
	in.len = len;
	must_be(in, out, len);
}

/* The parts lie in order and, with what stands between them, are all. */
static void
check_parts(struct cdop_bytes in, const struct cdop_note *note)
{
	const uint8_t *at = in.data;
	size_t i;

	CDOP_ASSERT(note->text.data == at && note->n > 0);
	at += note->text.len + 1;
	for (i = 0; i < note->n; i++) {
		CDOP_ASSERT(note->signature[i].name.data == at + 4);
		at += 4 + note->signature[i].name.len + 1;
		CDOP_ASSERT(note->signature[i].base64.data == at);
		at += note->signature[i].base64.len + 1;
	}
	CDOP_ASSERT(at == in.data + in.len);
}

static void
try_note(struct cdop_bytes in)
{
	struct cdop_note_signer signer;
	uint8_t seed[CDOP_NOTE_SEED_LEN] = {7};
	struct cdop_note note;
	struct cdop_note_key key;
	uint8_t out[8192];
	size_t i, len;

	if (cdop_note_parse(in, &note) != CDOP_OK)
		return;
	check_parts(in, &note);
	try_checkpoint(note.text);
	for (i = 0; i < 2; i++) {
		CDOP_ASSERT(
		    cdop_note_key_parse(bytes_of(vkeys[i]), &key) == CDOP_OK);
		(void)cdop_note_verify(&note, &key, NULL);
	}
	CDOP_ASSERT(cdop_note_signer_init(
			&signer, "fuzz", CDOP_NOTE_ED25519, seed) == CDOP_OK);
	if (cdop_note_add(in, &signer, 0, out, sizeof(out), &len) != CDOP_OK)
		return;
	CDOP_ASSERT(
	    cdop_note_parse((struct cdop_bytes){out, len}, &note) == CDOP_OK);
	CDOP_ASSERT(cdop_note_verify(&note, &signer.key, NULL) == CDOP_OK);
}

static void
try_proof(struct cdop_bytes in)
{
	static const uint8_t leaf[CDOP_MERKLE_HASH];
	static uint8_t out[CDOP_LOGPROOF_MAX(CDOP_NOTE_MAX)];
	struct cdop_logproof logproof;
	struct cdop_note_key key;
	size_t len;

	if (cdop_logproof_parse(in, &logproof) != CDOP_OK)
		return;
	CDOP_ASSERT(
	    cdop_logproof_write(&logproof, out, sizeof(out), &len) == CDOP_OK);
	must_be(in, out, len);
	CDOP_ASSERT(cdop_note_key_parse(bytes_of(vkeys[0]), &key) == CDOP_OK);
	(void)cdop_logproof_check(&logproof, leaf, &key, NULL);
}

/* Signed by two keys of nobody: what is read is sound by itself. */
static void
try_statement(struct cdop_bytes in)
{
	static const uint8_t registry[16];
	struct cdop_note_signer before;
	uint8_t seed[CDOP_NOTE_SEED_LEN] = {1};
	struct cdop_statement said;

	CDOP_ASSERT(
	    cdop_note_signer_init(&before, "00000000000000000000000000000000/1",
		CDOP_NOTE_ED25519, seed) == CDOP_OK);
	if (cdop_statement_open(in, registry, &before.key, &said) != CDOP_OK)
		return;
	CDOP_ASSERT(said.n_by > 0 && said.n_by <= CDOP_STATEMENT_BY_MAX);
	CDOP_ASSERT(cdop_note_is_name(said.key.name));
}

static void
try_leaf(struct cdop_bytes in)
{
	uint8_t out[CDOP_LEAF_LEN];
	struct cdop_leaf leaf;

	if (cdop_leaf_parse(in, &leaf) != CDOP_OK)
		return;
	cdop_leaf_write(&leaf, out);
	must_be(in, out, sizeof(out));
}

static void
try_bundle(struct cdop_bytes in)
{
	struct cdop_bytes rest = in, entry;
	uint8_t *out;
	size_t len = 0;

	out = malloc(in.len + 1);
	CDOP_ASSERT(out != NULL);
	while (rest.len > 0 && cdop_tile_entry_next(&rest, &entry) == CDOP_OK)
		CDOP_ASSERT(
		    cdop_tile_entry_write(entry, out, in.len, &len) == CDOP_OK);
	in.len -= rest.len;
	must_be(in, out, len);
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cdop_bytes in = {data, len};

	if (len == 0)
		return 0;
	try_key(in);
	try_checkpoint(in);
	try_note(in);
	try_statement(in);
	try_proof(in);
	try_leaf(in);
	try_bundle(in);
	return 0;
}
