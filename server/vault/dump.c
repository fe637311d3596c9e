/* A walk whose rows become records; see dump.h. */
#include "server/vault/dump.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cdop/backup.h"
#include "cdop/secret.h"
#include "cdop/sha256.h"
#include "server/vault/rows_core.h"

#define FIRST_ROOM (1u << 20)

struct dump {
	struct rows *rows;
	struct walk *walk;
	struct walk_sink sink;
	struct cdop_sha256 hash;
	uint8_t sha256[CDOP_SHA256_LEN];
	uint64_t bytes; /* hashed */
	uint64_t n_rows;
	uint8_t left_out[32]; /* sum of the digests of slots that stay */

	uint8_t *buf; /* what waits: len bytes from `from` on */
	size_t from;
	size_t len;
	size_t room;
};

/* ---- The buffer ---- */

static enum cdop_err
make_room(struct dump *dump, size_t len)
{
	size_t room = dump->room;
	uint8_t *buf;

	while (room - dump->len < len)
		room *= 2;
	buf = malloc(room);
	if (buf == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	memcpy(buf, dump->buf + dump->from, dump->len);
	free(dump->buf);
	dump->buf = buf;
	dump->from = 0;
	dump->room = room;
	return CDOP_OK;
}

static enum cdop_err
append(struct dump *dump, const uint8_t *bytes, size_t len)
{
	enum cdop_err err;

	if (dump->room - dump->from - dump->len < len &&
	    (err = make_room(dump, len)) != CDOP_OK)
		return err;
	memcpy(dump->buf + dump->from + dump->len, bytes, len);
	dump->len += len;
	return CDOP_OK;
}

static enum cdop_err
append_record(struct dump *dump, const struct cdop_backup_record *record)
{
	uint8_t head[CDOP_BACKUP_RECORD];
	enum cdop_err err;

	cdop_backup_record_write(record, head);
	if ((err = append(dump, head, sizeof(head))) != CDOP_OK)
		return err;
	if (record->bytes.len > 0)
		err = append(dump, record->bytes.data, record->bytes.len);
	if (err != CDOP_OK || record->type == CDOP_BACKUP_END)
		return err;
	cdop_sha256_update(&dump->hash, head, sizeof(head));
	cdop_sha256_update(&dump->hash, record->bytes.data, record->bytes.len);
	dump->bytes += sizeof(head) + record->bytes.len;
	return CDOP_OK;
}

size_t
dump_waiting(const struct dump *dump)
{
	return dump->len;
}

size_t
dump_copy(const struct dump *dump, uint8_t *out, size_t max)
{
	size_t len = dump->len < max ? dump->len : max;

	memcpy(out, dump->buf + dump->from, len);
	return len;
}

void
dump_drop(struct dump *dump, size_t len)
{
	CDOP_ASSERT(len <= dump->len);
	dump->from += len;
	dump->len -= len;
}

/* ---- Rows ---- */

/* Rows of format 2: the ring, and what belongs to shares. */
static bool
goes_along(struct cdop_bytes row)
{
	struct slots_info slot;

	if (row.len < 2)
		return false;
	if (row.data[1] != SLOTS_TYPE_SLOT)
		return row.data[1] == SLOTS_TYPE_RING ||
		    row.data[1] == SLOTS_TYPE_SET;
	return slots_parse(row, &slot) == CDOP_OK &&
	    slot.kind == SLOTS_KIND_SHARES;
}

static enum cdop_err
put(struct dump *dump, uint64_t number, struct cdop_bytes row)
{
	const struct cdop_backup_record record = {
	    .type = CDOP_BACKUP_ROW, .number = number, .bytes = row};

	dump->n_rows++;
	return append_record(dump, &record);
}

/* The head row, with a digest of what goes along. */
static enum cdop_err
put_head(struct dump *dump, const struct walk_row *row)
{
	uint8_t plain[2048], data[LAYOUT_HEAD], sealed[2048];
	struct envelope_key *key = NULL;
	struct layout_head head;
	struct cdop_bytes text;
	enum cdop_err err;
	size_t len;

	len = envelope_row_len(LAYOUT_HEAD);
	if (row->bytes.len != len || len > sizeof(plain))
		return CDOP_DATA_LOSS;
	err = rows_core_open(dump->rows, row->head, row->bytes, plain, &text);
	if (err == CDOP_OK)
		err = layout_head_parse(text, &head);
	if (err == CDOP_OK)
		err = rows_core_key(
		    dump->rows, row->head->key_id, SCHEMA_REGISTRY, &key);
	if (err != CDOP_OK)
		return err;
	layout_digest_sub(head.digest, dump->left_out);
	layout_head_write(&head, data);
	envelope_seal(keystore_ring(dump->rows->ks), key, row->head,
	    (struct cdop_bytes){data, sizeof(data)}, sealed);
	sodium_memzero(plain, sizeof(plain));
	return put(dump, row->number, (struct cdop_bytes){sealed, len});
}

static enum cdop_err
on_row(void *ctx, const struct walk_row *row)
{
	struct dump *dump = ctx;
	uint8_t term[32];

	if (row->head != NULL && row->head->kind == SCHEMA_KIND_HEAD)
		return put_head(dump, row);
	if (row->head != NULL || goes_along(row->bytes))
		return put(dump, row->number, row->bytes);
	envelope_digest(
	    keystore_ring(dump->rows->ks), row->number, row->bytes, term);
	layout_digest_add(dump->left_out, term);
	return CDOP_OK;
}

static enum cdop_err
on_gone(void *ctx, uint64_t number)
{
	const struct cdop_backup_record record = {
	    .type = CDOP_BACKUP_GONE, .number = number};
	struct dump *dump = ctx;

	dump->n_rows--;
	return append_record(dump, &record);
}

/* ---- From begin to end ---- */

static enum cdop_err
begin(struct dump *dump)
{
	uint8_t head[CDOP_BACKUP_HEAD];
	enum cdop_err err;

	dump->buf = malloc(FIRST_ROOM);
	if (dump->buf == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	dump->room = FIRST_ROOM;
	cdop_backup_head_write(rows_registry(dump->rows), head);
	if ((err = append(dump, head, sizeof(head))) != CDOP_OK)
		return err;
	cdop_sha256_init(&dump->hash);
	cdop_sha256_update(&dump->hash, head, sizeof(head));
	dump->bytes = sizeof(head);
	return walk_begin(dump->rows, &dump->walk);
}

enum cdop_err
dump_begin(struct rows *rows, struct dump **ret_dump)
{
	struct dump *dump;
	enum cdop_err err;

	if (!rows_has_shares(rows))
		return CDOP_FAILED_PRECONDITION;
	dump = calloc(1, sizeof(*dump));
	if (dump == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	dump->rows = rows;
	dump->sink =
	    (struct walk_sink){.row = on_row, .gone = on_gone, .ctx = dump};
	if ((err = begin(dump)) != CDOP_OK) {
		dump_free(dump);
		return err;
	}
	*ret_dump = dump;
	return CDOP_OK;
}

void
dump_free(struct dump *dump)
{
	if (dump == NULL)
		return;
	walk_free(dump->walk);
	free(dump->buf);
	free(dump);
}

enum cdop_err
dump_fill(struct dump *dump, size_t room, const struct walk_budget *budget,
    bool *ret_end)
{
	struct walk_budget step = *budget;

	*ret_end = false;
	if (dump->len >= room)
		return CDOP_OK;
	if (step.bytes > room - dump->len)
		step.bytes = room - dump->len;
	return walk_step(dump->walk, &step, &dump->sink, ret_end);
}

enum cdop_err
dump_last(struct dump *dump)
{
	enum cdop_err err;

	if ((err = walk_last(dump->walk, &dump->sink)) != CDOP_OK)
		return err;
	cdop_sha256_final(&dump->hash, dump->sha256);
	return CDOP_OK;
}

enum cdop_err
dump_end(struct dump *dump, struct cdop_bytes manifest)
{
	const struct cdop_backup_record record = {
	    .type = CDOP_BACKUP_END, .bytes = manifest};

	return append_record(dump, &record);
}

/* ---- The manifest ---- */

static void
lower(const char *name, char out[static CDOP_MANIFEST_SCOPE_MAX + 1])
{
	size_t i;

	for (i = 0; i < CDOP_MANIFEST_SCOPE_MAX && name[i] != '\0'; i++)
		out[i] = name[i] >= 'A' && name[i] <= 'Z'
		    ? (char)(name[i] - 'A' + 'a')
		    : name[i];
	out[i] = '\0';
}

/* Case keys under each epoch, and of all. */
static void
count_cases(const struct keystore *ks, struct cdop_manifest *manifest)
{
	const struct keystore_entry *entry;
	size_t i, j;

	for (i = 0; i < keystore_places(ks); i++) {
		entry = keystore_at(ks, i);
		if (entry->scope != SCHEMA_CASE)
			continue;
		manifest->cases++;
		for (j = 0; j < manifest->n_epochs; j++)
			if (manifest->epoch[j].id == entry->wrapped_by)
				manifest->epoch[j].cases++;
	}
}

enum cdop_err
dump_describe(const struct dump *dump, struct cdop_arena *arena,
    struct cdop_manifest *manifest)
{
	const struct keystore *ks = dump->rows->ks;
	const struct keystore_entry *entry;
	struct cdop_manifest_epoch *epoch;
	uint64_t id;

	manifest->rows = dump->n_rows;
	manifest->bytes = dump->bytes;
	memcpy(manifest->sha256, dump->sha256, sizeof(manifest->sha256));
	manifest->epoch = cdop_arena_calloc(
	    arena, CDOP_MANIFEST_EPOCHS_MAX, sizeof(*manifest->epoch));
	if (manifest->epoch == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	while (keystore_held(ks, manifest->n_epochs, &id)) {
		if (manifest->n_epochs == CDOP_MANIFEST_EPOCHS_MAX)
			return CDOP_RESOURCE_EXHAUSTED;
		entry = keystore_find(ks, id);
		epoch = &manifest->epoch[manifest->n_epochs++];
		epoch->id = id;
		lower(schema_scope_name(entry->scope), epoch->scope);
		memcpy(epoch->area, keystore_area(ks, entry->area),
		    strlen(keystore_area(ks, entry->area)));
	}
	count_cases(ks, manifest);
	return CDOP_OK;
}

void
dump_proof(const struct rows *rows, struct cdop_bytes manifest,
    uint8_t ret_proof[static CDOP_MANIFEST_PROOF])
{
	uint8_t hash[CDOP_MANIFEST_HASH], mac[32];
	const struct cdop_bytes part = {hash, sizeof(hash)};

	cdop_manifest_hash(hash, manifest);
	cdop_secret_hash(mac, sizeof(mac), keystore_ring(rows->ks)->digest,
	    "cdop-proof/1", &part, 1);
	memcpy(ret_proof, mac, CDOP_MANIFEST_PROOF);
}
