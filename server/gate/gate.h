/*
 * The gate process: every socket strangers can reach, and nothing else.  It
 * holds no key, opens no file and reads no message; whoever takes it over
 * sees ciphertext (server/DESIGN.md, "The link between gate and vault").
 */
#ifndef CDOP_GATE_GATE_H
#define CDOP_GATE_GATE_H

#include "server/base/control.h"

struct gate_args {
	const struct config *conf;
	int control;
	int link;
	uint64_t first_conn; /* connection ids grow from here */
	uint32_t n_listen;
	int listen[CONFIG_LISTEN_MAX];
};

/*
 * Shuts itself in and runs until the parent says stop or is gone.  Returns
 * the exit status: 0 after a stop, 1 otherwise.
 */
int gate_main(const struct gate_args *args);

#endif
