/*
 * People and devices that are left out of what is restored: suspended with
 * the mark, by whoever makes it, before anybody can come in.  Who was
 * dismissed after the backup is active in it, and nobody in it knows.
 */
#ifndef CDOP_REGISTRY_RESTORED_PEOPLE_H
#define CDOP_REGISTRY_RESTORED_PEOPLE_H

#include "cdop/arena.h"
#include "cdop/limits.h"
#include "server/registry/registry.h"

/* One, as it was typed: a number, or the whole name of a person. */
struct restored_whom {
	const char *who;
	bool is_device; /* then a number */
};

struct restored_suspend {
	struct restored_whom whom[CDOP_LEFT_OUT_MAX];
	size_t n;
};

/* One, found. */
struct restored_out {
	uint32_t person;
	uint32_t device; /* 0: the whole person */
	bool before;     /* suspended in it already: nothing is done */
};

/*
 * Whom suspend means, behind the *n of out, each once.  Who is revoked in what
 * is restored is left away: that is for ever; who is suspended in it is kept,
 * as two who lift that are to know.  CDOP_NOT_FOUND: one of them is nobody, or
 * two people; CDOP_INVALID_ARGUMENT: there is no room; *ret_why, in arena.
 */
CDOP_MUST enum cdop_err restored_people_find(const struct registry *reg,
    struct cdop_arena *arena, const struct restored_suspend *suspend,
    struct restored_out out[static CDOP_LEFT_OUT_MAX], size_t *n,
    const char **ret_why);

bool restored_people_is_revoked(
    const struct people *people, const struct restored_out *out);

/* What is to be said behind a name, with a blank in front; "": nothing. */
const char *restored_people_how(
    const struct people *people, const struct restored_out *out);

/* So many of those who may accept it are shown. */
#define RESTORED_ACCEPT_MAX 64

struct restored_people_act {
	const struct restored_out *out;
	size_t n;
	const char *by;
	const char *reason;
	uint64_t now_ms;
};

/*
 * Within a batch: each is suspended, with a leaf, but for those who were
 * before; who was invited and never active, and a device that waits, is
 * revoked, as there is nothing to lift.
 * Suspension may leave fewer than two administrators, as everywhere.
 * CDOP_FAILED_PRECONDITION: *ret_why, in arena.
 */
CDOP_MUST enum cdop_err restored_people_suspend(struct registry *reg,
    struct cdop_arena *arena, const struct restored_people_act *args,
    const char **ret_why);

/*
 * Invitations that nobody has used yet: they may have been taken back since.
 * Those of the host do not count, which may be the only way in.
 */
size_t restored_people_invited(const struct registry *reg, uint64_t now_ms);

/* Within a batch: all of them are taken back. */
CDOP_MUST enum cdop_err restored_people_uninvite(
    struct registry *reg, struct cdop_arena *arena, uint64_t now_ms);

/* Rows and bytes that so many can make: what is theirs goes with them. */
#define RESTORED_PEOPLE_ROWS(n)  ((n)*16)
#define RESTORED_PEOPLE_BYTES(n) ((n)*16384)

/*
 * The first persons, at most max, who may accept a restore at this time:
 * administrators with a device that is let in.  How many were written.
 */
size_t restored_people_accept(const struct registry *reg, uint64_t now_ms,
    struct restored_out *ret_out, size_t max);

#endif
