/* Reading a case before it is changed, and saying what came of it. */
#include "client/change.h"

#include "client/call.h"
#include "client/json.h"
#include "client/people.h"
#include "client/print.h"
#include "client/reference.h"
#include "client/session.h"
#include "client/show.h"

enum exit_code
change_words(struct cmd_ctx *ctx, struct change *ret_change)
{
	const char *reason;
	enum exit_code code;

	ret_change->seen = NULL;
	ret_change->version = 0;
	code = reference_read(ctx, ctx->pos[0], &ret_change->reference);
	if (code != EXIT_OK || (code = people_reason(ctx, &reason)) != EXIT_OK)
		return code;
	ret_change->reason = cdop_arena_strdup(ctx->arena, reason);
	return EXIT_OK;
}

enum exit_code
change_begin(struct cmd_ctx *ctx, struct change *ret_change)
{
	const char *given = cmd_value(ctx, "--seen");
	Cdop__CaseShowRequest request;
	Cdop__CaseShowReply *reply;
	enum exit_code code;

	if ((code = change_words(ctx, ret_change)) != EXIT_OK)
		return code;
	if (given != NULL)
		return cmd_number(
		    ctx, "--seen", given, UINT64_MAX / 2, &ret_change->version);
	cdop__case_show_request__init(&request);
	request.reference = ret_change->reference;
	code = call_case_show(ctx, &request, &reply);
	if (code != EXIT_OK)
		return code;
	ret_change->seen = reply->case_;
	ret_change->version = reply->case_->version;
	return EXIT_OK;
}

enum exit_code
change_end(struct cmd_ctx *ctx, enum exit_code code,
    const Cdop__ChangeReply *reply, const char *what)
{
	const struct cdop_profile *profile;
	json_t *object;
	size_t i;

	if (code != EXIT_OK) {
		ctx->error.body = reply != NULL ? &reply->base : NULL;
		if (reply != NULL && reply->n_difference > 0)
			print_note(ctx, "changed since: %s",
			    show_joined(ctx, reply->difference,
				reply->n_difference, ", "));
		if (reply != NULL)
			show_candidates(
			    ctx, reply->candidate, reply->n_candidate);
		return code;
	}
	(void)session_profile(ctx, &profile);
	if (ctx->g.json) {
		object = print_envelope(ctx, "change", true);
		json_merge(ctx, object, &reply->base);
		print_json(object);
		return EXIT_OK;
	}
	print_mode(ctx);
	print_out(ctx, "%s: %s, version %llu", what, reply->reference,
	    (unsigned long long)reply->version);
	for (i = 0; i < reply->n_word; i++)
		print_out(ctx, "  %s", reply->word[i]);
	show_missing(ctx, reply->missing, reply->n_missing);
	return EXIT_OK;
}
