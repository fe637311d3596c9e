/* References as they are typed. */
#include "client/reference.h"

#include "cdop/reference.h"
#include "client/session.h"

/* What may be wrong with it: the letter in front, the registry, a slip. */
static const char *
what_next(struct cmd_ctx *ctx, const char *typed)
{
	const char *with = cdop_arena_printf(ctx->arena, "T-%s", typed);
	char text[CDOP_REFERENCE_TEXT];
	uint64_t number;

	if (!session_is_training(ctx) &&
	    cdop_reference_parse(typed, true, text, &number) == CDOP_OK)
		return "it is of a training registry: cdop context list";
	if (session_is_training(ctx) && with != NULL &&
	    cdop_reference_parse(with, true, text, &number) == CDOP_OK)
		return cdop_arena_printf(
		    ctx->arena, "with what stands in front: %s", text);
	if (session_is_training(ctx) &&
	    cdop_reference_parse(typed, false, text, &number) == CDOP_OK)
		return "it is of a live registry: cdop context list";
	return "look at it again: one letter or figure is wrong";
}

enum exit_code
reference_read(struct cmd_ctx *ctx, const char *typed, char **ret_reference)
{
	char text[CDOP_REFERENCE_TEXT];
	uint64_t number;
	enum exit_code code;

	if ((code = session_load(ctx)) != EXIT_OK)
		return code;
	if (cdop_reference_parse(
		typed, session_is_training(ctx), text, &number) != CDOP_OK)
		return cmd_fail(ctx, EXIT_USAGE, "bad_reference",
		    what_next(ctx, typed), "not a reference of a %s registry",
		    ctx->mode != NULL ? ctx->mode : "known");
	*ret_reference = cdop_arena_strdup(ctx->arena, text);
	return EXIT_OK;
}
