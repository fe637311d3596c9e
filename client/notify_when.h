/* Which questions make sense after what was answered already. */
#ifndef CDOP_CLIENT_NOTIFY_WHEN_H
#define CDOP_CLIENT_NOTIFY_WHEN_H

#include "cdop/form.h"

/* Is the field worth asking? */
bool notify_when_asked(const Cdop__Form *form, const struct cdop_field *field);

/* Has it to be answered before the form can be accepted? */
bool notify_when_needed(const Cdop__Form *form, const struct cdop_field *field);

#endif
