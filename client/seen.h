/*
 * Which version of a case was last shown on this computer.  A change names
 * the version it goes by (RECORDS S14), and that is the one a person has
 * looked at, not the newest that there is when the change is sent.
 *
 *	STATE/seen	references and versions, sealed; nothing else of a case
 */
#ifndef CDOP_CLIENT_SEEN_H
#define CDOP_CLIENT_SEEN_H

#include "cdop/bytes.h"
#include "client/cmd.h"

/* Each of these has a count of versions of its own. */
enum seen_part {
	SEEN_STATE,        /* owner, status, interest, who is responsible */
	SEEN_RECORD,       /* the case record */
	SEEN_NOTIFICATION, /* one of them, by its number */
};

/*
 * The version of that part when it was last shown here; 0: it was not, or
 * so many others were since that it is forgotten.  The session has to be
 * unlocked.
 */
uint64_t seen_version(struct cmd_ctx *ctx, const char *reference,
    enum seen_part part, uint32_t notification);

/*
 * A case was shown; newest: the record, or the one notification that was
 * asked for, as it is now.
 */
void seen_case(struct cmd_ctx *ctx, const Cdop__Case *shown, bool newest);

/*
 * A change was applied.  Whoever made it has seen what it made; body is the
 * request that was sent, reply the message that came back.
 */
void seen_applied(struct cmd_ctx *ctx, uint32_t method, struct cdop_bytes body,
    const ProtobufCMessage *reply);

#endif
