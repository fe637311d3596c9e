/* Which questions make sense after what was answered already. */
#ifndef CDOP_CLIENT_NOTIFY_WHEN_H
#define CDOP_CLIENT_NOTIFY_WHEN_H

#include "cdop/form.h"

/* Is the field worth asking? */
bool notify_when_asked(const Cdop__Form *form, const struct cdop_field *field);

/* Has it to be answered before the form can be accepted? */
bool notify_when_needed(const Cdop__Form *form, const struct cdop_field *field);

/*
 * Is a repeated group asked about?  all: what is wanted later too, which is
 * every group there is.
 */
bool notify_when_group(const char *group, bool all);

/*
 * Where the child's postcode may lie, when that is not the area of residence
 * that was given: names joined by " or ".  NULL: nothing to point out.
 */
const char *notify_when_elsewhere(const Cdop__Form *form,
    const struct cdop_profile *profile, struct cdop_arena *arena);

#endif
