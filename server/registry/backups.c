/* What is known of all backups that were ever begun; see backups.h. */
#include <stdlib.h>
#include <string.h>

#include "cdop/secret.h"
#include "server/base/undo.h"
#include "server/registry/actor.h"
#include "server/registry/backups_inner.h"
#include "server/registry/message.h"
#include "server/store/schema.h"
#include "server/vault/dump.h"

enum cdop_err
backups_new(struct registry *reg, struct backups **ret_backups)
{
	struct backups *backups = calloc(1, sizeof(*backups));

	if (backups == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	backups->reg = reg;
	*ret_backups = backups;
	return CDOP_OK;
}

void
backups_free_entry(struct backups_entry *entry)
{
	free(entry->label);
	free((uint8_t *)(uintptr_t)entry->manifest.data);
}

void
backups_free(struct backups *backups)
{
	size_t i;

	if (backups == NULL)
		return;
	dump_free(backups->dump);
	free((uint8_t *)(uintptr_t)backups->manifest.data);
	for (i = 0; i < backups->n; i++)
		backups_free_entry(&backups->list[i]);
	free(backups->list);
	free(backups);
}

size_t
backups_count(const struct backups *backups)
{
	return backups->n;
}

const struct backups_entry *
backups_at(const struct backups *backups, size_t i)
{
	return &backups->list[i];
}

const struct backups_entry *
backups_find(const struct backups *backups, uint32_t number)
{
	size_t i;

	for (i = 0; i < backups->n; i++)
		if (backups->list[i].number == number &&
		    !backups->list[i].dropped)
			return &backups->list[i];
	return NULL;
}

const struct backups_entry *
backups_newest(const struct backups *backups)
{
	size_t i;

	for (i = backups->n; i > 0; i--)
		if (backups->list[i - 1].ended_ms != 0 &&
		    backups->list[i - 1].destroyed_ms == 0)
			return &backups->list[i - 1];
	return NULL;
}

bool
backups_any_whole(const struct backups *backups)
{
	size_t i;

	for (i = 0; i < backups->n; i++)
		if (backups->list[i].ended_ms != 0)
			return true;
	return false;
}

const struct backups_entry *
backups_proved(const struct backups *backups)
{
	const struct backups_entry *last = NULL, *entry;
	size_t i;

	for (i = 0; i < backups->n; i++) {
		entry = &backups->list[i];
		if (entry->proved_ms != 0 && entry->destroyed_ms == 0 &&
		    (last == NULL || entry->proved_ms >= last->proved_ms))
			last = entry;
	}
	return last;
}

/* ---- entries ------------------------------------------------------------- */

enum cdop_err
backups_copy(struct cdop_bytes from, struct cdop_bytes *ret_copy)
{
	uint8_t *copy = malloc(from.len);

	if (copy == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	memcpy(copy, from.data, from.len);
	*ret_copy = (struct cdop_bytes){copy, from.len};
	return CDOP_OK;
}

enum cdop_err
backups_grow(struct backups *backups)
{
	size_t room = backups->room == 0 ? 16 : 2 * backups->room;
	struct backups_entry *list;

	if (backups->n < backups->room)
		return CDOP_OK;
	list = reallocarray(backups->list, room, sizeof(*list));
	if (list == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	backups->list = list;
	backups->room = room;
	return CDOP_OK;
}

static void
fill_opens(struct backups_opens *opens, const Cdop__StoredBackup *stored)
{
	const Cdop__StoredBackupSlot *slot;
	size_t i;

	opens->known = stored->has_root;
	opens->root = stored->root;
	for (i = 0; i < stored->n_slot && i < BACKUPS_SLOTS; i++) {
		slot = stored->slot[i];
		opens->slot[opens->n++] = (struct backups_slot){
		    .number = (uint16_t)slot->number,
		    .need = (uint8_t)slot->need,
		    .of = (uint8_t)slot->of,
		};
	}
}

static enum cdop_err
fill_entry(
    struct backups_entry *entry, uint64_t row, const Cdop__StoredBackup *stored)
{
	*entry = (struct backups_entry){
	    .number = stored->number,
	    .person = stored->person,
	    .device = stored->device,
	    .row = row,
	    .begun_ms = stored->begun_ms,
	    .ended_ms = stored->has_ended_ms ? stored->ended_ms : 0,
	    .proved_ms = stored->has_proved_ms ? stored->proved_ms : 0,
	    .proved_by = stored->has_proved_by ? stored->proved_by : 0,
	    .version = stored->has_version ? stored->version : 1,
	    .by_code = stored->has_by_code && stored->by_code,
	    .destroyed_ms = stored->destroyed_ms,
	    .destroyed_by = stored->destroyed_by,
	    .destroyed_second = stored->destroyed_second,
	    .label = strdup(stored->label),
	};
	if (entry->label == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	fill_opens(&entry->opens, stored);
	entry->has_proof =
	    stored->has_proof && stored->proof.len == sizeof(entry->proof);
	if (entry->has_proof)
		memcpy(entry->proof, stored->proof.data, sizeof(entry->proof));
	if (!stored->has_manifest)
		return CDOP_OK;
	return backups_copy(
	    (struct cdop_bytes){stored->manifest.data, stored->manifest.len},
	    &entry->manifest);
}

enum cdop_err
backups_load(
    struct backups *backups, uint64_t row, const Cdop__StoredBackup *stored)
{
	struct backups_entry *entry;
	enum cdop_err err;
	size_t at;

	if ((err = backups_grow(backups)) != CDOP_OK)
		return err;
	/* One that became whole late lies behind later ones. */
	for (at = backups->n; at > 0; at--) {
		if (backups->list[at - 1].number < stored->number)
			break;
		if (backups->list[at - 1].number == stored->number)
			return CDOP_DATA_LOSS;
	}
	entry = &backups->list[at];
	memmove(entry + 1, entry, (backups->n - at) * sizeof(*entry));
	backups->n++;
	return fill_entry(entry, row, stored);
}

static enum cdop_err
put_opens(Cdop__StoredBackup *stored, struct cdop_arena *arena,
    const struct backups_opens *opens)
{
	Cdop__StoredBackupSlot *slot;
	size_t i;

	stored->has_root = opens->known;
	stored->root = opens->root;
	if (opens->n == 0)
		return CDOP_OK;
	slot = cdop_arena_calloc(arena, opens->n, sizeof(*slot));
	stored->slot =
	    cdop_arena_calloc(arena, opens->n, sizeof(*stored->slot));
	if (slot == NULL || stored->slot == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < opens->n; i++) {
		cdop__stored_backup_slot__init(&slot[i]);
		slot[i].number = opens->slot[i].number;
		slot[i].need = opens->slot[i].need;
		slot[i].of = opens->slot[i].of;
		stored->slot[i] = &slot[i];
	}
	stored->n_slot = opens->n;
	return CDOP_OK;
}

static void
put_said(Cdop__StoredBackup *stored, const struct backups_entry *entry)
{
	stored->has_proved_ms = entry->proved_ms != 0;
	stored->proved_ms = entry->proved_ms;
	stored->has_proved_by = entry->proved_by != 0;
	stored->proved_by = entry->proved_by;
	stored->has_by_code = entry->by_code;
	stored->by_code = entry->by_code;
	stored->has_destroyed_ms = entry->destroyed_ms != 0;
	stored->destroyed_ms = entry->destroyed_ms;
	stored->has_destroyed_by = entry->destroyed_ms != 0;
	stored->destroyed_by = entry->destroyed_by;
	stored->has_destroyed_second = entry->destroyed_ms != 0;
	stored->destroyed_second = entry->destroyed_second;
}

enum cdop_err
backups_put(struct backups *backups, struct cdop_arena *arena,
    const struct backups_entry *entry, uint64_t *ret_row)
{
	const struct rows_new row = {
	    .kind = SCHEMA_KIND_BACKUP,
	    .schema = 1,
	    .version = entry->version,
	};
	Cdop__StoredBackup stored;
	enum cdop_err err;

	cdop__stored_backup__init(&stored);
	stored.number = entry->number;
	stored.label = entry->label;
	stored.person = entry->person;
	stored.device = entry->device;
	stored.begun_ms = entry->begun_ms;
	stored.has_ended_ms = entry->ended_ms != 0;
	stored.ended_ms = entry->ended_ms;
	put_said(&stored, entry);
	if ((err = put_opens(&stored, arena, &entry->opens)) != CDOP_OK)
		return err;
	stored.has_proof = entry->has_proof;
	stored.proof.data = (uint8_t *)(uintptr_t)entry->proof;
	stored.proof.len = sizeof(entry->proof);
	stored.has_version = true;
	stored.version = entry->version;
	stored.has_manifest = entry->manifest.len > 0;
	stored.manifest.data = (uint8_t *)(uintptr_t)entry->manifest.data;
	stored.manifest.len = entry->manifest.len;
	return message_put(
	    backups->reg->rows, arena, &row, entry->row, &stored.base, ret_row);
}

/* ---- what is said of one ------------------------------------------------- */

enum cdop_err
backups_change(struct backups *backups, struct cdop_arena *arena,
    const struct backups_entry *entry, const struct backups_entry *next)
{
	struct backups_entry *at = &backups->list[entry - backups->list];
	struct backups_entry put = *next;
	enum cdop_err err;

	put.version = entry->version + 1;
	err = undo_save(backups->reg->undo, at, sizeof(*at));
	if (err == CDOP_OK)
		err = backups_put(backups, arena, &put, &put.row);
	if (err == CDOP_OK)
		*at = put;
	return err;
}

enum cdop_err
backups_kept(struct backups *backups, struct cdop_arena *arena,
    const struct actor *actor, const struct backups_kept *kept)
{
	const struct backups_entry *entry = backups_find(backups, kept->number);
	struct backups_entry next;
	uint8_t hash[CDOP_MANIFEST_HASH];

	if (entry == NULL || entry->device != actor->device)
		return CDOP_NOT_FOUND;
	if (entry->manifest.len == 0)
		return CDOP_FAILED_PRECONDITION;
	cdop_manifest_hash(hash, entry->manifest);
	if (memcmp(hash, kept->manifest, sizeof(hash)) != 0)
		return CDOP_ABORTED;
	if (entry->ended_ms != 0)
		return CDOP_OK;
	next = *entry;
	next.ended_ms = kept->now_ms;
	next.destroyed_ms = 0;
	return backups_change(backups, arena, entry, &next);
}

/* What speaks against it. */
static enum backups_fault
doubt(const struct backups_entry *entry, const uint8_t *code)
{
	if (entry->manifest.len == 0)
		return BACKUPS_NOT_SENT;
	if (code == NULL)
		return entry->has_proof ? BACKUPS_CODE_NEEDED : BACKUPS_FINE;
	if (!entry->has_proof)
		return BACKUPS_NO_CODE;
	if (!cdop_secret_equal(code, entry->proof, sizeof(entry->proof)))
		return BACKUPS_CODE_WRONG;
	return entry->by_code && entry->destroyed_ms == 0 ? BACKUPS_CODE_USED
							  : BACKUPS_FINE;
}

enum cdop_err
backups_prove(struct backups *backups, struct cdop_arena *arena,
    const struct actor *actor, const struct backups_proof *proof,
    enum backups_fault *ret_fault)
{
	const struct backups_entry *entry =
	    backups_find(backups, proof->number);
	struct backups_entry next;

	*ret_fault = BACKUPS_FINE;
	if (entry == NULL)
		return CDOP_NOT_FOUND;
	*ret_fault = doubt(entry, proof->code);
	if (*ret_fault != BACKUPS_FINE)
		return *ret_fault == BACKUPS_NOT_SENT ||
			*ret_fault == BACKUPS_CODE_USED
		    ? CDOP_FAILED_PRECONDITION
		    : CDOP_INVALID_ARGUMENT;
	next = *entry;
	if (next.ended_ms == 0)
		next.ended_ms =
		    proof->now_ms; /* whoever opened it has all of it */
	next.destroyed_ms = 0;     /* whoever says so is believed */
	if (!next.by_code) {
		next.proved_ms = proof->now_ms;
		next.proved_by = actor->person;
		next.by_code = proof->code != NULL;
	}
	return backups_change(backups, arena, entry, &next);
}

static void
give_back(void *ctx, uint64_t arg)
{
	(void)arg;
	free(ctx);
}

enum cdop_err
backups_destroyed(struct backups *backups, struct cdop_arena *arena,
    const struct backups_gone *gone)
{
	const struct backups_entry *entry = backups_find(backups, gone->number);
	struct backups_entry next;

	if (entry == NULL)
		return CDOP_NOT_FOUND;
	if (entry->destroyed_ms != 0)
		return CDOP_FAILED_PRECONDITION;
	next = *entry;
	next.destroyed_ms = gone->now_ms;
	next.destroyed_by = gone->by;
	next.destroyed_second = gone->second;
	return backups_change(backups, arena, entry, &next);
}

enum cdop_err
backups_restored(struct backups *backups, struct cdop_arena *arena,
    struct cdop_bytes manifest, uint64_t now_ms)
{
	const struct backups_entry *entry;
	struct cdop_manifest said;
	struct backups_entry next;
	enum cdop_err err;
	uint8_t *copy;

	err = cdop_manifest_parse(manifest, arena, &said);
	if (err != CDOP_OK)
		return err;
	entry = said.number > UINT32_MAX
	    ? NULL
	    : backups_find(backups, (uint32_t)said.number);
	if (entry == NULL)
		return CDOP_DATA_LOSS;
	next = *entry;
	if ((err = backups_copy(manifest, &next.manifest)) != CDOP_OK)
		return err;
	copy = (uint8_t *)(uintptr_t)next.manifest.data;
	err = undo_call(backups->reg->undo, give_back, copy, 0);
	if (err != CDOP_OK) {
		free(copy);
		return err;
	}
	next.ended_ms = now_ms;
	next.proved_ms = now_ms;
	next.proved_by = 0; /* on the host, by the one whom the mark names */
	next.by_code = true;
	/* Its own rows are older than its manifest, and have no code of it. */
	dump_proof(backups->reg->rows, manifest, next.proof);
	next.has_proof = true;
	return backups_change(backups, arena, entry, &next);
}
