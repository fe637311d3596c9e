/* Certificates of destruction; see cdop/certificate.h. */
#include "cdop/certificate.h"

#include <string.h>

#include "proto/note_inner.h"

#define FORMAT     "cdop-certificate/"
#define OURS       FORMAT "1"
#define CHECKPOINT 3 /* lines */

/* What no registry can know of itself. */
static const char *const outside[] = {
    "raw media: what was written to a disk once may still lie on it",
    "copies: files of this registry that were copied by hand",
    "the old root: who has it, and such a file, opens what that file holds",
    "backups: one that is restored brings back what it holds",
};

static const char *const outside_case[] = {
    "the log: its reference, and who asked for it and when",
    "searches: what was typed to find it, until its quarter is forgotten",
    "other cases: what they say in words, and links that name the reference",
    "clients: what people have printed, exported or kept",
};

static const char came_from[] =
    "cases it came from: values of what was moved that were amended into "
    "their record";

/* ---- writing ------------------------------------------------------------ */

static void
put_number(struct note_out *to, const char *word, uint64_t number)
{
	cdop_note_put_text(to, word);
	cdop_note_put_text(to, " ");
	cdop_note_put_decimal(to, number);
}

static void
put_line(struct note_out *to, const char *word, uint64_t number)
{
	put_number(to, word, number);
	cdop_note_put_text(to, "\n");
}

static void
put_words(struct note_out *to, const char *word, const char *words)
{
	cdop_note_put_text(to, word);
	cdop_note_put_text(to, " ");
	cdop_note_put_text(to, words);
	cdop_note_put_text(to, "\n");
}

static const char *
holds_word(enum cdop_certificate_holds holds)
{
	switch (holds) {
	case CDOP_CERTIFICATE_HOLDS:
		return "holds";
	case CDOP_CERTIFICATE_EPOCH:
		return "epoch";
	case CDOP_CERTIFICATE_GONE:
		return "destroyed";
	case CDOP_CERTIFICATE_UNKNOWN:
		break;
	}
	return "unknown";
}

/* Whoever named a backup writes no line of a certificate. */
static void
put_label(struct note_out *to, const char *label)
{
	for (; *label != '\0'; label++)
		cdop_note_put(to,
		    (unsigned char)*label < ' ' || *label == 0x7f ? " " : label,
		    1);
}

/* Said, and not proved: who reads it knows whom to ask. */
static void
put_gone(struct note_out *to, const struct cdop_certificate_backup *backup)
{
	put_number(to, "said-destroyed", backup->number);
	put_number(to, "", backup->said_ms);
	put_number(to, "", backup->said_by);
	put_number(to, "", backup->said_second);
	cdop_note_put_text(to, " ");
	put_label(to, backup->label);
	cdop_note_put_text(to, "\n");
}

static void
put_backup(struct note_out *to, const struct cdop_certificate_backup *backup)
{
	if (backup->holds == CDOP_CERTIFICATE_GONE) {
		put_gone(to, backup);
		return;
	}
	put_number(to, "backup", backup->number);
	cdop_note_put_text(to, " ");
	cdop_note_put_decimal(to, backup->begun_ms);
	cdop_note_put_text(to, " ");
	cdop_note_put_text(to, holds_word(backup->holds));
	cdop_note_put_text(to, " ");
	put_label(to, backup->label);
	cdop_note_put_text(to, "\n");
}

static void
put_range(struct note_out *to, const struct cdop_certificate_range *range)
{
	put_number(to, "backups", range->from);
	cdop_note_put_text(to, "-");
	cdop_note_put_decimal(to, range->to);
	cdop_note_put_text(to, " ");
	cdop_note_put_text(to, holds_word(range->holds));
	cdop_note_put_text(to, "\n");
}

static void
put_case(struct note_out *to, const struct cdop_certificate *certificate)
{
	put_words(to, "erased", certificate->reference);
	put_words(to, "ground", certificate->ground);
	put_line(to, "rows", certificate->rows);
	put_line(to, "case-key", certificate->case_key);
}

static void
put_outside(struct note_out *to, const struct cdop_certificate *certificate)
{
	size_t i;

	for (i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
		put_words(to, "outside", outside[i]);
	if (certificate->incarnation > 1) {
		put_number(to, "outside lost: before incarnation",
		    certificate->incarnation);
		cdop_note_put_text(to,
		    " backups were perhaps taken that a restore made unknown "
		    "here\n");
	}
	if (certificate->reference == NULL)
		return;
	for (i = 0; i < sizeof(outside_case) / sizeof(outside_case[0]); i++)
		put_words(to, "outside", outside_case[i]);
	if (certificate->moved)
		put_words(to, "outside", came_from);
}

static void
put_all(struct note_out *to, const struct cdop_certificate *certificate)
{
	size_t i;

	cdop_note_put_text(to, OURS "\n");
	put_line(to, "number", certificate->number);
	put_line(to, "issued", certificate->issued_ms);
	if (certificate->reference != NULL)
		put_case(to, certificate);
	put_number(to, "asked", certificate->asked_ms);
	cdop_note_put_text(to, " ");
	cdop_note_put_decimal(to, certificate->requester);
	cdop_note_put_text(to, "\n");
	put_line(to, "approved", certificate->approver);
	put_line(to, "rotation", certificate->rotation);
	if (certificate->compromised)
		put_words(to, "cause", "compromised");
	if (certificate->renewed)
		put_words(to, "root", "renewed");
	for (i = 0; i < certificate->n_destroyed; i++)
		put_line(to, "destroyed", certificate->destroyed[i]);
	put_line(to, "copied", certificate->copied);
	for (i = 0; i < certificate->n_census; i++) {
		put_number(to, "census", certificate->census[i].key);
		put_line(to, "", certificate->census[i].n);
	}
	for (i = 0; i < certificate->n_backup; i++)
		put_backup(to, &certificate->backup[i]);
	for (i = 0; i < certificate->n_ranges; i++)
		put_range(to, &certificate->range[i]);
	if (certificate->more_backups > 0)
		put_line(to, "more-backups", certificate->more_backups);
	put_outside(to, certificate);
}

enum cdop_err
cdop_certificate_sign(const struct cdop_certificate *certificate,
    const struct cdop_note_signer *signer, struct cdop_arena *arena,
    struct cdop_bytes *ret_note)
{
	struct note_out to = {.max = CDOP_NOTE_MAX};
	enum cdop_err err;
	uint8_t *note;

	if (strcmp(certificate->checkpoint.origin, signer->key.name) != 0 ||
	    signer->key.type != CDOP_NOTE_ED25519)
		return CDOP_INVALID_ARGUMENT;
	to.data = cdop_arena_alloc(arena, CDOP_NOTE_MAX);
	note = cdop_arena_alloc(arena, CDOP_NOTE_MAX);
	if (to.data == NULL || note == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	err = cdop_checkpoint_write(&certificate->checkpoint, to.data, &to.len);
	if (err != CDOP_OK)
		return err;
	put_all(&to, certificate);
	if (to.full)
		return CDOP_RESOURCE_EXHAUSTED;
	ret_note->data = note;
	return cdop_note_sign((struct cdop_bytes){to.data, to.len}, signer, 0,
	    note, CDOP_NOTE_MAX, &ret_note->len);
}

/* ---- reading ------------------------------------------------------------ */

static enum cdop_err
check_format(struct cdop_bytes line)
{
	const size_t len = strlen(FORMAT);

	if (line.len == strlen(OURS) && memcmp(line.data, OURS, line.len) == 0)
		return CDOP_OK;
	return line.len > len && memcmp(line.data, FORMAT, len) == 0
	    ? CDOP_UNIMPLEMENTED
	    : CDOP_INVALID_ARGUMENT;
}

/* The lines that are a certificate's own. */
static enum cdop_err
begin(struct cdop_bytes file, struct cdop_bytes *ret_rest)
{
	struct cdop_bytes line = {NULL, 0};
	struct cdop_note note;
	size_t i;

	if (cdop_note_parse(file, &note) != CDOP_OK)
		return CDOP_INVALID_ARGUMENT;
	*ret_rest = note.text;
	for (i = 0; i < CHECKPOINT + 1; i++)
		if (!cdop_note_line(ret_rest, &line))
			return CDOP_INVALID_ARGUMENT;
	return check_format(line);
}

static size_t
count_lines(struct cdop_bytes text)
{
	size_t i, n = 0;

	for (i = 0; i < text.len; i++)
		n += text.data[i] == '\n';
	return n;
}

static enum cdop_err
take_line(struct cdop_bytes line, struct cdop_arena *arena,
    struct cdop_certificate_line *out)
{
	const uint8_t *blank = memchr(line.data, ' ', line.len);
	size_t len;

	if (blank == NULL || blank == line.data)
		return CDOP_INVALID_ARGUMENT;
	len = (size_t)(blank - line.data);
	out->word =
	    cdop_arena_printf(arena, "%.*s", (int)len, (const char *)line.data);
	out->says = cdop_arena_printf(
	    arena, "%.*s", (int)(line.len - len - 1), (const char *)blank + 1);
	return out->word == NULL || out->says == NULL ? CDOP_RESOURCE_EXHAUSTED
						      : CDOP_OK;
}

enum cdop_err
cdop_certificate_parse(struct cdop_bytes file, struct cdop_arena *arena,
    struct cdop_certificate_line **ret_line, size_t *ret_n)
{
	struct cdop_certificate_line *all;
	struct cdop_bytes rest, line;
	enum cdop_err err;
	size_t n = 0;

	if ((err = begin(file, &rest)) != CDOP_OK)
		return err;
	all = cdop_arena_calloc(arena, count_lines(rest), sizeof(*all));
	if (all == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	while (cdop_note_line(&rest, &line))
		if ((err = take_line(line, arena, &all[n++])) != CDOP_OK)
			return err;
	*ret_line = all;
	*ret_n = n;
	return CDOP_OK;
}
