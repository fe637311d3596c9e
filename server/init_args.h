/*
 * The arguments of cdopd init, as they were typed.
 */
#ifndef CDOP_SERVER_INIT_ARGS_H
#define CDOP_SERVER_INIT_ARGS_H

#include <stdbool.h>

#include "server/offline.h"
#include "server/registry/registry.h"
#include "server/registry/setup.h"

struct init_args {
	const char *dir;
	const char *profile;
	const char *key_file; /* of --slot keyfile: */
	const char *out;
	const char *confirm; /* NULL: is to be typed */
	const char *address[OFFLINE_ADDRESSES];
	size_t n_address;
	const char *admin[SETUP_ADMINS_MAX];
	size_t n_admin;
	enum registry_mode mode;
	bool passphrase_slot;
	bool degraded; /* allowed */
	bool is_help;  /* was asked for and given: nothing else is to do */
	struct offline_passphrase passphrase;
	uint32_t kdf_passes;
	uint32_t kdf_memory_mib;
};

/* CMD_OK, or CMD_USAGE after saying what is wrong. */
int init_args_parse(struct init_args *ret_args, int argc, char **argv);

#endif
