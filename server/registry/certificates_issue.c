/* What a certificate says, and which backups speak against it. */
#include <string.h>

#include "server/registry/backups.h"
#include "server/registry/certificates.h"
#include "server/registry/checkpoints.h"
#include "server/vault/rows.h"

struct issuing {
	struct registry *reg;
	struct cdop_arena *arena;
	const Cdop__StoredCertificate *stored;
	const Cdop__StoredRotation *rotation;
	struct cdop_certificate_backup *backup;
	struct cdop_certificate_range *range;
	struct cdop_certificate out;
};

static const char *
ground_word(Cdop__ErasureGround ground)
{
	switch (ground) {
	case CDOP__ERASURE_GROUND__COURT_ORDER:
		return "court_order";
	case CDOP__ERASURE_GROUND__SUBJECT_REQUEST:
		return "subject_request";
	case CDOP__ERASURE_GROUND__RETENTION_ENDED:
		return "retention_ended";
	case CDOP__ERASURE_GROUND__NOT_A_CASE:
		return "not_a_case";
	case CDOP__ERASURE_GROUND__OTHER_GROUND:
	case _CDOP__ERASURE_GROUND_IS_INT_SIZE:
		break;
	}
	return "other";
}

/* ---- backups ------------------------------------------------------------ */

/*
 * It was taken to its end: has it a key that is destroyed now?  A manifest
 * that cannot be read proves nothing.
 */
static enum cdop_err
has_epoch(
    struct issuing *issuing, const struct backups_entry *entry, bool *ret_has)
{
	const Cdop__StoredRotation *rotation = issuing->rotation;
	const size_t mark = cdop_arena_used(issuing->arena);
	struct cdop_manifest manifest;
	enum cdop_err err;
	size_t i, k;

	*ret_has = false;
	err = cdop_manifest_parse(entry->manifest, issuing->arena, &manifest);
	if (err == CDOP_OK)
		for (i = 0; i < manifest.n_epochs; i++)
			for (k = 0; k < rotation->n_destroyed; k++)
				*ret_has |= manifest.epoch[i].id ==
				    rotation->destroyed[k];
	cdop_arena_rewind(issuing->arena, mark);
	return err;
}

/*
 * The rows and the key of the case, whatever epoch key wrapped it then.  One
 * that was begun before the case was erased may have met them.
 */
static bool
has_case(const struct issuing *issuing, const struct backups_entry *entry)
{
	const Cdop__StoredCertificate *stored = issuing->stored;

	return stored->has_case_id && entry->begun_ms <= stored->asked_ms &&
	    entry->ended_ms >= stored->since_ms;
}

/*
 * Older than all ranges before.  Where there is no room for one more range the
 * last one takes it in, and claims no more than that nobody knows.
 */
static void
name_in_range(struct issuing *issuing, uint64_t from, uint64_t to,
    enum cdop_certificate_holds holds)
{
	struct cdop_certificate *out = &issuing->out;
	struct cdop_certificate_range *last =
	    out->n_ranges == 0 ? NULL : &issuing->range[out->n_ranges - 1];

	out->more_backups += to - from + 1;
	if (last != NULL && last->from == to + 1 && last->holds == holds) {
		last->from = from;
	} else if (out->n_ranges < CDOP_CERTIFICATE_RANGES) {
		issuing->range[out->n_ranges++] =
		    (struct cdop_certificate_range){from, to, holds};
	} else if (last != NULL) {
		last->from = from;
		last->holds = CDOP_CERTIFICATE_UNKNOWN;
	}
}

static void
name_backup(struct issuing *issuing, const struct backups_entry *entry,
    enum cdop_certificate_holds holds)
{
	struct cdop_certificate *out = &issuing->out;

	if (entry->destroyed_ms != 0)
		holds = CDOP_CERTIFICATE_GONE;
	if (out->n_backup == CDOP_CERTIFICATE_BACKUPS) {
		name_in_range(issuing, entry->number, entry->number, holds);
		return;
	}
	issuing->backup[out->n_backup++] = (struct cdop_certificate_backup){
	    .number = entry->number,
	    .begun_ms = entry->begun_ms,
	    .holds = holds,
	    .label = entry->label,
	    .said_ms = entry->destroyed_ms,
	    .said_by = entry->destroyed_by,
	    .said_second = entry->destroyed_second,
	};
}

static enum cdop_err
look_at(struct issuing *issuing, const struct backups_entry *entry)
{
	enum cdop_err err;
	bool has;

	if (entry->ended_ms == 0 || entry->manifest.len == 0) {
		name_backup(issuing, entry, CDOP_CERTIFICATE_UNKNOWN);
		return CDOP_OK;
	}
	err = has_epoch(issuing, entry, &has);
	if (err == CDOP_RESOURCE_EXHAUSTED)
		return err;
	if (err != CDOP_OK)
		name_backup(issuing, entry, CDOP_CERTIFICATE_UNKNOWN);
	else if (has_case(issuing, entry))
		name_backup(issuing, entry, CDOP_CERTIFICATE_HOLDS);
	else if (has)
		name_backup(issuing, entry,
		    issuing->stored->has_case_id ? CDOP_CERTIFICATE_EPOCH
						 : CDOP_CERTIFICATE_HOLDS);
	return CDOP_OK;
}

/* Between two numbers: what made room for others, and nothing is known of. */
static void
name_missing(struct issuing *issuing, uint32_t from, uint32_t to)
{
	if (from + 1 < to)
		name_in_range(
		    issuing, from + 1ull, to - 1ull, CDOP_CERTIFICATE_UNKNOWN);
}

/* The newest first: those are there most likely. */
static enum cdop_err
look_at_backups(struct issuing *issuing)
{
	const struct backups *backups = issuing->reg->backups;
	const struct backups_entry *entry;
	enum cdop_err err = CDOP_OK;
	uint32_t below = 0; /* the entry before has this number; 0: none has */
	size_t i;

	issuing->backup = cdop_arena_calloc(
	    issuing->arena, CDOP_CERTIFICATE_BACKUPS, sizeof(*issuing->backup));
	issuing->range = cdop_arena_calloc(
	    issuing->arena, CDOP_CERTIFICATE_RANGES, sizeof(*issuing->range));
	if (issuing->backup == NULL || issuing->range == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	issuing->out.backup = issuing->backup;
	issuing->out.range = issuing->range;
	for (i = backups_count(backups); err == CDOP_OK && i > 0; i--) {
		entry = backups_at(backups, i - 1);
		name_missing(issuing, entry->number, below);
		below = entry->number;
		err = look_at(issuing, entry);
	}
	name_missing(issuing, 0, below);
	return err;
}

/* ---- all of it ---------------------------------------------------------- */

static enum cdop_err
take_rotation(struct issuing *issuing)
{
	const Cdop__StoredRotation *rotation = issuing->rotation;
	struct cdop_certificate *out = &issuing->out;
	struct cdop_certificate_count *census;
	size_t i;

	census = cdop_arena_calloc(
	    issuing->arena, rotation->n_census, sizeof(*census));
	if (census == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < rotation->n_census; i++) {
		census[i].key = rotation->census[i]->key;
		census[i].n = rotation->census[i]->has_rows
		    ? rotation->census[i]->rows
		    : rotation->census[i]->case_keys;
	}
	out->census = census;
	out->n_census = rotation->n_census;
	out->rotation = rotation->number;
	out->compromised = rotation->compromised;
	out->renewed =
	    rotation->compromised && rotation->what == CDOP__KEY_WHAT__KEY_ROOT;
	out->destroyed = rotation->destroyed;
	out->n_destroyed = rotation->n_destroyed;
	out->copied = rotation->rows;
	return CDOP_OK;
}

enum cdop_err
certificates_note(struct registry *reg, struct cdop_arena *arena,
    const Cdop__StoredCertificate *stored, const Cdop__StoredRotation *rotation,
    ProtobufCBinaryData *ret_note)
{
	struct issuing issuing = {
	    .reg = reg,
	    .arena = arena,
	    .stored = stored,
	    .rotation = rotation,
	};
	struct cdop_bytes note;
	enum cdop_err err;

	issuing.out.number = stored->number;
	issuing.out.issued_ms = stored->issued_ms;
	issuing.out.asked_ms = stored->asked_ms;
	issuing.out.requester = stored->requester;
	issuing.out.approver = stored->approver;
	issuing.out.reference = stored->reference;
	issuing.out.ground = ground_word(stored->ground);
	/* Then there is no day before which no backup has any of it. */
	issuing.out.moved = stored->has_case_id && stored->since_ms == 0;
	issuing.out.rows = stored->rows;
	issuing.out.case_key = stored->case_key;
	issuing.out.incarnation = rows_incarnation(reg->rows);
	err = take_rotation(&issuing);
	if (err == CDOP_OK)
		err = look_at_backups(&issuing);
	if (err == CDOP_OK)
		err = checkpoints_certificate(
		    reg->checkpoints, arena, &issuing.out, &note);
	if (err != CDOP_OK)
		return err;
	ret_note->data = (uint8_t *)(uintptr_t)note.data;
	ret_note->len = note.len;
	return CDOP_OK;
}
