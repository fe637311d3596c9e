/* Statements about the log key, read and written; see cdop/statement.h. */
#include "cdop/statement.h"

#include <string.h>

#include "cdop/secret.h"
#include "cdop/text.h"
#include "proto/note_inner.h"

#define HEAD       "cdop-statement/1"
#define REGISTRY   16
#define WORDS_MAX  (4 * CDOP_REASON_MAX)
#define NUMBER_MAX UINT16_MAX

static const char *const kinds[] = {
    [CDOP_STATEMENT_KEY] = "key",
    [CDOP_STATEMENT_RESTORE] = "restore",
    [CDOP_STATEMENT_RECOVER] = "recover",
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const char *
cdop_statement_kind_name(enum cdop_statement_kind kind)
{
	return kinds[kind];
}

/* ---- what a statement has to be ---------------------------------------- */

static bool
is_words(struct cdop_bytes words, size_t max)
{
	uint8_t line[WORDS_MAX + 2];
	char text[WORDS_MAX + 1];

	if (words.len == 0 || words.len > WORDS_MAX ||
	    memchr(words.data, '\n', words.len) != NULL)
		return false;
	memcpy(line, words.data, words.len);
	line[words.len] = '\n';
	if (!cdop_note_is_text((struct cdop_bytes){line, words.len + 1}))
		return false;
	memcpy(text, words.data, words.len);
	text[words.len] = '\0';
	return cdop_text_length(text) <= max;
}

/* The numbers: see the head of statement.h. */
static bool
goes_on_rightly(const struct cdop_statement *statement)
{
	uint16_t from, lost, now = statement->incarnation;

	if (!cdop_checkpoint_is_of(
		&statement->from, statement->registry, &from))
		return false;
	if (statement->kind == CDOP_STATEMENT_KEY)
		return from == now && !statement->has_lost;
	if (from >= now)
		return false;
	if (!statement->has_lost)
		return true;
	return statement->kind == CDOP_STATEMENT_RESTORE &&
	    cdop_checkpoint_is_of(
		&statement->lost, statement->registry, &lost) &&
	    lost < now;
}

static bool
is_sound(const struct cdop_statement *statement)
{
	char origin[CDOP_CHECKPOINT_ORIGIN_MAX];
	size_t i;

	cdop_checkpoint_origin(
	    statement->registry, statement->incarnation, origin);
	if (strcmp(statement->key.name, origin) != 0 ||
	    statement->key.type != CDOP_NOTE_ED25519 ||
	    !goes_on_rightly(statement) || statement->n_by == 0 ||
	    statement->n_by > CDOP_STATEMENT_BY_MAX ||
	    !is_words(statement->reason, CDOP_REASON_MAX))
		return false;
	for (i = 0; i < statement->n_by; i++)
		if (!is_words(statement->by[i], CDOP_TEXT_MAX))
			return false;
	return true;
}

/* ---- writing ----------------------------------------------------------- */

static void
put_line(struct note_out *out, const char *word, const char *value)
{
	cdop_note_put_text(out, word);
	cdop_note_put_text(out, " ");
	cdop_note_put_text(out, value);
	cdop_note_put_text(out, "\n");
}

static void
put_words(struct note_out *out, const char *word, struct cdop_bytes words)
{
	cdop_note_put_text(out, word);
	cdop_note_put_text(out, " ");
	cdop_note_put(out, words.data, words.len);
	cdop_note_put_text(out, "\n");
}

static void
put_number(struct note_out *out, const char *word, uint64_t number)
{
	cdop_note_put_text(out, word);
	cdop_note_put_text(out, " ");
	cdop_note_put_decimal(out, number);
	cdop_note_put_text(out, "\n");
}

static void
put_checkpoint(struct note_out *out, const char *word,
    const struct cdop_checkpoint *checkpoint)
{
	cdop_note_put_text(out, word);
	cdop_note_put_text(out, " ");
	cdop_note_put_text(out, checkpoint->origin);
	cdop_note_put_text(out, " ");
	cdop_note_put_decimal(out, checkpoint->size);
	cdop_note_put_text(out, " ");
	cdop_note_put_base64(
	    out, (struct cdop_bytes){checkpoint->root, CDOP_MERKLE_HASH});
	cdop_note_put_text(out, "\n");
}

static void
put_statement(struct note_out *out, const struct cdop_statement *statement)
{
	char hex[2 * REGISTRY + 1], vkey[CDOP_NOTE_VKEY_MAX];
	size_t i;

	cdop_secret_hex(
	    (struct cdop_bytes){statement->registry, REGISTRY}, hex);
	cdop_note_key_write(&statement->key, vkey);
	cdop_note_put_text(out, HEAD "\n");
	put_line(out, "registry", hex);
	put_line(out, "kind", kinds[statement->kind]);
	put_number(out, "incarnation", statement->incarnation);
	put_line(out, "key", vkey);
	put_checkpoint(out, "from", &statement->from);
	if (statement->has_lost)
		put_checkpoint(out, "lost", &statement->lost);
	put_number(out, "time", statement->time_ms);
	for (i = 0; i < statement->n_by; i++)
		put_words(out, "by", statement->by[i]);
	put_words(out, "reason", statement->reason);
}

enum cdop_err
cdop_statement_sign(const struct cdop_statement *statement,
    const struct cdop_note_signer *before, const struct cdop_note_signer *after,
    uint8_t out[static CDOP_STATEMENT_MAX], size_t *ret_len)
{
	uint8_t once[CDOP_STATEMENT_MAX];
	/* The text is out's until both have signed. */
	struct note_out to = {.data = out, .max = CDOP_STATEMENT_MAX};
	size_t len;
	enum cdop_err err;

	if (!is_sound(statement) ||
	    memcmp(statement->key.public, after->key.public,
		sizeof(after->key.public)) != 0)
		return CDOP_INVALID_ARGUMENT;
	put_statement(&to, statement);
	CDOP_ASSERT(!to.full);
	err = cdop_note_sign((struct cdop_bytes){out, to.len}, before, 0, once,
	    sizeof(once), &len);
	if (err != CDOP_OK)
		return err;
	return cdop_note_add((struct cdop_bytes){once, len}, after, 0, out,
	    CDOP_STATEMENT_MAX, ret_len);
}

/* ---- reading ----------------------------------------------------------- */

/* The value of the next line, if its word is this one; else nothing moves. */
static bool
take(struct cdop_bytes *rest, const char *word, struct cdop_bytes *ret_value)
{
	struct cdop_bytes ahead = *rest;

	if (!cdop_note_line(&ahead, ret_value) ||
	    !cdop_note_word(ret_value, word))
		return false;
	*rest = ahead;
	return true;
}

static bool
take_number(struct cdop_bytes *rest, const char *word, uint64_t max,
    uint64_t *ret_number)
{
	struct cdop_bytes value;

	return take(rest, word, &value) &&
	    cdop_note_decimal(value, ret_number) && *ret_number <= max;
}

static bool
take_registry(struct cdop_bytes *rest, uint8_t out[static REGISTRY])
{
	struct cdop_bytes value;
	char hex[2 * REGISTRY + 1], again[2 * REGISTRY + 1];

	if (!take(rest, "registry", &value) || value.len != 2 * REGISTRY)
		return false;
	memcpy(hex, value.data, value.len);
	hex[value.len] = '\0';
	if (cdop_secret_unhex(hex, out, REGISTRY) != CDOP_OK)
		return false;
	cdop_secret_hex((struct cdop_bytes){out, REGISTRY}, again);
	return strcmp(hex, again) == 0; /* small letters */
}

static bool
take_kind(struct cdop_bytes *rest, enum cdop_statement_kind *ret_kind)
{
	struct cdop_bytes value;
	size_t i;

	if (!take(rest, "kind", &value))
		return false;
	for (i = CDOP_STATEMENT_KEY; i < KINDS; i++)
		if (value.len == strlen(kinds[i]) &&
		    memcmp(value.data, kinds[i], value.len) == 0) {
			*ret_kind = (enum cdop_statement_kind)i;
			return true;
		}
	return false;
}

static bool
take_key(struct cdop_bytes *rest, struct cdop_note_key *ret_key)
{
	struct cdop_bytes value;

	return take(rest, "key", &value) &&
	    cdop_note_key_parse(value, ret_key) == CDOP_OK;
}

/* Up to the next blank, and past it. */
static bool
take_part(struct cdop_bytes *line, struct cdop_bytes *ret_part)
{
	const uint8_t *blank = memchr(line->data, ' ', line->len);

	if (blank == NULL)
		return false;
	ret_part->data = line->data;
	ret_part->len = (size_t)(blank - line->data);
	line->len -= ret_part->len + 1;
	line->data = blank + 1;
	return true;
}

static bool
take_checkpoint(struct cdop_bytes *rest, const char *word,
    struct cdop_checkpoint *ret_checkpoint)
{
	struct cdop_bytes value, origin, size;

	memset(ret_checkpoint, 0, sizeof(*ret_checkpoint));
	if (!take(rest, word, &value) || !take_part(&value, &origin) ||
	    !take_part(&value, &size) || origin.len > CDOP_NOTE_NAME_MAX)
		return false;
	memcpy(ret_checkpoint->origin, origin.data, origin.len);
	return cdop_note_decimal(size, &ret_checkpoint->size) &&
	    ret_checkpoint->size <= CDOP_MERKLE_SIZE_MAX &&
	    cdop_note_hash(value, ret_checkpoint->root);
}

/* It may be absent; where it stands it has to be right. */
static bool
take_lost(struct cdop_bytes *rest, struct cdop_statement *out)
{
	struct cdop_bytes ahead = *rest, value;

	out->has_lost = take(&ahead, "lost", &value);
	return !out->has_lost || take_checkpoint(rest, "lost", &out->lost);
}

static bool
take_all(struct cdop_bytes text, struct cdop_statement *out)
{
	struct cdop_bytes rest = text, head;
	uint64_t incarnation;

	if (!cdop_note_line(&rest, &head) || head.len != strlen(HEAD) ||
	    memcmp(head.data, HEAD, head.len) != 0 ||
	    !take_registry(&rest, out->registry) ||
	    !take_kind(&rest, &out->kind) ||
	    !take_number(&rest, "incarnation", NUMBER_MAX, &incarnation) ||
	    !take_key(&rest, &out->key) ||
	    !take_checkpoint(&rest, "from", &out->from) ||
	    !take_lost(&rest, out) ||
	    !take_number(&rest, "time", UINT64_MAX, &out->time_ms))
		return false;
	out->incarnation = (uint16_t)incarnation;
	while (out->n_by < CDOP_STATEMENT_BY_MAX &&
	    take(&rest, "by", &out->by[out->n_by]))
		out->n_by++;
	return take(&rest, "reason", &out->reason) && rest.len == 0;
}

enum cdop_err
cdop_statement_open(struct cdop_bytes file, const uint8_t registry[static 16],
    const struct cdop_note_key *before, struct cdop_statement *ret_statement)
{
	struct cdop_statement statement = {.n_by = 0};
	struct cdop_note note;
	enum cdop_err err;

	if (file.len > CDOP_STATEMENT_MAX)
		return CDOP_INVALID_ARGUMENT;
	if ((err = cdop_note_parse(file, &note)) != CDOP_OK)
		return err;
	if (!take_all(note.text, &statement) || !is_sound(&statement) ||
	    memcmp(statement.registry, registry, REGISTRY) != 0)
		return CDOP_INVALID_ARGUMENT;
	if ((err = cdop_note_verify(&note, before, NULL)) != CDOP_OK)
		return err;
	err = cdop_note_verify(&note, &statement.key, NULL);
	if (err != CDOP_OK)
		return err;
	*ret_statement = statement;
	return CDOP_OK;
}
