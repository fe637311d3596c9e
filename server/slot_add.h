/*
 * cdopd slot add: a new key file, credential, passphrase or share set, proved
 * by opening the root with what was kept, before anything else is said.
 */
#ifndef CDOP_SERVER_SLOT_ADD_H
#define CDOP_SERVER_SLOT_ADD_H

#include "server/offline_key.h"

#define SLOT_ADD_ROOT_STAYS                                                    \
	"A copy of the database from before still opens with it, as long as "  \
	"the root is the same: cdop key rotate --root.\n"

/* The arguments of cdopd slot, as they were typed. */
struct slot_add {
	struct offline_from from;
	const char *by;
	const char *reason;
	const char *label; /* NULL: the name of its kind */
	const char *key_file;
	const char *credential;
	bool is_passphrase;
	struct offline_passphrase passphrase; /* the new one */
	uint32_t kdf_passes;
	uint32_t kdf_memory_mib;
	bool is_shares;
	struct slots_set_new plan;
	size_t n_holder;
	const char *out; /* a directory for the shares */
	uint32_t slot;   /* of remove */
	struct offline offline;
};

void slot_add_init(struct slot_add *ret_add);

/* After offline_open().  false: said why. */
bool slot_add_run(struct slot_add *add);

#endif
