/* cdop key: keys that turn, and how far they are. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/area.h"
#include "client/call.h"
#include "client/families.h"
#include "client/json.h"
#include "client/paged.h"
#include "client/people.h"
#include "client/print.h"
#include "client/prompt.h"
#include "client/session.h"
#include "client/show.h"
#include "client/statement.h"
#include "client/term.h"

#define BAR     24 /* signs of the bar */
#define WATCH_S 1
#define COLUMNS 4
#define AREAS   256

/* ---- rotate ------------------------------------------------------ */

static enum exit_code
rotate_log(struct cmd_ctx *ctx, char *reason)
{
	Cdop__LogKeyRotateRequest request;
	Cdop__StatementReply *reply;
	enum exit_code code;

	cdop__log_key_rotate_request__init(&request);
	request.reason = reason;
	code = prompt_agree(
	    ctx, "Ask for a new log key (every client is shown the reason)");
	if (code != EXIT_OK)
		return code;
	code = call_log_key_rotate(ctx, &request, &reply);
	if (code == EXIT_OK)
		statement_print(ctx, "key.rotate", reply);
	return code;
}

static Cdop__KeyWhat
what_of(struct cmd_ctx *ctx)
{
	if (cmd_flag(ctx, "--link"))
		return cmd_flag(ctx, "--finish") ? CDOP__KEY_WHAT__KEY_LINK_TURN
						 : CDOP__KEY_WHAT__KEY_LINK;
	if (cmd_flag(ctx, "--root"))
		return CDOP__KEY_WHAT__KEY_ROOT;
	return cmd_flag(ctx, "--all") ? CDOP__KEY_WHAT__KEY_ALL
				      : CDOP__KEY_WHAT__KEY_AREAS;
}

static const char *
question_of(Cdop__KeyWhat what, bool compromised)
{
	if (what == CDOP__KEY_WHAT__KEY_ROOT && compromised)
		return "Ask for another root (made on the host, with new "
		       "slots; none of today's opens it)";
	if (what == CDOP__KEY_WHAT__KEY_ROOT)
		return "Ask for a new root (every slot opens it; nobody is "
		       "needed)";
	if (what == CDOP__KEY_WHAT__KEY_LINK)
		return "Ask for the server's next link key (each device learns "
		       "it by itself)";
	if (what == CDOP__KEY_WHAT__KEY_LINK_TURN)
		return "Ask for its turn (who has not learnt it is invited "
		       "anew)";
	if (compromised)
		return "Ask for new area keys, a new key for every case, and "
		       "new ciphertext";
	return "Ask for new area keys (the old ones are destroyed at the end)";
}

static void
show_link(struct cmd_ctx *ctx, const Cdop__KeyLink *link)
{
	const Cdop__KeyLinkDevice *d;
	size_t i;

	if (link == NULL || !link->has_next)
		return;
	print_out(ctx, "next link key since %s: %u devices have not learnt it",
	    print_time(ctx->arena, link->made_ms), link->waits);
	for (i = 0; i < link->n_waiting; i++) {
		d = link->waiting[i];
		print_out(ctx, "  device %u \"%s\" of %s, %s", d->device,
		    print_one_line(ctx->arena, d->label),
		    print_one_line(ctx->arena, d->name),
		    d->has_seen_ms
			? cdop_arena_printf(ctx->arena, "last seen %s",
			      print_time(ctx->arena, d->seen_ms))
			: "never seen");
	}
	if (link->n_waiting < link->waits)
		print_out(ctx, "  and %zu more",
		    (size_t)link->waits - link->n_waiting);
}

/* Before its turn is asked for: whom it shuts out. */
static enum exit_code
show_waiting(struct cmd_ctx *ctx)
{
	Cdop__KeyStatusRequest request;
	Cdop__KeyStatusReply *reply;
	enum exit_code code;

	cdop__key_status_request__init(&request);
	code = call_key_status(ctx, &request, &reply);
	if (code == EXIT_OK && !ctx->g.json)
		show_link(ctx, reply->link);
	return code;
}

/* The flag, or the word alone as the reason; of keys that the words fit. */
static bool
is_compromised(struct cmd_ctx *ctx, const char *reason)
{
	return cmd_flag(ctx, "--compromised") ||
	    (!cmd_flag(ctx, "--link") && strcmp(reason, "compromised") == 0);
}

static enum exit_code
rotate_keys(struct cmd_ctx *ctx, char *reason)
{
	Cdop__KeyRotateRequest request;
	Cdop__KeyRotateReply *reply;
	char *area[AREAS];
	enum exit_code code;

	cdop__key_rotate_request__init(&request);
	request.reason = reason;
	request.area = area;
	request.has_reseal = cmd_flag(ctx, "--reseal");
	request.reseal = request.has_reseal;
	request.what = what_of(ctx);
	request.has_compromised = is_compromised(ctx, reason);
	request.compromised = request.has_compromised;
	code = area_read_all(ctx, area, AREAS, &request.n_area);
	if (code != EXIT_OK)
		return code;
	if (request.what == CDOP__KEY_WHAT__KEY_LINK_TURN &&
	    (code = show_waiting(ctx)) != EXIT_OK)
		return code;
	code = prompt_agree(
	    ctx, question_of(request.what, request.has_compromised));
	if (code != EXIT_OK)
		return code;
	code = call_key_rotate(ctx, &request, &reply);
	if (code == EXIT_OK && ctx->g.json)
		json_line(ctx, "key.rotate", &reply->base);
	return code;
}

static enum exit_code
which_keys(struct cmd_ctx *ctx)
{
	const bool root = cmd_flag(ctx, "--root"), log = cmd_flag(ctx, "--log");
	const bool area = cmd_value(ctx, "--area") != NULL;
	const bool link = cmd_flag(ctx, "--link");

	const int named = log + cmd_flag(ctx, "--all") + area + root + link;

	if (named != 1)
		return cmd_fail(ctx, EXIT_USAGE, NULL, "cdop key rotate --help",
		    "%s: --area AREA, --all, --root, --link, or "
		    "--log, the key that signs the audit log",
		    named == 0 ? "which keys" : "one of these at a time");
	if (cmd_flag(ctx, "--finish") && !link)
		return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
		    "--finish goes with --link: the other keys turn at once");
	if (cmd_flag(ctx, "--reseal") && (root || log || link))
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    "cdop key rotate --all --reseal",
		    "rows are sealed under the keys of areas: --reseal goes "
		    "with --area or --all");
	if (cmd_flag(ctx, "--compromised") && (log || link))
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    log ? "cdop key rotate --log"
			: "cdop key rotate --link, then --link --finish",
		    "--compromised goes with --area, --all or --root: this key "
		    "has one way to turn");
	return EXIT_OK;
}

static enum exit_code
run_rotate(struct cmd_ctx *ctx)
{
	const bool log = cmd_flag(ctx, "--log");
	const char *reason;
	char *copy;
	enum exit_code code;

	if ((code = which_keys(ctx)) != EXIT_OK)
		return code;
	if (cmd_flag(ctx, "--compromised") &&
	    cmd_value(ctx, "--reason") == NULL)
		reason = "compromised";
	else if ((code = people_reason(ctx, &reason)) != EXIT_OK)
		return code;
	if ((code = session_open(ctx)) != EXIT_OK)
		return code;
	copy = cdop_arena_strdup(ctx->arena, reason);
	if (!ctx->g.json)
		print_mode(ctx);
	return log ? rotate_log(ctx, copy) : rotate_keys(ctx, copy);
}

/* ---- status ------------------------------------------------------ */

static const char *
key_number(struct cmd_ctx *ctx, uint64_t key)
{
	return cdop_arena_printf(ctx->arena, "%u/%llu", (unsigned)(key >> 48),
	    (unsigned long long)(key & 0xffffffffffff));
}

static const char *
phase_words(const Cdop__KeyRotation *r)
{
	if (r->phase == CDOP__KEY_PHASE__KEY_TURN)
		return "making new keys";
	if (r->phase == CDOP__KEY_PHASE__KEY_REWRAP)
		return "wrapping case keys anew";
	if (r->phase == CDOP__KEY_PHASE__KEY_COPY)
		return r->has_reseal && r->reseal
		    ? "sealing every row anew, in a new file"
		    : "copying into a new file";
	if (r->phase == CDOP__KEY_PHASE__KEY_VERIFY)
		return "opening every row of the new file";
	if (r->phase == CDOP__KEY_PHASE__KEY_DESTROY)
		return "destroying old keys";
	if (r->phase == CDOP__KEY_PHASE__KEY_HOLDERS)
		return "waits for the holders of slots";
	if (r->has_given_up && r->given_up)
		return "given up, nothing was done";
	if (r->phase == CDOP__KEY_PHASE__KEY_DONE)
		return "done";
	return "in a phase that this cdop does not know";
}

static const char *
what_words(struct cmd_ctx *ctx, const Cdop__KeyRotation *r)
{
	if (r->what == CDOP__KEY_WHAT__KEY_ALL)
		return "all areas";
	if (r->what == CDOP__KEY_WHAT__KEY_ROOT)
		return "the root";
	return show_areas(ctx, r->area, r->n_area);
}

/* "[#####---] 3 of 8 case keys, 2 a second, 3 s left" */
static const char *
bar_of(struct cmd_ctx *ctx, const Cdop__KeyRotation *r)
{
	const bool rows = r->has_rows_total;
	const uint64_t done = rows ? r->rows_done : r->done;
	const uint64_t total = rows ? r->rows_total : r->total;
	char bar[BAR + 1];
	const char *pace = "";
	size_t i, full = BAR;

	if (total > 0)
		full = (size_t)(done * BAR / total);
	for (i = 0; i < BAR; i++)
		bar[i] = i < full ? '#' : '-';
	bar[BAR] = '\0';
	if (r->has_per_second && r->has_left_s)
		pace = cdop_arena_printf(ctx->arena,
		    ", %llu a second, %llu s left",
		    (unsigned long long)r->per_second,
		    (unsigned long long)r->left_s);
	return cdop_arena_printf(ctx->arena, "%s%s%s%llu of %llu %s%s%s",
	    ctx->g.accessible ? "" : "[", ctx->g.accessible ? "" : bar,
	    ctx->g.accessible ? "" : "] ", (unsigned long long)done,
	    (unsigned long long)total,
	    rows ? "rows copied and opened" : "case keys", pace,
	    r->has_paused && r->paused ? ", held (cdop key resume)" : "");
}

static void
show_rotation(struct cmd_ctx *ctx, const Cdop__KeyRotation *r)
{
	size_t i;

	print_out(ctx, "rotation %u of %s: %s", r->number, what_words(ctx, r),
	    phase_words(r));
	print_out(ctx, "  asked for by %s, approved by %s, %s: %s",
	    show_person(ctx, r->requester_name, r->requester),
	    show_person(ctx, r->approver_name, r->approver),
	    print_time(ctx->arena, r->started_ms),
	    print_one_line(ctx->arena, r->reason));
	if (r->has_stalled && r->stalled)
		print_out(ctx,
		    "  WARNING  it does not go on: the log of the server says "
		    "why");
	if (r->has_compromised && r->compromised)
		print_out(ctx, "  COMPROMISED: somebody had %s",
		    r->what == CDOP__KEY_WHAT__KEY_ROOT
			? "the root, and all that it opens"
			: "these keys, and the cases' that they open");
	if (r->phase == CDOP__KEY_PHASE__KEY_HOLDERS)
		print_out(ctx,
		    "  until %s: stop cdopd on the host, and run cdopd "
		    "renew-root there",
		    print_time(ctx->arena, r->until_ms));
	else if (r->has_done)
		print_out(ctx, "  %s", bar_of(ctx, r));
	if (r->has_ended_ms && r->has_given_up && r->given_up)
		print_out(
		    ctx, "  ended %s", print_time(ctx->arena, r->ended_ms));
	else if (r->has_ended_ms && r->what == CDOP__KEY_WHAT__KEY_ROOT)
		print_out(ctx,
		    "  ended %s, the old root opens none of the %llu rows of "
		    "the new file",
		    print_time(ctx->arena, r->ended_ms),
		    (unsigned long long)r->rows);
	else if (r->has_ended_ms)
		print_out(ctx,
		    "  ended %s, %llu case keys wrapped anew, %llu rows in the "
		    "new file",
		    print_time(ctx->arena, r->ended_ms),
		    (unsigned long long)r->total, (unsigned long long)r->rows);
	for (i = 0; i < r->n_destroyed; i++)
		print_out(ctx, "  destroyed: key %s",
		    key_number(ctx, r->destroyed[i]));
}

static void
show_epochs(struct cmd_ctx *ctx, const Cdop__KeyStatusReply *reply)
{
	static const char *const head[COLUMNS] = {
	    "for", "key", "case keys", "in use"};
	const char **cell, **row;
	const Cdop__KeyEpoch *e;
	size_t i;

	cell = cdop_arena_calloc(
	    ctx->arena, reply->n_epoch * COLUMNS, sizeof(*cell));
	if (cell == NULL)
		return;
	for (i = 0, row = cell; i < reply->n_epoch; i++, row += COLUMNS) {
		e = reply->epoch[i];
		row[0] = e->area != NULL ? show_area(ctx, e->area) : e->scope;
		row[1] = key_number(ctx, e->key);
		row[2] = !e->has_case_keys
		    ? NULL
		    : cdop_arena_printf(
			  ctx->arena, "%llu", (unsigned long long)e->case_keys);
		row[3] = e->newest ? "yes" : "old";
	}
	print_table(ctx, head, cell, COLUMNS, reply->n_epoch);
}

static void
show_status(struct cmd_ctx *ctx, const Cdop__KeyStatusReply *reply)
{
	size_t i;

	if (ctx->g.json) {
		json_line(ctx, "key.status", &reply->base);
		return;
	}
	print_mode(ctx);
	if (reply->running != NULL)
		show_rotation(ctx, reply->running);
	for (i = 0; i < reply->n_past; i++)
		show_rotation(ctx, reply->past[i]);
	show_link(ctx, reply->link);
	show_epochs(ctx, reply);
}

/* One look of a watch: on a terminal a line that stays where it is. */
static void
show_look(struct cmd_ctx *ctx, const Cdop__KeyStatusReply *reply)
{
	const bool stays = !ctx->g.accessible && isatty(STDERR_FILENO) == 1;

	if (ctx->g.json)
		show_status(ctx, reply);
	else if (stays)
		print_prompt(cdop_arena_printf(ctx->arena, "\r%s: %s   ",
		    phase_words(reply->running), bar_of(ctx, reply->running)));
	else
		print_note(ctx, "%s: %s", phase_words(reply->running),
		    bar_of(ctx, reply->running));
}

static enum exit_code
run_status(struct cmd_ctx *ctx)
{
	const struct timespec pause = {WATCH_S, 0};
	const bool watch = cmd_flag(ctx, "--watch");
	const struct cdop_profile *profile;
	Cdop__KeyStatusRequest request;
	Cdop__KeyStatusReply *reply;
	enum exit_code code;
	size_t mark = 0;
	bool shown = false;

	if ((code = session_open(ctx)) != EXIT_OK)
		return code;
	(void)session_profile(ctx, &profile); /* or ids instead of names */
	cdop__key_status_request__init(&request);
	for (;;) {
		code = call_key_status(ctx, &request, &reply);
		if (code != EXIT_OK)
			return code;
		if (!watch || reply->running == NULL || term_is_stopped() ||
		    reply->running->phase == CDOP__KEY_PHASE__KEY_HOLDERS)
			break;
		show_look(ctx, reply);
		shown = true;
		paged_pass(ctx, &mark, NULL);
		(void)nanosleep(&pause, NULL);
	}
	if (shown && !ctx->g.json)
		print_prompt("\n");
	show_status(ctx, reply);
	return EXIT_OK;
}

/* ---- pause, resume ------------------------------------------------ */

static enum exit_code
answer(struct cmd_ctx *ctx, const char *schema,
    const Cdop__KeyPauseReply *reply, const char *words)
{
	if (!ctx->g.json) {
		print_mode(ctx);
		print_out(ctx, "Rotation %u %s.", reply->number, words);
		return EXIT_OK;
	}
	json_line(ctx, schema, &reply->base);
	return EXIT_OK;
}

static enum exit_code
run_pause(struct cmd_ctx *ctx)
{
	Cdop__KeyPauseRequest request;
	Cdop__KeyPauseReply *reply;
	enum exit_code code;

	cdop__key_pause_request__init(&request);
	if (cmd_value(ctx, "--reason") == NULL)
		return cmd_fail(ctx, EXIT_USAGE, "input_needed",
		    "--reason TEXT", "others wait for it: say why it is held");
	request.reason =
	    cdop_arena_strdup(ctx->arena, cmd_value(ctx, "--reason"));
	code = call_key_pause(ctx, &request, &reply);
	return code != EXIT_OK ? code
			       : answer(ctx, "key.pause", reply, "is held");
}

static enum exit_code
run_resume(struct cmd_ctx *ctx)
{
	Cdop__KeyPauseRequest request;
	Cdop__KeyPauseReply *reply;
	enum exit_code code;

	cdop__key_pause_request__init(&request);
	code = call_key_resume(ctx, &request, &reply);
	return code != EXIT_OK ? code
			       : answer(ctx, "key.resume", reply, "goes on");
}

static const struct cmd_opt rotate_opts[] = {
    {"--area", "AREA", "the key of an area; several may be named", true},
    {"--all", NULL, "the keys of all areas", false},
    {"--root", NULL, "the root, which the slots open", false},
    {"--link", NULL, "the server's next link key, which devices learn", false},
    {"--finish", NULL, "with --link: the next one is the current one", false},
    {"--reseal", NULL, "new case keys too, and every row sealed anew", false},
    {"--compromised", NULL,
	"somebody had them: every key below and every row anew", false},
    {"--log", NULL, "the key that signs the audit log", false},
    {"--reason", "TEXT", "why; with --log every client is shown it", false},
    {"--yes", NULL, "do not ask", false},
    {NULL, NULL, NULL, false},
};

static const struct cmd_opt status_opts[] = {
    {"--watch", NULL, "look again each second until it is done", false},
    {NULL, NULL, NULL, false},
};

static const struct cmd_opt pause_opts[] = {
    {"--reason", "TEXT", "why", false}, {NULL, NULL, NULL, false}};

const struct cmd cmd_key_rows[] = {
    {"key rotate", "", "ask for new keys; takes two people",
	"An area's new key is used at once, every case key of the area is "
	"wrapped by\nit while the registry serves, and the old one is "
	"destroyed.  A new root wraps all\nkeys at once and every slot opens "
	"it; no holder is needed.  The log goes on under\na new key that the "
	"old one vouches for, and every client follows it by itself.\n"
	"The server's link key turns in two steps: first a next one is made, "
	"which each\ndevice learns in its next session; then, with --finish, "
	"it is the current one.\nWho has not learnt it by then is listed "
	"before, and has to be invited anew.\n--compromised, or compromised as "
	"the reason: every case gets a new key, and every\nrow new ciphertext; "
	"with --all registry, log and searches, too.  A root that\nsomebody "
	"had "
	"is made anew on the host, within 72 hours, by cdopd renew-root: no\n"
	"slot of today opens it.",
	"  cdop key rotate --area wirral --reason \"once a year\"\n"
	"  cdop key rotate --root --reason \"a custodian has left\"\n"
	"  cdop key rotate --root --compromised --reason \"a key was lost\"\n"
	"  cdop key rotate --link --reason \"once a year\"\n"
	"  cdop key rotate --log --reason \"once a year\"",
	rotate_opts, 0, 0, 0, NULL, run_rotate},
    {"key status", "", "which keys there are, and how far a rotation is",
	"With --json and --watch, a line for each look.",
	"  cdop key status --watch", status_opts, 0, 0, 0, NULL, run_status},
    {"key pause", "", "hold the rotation that is under way",
	"For a day in all; then it goes on. Erasures and other turns wait for "
	"it.",
	"  cdop key pause --reason \"the disk is being replaced\"", pause_opts,
	0, 0, 0, NULL, run_pause},
    {"key resume", "", "have it go on", NULL, "  cdop key resume", NULL, 0, 0,
	0, NULL, run_resume},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
