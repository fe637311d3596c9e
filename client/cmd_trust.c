/* cdop trust: what this computer knows of the log, and whom it believes. */
#include <string.h>

#include "client/call.h"
#include "client/families.h"
#include "client/print.h"
#include "client/prompt.h"
#include "client/receipt.h"
#include "client/session.h"
#include "client/spool.h"

#define RESTORES_MAX 32 /* one after the other, each with a yes */

/* ---- trust show ---------------------------------------------------------- */

static const char *
vkey_of(struct cmd_ctx *ctx, const struct cdop_note_key *key)
{
	char text[CDOP_NOTE_VKEY_MAX];

	cdop_note_key_write(key, text);
	return cdop_arena_strdup(ctx->arena, text);
}

static const char *
text_of(struct cmd_ctx *ctx, struct cdop_bytes text)
{
	return cdop_arena_strndup(
	    ctx->arena, (const char *)text.data, text.len);
}

static void
show(struct cmd_ctx *ctx, const struct witness *w, size_t forks)
{
	struct cdop_bytes mine = witness_mine(ctx, w);

	print_out(ctx, "pinned at enrolment: %s", vkey_of(ctx, &w->pinned));
	print_out(ctx, "key of the log now:  %s", vkey_of(ctx, &w->key));
	print_out(ctx, "statements followed since: %zu", w->n_followed);
	print_out(ctx, "newest checkpoint:\n\n%.*s", (int)mine.len, mine.data);
	if (forks > 0)
		print_out(ctx,
		    "%zu times the log was another one: both notes lie in "
		    "%s/log",
		    forks, ctx->session->context.state);
}

static void
print(struct cmd_ctx *ctx, const struct witness *w, size_t forks)
{
	json_t *object = print_envelope(ctx, "trust.show", true);
	struct cdop_bytes mine = witness_mine(ctx, w);

	(void)json_object_update_new(object,
	    json_pack("{s:s,s:s,s:I,s:I,s:s,s:I}", "pinned_key",
		vkey_of(ctx, &w->pinned), "key", vkey_of(ctx, &w->key),
		"statements", (json_int_t)w->n_followed, "size",
		(json_int_t)w->seen.size, "checkpoint", text_of(ctx, mine),
		"forks", (json_int_t)forks));
	print_json(object);
}

static enum exit_code
no_key(struct cmd_ctx *ctx)
{
	return cmd_fail(ctx, EXIT_USAGE, NULL,
	    "a device that is enrolled now pins one",
	    "this computer was enrolled before the log had a key");
}

static enum exit_code
run_show(struct cmd_ctx *ctx)
{
	const char **names;
	enum exit_code code;
	size_t forks = 0;

	if ((code = session_unlock(ctx)) != EXIT_OK ||
	    (code = session_hold(ctx)) != EXIT_OK)
		return code;
	code = witness_load(ctx);
	session_release(ctx);
	if (code != EXIT_OK ||
	    (code = witness_kept(ctx, ".theirs", &names, &forks)) != EXIT_OK)
		return code;
	if (ctx->session->witness == NULL)
		return no_key(ctx);
	if (ctx->g.json)
		print(ctx, ctx->session->witness, forks);
	else
		show(ctx, ctx->session->witness, forks);
	return EXIT_OK;
}

/* ---- trust restore ------------------------------------------------------- */

static enum exit_code
take_one(struct cmd_ctx *ctx)
{
	const struct witness *w = ctx->session->witness;
	size_t lost = receipt_lost(ctx, &w->waiting);
	enum exit_code code;

	if (lost > 0)
		print_note(ctx,
		    "%zu changes that were acknowledged here lie in what is "
		    "lost.",
		    lost);
	memset(&ctx->error, 0, sizeof(ctx->error));
	code = prompt_agree(ctx, "Go on from there");
	if (code != EXIT_OK || (code = session_hold(ctx)) != EXIT_OK)
		return code;
	code = witness_accept(ctx);
	session_release(ctx);
	return code;
}

/* Did the last session stop because a statement waits? */
static bool
is_waiting(const struct cmd_ctx *ctx, enum exit_code code)
{
	return code == EXIT_INTEGRITY && ctx->session != NULL &&
	    ctx->session->witness != NULL && ctx->session->witness->waits;
}

static enum exit_code
conclude(struct cmd_ctx *ctx, size_t taken)
{
	const struct witness *w = ctx->session->witness;
	struct spool_list sent = {NULL, 0};
	json_t *object;

	if (w == NULL)
		return no_key(ctx);
	if (ctx->g.json) {
		object = print_envelope(ctx, "trust.restore", true);
		(void)json_object_update_new(object,
		    json_pack("{s:I,s:s,s:I}", "accepted", (json_int_t)taken,
			"key", vkey_of(ctx, &w->key), "size",
			(json_int_t)w->seen.size));
		print_json(object);
		return EXIT_OK;
	}
	print_mode(ctx);
	if (ctx->session->welcome->state == CDOP__STATE__RESTORED)
		print_out(ctx,
		    "The registry was restored, and two administrators have "
		    "to accept that: cdop restore show");
	else if (taken == 0)
		print_out(ctx,
		    "Nothing waits: the log goes on as this computer knows "
		    "it.");
	else
		print_out(ctx, "The log goes on: %s, %llu entries.",
		    w->key.name, (unsigned long long)w->seen.size);
	if (taken > 0 && spool_sent(ctx, &sent) == EXIT_OK && sent.n > 0)
		print_out(ctx,
		    "To send again what was sent: cdop retry --after-restore");
	return EXIT_OK;
}

/*
 * A registry of before a turn of this device's key knows the key of then.
 * Whoever has an old copy of it could lie in wait for that: a person says so.
 */
static enum exit_code
with_earlier(struct cmd_ctx *ctx, enum exit_code refused)
{
	size_t n = ctx->session->identity.secret->n_psk_earlier;
	enum exit_code code;

	if (n == 0)
		return refused;
	code = prompt_agree(ctx,
	    cdop_arena_printf(ctx->arena,
		"The registry does not accept this device.  Was it restored, "
		"and are its %zu keys of earlier days to be tried",
		n));
	if (code != EXIT_OK)
		return code;
	memset(&ctx->error, 0, sizeof(ctx->error));
	ctx->session->earlier = true;
	code = session_open(ctx);
	if (!ctx->session->refused)
		return code;
	return cmd_fail(ctx, EXIT_AUTH, NULL,
	    "an administrator invites this device anew; where none gets in: "
	    "cdopd recover-people on the server",
	    "the registry does not accept this device, under none of its %zu "
	    "keys of earlier days either",
	    n);
}

static enum exit_code
run_restore(struct cmd_ctx *ctx)
{
	enum exit_code code = session_open(ctx);
	size_t taken = 0;

	if (code == EXIT_AUTH && ctx->session != NULL && ctx->session->refused)
		code = with_earlier(ctx, code);
	while (is_waiting(ctx, code) && taken < RESTORES_MAX) {
		if ((code = take_one(ctx)) != EXIT_OK)
			return code;
		taken++;
		code = session_open(ctx);
	}
	return code == EXIT_OK ? conclude(ctx, taken) : code;
}

static const struct cmd_opt restore_opts[] = {
    {"--yes", NULL, "do not ask", false},
    {NULL, NULL, NULL, false},
};

const struct cmd cmd_trust_rows[] = {
    {"trust show", "", "the log's key, and how far it was followed", NULL,
	"  cdop trust show", NULL, 0, 0, 0, NULL, run_show},
    {"trust restore", "", "go on after a restore or a recovery",
	"Shows the signed statement beside the checkpoint that this computer "
	"holds,\nand goes on from there when you say yes.  Both are kept.  "
	"Where "
	"the registry\nis restored from a day before this device's key turned, "
	"it asks whether the\nkeys of earlier days are to be tried.",
	"  cdop trust restore", restore_opts, 0, 0, 0, NULL, run_restore},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
