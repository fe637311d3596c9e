/* What backups.c (the list) and backups_run.c (the one that is taken) share. */
#ifndef CDOP_REGISTRY_BACKUPS_INNER_H
#define CDOP_REGISTRY_BACKUPS_INNER_H

#include <stddef.h>

#include "server/registry/backups.h"

struct dump;

enum run_state {
	RUN_NONE,
	RUN_ASKED,
	RUN_WALKS,
	RUN_WHOLE, /* the manifest stands behind what waits */
	RUN_FAILED,
};

/* The one that is being taken. */
struct run {
	enum run_state state;
	enum backups_fault fault; /* of RUN_FAILED */
	uint32_t number;
};

struct backups {
	struct registry *reg;
	struct backups_entry *list;
	size_t n;
	size_t room;
	struct run run; /* changes in batches through the undo log */

	/* Of the run; changed between batches, or by a commit. */
	struct dump *dump;
	uint64_t moved_ms; /* when something was last taken */
	size_t waiting;    /* bytes, then */
	struct cdop_bytes manifest;
	uint8_t proof[CDOP_MANIFEST_PROOF]; /* of that manifest */
	struct backups_opens opens;         /* it */
	char finding[160];
	bool news; /* which nobody was told yet */
};

/* Room for one more.  Between batches: the undo log saves places of it. */
CDOP_MUST enum cdop_err backups_grow(struct backups *backups);

void backups_free_entry(struct backups_entry *entry);

/* The row of an entry, in the place of the one before. */
CDOP_MUST enum cdop_err backups_put(struct backups *backups,
    struct cdop_arena *arena, const struct backups_entry *entry,
    uint64_t *ret_row);

/* Within a batch: what is known of an entry becomes next, its row too. */
CDOP_MUST enum cdop_err backups_change(struct backups *backups,
    struct cdop_arena *arena, const struct backups_entry *entry,
    const struct backups_entry *next);

/* Memory of a manifest that lies elsewhere.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err backups_copy(
    struct cdop_bytes from, struct cdop_bytes *ret_copy);

#endif
