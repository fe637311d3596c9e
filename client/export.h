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

/*
 * A checkpoint that somebody holds, or a receipt: the tree that it was
 * signed for has to be the beginning of the log.
 */
struct export_held {
	const char *name; /* of the file, for words */
	struct cdop_bytes text;
	struct cdop_checkpoint tree; /* what it says, once it is believed */
};

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
 * no such folder; EXIT_INTEGRITY: something does not hold, in words; reason
 * "log_forked": it is not the log of what is held.
 */
enum exit_code export_verify(struct cmd_ctx *ctx, const char *folder,
    const struct cdop_note_key *key, struct export_held *held, size_t n_held,
    struct export_log *ret_log);

/* ---- making one (export_write.c) ----------------------------------------- */

struct export_sink {
	const char *folder;
	struct cdop_bytes
	    checkpoint; /* written last: without it none is whole */
	size_t statements;
	size_t used; /* of the arena, after the first part */
};

/* Makes the folder.  EXIT_USAGE: there is one. */
enum exit_code export_begin(
    struct cmd_ctx *ctx, const char *folder, struct export_sink *sink);

/* Takes an AuditExportReply; a call_part_fn with the sink as arg. */
enum exit_code export_part(
    struct cmd_ctx *ctx, const ProtobufCMessage *part, void *arg);

/* Writes the checkpoint. */
enum exit_code export_end(struct cmd_ctx *ctx, struct export_sink *sink);

#endif
