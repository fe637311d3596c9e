/*
 * What is on record about a person: filled in at an invitation and changed
 * later by two people.
 */
#ifndef CDOP_REGISTRY_PEOPLE_CHANGE_H
#define CDOP_REGISTRY_PEOPLE_CHANGE_H

#include "server/registry/people_act.h"

/* Fields that stay are NULL, or their set flag is false. */
struct people_change {
	const char *name;
	const char *job_title; /* "": none from now on */
	const char *agency;    /* likewise */
	bool areas_set;
	char *const *areas;
	size_t n_areas;
	bool all_areas_set;
	bool all_areas;
	bool grants_set;
	const struct people_grant *grants;
	size_t n_grants;
	bool expiry_set; /* of the device that the act names */
	uint64_t device_expires_ms;
};

/*
 * Puts change over *person, which is no table's, and checks the outcome:
 * text, areas and agency of the profile, roles that do not go together,
 * roles that need an area.  *person is spoilt by a failure.
 */
CDOP_MUST enum cdop_err people_change_fill(struct people_act *act,
    const struct people_change *change, struct people_person *person);

/* Errors of an act (people_act.h). */
CDOP_MUST enum cdop_err people_change_apply(struct people_act *act,
    const struct people_whom *whom, const struct people_change *change);

#endif
