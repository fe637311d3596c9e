/* Keys that turn: asked for, held, and how far they are. */
#include <string.h>

#include "cdop/limits.h"
#include "cdop/profile.h"
#include "cdop/text.h"
#include "server/registry/actor.h"
#include "server/registry/people.h"
#include "server/registry/registry.h"
#include "server/registry/rotation_step.h"
#include "server/rpc/ctx.h"
#include "server/rpc/rpc_key_link.h"
#include "server/rpc/rpc_reason.h"
#include "server/rpc/slots_say.h"
#include "server/vault/rows.h"
#include "server/vault/rows_rewrap.h"

#define PAST_MAX   10
#define SLOTS_SAID 8 /* of those who may make a new root */

_Static_assert(SLOTS_SAID + 7 <= RPC_WORDS_MAX, "all of it is said");

/* ---- rotate ------------------------------------------------------------ */

static enum cdop_err
bad_area(struct rpc_ctx *ctx, const char *words)
{
	rpc_violation(
	    ctx, "area", "area_unknown", CDOP__SEVERITY__ERROR, words);
	return rpc_fail(ctx, CDOP_INVALID_ARGUMENT, "area_unknown", words);
}

static bool
is_named_twice(const Cdop__KeyRotateRequest *req)
{
	size_t i, k;

	for (i = 0; i < req->n_area; i++)
		for (k = 0; k < i; k++)
			if (strcmp(req->area[i], req->area[k]) == 0)
				return true;
	return false;
}

static enum cdop_err
check_areas(struct rpc_ctx *ctx, const Cdop__KeyRotateRequest *req)
{
	size_t i;

	if (req->what != CDOP__KEY_WHAT__KEY_AREAS)
		return req->n_area == 0
		    ? CDOP_OK
		    : bad_area(ctx, "no one area is meant: name none");
	if (req->n_area == 0 || req->n_area > ROTATION_AREAS_MAX)
		return bad_area(ctx, "name the areas, at most 256");
	for (i = 0; i < req->n_area; i++)
		if (rows_rewrap_newest(ctx->reg->rows, req->area[i]) == 0)
			return bad_area(ctx, "not an area that has a key");
	if (is_named_twice(req))
		return bad_area(ctx, "an area is named twice");
	return CDOP_OK;
}

/*
 * Somebody had the keys.  The word alone means it, too: whoever types it as
 * the reason does not mean a mere re-wrap.
 */
static bool
is_compromised(const Cdop__KeyRotateRequest *req)
{
	return (req->has_compromised && req->compromised) ||
	    strcmp(req->reason, "compromised") == 0;
}

/* A key that somebody had may have opened every case key it wraps. */
static bool
reseals(const Cdop__KeyRotateRequest *req)
{
	return req->what != CDOP__KEY_WHAT__KEY_ROOT &&
	    ((req->has_reseal && req->reseal) || is_compromised(req));
}

static enum cdop_err
check_rotate(struct rpc_ctx *ctx, const Cdop__KeyRotateRequest *req)
{
	enum cdop_err err;

	if ((err = check_areas(ctx, req)) != CDOP_OK)
		return err;
	if (req->what == CDOP__KEY_WHAT__KEY_ROOT && req->has_reseal &&
	    req->reseal && !is_compromised(req)) {
		rpc_violation(ctx, "reseal", "reseal_root",
		    CDOP__SEVERITY__ERROR, "rows are sealed under no root");
		return rpc_fail(ctx, CDOP_INVALID_ARGUMENT, "reseal_root",
		    "the root wraps keys: to seal rows anew, turn all areas");
	}
	if (rotation_running(ctx->reg->rotation) != NULL &&
	    !rotation_waits(ctx->reg->rotation))
		return rpc_fail(ctx, CDOP_FAILED_PRECONDITION,
		    "rotation_running",
		    "keys are being turned already: one at a time");
	return CDOP_OK;
}

/* Case keys of the areas that are meant. */
static uint64_t
count_of(const struct rpc_ctx *ctx, const Cdop__KeyRotateRequest *req)
{
	struct rows_rewrap_epoch epoch;
	uint64_t keys = 0;
	size_t i, k;

	for (i = 0; rows_rewrap_epoch(ctx->reg->rows, i, &epoch); i++) {
		for (k = 0; k < req->n_area; k++)
			if (strcmp(req->area[k], epoch.area) == 0)
				break;
		if (k < req->n_area || req->what == CDOP__KEY_WHAT__KEY_ALL)
			keys += epoch.wraps;
	}
	return keys;
}

static void
say(struct rpc_ctx *ctx, const char *words)
{
	rpc_second_words(ctx, words != NULL ? words : "(out of memory)");
}

static const char *
areas_words(struct rpc_ctx *ctx, const Cdop__KeyRotateRequest *req)
{
	const char *all = "every area";
	size_t i;

	for (i = 0; i < req->n_area && all != NULL; i++)
		all = cdop_arena_printf(ctx->arena, "%s%s%s", i == 0 ? "" : all,
		    i == 0 ? "" : ", ", req->area[i]);
	return all;
}

static void
say_root(struct rpc_ctx *ctx)
{
	const struct rows *rows = ctx->reg->rows;
	struct rows_rewrap_epoch epoch;
	size_t keys = 0;

	while (rows_rewrap_epoch(rows, keys, &epoch))
		keys++;
	say(ctx,
	    cdop_arena_printf(ctx->arena,
		"make a new root and wrap %zu keys by it, at once", keys));
	say(ctx,
	    cdop_arena_printf(ctx->arena,
		"%zu slots open the new one: nobody has to type anything",
		rows_slots(rows)));
	say(ctx,
	    "copy what there is into a new file, of which the old root opens "
	    "nothing");
	say(ctx,
	    "the keys of areas and the secrets of slots stay what they are");
}

/* Of keys that somebody had. */
static void
say_cases(struct rpc_ctx *ctx, const Cdop__KeyRotateRequest *req)
{
	say(ctx,
	    "COMPROMISED: give every case a new key, also those that have "
	    "moved since, and seal every row of them anew in a new file");
	if (req->what == CDOP__KEY_WHAT__KEY_ALL)
		say(ctx,
		    "give registry, log and searches new keys too, and seal "
		    "their rows anew");
	say(ctx,
	    "the root and its slots stay: if somebody had those, ask for "
	    "--root --compromised");
}

static void
say_areas(struct rpc_ctx *ctx, const Cdop__KeyRotateRequest *req)
{
	const char *areas = areas_words(ctx, req);

	say(ctx,
	    areas == NULL ? NULL
			  : cdop_arena_printf(ctx->arena,
				"give a new key to %s, at once", areas));
	say(ctx,
	    cdop_arena_printf(ctx->arena,
		"wrap %llu case keys by the new ones while the registry "
		"serves",
		(unsigned long long)count_of(ctx, req)));
	say(ctx, "then destroy the old ones: nothing opens with them any more");
	if (is_compromised(req)) {
		say_cases(ctx, req);
		return;
	}
	say(ctx,
	    reseals(req)
		? "seal every row of these cases anew, under new case keys, "
		  "in a new file"
		: "copy what there is into a new file, without the old bytes");
}

/* One is enough; newest first: who looks for what should not be there. */
static void
say_who_renews(struct rpc_ctx *ctx)
{
	const size_t n = rows_slots(ctx->reg->rows);
	const char *line;
	size_t i;

	for (i = 0; i < n && i < SLOTS_SAID; i++) {
		line = slots_say_line(ctx, n - 1 - i);
		say(ctx,
		    line == NULL
			? NULL
			: cdop_arena_printf(ctx->arena,
			      "whoever has this makes the new root: %s", line));
	}
	if (n > SLOTS_SAID)
		say(ctx, "and more slots: cdop custodian list");
}

/* What is said of a root that somebody had: who is needed, what is left. */
static void
say_renewal(struct rpc_ctx *ctx)
{
	const struct rows *rows = ctx->reg->rows;

	say(ctx,
	    "COMPROMISED: wait at most 72 hours until cdopd renew-root is run "
	    "on the host, with the daemon stopped and the holders of slots "
	    "there");
	say(ctx,
	    cdop_arena_printf(ctx->arena,
		"which makes new slots, of kinds and k of n that whoever runs "
		"it chooses (the log says which): none of the %zu that there "
		"are opens the registry then, nor any share that was given "
		"out",
		rows_slots(rows)));
	say_who_renews(ctx);
	say(ctx,
	    "make a new root, new keys for heads, digest, registry, log, "
	    "searches, every area and every case, and seal every row anew in "
	    "a new file");
	say(ctx,
	    "what the root showed stays known: afterwards cdop key rotate "
	    "--link and --log, and each device turns its key");
}

static void
say_rotate(struct rpc_ctx *ctx, const Cdop__KeyRotateRequest *req)
{
	if (rotation_waits(ctx->reg->rotation))
		say(ctx,
		    "give up the new root that waits for the holders of slots");
	if (req->what != CDOP__KEY_WHAT__KEY_ROOT)
		say_areas(ctx, req);
	else if (is_compromised(req))
		say_renewal(ctx);
	else
		say_root(ctx);
	say(ctx, cdop_arena_printf(ctx->arena, "reason: %s", req->reason));
}

enum cdop_err
rpc_key_rotate(struct rpc_ctx *ctx, const Cdop__KeyRotateRequest *req,
    Cdop__KeyRotateReply *rep)
{
	const struct rotation_new new = {
	    .what = req->what,
	    .area = req->area,
	    .n_area = req->n_area,
	    .reason = req->reason,
	    .reseal = reseals(req),
	    .compromised = is_compromised(req),
	    .requester = ctx->actor->person,
	    .approver = ctx->second_person,
	    .now_ms = ctx->now_ms,
	};
	uint8_t target[32];
	enum cdop_err err;

	if (ctx->replay != NULL)
		return CDOP_OK;
	if ((err = rpc_reason_check(ctx, req->reason, "it needs a reason")) !=
	    CDOP_OK)
		return err;
	if (req->what == CDOP__KEY_WHAT__KEY_LINK ||
	    req->what == CDOP__KEY_WHAT__KEY_LINK_TURN)
		return rpc_key_link(ctx, req);
	if ((err = check_rotate(ctx, req)) != CDOP_OK)
		return err;
	say_rotate(ctx, req);
	rotation_target(ctx->reg->rotation, &new, target);
	if (!rpc_second_may_apply(ctx, target))
		return CDOP_OK;
	err =
	    rotation_begin(ctx->reg->rotation, ctx->arena, &new, &rep->number);
	if (err != CDOP_OK)
		return err;
	rep->has_number = true;
	ctx->applied = true;
	return CDOP_OK;
}

/* ---- status ------------------------------------------------------------ */

static char *
name_of(struct rpc_ctx *ctx, uint32_t person)
{
	const struct people_person *found;

	found = people_person(ctx->reg->people, person);
	return found == NULL ? NULL : (char *)(uintptr_t)found->name;
}

static enum cdop_err
fill_rotation(struct rpc_ctx *ctx, const struct rotation_job *job,
    Cdop__KeyRotation **ret_out)
{
	Cdop__StoredRotation *stored;
	Cdop__KeyRotation *out;
	enum cdop_err err;

	err = rotation_read(ctx->reg->rotation, job, ctx->arena, &stored);
	if (err != CDOP_OK)
		return err;
	out = cdop_arena_alloc(ctx->arena, sizeof(*out));
	if (out == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop__key_rotation__init(out);
	out->number = stored->number;
	out->what = stored->what;
	out->area = stored->area;
	out->n_area = stored->n_area;
	out->phase = stored->phase;
	out->reason = stored->reason;
	out->requester = stored->requester;
	out->approver = stored->approver;
	out->requester_name = name_of(ctx, stored->requester);
	out->approver_name = name_of(ctx, stored->approver);
	out->started_ms = stored->started_ms;
	out->has_ended_ms = stored->has_ended_ms;
	out->ended_ms = stored->ended_ms;
	out->paused = job == rotation_running(ctx->reg->rotation) &&
	    rotation_is_held(ctx->reg->rotation);
	out->has_paused = out->paused;
	out->has_total = stored->has_total;
	out->total = stored->total;
	out->destroyed = stored->destroyed;
	out->n_destroyed = stored->n_destroyed;
	out->has_reseal = stored->has_reseal;
	out->reseal = stored->reseal;
	out->has_rows = stored->has_rows;
	out->rows = stored->rows;
	out->has_compromised = stored->has_compromised;
	out->compromised = stored->compromised;
	out->has_until_ms = stored->has_until_ms;
	out->until_ms = stored->until_ms;
	out->has_given_up = stored->has_given_up;
	out->given_up = stored->given_up;
	out->census = stored->census;
	out->n_census = stored->n_census;
	*ret_out = out;
	return CDOP_OK;
}

static void
fill_progress(struct rpc_ctx *ctx, Cdop__KeyRotation *out)
{
	const struct rotation_step_progress progress =
	    rotation_step_progress(ctx->reg->rotation, ctx->now_ms);

	out->has_rows_total = progress.rows_total > 0;
	out->rows_total = progress.rows_total;
	out->has_rows_done = out->has_rows_total;
	out->rows_done = progress.rows_done;
	if (progress.verifies)
		out->phase = CDOP__KEY_PHASE__KEY_VERIFY;
	out->has_done = out->has_total;
	out->done = progress.done;
	out->has_per_second = progress.per_s > 0;
	out->per_second = progress.per_s;
	out->has_left_s = progress.per_s > 0;
	out->left_s = progress.left_s;
	out->has_stalled = rotation_is_stalled(ctx->reg->rotation);
	out->stalled = out->has_stalled;
}

static enum cdop_err
fill_past(struct rpc_ctx *ctx, Cdop__KeyStatusReply *rep)
{
	const struct rotation_job *job;
	enum cdop_err err;
	size_t i;

	rep->past = cdop_arena_calloc(ctx->arena, PAST_MAX, sizeof(*rep->past));
	if (rep->past == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; rep->n_past < PAST_MAX; i++) {
		job = rotation_at(ctx->reg->rotation, i);
		if (job == NULL)
			break;
		if (job == rotation_running(ctx->reg->rotation))
			continue;
		err = fill_rotation(ctx, job, &rep->past[rep->n_past]);
		if (err != CDOP_OK)
			return err;
		rep->n_past++;
	}
	return CDOP_OK;
}

static enum cdop_err
fill_epochs(struct rpc_ctx *ctx, Cdop__KeyStatusReply *rep)
{
	const struct rows *rows = ctx->reg->rows;
	struct rows_rewrap_epoch epoch;
	Cdop__KeyEpoch *out;
	size_t i, n = 0;

	while (rows_rewrap_epoch(rows, n, &epoch))
		n++;
	rep->epoch = cdop_arena_calloc(ctx->arena, n, sizeof(*rep->epoch));
	out = cdop_arena_calloc(ctx->arena, n, sizeof(*out));
	if (rep->epoch == NULL || out == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; rows_rewrap_epoch(rows, i, &epoch); i++) {
		/* Destroyed in this batch: it is held until it is sure. */
		if (epoch.scope == 0)
			continue;
		cdop__key_epoch__init(out);
		out->key = epoch.key;
		out->scope = (char *)(uintptr_t)schema_scope_name(epoch.scope);
		out->newest = epoch.newest;
		if (epoch.scope == SCHEMA_AREA) {
			out->area = (char *)(uintptr_t)epoch.area;
			out->has_case_keys = true;
			out->case_keys = epoch.wraps;
		}
		rep->epoch[rep->n_epoch++] = out++;
	}
	return CDOP_OK;
}

enum cdop_err
rpc_key_status(struct rpc_ctx *ctx, const Cdop__KeyStatusRequest *req,
    Cdop__KeyStatusReply *rep)
{
	const struct rotation_job *job = rotation_running(ctx->reg->rotation);
	enum cdop_err err;

	(void)req;
	if (job != NULL) {
		if ((err = fill_rotation(ctx, job, &rep->running)) != CDOP_OK)
			return err;
		fill_progress(ctx, rep->running);
	}
	if ((err = fill_past(ctx, rep)) != CDOP_OK ||
	    (err = rpc_key_link_status(ctx, &rep->link)) != CDOP_OK)
		return err;
	return fill_epochs(ctx, rep);
}

/* ---- pause ------------------------------------------------------------- */

static enum cdop_err
set_paused(struct rpc_ctx *ctx, bool paused, Cdop__KeyPauseReply *rep)
{
	const struct rotation_job *job = rotation_running(ctx->reg->rotation);
	enum cdop_err err;

	if (ctx->replay != NULL) {
		rep->number = ctx->replay->number;
		rep->paused = paused;
		return CDOP_OK;
	}
	if (job == NULL || rotation_waits(ctx->reg->rotation))
		return rpc_fail(ctx, CDOP_FAILED_PRECONDITION, "no_rotation",
		    "no keys are being turned");
	err =
	    rotation_pause(ctx->reg->rotation, ctx->arena, paused, ctx->now_ms);
	if (err == CDOP_RESOURCE_EXHAUSTED && paused)
		return rpc_fail(ctx, CDOP_FAILED_PRECONDITION, "held_enough",
		    "it was held for a day in all, and goes on: erasures and "
		    "other turns wait for it");
	if (err != CDOP_OK)
		return err;
	ctx->applied = true;
	ctx->out_number = job->number;
	rep->number = job->number;
	rep->paused = paused;
	return CDOP_OK;
}

enum cdop_err
rpc_key_pause(struct rpc_ctx *ctx, const Cdop__KeyPauseRequest *req,
    Cdop__KeyPauseReply *rep)
{
	if (req->reason != NULL &&
	    cdop_text_length(req->reason) > CDOP_REASON_MAX) {
		rpc_violation(ctx, "reason", "text_long", CDOP__SEVERITY__ERROR,
		    "why, in at most 500 characters");
		return rpc_fail(ctx, CDOP_INVALID_ARGUMENT, "text_long",
		    "a reason has at most 500 characters");
	}
	return set_paused(ctx, true, rep);
}

enum cdop_err
rpc_key_resume(struct rpc_ctx *ctx, const Cdop__KeyPauseRequest *req,
    Cdop__KeyPauseReply *rep)
{
	(void)req;
	return set_paused(ctx, false, rep);
}
