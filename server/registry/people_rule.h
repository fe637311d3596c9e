/*
 * What is so about people at a moment, and what may not become so: roles in
 * force, which roles go together, how many administrators there are.  It
 * looks and changes nothing.
 */
#ifndef CDOP_REGISTRY_PEOPLE_RULE_H
#define CDOP_REGISTRY_PEOPLE_RULE_H

#include "cdop/arena.h"
#include "server/registry/people.h"

/* Fewer, and nobody can do what takes two. */
#define PEOPLE_RULE_ADMINS_MIN 2
/* Fewer, and one leaver brings it down to that. */
#define PEOPLE_RULE_ADMINS_WELL 3

/*
 * An entry as it would be after an act, in place of the one with its
 * number; either may be NULL.
 */
struct people_rule_if {
	const struct people_person *person;
	const struct people_device *device;
};

/*
 * Active administrators: person active, the role in force, a device that is
 * active.  An end (of the role or of the last device) that would leave fewer
 * than PEOPLE_RULE_ADMINS_MIN has not taken effect: that person is "held".
 */
struct people_rule_admins {
	size_t n; /* in force, the held ones too */
	size_t n_held;
	size_t n_seen;        /* of n: had a session in the last 14 days */
	uint32_t held;        /* one of them, by person number; 0: none */
	uint64_t next_end_ms; /* the next end among n; UINT64_MAX: none */
};

/* what may be NULL. */
void people_rule_admins(const struct people *people, uint64_t now_ms,
    const struct people_rule_if *what, struct people_rule_admins *ret_admins);

/*
 * The end of this administrator has taken effect and is not on record yet
 * (lapsed_ms): an act is about to change who counts, and it must not come
 * back.
 */
bool people_rule_has_lapsed(
    const struct people *people, uint32_t person, uint64_t now_ms);

/*
 * CDOP_ROLE_* in force for a device: 0, CDOP_ROLE_PENDING, or roles and
 * CDOP_ROLE_ANY.
 */
uint32_t people_rule_roles(const struct people *people,
    const struct people_device *device, uint64_t now_ms);

/*
 * The mask of all grants of an entry that have not ended, those that begin
 * later too.  An administrator's that has ended but is held counts.
 */
uint32_t people_rule_granted(const struct people *people,
    const struct people_person *person, uint64_t now_ms);

/* Names of the roles of a mask, in arena: "administrator, auditor". */
const char *people_rule_role_words(struct cdop_arena *arena, uint32_t mask);

/*
 * Digits and nothing else: a number, wherever a person is named by either.
 * Nobody is given such a name any more.
 */
bool people_rule_is_number(const char *name);

/* Administrator, custodian or auditor with a role that reads cases. */
bool people_rule_is_exclusive(uint32_t roles);

/* Its bearer is let in to enrol: not ended, cancelled or flagged. */
bool people_rule_is_usable(
    const struct people_invitation *invitation, uint64_t now_ms);

/*
 * What an act of two is bound to: changes with every act on the person or a
 * device of theirs, and with nothing else.
 */
void people_rule_target(
    const struct people *people, uint32_t person, uint8_t out[static 32]);

/*
 * The first persons, at most max, who may be the same human as this one:
 * a name that shares its longest part, as names of children are compared, or
 * the same agency.  Revoked ones
 * count too.  How many were written.
 */
size_t people_rule_similar(const struct people *people, const char *name,
    const char *agency, uint32_t but, uint32_t *ret_persons, size_t max);

#endif
