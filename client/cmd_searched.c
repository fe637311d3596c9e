/*
 * cdop audit searched: was a child searched for, and by whom.  Asked with
 * terms, approved by another person, and then answered here.
 */
#include <string.h>
#include <time.h>

#include "cdop/call.h"
#include "cdop/secret.h"
#include "client/asked.h"
#include "client/audit_ask.h"
#include "client/audit_show.h"
#include "client/families.h"
#include "client/pager.h"
#include "client/print.h"
#include "client/session.h"
#include "client/spool.h"
#include "client/terms.h"

#define NONCE_LEN 16
#define ANSWERS   "cdop audit searched --answers"

/* ---- asking -------------------------------------------------------------- */

/* What was typed, as it goes out now and once more. */
static enum exit_code
read_request(struct cmd_ctx *ctx, struct cdop_bytes *ret_body)
{
	Cdop__AuditSearchedRequest request;
	Cdop__AuditListRequest days;
	uint8_t nonce[NONCE_LEN], *out;
	struct terms terms;
	enum exit_code code;

	if ((code = audit_ask_begin(ctx, &days)) != EXIT_OK ||
	    (code = terms_read(ctx, true, &terms)) != EXIT_OK)
		return code;
	cdop__audit_searched_request__init(&request);
	request.nhs_number = terms.nhs_number;
	request.family_name = terms.family_name;
	request.first_name = terms.first_name;
	request.birth_date = terms.birth_date;
	request.death_date = terms.death_date;
	request.mother_name = terms.mother_name;
	request.has_since_ms = days.has_since_ms;
	request.since_ms = days.since_ms;
	request.has_until_ms = days.has_until_ms;
	request.until_ms = days.until_ms;
	cdop_secret_random(nonce, sizeof(nonce));
	request.nonce = (ProtobufCBinaryData){sizeof(nonce), nonce};
	out = cdop_arena_alloc(ctx->arena,
	    cdop__audit_searched_request__get_packed_size(&request));
	if (out == NULL)
		return cmd_no_memory(ctx);
	ret_body->len = cdop__audit_searched_request__pack(&request, out);
	ret_body->data = out;
	return EXIT_OK;
}

static enum exit_code
keep(struct cmd_ctx *ctx, const struct call_send *send,
    Cdop__ClientRequest *ret_kept)
{
	Cdop__ClientRequest *r = ret_kept;

	cdop__client_request__init(r);
	r->method = send->method->id;
	memcpy(&r->request_key.data, &send->request_key,
	    sizeof(r->request_key.data));
	r->request_key.len = CDOP_REQUEST_KEY_LEN;
	memcpy(&r->body.data, &send->body.data, sizeof(r->body.data));
	r->body.len = send->body.len;
	memcpy(&r->purpose, &send->purpose, sizeof(r->purpose));
	memcpy(&r->purpose_text, &send->purpose_text, sizeof(r->purpose_text));
	r->has_role = send->role != 0;
	r->role = send->role != 0 ? send->role : CDOP__ROLE__AUDITOR;
	r->at_ms = (uint64_t)time(NULL) * 1000;
	r->words = cdop_arena_strdup(ctx->arena, ctx->cmd->words);
	return r->words == NULL ? cmd_no_memory(ctx) : asked_put(ctx, r);
}

/* Refused, and for good: there will be no answer. */
static bool
is_over(enum exit_code code)
{
	return code != EXIT_SECOND && code != EXIT_OUTCOME &&
	    code != EXIT_INTEGRITY && code != EXIT_UNREACHABLE &&
	    code != EXIT_SEALED && code != EXIT_UNEXPECTED;
}

static enum exit_code
ask(struct cmd_ctx *ctx)
{
	uint8_t key[CDOP_REQUEST_KEY_LEN];
	Cdop__ClientRequest kept;
	struct call_send send;
	enum exit_code code;

	memset(&send, 0, sizeof(send));
	send.method = call_method(CDOP_CALL_AuditSearched);
	if ((code = read_request(ctx, &send.body)) != EXIT_OK ||
	    (code = session_open(ctx)) != EXIT_OK ||
	    (code = call_prepare(ctx, &send)) != EXIT_OK)
		return code;
	spool_new_key(ctx, key);
	send.request_key = key;
	if ((code = keep(ctx, &send, &kept)) != EXIT_OK)
		return code;
	code = call_raw(ctx, &send, NULL);
	if (is_over(code))
		asked_drop(ctx, &kept);
	else
		ctx->error.next = code == EXIT_SECOND
		    ? "another auditor or a coordinator: cdop approve; "
		      "then here: " ANSWERS
		    : ANSWERS;
	return code;
}

/* ---- answers ------------------------------------------------------------- */

struct answer {
	const Cdop__ClientRequest *request;
	size_t parts;
	size_t n;
};

static enum exit_code
show_part(struct cmd_ctx *ctx, const ProtobufCMessage *part, void *arg)
{
	const Cdop__AuditSearchedReply *reply =
	    (const Cdop__AuditSearchedReply *)part;
	struct answer *answer = arg;
	size_t i;

	if (answer->parts++ == 0 && !ctx->g.json)
		print_out(ctx, "Asked %s: %s",
		    print_time(ctx->arena, answer->request->at_ms),
		    print_one_line(ctx->arena, reply->understood));
	for (i = 0; i < reply->n_entry; i++, answer->n++) {
		if (ctx->g.json)
			audit_show_object(ctx,
			    print_envelope(ctx, "audit.searched", true),
			    reply->entry[i]);
		else
			audit_show_entry(ctx, reply->entry[i], NULL);
	}
	return EXIT_OK;
}

static enum exit_code
send_again(struct cmd_ctx *ctx, const Cdop__ClientRequest *r, size_t *ret_n)
{
	struct answer answer = {.request = r};
	struct call_send send;
	enum exit_code code;

	memset(&send, 0, sizeof(send));
	send.method = call_method(CDOP_CALL_AuditSearched);
	send.body = (struct cdop_bytes){r->body.data, r->body.len};
	send.request_key = r->request_key.data;
	send.purpose = r->purpose;
	send.purpose_text = r->purpose_text;
	send.role = r->has_role ? r->role : 0;
	send.dry = true; /* it is an answer, and no change to be kept */
	code = call_stream_raw(ctx, &send, show_part, &answer);
	*ret_n += answer.n;
	if (code == EXIT_OK && !ctx->g.json)
		print_note(
		    ctx, "%zu search%s", answer.n, answer.n == 1 ? "" : "es");
	return code;
}

/* EXIT_OK: go on with the next one. */
static enum exit_code
one_answer(struct cmd_ctx *ctx, const char *path, size_t *ret_n)
{
	Cdop__ClientRequest *r;
	enum exit_code code;

	if ((code = asked_get(ctx, path, &r)) != EXIT_OK)
		return code;
	if (spool_key_is_old(ctx, r->request_key.data)) {
		print_note(ctx,
		    "asked %s: too long ago, the registry does not know it "
		    "any more",
		    print_time(ctx->arena, r->at_ms));
		asked_drop(ctx, r);
		return EXIT_OK;
	}
	code = send_again(ctx, r, ret_n);
	if (code == EXIT_OUTCOME)
		return cmd_fail(ctx, EXIT_UNREACHABLE, NULL, ANSWERS,
		    "the connection ended before the whole answer");
	if (code == EXIT_OK || (code != EXIT_SECOND && !is_over(code)))
		return code;
	print_note(ctx, "asked %s: %s", print_time(ctx->arena, r->at_ms),
	    ctx->error.message);
	if (code != EXIT_SECOND && code != EXIT_AUTH && code != EXIT_FORBIDDEN)
		asked_drop(ctx, r);
	memset(&ctx->error, 0, sizeof(ctx->error));
	return EXIT_OK;
}

static enum exit_code
answers(struct cmd_ctx *ctx)
{
	const struct cdop_profile *profile;
	const char **path;
	enum exit_code code;
	size_t n, i, found = 0;

	if ((code = session_open(ctx)) != EXIT_OK)
		return code;
	if (session_profile(ctx, &profile) != EXIT_OK)
		ctx->error.message = NULL; /* codes instead of labels */
	if ((code = asked_list(ctx, &path, &n)) != EXIT_OK)
		return code;
	pager_start(ctx);
	for (i = 0; i < n && code == EXIT_OK; i++)
		code = one_answer(ctx, path[i], &found);
	if (code == EXIT_OK && ctx->g.json)
		print_end(ctx, "audit.searched", found);
	else if (code == EXIT_OK && n == 0)
		print_out(ctx, "Nothing was asked from this computer.");
	return code;
}

static enum exit_code
run_searched(struct cmd_ctx *ctx)
{
	return cmd_flag(ctx, "--answers") ? answers(ctx) : ask(ctx);
}

static const struct cmd_opt searched_opts[] = {
    TERMS_OPTS,
    TERMS_MOTHER,
    AUDIT_ASK_DAYS,
    {"--answers", NULL, "what was asked here and is approved", false},
    {NULL, NULL, NULL, false},
};

const struct cmd cmd_searched_rows[] = {
    {"audit searched", "", "was a child searched for, and by whom",
	"Takes two people: another auditor or a coordinator reads the terms "
	"and\napproves (cdop approve). Then --answers shows who typed terms "
	"that fit,\nup to the approval and as far back as the profile has "
	"searches kept.",
	"  cdop audit searched\n  cdop audit searched --answers", searched_opts,
	0, 0, 0, NULL, run_searched},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
