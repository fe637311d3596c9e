/*
 * The registry as a whole: what is in memory while it is open, and how that
 * is built from the sealed rows.  No sockets, no wire types, no clock.
 *
 * Each part owns its tables and changes them only through the undo log, so
 * that a batch that fails leaves memory as it was (TRUST M11).
 */
#ifndef CDOP_REGISTRY_REGISTRY_H
#define CDOP_REGISTRY_REGISTRY_H

#include "cdop/arena.h"
#include "cdop/err.h"

#include <stdbool.h>
#include <stdint.h>

struct approvals;
struct audit;
struct cases;
struct cdop_profile;
struct keystore;
struct people;
struct rows;
struct undo;

enum registry_mode {
	REGISTRY_LIVE = 1,
	REGISTRY_TRAINING = 2,
};

struct registry {
	struct rows *rows;
	struct keystore *ks;
	struct undo *undo;

	uint8_t id[16];
	enum registry_mode mode;
	uint32_t state;	    /* one CDOP_STATE_* bit */
	uint64_t config_row; /* row number of CONFIG */

	const struct cdop_profile *profile; /* in force */
	uint8_t profile_hash[32];
	uint64_t profile_version;
	uint64_t profile_row;

	struct people *people;
	struct approvals *approvals;
	struct cases *cases;
	struct audit *audit;
};

#endif
