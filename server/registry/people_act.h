/*
 * What is done to people, and what all such acts share: suspend, resume and
 * revoke stand here, the others in people_change.h, people_enrol.h and
 * invitations.h.  Each act checks everything again, in the open transaction,
 * and changes tables and rows together.
 *
 * Who may ask for an act by role, and whether a second person has agreed,
 * has been decided before; what the acts themselves rule is what holds for
 * everybody: the number of administrators, roles that exclude each other,
 * who may not be whose second person.
 */
#ifndef CDOP_REGISTRY_PEOPLE_ACT_H
#define CDOP_REGISTRY_PEOPLE_ACT_H

#include "cdop/arena.h"
#include "server/registry/people.h"
#include "server/registry/people_rule.h"

/* Who does it, when, and whether it is only to be checked. */
struct people_act {
	struct people *people;
	struct cdop_arena *arena;
	uint32_t person;
	uint32_t device;
	bool pending; /* waits for activation itself: setup */
	bool dry;     /* check all, change nothing */
	uint64_t now_ms;

	/* Said when the act is refused: stable word and words, literals. */
	const char *path; /* of the request's field, or NULL */
	const char *reason;
	const char *message;
	bool kept; /* refused, and yet something was changed: keep it */
};

/* Whom or what an act is about. */
struct people_whom {
	uint32_t person;
	uint32_t device; /* 0: the whole person */
	const char *reason;
};

/*
 * The errors of every act: CDOP_NOT_FOUND; CDOP_INVALID_ARGUMENT (path);
 * CDOP_FAILED_PRECONDITION; each with reason and message in *act.  And what
 * the store says.
 */

/* Sets reason and message and returns err. */
enum cdop_err people_act_refuse(struct people_act *act, enum cdop_err err,
    const char *reason, const char *message);

/* One person is enough, and it may leave fewer than two administrators. */
CDOP_MUST enum cdop_err people_act_suspend(
    struct people_act *act, const struct people_whom *whom);

CDOP_MUST enum cdop_err people_act_resume(
    struct people_act *act, const struct people_whom *whom);

/*
 * For ever.  administrator says which of the two calls it is: by one person
 * never an administrator, by two nobody else.
 */
CDOP_MUST enum cdop_err people_act_revoke(
    struct people_act *act, const struct people_whom *whom, bool administrator);

/*
 * A line or reason as it is kept.  Missing or empty is refused where needed
 * is true, else it gives "".
 */
CDOP_MUST enum cdop_err people_act_text(struct people_act *act,
    const char *path, const char *text, size_t max_chars, bool needed,
    char *out, size_t room);

/* Writes an entry that was edited, one version on. */
CDOP_MUST enum cdop_err people_act_store_person(
    struct people_act *act, struct people_person *person);
CDOP_MUST enum cdop_err people_act_store_device(
    struct people_act *act, struct people_device *device);
CDOP_MUST enum cdop_err people_act_store_invitation(
    struct people_act *act, struct people_invitation *invitation);

/*
 * Whether there would be too few administrators and it is the act that made
 * them fewer.  CDOP_FAILED_PRECONDITION.
 */
CDOP_MUST enum cdop_err people_act_check_admins(
    struct people_act *act, const struct people_rule_if *what);

/* The person, and the device (or NULL) that is theirs.  CDOP_NOT_FOUND. */
CDOP_MUST enum cdop_err people_act_find(struct people_act *act,
    const struct people_whom *whom, const struct people_person **ret_person,
    const struct people_device **ret_device);

/* CDOP_INVALID_ARGUMENT for the field at path. */
enum cdop_err people_act_bad_field(struct people_act *act, const char *path,
    const char *reason, const char *message);

/*
 * Before an act that changes who counts as administrator: ends that have
 * taken effect are put on record, so that they never come back.
 */
CDOP_MUST enum cdop_err people_act_settle(struct people_act *act);

#endif
