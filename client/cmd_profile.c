/* cdop profile: the areas, agencies and limits in force, and their change. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cdop/limits.h"
#include "client/answered.h"
#include "client/call.h"
#include "client/families.h"
#include "client/file.h"
#include "client/json.h"
#include "client/pager.h"
#include "client/people.h"
#include "client/print.h"
#include "client/prompt.h"
#include "client/show.h"

static const char *
who(struct cmd_ctx *ctx, const Cdop__ProfileGetReply *reply, size_t i)
{
	return show_person(ctx,
	    i < reply->n_person_name ? reply->person_name[i] : NULL,
	    reply->person[i]);
}

static void
show_profile(struct cmd_ctx *ctx, const Cdop__ProfileGetReply *reply)
{
	struct cdop_bytes hash = {reply->hash.data, reply->hash.len};

	pager_start(ctx);
	print_out(
	    ctx, "%.*s", (int)reply->text.len, (const char *)reply->text.data);
	print_note(ctx, "version %llu, hash %s",
	    (unsigned long long)reply->version, print_hex(ctx->arena, hash));
	if (reply->has_at_ms)
		print_note(ctx, "in force from %s on",
		    print_time(ctx->arena, reply->at_ms));
	if (reply->n_person == 2)
		print_note(ctx, "asked for by %s, approved by %s",
		    who(ctx, reply, 0), who(ctx, reply, 1));
	if (reply->reason != NULL)
		print_note(ctx, "because: %s",
		    print_one_line(ctx->arena, reply->reason));
}

static void
show_json(struct cmd_ctx *ctx, const Cdop__ProfileGetReply *reply)
{
	struct cdop_bytes hash = {reply->hash.data, reply->hash.len};
	json_t *object = print_envelope(ctx, "profile.show", true);

	json_merge(ctx, object, &reply->base);
	(void)json_object_set_new(
	    object, "version", json_integer((json_int_t)reply->version));
	(void)json_object_set_new(
	    object, "hash", json_string(print_hex(ctx->arena, hash)));
	(void)json_object_set_new(object, "text",
	    json_stringn((const char *)reply->text.data, reply->text.len));
	print_json(object);
}

static enum exit_code
run_show(struct cmd_ctx *ctx)
{
	const char *version = cmd_value(ctx, "--profile-version");
	Cdop__ProfileGetRequest request;
	Cdop__ProfileGetReply *reply;
	enum exit_code code;

	cdop__profile_get_request__init(&request);
	request.has_version = version != NULL;
	if (version != NULL &&
	    (code = cmd_number(ctx, "--profile-version", version, UINT32_MAX,
		 &request.version)) != EXIT_OK)
		return code;
	code = call_profile_get(ctx, &request, &reply);
	if (code == EXIT_NOT_FOUND)
		ctx->error.next = "cdop profile show: the one in force";
	if (code == EXIT_OK && request.has_version)
		code = answered_number(
		    ctx, "version", request.version, reply->version);
	if (code != EXIT_OK)
		return code;
	if (ctx->g.json)
		show_json(ctx, reply);
	else
		show_profile(ctx, reply);
	return EXIT_OK;
}

/* Reads the proposal and asks what it would change. */
static enum exit_code
compare(struct cmd_ctx *ctx, ProtobufCBinaryData *ret_text,
    Cdop__ProfileDiffReply **ret_reply)
{
	Cdop__ProfileDiffRequest request;
	struct cdop_bytes text;

	if (file_read(ctx->pos[0], CDOP_PROFILE_FILE_MAX, ctx->arena, &text) !=
	    CDOP_OK)
		return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
		    "%s cannot be read: %s", ctx->pos[0], strerror(errno));
	memcpy(&ret_text->data, &text.data, sizeof(ret_text->data));
	ret_text->len = text.len;
	cdop__profile_diff_request__init(&request);
	request.text = *ret_text;
	return call_profile_diff(ctx, &request, ret_reply);
}

static void
show_diff(struct cmd_ctx *ctx, const Cdop__ProfileDiffReply *reply)
{
	json_t *object;
	size_t i;

	if (ctx->g.json) {
		object =
		    print_envelope(ctx, "profile.diff", reply->n_refusal == 0);
		json_merge(ctx, object, &reply->base);
		print_json(object);
		return;
	}
	print_mode(ctx);
	for (i = 0; i < reply->n_change; i++)
		print_out(ctx, "  %s", reply->change[i]);
	for (i = 0; i < reply->n_refusal; i++)
		print_out(ctx, "CANNOT  %s", reply->refusal[i]);
	if (reply->n_change + reply->n_refusal == 0)
		print_out(ctx, "No change.");
}

static enum exit_code
run_diff(struct cmd_ctx *ctx)
{
	Cdop__ProfileDiffReply *reply;
	ProtobufCBinaryData text;
	enum exit_code code;

	if ((code = compare(ctx, &text, &reply)) != EXIT_OK)
		return code;
	show_diff(ctx, reply);
	if (reply->n_refusal > 0)
		return cmd_fail(ctx, EXIT_FINDINGS, NULL, NULL,
		    "this profile cannot be applied");
	return EXIT_OK;
}

static enum exit_code
run_apply(struct cmd_ctx *ctx)
{
	Cdop__ProfileApplyRequest request;
	Cdop__ProfileApplyReply *reply;
	Cdop__ProfileDiffReply *diff;
	const char *reason;
	enum exit_code code;
	json_t *object;

	cdop__profile_apply_request__init(&request);
	if ((code = compare(ctx, &request.text, &diff)) != EXIT_OK)
		return code;
	if (!ctx->g.json)
		show_diff(ctx, diff);
	if (diff->n_refusal > 0)
		return cmd_fail(ctx, EXIT_INVALID, NULL, "cdop profile diff",
		    "this profile cannot be applied");
	if ((code = people_reason(ctx, &reason)) != EXIT_OK ||
	    (code = prompt_agree(ctx, "Ask for exactly this")) != EXIT_OK)
		return code;
	request.version = diff->version;
	request.reason = cdop_arena_strdup(ctx->arena, reason);
	code = call_profile_apply(ctx, &request, &reply);
	if (code != EXIT_OK)
		return code;
	object = print_envelope(ctx, "profile.apply", true);
	(void)json_object_set_new(
	    object, "version", json_integer((json_int_t)reply->version));
	if (ctx->g.json)
		print_json(object);
	else
		print_out(ctx, "In force: version %llu",
		    (unsigned long long)reply->version);
	return EXIT_OK;
}

static const struct cmd_opt show_opts[] = {
    {"--profile-version", "N", "one that was in force before", false},
    {NULL, NULL, NULL, false},
};

static const struct cmd_opt apply_opts[] = {
    {"--reason", "TEXT", "why", false},
    {"--yes", NULL, "do not ask", false},
    {NULL, NULL, NULL, false},
};

const struct cmd cmd_profile_rows[] = {
    {"profile show", "", "the profile in force", NULL,
	"  cdop profile show\n  cdop profile show --profile-version 3",
	show_opts, 0, 0, 0, NULL, run_show},
    {"profile diff", "FILE", "what a file would change, in words",
	"Exit 16 when it cannot be applied.", "  cdop profile diff new.conf",
	NULL, 1, 1, 0, NULL, run_diff},
    {"profile apply", "FILE", "ask for a new profile; takes two people", NULL,
	"  cdop profile apply new.conf --reason \"new agency\"", apply_opts, 1,
	1, 0, NULL, run_apply},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
