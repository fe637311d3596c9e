/* References as they are typed. */
#include "client/reference.h"

#include "cdop/reference.h"
#include "client/session.h"

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
		    "look at it again: one letter or figure is wrong",
		    "not a reference of a %s registry",
		    ctx->mode != NULL ? ctx->mode : "known");
	*ret_reference = cdop_arena_strdup(ctx->arena, text);
	return EXIT_OK;
}
