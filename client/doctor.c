/* The self-check, line by line. */
#include "client/doctor.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cdop/version.h"
#include "client/call.h"
#include "client/file.h"
#include "client/print.h"
#include "client/session.h"
#include "client/show.h"
#include "client/spool.h"
#include "client/witness.h"

#define SKEW_MS     ((uint64_t)60 * 1000)
#define OLD_DAYS    25 /* request keys live for 30 */
#define EXPIRY_DAYS 30
#define DAY_MS      ((uint64_t)24 * 60 * 60 * 1000)

struct look {
	struct cmd_ctx *ctx;
	json_t *list;
	size_t bad;
};

/* One line: what was looked at, whether it is well, what to do. */
static void
say(struct look *look, const char *what, bool well, const char *words,
    const char *next)
{
	if (!well)
		look->bad++;
	if (look->ctx->g.json) {
		(void)json_array_append_new(look->list,
		    json_pack("{s:s,s:b,s:s,s:s?}", "check", what, "ok", well,
			"message", words, "next", well ? NULL : next));
		return;
	}
	print_out(
	    look->ctx, "%-8s %-12s %s", well ? "ok" : "NOT WELL", what, words);
	if (!well && next != NULL)
		print_out(look->ctx, "%-8s %-12s %s", "", "", next);
}

static void
look_at_files(struct look *look)
{
	struct session *s = look->ctx->session;
	bool sealed = identity_has_passphrase(&s->identity);
	const char *memory = getenv("CDOP_PASSPHRASE_FILE");

	say(look, "identity", !file_is_open_to_others(s->context.identity),
	    "nobody else can read the identity file",
	    "chmod 600 the identity file");
	say(look, "folder",
	    !file_exists(s->context.state) ||
		!file_is_open_to_others(s->context.state),
	    "nobody else can read drafts and requests",
	    "chmod 700 the state folder");
	say(look, "passphrase", sealed || session_is_training(look->ctx),
	    sealed ? "the keys are sealed by a passphrase"
		   : "the keys have no passphrase, as training allows",
	    "enrol again with one");
	if (memory != NULL && *memory != '\0')
		say(look, "passfile", !file_is_open_to_others(memory),
		    "nobody else can read the passphrase file",
		    "chmod 600 the passphrase file");
}

/* What a step said that did not come to its end, which it is over with. */
static void
say_error(struct look *look, const char *what)
{
	struct cmd_error *error = &look->ctx->error;

	say(look, what, false,
	    error->message != NULL ? error->message : "it was stopped",
	    error->next);
	error->message = NULL;
	error->next = NULL;
}

/* Requests that are nearly too old to be repeated safely. */
static void
look_at_spool(struct look *look)
{
	uint64_t now = (uint64_t)time(NULL) * 1000;
	struct spool_list list = {NULL, 0};
	Cdop__ClientRequest *request;
	size_t i, old = 0, bad = 0;

	if (spool_requests(look->ctx, &list) != EXIT_OK) {
		say_error(look, "requests");
		return;
	}
	for (i = 0; i < list.n; i++) {
		if (spool_get(look->ctx, list.path[i], &request) != EXIT_OK)
			bad++;
		else if (request->at_ms + OLD_DAYS * DAY_MS < now)
			old++;
	}
	look->ctx->error.message = NULL;
	say(look, "requests", bad == 0, "every kept request can be opened",
	    "some belong to another key of this computer: cdop retry");
	say(look, "age", old == 0, "no kept request is old",
	    "send them soon: cdop retry");
}

/* Is this computer a witness of the log, and has it seen two of them? */
static void
look_at_log(struct look *look)
{
	struct session *s = look->ctx->session;
	const char *bad = cdop_arena_printf(
	    look->ctx->arena, "%s/receipts", s->context.state);
	const char **names;
	size_t forks = 0, receipts = 0;

	if (s->welcome != NULL && s->welcome->state == CDOP__STATE__RESTORED)
		say(look, "log", false,
		    "the registry says that it was restored, and shows no log "
		    "until that is accepted",
		    "ask two administrators whether that is so");
	else
		say(look, "log", s->witness != NULL,
		    s->witness != NULL
			? "the log goes on from what was seen of it here"
			: "no key of the log is known here",
		    "enrol this computer again");
	(void)witness_kept(look->ctx, ".theirs", &names, &forks);
	if (bad == NULL ||
	    file_list(bad, ".txt", look->ctx->arena, &names, &receipts) !=
		CDOP_OK)
		receipts = 0;
	say(look, "evidence", forks + receipts == 0,
	    forks + receipts == 0
		? "the log was never another one"
		: cdop_arena_printf(look->ctx->arena,
		      "the log was another one %zu times, and %zu receipts "
		      "were bad: all lie in %s",
		      forks, receipts, s->context.state),
	    "ring the technical contact, unless they have these files");
}

static void
look_at_link(struct look *look)
{
	uint64_t now, server;

	if (session_open(look->ctx) != EXIT_OK) {
		say_error(look, "link");
		return;
	}
	say(look, "link", true, "the registry answers and knows this device",
	    NULL);
	now = (uint64_t)time(NULL) * 1000;
	server = look->ctx->session->welcome->now_ms;
	say(look, "clock", now < server + SKEW_MS && server < now + SKEW_MS,
	    "the clocks agree within a minute",
	    "set this computer's clock; where it is right, the registry's is "
	    "not: cdop status, and ring the technical contact");
	say(look, "version", look->ctx->session->welcome->schema_level == 1,
	    cdop_arena_printf(look->ctx->arena, "cdop %s, %s", CDOP_VERSION,
		look->ctx->session->welcome->server),
	    "install the same release on both sides");
	look_at_log(look);
}

static void
look_at_access(struct look *look)
{
	uint64_t now = (uint64_t)time(NULL) * 1000;
	const struct cdop_profile *profile;
	Cdop__WhoAmIRequest request;
	Cdop__WhoAmIReply *reply;

	if (look->ctx->session->conn == NULL)
		return;
	cdop__who_am_irequest__init(&request);
	if (call_who_am_i(look->ctx, &request, &reply) != EXIT_OK) {
		say_error(look, "access");
		return;
	}
	if (reply->has_expires_ms &&
	    session_profile(look->ctx, &profile) != EXIT_OK)
		look->ctx->error.message = NULL; /* by this computer's clock */
	say(look, "access",
	    !reply->has_expires_ms ||
		reply->expires_ms > now + EXPIRY_DAYS * DAY_MS,
	    reply->has_expires_ms
		? cdop_arena_printf(look->ctx->arena,
		      "the last day of your access is %s",
		      show_last_day(look->ctx, reply->expires_ms))
		: "your access has no end",
	    "ask an administrator to extend it");
}

enum exit_code
doctor_run(struct cmd_ctx *ctx)
{
	struct look look = {ctx, NULL, 0};
	enum exit_code code;
	json_t *object;

	if ((code = session_load(ctx)) != EXIT_OK)
		return code;
	look.list = json_array();
	look_at_files(&look);
	code = session_unlock(ctx);
	if (code == EXIT_OK) {
		look_at_spool(&look);
		look_at_link(&look);
		look_at_access(&look);
	} else {
		say_error(&look, "keys");
	}
	if (ctx->g.json) {
		object = print_envelope(ctx, "doctor", look.bad == 0);
		(void)json_object_set_new(object, "checks", look.list);
		print_json(object);
	} else {
		json_decref(look.list);
	}
	if (look.bad == 0)
		return EXIT_OK;
	return cmd_fail(ctx, EXIT_FINDINGS, NULL, NULL, "%zu thing%s not well",
	    look.bad, look.bad == 1 ? " is" : "s are");
}
