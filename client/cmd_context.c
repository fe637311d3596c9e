/* cdop context: the registries this computer is enrolled in. */
#include <inttypes.h>
#include <string.h>

#include "client/agent.h"
#include "client/families.h"
#include "client/file.h"
#include "client/left_behind.h"
#include "client/print.h"
#include "client/prompt.h"
#include "client/session.h"

/* LIVE, TRAINING (the words of every object), or why neither can be said. */
static enum exit_code
mode_of(struct cmd_ctx *ctx, const char *name, const char **ret_mode)
{
	struct context context;
	struct identity id;
	enum exit_code code;

	if ((code = context_of(ctx, name, &context)) != EXIT_OK)
		return code;
	if (identity_load(context.identity, ctx->arena, &id) != CDOP_OK)
		*ret_mode = "damaged";
	else if (!id.open->has_mode)
		*ret_mode = "not enrolled";
	else if (id.open->mode == CDOP__MODE__TRAINING)
		*ret_mode = ctx->g.json ? "training" : "TRAINING";
	else
		*ret_mode = ctx->g.json ? "live" : "LIVE";
	return EXIT_OK;
}

static void
show_context(
    struct cmd_ctx *ctx, const char *name, const char *mode, bool current)
{
	json_t *object;

	if (!ctx->g.json) {
		print_out(ctx, "%c %-20s %s", current ? '*' : ' ', name, mode);
		return;
	}
	object = print_envelope(ctx, "context.list", true);
	(void)json_object_update_new(object,
	    json_pack("{s:s,s:s,s:b}", "name", name, "mode", mode, "current",
		current));
	print_json(object);
}

static enum exit_code
run_context_list(struct cmd_ctx *ctx)
{
	const char **name, *current = context_current(ctx), *mode;
	enum exit_code code;
	size_t n, i;

	if ((code = context_list(ctx, &name, &n)) != EXIT_OK)
		return code;
	for (i = 0; i < n; i++) {
		if ((code = mode_of(ctx, name[i], &mode)) != EXIT_OK)
			return code;
		show_context(ctx, name[i], mode,
		    current != NULL && strcmp(current, name[i]) == 0);
	}
	if (ctx->g.json)
		print_end(ctx, "context.list", n);
	return EXIT_OK;
}

static enum exit_code
run_context_use(struct cmd_ctx *ctx)
{
	struct context context;
	enum exit_code code;

	ctx->g.context = ctx->pos[0];
	if ((code = context_choose(ctx, &context)) != EXIT_OK ||
	    (code = context_set_current(ctx, context.name)) != EXIT_OK)
		return code;
	if (ctx->g.json)
		print_json(print_envelope(ctx, "context.use", true));
	else
		print_out(ctx, "%s is the context from now on", context.name);
	return EXIT_OK;
}

/* ---- one that is not wanted any more ----------------------------------- */

/* A context whose keys nobody needs: they may have been forgotten. */
static enum exit_code
take_up(struct cmd_ctx *ctx)
{
	struct session *s = cdop_arena_calloc(ctx->arena, 1, sizeof(*s));
	struct identity *id;
	enum exit_code code;

	if (s == NULL)
		return cmd_no_memory(ctx);
	if ((code = context_of(ctx, ctx->pos[0], &s->context)) != EXIT_OK)
		return code;
	if (!file_exists(s->context.dir) && !file_exists(s->context.state))
		return cmd_fail(ctx, EXIT_NOT_FOUND, NULL, "cdop context list",
		    "there is no context '%s'", s->context.name);
	ctx->session = s;
	id = &s->identity;
	if (identity_load(s->context.identity, ctx->arena, id) != CDOP_OK)
		id->open = NULL; /* damaged, or removed by half */
	else if (id->open->has_mode)
		ctx->mode = id->open->mode == CDOP__MODE__TRAINING ? "training"
								   : "live";
	return EXIT_OK;
}

/* Proofs that the log was another one are not for one person to remove. */
static enum exit_code
check_evidence(struct cmd_ctx *ctx)
{
	const char *state = ctx->session->context.state, **names;
	const char *log = cdop_arena_printf(ctx->arena, "%s/log", state);
	const char *bad = cdop_arena_printf(ctx->arena, "%s/receipts", state);
	size_t forks = 0, receipts = 0;

	if (log == NULL || bad == NULL ||
	    file_list(log, ".theirs", ctx->arena, &names, &forks) != CDOP_OK ||
	    file_list(bad, ".txt", ctx->arena, &names, &receipts) != CDOP_OK)
		return cmd_fail(ctx, EXIT_UNEXPECTED, NULL, NULL,
		    "cannot read the folder %s", state);
	if (forks + receipts == 0)
		return EXIT_OK;
	return cmd_fail(ctx, EXIT_INTEGRITY, "evidence",
	    "bring these files to the technical contact and move them away",
	    "here is evidence that the log was another one: %zu in %s, "
	    "%zu in %s",
	    forks, log, receipts, bad);
}

static void
tell(struct cmd_ctx *ctx, size_t *ret_n)
{
	const struct session *s = ctx->session;
	const Cdop__ClientIdentity *open = s->identity.open;

	if (open != NULL && open->has_device)
		print_note(ctx,
		    "'%s' is person %" PRIu32 ", %s, device %" PRIu32
		    " (\"%s\")",
		    s->context.name, open->person, open->name, open->device,
		    open->label);
	*ret_n = left_behind_tell(ctx, &s->context);
	if (*ret_n == 0)
		print_note(ctx, "nothing unsent waits in it");
	else
		print_note(ctx,
		    "these die with its key: cdop retry --context %s sends "
		    "them first",
		    s->context.name);
}

/* What was typed goes first: a removal that is cut off can be gone on with. */
static enum exit_code
remove_all(struct cmd_ctx *ctx)
{
	const struct context *c = &ctx->session->context;
	const char *current;
	enum exit_code code;

	if ((code = session_hold(ctx)) != EXIT_OK)
		return code;
	(void)agent_stop(ctx);
	if (file_remove_tree(c->state) != CDOP_OK ||
	    file_remove_tree(c->dir) != CDOP_OK)
		code = cmd_fail(ctx, EXIT_UNEXPECTED, NULL,
		    "look at these folders, and run it again",
		    "not everything in %s and %s can be removed", c->state,
		    c->dir);
	session_release(ctx);
	current = context_current(ctx);
	if (code == EXIT_OK && current != NULL && strcmp(current, c->name) == 0)
		code = context_set_current(ctx, NULL);
	return code;
}

static void
show_removed(struct cmd_ctx *ctx, size_t unsent)
{
	const struct session *s = ctx->session;
	const Cdop__ClientIdentity *open = s->identity.open;
	json_t *object;

	if (ctx->g.json) {
		object = print_envelope(ctx, "context.remove", true);
		(void)json_object_update_new(object,
		    json_pack("{s:s,s:I}", "name", s->context.name, "unsent",
			(json_int_t)unsent));
		print_json(object);
		return;
	}
	print_out(ctx, "The context %s is removed.", s->context.name);
	if (open != NULL && open->has_device)
		print_out(ctx,
		    "The registry does not know that: where its device is "
		    "still "
		    "active, an\nadministrator ends it: cdop people revoke "
		    "%" PRIu32 " --device %" PRIu32,
		    open->person, open->device);
}

static enum exit_code
run_context_remove(struct cmd_ctx *ctx)
{
	enum exit_code code;
	size_t unsent;

	if ((code = take_up(ctx)) != EXIT_OK ||
	    (code = check_evidence(ctx)) != EXIT_OK)
		return code;
	tell(ctx, &unsent);
	code = prompt_agree(ctx, "Remove it, with its key, for ever");
	if (code != EXIT_OK || (code = remove_all(ctx)) != EXIT_OK)
		return code;
	show_removed(ctx, unsent);
	return EXIT_OK;
}

static const struct cmd_opt remove_opts[] = {
    {"--yes", NULL, "do not ask", false},
    {NULL, NULL, NULL, false},
};

const struct cmd cmd_context_rows[] = {
    {"context list", "", "the registries this computer is enrolled in", NULL,
	"  cdop context list", NULL, 0, 0, CMD_PLAIN, NULL, run_context_list},
    {"context use", "NAME", "choose the usual one", NULL,
	"  cdop context use training", NULL, 1, 1, CMD_PLAIN, NULL,
	run_context_use},
    {"context remove", "NAME", "forget one, with its key and what is unsent",
	"For a passphrase that was forgotten, and a registry that is left.  "
	"It says\nfirst what is kept unsent under that key, by its time, and "
	"needs no passphrase.",
	"  cdop context remove training", remove_opts, 1, 1, CMD_PLAIN, NULL,
	run_context_remove},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
