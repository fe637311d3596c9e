/*
 * What a command needs of the outside: its context, the identity, the
 * connection and the profile in force; each is fetched when it is first
 * asked for, and checked before anything else is shown.
 */
#ifndef CDOP_CLIENT_SESSION_H
#define CDOP_CLIENT_SESSION_H

#include "cdop/link.h"
#include "cdop/profile.h"
#include "client/cmd.h"
#include "client/conn.h"
#include "client/context.h"
#include "client/identity.h"
#include "client/lock.h"
#include "client/witness.h"

struct session {
	struct context context;
	struct identity identity;
	struct conn *conn;                      /* NULL: not connected */
	uint8_t link_id[CDOP_LINK_SESSION_LEN]; /* as leaves name it */
	Cdop__Welcome *welcome;                 /* NULL before that */
	struct cdop_profile *profile; /* NULL before session_profile */
	uint8_t profile_hash[32];     /* of its text */
	uint64_t next_id;
	uint64_t used_ms;        /* when something was last sent */
	struct witness *witness; /* of the log; NULL: no key is pinned */
	/* A note of somebody else's, that the log has to begin with. */
	struct cdop_bytes compared;
	struct lock lock; /* of this device's files, while holds > 0 */
	unsigned holds;
	bool boot;    /* it connects, or is connected, to a sealed registry */
	bool refused; /* the last attempt: this device is not accepted */
	/* Somebody has said that PSKs of before are to be tried as well. */
	bool earlier;
};

/* Context and identity, still locked; ctx->mode is known from here on. */
enum exit_code session_load(struct cmd_ctx *ctx);

/* The same with its keys; asks for the passphrase. */
enum exit_code session_unlock(struct cmd_ctx *ctx);

/* The same, whatever cdop unlock holds. */
enum exit_code session_unlock_anew(struct cmd_ctx *ctx);

/* The same, connected, the Welcome checked.  Nothing to do when it is. */
enum exit_code session_open(struct cmd_ctx *ctx);

/*
 * The same to a sealed registry, as a custodian whom it lets in for this and
 * nothing else.  EXIT_SEALED: it is closed, and lets this device in for
 * nothing; EXIT_CONFLICT: it is open, or knows this device no more.
 */
enum exit_code session_open_sealed(struct cmd_ctx *ctx);

/* Connects under an invitation or an identity that is being made. */
enum exit_code session_connect(struct cmd_ctx *ctx);

/*
 * The files of this device for oneself: two processes that read, change and
 * write the identity at a time could lock the device out, and two that look
 * for a free draft could write over each other.  May be held several times;
 * never while a person is asked.  EXIT_UNREACHABLE, reason "busy".
 *
 * With the hold the identity is as it is on disk now: another process may
 * have turned the key since it was read.
 */
enum exit_code session_hold(struct cmd_ctx *ctx);
void session_release(struct cmd_ctx *ctx);

/* Drops the connection; the identity stays unlocked. */
void session_hang_up(struct cmd_ctx *ctx);

/*
 * The profile in force: from the registry, or the copy that was kept of it
 * when it is the same.  Without a connection the kept copy will do;
 * EXIT_UNREACHABLE when there is none.
 */
enum exit_code session_profile(
    struct cmd_ctx *ctx, const struct cdop_profile **ret_profile);

bool session_is_training(const struct cmd_ctx *ctx);

/* Ends it all and forgets keys; also when there is no session. */
void session_close(struct cmd_ctx *ctx);

#endif
