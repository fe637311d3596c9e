/*
 * The parent: starts gate and vault, watches them, starts them again.  It
 * holds no key, reads no stranger's byte and opens no registry.
 */
#ifndef CDOP_BASE_PARENT_H
#define CDOP_BASE_PARENT_H

#include <stdint.h>

#include "server/base/config.h"
#include "server/base/unseal.h"

struct parent_args {
	const char *conf_path; /* read again on HUP */
	const struct config *conf;
	unseal_fn *unseal;
	uint64_t hang_ms; /* a ping unanswered; 0: WATCH_HANG_MS */
};

/*
 * Binds, starts both children and stays until told to stop.  Writes one
 * line to stdout once both are ready: "cdopd: ready state=... listen=...".
 * Returns the exit status: 0 after TERM or INT; CONTROL_EXIT_RESTARTS when
 * children died too often; the child's own where it said that starting
 * again is useless; 71 where the system refused something.
 */
int parent_run(const struct parent_args *args);

#endif
