/*
 * An exported log: a folder with the checkpoint, tiles and entry bundles of
 * c2sp.org/tlog-tiles, the entries being leaves (cdop/leaf.h), and beside
 * them the statements of the registry, oldest first:
 *
 *	checkpoint
 *	tile/0/000.p/44  tile/entries/000.p/44  ...
 *	statement/1  statement/2  ...
 */
#ifndef CDOP_CLIENT_EXPORT_H
#define CDOP_CLIENT_EXPORT_H

#include "cdop/statement.h"
#include "client/cmd.h"

/* What was found, when all of it holds. */
struct export_log {
	struct cdop_note_key key; /* that has signed the checkpoint */
	struct cdop_checkpoint checkpoint;
	size_t statements;
	uint64_t first_ms; /* of the first and last leaf; 0: there is none */
	uint64_t last_ms;
};

/*
 * Whether everything in the folder hangs together and under the key, or
 * under one that statements lead to from it.  Reads each file that a log of
 * this size has, one after the other, and nothing else.  EXIT_USAGE: there is
 * no such folder; EXIT_INTEGRITY: something does not hold, in words.
 */
enum exit_code export_verify(struct cmd_ctx *ctx, const char *folder,
    const struct cdop_note_key *key, struct export_log *ret_log);

#endif
