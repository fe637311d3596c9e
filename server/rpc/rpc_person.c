/* Persons on the wire, and words about them. */
#include "server/rpc/rpc_person.h"

#include <string.h>

#include "cdop/date.h"
#include "server/registry/actor.h"
#include "server/registry/cases_time.h"
#include "server/registry/people.h"
#include "server/registry/registry.h"

#define SIMILAR_MAX 10

void
rpc_person_act(struct rpc_ctx *ctx, struct people_act *ret_act)
{
	memset(ret_act, 0, sizeof(*ret_act));
	ret_act->people = ctx->reg->people;
	ret_act->arena = ctx->arena;
	ret_act->person = ctx->actor->person;
	ret_act->device = ctx->actor->device;
	ret_act->now_ms = ctx->now_ms;
}

/* A field of a request as people call it. */
static const char *
field_words(const char *path)
{
	static const char *const words[][2] = {
	    {"grant", "roles"},
	    {"device_expires_ms", "last day of the device"},
	    {"job_title", "job title"},
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(words[i][0], path) == 0)
			return words[i][1];
	return path;
}

enum cdop_err
rpc_person_end(
    struct rpc_ctx *ctx, const struct people_act *act, enum cdop_err err)
{
	const char *message = act->message;

	ctx->kept = act->kept;
	if (err == CDOP_OK || act->reason == NULL)
		return err;
	if (act->path != NULL) {
		rpc_violation(ctx, act->path, act->reason,
		    CDOP__SEVERITY__ERROR, act->message);
		/* "is needed" says nothing by itself. */
		message = cdop_arena_printf(
		    ctx->arena, "%s: %s", field_words(act->path), act->message);
	}
	return rpc_fail(
	    ctx, err, act->reason, message != NULL ? message : act->message);
}

/* ---- words ------------------------------------------------------------- */

const char *
rpc_person_name(struct rpc_ctx *ctx, uint32_t person)
{
	const struct people_person *p;
	const char *words;

	p = people_person(ctx->reg->people, person);
	if (p == NULL)
		return "nobody";
	words = cdop_arena_printf(ctx->arena, "%u \"%s\"", p->number, p->name);
	return words != NULL ? words : "";
}

const char *
rpc_person_roles(struct rpc_ctx *ctx, uint32_t mask)
{
	return people_rule_role_words(ctx->arena, mask);
}

const char *
rpc_person_day(struct rpc_ctx *ctx, uint64_t at_ms)
{
	const struct cdop_area *area = cdop_profile_holding(ctx->reg->profile);
	const bool known = area != NULL && area->time_zone != NULL;
	struct cdop_date date;
	char day[CDOP_DATE_TEXT_MAX];
	const char *words;

	date = cdop_date_from_days(
	    cases_time_day(known ? area->time_zone : "UTC", at_ms));
	cdop_date_write(&date, day);
	words = cdop_arena_strdup(ctx->arena, day);
	return words != NULL ? words : "?";
}

const char *
rpc_person_last_day(struct rpc_ctx *ctx, uint64_t until_ms)
{
	return rpc_person_day(ctx, until_ms > 0 ? until_ms - 1 : 0);
}

/* ---- a person ---------------------------------------------------------- */

static enum cdop_err
fill_grants(
    struct rpc_ctx *ctx, const struct people_person *p, Cdop__Person *out)
{
	Cdop__RoleGrant *grants;
	size_t i;

	grants = cdop_arena_calloc(ctx->arena, p->n_grants, sizeof(*grants));
	out->grant =
	    cdop_arena_calloc(ctx->arena, p->n_grants, sizeof(*out->grant));
	if (grants == NULL || out->grant == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < p->n_grants; i++) {
		cdop__role_grant__init(&grants[i]);
		grants[i].role = (Cdop__Role)p->grants[i].role;
		grants[i].has_from_ms = p->grants[i].from_ms != 0;
		grants[i].from_ms = p->grants[i].from_ms;
		grants[i].has_until_ms = p->grants[i].until_ms != UINT64_MAX;
		grants[i].until_ms = p->grants[i].until_ms;
		out->grant[i] = &grants[i];
	}
	out->n_grant = p->n_grants;
	return CDOP_OK;
}

static enum cdop_err
fill_device(struct rpc_ctx *ctx, const struct people_device *d,
    Cdop__Device **ret_device)
{
	Cdop__Device *out;

	out = cdop_arena_alloc(ctx->arena, sizeof(*out));
	if (out == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop__device__init(out);
	out->number = d->number;
	out->person = d->person;
	out->label = cdop_arena_strdup(ctx->arena, d->label);
	out->state = d->state;
	out->has_expires_ms = d->expires_ms != UINT64_MAX;
	out->expires_ms = d->expires_ms;
	out->has_enrolled_ms = true;
	out->enrolled_ms = d->enrolled_ms;
	out->has_seen_ms = d->seen_ms != 0;
	out->seen_ms = d->seen_ms;
	out->has_fingerprint = true;
	out->fingerprint.len = sizeof(d->fingerprint);
	out->fingerprint.data = (uint8_t *)(uintptr_t)d->fingerprint;
	if (out->label == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	*ret_device = out;
	return CDOP_OK;
}

static enum cdop_err
fill_devices(struct rpc_ctx *ctx, uint32_t person, Cdop__Person *out)
{
	const struct people *people = ctx->reg->people;
	const struct people_device *d;
	size_t n = 0;
	uint32_t i;
	enum cdop_err err;

	for (i = 1; i <= people_last_device(people); i++)
		n += people_device(people, i)->person == person;
	out->device = cdop_arena_calloc(ctx->arena, n, sizeof(*out->device));
	if (out->device == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 1; i <= people_last_device(people); i++) {
		d = people_device(people, i);
		if (d->person != person)
			continue;
		err = fill_device(ctx, d, &out->device[out->n_device]);
		if (err != CDOP_OK)
			return err;
		out->n_device++;
	}
	return CDOP_OK;
}

static char *
text_or_null(struct rpc_ctx *ctx, const char *text)
{
	return *text == '\0' ? NULL : cdop_arena_strdup(ctx->arena, text);
}

enum cdop_err
rpc_person_fill(struct rpc_ctx *ctx, uint32_t person, Cdop__Person **ret_person)
{
	const struct people_person *p;
	Cdop__Person *out;
	enum cdop_err err;
	size_t i;

	p = people_person(ctx->reg->people, person);
	if (p == NULL)
		return CDOP_NOT_FOUND;
	out = cdop_arena_alloc(ctx->arena, sizeof(*out));
	if (out == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop__person__init(out);
	out->number = p->number;
	out->name = cdop_arena_strdup(ctx->arena, p->name);
	out->job_title = text_or_null(ctx, p->job_title);
	out->agency = text_or_null(ctx, p->agency);
	out->area =
	    cdop_arena_calloc(ctx->arena, p->n_areas, sizeof(*out->area));
	if (out->name == NULL || out->area == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < p->n_areas; i++) {
		out->area[i] = cdop_arena_strdup(ctx->arena, p->area[i]);
		if (out->area[i] == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
	}
	out->n_area = p->n_areas;
	out->has_all_areas = p->all_areas;
	out->all_areas = p->all_areas;
	out->state = p->state;
	if ((err = fill_grants(ctx, p, out)) != CDOP_OK)
		return err;
	if ((err = fill_devices(ctx, person, out)) != CDOP_OK)
		return err;
	*ret_person = out;
	return CDOP_OK;
}

size_t
rpc_person_similar(struct rpc_ctx *ctx, uint32_t person, char ***ret_lines)
{
	const struct people *people = ctx->reg->people;
	const struct people_person *p = people_person(people, person);
	uint32_t found[SIMILAR_MAX];
	char **lines;
	size_t i, n;

	if (p == NULL)
		return 0;
	n = people_rule_similar(
	    people, p->name, p->agency, person, found, SIMILAR_MAX);
	lines = cdop_arena_calloc(ctx->arena, n, sizeof(*lines));
	if (lines == NULL)
		return 0;
	for (i = 0; i < n; i++) {
		lines[i] = cdop_arena_printf(ctx->arena, "person %s (%s)",
		    rpc_person_name(ctx, found[i]),
		    rpc_person_roles(ctx,
			people_rule_granted(people,
			    people_person(people, found[i]), ctx->now_ms)));
		if (lines[i] == NULL)
			return 0;
	}
	*ret_lines = lines;
	return n;
}

enum cdop_err
rpc_person_grants(struct rpc_ctx *ctx, Cdop__RoleGrant *const *from, size_t n,
    const struct people_grant **ret_grants)
{
	struct people_grant *grants;
	size_t i;

	grants = cdop_arena_calloc(ctx->arena, n, sizeof(*grants));
	if (grants == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < n; i++) {
		grants[i].role = (uint32_t)from[i]->role;
		grants[i].from_ms = from[i]->has_from_ms ? from[i]->from_ms : 0;
		grants[i].until_ms =
		    from[i]->has_until_ms ? from[i]->until_ms : UINT64_MAX;
	}
	*ret_grants = grants;
	return CDOP_OK;
}
