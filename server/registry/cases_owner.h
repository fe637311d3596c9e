/*
 * Who owns a case: the area of residence decides, nothing is inferred, and
 * what is not settled or not ours goes to the holding area (RECORDS M3).
 */
#ifndef CDOP_REGISTRY_CASES_OWNER_H
#define CDOP_REGISTRY_CASES_OWNER_H

#include "server/registry/cases.h"

struct cases_owner {
	const char *area;       /* id */
	const char *reason;     /* as it is kept; NULL: residence says so */
	const char *words;      /* "Wirral", "holding (residence not known)" */
	const char *forward[3]; /* a neighbour's child: whom to ring */
	size_t n_forward;
	bool settled; /* by residence */
};

/*
 * The owner of a child with this form.  area and reason are what the caller
 * states, or NULL: allowed only where residence does not settle it.
 * CDOP_INVALID_ARGUMENT (violation), CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cases_owner_decide(struct cases_act *act,
    const Cdop__Form *form, const char *area, const char *reason,
    struct cases_owner *ret_owner);

/*
 * An area that can own a case today, or NULL.  holding: may it be that one?
 */
const struct cdop_area *cases_owner_area(
    const struct cases_act *act, const char *id, bool holding);

/* The zone of an area, or of the holding area where it has none. */
const char *cases_owner_zone(const struct cases_act *act, const char *area);

/*
 * The jurisdiction of a case as its state keeps it.  Where it keeps none,
 * because an earlier version wrote it: that of its owner today, or "".
 */
const char *cases_owner_jurisdiction(
    const struct cases_act *act, uint32_t slot);

/*
 * Keeps in a state on what basis the case is reviewed from now on: what its
 * form states, else what the profile in force says of the owner, else
 * nothing.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cases_owner_keep_basis(
    struct cases_act *act, const Cdop__Form *form, Cdop__StoredCase *state);

/* The same, and the jurisdiction: with a new owner. */
CDOP_MUST enum cdop_err cases_owner_keep(
    struct cases_act *act, const Cdop__Form *form, Cdop__StoredCase *state);

/* Does this version of a form change what the record states as the basis? */
bool cases_owner_turns_basis(const Cdop__StoredForm *form);

/*
 * What is still wanted of a case of this area with this form: of the
 * national return only where the area takes part in it.
 * CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cases_owner_missing(struct cases_act *act,
    const Cdop__Form *form, const char *area,
    struct cdop_missing_list *ret_missing);

/* The same of a case that is there. */
CDOP_MUST enum cdop_err cases_owner_still_missing(struct cases_act *act,
    const Cdop__Form *form, uint32_t slot,
    struct cdop_missing_list *ret_missing);

/* Today, where the panel is. */
int32_t cases_owner_today(const struct cases_act *act);

#endif
