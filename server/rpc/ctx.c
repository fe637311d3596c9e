/* What a handler says about its outcome, kept until the leaf and the reply. */
#include "server/rpc/ctx.h"

#include <string.h>

#include "server/base/undo.h"
#include "server/registry/registry.h"
#include "server/vault/rows.h"

uint64_t
rpc_touched(const struct registry *reg)
{
	return undo_used(reg->undo) + rows_changes(reg->rows);
}

enum cdop_err
rpc_fail(struct rpc_ctx *ctx, enum cdop_err err, const char *reason,
    const char *message)
{
	ctx->reason = reason;
	ctx->message = message;
	return err;
}

void
rpc_violation(struct rpc_ctx *ctx, const char *path, const char *rule,
    Cdop__Severity severity, const char *message)
{
	Cdop__Violation *violation;

	if (ctx->n_violations == RPC_VIOLATIONS_MAX)
		return;
	violation = cdop_arena_alloc(ctx->arena, sizeof(*violation));
	if (violation == NULL)
		return;
	cdop__violation__init(violation);
	if (path != NULL)
		violation->path = cdop_arena_strdup(ctx->arena, path);
	violation->rule = cdop_arena_strdup(ctx->arena, rule);
	violation->severity = severity;
	if (message != NULL)
		violation->message = cdop_arena_strdup(ctx->arena, message);
	if (violation->rule != NULL)
		ctx->violations[ctx->n_violations++] = violation;
}

void
rpc_release(struct rpc_ctx *ctx, const struct rpc_released *released)
{
	/* Pages are at most CDOP_LIST_MAX: more is our mistake. */
	CDOP_ASSERT(ctx->n_released < RPC_RELEASED_MAX);
	ctx->released[ctx->n_released++] = *released;
}

void
rpc_term(struct rpc_ctx *ctx, const char *kind, const char *value)
{
	struct rpc_term *term;

	if (ctx->n_terms == RPC_TERMS_MAX) {
		ctx->lost = true;
		return;
	}
	term = &ctx->terms[ctx->n_terms];
	term->kind = cdop_arena_strdup(ctx->arena, kind);
	term->value = cdop_arena_strdup(ctx->arena, value);
	if (term->kind != NULL && term->value != NULL)
		ctx->n_terms++;
	else
		ctx->lost = true;
}

bool
rpc_second_may_apply(
    struct rpc_ctx *ctx, const uint8_t target_version[static 32])
{
	static const uint8_t unset[32];
	bool same;

	if (!ctx->apply) {
		memcpy(ctx->target_version, target_version, 32);
		return false;
	}
	/* Run after approval: the target is to be what was approved. */
	same = memcmp(ctx->target_version, target_version, 32) == 0;
	CDOP_ASSERT(memcmp(ctx->target_version, unset, 32) != 0);
	if (!same)
		ctx->target_changed = true;
	return same;
}

void
rpc_second_words(struct rpc_ctx *ctx, const char *words)
{
	char *copy;

	copy = cdop_arena_strdup(ctx->arena, words);
	if (copy != NULL && ctx->n_words < RPC_WORDS_MAX)
		ctx->words[ctx->n_words++] = copy;
	else
		ctx->lost = true;
}
