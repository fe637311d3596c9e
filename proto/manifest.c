/* Manifests of backups, read and written; see cdop/manifest.h. */
#include "cdop/manifest.h"

#include <string.h>

#include "cdop/secret.h"
#include "proto/note_inner.h"

#define FORMAT "cdop-backup/"
#define OURS   FORMAT "1"

/* ---- writing ------------------------------------------------------------ */

static void
put_number(struct note_out *to, const char *word, uint64_t number)
{
	cdop_note_put_text(to, word);
	cdop_note_put_text(to, " ");
	cdop_note_put_decimal(to, number);
	cdop_note_put_text(to, "\n");
}

/* Lower case letters, digits and '-', as areas of a profile are spelled. */
static bool
is_word(const char *text)
{
	return text[0] != '\0' &&
	    strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_") ==
	    strlen(text);
}

static bool
is_epoch(const struct cdop_manifest_epoch *epoch)
{
	bool of_area = strcmp(epoch->scope, "area") == 0;

	return is_word(epoch->scope) &&
	    (of_area ? is_word(epoch->area) : epoch->area[0] == '\0');
}

static void
put_epoch(struct note_out *to, const struct cdop_manifest_epoch *epoch)
{
	cdop_note_put_text(to, "epoch ");
	cdop_note_put_decimal(to, epoch->id);
	cdop_note_put_text(to, " ");
	cdop_note_put_text(to, epoch->scope);
	if (epoch->area[0] != '\0') {
		cdop_note_put_text(to, " ");
		cdop_note_put_text(to, epoch->area);
	}
	cdop_note_put_text(to, " ");
	cdop_note_put_decimal(to, epoch->cases);
	cdop_note_put_text(to, "\n");
}

static enum cdop_err
put_lines(struct note_out *to, const struct cdop_manifest *manifest)
{
	size_t i;

	cdop_note_put_text(to, OURS "\n");
	put_number(to, "number", manifest->number);
	put_number(to, "taken", manifest->taken_ms);
	put_number(to, "rows", manifest->rows);
	put_number(to, "cases", manifest->cases);
	put_number(to, "bytes", manifest->bytes);
	cdop_note_put_text(to, "sha256 ");
	cdop_note_put_base64(to,
	    (struct cdop_bytes){manifest->sha256, sizeof(manifest->sha256)});
	cdop_note_put_text(to, "\n");
	for (i = 0; i < manifest->n_epochs; i++) {
		if (!is_epoch(&manifest->epoch[i]))
			return CDOP_INVALID_ARGUMENT;
		put_epoch(to, &manifest->epoch[i]);
	}
	return to->full ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
}

enum cdop_err
cdop_manifest_sign(const struct cdop_manifest *manifest,
    const struct cdop_note_signer *signer, struct cdop_arena *arena,
    struct cdop_bytes *ret_note)
{
	struct note_out to = {.max = CDOP_NOTE_MAX};
	enum cdop_err err;
	uint8_t *note;

	if (strcmp(manifest->checkpoint.origin, signer->key.name) != 0 ||
	    signer->key.type != CDOP_NOTE_ED25519 ||
	    manifest->n_epochs > CDOP_MANIFEST_EPOCHS_MAX)
		return CDOP_INVALID_ARGUMENT;
	to.data = cdop_arena_alloc(arena, CDOP_NOTE_MAX);
	note = cdop_arena_alloc(arena, CDOP_NOTE_MAX);
	if (to.data == NULL || note == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	err = cdop_checkpoint_write(&manifest->checkpoint, to.data, &to.len);
	if (err == CDOP_OK)
		err = put_lines(&to, manifest);
	if (err != CDOP_OK)
		return err;
	ret_note->data = note;
	return cdop_note_sign((struct cdop_bytes){to.data, to.len}, signer, 0,
	    note, CDOP_NOTE_MAX, &ret_note->len);
}

/* ---- reading ------------------------------------------------------------ */

static bool
take_line(struct cdop_bytes *rest, const char *word, struct cdop_bytes *value)
{
	return cdop_note_line(rest, value) && cdop_note_word(value, word);
}

static bool
take_number(struct cdop_bytes *rest, const char *word, uint64_t *ret_number)
{
	struct cdop_bytes value;

	return take_line(rest, word, &value) &&
	    cdop_note_decimal(value, ret_number);
}

/* The first word of *line and the blank behind it; room counts the NUL. */
static bool
take_word(struct cdop_bytes *line, char *out, size_t room)
{
	const uint8_t *blank = memchr(line->data, ' ', line->len);
	size_t len;

	if (blank == NULL)
		return false;
	len = (size_t)(blank - line->data);
	if (len == 0 || len >= room)
		return false;
	memcpy(out, line->data, len);
	out[len] = '\0';
	line->data += len + 1;
	line->len -= len + 1;
	return true;
}

static bool
take_epoch(struct cdop_bytes line, struct cdop_manifest_epoch *epoch)
{
	char id[NOTE_DECIMAL_MAX];

	if (!cdop_note_word(&line, "epoch") ||
	    !take_word(&line, id, sizeof(id)) ||
	    !cdop_note_decimal(
		(struct cdop_bytes){(const uint8_t *)id, strlen(id)},
		&epoch->id) ||
	    !take_word(&line, epoch->scope, sizeof(epoch->scope)))
		return false;
	if (strcmp(epoch->scope, "area") == 0 &&
	    !take_word(&line, epoch->area, sizeof(epoch->area)))
		return false;
	return is_epoch(epoch) && cdop_note_decimal(line, &epoch->cases);
}

static bool
is_format(struct cdop_bytes line)
{
	return line.len > strlen(FORMAT) &&
	    memcmp(line.data, FORMAT, strlen(FORMAT)) == 0;
}

static size_t
count_lines(struct cdop_bytes rest)
{
	struct cdop_bytes line;
	size_t n = 0;

	while (cdop_note_line(&rest, &line))
		n++;
	return n;
}

static enum cdop_err
parse_epochs(struct cdop_bytes rest, struct cdop_arena *arena,
    struct cdop_manifest *manifest)
{
	size_t n = count_lines(rest);
	struct cdop_bytes line;

	if (n > CDOP_MANIFEST_EPOCHS_MAX)
		return CDOP_INVALID_ARGUMENT;
	manifest->epoch = cdop_arena_calloc(arena, n, sizeof(*manifest->epoch));
	if (manifest->epoch == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	while (cdop_note_line(&rest, &line))
		if (!take_epoch(line, &manifest->epoch[manifest->n_epochs++]))
			return CDOP_INVALID_ARGUMENT;
	return CDOP_OK;
}

/* What stands behind the three lines of the checkpoint. */
static enum cdop_err
parse_lines(struct cdop_bytes rest, struct cdop_arena *arena,
    struct cdop_manifest *manifest)
{
	struct cdop_bytes line;

	if (!cdop_note_line(&rest, &line) || !is_format(line))
		return CDOP_INVALID_ARGUMENT;
	if (line.len != strlen(OURS) ||
	    memcmp(line.data, OURS, strlen(OURS)) != 0)
		return CDOP_UNIMPLEMENTED;
	if (!take_number(&rest, "number", &manifest->number) ||
	    !take_number(&rest, "taken", &manifest->taken_ms) ||
	    !take_number(&rest, "rows", &manifest->rows) ||
	    !take_number(&rest, "cases", &manifest->cases) ||
	    !take_number(&rest, "bytes", &manifest->bytes) ||
	    !take_line(&rest, "sha256", &line) ||
	    !cdop_note_hash(line, manifest->sha256))
		return CDOP_INVALID_ARGUMENT;
	return parse_epochs(rest, arena, manifest);
}

enum cdop_err
cdop_manifest_parse(struct cdop_bytes file, struct cdop_arena *arena,
    struct cdop_manifest *ret_manifest)
{
	struct cdop_bytes rest, line;
	struct cdop_note note;
	enum cdop_err err;
	unsigned i;

	memset(ret_manifest, 0, sizeof(*ret_manifest));
	if ((err = cdop_note_parse(file, &note)) != CDOP_OK)
		return err;
	err = cdop_checkpoint_parse(note.text, &ret_manifest->checkpoint);
	if (err != CDOP_OK)
		return err;
	rest = note.text;
	for (i = 0; i < 3; i++)
		if (!cdop_note_line(&rest, &line))
			return CDOP_INVALID_ARGUMENT;
	return parse_lines(rest, arena, ret_manifest);
}

void
cdop_manifest_hash(
    uint8_t out[static CDOP_MANIFEST_HASH], struct cdop_bytes note)
{
	cdop_secret_hash(
	    out, CDOP_MANIFEST_HASH, NULL, "cdop-manifest/1", &note, 1);
}

/* ---- the code of one that was opened --------------------------------------
 */

#define PROOF_CHARS CDOP_BASE32_LEN(CDOP_MANIFEST_PROOF)
#define PROOF_GROUP 4

void
cdop_manifest_proof_write(const uint8_t proof[static CDOP_MANIFEST_PROOF],
    char ret_text[static CDOP_MANIFEST_PROOF_TEXT])
{
	char plain[PROOF_CHARS + 1];
	char *out = ret_text;
	size_t i;

	cdop_secret_base32(
	    (struct cdop_bytes){proof, CDOP_MANIFEST_PROOF}, plain);
	for (i = 0; i < PROOF_CHARS; i++) {
		if (i > 0 && i % PROOF_GROUP == 0)
			*out++ = '-';
		*out++ = plain[i];
	}
	*out = '\0';
}

enum cdop_err
cdop_manifest_proof_parse(
    const char *text, uint8_t ret_proof[static CDOP_MANIFEST_PROOF])
{
	uint8_t bytes[CDOP_MANIFEST_PROOF];
	size_t len = 0;
	enum cdop_err err;

	err = cdop_secret_unbase32(text, bytes, sizeof(bytes), &len);
	if (err != CDOP_OK || len != sizeof(bytes))
		return CDOP_INVALID_ARGUMENT;
	memcpy(ret_proof, bytes, sizeof(bytes));
	return CDOP_OK;
}
