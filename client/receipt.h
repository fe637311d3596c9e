/*
 * Receipts (PROTOCOL.md, "Receipts"): every change asks for one, it is
 * checked at once and kept, without the salt with which guesses of the
 * request could be tested.
 *
 *	STATE/receipts/INCARNATION-INDEX.tlog-proof
 *	STATE/receipts/unchecked/...	of a key that was not followed yet
 *	STATE/receipts/bad-HASH.txt
 *
 * --receipt FILE writes that of the last change, or of the last answer where
 * nothing is changed, with the salt.
 */
#ifndef CDOP_CLIENT_RECEIPT_H
#define CDOP_CLIENT_RECEIPT_H

#include "cdop/statement.h"
#include "client/call.h"
#include "client/witness.h"

/* Is one asked for with this call? */
bool receipt_is_wanted(const struct cmd_ctx *ctx, const struct call_send *send);

/*
 * Checks and keeps what came with the answer.  EXIT_INTEGRITY, reason
 * "bad_receipt": it does not hold; it is kept all the same.  That there is
 * none, or that it is signed by a key that is not followed yet, is said.
 */
enum exit_code receipt_take(struct cmd_ctx *ctx, const struct call_send *send,
    const Cdop__Reply *reply);

/* The same for a refusal, which is told whatever comes of its receipt. */
void receipt_of_refusal(struct cmd_ctx *ctx, const struct call_send *send,
    const Cdop__Reply *reply);

/*
 * Those that could not be checked, once the log's keys are followed to
 * today.  EXIT_INTEGRITY, as above.
 */
enum exit_code receipt_look_again(struct cmd_ctx *ctx);

/*
 * The checkpoint of the newest receipt that is kept, where the log's key has
 * signed it and it is newer than the one that was seen: the next Welcome has
 * to go on from it, too.
 */
bool receipt_newest(struct cmd_ctx *ctx, const struct witness *w,
    struct cdop_checkpoint *ret_checkpoint, struct cdop_bytes *ret_note);

/*
 * Makes --receipt FILE, empty, before anything is asked for.  EXIT_USAGE: it
 * is there already, or cannot be made.
 */
enum exit_code receipt_begin(struct cmd_ctx *ctx);

/*
 * Writes --receipt FILE, or takes it away where there is nothing to write, of
 * what the command ended with; code as it was, or why the file cannot be
 * written.
 */
enum exit_code receipt_finish(struct cmd_ctx *ctx, enum exit_code code);

/* How many receipts of this device are of entries that a restore lost. */
size_t receipt_lost(
    struct cmd_ctx *ctx, const struct cdop_statement *statement);

#endif
