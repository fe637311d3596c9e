/*
 * What stands between the program and the machine in a fault test: memory,
 * LMDB, files, randomness and clocks.  While it is armed each call is
 * counted, and one of them fails, is cut off or is the last.
 *
 * Its functions stand before those of the C library and of LMDB (the linker
 * wraps the latter), so that LMDB's own calls are counted too.  Only files
 * below a watched directory are.  Randomness is a stream of a seed and the
 * clocks go on by looking at them, so that a run can be repeated.
 */
#ifndef CDOP_TESTS_SHIM_H
#define CDOP_TESTS_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What is counted. */
enum shim_class {
	SHIM_ALLOC,  /* malloc and its like, anonymous maps */
	SHIM_LMDB,   /* calls of ours that LMDB may refuse */
	SHIM_FILE,   /* calls about a watched file or directory */
	SHIM_WRITE,  /* those of them that write, sync, name or cut */
	SHIM_DATA,   /* those of them that carry bytes */
	SHIM_COMMIT, /* commits of LMDB */
	SHIM_RANDOM, /* requests for random bytes */
	SHIM_CLASSES,
};

/* What happens at the n-th of its class. */
enum shim_kind {
	SHIM_NO_MEMORY,
	SHIM_LMDB_EIO,     /* and nothing was done */
	SHIM_LMDB_FULL,    /* out of memory, readers or room, likewise */
	SHIM_LMDB_UNKNOWN, /* a commit is done, and says EIO */
	SHIM_EIO,
	SHIM_ENOSPC,
	SHIM_HALF,      /* a write is done in part and says so */
	SHIM_KILL,      /* the process is gone before the call */
	SHIM_TORN,      /* it is gone in the middle of a write */
	SHIM_NO_RANDOM, /* the source fails: libsodium ends the process */
	SHIM_STUCK,     /* the same byte for ever, from here on */
	SHIM_KINDS,
	/* No fault but a lie, which has to be found out: a commit that says
	 * that it was done, and was not. */
	SHIM_LIE = SHIM_KINDS,
};

#define SHIM_EXIT_KILLED 9

enum shim_class shim_class_of(enum shim_kind kind);
const char *shim_kind_name(enum shim_kind kind);

/*
 * What is counted and hit is one for this process and all that it forks from
 * now on.
 */
void shim_share(void);

/*
 * Everything below these; either may be NULL.  Only the first is recorded.
 * Borrowed.
 */
void shim_watch(const char *dir, const char *other);

/* The stream of random bytes begins anew, and the wall clock stands here. */
void shim_reset(uint64_t seed, uint64_t now_ms);

/* Counts are zero, and the at-th call will be hit; at 0: none. */
void shim_plan(enum shim_kind kind, uint64_t at);

/* Between these two, and nowhere else, calls are counted. */
void shim_on(void);
void shim_off(void);

/*
 * Nobody waits in poll() any more while it is armed: fn is asked first, with
 * the number of the call from 1 on.
 */
void shim_poll(void (*fn)(unsigned n));

uint64_t shim_count(enum shim_class which);
/* Whether the call that had to fail has come. */
bool shim_fired(void);
/* The name of the call that was hit; "" before. */
const char *shim_hit(void);

uint64_t shim_wall_ms(void);
/* The same without leaps. */
uint64_t shim_now_ms(void);
void shim_pass(uint64_t ms);
/* The wall clock alone jumps. */
void shim_leap(int64_t ms);

/* ---- the recorder ------------------------------------------------------- */

enum shim_act {
	SHIM_ACT_WRITE, /* data at a place */
	SHIM_ACT_CUT,   /* to a length */
	SHIM_ACT_SYNC,  /* of a file */
	SHIM_ACT_MAKE,  /* a name that was not there */
	SHIM_ACT_NAME,  /* renamed, over what was there */
	SHIM_ACT_GONE,  /* unlinked */
	SHIM_ACT_SYNC_DIR,
	SHIM_ACT_SAID, /* the vault's own code is entered again */
};

struct shim_event {
	enum shim_act act;
	unsigned file; /* a number for each file that there ever was */
	char name[32];
	uint64_t at;
	size_t len;
	uint8_t *data;
	bool durable;  /* written with O_DSYNC */
	uint64_t said; /* with SAID: what the caller wants to know */
};

/*
 * What the vault does to the first watched directory from now on; NULL ends
 * it.
 */
typedef void shim_event_fn(void *ctx, const struct shim_event *event);
void shim_record(shim_event_fn *fn, void *ctx);
/* The number of a file that is there already. */
unsigned shim_file(const char *name);

#endif
