/*
 * The keys, in locked memory, and the table that says which is which.
 *
 * Nobody gets a key out: the vault's own files seal and open with it.  It
 * reads and writes no row (vault/rows_keys.h does).  Root, header, digest
 * and epoch keys stay until keystore_lock(); case keys are unwrapped for
 * use and wiped at the end of the batch.
 *
 * The key table (ids, scopes, areas, row numbers) is ordinary memory and
 * changes through the undo log.
 */
#ifndef CDOP_VAULT_KEYSTORE_H
#define CDOP_VAULT_KEYSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cdop/err.h"
#include "server/store/schema.h"
#include "server/vault/envelope.h"

struct keystore;
struct lockmem;
struct undo;

#define KEYSTORE_AREA_MAX   47   /* bytes of an area's id in the profile */
#define KEYSTORE_EPOCHS_MAX 3072 /* epoch keys, all scopes */

/* One key of the table.  Good until the next change of the table. */
struct keystore_entry {
	uint64_t id;         /* incarnation u16 || counter u48, never reused */
	uint64_t wrapped_by; /* 0: the root */
	uint64_t row;        /* number of its key row */
	uint64_t case_id;    /* CASE */
	uint32_t wraps;      /* keys of the table that it wraps: kept here */
	uint16_t area;       /* CASE: of its owner; AREA: itself; else 0 */
	uint8_t scope;       /* enum schema_scope; 0: destroyed */
};

/* mem and undo are borrowed and outlive it. */
CDOP_MUST enum cdop_err keystore_new(
    struct lockmem *mem, struct undo *undo, struct keystore **ret_ks);

/* Wipes.  NULL is fine. */
void keystore_free(struct keystore *ks);

/* Back to sealed: wipes every key and empties the table. */
void keystore_lock(struct keystore *ks);

/* The root is there. */
bool keystore_is_open(const struct keystore *ks);

/* NULL: no such key, or destroyed. */
const struct keystore_entry *keystore_find(
    const struct keystore *ks, uint64_t id);

/*
 * The newest epoch key of a scope (area: its id for SCHEMA_AREA, else NULL).
 * false: none.
 */
bool keystore_epoch(const struct keystore *ks, enum schema_scope scope,
    const char *area, uint64_t *ret_id);

/* An epoch key, and none of its scope (and area) is newer. */
bool keystore_is_newest(
    const struct keystore *ks, const struct keystore_entry *entry);

/* Areas are numbered from 1 to here. */
uint16_t keystore_areas(const struct keystore *ks);

/* The id of an entry's area as the profile spells it; "" for none. */
const char *keystore_area(const struct keystore *ks, uint16_t area);

/* Keys in the table that are not destroyed. */
size_t keystore_count(const struct keystore *ks);

/* ---- For the other files of vault/ only ---- */

/* The root itself is key id 0. */
void keystore_open(struct keystore *ks, const uint8_t root[static 32],
    const struct envelope_ring *ring);
const struct envelope_ring *keystore_ring(const struct keystore *ks);

/* 256 locked bytes for a moment; whoever writes them wipes them. */
uint8_t *keystore_scratch(struct keystore *ks);

/* Numbers an area; its number stays.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err keystore_area_add(
    struct keystore *ks, const char *area, uint16_t *ret_area);

/*
 * Adds, or changes where the id is there, and counts what wraps what: the
 * count in *entry is not looked at.  Through the undo log.
 */
CDOP_MUST enum cdop_err keystore_put(
    struct keystore *ks, const struct keystore_entry *entry);

/* Marks destroyed and wipes what is held of it. */
CDOP_MUST enum cdop_err keystore_del(struct keystore *ks, uint64_t id);

/* Holds an epoch key that is in the table.  Through the undo log. */
CDOP_MUST enum cdop_err keystore_hold(
    struct keystore *ks, uint64_t id, const uint8_t k[static 32]);

/* The id of held epoch key i; false: there are no more. */
bool keystore_held(const struct keystore *ks, size_t i, uint64_t *ret_id);

/* Another root from now on.  Through the undo log; once a batch. */
CDOP_MUST enum cdop_err keystore_turn(
    struct keystore *ks, const uint8_t root[static 32]);

/* Holds a case key until keystore_rest() or until its place is needed. */
void keystore_use(struct keystore *ks, uint64_t id, const uint8_t k[static 32]);

/* Wipes every case key in use: the end of a batch. */
void keystore_rest(struct keystore *ks);

/* The key as it is used: root, held epoch or case key in use; else NULL. */
struct envelope_key *keystore_key(const struct keystore *ks, uint64_t id);

/* The 32 bytes of the root (0) or of a held epoch key, to wrap or turn. */
const uint8_t *keystore_raw(const struct keystore *ks, uint64_t id);

/*
 * Entries have places in the table, from 0 on, and keep them; a destroyed
 * one has scope 0.  false: no such key, or destroyed.
 */
size_t keystore_places(const struct keystore *ks);
const struct keystore_entry *keystore_at(
    const struct keystore *ks, size_t place);
bool keystore_place(const struct keystore *ks, uint64_t id, size_t *ret_place);

/* What the secret of a copy is kept in: 32 locked bytes (adr/0019). */
uint8_t *keystore_copying(struct keystore *ks);

/* Root and ring that a copy makes for the new file (adr/0025). */
struct keystore_next {
	uint8_t root[ENVELOPE_KEY];
	struct envelope_key key; /* of root */
	struct envelope_ring ring;
};
struct keystore_next *keystore_next(struct keystore *ks);

/*
 * Between batches: fn may give an entry another id, another wrapping key and
 * scope 0, which destroys it.  Not the newest epoch key of a scope or area.
 */
typedef void keystore_renew_fn(
    void *ctx, size_t place, struct keystore_entry *entry);
void keystore_renew(struct keystore *ks, keystore_renew_fn *fn, void *ctx);

#endif
