/* See paged.h. */
#include "client/paged.h"

#include <stdlib.h>
#include <string.h>

#include "client/pager.h"

enum exit_code
paged_took(
    struct cmd_ctx *ctx, struct paged *paged, const uint32_t *last, bool more)
{
	bool on;

	if (last == NULL) {
		paged->more = false;
		return EXIT_OK;
	}
	on = paged->falls ? *last < paged->last : *last > paged->last;
	if (paged->has_last && !on)
		return cmd_fail(ctx, EXIT_INTEGRITY, NULL, NULL,
		    "the list of %s does not go on", paged->of);
	paged->has_last = true;
	paged->last = *last;
	paged->more = more && !pager_is_left();
	return EXIT_OK;
}

void
paged_pass(struct cmd_ctx *ctx, size_t *used, ProtobufCBinaryData *token)
{
	uint8_t *kept = NULL;

	if (*used == 0) {
		*used = cdop_arena_used(ctx->arena);
		return;
	}
	if (token != NULL && token->len > 0) {
		if ((kept = malloc(token->len)) == NULL)
			return;
		memcpy(kept, token->data, token->len);
	}
	cdop_arena_rewind(ctx->arena, *used);
	if (kept == NULL)
		return;
	/* There was room for it where it lay before. */
	token->data = cdop_arena_alloc(ctx->arena, token->len);
	CDOP_ASSERT(token->data != NULL);
	memcpy(token->data, kept, token->len);
	free(kept);
}
