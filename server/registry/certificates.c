/* The table of certificates, and its rows; see certificates.h. */
#include "server/registry/certificates.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/undo.h"
#include "server/registry/message.h"
#include "server/store/schema.h"
#include "server/vault/rows.h"

#define SCHEMA 1

/* In the order of numbers.  Entries stay where they are. */
struct certificates {
	struct registry *reg;
	struct certificates_entry **list;
	size_t n;
	size_t room;
};

enum cdop_err
certificates_new(struct registry *reg, struct certificates **ret_certificates)
{
	struct certificates *certificates = calloc(1, sizeof(*certificates));

	if (certificates == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	certificates->reg = reg;
	*ret_certificates = certificates;
	return CDOP_OK;
}

static void
free_entry(struct certificates_entry *entry)
{
	free(entry->area);
	free(entry);
}

void
certificates_free(struct certificates *certificates)
{
	size_t i;

	if (certificates == NULL)
		return;
	for (i = 0; i < certificates->n; i++)
		free_entry(certificates->list[i]);
	free(certificates->list);
	free(certificates);
}

size_t
certificates_count(const struct certificates *certificates)
{
	return certificates->n;
}

const struct certificates_entry *
certificates_at(const struct certificates *certificates, size_t i)
{
	return certificates->list[i];
}

const struct certificates_entry *
certificates_find(const struct certificates *certificates, uint32_t number)
{
	size_t i;

	for (i = 0; i < certificates->n; i++)
		if (certificates->list[i]->number == number)
			return certificates->list[i];
	return NULL;
}

const struct certificates_entry *
certificates_of_case(const struct certificates *certificates, uint64_t case_id)
{
	size_t i;

	for (i = 0; i < certificates->n; i++)
		if (certificates->list[i]->case_id == case_id && case_id != 0)
			return certificates->list[i];
	return NULL;
}

const struct certificates_entry *
certificates_waiting(const struct certificates *certificates)
{
	size_t i;

	for (i = 0; i < certificates->n; i++)
		if (!certificates->list[i]->issued)
			return certificates->list[i];
	return NULL;
}

enum cdop_err
certificates_read(const struct certificates *certificates,
    const struct certificates_entry *entry, struct cdop_arena *arena,
    Cdop__StoredCertificate **ret_stored)
{
	struct cdop_bytes data;
	enum cdop_err err;

	err = rows_get(certificates->reg->rows, entry->row, arena, NULL, &data);
	if (err != CDOP_OK)
		return err;
	*ret_stored = cdop__stored_certificate__unpack(
	    cdop_arena_allocator(arena), data.len, data.data);
	return *ret_stored == NULL ? CDOP_DATA_LOSS : CDOP_OK;
}

/* ---- the table --------------------------------------------------------- */

static enum cdop_err
grow(struct certificates *certificates)
{
	size_t room = certificates->room == 0 ? 16 : 2 * certificates->room;
	struct certificates_entry **list;

	if (certificates->n < certificates->room)
		return CDOP_OK;
	list = reallocarray(certificates->list, room, sizeof(*list));
	if (list == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	certificates->list = list;
	certificates->room = room;
	return CDOP_OK;
}

static void
take(struct certificates_entry *entry, uint64_t row,
    const Cdop__StoredCertificate *stored)
{
	entry->row = row;
	entry->case_id = stored->has_case_id ? stored->case_id : 0;
	entry->number = stored->number;
	entry->rotation = stored->rotation;
	entry->version = stored->version;
	entry->asked_ms = stored->asked_ms;
	entry->issued = stored->has_issued_ms;
}

/* Where it belongs: one that was issued late lies behind later ones. */
static enum cdop_err
insert(struct certificates *certificates, uint64_t row,
    const Cdop__StoredCertificate *stored)
{
	struct certificates_entry *entry = calloc(1, sizeof(*entry));
	struct certificates_entry **list = certificates->list;
	size_t at = certificates->n;

	if (entry == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	take(entry, row, stored);
	if (stored->area != NULL &&
	    (entry->area = strdup(stored->area)) == NULL) {
		free(entry);
		return CDOP_RESOURCE_EXHAUSTED;
	}
	for (; at > 0 && list[at - 1]->number > entry->number; at--)
		list[at] = list[at - 1];
	list[at] = entry;
	certificates->n++;
	return CDOP_OK;
}

enum cdop_err
certificates_load(struct certificates *certificates, uint64_t row,
    const Cdop__StoredCertificate *stored)
{
	enum cdop_err err;

	if (stored->number == 0 ||
	    certificates_find(certificates, stored->number) != NULL)
		return CDOP_DATA_LOSS;
	err = grow(certificates);
	return err != CDOP_OK ? err : insert(certificates, row, stored);
}

/* ---- changes ----------------------------------------------------------- */

static enum cdop_err
put(struct certificates *certificates, struct cdop_arena *arena,
    const Cdop__StoredCertificate *stored, uint64_t old, uint64_t *ret_row)
{
	const struct rows_new row = {
	    .kind = SCHEMA_KIND_CERTIFICATE,
	    .schema = SCHEMA,
	    .version = stored->version,
	};

	return message_put(
	    certificates->reg->rows, arena, &row, old, &stored->base, ret_row);
}

static void
forget_last(void *ctx, uint64_t arg)
{
	struct certificates *certificates = ctx;

	(void)arg;
	free_entry(certificates->list[--certificates->n]);
}

/* The next number, and its row. */
static enum cdop_err
add(struct certificates *certificates, struct cdop_arena *arena,
    Cdop__StoredCertificate *stored)
{
	uint64_t row = 0;
	enum cdop_err err;

	stored->number = certificates->n == 0
	    ? 1
	    : certificates->list[certificates->n - 1]->number + 1;
	stored->version = 1;
	if ((err = grow(certificates)) != CDOP_OK)
		return err;
	if ((err = put(certificates, arena, stored, 0, &row)) != CDOP_OK)
		return err;
	if ((err = insert(certificates, row, stored)) != CDOP_OK)
		return err;
	err = undo_call(certificates->reg->undo, forget_last, certificates, 0);
	if (err != CDOP_OK)
		forget_last(certificates, 0);
	return err;
}

enum cdop_err
certificates_begin(struct certificates *certificates, struct cdop_arena *arena,
    const struct certificates_new *new, uint32_t *ret_number)
{
	Cdop__StoredCertificate stored;
	enum cdop_err err;

	cdop__stored_certificate__init(&stored);
	stored.kind = CDOP__CERTIFICATE_KIND__ERASED_CASE;
	stored.has_case_id = true;
	stored.case_id = new->case_id;
	stored.reference = (char *)(uintptr_t) new->reference;
	stored.area = (char *)(uintptr_t) new->area;
	stored.has_ground = true;
	stored.ground = new->ground;
	stored.requester = new->requester;
	stored.approver = new->approver;
	stored.asked_ms = new->now_ms;
	stored.has_since_ms = true;
	stored.since_ms = new->since_ms;
	stored.has_rows = true;
	stored.rows = new->rows;
	stored.has_case_key = true;
	stored.case_key = new->case_key;
	stored.rotation = new->rotation;
	if ((err = add(certificates, arena, &stored)) == CDOP_OK)
		*ret_number = stored.number;
	return err;
}

/* ---- the end of a rotation --------------------------------------------- */

static enum cdop_err
issue(struct certificates *certificates, struct cdop_arena *arena,
    struct certificates_entry *entry, const Cdop__StoredRotation *rotation,
    uint64_t now_ms)
{
	Cdop__StoredCertificate *stored;
	uint64_t row = 0;
	enum cdop_err err;

	err = certificates_read(certificates, entry, arena, &stored);
	if (err != CDOP_OK)
		return err;
	stored->version++;
	stored->has_issued_ms = true;
	stored->issued_ms = now_ms;
	stored->has_note = true;
	err = certificates_note(
	    certificates->reg, arena, stored, rotation, &stored->note);
	if (err == CDOP_OK)
		err = undo_save(certificates->reg->undo, entry, sizeof(*entry));
	if (err == CDOP_OK)
		err = put(certificates, arena, stored, entry->row, &row);
	if (err == CDOP_OK)
		take(entry, row, stored);
	return err;
}

/* Of a rotation that nothing was erased with. */
static enum cdop_err
issue_keys(struct certificates *certificates, struct cdop_arena *arena,
    const Cdop__StoredRotation *rotation, uint64_t now_ms)
{
	Cdop__StoredCertificate stored;
	enum cdop_err err;

	cdop__stored_certificate__init(&stored);
	stored.kind = CDOP__CERTIFICATE_KIND__DESTROYED_EPOCHS;
	stored.requester = rotation->requester;
	stored.approver = rotation->approver;
	stored.asked_ms = rotation->started_ms;
	stored.rotation = rotation->number;
	/* The number is in the note: row and note go together. */
	if ((err = add(certificates, arena, &stored)) != CDOP_OK)
		return err;
	return issue(certificates, arena,
	    certificates->list[certificates->n - 1], rotation, now_ms);
}

enum cdop_err
certificates_rotation_ended(struct certificates *certificates,
    struct cdop_arena *arena, const Cdop__StoredRotation *rotation,
    uint64_t now_ms)
{
	struct certificates_entry *entry;
	bool erased = false;
	enum cdop_err err;
	size_t i;

	for (i = 0; i < certificates->n; i++) {
		entry = certificates->list[i];
		if (entry->rotation != rotation->number || entry->issued)
			continue;
		erased = true;
		err = issue(certificates, arena, entry, rotation, now_ms);
		if (err != CDOP_OK)
			return err;
	}
	if (erased || rotation->n_destroyed == 0)
		return CDOP_OK;
	return issue_keys(certificates, arena, rotation, now_ms);
}
