/* Cosignatures that came in; see witnesses.h. */
#include "server/registry/witnesses.h"

#include <stdlib.h>
#include <string.h>

#include "cdop/checkpoint.h"
#include "server/base/undo.h"
#include "server/registry/actor.h"
#include "server/registry/message.h"
#include "server/registry/rollback.h"
#include "server/store/schema.h"
#include "server/vault/rows.h"

#define AHEAD_S (24 * 60 * 60) /* as for request keys: clocks differ */

struct witnesses {
	struct registry *reg;
	struct witness list[WITNESSES_MAX];
};

enum cdop_err
witnesses_new(struct registry *reg, struct witnesses **ret_witnesses)
{
	struct witnesses *witnesses = calloc(1, sizeof(*witnesses));

	if (witnesses == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	witnesses->reg = reg;
	*ret_witnesses = witnesses;
	return CDOP_OK;
}

void
witnesses_free(struct witnesses *witnesses)
{
	free(witnesses);
}

/*
 * The person's place, or a free one, or that of whoever signed longest ago:
 * many who have signed once keep nobody out.
 */
static struct witness *
place_of(struct witnesses *witnesses, uint32_t person)
{
	struct witness *place = &witnesses->list[0], *at;
	size_t i;

	for (i = 0; i < WITNESSES_MAX; i++) {
		at = &witnesses->list[i];
		if (at->person == person)
			return at;
		if (place->person != 0 &&
		    (at->person == 0 || at->time_s < place->time_s))
			place = at;
	}
	return place;
}

enum cdop_err
witnesses_load(struct witnesses *witnesses, uint64_t row,
    const Cdop__StoredWitness *stored)
{
	struct witness *place;

	place = place_of(witnesses, stored->person);
	if (stored->person == 0 || place->person != 0)
		return CDOP_DATA_LOSS;
	place->person = stored->person;
	place->version = stored->version;
	place->row = row;
	place->size = stored->size;
	place->time_s = stored->time_s;
	return CDOP_OK;
}

struct witness
witnesses_of(const struct witnesses *witnesses, uint32_t person)
{
	size_t i;

	for (i = 0; i < WITNESSES_MAX; i++)
		if (witnesses->list[i].person == person)
			return witnesses->list[i];
	return (struct witness){0};
}

struct witness
witnesses_newest(const struct witnesses *witnesses)
{
	const struct witness *newest = &witnesses->list[0];
	size_t i;

	for (i = 1; i < WITNESSES_MAX; i++)
		if (witnesses->list[i].time_s > newest->time_s)
			newest = &witnesses->list[i];
	return *newest;
}

/* ---- one that comes ----------------------------------------------------- */

static enum cdop_err
refuse(enum witnesses_fault fault, enum witnesses_fault *ret_fault)
{
	*ret_fault = fault;
	return fault == WITNESSES_FORKED ? CDOP_FAILED_PRECONDITION
					 : CDOP_INVALID_ARGUMENT;
}

/* Signed by the witness, and a part of this log. */
static enum cdop_err
check(struct registry *reg, const struct witnesses_sent *sent,
    struct witness *ret_new, enum witnesses_fault *ret_fault)
{
	const struct cdop_bytes key_text = {
	    (const uint8_t *)sent->vkey, strlen(sent->vkey)};
	struct cdop_checkpoint checkpoint;
	struct cdop_note_key key;
	struct cdop_note note;
	enum rollback found;
	uint16_t incarnation;
	enum cdop_err err;

	if (cdop_note_parse(sent->note, &note) != CDOP_OK ||
	    cdop_checkpoint_parse(note.text, &checkpoint) != CDOP_OK ||
	    !cdop_checkpoint_is_of(&checkpoint, reg->id, &incarnation) ||
	    incarnation != rows_incarnation(reg->rows))
		return refuse(WITNESSES_NO_NOTE, ret_fault);
	if (cdop_note_key_parse(key_text, &key) != CDOP_OK ||
	    key.type != CDOP_NOTE_COSIGNATURE ||
	    cdop_note_verify(&note, &key, &ret_new->time_s) != CDOP_OK)
		return refuse(WITNESSES_NO_KEY, ret_fault);
	if (ret_new->time_s > sent->now_ms / 1000 + AHEAD_S)
		return refuse(WITNESSES_AHEAD, ret_fault);
	if ((err = rollback_check(reg, sent->note, &found)) != CDOP_OK)
		return err;
	if (found != ROLLBACK_NONE)
		return refuse(WITNESSES_FORKED, ret_fault);
	ret_new->size = checkpoint.size;
	return CDOP_OK;
}

static enum cdop_err
store(struct witnesses *witnesses, struct cdop_arena *arena,
    const struct witnesses_sent *sent, struct witness *kept)
{
	const struct rows_new row = {
	    .kind = SCHEMA_KIND_WITNESS,
	    .schema = 1,
	    .version = kept->version,
	};
	Cdop__StoredWitness stored;

	cdop__stored_witness__init(&stored);
	stored.person = kept->person;
	stored.device = sent->actor->device;
	stored.version = kept->version;
	stored.vkey = (char *)(uintptr_t)sent->vkey;
	stored.note.data = (uint8_t *)(uintptr_t)sent->note.data;
	stored.note.len = sent->note.len;
	stored.size = kept->size;
	stored.time_s = kept->time_s;
	return message_put(witnesses->reg->rows, arena, &row, kept->row,
	    &stored.base, &kept->row);
}

enum cdop_err
witnesses_take(struct witnesses *witnesses, struct cdop_arena *arena,
    const struct witnesses_sent *sent, struct witness *ret_kept,
    enum witnesses_fault *ret_fault)
{
	struct witness *place, new = {.person = sent->actor->person};
	enum cdop_err err;

	*ret_fault = WITNESSES_FINE;
	err = check(witnesses->reg, sent, &new, ret_fault);
	if (err != CDOP_OK)
		return err;
	place = place_of(witnesses, sent->actor->person);
	*ret_kept = *place;
	if (place->person ==
	    new.person &&new.size <= place->size &&new.time_s <= place->time_s)
		return CDOP_OK;
	new.row = place->row;
	new.version = place->version + 1;
	err = undo_save(witnesses->reg->undo, place, sizeof(*place));
	if (err == CDOP_OK)
		err = store(witnesses, arena, sent, &new);
	if (err != CDOP_OK)
		return err;
	*place = new;
	*ret_kept = new;
	return CDOP_OK;
}
