/* What has to hold across the sections of a profile. */
#include <string.h>

#include "cdop/fields.h"
#include "proto/profile_inner.h"

struct checker {
	const struct cdop_profile *profile;
	const struct profile_lines *lines;
	struct cdop_arena *arena;
	struct cdop_profile_error *error;
};

static enum cdop_err
refuse(struct checker *c, unsigned line, const char *name, const char *what)
{
	c->error->line = line;
	c->error->text = cdop_arena_printf(c->arena, "%s%s%s",
	    name == NULL ? "" : name, name == NULL ? "" : ": ", what);
	return c->error->text == NULL ? CDOP_RESOURCE_EXHAUSTED
				      : CDOP_INVALID_ARGUMENT;
}

/* Is a value of kind AREA already spoken for by an earlier place? */
static bool
is_taken(const struct cdop_profile *p, const char *id, size_t areas,
    size_t neighbours)
{
	size_t i;

	for (i = 0; i < areas; i++) {
		if (strcmp(p->area[i].id, id) == 0)
			return true;
	}
	for (i = 0; i < neighbours; i++) {
		if (strcmp(p->neighbour[i].id, id) == 0)
			return true;
	}
	return false;
}

static bool
is_basis(const struct cdop_profile *p, const char *code)
{
	const struct cdop_code *row;

	if (*code == '\0')
		return true;
	row = cdop_profile_code(p, "review_basis", code, CDOP_PROFILE_EVER);
	return row != NULL && row->means == CDOP_CODE_VALUE;
}

static enum cdop_err
check_areas(struct checker *c)
{
	const struct cdop_profile *p = c->profile;
	size_t holding = 0;
	size_t i;

	for (i = 0; i < p->n_area; i++) {
		if (is_taken(p, p->area[i].id, i, 0))
			return refuse(c, c->lines->area[i], p->area[i].id,
			    "the id stands twice");
		if (p->area[i].when.first > p->area[i].when.last)
			return refuse(c, c->lines->area[i], p->area[i].id,
			    "until is before from");
		if (!is_basis(p, p->area[i].review_basis))
			return refuse(c, c->lines->area[i], p->area[i].id,
			    "its review_basis is no code of that list");
		if (!p->area[i].holding)
			continue;
		holding++;
		if (p->area[i].when.last != CDOP_PROFILE_EVER)
			return refuse(c, c->lines->area[i], p->area[i].id,
			    "the holding area cannot end");
	}
	if (holding != 1)
		return refuse(
		    c, 0, NULL, "exactly one area has to say holding = yes");
	for (i = 0; i < p->n_neighbour; i++) {
		if (is_taken(p, p->neighbour[i].id, p->n_area, i))
			return refuse(c, c->lines->neighbour[i],
			    p->neighbour[i].id, "the id stands twice");
		if (p->neighbour[i].when.first > p->neighbour[i].when.last)
			return refuse(c, c->lines->neighbour[i],
			    p->neighbour[i].id, "until is before from");
	}
	return CDOP_OK;
}

static enum cdop_err
check_agencies(struct checker *c)
{
	const struct cdop_profile *p = c->profile;
	const struct cdop_agency *agency;
	size_t i;
	size_t k;

	for (i = 0; i < p->n_agency; i++) {
		agency = &p->agency[i];
		for (k = 0; k < i; k++) {
			if (strcmp(p->agency[k].id, agency->id) == 0)
				return refuse(c, c->lines->agency[i],
				    agency->id, "the id stands twice");
		}
		if (agency->when.first > agency->when.last)
			return refuse(c, c->lines->agency[i], agency->id,
			    "until is before from");
		if (cdop_profile_code(p, "agency_kind", agency->kind,
			CDOP_PROFILE_EVER) == NULL)
			return refuse(c, c->lines->agency[i], agency->id,
			    "its kind is no code of the list agency_kind");
	}
	return CDOP_OK;
}

/* ---- lists ------------------------------------------------------------- */

/* Two rows of one code, or two defaults of one command, on one day. */
static bool
clashes(const struct cdop_code *a, const struct cdop_code *b)
{
	if (!cdop_span_meets(a->when, b->when))
		return false;
	if (strcmp(a->code, b->code) == 0)
		return true;
	return *a->default_for != '\0' &&
	    strcmp(a->default_for, b->default_for) == 0;
}

static enum cdop_err
check_list(struct checker *c, size_t at)
{
	const struct cdop_code_list *list = &c->profile->list[at];
	unsigned line = c->lines->list[at];
	size_t i;
	size_t k;

	for (i = 0; i < at; i++) {
		if (strcmp(c->profile->list[i].name, list->name) == 0)
			return refuse(
			    c, line, list->name, "the list stands twice");
	}
	for (i = 0; i < list->n; i++) {
		if (list->code[i].when.first > list->code[i].when.last)
			return refuse(c, line, list->code[i].code,
			    "until is before from");
		for (k = 0; k < i; k++) {
			if (clashes(&list->code[k], &list->code[i]))
				return refuse(c, line, list->code[i].code,
				    "two rows hold on the same day");
		}
	}
	return CDOP_OK;
}

static enum cdop_err
check_lists(struct checker *c)
{
	static const char *const wanted[] = {
	    "purpose", "agency_kind", "area_other"};
	const struct cdop_code_list *other;
	enum cdop_err err;
	size_t i;

	for (i = 0; i < c->profile->n_list; i++) {
		if ((err = check_list(c, i)) != CDOP_OK)
			return err;
	}
	for (i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		if (cdop_profile_list(c->profile, wanted[i]) == NULL)
			return refuse(
			    c, 0, wanted[i], "this list has to be there");
	}
	for (i = 0; i < cdop_fields_count; i++) {
		if (cdop_fields[i].list != NULL &&
		    cdop_profile_list(c->profile, cdop_fields[i].list) == NULL)
			return refuse(c, 0, cdop_fields[i].list,
			    "this list has to be there: the forms use it");
	}
	/* One value, one place. */
	other = cdop_profile_list(c->profile, "area_other");
	for (i = 0; other != NULL && i < other->n; i++) {
		if (is_taken(c->profile, other->code[i].code,
			c->profile->n_area, c->profile->n_neighbour))
			return refuse(c, 0, other->code[i].code,
			    "a code of area_other is also an area's id");
	}
	return CDOP_OK;
}

static enum cdop_err
check_hints(struct checker *c)
{
	size_t i;

	for (i = 0; i < c->profile->n_hint; i++) {
		if (cdop_profile_area(c->profile, c->profile->hint[i].area) ==
		    NULL)
			return refuse(c, c->lines->hint[i],
			    c->profile->hint[i].area,
			    "no area of this profile");
	}
	return CDOP_OK;
}

enum cdop_err
cdop_profile_check(const struct cdop_profile *profile,
    const struct profile_lines *lines, struct cdop_arena *arena,
    struct cdop_profile_error *ret_error)
{
	struct checker c = {.profile = profile,
	    .lines = lines,
	    .arena = arena,
	    .error = ret_error};
	enum cdop_err err;

	if (profile->notify_asked_hours > profile->notify_limit_hours)
		return refuse(&c, 0, "notify_limit_hours",
		    "is shorter than notify_asked_hours");
	/* Lists first: agencies look into one. */
	if ((err = check_lists(&c)) != CDOP_OK)
		return err;
	if ((err = check_areas(&c)) != CDOP_OK)
		return err;
	if ((err = check_agencies(&c)) != CDOP_OK)
		return err;
	return check_hints(&c);
}
