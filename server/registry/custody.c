/* Proofs of slots and shares; see custody.h. */
#include "server/registry/custody.h"

#include <stdlib.h>
#include <string.h>

#include "cdop/secret.h"
#include "server/base/undo.h"
#include "server/registry/message.h"
#include "server/store/schema.h"
#include "server/vault/rows_slots.h"

#define SHEET 32 /* bytes of the hash of one */

struct custody {
	struct registry *reg;
	uint64_t row; /* 0: there is none yet */
	uint32_t version;
	uint8_t sheet[SHEET];
	uint64_t sheet_ms; /* 0: none is known of */
	size_t n;
	struct custody_proof list[CUSTODY_MAX];
};

enum cdop_err
custody_new(struct registry *reg, struct custody **ret_custody)
{
	struct custody *custody = calloc(1, sizeof(*custody));

	if (custody == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	custody->reg = reg;
	*ret_custody = custody;
	return CDOP_OK;
}

void
custody_free(struct custody *custody)
{
	free(custody);
}

static struct custody_proof *
find(const struct custody *custody, uint16_t slot, uint8_t share)
{
	size_t i;

	for (i = 0; i < custody->n; i++)
		if (custody->list[i].slot == slot &&
		    custody->list[i].share == share)
			return (
			    struct custody_proof *)(uintptr_t)&custody->list[i];
	return NULL;
}

const struct custody_proof *
custody_proof(const struct custody *custody, uint16_t slot, uint8_t share)
{
	return find(custody, slot, share);
}

uint64_t
custody_drilled_ms(const struct custody *custody)
{
	const struct custody_proof *proof;
	uint64_t newest = 0;
	size_t i;

	for (i = 0; i < custody->n; i++) {
		proof = &custody->list[i];
		if (proof->share != 0 && proof->how != CDOP__PROOF__ADDED &&
		    proof->at_ms > newest)
			newest = proof->at_ms;
	}
	return newest;
}

const char *
custody_how(Cdop__Proof how)
{
	switch (how) {
	case CDOP__PROOF__ADDED:
		return "when it was made";
	case CDOP__PROOF__OPENED:
		return "opened the registry";
	case CDOP__PROOF__TESTED:
		return "tested on the host";
	case CDOP__PROOF__DRILLED:
		return "in a drill";
	case _CDOP__PROOF_IS_INT_SIZE:
		break;
	}
	return "by a newer cdopd";
}

/* ---- the row ------------------------------------------------------------ */

enum cdop_err
custody_load(
    struct custody *custody, uint64_t row, const Cdop__StoredCustody *stored)
{
	const Cdop__StoredProof *from;
	size_t i;

	if (custody->row != 0 || stored->n_proof > CUSTODY_MAX ||
	    (stored->has_sheet && stored->sheet.len != SHEET))
		return CDOP_DATA_LOSS;
	if (stored->has_sheet) {
		memcpy(custody->sheet, stored->sheet.data, SHEET);
		custody->sheet_ms = stored->sheet_ms;
	}
	for (i = 0; i < stored->n_proof; i++) {
		from = stored->proof[i];
		if (from->slot > UINT16_MAX || from->share > UINT8_MAX)
			return CDOP_DATA_LOSS;
		custody->list[i] = (struct custody_proof){
		    .slot = (uint16_t)from->slot,
		    .share = (uint8_t)from->share,
		    .how = from->how,
		    .person = from->person,
		    .at_ms = from->at_ms,
		};
	}
	custody->n = stored->n_proof;
	custody->row = row;
	custody->version = stored->version;
	return CDOP_OK;
}

static enum cdop_err
store(struct custody *custody, struct cdop_arena *arena)
{
	const struct rows_new row = {
	    .kind = SCHEMA_KIND_CUSTODY,
	    .schema = 1,
	    .version = custody->version,
	};
	Cdop__StoredCustody stored;
	Cdop__StoredProof *to;
	size_t i;

	cdop__stored_custody__init(&stored);
	stored.version = custody->version;
	stored.has_sheet = stored.has_sheet_ms = custody->sheet_ms != 0;
	if (stored.has_sheet)
		stored.sheet = (ProtobufCBinaryData){SHEET, custody->sheet};
	stored.sheet_ms = custody->sheet_ms;
	stored.n_proof = custody->n;
	stored.proof =
	    cdop_arena_calloc(arena, custody->n + 1, sizeof(*stored.proof));
	to = cdop_arena_calloc(arena, custody->n + 1, sizeof(*to));
	if (stored.proof == NULL || to == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < custody->n; i++) {
		cdop__stored_proof__init(&to[i]);
		to[i].slot = custody->list[i].slot;
		to[i].has_share = custody->list[i].share != 0;
		to[i].share = custody->list[i].share;
		to[i].how = custody->list[i].how;
		to[i].has_person = custody->list[i].person != 0;
		to[i].person = custody->list[i].person;
		to[i].at_ms = custody->list[i].at_ms;
		stored.proof[i] = &to[i];
	}
	return message_put(custody->reg->rows, arena, &row, custody->row,
	    &stored.base, &custody->row);
}

/* Numbers of slots never come back, so what is gone is of no use. */
static void
forget_gone(struct custody *custody)
{
	size_t i, kept = 0, slot;

	for (i = 0; i < custody->n; i++)
		if (rows_slots_find(
			custody->reg->rows, custody->list[i].slot, &slot))
			custody->list[kept++] = custody->list[i];
	custody->n = kept;
}

/* A look at a share on the host takes it out of nobody's hand. */
static void
take(struct custody *custody, const struct custody_proof *proof)
{
	struct custody_proof *place = find(custody, proof->slot, proof->share);
	uint32_t before = place != NULL ? place->person : 0;

	if (place == NULL && custody->n < CUSTODY_MAX)
		place = &custody->list[custody->n++];
	if (place == NULL)
		return;
	*place = *proof;
	if (place->person == 0)
		place->person = before;
}

/* ---- the recovery sheet ------------------------------------------------- */

static void
hash_more(uint8_t hash[static SHEET], struct cdop_bytes bytes)
{
	const struct cdop_bytes parts[2] = {{hash, SHEET}, bytes};
	uint8_t out[SHEET];

	cdop_secret_hash(out, SHEET, NULL, "cdop-sheet/1", parts, 2);
	memcpy(hash, out, SHEET);
}

static void
hash_text(uint8_t hash[static SHEET], const char *text)
{
	hash_more(
	    hash, (struct cdop_bytes){(const uint8_t *)text, strlen(text)});
}

static void
hash_slot(uint8_t hash[static SHEET], const struct rows *rows, size_t slot)
{
	const struct slots_info *info = rows_slot(rows, slot);
	const struct slots_set *set = rows_slots_set(rows, info->number);
	const uint8_t clear[] = {(uint8_t)(info->number >> 8),
	    (uint8_t)info->number, info->kind, set != NULL ? set->k : 0,
	    set != NULL ? set->n : 0};
	size_t i;

	hash_more(hash, (struct cdop_bytes){clear, sizeof(clear)});
	hash_text(hash, info->label);
	for (i = 0; set != NULL && i < set->n; i++)
		hash_text(hash, set->holder[i]);
}

/* What a sheet says that may be another tomorrow. */
static void
hash_sheet(const struct registry *reg, uint8_t out[static SHEET])
{
	size_t i;

	memset(out, 0, SHEET);
	hash_more(out, (struct cdop_bytes){reg->link_public[0], CDOP_KEY_LEN});
	for (i = 0; i < rows_slots(reg->rows); i++)
		hash_slot(out, reg->rows, i);
}

enum custody_sheet
custody_sheet(const struct custody *custody, uint64_t *ret_ms)
{
	uint8_t now[SHEET];

	*ret_ms = custody->sheet_ms;
	if (custody->sheet_ms == 0)
		return CUSTODY_SHEET_UNKNOWN;
	hash_sheet(custody->reg, now);
	return memcmp(now, custody->sheet, SHEET) == 0 ? CUSTODY_SHEET_CURRENT
						       : CUSTODY_SHEET_OLD;
}

enum cdop_err
custody_note_sheet(
    struct custody *custody, struct cdop_arena *arena, uint64_t now_ms)
{
	enum cdop_err err;

	err = undo_save(custody->reg->undo, custody, sizeof(*custody));
	if (err != CDOP_OK)
		return err;
	hash_sheet(custody->reg, custody->sheet);
	custody->sheet_ms = now_ms;
	custody->version++;
	return store(custody, arena);
}

/* ---- proofs ------------------------------------------------------------- */

enum cdop_err
custody_note(struct custody *custody, struct cdop_arena *arena,
    const struct custody_proof *proofs, size_t n)
{
	enum cdop_err err;
	size_t i;

	err = undo_save(custody->reg->undo, custody, sizeof(*custody));
	if (err != CDOP_OK)
		return err;
	for (i = 0; i < n; i++)
		take(custody, &proofs[i]);
	forget_gone(custody);
	custody->version++;
	return store(custody, arena);
}
