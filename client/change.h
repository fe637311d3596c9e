/*
 * What the commands that change a case share: which version they go by, what
 * came of it, and what somebody else changed meanwhile (RECORDS S14).
 */
#ifndef CDOP_CLIENT_CHANGE_H
#define CDOP_CLIENT_CHANGE_H

#include "client/cmd.h"
#include "client/seen.h"

struct change {
	char *reference;
	char *reason;
	enum seen_part part;   /* of what the version is */
	uint32_t notification; /* SEEN_NOTIFICATION: which */
	uint64_t version;      /* as it was seen */
	const Cdop__Case *now; /* the case, where it had to be read */
	unsigned meetings;     /* how often it had changed */
};

/* REF and --reason alone. */
enum exit_code change_words(struct cmd_ctx *ctx, struct change *ret_change);

/*
 * REF and --reason, and the version: --seen, or what was last shown on this
 * computer.  Where nothing was, the case is shown and asked about; nobody
 * to ask: EXIT_USAGE, with what to do.
 */
enum exit_code change_begin(struct cmd_ctx *ctx, enum seen_part part,
    uint32_t notification, struct change *ret_change);

/* Reads the case as it is into change->now, where that is not done yet. */
enum exit_code change_look(struct cmd_ctx *ctx, struct change *change);

/* The version its part has in change->now; 0: there is no such part. */
uint64_t change_version_now(const struct change *change);

/* That form of change->now; NULL: there is none, or it is the state. */
const Cdop__FormInstance *change_form_now(const struct change *change);

/*
 * After a refusal because it was changed since: shows what, field by field,
 * and asks whether to go on.  True: once more, under the version it has now.
 * False: *code says why not; nothing to do when it is no such refusal.
 */
bool change_again(struct cmd_ctx *ctx, struct change *change,
    enum exit_code *code, const Cdop__ChangeReply *reply);

/* Shows a reply, also of a change that was refused. */
enum exit_code change_end(struct cmd_ctx *ctx, enum exit_code code,
    const Cdop__ChangeReply *reply, const char *what);

#endif
