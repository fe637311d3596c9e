/*
 * Lists that come page by page, the next behind the last number of this one.
 */
#ifndef CDOP_CLIENT_PAGED_H
#define CDOP_CLIENT_PAGED_H

#include "client/cmd.h"
#include "registry.pb-c.h"

struct paged {
	const char *of; /* what it is a list of, for a person: "backups" */
	bool falls;     /* the greatest number comes first */
	bool has_last;
	uint32_t last; /* behind which the next page begins */
	bool more; /* is there one to be asked for, and somebody to read it? */
};

/*
 * A page was shown, whose last number is this; NULL: there was nothing in it.
 * A list that comes back to what was shown ends with EXIT_INTEGRITY, for the
 * server could otherwise go on for ever.
 */
enum exit_code paged_took(
    struct cmd_ctx *ctx, struct paged *paged, const uint32_t *last, bool more);

/*
 * What a page took is given back, when it was shown.  Not that of the first
 * one, with which came what the others need, too; *used is 0 before.  token,
 * which says what the next page is, stays; NULL: there is none.
 */
void paged_pass(struct cmd_ctx *ctx, size_t *used, ProtobufCBinaryData *token);

#endif
