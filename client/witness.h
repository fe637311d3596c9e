/*
 * The device as a witness of the log (TRUST M10, adr/0018): the key that was
 * pinned at enrolment, the statements that were followed from it, the newest
 * checkpoint that was seen.  Each session is held against it before anything
 * is shown.
 *
 *	STATE/witness			sealed, written after each session
 *	STATE/log/fork-HASH.mine	both notes, where the log was another
 *	STATE/log/fork-HASH.theirs
 *	STATE/log/restore-HASH.mine	likewise, where it goes on from
 *elsewhere STATE/log/restore-HASH.statement
 */
#ifndef CDOP_CLIENT_WITNESS_H
#define CDOP_CLIENT_WITNESS_H

#include "cdop/statement.h"
#include "client.pb-c.h"
#include "client/cmd.h"

#define WITNESS_LOST_MAX 64 /* keys; the oldest go */

struct witness {
	struct cdop_note_key pinned; /* at enrolment, for ever */
	uint16_t pinned_incarnation;
	uint32_t pinned_statements;
	struct cdop_note_key key; /* of the log, as far as it was followed */
	uint16_t incarnation;
	uint32_t statements;
	bool has_seen;
	struct cdop_checkpoint seen; /* the newest */
	struct cdop_bytes note;      /* it, as it was signed; may be empty */
	bool has_receipt;            /* one of a later checkpoint is kept */
	struct cdop_checkpoint receipt;
	struct cdop_bytes receipt_note;
	ProtobufCBinaryData *followed; /* statements since enrolment */
	size_t n_followed;
	char **lost; /* vkeys that were followed and taken back by a restore */
	size_t n_lost;
	bool from_start; /* this session's Hello counted as at enrolment */
	bool waits;      /* a statement waits for a person's word */
	struct cdop_statement waiting;
	struct cdop_bytes waiting_note;
	/* Before it, where it takes back what was followed: taken with it. */
	const ProtobufCBinaryData *passed;
	size_t n_passed;
};

/*
 * What this device knows, into the session; NULL there: it was enrolled
 * before the log had a key.  The device's files have to be held.
 */
enum exit_code witness_load(struct cmd_ctx *ctx);

/*
 * What enrolling pins: from its answer, and from nowhere else.
 * EXIT_INTEGRITY, reason "log_forked": it came with no key of the log, or
 * the log that was shown is not of that key.
 */
enum exit_code witness_pin(struct cmd_ctx *ctx, const Cdop__EnrolReply *reply);

/* Says in Hello what was seen. */
void witness_hello(const struct witness *witness, Cdop__Hello *hello);

/*
 * Holds the Welcome against what was seen, and writes down what is new.
 * EXIT_INTEGRITY, reason "log_forked": it is another log, both notes are
 * kept; "log_restored": a statement says that it goes on from elsewhere, and
 * a person has to say yes to it.  *ret_again: connect once more, counting
 * statements as at enrolment, and ask again.
 */
enum exit_code witness_check(struct cmd_ctx *ctx, bool *ret_again);

/* Takes the statement that waits, and all behind it up to the next one. */
enum exit_code witness_accept(struct cmd_ctx *ctx);

/* The state into the secret of the identity, for when that is written. */
void witness_copy(struct cmd_ctx *ctx);

/* ---- following (witness_follow.c) ---------------------------------------- */

enum witness_way {
	WITNESS_THERE,  /* the key is the one of today */
	WITNESS_WAITS,  /* up to a statement that a person has to see */
	WITNESS_BROKEN, /* one of them does not follow */
};

/*
 * Follows the statements of the Welcome from what was followed before, or
 * from enrolment.  accept: the first that waits is taken, too.
 */
enum witness_way witness_follow(
    struct cmd_ctx *ctx, struct witness *witness, bool accept);

/* The keys that the log had since enrolment, the newest first. */
enum exit_code witness_keys(struct cmd_ctx *ctx, const struct witness *witness,
    struct cdop_note_key **ret_key, size_t *ret_n);
/* One of them as people hand it on: a vkey.  NULL: no memory. */
const char *witness_vkey(
    struct cdop_arena *arena, const struct cdop_note_key *key);

/*
 * Whether one of them has signed a note that is a checkpoint; true, too, of a
 * device that was enrolled before the log had a key.
 */
enum exit_code witness_has_signed(
    struct cmd_ctx *ctx, struct cdop_bytes note, bool *ret_has);

/* ---- keeping (witness_keep.c) -------------------------------------------- */

/*
 * Two notes that belong together, under a name made of the second one:
 * "fork" or "restore".  The path without suffix; NULL: it cannot be kept.
 */
const char *witness_keep(struct cmd_ctx *ctx, const char *what,
    struct cdop_bytes mine, struct cdop_bytes theirs);

/* The own note, or what is known of it in words where it is lost. */
struct cdop_bytes witness_mine(struct cmd_ctx *ctx, const struct witness *w);

/* Pairs of notes that are kept: names of those that end with suffix. */
enum exit_code witness_kept(struct cmd_ctx *ctx, const char *suffix,
    const char ***ret_names, size_t *ret_n);

#endif
