/*
 * The registry as a whole: what is in memory while it is open, and how that
 * is built from the sealed rows.  No sockets, no wire types, no clock.
 *
 * Each part owns its tables and changes them only through the undo log, so
 * that a batch that fails leaves memory as it was (TRUST M11).
 */
#ifndef CDOP_REGISTRY_REGISTRY_H
#define CDOP_REGISTRY_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "cdop/arena.h"
#include "cdop/err.h"
#include "stored.pb-c.h"

struct approvals;
struct boot;
struct audit;
struct backups;
struct cases;
struct cdop_profile;
struct certificates;
struct checkpoints;
struct copying;
struct custody;
struct keystore;
struct lockmem;
struct metrics;
struct people;
struct rotation;
struct rows;
struct scrub;
struct statements;
struct search_key;
struct tree;
struct undo;
struct witnesses;

enum registry_mode {
	REGISTRY_LIVE = 1,
	REGISTRY_TRAINING = 2,
};

/* Where a version of the profile lies. */
struct registry_profile_row {
	uint64_t version;
	uint64_t row;
};

/* On the disk, for what is to be written. */
enum registry_room {
	REGISTRY_ROOM,
	REGISTRY_FULL,  /* the log goes on, out of the reserve */
	REGISTRY_SPENT, /* nothing goes on */
};

struct registry {
	struct rows *rows;
	struct keystore *ks;
	struct undo *undo;
	struct lockmem *mem;

	uint8_t id[16];
	enum registry_mode mode;
	uint32_t state;          /* one CDOP_STATE_* bit */
	uint64_t config_row;     /* row number of CONFIG */
	bool degraded;           /* init was told so; status repeats it */
	enum registry_room room; /* as the last batch found it */
	bool reserve_short;      /* and there is no room to fill it */
	uint64_t created_ms;
	uint64_t open_since_ms;
	uint32_t paced_device; /* that was slowed last, at paced_ms */
	uint64_t paced_ms;     /* of leaves; 0: none was */
	bool has_anchor;       /* one is configured */
	const struct metrics
	    *metrics;       /* what the vault counts; NULL: nothing */
	bool anchor_failed; /* it could not be written last time */
	bool anchor_missed; /* there was none when it was opened */

	/* X25519 secrets of the link, 32 bytes each, in locked memory. */
	uint8_t *link_secret;
	uint8_t *link_secret_next;  /* NULL: none */
	uint8_t link_public[2][32]; /* of these; zeros where there is none */
	uint64_t link_next_ms;      /* when that was made */
	uint64_t link_made_ms;      /* and the current one; 0: not known */
	uint64_t log_made_ms;       /* the log's; likewise */
	uint8_t *log_seed; /* Ed25519, likewise: signs checkpoints alone */

	struct statements *statements; /* of the log key, oldest first */
	char **notice;                 /* what every client shows once */
	size_t n_notice;

	const struct cdop_profile *profile; /* in force */
	struct cdop_arena *profile_arena;   /* where it lies */
	uint8_t profile_hash[32];
	uint64_t profile_version;
	struct registry_profile_row *profile_row; /* of each version kept */
	size_t n_profile_row;

	/* As CONFIG says. */
	uint32_t search_quarter;
	uint64_t search_swept;
	uint64_t search_forgot_ms;

	struct people *people;
	struct approvals *approvals;
	struct cases *cases;
	struct audit *audit;
	struct search_key *search_key;
	struct tree *tree; /* over the leaves */
	struct witnesses *witnesses;
	struct checkpoints *checkpoints;
	struct custody *custody;
	struct boot *boot;   /* NULL: offline, where it stays as it is */
	uint64_t batch_ms;   /* leaf time of the batch under way */
	struct scrub *scrub; /* of the log, while it runs */
	struct copying *copying;
	struct rotation *rotation; /* of keys */
	struct backups *backups;
	struct certificates *certificates; /* of what was destroyed */
};

/*
 * An empty registry over an unsealed, unscanned store.  All is borrowed and
 * outlives it.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err registry_new(struct rows *rows, struct keystore *ks,
    struct undo *undo, struct lockmem *mem, struct registry **ret_reg);

/*
 * Builds everything in memory from the rows.  CDOP_DATA_LOSS: the store is
 * not what a daemon wrote; CDOP_NOT_FOUND: an init that was cut off left it
 * empty; *ret_why says what (never content).
 */
CDOP_MUST enum cdop_err registry_load(
    struct registry *reg, uint64_t now_ms, const char **ret_why);

/*
 * A batch where no loop makes them; errors are rows_begin()'s.  What was done
 * in it ends it: CDOP_OK by registry_commit(), anything else is taken back and
 * returned.
 */
CDOP_MUST enum cdop_err registry_begin(
    struct registry *reg, size_t bytes, size_t changes);
CDOP_MUST enum cdop_err registry_end(struct registry *reg, enum cdop_err err);

/*
 * Ends a batch, with root and checkpoint over the leaves there are now: the
 * one way to commit one that appended any.  Its undo log, too.  CDOP_OK:
 * durable. CDOP_RESOURCE_EXHAUSTED: nothing of it was applied.  Anything else:
 * what is on the disk is not known, and the process leaves.
 */
CDOP_MUST enum cdop_err registry_commit(struct registry *reg);

/* Wipes and frees; NULL is fine. */
void registry_free(struct registry *reg);

/*
 * CONFIG read into arena, to be changed and put back in the same batch.
 */
CDOP_MUST enum cdop_err registry_edit_config(struct registry *reg,
    struct cdop_arena *arena, Cdop__StoredConfig **ret_config);
CDOP_MUST enum cdop_err registry_put_config(struct registry *reg,
    struct cdop_arena *arena, const Cdop__StoredConfig *config);

/* What state it is in, as it is stored and told. */
Cdop__State registry_state(const struct registry *reg);

/* "setup", "open": for people. */
const char *registry_state_name(uint32_t state);

#endif
