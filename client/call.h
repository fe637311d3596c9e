/*
 * Calls: a typed function for each line of the service block, and the parts
 * they are made of, for those who send several at a time.
 *
 * call_case_show(ctx, &request, &reply) connects when there is no
 * connection, states purpose, use and role as the policy line of the call
 * asks, keeps a change sealed before it is sent, waits for the answer until
 * the deadline, and turns a refusal into an exit code with its words.
 * *ret_reply is set when the answer carried one, also on a refusal; else it
 * is NULL.  It lives in ctx->arena.
 */
#ifndef CDOP_CLIENT_CALL_H
#define CDOP_CLIENT_CALL_H

#include "cdop/bytes.h"
#include "cdop/call.h"
#include "client/cmd.h"
#include "client/conn.h"

#define RPC(Name, name, Req, Rep, ...)                                         \
	enum exit_code call_##name(struct cmd_ctx *ctx,                        \
	    const Cdop__##Req *request, Cdop__##Rep **ret_reply);
#include "rpc_table.inc"
#undef RPC

/* Where a coordinator, who may not list people, has their numbers from. */
#define CALL_COLLEAGUES "cdop case history REF, or yours: cdop whoami"

struct call_method {
	const char *name; /* "CaseShow" */
	uint32_t id;
	bool purpose;
	bool use;
	bool change;
	bool restored; /* also where a restore waits to be accepted */
	const ProtobufCMessageDescriptor *request;
	const ProtobufCMessageDescriptor *reply;
};

/* The row of a method id; NULL: there is none. */
const struct call_method *call_method(uint32_t id);

/* Everything around the request message of one call. */
struct call_send {
	const struct call_method *method;
	struct cdop_bytes body;
	const uint8_t *request_key; /* on a change */
	const char *purpose;
	const char *purpose_text;
	Cdop__Role role; /* 0: the registry knows */
	bool dry;        /* it changes nothing, whatever its method does */
	uint64_t id;     /* set by call_begin */
};

/* Fills purpose, use and role from the command line and the profile. */
enum exit_code call_prepare(struct cmd_ctx *ctx, struct call_send *send);

/*
 * Puts one call on the wire without waiting.  A registry that says that it was
 * restored shows no checkpoint: what is not for that state is not sent, or the
 * word alone would keep this computer from looking at the log.
 */
enum conn_end call_begin(struct cmd_ctx *ctx, struct call_send *send);

/*
 * How long the answer to a call is waited for.  The last share opens a
 * registry, which reads all of its cases before it answers.
 */
uint64_t call_patience_ms(
    const struct cmd_ctx *ctx, const struct call_method *method);

/* The next answer, whichever call it is for; in ctx->arena. */
enum conn_end call_next(
    struct cmd_ctx *ctx, uint64_t deadline_ms, Cdop__Reply **ret_reply);

/* The message inside an answer, or NULL when there is none that is sound. */
ProtobufCMessage *call_body(struct cmd_ctx *ctx,
    const struct call_method *method, const Cdop__Reply *reply);

/* What an answer means: sets ctx->error unless it is EXIT_OK. */
enum exit_code call_judge(struct cmd_ctx *ctx, const struct call_method *method,
    const Cdop__Reply *reply);

/* What the end of the connection means for a call under way. */
enum exit_code call_lost(
    struct cmd_ctx *ctx, const struct call_method *method, enum conn_end end);

/*
 * One whole call with what send holds; a change is not spooled here.
 * ret_message may be NULL.
 */
enum exit_code call_raw(struct cmd_ctx *ctx, struct call_send *send,
    ProtobufCMessage **ret_message);

/*
 * A change under a key of the caller's, spooled as words; *key is dated anew
 * when it has not been sent before (spool_date_key).  The stubs make a key of
 * their own.
 */
enum exit_code call_change(struct cmd_ctx *ctx, uint32_t method,
    const ProtobufCMessage *request, uint8_t *key,
    ProtobufCMessage **ret_message);

/* Keeps a change for cdop retry when it cannot be sent now. */
enum exit_code call_keep(struct cmd_ctx *ctx, uint32_t method,
    const ProtobufCMessage *request, const uint8_t *key);

/* The same for a dry run: there is nothing to keep. */
enum exit_code call_dry(struct cmd_ctx *ctx, uint32_t method,
    const ProtobufCMessage *request, uint8_t *key,
    ProtobufCMessage **ret_message);

/*
 * Every message of a stream, in order; EXIT_OK only when it was whole.  From
 * its second message on fn may rewind the arena to where it was when it was
 * done with the first.
 */
typedef enum exit_code call_part_fn(
    struct cmd_ctx *ctx, const ProtobufCMessage *part, void *arg);
enum exit_code call_stream(struct cmd_ctx *ctx, uint32_t method,
    const ProtobufCMessage *request, call_part_fn *fn, void *arg);

/* The same with what send holds, over an open session. */
enum exit_code call_stream_raw(
    struct cmd_ctx *ctx, struct call_send *send, call_part_fn *fn, void *arg);

#endif
