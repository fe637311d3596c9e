/*
 * Backups: the one that is being taken, and what is known of those that ever
 * were begun, as each of them still has the keys of its day (TRUST M3).
 *
 * Whoever asks gets it as a stream of messages.  Its rows are read between
 * batches, a bounded piece ahead of what was sent, so a slow reader holds up
 * nobody and nothing is kept for one who is gone.
 */
#ifndef CDOP_REGISTRY_BACKUPS_H
#define CDOP_REGISTRY_BACKUPS_H

#include <stdbool.h>

#include "cdop/arena.h"
#include "cdop/manifest.h"
#include "server/registry/registry.h"

#define BACKUPS_LABEL_MAX 80    /* characters */
#define BACKUPS_MAX       65535 /* that are kept in mind */
#define BACKUPS_A_DAY     128   /* that are begun within 24 hours */
#define BACKUPS_OF_ONE    64    /* of them by one person: others need some */
/* One is left alone for so long; then somebody else may take its place. */
#define BACKUPS_ALONE_MS (30 * 60 * 1000)

struct actor;
struct backups;

#define BACKUPS_SLOTS 8 /* of shares that are named of one */

/* Shares that open one. */
struct backups_slot {
	uint16_t number;
	uint8_t need;
	uint8_t of;
};

/* What it takes to open one: which slots, under which root. */
struct backups_opens {
	bool known;    /* it is kept since there are codes */
	uint32_t root; /* rotation_root() of then */
	uint8_t n;
	struct backups_slot slot[BACKUPS_SLOTS];
};

/* One that was begun; good until the next is. */
struct backups_entry {
	uint32_t number;
	uint32_t person;
	uint32_t device;
	uint64_t row;
	uint64_t begun_ms;
	uint64_t ended_ms;  /* 0: nobody has said that a file has all of it */
	uint64_t proved_ms; /* 0: nobody has said that it can be restored */
	uint32_t proved_by;
	bool by_code; /* ... with its code, and not by word alone */
	bool has_proof;
	uint8_t proof[CDOP_MANIFEST_PROOF]; /* the code */
	uint64_t destroyed_ms; /* 0: nobody has said that it is no more */
	uint32_t destroyed_by;
	uint32_t destroyed_second;
	struct backups_opens opens;
	uint32_t version;
	bool dropped; /* it makes room, with the commit of this batch */
	char *label;
	struct cdop_bytes manifest; /* empty until all of it was sent */
};

enum backups_fault {
	BACKUPS_FINE,
	BACKUPS_NO_SHARES,   /* no slot could open it */
	BACKUPS_BUSY,        /* one is being taken */
	BACKUPS_FULL,        /* none of those that are known makes room */
	BACKUPS_OFTEN,       /* too many were begun within a day */
	BACKUPS_OVER,        /* another was begun, or it was given up */
	BACKUPS_FAILED,      /* a row on the way is damaged: backups_news() */
	BACKUPS_TURNED,      /* rows were sealed anew meanwhile: begin again */
	BACKUPS_NOT_SENT,    /* not all of it ever was */
	BACKUPS_CODE_NEEDED, /* it has a code, and none was named */
	BACKUPS_CODE_WRONG,  /* that is not its code */
	BACKUPS_CODE_USED,   /* it was proved with it: twice shows no more */
	BACKUPS_NO_CODE,     /* it is older than codes are, and one was named */
};

CDOP_MUST enum cdop_err backups_new(
    struct registry *reg, struct backups **ret_backups);
void backups_free(struct backups *backups);

/* Takes a row while the registry is opened.  CDOP_DATA_LOSS. */
CDOP_MUST enum cdop_err backups_load(
    struct backups *backups, uint64_t row, const Cdop__StoredBackup *stored);

/* How many were begun, and one of them, the oldest first. */
size_t backups_count(const struct backups *backups);
const struct backups_entry *backups_at(const struct backups *backups, size_t i);

/*
 * Within a batch: one is begun, and has its row.  Where there are BACKUPS_MAX
 * the oldest goes that two people have said to be destroyed, or that nobody
 * knows to be whole a year after it was begun; its number is never used again,
 * and stands for one of which nothing is known.  One that another person has
 * been taking for BACKUPS_ALONE_MS is over.  CDOP_FAILED_PRECONDITION,
 * CDOP_RESOURCE_EXHAUSTED: *ret_fault.
 */
CDOP_MUST enum cdop_err backups_begin(struct backups *backups,
    struct cdop_arena *arena, const struct actor *actor, const char *label,
    uint64_t now_ms, uint32_t *ret_number, enum backups_fault *ret_fault);

/* A piece of the file that is taken. */
struct backups_piece {
	uint8_t *out;
	size_t max;
	size_t len; /* of what was taken; 0: nothing yet */
	bool end;   /* it was the last one, and its row has the manifest */
};

/*
 * Within a batch: the next piece of backup number; out and max are the
 * caller's.  CDOP_FAILED_PRECONDITION, CDOP_ABORTED, CDOP_DATA_LOSS:
 * *ret_fault.
 */
CDOP_MUST enum cdop_err backups_take(struct backups *backups,
    struct cdop_arena *arena, uint32_t number, struct backups_piece *piece,
    enum backups_fault *ret_fault);

/*
 * Between batches: whoever took backup number is gone, so that another one
 * may begin.  Nothing where it is not the one that is being taken.
 */
void backups_leave(struct backups *backups, uint32_t number);

/* What the device that took one says of the file it made. */
struct backups_kept {
	uint32_t number;
	const uint8_t
	    *manifest; /* cdop_manifest_hash() of what it read there */
	uint64_t now_ms;
};

/*
 * Within a batch: from now on it counts as whole.  CDOP_NOT_FOUND: this
 * device has begun no such backup.  CDOP_FAILED_PRECONDITION: not all of it
 * was sent.  CDOP_ABORTED: what was sent has another manifest.
 */
CDOP_MUST enum cdop_err backups_kept(struct backups *backups,
    struct cdop_arena *arena, const struct actor *actor,
    const struct backups_kept *kept);

/* What somebody says who has opened one elsewhere. */
struct backups_proof {
	uint32_t number;
	const uint8_t *code; /* dump_proof(); NULL: nothing but his word */
	uint64_t now_ms;
};

/*
 * Within a batch: somebody has opened it elsewhere, so it is whole, too.
 * His word alone is taken of one that has no code, and of no other.  A code
 * proves it once: it is the same for ever, so whoever had it once would have
 * another proof each year without a look at the file.
 * CDOP_NOT_FOUND: no such backup.  CDOP_FAILED_PRECONDITION,
 * CDOP_INVALID_ARGUMENT: *ret_fault.
 */
CDOP_MUST enum cdop_err backups_prove(struct backups *backups,
    struct cdop_arena *arena, const struct actor *actor,
    const struct backups_proof *proof, enum backups_fault *ret_fault);

/* Two people who say that there is no file of one any more. */
struct backups_gone {
	uint32_t number;
	uint32_t by;
	uint32_t second;
	uint64_t now_ms;
};

/*
 * Within a batch: from now on it counts for nothing, until somebody proves
 * that it is there after all.  CDOP_NOT_FOUND: no such backup.
 * CDOP_FAILED_PRECONDITION: it was said before.
 */
CDOP_MUST enum cdop_err backups_destroyed(struct backups *backups,
    struct cdop_arena *arena, const struct backups_gone *gone);

/*
 * Within a batch: the registry was restored from the one that has this
 * manifest, which in its own rows is one that was only begun: it is whole,
 * and was proved by that.  CDOP_DATA_LOSS: it is in no row.
 */
CDOP_MUST enum cdop_err backups_restored(struct backups *backups,
    struct cdop_arena *arena, struct cdop_bytes manifest, uint64_t now_ms);

/* NULL: no such backup. */
const struct backups_entry *backups_find(
    const struct backups *backups, uint32_t number);

/*
 * Of those that nobody has said to be destroyed: the newest that is whole, and
 * the one that was proved last; or NULL.
 */
const struct backups_entry *backups_newest(const struct backups *backups);
const struct backups_entry *backups_proved(const struct backups *backups);

/* Whether one was ever whole, though it may be said to be destroyed. */
bool backups_any_whole(const struct backups *backups);

/* Between batches: reads ahead.  True: there is more to be read now. */
bool backups_pump(struct backups *backups, uint64_t boot_ms);

/* What was found when a backup failed, for an operator, once; or NULL. */
const char *backups_news(struct backups *backups);

#endif
