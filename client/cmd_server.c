/* cdop status, whoami, device turn: the registry and oneself. */
#include <string.h>

#include "client/call.h"
#include "client/doctor.h"
#include "client/families.h"
#include "client/json.h"
#include "client/print.h"
#include "client/session.h"
#include "client/show.h"
#include "client/spool.h"
#include "client/turn.h"

/* ---- status ------------------------------------------------------ */

static void
show_kept(struct cmd_ctx *ctx)
{
	struct spool_list requests = {NULL, 0}, drafts = {NULL, 0};
	struct spool_list sent = {NULL, 0};

	if (spool_requests(ctx, &requests) != EXIT_OK ||
	    spool_drafts(ctx, &drafts) != EXIT_OK ||
	    spool_sent(ctx, &sent) != EXIT_OK)
		return;
	if (sent.n > 0)
		print_out(ctx,
		    "%zu that were sent are kept sealed, as the profile says",
		    sent.n);
	if (requests.n + drafts.n > 0)
		print_out(ctx, "%zu entr%s wait on this computer (cdop retry)",
		    requests.n + drafts.n,
		    requests.n + drafts.n == 1 ? "y" : "ies");
}

static bool
is_pending(const struct cmd_ctx *ctx)
{
	const Cdop__Welcome *w = ctx->session->welcome;

	return w != NULL && w->has_credential_pending && w->credential_pending;
}

static const char *
areas_of(struct cmd_ctx *ctx, const Cdop__Person *p)
{
	if (p->has_all_areas && p->all_areas)
		return "all areas";
	return p->n_area > 0 ? show_areas(ctx, p->area, p->n_area) : "no area";
}

/* Whole days by the registry's clock; one that is over has none. */
static uint64_t
days_until(const struct cmd_ctx *ctx, uint64_t ms)
{
	uint64_t now = ctx->session->welcome->now_ms;

	return ms > now ? (ms - now) / ((uint64_t)24 * 60 * 60 * 1000) : 0;
}

/* Who one is and for how long still: asked, not remembered. */
static void
show_me(struct cmd_ctx *ctx)
{
	const Cdop__ClientIdentity *me = ctx->session->identity.open;
	Cdop__WhoAmIRequest request;
	Cdop__WhoAmIReply *r;

	cdop__who_am_irequest__init(&request);
	if (call_who_am_i(ctx, &request, &r) != EXIT_OK) {
		ctx->error.message = NULL;
		return;
	}
	print_out(ctx, "signed in as %s, %s, %s, device \"%s\"%s",
	    r->person->name,
	    show_roles(ctx, r->person->grant, r->person->n_grant),
	    areas_of(ctx, r->person), me->label,
	    is_pending(ctx) ? ", waits for activation" : "");
	if (r->has_expires_ms)
		print_out(ctx,
		    "your access ends in %llu days: its last day is %s",
		    (unsigned long long)days_until(ctx, r->expires_ms),
		    show_last_day(ctx, r->expires_ms));
}

static const char *
state_words(Cdop__State state)
{
	if (state == CDOP__STATE__OPEN)
		return "open";
	if (state == CDOP__STATE__SETUP)
		return "setup: two administrators have to be active";
	if (state == CDOP__STATE__RESTORED)
		return "restored: two administrators have to accept it "
		       "(cdop restore show)";
	return "sealed";
}

static double
each_ms(uint64_t us, uint64_t n)
{
	return n == 0 ? 0 : (double)us / 1000 / (double)n;
}

/* Since the daemon was started; none of it says who or what. */
static void
show_figures(struct cmd_ctx *ctx, const Cdop__Figures *f)
{
	const uint64_t calls = f->calls + f->calls_failed;

	print_out(ctx,
	    "calls: %llu, %.1f ms each   commits: %llu, %.1f ms each   "
	    "sessions: %llu",
	    (unsigned long long)calls, each_ms(f->call_us, calls),
	    (unsigned long long)f->batches, each_ms(f->commit_us, f->batches),
	    (unsigned long long)f->sessions);
}

static void
show_status(struct cmd_ctx *ctx, const Cdop__StatusReply *r)
{
	const Cdop__Welcome *w = ctx->session->welcome;
	size_t i;

	print_out(ctx, "%s  %s  %s   %s",
	    r->mode == CDOP__MODE__TRAINING ? "TRAINING" : "LIVE",
	    r->panel != NULL ? r->panel : "", state_words(r->state), r->server);
	show_me(ctx);
	for (i = 0; i < w->n_notice; i++)
		print_out(ctx, "NOTICE  %s", w->notice[i]);
	for (i = 0; i < r->n_warning; i++)
		print_out(ctx, "WARNING  %s", r->warning[i]);
	if (r->has_administrators_active)
		print_out(ctx, "administrators active: %u   log entries: %llu",
		    r->administrators_active, (unsigned long long)r->leaves);
	if (r->has_backup)
		print_out(ctx, "last backup: %u, %s   last proved: %s",
		    r->backup, print_time(ctx->arena, r->backup_ms),
		    r->has_proved_ms ? print_time(ctx->arena, r->proved_ms)
				     : "never");
	if (r->has_witness_ms)
		print_out(ctx, "log last co-signed: %s, with %llu entries",
		    print_time(ctx->arena, r->witness_ms),
		    (unsigned long long)r->witness_size);
	for (i = 0; i < r->n_slot; i++)
		print_out(ctx, "%s", r->slot[i]);
	if (r->n_slot > 0)
		print_out(ctx, "last drill of a share: %s",
		    r->has_drilled_ms ? print_time(ctx->arena, r->drilled_ms)
				      : "never");
	if (r->has_map_used)
		print_out(ctx, "disk: %llu of %llu MiB",
		    (unsigned long long)(r->map_used >> 20),
		    (unsigned long long)(r->map_size >> 20));
	if (r->figures != NULL)
		show_figures(ctx, r->figures);
	if (r->has_approvals_waiting && r->approvals_waiting > 0)
		print_out(ctx, "%u wait for a second person (cdop approve)",
		    r->approvals_waiting);
	if (r->office_contact != NULL)
		print_out(ctx, "panel office: %s", r->office_contact);
	show_kept(ctx);
}

/* Notices, and what waits here, for programs. */
static void
add_here(struct cmd_ctx *ctx, json_t *object)
{
	const Cdop__Welcome *w = ctx->session->welcome;
	struct spool_list requests = {NULL, 0}, drafts = {NULL, 0};
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < w->n_notice; i++)
		(void)json_array_append_new(list, json_string(w->notice[i]));
	(void)json_object_set_new(object, "notice", list);
	if (spool_requests(ctx, &requests) == EXIT_OK &&
	    spool_drafts(ctx, &drafts) == EXIT_OK)
		(void)json_object_update_new(object,
		    json_pack("{s:I,s:I}", "requests_here",
			(json_int_t)requests.n, "drafts_here",
			(json_int_t)drafts.n));
}

static enum exit_code
run_status(struct cmd_ctx *ctx)
{
	const struct cdop_profile *profile;
	Cdop__StatusRequest request;
	Cdop__StatusReply *reply;
	enum exit_code code;
	json_t *object;

	cdop__status_request__init(&request);
	if ((code = call_status(ctx, &request, &reply)) != EXIT_OK) {
		/* What waits here is known without a registry. */
		if (!ctx->g.json && ctx->session != NULL &&
		    ctx->session->identity.secret != NULL)
			show_kept(ctx);
		return code;
	}
	/* Kept for the day the registry is closed: whom to ring. */
	if (session_profile(ctx, &profile) != EXIT_OK)
		ctx->error.message = NULL;
	if (!ctx->g.json) {
		show_status(ctx, reply);
		return EXIT_OK;
	}
	object = print_envelope(ctx, "status", true);
	json_merge(ctx, object, &reply->base);
	/* The envelope's word, not the enum. */
	(void)json_object_set_new(object, "mode", json_string(ctx->mode));
	add_here(ctx, object);
	print_json(object);
	return EXIT_OK;
}

/* ---- whoami ------------------------------------------------------ */

static void
show_whoami(struct cmd_ctx *ctx, const Cdop__WhoAmIReply *r)
{
	const Cdop__Person *p = r->person;
	const Cdop__Device *d;
	size_t i;

	print_out(ctx, "%s  person %u  %s%s%s", p->name, p->number,
	    show_state(ctx, &cdop__person_state__descriptor, p->state),
	    p->agency != NULL ? "  " : "", p->agency != NULL ? p->agency : "");
	print_out(ctx, "roles: %s   areas: %s",
	    show_roles(ctx, p->grant, p->n_grant), areas_of(ctx, p));
	for (i = 0; i < p->n_device; i++) {
		d = p->device[i];
		print_out(ctx, "device %u  \"%s\"  %s%s%s%s", d->number,
		    d->label,
		    show_state(
			ctx, &cdop__credential_state__descriptor, d->state),
		    d->has_expires_ms ? "  until " : "",
		    d->has_expires_ms ? show_last_day(ctx, d->expires_ms) : "",
		    d->number == r->device ? "  (this one)" : "");
	}
	print_out(ctx, "context %s (%s), registry %s",
	    ctx->session->context.name, ctx->mode, ctx->registry);
	if (is_pending(ctx) &&
	    ctx->session->identity.secret->comparison != NULL)
		print_out(ctx, "to be read out by telephone: device %u   %s",
		    r->device, ctx->session->identity.secret->comparison);
}

static enum exit_code
run_whoami(struct cmd_ctx *ctx)
{
	const struct cdop_profile *profile;
	Cdop__WhoAmIRequest request;
	Cdop__WhoAmIReply *reply;
	enum exit_code code;
	json_t *object;

	cdop__who_am_irequest__init(&request);
	if ((code = call_who_am_i(ctx, &request, &reply)) != EXIT_OK)
		return code;
	/* Names instead of ids; who waits for activation may not have it. */
	if (!is_pending(ctx) && session_profile(ctx, &profile) != EXIT_OK)
		ctx->error.message = NULL;
	if (!ctx->g.json) {
		show_whoami(ctx, reply);
		return EXIT_OK;
	}
	object = print_envelope(ctx, "whoami", true);
	(void)json_object_set_new(
	    object, "context", json_string(ctx->session->context.name));
	json_merge(ctx, object, &reply->base);
	print_json(object);
	return EXIT_OK;
}

/* ---- the PSK ----------------------------------------------------- */

static enum exit_code
run_turn(struct cmd_ctx *ctx)
{
	enum exit_code code = turn_now(ctx);

	if (code != EXIT_OK)
		return code;
	if (ctx->g.json)
		print_json(print_envelope(ctx, "device.turn", true));
	else
		print_out(ctx, "A new key is made; the next session uses it.");
	return EXIT_OK;
}

const struct cmd cmd_server_rows[] = {
    {"status", "", "state of the registry, and what waits here", NULL,
	"  cdop status", NULL, 0, 0, 0, NULL, run_status},
    {"whoami", "", "who you are to the registry and what you may", NULL,
	"  cdop whoami", NULL, 0, 0, 0, NULL, run_whoami},
    {"doctor", "", "look whether this computer is well; changes nothing",
	"Exit 16 when something is not well.", "  cdop doctor", NULL, 0, 0, 0,
	NULL, doctor_run},
    {"device turn", "", "make a new pre-shared key for this device",
	"Done by itself once a day.", "  cdop device turn", NULL, 0, 0, 0, NULL,
	run_turn},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
