/*
 * What a registry that does not open comes to: the exit status, by which the
 * parent knows whether to try again, and what a person does next.
 */
#ifndef CDOP_CYCLE_REFUSED_H
#define CDOP_CYCLE_REFUSED_H

#include "cdop/err.h"

#define REFUSED_NEXT_VERIFY "run cdopd verify on the data directory"
#define REFUSED_NEXT_ROOM   "look for memory and room"
#define REFUSED_NEXT_DIR                                                       \
	"it has to be the daemon's own and closed to others: chown to its "    \
	"user and chmod 0700; cdopd check says more, and journalctl -k what "  \
	"AppArmor forbids"

/* Of a registry that was read, err not CDOP_OK. */
int refused_status(enum cdop_err err);
const char *refused_next(enum cdop_err err);

/*
 * Of a store in dir that does not open; says so and returns the status.  What
 * lasts is not tried again; memory and room come back.
 */
int refused_store(const char *dir, enum cdop_err err);

#endif
