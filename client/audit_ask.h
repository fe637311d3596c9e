/*
 * What the commands about the log share: which entries are meant, whose they
 * are, and how they are to be written.
 */
#ifndef CDOP_CLIENT_AUDIT_ASK_H
#define CDOP_CLIENT_AUDIT_ASK_H

#include "client/call.h"
#include "client/cmd.h"

#define AUDIT_ASK_DAYS                                                         \
	{"--since", "DATE", "from this day on", false},                        \
	{                                                                      \
		"--until", "DATE", "up to this day", false                     \
	}

#define AUDIT_ASK_FORMAT                                                       \
	{                                                                      \
		"--format", "WORD", "text, csv or json", false                 \
	}

enum audit_format {
	AUDIT_TEXT,
	AUDIT_CSV,
	AUDIT_JSON,
};

/* An empty request with --since and --until, where they were given. */
enum exit_code audit_ask_begin(
    struct cmd_ctx *ctx, Cdop__AuditListRequest *ret_request);

/* --format, or what --json says.  EXIT_USAGE: no such word. */
enum exit_code audit_ask_format(
    struct cmd_ctx *ctx, enum audit_format *ret_format);

/*
 * A person's number as it was typed, or by name: the registry is asked.
 * EXIT_NOT_FOUND: nobody has that name; EXIT_USAGE: several have, and which.
 */
enum exit_code audit_ask_person(
    struct cmd_ctx *ctx, const char *typed, uint32_t *ret_person);

/*
 * Asks, with the profile at hand for labels; fn gets each message, a
 * Cdop__AuditListReply.  A person who left the pager has seen enough: EXIT_OK.
 */
enum exit_code audit_ask(struct cmd_ctx *ctx,
    const Cdop__AuditListRequest *request, call_part_fn *fn, void *arg);

/*
 * A message that fn is done with: what it took is given back, but what the
 * first one took, with what is kept of the whole command.  *used: 0 at first.
 */
void audit_ask_passed(struct cmd_ctx *ctx, size_t *used);

#endif
