/* How the registry is, and who is asking. */
#include <string.h>

#include "cdop/limits.h"
#include "cdop/profile.h"
#include "cdop/role.h"
#include "cdop/version.h"
#include "server/base/metrics.h"
#include "server/registry/actor.h"
#include "server/registry/approvals.h"
#include "server/registry/audit.h"
#include "server/registry/backups.h"
#include "server/registry/certificates.h"
#include "server/registry/leaf_clock.h"
#include "server/registry/people.h"
#include "server/registry/registry.h"
#include "server/registry/rotation.h"
#include "server/registry/scrub.h"
#include "server/registry/witnesses.h"
#include "server/rpc/rpc_hold.h"
#include "server/rpc/rpc_person.h"
#include "server/rpc/slots_say.h"
#include "server/vault/rows.h"
#include "server/vault/rows_room.h"

#define WARNINGS_MAX 40
#define SOON_DAYS    30
#define WITNESS_DAYS 30
#define BACKUP_DAYS  7
#define PROVED_DAYS  92
#define DAY_MS       86400000ull
#define PACED_MS     3600000u
#define HELD_WARN_MS 3600000u

static void
warn(Cdop__StatusReply *rep, const char *words)
{
	if (words == NULL)
		return;
	if (rep->n_warning == WARNINGS_MAX)
		words = "and more of these: cdop people list";
	else
		rep->n_warning++;
	rep->warning[rep->n_warning - 1] = (char *)(uintptr_t)words;
}

/* ---- what is not well, worst first ------------------------------------- */

static uint64_t
reserve_mib(const struct rpc_ctx *ctx)
{
	uint64_t have, want;

	rows_room_reserve(ctx->reg->rows, &have, &want);
	return have >> 20;
}

/* Said to everybody: what they do may not be done tomorrow. */
static void
warn_all(struct rpc_ctx *ctx, const struct people_rule_admins *admins,
    Cdop__StatusReply *rep)
{
	if (ctx->reg->room != REGISTRY_ROOM)
		warn(rep,
		    cdop_arena_printf(ctx->arena,
			"DISK FULL: case work is refused until there is room "
			"on the server; the log goes on in %llu MiB",
			(unsigned long long)reserve_mib(ctx)));
	else if (ctx->reg->reserve_short)
		warn(rep,
		    cdop_arena_printf(ctx->arena,
			"the server's disk is nearly full: its reserve for "
			"the log has %llu MiB",
			(unsigned long long)reserve_mib(ctx)));
	if (ctx->reg->state == CDOP_STATE_OPEN &&
	    admins->n < PEOPLE_RULE_ADMINS_MIN)
		warn(rep,
		    cdop_arena_printf(ctx->arena,
			"DEGRADED: %zu administrator active; what takes two "
			"cannot be done (cdopd recover-people)",
			admins->n));
	if (ctx->reg->degraded)
		warn(rep,
		    "DEGRADED: a key was put beside the data (--degraded): "
		    "whoever takes the disk has both");
	if (ctx->reg->anchor_failed)
		warn(rep,
		    "the anchor cannot be written: a registry that is put "
		    "back would not be noticed (see the log of cdopd)");
	if (ctx->reg->anchor_missed)
		warn(rep,
		    "there was no anchor when the registry was opened: a "
		    "database that was put back was not noticed then (see the "
		    "log of cdopd)");
	if (*scrub_finding(ctx->reg->scrub) != '\0')
		warn(rep,
		    cdop_arena_printf(ctx->arena,
			"the audit log is damaged %s (cdopd verify)",
			scrub_finding(ctx->reg->scrub)));
}

static void
warn_clock(struct rpc_ctx *ctx, Cdop__StatusReply *rep)
{
	const struct leaf_clock *clock = audit_clock(ctx->reg->audit);

	if (clock->behind_ms > LEAF_CLOCK_BEHIND_MS)
		warn(rep,
		    cdop_arena_printf(ctx->arena,
			"the server's clock was set back by %llu s: what has "
			"expired stays so",
			(unsigned long long)(clock->behind_ms / 1000)));
	if (clock->ahead_ms != 0)
		warn(rep,
		    cdop_arena_printf(ctx->arena,
			"the server's clock is %llu days ahead of the log and "
			"is not gone by: set it right, or say that it is "
			"(clock_day of cdopd.conf)",
			(unsigned long long)(clock->ahead_ms / DAY_MS)));
}

/* To whoever may end it, and to whom it happens. */
static void
warn_paced(struct rpc_ctx *ctx, bool keeper, Cdop__StatusReply *rep)
{
	const struct registry *reg = ctx->reg;
	bool own = reg->paced_device == ctx->actor->device;
	const char *who = "whoever holds an invitation";

	if (reg->paced_ms == 0 || ctx->now_ms - reg->paced_ms > PACED_MS ||
	    !(keeper || own))
		return;
	if (own)
		who = "this device";
	else if (reg->paced_device != 0)
		who = cdop_arena_printf(
		    ctx->arena, "device %u", (unsigned)reg->paced_device);
	warn(rep,
	    cdop_arena_printf(ctx->arena,
		"%s made over %d calls at a stretch and is slowed to two a "
		"second: is that a program in a loop? (cdop people list)",
		who, CDOP_PACE_CALLS));
}

static void
warn_admins(struct rpc_ctx *ctx, const struct people_rule_admins *admins,
    Cdop__StatusReply *rep)
{
	if (ctx->reg->state != CDOP_STATE_OPEN)
		return;
	if (!ctx->reg->has_anchor)
		warn(rep,
		    "no anchor: that a registry was put back is noticed by "
		    "its clients alone (anchor_dir in cdopd.conf)");
	if (admins->n_held > 0)
		warn(rep,
		    cdop_arena_printf(ctx->arena,
			"access of administrator %s has ended and goes on "
			"only until a replacement is active",
			rpc_person_name(ctx, admins->held)));
	if (admins->n >= PEOPLE_RULE_ADMINS_MIN &&
	    admins->n < PEOPLE_RULE_ADMINS_WELL)
		warn(rep,
		    "two administrators: when one is away nothing that takes "
		    "two can be done; have three");
	if (admins->n_seen < PEOPLE_RULE_ADMINS_MIN)
		warn(rep,
		    "fewer than two administrators were here in the last 14 "
		    "days");
}

static bool
is_soon(const struct rpc_ctx *ctx, uint64_t end_ms)
{
	return end_ms > ctx->now_ms &&
	    end_ms - ctx->now_ms <= SOON_DAYS * (uint64_t)PEOPLE_DAY_MS;
}

static void
warn_grants(struct rpc_ctx *ctx, Cdop__StatusReply *rep)
{
	const struct people *people = ctx->reg->people;
	const struct people_person *person;
	uint32_t i;
	size_t j;

	for (i = 1; i <= people_last_person(people); i++) {
		person = people_person(people, i);
		if (person->state != CDOP__PERSON_STATE__PERSON_ACTIVE)
			continue;
		for (j = 0; j < person->n_grants; j++)
			if (is_soon(ctx, person->grants[j].until_ms))
				warn(rep,
				    cdop_arena_printf(ctx->arena,
					"person %s: %s ends on %s",
					rpc_person_name(ctx, i),
					rpc_person_roles(
					    ctx, 1u << person->grants[j].role),
					rpc_person_last_day(
					    ctx, person->grants[j].until_ms)));
	}
}

static void
warn_devices(struct rpc_ctx *ctx, Cdop__StatusReply *rep)
{
	const struct people *people = ctx->reg->people;
	const struct people_device *device;
	uint32_t i;

	for (i = 1; i <= people_last_device(people); i++) {
		device = people_device(people, i);
		if (device->state == CDOP__CREDENTIAL_STATE__CREDENTIAL_FLAGGED)
			warn(rep,
			    cdop_arena_printf(ctx->arena,
				"device %u of person %s is flagged: its "
				"invitation was used twice, or the string "
				"never fitted; revoke it",
				i, rpc_person_name(ctx, device->person)));
		else if (device->state ==
			CDOP__CREDENTIAL_STATE__CREDENTIAL_ACTIVE &&
		    is_soon(ctx, device->expires_ms))
			warn(rep,
			    cdop_arena_printf(ctx->arena,
				"device %u of person %s ends on %s", i,
				rpc_person_name(ctx, device->person),
				rpc_person_last_day(ctx, device->expires_ms)));
	}
}

static void
warn_slots(struct rpc_ctx *ctx, Cdop__StatusReply *rep)
{
	const char *words[SLOTS_SAY_MAX];
	size_t i, n = slots_say_warnings(ctx, words);

	for (i = 0; i < n; i++)
		warn(rep, words[i]);
}

static bool
is_older(const struct rpc_ctx *ctx, uint64_t at_ms, unsigned days)
{
	return at_ms + days * (uint64_t)PEOPLE_DAY_MS < ctx->now_ms;
}

/* Two people have said that somebody has the root, and he has it still. */
static void
warn_root(struct rpc_ctx *ctx, Cdop__StatusReply *rep)
{
	const struct rotation_job *job = rotation_root_had(ctx->reg->rotation);

	if (job == NULL)
		return;
	if (!job->given_up)
		warn(rep,
		    cdop_arena_printf(ctx->arena,
			"COMPROMISED: somebody has the root: cdopd renew-root "
			"on the host, until %s",
			rpc_person_day(ctx, job->until_ms)));
	else
		warn(rep,
		    cdop_arena_printf(ctx->arena,
			"COMPROMISED: somebody has the root, and its renewal "
			"was given up on %s: cdop key rotate --root "
			"--compromised",
			rpc_person_day(ctx, job->ended_ms)));
}

/*
 * Whoever had the root had these keys as well: what was made before the renewal
 * ended does not keep him out.
 */
static void
warn_older(struct rpc_ctx *ctx, Cdop__StatusReply *rep)
{
	const struct rotation_job *job =
	    rotation_root_renewed(ctx->reg->rotation);

	const struct {
		uint64_t made_ms;
		const char *what;
	} key[] = {
	    {ctx->reg->link_made_ms, "link"}, {ctx->reg->log_made_ms, "log"}};

	size_t i;

	if (job == NULL || job->ended_ms == 0)
		return;
	for (i = 0; i < sizeof(key) / sizeof(key[0]); i++)
		if (key[i].made_ms < job->ended_ms)
			warn(rep,
			    cdop_arena_printf(ctx->arena,
				"COMPROMISED: the %s key is older than the "
				"root of %s, and whoever had the root before "
				"has it: cdop key rotate --%s",
				key[i].what, rpc_person_day(ctx, job->ended_ms),
				key[i].what));
}

/* What nobody asks for and others wait for. */
static void
warn_keys(struct rpc_ctx *ctx, Cdop__StatusReply *rep)
{
	const struct rotation *rotation = ctx->reg->rotation;
	const struct rotation_job *job = rotation_running(rotation);
	const struct certificates_entry *waits;

	if (job == NULL)
		return;
	if (rotation_is_held(rotation) &&
	    job->paused_ms + HELD_WARN_MS < ctx->now_ms)
		warn(rep,
		    cdop_arena_printf(ctx->arena,
			"rotation %u is held since %s, and others wait for "
			"it: cdop key resume",
			(unsigned)job->number,
			rpc_person_day(ctx, job->paused_ms)));
	if (rotation_is_stalled(rotation))
		warn(rep,
		    cdop_arena_printf(ctx->arena,
			"rotation %u does not get on: the operator's log says "
			"why",
			(unsigned)job->number));
	waits = certificates_waiting(ctx->reg->certificates);
	if (waits != NULL && is_older(ctx, waits->asked_ms, 1))
		warn(rep,
		    cdop_arena_printf(ctx->arena,
			"what was erased on %s is not proved to be gone: cdop "
			"key status",
			rpc_person_day(ctx, waits->asked_ms)));
}

/* ---- status ------------------------------------------------------------ */

/* That the caller may approve. */
static uint32_t
count_waiting(struct rpc_ctx *ctx)
{
	static const uint8_t first[8];
	struct approvals *approvals = ctx->reg->approvals;
	const struct approval *approval;
	const struct rpc_method *method;
	uint32_t waiting = 0;

	approval = approvals_next(approvals, 0, first, ctx->now_ms);
	for (; approval != NULL;
	     approval = approvals_next(approvals, approval->asked_ms,
		 approval->number, ctx->now_ms)) {
		method = rpc_method_find(approval->method);
		waiting += method != NULL &&
		    approval->requester != ctx->actor->person &&
		    (method->second & ctx->actor->roles) != 0 &&
		    rpc_hold_may_second(ctx, approval);
	}
	return waiting;
}

static enum cdop_err
fill_contacts(struct rpc_ctx *ctx, Cdop__StatusReply *rep)
{
	const struct cdop_profile *profile = ctx->reg->profile;

	rep->panel = cdop_arena_strdup(ctx->arena, profile->panel_name);
	rep->office_contact = cdop_arena_printf(ctx->arena, "%s%s%s",
	    profile->office_phone, *profile->office_email != '\0' ? ", " : "",
	    profile->office_email);
	rep->technical_contact =
	    cdop_arena_strdup(ctx->arena, profile->technical_contact);
	return rep->panel == NULL || rep->office_contact == NULL ||
		rep->technical_contact == NULL
	    ? CDOP_RESOURCE_EXHAUSTED
	    : CDOP_OK;
}

/* How old the youngest word of somebody outside this host is. */
static void
fill_witness(struct rpc_ctx *ctx, Cdop__StatusReply *rep)
{
	struct witness newest = witnesses_newest(ctx->reg->witnesses);
	uint64_t at_ms = newest.time_s * 1000;

	if (newest.person == 0) {
		warn(rep,
		    "nobody has co-signed the log: cdop audit witness, on a "
		    "computer elsewhere");
		return;
	}
	rep->has_witness_ms = true;
	rep->witness_ms = at_ms;
	rep->has_witness_size = true;
	rep->witness_size = newest.size;
	if (at_ms + WITNESS_DAYS * (uint64_t)PEOPLE_DAY_MS < ctx->now_ms)
		warn(rep,
		    cdop_arena_printf(ctx->arena,
			"the log was last co-signed on %s: cdop audit witness",
			rpc_person_day(ctx, at_ms)));
}

/* When the registry was last saved, and when that was last proved. */
static void
fill_backup(struct rpc_ctx *ctx, Cdop__StatusReply *rep)
{
	const struct backups_entry *newest, *proved;

	newest = backups_newest(ctx->reg->backups);
	proved = backups_proved(ctx->reg->backups);
	if (newest == NULL) {
		warn(rep,
		    backups_any_whole(ctx->reg->backups)
			? "no backup is left that was not said to be "
			  "destroyed: cdop backup create FILE"
			: "no backup was ever taken: cdop backup create FILE");
		return;
	}
	rep->has_backup = true;
	rep->backup = newest->number;
	rep->has_backup_ms = true;
	rep->backup_ms = newest->begun_ms;
	if (is_older(ctx, newest->begun_ms, BACKUP_DAYS))
		warn(rep,
		    cdop_arena_printf(ctx->arena,
			"the last backup is of %s: cdop backup create FILE",
			rpc_person_day(ctx, newest->begun_ms)));
	if (proved == NULL) {
		warn(rep,
		    "no backup was ever proved to be restorable: cdopd "
		    "verify FILE --shares, then cdop backup proved");
		return;
	}
	rep->has_proved = true;
	rep->proved = proved->number;
	rep->has_proved_ms = true;
	rep->proved_ms = proved->proved_ms;
	if (is_older(ctx, proved->proved_ms, PROVED_DAYS))
		warn(rep,
		    cdop_arena_printf(ctx->arena,
			"a backup was last proved on %s: cdopd verify FILE "
			"--shares",
			rpc_person_day(ctx, proved->proved_ms)));
}

static enum cdop_err
fill_figures(struct rpc_ctx *ctx, Cdop__StatusReply *rep)
{
	const struct metrics *m = ctx->reg->metrics;
	Cdop__Figures *f;

	if (m == NULL)
		return CDOP_OK;
	if ((f = cdop_arena_alloc(ctx->arena, sizeof(*f))) == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop__figures__init(f);
	f->calls = metrics_get(m, METRIC_CALLS);
	f->calls_failed = metrics_get(m, METRIC_CALLS_FAILED);
	f->call_us = metrics_sum(&m->call);
	f->batches = metrics_get(m, METRIC_BATCHES);
	f->commit_us = metrics_sum(&m->commit);
	f->sessions = metrics_get(m, METRIC_SESSIONS);
	f->streams = metrics_get(m, METRIC_STREAMS);
	f->handshakes_refused = metrics_get(m, METRIC_HANDSHAKES_REFUSED);
	f->has_rotation_keys = metrics_get(m, METRIC_ROTATION) != 0;
	f->has_rotation_keys_done = f->has_rotation_keys;
	f->rotation_keys = metrics_get(m, METRIC_ROTATION_KEYS);
	f->rotation_keys_done = metrics_get(m, METRIC_ROTATION_KEYS_DONE);
	rep->figures = f;
	return CDOP_OK;
}

enum cdop_err
rpc_status(
    struct rpc_ctx *ctx, const Cdop__StatusRequest *req, Cdop__StatusReply *rep)
{
	const uint32_t keepers = CDOP_ROLES_KEYS | CDOP_ROLE_AUDITOR;
	struct people_rule_admins admins;
	enum cdop_err err;

	(void)req;
	rep->server = cdop_arena_strdup(ctx->arena, "cdopd " CDOP_VERSION);
	rep->warning =
	    cdop_arena_calloc(ctx->arena, WARNINGS_MAX, sizeof(*rep->warning));
	if (rep->server == NULL || rep->warning == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	rep->state = registry_state(ctx->reg);
	rep->mode = ctx->reg->mode == REGISTRY_LIVE ? CDOP__MODE__LIVE
						    : CDOP__MODE__TRAINING;
	rep->now_ms = ctx->now_ms;
	/* Whoever waits for activation learns that it runs, and no more. */
	if ((ctx->actor->roles & CDOP_ROLE_PENDING) != 0)
		return fill_contacts(ctx, rep);
	people_rule_admins(ctx->reg->people, ctx->now_ms, NULL, &admins);
	warn_all(ctx, &admins, rep);
	warn_clock(ctx, rep);
	warn_paced(ctx, (ctx->actor->roles & keepers) != 0, rep);
	rep->has_approvals_waiting = true;
	rep->approvals_waiting = count_waiting(ctx);
	if ((ctx->actor->roles & keepers) != 0) {
		warn_admins(ctx, &admins, rep);
		warn_root(ctx, rep);
		warn_slots(ctx, rep);
		warn_keys(ctx, rep);
		warn_older(ctx, rep);
		if ((err = slots_say_fill(ctx, rep)) != CDOP_OK)
			return err;
		fill_witness(ctx, rep);
		fill_backup(ctx, rep);
		rep->has_administrators_active = true;
		rep->administrators_active = (uint32_t)admins.n;
		rep->has_leaves = true;
		rep->leaves = audit_size(ctx->reg->audit);
		rep->has_open_since_ms = true;
		rep->open_since_ms = ctx->reg->open_since_ms;
	}
	if ((ctx->actor->roles & CDOP_ROLE_ADMINISTRATOR) != 0) {
		rep->has_map_used = true;
		rep->has_map_size = true;
		rows_usage(ctx->reg->rows, &rep->map_used, &rep->map_size);
		if (rep->map_used > rep->map_size / 2)
			warn(rep, "the store is over half full");
		if ((err = fill_figures(ctx, rep)) != CDOP_OK)
			return err;
	}
	/* Last: of these there may be more than there is room for. */
	if ((ctx->actor->roles & keepers) != 0) {
		warn_devices(ctx, rep);
		warn_grants(ctx, rep);
	}
	return fill_contacts(ctx, rep);
}

/* ---- who am I ---------------------------------------------------------- */

/* When the first thing ends without which this device is nothing. */
static uint64_t
access_end(const struct people_person *person,
    const struct people_device *device, uint64_t now_ms)
{
	uint64_t end = 0;
	size_t i;

	for (i = 0; i < person->n_grants; i++)
		if (person->grants[i].from_ms <= now_ms &&
		    person->grants[i].until_ms > end)
			end = person->grants[i].until_ms;
	return device->expires_ms < end ? device->expires_ms : end;
}

enum cdop_err
rpc_who_am_i(
    struct rpc_ctx *ctx, const Cdop__WhoAmIRequest *req, Cdop__WhoAmIReply *rep)
{
	const struct people_person *person;
	const struct people_device *device;
	uint64_t end_ms;

	(void)req;
	person = people_person(ctx->reg->people, ctx->actor->person);
	device = people_device(ctx->reg->people, ctx->actor->device);
	if (person == NULL || device == NULL)
		return CDOP_INTERNAL;
	ctx->subject_person = person->number;
	rep->device = device->number;
	end_ms = access_end(person, device, ctx->now_ms);
	rep->has_expires_ms = end_ms != 0 && end_ms != UINT64_MAX;
	rep->expires_ms = end_ms;
	return rpc_person_fill(ctx, person->number, &rep->person);
}
