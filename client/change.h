/* What the commands that change a case share. */
#ifndef CDOP_CLIENT_CHANGE_H
#define CDOP_CLIENT_CHANGE_H

#include "client/cmd.h"

struct change {
	char *reference;
	char *reason;
	uint64_t version; /* of the case state, as seen */
	Cdop__Case *seen; /* the case; NULL when --version was given */
};

/* REF and --reason, and the version from --version or by looking. */
enum exit_code change_begin(struct cmd_ctx *ctx, struct change *ret_change);

/* REF and --reason alone. */
enum exit_code change_words(struct cmd_ctx *ctx, struct change *ret_change);

/* Shows a reply, also the differences of one that came too late. */
enum exit_code change_end(struct cmd_ctx *ctx, enum exit_code code,
    const Cdop__ChangeReply *reply, const char *what);

#endif
