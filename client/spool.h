/*
 * Changes that are not acknowledged yet, and what was typed and could not be
 * sent: one sealed file each, so that no dead link and no closed window
 * loses typing, and nothing is applied twice (RECORDS M5).
 *
 *	STATE/requests/<request key in hex>.request
 *	STATE/sent/<request key in hex>.request		where the profile says
 *so STATE/drafts/<number>.draft
 */
#ifndef CDOP_CLIENT_SPOOL_H
#define CDOP_CLIENT_SPOOL_H

#include "cdop/limits.h"
#include "client.pb-c.h"
#include "client/cmd.h"
#include "client/lock.h"

/*
 * 6 bytes of milliseconds and 10 random ones (TRUST M8).  The time is the
 * registry's once it has said it: it looks at a key by its own clock, which
 * may be far from that of this computer, and which of the two is right is
 * nothing that a change may wait for.
 */
void spool_new_key(
    const struct cmd_ctx *ctx, uint8_t out[static CDOP_REQUEST_KEY_LEN]);

/* So old that the registry is about to forget it, or has? */
bool spool_key_is_old(
    const struct cmd_ctx *ctx, const uint8_t key[static CDOP_REQUEST_KEY_LEN]);

/*
 * Right before it is sent, over an open session: under which key.  What was
 * never sent is dated anew; what was sent and is kept has the key that it
 * was sent under.
 */
enum exit_code spool_date_key(
    struct cmd_ctx *ctx, uint8_t key[static CDOP_REQUEST_KEY_LEN]);

/* Are these one request, whenever they are dated? */
bool spool_is_same(const uint8_t one[static CDOP_REQUEST_KEY_LEN],
    const uint8_t two[static CDOP_REQUEST_KEY_LEN]);

/*
 * The same for one out of the spool, in its file and in *request; from then
 * on it counts as sent.  anew: one that was refused, as a new request.
 */
enum exit_code spool_begin(
    struct cmd_ctx *ctx, Cdop__ClientRequest *request, bool anew);

/* Writes the request before it is sent; replaces one of the same key. */
enum exit_code spool_put(
    struct cmd_ctx *ctx, const Cdop__ClientRequest *request);

/* It is acknowledged, or refused: nothing to send again. */
void spool_drop(
    struct cmd_ctx *ctx, const uint8_t key[static CDOP_REQUEST_KEY_LEN]);

/*
 * It was applied.  The profile may want it kept for some days after that
 * (spool_days), so that it can be sent again where the registry had to go
 * back to a backup; else it is dropped.
 */
void spool_applied(
    struct cmd_ctx *ctx, const uint8_t key[static CDOP_REQUEST_KEY_LEN]);

/* Removes what was kept longer than the profile in force says. */
void spool_tidy(struct cmd_ctx *ctx);

struct spool_list {
	const char **path;
	size_t n;
};

/* Requests, oldest first; and drafts. */
enum exit_code spool_requests(struct cmd_ctx *ctx, struct spool_list *ret);
enum exit_code spool_drafts(struct cmd_ctx *ctx, struct spool_list *ret);

/* Those that were applied and are still kept. */
enum exit_code spool_sent(struct cmd_ctx *ctx, struct spool_list *ret);

/* EXIT_INTEGRITY: damaged, or sealed by another device. */
enum exit_code spool_get(
    struct cmd_ctx *ctx, const char *path, Cdop__ClientRequest **ret_request);
enum exit_code spool_get_draft(
    struct cmd_ctx *ctx, const char *path, Cdop__ClientDraft **ret_draft);

/*
 * Writes a draft; *number 0 takes the next free one and says which it was.
 * hold takes that one's lock; NULL: nobody goes on typing it.
 */
enum exit_code spool_put_draft(struct cmd_ctx *ctx,
    const Cdop__ClientDraft *draft, unsigned *number, struct lock *hold);

/*
 * Two that go on with a draft would each send it, and none is thrown away
 * that somebody types.  EXIT_UNREACHABLE, reason "busy": somebody has it;
 * EXIT_NOT_FOUND: there is none, or none any more.
 */
enum exit_code spool_hold_draft(
    struct cmd_ctx *ctx, unsigned number, struct lock *ret_hold);
enum exit_code spool_no_draft(struct cmd_ctx *ctx);
void spool_drop_draft(struct cmd_ctx *ctx, unsigned number);
/* The number in a draft's path. */
unsigned spool_draft_number(const char *path);

#endif
