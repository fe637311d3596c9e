/*
 * cdopd slot add: a new key file, credential, passphrase or share set, proved
 * by opening the root with what was kept, before anything else is said.
 */
#ifndef CDOP_SERVER_SLOT_ADD_H
#define CDOP_SERVER_SLOT_ADD_H

#include "server/slot_make.h"

#define SLOT_ADD_ROOT_STAYS                                                    \
	"A copy of the database from before still opens with it, as long as "  \
	"the root is the same: cdop key rotate --root.\n"

#define SLOT_ADD_SHEET                                                         \
	"The recovery sheet says something else now: cdopd slot sheet.\n"

/* The arguments of cdopd slot, as they were typed. */
struct slot_add {
	struct offline_from from;
	const char *by;
	const char *reason;
	struct slot_make_args new;
	uint32_t slot; /* of remove */
	struct offline offline;
};

void slot_add_init(struct slot_add *ret_add);

/* After offline_open().  false: said why. */
bool slot_add_run(struct slot_add *add);

#endif
