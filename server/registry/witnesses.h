/*
 * Who has looked at the log and signed for it (c2sp.org/tlog-cosignature):
 * the newest checkpoint that each person has co-signed.  A cosignature says
 * more than one: that a person outside this host holds a checkpoint which
 * the log cannot fall behind unnoticed.
 */
#ifndef CDOP_REGISTRY_WITNESSES_H
#define CDOP_REGISTRY_WITNESSES_H

#include "cdop/arena.h"
#include "cdop/note.h"
#include "server/registry/registry.h"

#define WITNESSES_MAX 64 /* persons */

struct actor;
struct witnesses;

/* One person's newest; where there are more persons, of those who signed last.
 */
struct witness {
	uint32_t person; /* 0: none */
	uint32_t version;
	uint64_t row;
	uint64_t size;
	uint64_t time_s; /* seconds since 1970, as the witness said */
};

/* One that comes; everything is borrowed. */
struct witnesses_sent {
	const struct actor *actor;
	struct cdop_bytes note; /* a checkpoint with a cosignature */
	const char *vkey;       /* of the witness */
	uint64_t now_ms;
};

/* What was found wrong with one that was sent. */
enum witnesses_fault {
	WITNESSES_FINE,
	WITNESSES_NO_NOTE, /* no checkpoint of this registry */
	WITNESSES_NO_KEY,  /* the vkey is no witness's, or has not signed it */
	WITNESSES_FORKED,  /* a checkpoint that is no part of this log */
	WITNESSES_AHEAD,   /* co-signed at a time to come */
};

CDOP_MUST enum cdop_err witnesses_new(
    struct registry *reg, struct witnesses **ret_witnesses);
void witnesses_free(struct witnesses *witnesses);

/* Takes a row while the registry is opened.  CDOP_DATA_LOSS. */
CDOP_MUST enum cdop_err witnesses_load(struct witnesses *witnesses,
    uint64_t row, const Cdop__StoredWitness *stored);

/*
 * Within a batch: keeps it, if it is newer than what the person has sent.
 * *ret_kept is what is kept then.  CDOP_INVALID_ARGUMENT,
 * CDOP_FAILED_PRECONDITION: *ret_fault says what is wrong; errors of rows and
 * tree.
 */
CDOP_MUST enum cdop_err witnesses_take(struct witnesses *witnesses,
    struct cdop_arena *arena, const struct witnesses_sent *sent,
    struct witness *ret_kept, enum witnesses_fault *ret_fault);

/* What is kept of a person; person 0: nothing. */
struct witness witnesses_of(const struct witnesses *witnesses, uint32_t person);

/* The one that signed last; person 0: none has. */
struct witness witnesses_newest(const struct witnesses *witnesses);

#endif
