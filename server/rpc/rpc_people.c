/*
 * Suspend, resume, revoke and change a person or one of their devices.
 */
#include <string.h>

#include "cdop/fields.h"
#include "cdop/limits.h"
#include "cdop/role.h"
#include "cdop/text.h"
#include "server/registry/actor.h"
#include "server/registry/cases_owner.h"
#include "server/registry/people_change.h"
#include "server/registry/registry.h"
#include "server/rpc/rpc_case.h"
#include "server/rpc/rpc_person.h"

/* ---- what the acts share ----------------------------------------------- */

static void
add_warning(struct rpc_ctx *ctx, Cdop__PersonReply *rep, const char *words)
{
	char **all;
	size_t i;

	all = cdop_arena_calloc(ctx->arena, rep->n_warning + 1, sizeof(*all));
	if (all == NULL)
		return;
	for (i = 0; i < rep->n_warning; i++)
		all[i] = rep->warning[i];
	all[i] = cdop_arena_strdup(ctx->arena, words);
	if (all[i] == NULL)
		return;
	rep->warning = all;
	rep->n_warning++;
}

/* The person as they are now, and what that means for the registry. */
static enum cdop_err
answer(struct rpc_ctx *ctx, uint32_t person, Cdop__PersonReply *rep)
{
	struct people_rule_admins admins;

	people_rule_admins(ctx->reg->people, ctx->now_ms, NULL, &admins);
	if (admins.n < PEOPLE_RULE_ADMINS_MIN)
		add_warning(ctx, rep,
		    "DEGRADED: fewer than two administrators are active; what "
		    "takes two cannot be done (cdopd recover-people)");
	else if (admins.n_held > 0)
		add_warning(ctx, rep,
		    "an administrator's access has ended and goes on only "
		    "until a replacement is active");
	return rpc_person_fill(ctx, person, &rep->person);
}

/* An act that was done: what dispatch has to know of it. */
static enum cdop_err
done(
    struct rpc_ctx *ctx, const struct people_whom *whom, Cdop__PersonReply *rep)
{
	ctx->applied = true;
	ctx->subject_person = whom->person;
	ctx->out_number = whom->person;
	return answer(ctx, whom->person, rep);
}

/* device 7 "laptop" of person 3 "Ann", or person 3 "Ann" */
static const char *
whom_words(struct rpc_ctx *ctx, const struct people_whom *whom)
{
	const struct people_device *device;
	const char *words;

	device = people_device(ctx->reg->people, whom->device);
	if (device == NULL)
		words = cdop_arena_printf(ctx->arena, "person %s",
		    rpc_person_name(ctx, whom->person));
	else
		words = cdop_arena_printf(ctx->arena,
		    "device %u \"%s\" of person %s", device->number,
		    device->label, rpc_person_name(ctx, whom->person));
	return words != NULL ? words : "";
}

/* What was typed is cleaned for it: these words decide what is approved. */
static void
say(struct rpc_ctx *ctx, const char *what, const char *value)
{
	enum cdop_text_fault fault;
	const char *clean, *words;

	if (cdop_text_clean(
		value, CDOP_TEXT_LINE, ctx->arena, &clean, &fault) != CDOP_OK)
		clean = "?";
	words = cdop_arena_printf(ctx->arena, "%s %s", what, clean);
	rpc_second_words(ctx, words != NULL ? words : what);
}

static const char *
grants_words(struct rpc_ctx *ctx, const struct people_grant *grants, size_t n)
{
	const char *words = "", *more;
	size_t i;

	for (i = 0; i < n; i++) {
		more = cdop_arena_printf(ctx->arena, "%s%s%s%s%s%s%s", words,
		    i > 0 ? ", " : "",
		    rpc_person_roles(ctx, 1u << (grants[i].role & 31)),
		    grants[i].from_ms != 0 ? " from " : "",
		    grants[i].from_ms != 0
			? rpc_person_day(ctx, grants[i].from_ms)
			: "",
		    grants[i].until_ms != UINT64_MAX ? " until " : "",
		    grants[i].until_ms != UINT64_MAX
			? rpc_person_last_day(ctx, grants[i].until_ms)
			: "");
		if (more == NULL)
			break;
		words = more;
	}
	return *words != '\0' ? words : "none";
}

static const char *
areas_words(struct rpc_ctx *ctx, char *const *areas, size_t n)
{
	const char *words = "", *more;
	size_t i;

	for (i = 0; i < n; i++) {
		more = cdop_arena_printf(
		    ctx->arena, "%s%s%s", words, i > 0 ? ", " : "", areas[i]);
		if (more == NULL)
			break;
		words = more;
	}
	return *words != '\0' ? words : "none";
}

/* The roles of a person that have not ended, for whoever approves. */
static void
say_roles(struct rpc_ctx *ctx, const struct people_person *p)
{
	struct people_grant *grants;
	uint32_t granted;
	size_t i, n = 0;

	granted = people_rule_granted(ctx->reg->people, p, ctx->now_ms);
	grants = cdop_arena_calloc(ctx->arena, p->n_grants, sizeof(*grants));
	for (i = 0; grants != NULL && i < p->n_grants; i++)
		if (p->grants[i].until_ms > ctx->now_ms ||
		    (p->grants[i].role == CDOP__ROLE__ADMINISTRATOR &&
			(granted & CDOP_ROLE_ADMINISTRATOR) != 0))
			grants[n++] = p->grants[i];
	say(ctx,
	    "roles now:", grants != NULL ? grants_words(ctx, grants, n) : "?");
}

/* What the act is bound to.  true: it is to be done now. */
static bool
may_apply(struct rpc_ctx *ctx, uint32_t person)
{
	uint8_t target[32];

	people_rule_target(ctx->reg->people, person, target);
	return rpc_second_may_apply(ctx, target);
}

/* A person, or one device of theirs. */
static struct people_whom
whom_of(uint32_t person, bool has_device, uint32_t device, const char *reason)
{
	return (struct people_whom){
	    .person = person,
	    .device = has_device ? device : 0,
	    .reason = reason,
	};
}

static void
end_sessions(struct rpc_ctx *ctx, const struct people_whom *whom)
{
	if (whom->device != 0)
		ctx->end_device = whom->device;
	else
		ctx->end_person = whom->person;
}

/* ---- suspend and resume ------------------------------------------------ */

enum cdop_err
rpc_suspend(struct rpc_ctx *ctx, const Cdop__SuspendRequest *req,
    Cdop__PersonReply *rep)
{
	const struct people_whom whom =
	    whom_of(req->person, req->has_device, req->device, req->reason);
	struct people_act act;
	enum cdop_err err;

	/* An administrator, or whoever it is about. */
	if ((ctx->actor->roles & CDOP_ROLE_ADMINISTRATOR) == 0 &&
	    ctx->actor->person != req->person)
		return rpc_fail(ctx, CDOP_PERMISSION_DENIED, "role",
		    "an administrator suspends others");
	if (ctx->replay != NULL)
		return answer(ctx, whom.person, rep);
	rpc_person_act(ctx, &act);
	err = people_act_suspend(&act, &whom);
	if (err != CDOP_OK)
		return rpc_person_end(ctx, &act, err);
	end_sessions(ctx, &whom);
	return done(ctx, &whom, rep);
}

enum cdop_err
rpc_resume(
    struct rpc_ctx *ctx, const Cdop__ResumeRequest *req, Cdop__PersonReply *rep)
{
	const struct people_whom whom =
	    whom_of(req->person, req->has_device, req->device, req->reason);
	struct people_act act;
	enum cdop_err err;

	if (ctx->replay != NULL)
		return answer(ctx, whom.person, rep);
	rpc_person_act(ctx, &act);
	act.dry = true;
	err = people_act_resume(&act, &whom);
	if (err != CDOP_OK)
		return rpc_person_end(ctx, &act, err);
	say(ctx, "resume", whom_words(ctx, &whom));
	say_roles(ctx, people_person(ctx->reg->people, whom.person));
	say(ctx, "reason:", req->reason);
	if (!may_apply(ctx, whom.person))
		return CDOP_OK;
	act.dry = false;
	err = people_act_resume(&act, &whom);
	if (err != CDOP_OK)
		return rpc_person_end(ctx, &act, err);
	return done(ctx, &whom, rep);
}

/* ---- revoke ------------------------------------------------------------ */

/*
 * References only, and they stand in the audit row like all that leave; what
 * is said about the person lies under no key of theirs.
 */
static const char *
hand_one(struct rpc_ctx *ctx, struct cases_act *act, uint32_t slot)
{
	const struct index_post *post = index_at(act->index, slot);
	struct rpc_released released = {
	    .reference = cases_reference_text(act, post->case_id),
	    .case_id = post->case_id,
	    .classes = CDOP_CLASS_ADMINISTRATIVE,
	    .owner_area = index_word_text(act->index, post->owner),
	    .jurisdiction = cases_owner_jurisdiction(act, slot),
	};

	if (released.reference != NULL)
		rpc_release(ctx, &released);
	return released.reference;
}

static enum cdop_err
hand_over(
    struct rpc_ctx *ctx, const struct people_whom *whom, Cdop__PersonReply *rep)
{
	uint32_t slot[CDOP_LIST_MAX];
	struct cases_act act;
	const char **references;
	size_t i, n;

	if (whom->device != 0)
		return CDOP_OK;
	references =
	    cdop_arena_calloc(ctx->arena, CDOP_LIST_MAX, sizeof(*references));
	if (references == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	rpc_case_act(ctx, &act);
	n = cases_responsible(
	    ctx->reg->cases, whom->person, slot, CDOP_LIST_MAX);
	if (n > CDOP_LIST_MAX) {
		add_warning(ctx, rep,
		    "more cases than these have no responsible person now: "
		    "cdop case list --handover");
		n = CDOP_LIST_MAX;
	}
	for (i = 0; i < n; i++) {
		references[i] = hand_one(ctx, &act, slot[i]);
		if (references[i] == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
	}
	rep->handover = (char **)(uintptr_t)references;
	rep->n_handover = n;
	return CDOP_OK;
}

enum cdop_err
rpc_person_revoke(
    struct rpc_ctx *ctx, const Cdop__RevokeRequest *req, Cdop__PersonReply *rep)
{
	const struct people_whom whom =
	    whom_of(req->person, req->has_device, req->device, req->reason);
	struct people_act act;
	enum cdop_err err;

	if (ctx->replay != NULL)
		return answer(ctx, whom.person, rep);
	rpc_person_act(ctx, &act);
	err = people_act_revoke(&act, &whom, false);
	if (err != CDOP_OK)
		return rpc_person_end(ctx, &act, err);
	end_sessions(ctx, &whom);
	add_warning(ctx, rep,
	    "what a revoked device keeps sealed and unsent is lost with it");
	if ((err = hand_over(ctx, &whom, rep)) != CDOP_OK)
		return err;
	return done(ctx, &whom, rep);
}

enum cdop_err
rpc_administrator_revoke(
    struct rpc_ctx *ctx, const Cdop__RevokeRequest *req, Cdop__PersonReply *rep)
{
	const struct people_whom whom =
	    whom_of(req->person, req->has_device, req->device, req->reason);
	struct people_act act;
	enum cdop_err err;

	if (ctx->replay != NULL)
		return answer(ctx, whom.person, rep);
	rpc_person_act(ctx, &act);
	act.dry = true;
	err = people_act_revoke(&act, &whom, true);
	if (err != CDOP_OK)
		return rpc_person_end(ctx, &act, err);
	say(ctx, "revoke for ever", whom_words(ctx, &whom));
	say_roles(ctx, people_person(ctx->reg->people, whom.person));
	say(ctx, "reason:", req->reason);
	if (!may_apply(ctx, whom.person))
		return CDOP_OK;
	act.dry = false;
	err = people_act_revoke(&act, &whom, true);
	if (err != CDOP_OK)
		return rpc_person_end(ctx, &act, err);
	end_sessions(ctx, &whom);
	if ((err = hand_over(ctx, &whom, rep)) != CDOP_OK)
		return err;
	return done(ctx, &whom, rep);
}

/* ---- change ------------------------------------------------------------ */

/* What it is now, and what it is to be. */
static void
say_both(struct rpc_ctx *ctx, const char *what, const char *now, const char *to)
{
	const char *words = cdop_arena_printf(ctx->arena,
	    "%s now: %s; from "
	    "now on:",
	    what, *now != '\0' ? now : "none");

	say(ctx, words != NULL ? words : what, *to != '\0' ? to : "none");
}

static void
areas_change(struct rpc_ctx *ctx, const struct people_person *p,
    const struct people_change *change)
{
	bool all = change->all_areas_set ? change->all_areas : p->all_areas;

	say_both(ctx, "areas",
	    p->all_areas ? "all"
			 : areas_words(ctx, (char *const *)(uintptr_t)p->areas,
			       p->n_areas),
	    all ? "all"
		: change->areas_set
		? areas_words(ctx, change->areas, change->n_areas)
		: areas_words(
		      ctx, (char *const *)(uintptr_t)p->areas, p->n_areas));
}

static void
change_words(struct rpc_ctx *ctx, const struct people_whom *whom,
    const struct people_change *change)
{
	const struct people_person *p =
	    people_person(ctx->reg->people, whom->person);

	say(ctx, "change", whom_words(ctx, whom));
	say_roles(ctx, p);
	if (change->name != NULL)
		say(ctx, "name from now on:", change->name);
	if (change->job_title != NULL)
		say_both(ctx, "job title", p->job_title, change->job_title);
	if (change->agency != NULL)
		say_both(ctx, "agency", p->agency, change->agency);
	if (change->areas_set || change->all_areas_set)
		areas_change(ctx, p, change);
	if (change->grants_set)
		say(ctx, "roles from now on:",
		    grants_words(ctx, change->grants, change->n_grants));
	if (change->expiry_set)
		say(ctx, "the device ends on",
		    rpc_person_last_day(ctx, change->device_expires_ms));
	say(ctx, "reason:", whom->reason);
}

static enum cdop_err
read_change(struct rpc_ctx *ctx, const Cdop__PersonChangeRequest *req,
    struct people_change *change)
{
	memset(change, 0, sizeof(*change));
	change->name = req->name;
	change->job_title = req->job_title;
	change->agency = req->agency;
	change->areas_set = req->has_areas_set && req->areas_set;
	change->areas = req->area;
	change->n_areas = change->areas_set ? req->n_area : 0;
	change->all_areas_set = req->has_all_areas;
	change->all_areas = req->all_areas;
	change->grants_set = req->has_grants_set && req->grants_set;
	change->n_grants = change->grants_set ? req->n_grant : 0;
	change->expiry_set = req->has_device_expires_ms;
	change->device_expires_ms = req->device_expires_ms;
	/* A list without its flag would be lost without a word. */
	if (req->n_area > 0 && !change->areas_set) {
		rpc_violation(ctx, "areas_set", "flag_needed",
		    CDOP__SEVERITY__ERROR, "set it to change the areas");
		return rpc_fail(ctx, CDOP_INVALID_ARGUMENT, "flag_needed",
		    "areas without areas_set");
	}
	if (req->n_grant > 0 && !change->grants_set) {
		rpc_violation(ctx, "grants_set", "flag_needed",
		    CDOP__SEVERITY__ERROR, "set it to change the roles");
		return rpc_fail(ctx, CDOP_INVALID_ARGUMENT, "flag_needed",
		    "roles without grants_set");
	}
	return rpc_person_grants(
	    ctx, req->grant, change->n_grants, &change->grants);
}

enum cdop_err
rpc_person_change(struct rpc_ctx *ctx, const Cdop__PersonChangeRequest *req,
    Cdop__PersonReply *rep)
{
	const struct people_whom whom =
	    whom_of(req->person, req->has_device, req->device, req->reason);
	struct people_change change;
	struct people_act act;
	enum cdop_err err;

	if (ctx->replay != NULL)
		return answer(ctx, whom.person, rep);
	if ((err = read_change(ctx, req, &change)) != CDOP_OK)
		return err;
	rpc_person_act(ctx, &act);
	act.dry = true;
	err = people_change_apply(&act, &whom, &change);
	if (err != CDOP_OK)
		return rpc_person_end(ctx, &act, err);
	change_words(ctx, &whom, &change);
	if (!may_apply(ctx, whom.person))
		return CDOP_OK;
	act.dry = false;
	err = people_change_apply(&act, &whom, &change);
	if (err != CDOP_OK)
		return rpc_person_end(ctx, &act, err);
	return done(ctx, &whom, rep);
}
