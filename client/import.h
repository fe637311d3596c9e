/*
 * Files of notifications: read, sent row by row with several on the way, and
 * what was not accepted written back.  A row keeps its request key in a
 * sealed file beside the input, so that the same file can be sent again.
 *
 *	portal.csv  ->  portal.cdop-keys  portal.rejects.csv
 */
#ifndef CDOP_CLIENT_IMPORT_H
#define CDOP_CLIENT_IMPORT_H

#include <jansson.h>

#include "client.pb-c.h"
#include "client/notify.h"

/* cdop notify --from path. */
enum exit_code import_run(
    struct cmd_ctx *ctx, const struct cdop_profile *profile, const char *path);

enum import_state {
	IMPORT_READY = 0,
	IMPORT_SENT,
	IMPORT_ACCEPTED,
	IMPORT_REJECTED,
	IMPORT_OPEN, /* sent, and answered "later" */
};

struct import_row {
	unsigned number;    /* of the data rows of the first file, from 1 */
	const char **cell;  /* CSV: as many as there are columns */
	const char *beyond; /* cells of no named column, or NULL */
	json_t *object;     /* JSON */
	uint8_t hash[32];   /* of what stands in the row */
	enum import_state state;
	struct notify n;
	const char *decision; /* as it stands in the file, or NULL */
	const char *decision_reason;
	const char *accepted; /* warnings_accepted */
	const char *reference;
	const Cdop__ClientImportRow *kept; /* of this very row; or NULL */
	uint64_t call;                     /* id of the call on its way */
	uint64_t leaf; /* of its answer in the log, + 1; 0: none */
	unsigned tries;
	bool is_old; /* the registry has forgotten its key */
	const Cdop__NotificationRegisterReply *reply; /* once accepted */
	bool replayed;
	const struct cmd_finding *finding; /* why not */
	size_t n_findings;
	const char *open; /* why not yet */
};

struct import_file {
	const char *path;
	const char *stem; /* path without .csv, .rejects.csv, ... */
	bool is_stdin;
	bool is_json;
	bool is_rejects; /* one of our own, corrected */
	char delimiter;
	const char **column; /* CSV */
	size_t n_columns;
	struct import_row *row;
	size_t n_rows;
	/* Kept beside it, of rows that are not in it now. */
	const Cdop__ClientImportRow **left;
	size_t n_left;
	/* Hash of the rejects file that was written, or sent, last. */
	uint8_t rejects[32];
	bool has_rejects;
};

#endif
