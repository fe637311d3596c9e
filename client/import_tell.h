/* A file on its way: how far it is, and what a person is told of it. */
#ifndef CDOP_CLIENT_IMPORT_TELL_H
#define CDOP_CLIENT_IMPORT_TELL_H

#include "client/call.h"
#include "client/import.h"
#include "client/progress.h"

struct import {
	struct cmd_ctx *ctx;
	struct import_file file;
	struct call_send send; /* purpose and role, the same for all */
	size_t next;           /* row to be looked at */
	size_t told;           /* rows before it have been told of */
	size_t on_the_way;
	size_t accepted;
	size_t rejected;
	size_t wanting; /* accepted, and something is missing today */
	size_t unseen;  /* of these: of a case out of sight */
	/* An answer that is no word on the row: "later".  Then no more go. */
	enum exit_code later;
	struct cmd_error later_error;
	bool halt;
	struct progress progress;
};

/* All rows whose turn it is. */
void import_tell(struct import *im);

/* At a terminal, once a second. */
void import_tell_progress(struct import *im);

/* path: of the rejects, or NULL; left: rows that nothing is known of. */
void import_tell_sum(struct import *im, const char *path, size_t left);

#endif
