/*
 * What a new profile would change, in words for the two people who decide.
 *
 * What is gone or has been given another meaning is a refusal: the past has
 * to stay readable under the ids it was written with.
 */
#include <stdio.h>
#include <string.h>

#include "proto/profile_inner.h"

struct words {
	const char **line;
	size_t n;
	size_t cap;
};

struct differ {
	struct cdop_arena *arena;
	struct words changes;
	struct words refusals;
	enum cdop_err err; /* sticky */
};

static void
add(struct differ *d, struct words *words, const char *line)
{
	const char **lines;

	if (line == NULL)
		d->err = CDOP_RESOURCE_EXHAUSTED;
	if (d->err != CDOP_OK)
		return;
	if (words->n == words->cap) {
		lines = cdop_arena_calloc(
		    d->arena, words->cap * 2 + 16, sizeof(*lines));
		if (lines == NULL) {
			d->err = CDOP_RESOURCE_EXHAUSTED;
			return;
		}
		if (words->n > 0)
			memcpy(lines, words->line, words->n * sizeof(*lines));
		words->line = lines;
		words->cap = words->cap * 2 + 16;
	}
	words->line[words->n++] = line;
}

static void
change(struct differ *d, const char *what, const char *id, const char *name)
{
	add(d, &d->changes,
	    cdop_arena_printf(d->arena, "%s %s: %s", what, id, name));
}

static void
refusal(struct differ *d, const char *what, const char *id, const char *why)
{
	add(d, &d->refusals,
	    cdop_arena_printf(d->arena, "%s %s: %s", what, id, why));
}

/* key of a thing, "old" -> "new" */
static void
text(struct differ *d, const char *what, const char *key, const char *old,
    const char *new)
{
	if (strcmp(old, new) != 0)
		add(d, &d->changes,
		    cdop_arena_printf(d->arena, "%s: %s from '%s' to '%s'",
			what, key, old, new));
}

static void
number(struct differ *d, const char *what, const char *key, uint32_t old,
    uint32_t new)
{
	char a[16];
	char b[16];

	(void)snprintf(a, sizeof(a), "%u", (unsigned)old);
	(void)snprintf(b, sizeof(b), "%u", (unsigned)new);
	text(d, what, key, a, b);
}

static void
yes_no(struct differ *d, const char *what, const char *key, bool old, bool new)
{
	text(d, what, key, old ? "yes" : "no", new ? "yes" : "no");
}

static void
day(struct differ *d, const char *what, const char *key, int32_t old,
    int32_t new)
{
	char words[2][CDOP_DATE_TEXT_MAX] = {"always", "always"};
	const int32_t days[2] = {old, new};
	struct cdop_date date;
	size_t i;

	for (i = 0; i < 2; i++) {
		if (days[i] == CDOP_PROFILE_ALWAYS ||
		    days[i] == CDOP_PROFILE_EVER) {
			(void)snprintf(
			    words[i], sizeof(words[i]), "%s", "open");
			continue;
		}
		date = cdop_date_from_days(days[i]);
		cdop_date_write(&date, words[i]);
	}
	text(d, what, key, words[0], words[1]);
}

static void
span(struct differ *d, const char *what, struct cdop_span old,
    struct cdop_span new)
{
	day(d, what, "from", old.first, new.first);
	day(d, what, "until", old.last, new.last);
}

static const char *
label(struct differ *d, const char *what, const char *id)
{
	const char *words = cdop_arena_printf(d->arena, "%s %s", what, id);

	if (words == NULL)
		d->err = CDOP_RESOURCE_EXHAUSTED;
	return words == NULL ? "" : words;
}

/* ---- areas, neighbours, agencies --------------------------------------- */

static void
area(struct differ *d, const struct cdop_area *old, const struct cdop_area *new)
{
	const char *what = label(d, "area", old->id);

	/* An id that means another place re-maps who sees what. */
	if (strcmp(old->code, new->code) != 0 && *old->code != '\0' &&
	    strcmp(old->name, new->name) != 0)
		refusal(d, "area", old->id,
		    "another code and another name: this is another area; end "
		    "this one and give the other its own id");
	if (old->holding != new->holding)
		refusal(
		    d, "area", old->id, "the holding area cannot be changed");
	text(d, what, "code", old->code, new->code);
	text(d, what, "name", old->name, new->name);
	text(d, what, "jurisdiction", old->jurisdiction, new->jurisdiction);
	text(d, what, "calendar", old->calendar, new->calendar);
	text(d, what, "time_zone", old->time_zone, new->time_zone);
	text(d, what, "legal_basis", old->legal_basis, new->legal_basis);
	text(d, what, "review_basis", old->review_basis, new->review_basis);
	text(d, what, "commissioner", old->commissioner, new->commissioner);
	text(d, what, "contact", old->contact, new->contact);
	text(d, what, "phone", old->phone, new->phone);
	text(d, what, "email", old->email, new->email);
	yes_no(d, what, "national_return", old->national_return,
	    new->national_return);
	span(d, what, old->when, new->when);
}

static void
areas(struct differ *d, const struct cdop_profile *old,
    const struct cdop_profile *new)
{
	const struct cdop_area *other;
	size_t i;

	for (i = 0; i < old->n_area; i++) {
		other = cdop_profile_area(new, old->area[i].id);
		if (other != NULL)
			area(d, &old->area[i], other);
		else
			refusal(d, "area", old->area[i].id,
			    "deleted: give it an until date instead");
	}
	for (i = 0; i < new->n_area; i++) {
		if (cdop_profile_area(old, new->area[i].id) != NULL)
			continue;
		if (cdop_profile_neighbour(old, new->area[i].id) != NULL)
			refusal(d, "area", new->area[i].id,
			    "the id of a neighbour is used again");
		change(d, "new area", new->area[i].id, new->area[i].name);
	}
}

static void
neighbours(struct differ *d, const struct cdop_profile *old,
    const struct cdop_profile *new)
{
	const struct cdop_neighbour *a;
	const struct cdop_neighbour *b;
	const char *what;
	size_t i;

	for (i = 0; i < old->n_neighbour; i++) {
		a = &old->neighbour[i];
		b = cdop_profile_neighbour(new, a->id);
		if (b == NULL) {
			refusal(d, "neighbour", a->id,
			    "deleted: give it an until date instead");
			continue;
		}
		what = label(d, "neighbour", a->id);
		if (strcmp(a->code, b->code) != 0 && *a->code != '\0' &&
		    strcmp(a->name, b->name) != 0)
			refusal(d, "neighbour", a->id,
			    "another code and another name: end this one and "
			    "give the other its own id");
		text(d, what, "code", a->code, b->code);
		text(d, what, "name", a->name, b->name);
		text(d, what, "panel", a->panel, b->panel);
		text(d, what, "phone", a->phone, b->phone);
		text(d, what, "email", a->email, b->email);
		span(d, what, a->when, b->when);
	}
	for (i = 0; i < new->n_neighbour; i++) {
		b = &new->neighbour[i];
		if (cdop_profile_area(old, b->id) != NULL)
			refusal(d, "neighbour", b->id,
			    "the id of an area is used again");
		if (cdop_profile_neighbour(old, b->id) == NULL)
			change(d, "new neighbour", b->id, b->name);
	}
}

static void
agencies(struct differ *d, const struct cdop_profile *old,
    const struct cdop_profile *new)
{
	const struct cdop_agency *a;
	const struct cdop_agency *b;
	const char *what;
	size_t i;

	for (i = 0; i < old->n_agency; i++) {
		a = &old->agency[i];
		b = cdop_profile_agency(new, a->id);
		if (b == NULL) {
			refusal(d, "agency", a->id,
			    "deleted: give it an until date instead");
			continue;
		}
		what = label(d, "agency", a->id);
		if (strcmp(a->code, b->code) != 0 &&
		    strcmp(a->name, b->name) != 0)
			refusal(d, "agency", a->id,
			    "another code and another name: end this one and "
			    "give the other its own id");
		text(d, what, "code", a->code, b->code);
		text(d, what, "name", a->name, b->name);
		text(d, what, "kind", a->kind, b->kind);
		text(d, what, "phone", a->phone, b->phone);
		text(d, what, "email", a->email, b->email);
		span(d, what, a->when, b->when);
	}
	for (i = 0; i < new->n_agency; i++) {
		b = &new->agency[i];
		if (cdop_profile_agency(old, b->id) == NULL)
			change(d, "new agency", b->id, b->name);
	}
}

/* ---- code lists -------------------------------------------------------- */

/* The row of a list with this code that began on the same day. */
static const struct cdop_code *
same_row(const struct cdop_code_list *list, const struct cdop_code *code)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (strcmp(list->code[i].code, code->code) == 0 &&
		    list->code[i].when.first == code->when.first)
			return &list->code[i];
	}
	return NULL;
}

static void
code(struct differ *d, const char *list, const struct cdop_code *old,
    const struct cdop_code *new)
{
	const char *what =
	    cdop_arena_printf(d->arena, "list %s, code %s", list, old->code);

	if (what == NULL) {
		d->err = CDOP_RESOURCE_EXHAUSTED;
		return;
	}
	if (old->means != new->means)
		refusal(d, "list", what,
		    "means something else: end this row "
		    "and begin another");
	text(d, what, "label", old->label, new->label);
	text(d, what, "form set", old->form_set, new->form_set);
	text(d, what, "default", old->default_for, new->default_for);
	number(d, what, "flags", old->flags, new->flags);
	span(d, what, old->when, new->when);
}

static void
list(struct differ *d, const struct cdop_code_list *old,
    const struct cdop_code_list *new)
{
	const struct cdop_code *row;
	const char *what = label(d, "list", old->name);
	size_t i;

	for (i = 0; i < old->n; i++) {
		row = same_row(new, &old->code[i]);
		if (row != NULL)
			code(d, old->name, &old->code[i], row);
		else
			refusal(d, what, old->code[i].code,
			    "deleted, or its from date changed: give the row "
			    "an until date instead");
	}
	for (i = 0; i < new->n; i++) {
		if (same_row(old, &new->code[i]) == NULL)
			change(d, what, new->code[i].code, new->code[i].label);
	}
}

static void
lists(struct differ *d, const struct cdop_profile *old,
    const struct cdop_profile *new)
{
	const struct cdop_code_list *other;
	size_t i;

	for (i = 0; i < old->n_list; i++) {
		other = cdop_profile_list(new, old->list[i].name);
		if (other != NULL)
			list(d, &old->list[i], other);
		else
			refusal(d, "list", old->list[i].name,
			    "deleted: end its codes instead");
	}
	for (i = 0; i < new->n_list; i++) {
		if (cdop_profile_list(old, new->list[i].name) == NULL)
			change(
			    d, "new list", new->list[i].name, "with its codes");
	}
}

/*
 * Who looks at a case or at the log says why, by one of these: without any
 * nobody could.  Not asked of the file alone, as one that is in force may be
 * without.
 */
static void
purposes(struct differ *d, const struct cdop_profile *new)
{
	const struct cdop_code_list *codes;
	size_t i;

	codes = cdop_profile_list(new, "purpose");
	for (i = 0; codes != NULL && i < codes->n; i++)
		if (codes->code[i].when.last == CDOP_PROFILE_EVER)
			return;
	refusal(d, "list", "purpose",
	    "each of its codes ends: nobody could say why he looks at a case");
}

/* Not asked of the file alone either. */
static void
names(struct differ *d, const struct cdop_profile *new)
{
	const char *words;

	if (cdop_profile_names(new, d->arena, &words) != CDOP_OK)
		d->err = CDOP_RESOURCE_EXHAUSTED;
	else if (words != NULL)
		add(d, &d->refusals, words);
}

/* ---- the rest ---------------------------------------------------------- */

static void
panel(struct differ *d, const struct cdop_profile *old,
    const struct cdop_profile *new)
{
	text(d, "panel", "name", old->panel_name, new->panel_name);
	text(d, "panel", "office_phone", old->office_phone, new->office_phone);
	text(d, "panel", "office_email", old->office_email, new->office_email);
	text(d, "panel", "technical_contact", old->technical_contact,
	    new->technical_contact);
	text(d, "panel", "form_set", old->form_set, new->form_set);
	number(d, "limits", "notify_asked_hours", old->notify_asked_hours,
	    new->notify_asked_hours);
	number(d, "limits", "notify_limit_hours", old->notify_limit_hours,
	    new->notify_limit_hours);
	number(
	    d, "limits", "asks_per_day", old->asks_per_day, new->asks_per_day);
	number(
	    d, "limits", "find_minimum", old->find_minimum, new->find_minimum);
	number(d, "limits", "find_results_max", old->find_results_max,
	    new->find_results_max);
	number(d, "limits", "search_retention_days", old->search_retention_days,
	    new->search_retention_days);
	number(d, "limits", "spool_days", old->spool_days, new->spool_days);
	number(d, "limits", "reference_misses_per_hour",
	    old->reference_misses_per_hour, new->reference_misses_per_hour);
	text(d, "limits", "feb29", old->feb29_early ? "28-february" : "1-march",
	    new->feb29_early ? "28-february" : "1-march");
}

/* Hints say nothing about the past: they come and go. */
static void
hints(struct differ *d, const struct cdop_profile *from,
    const struct cdop_profile *to, const char *what)
{
	size_t i;
	size_t k;

	for (i = 0; i < to->n_hint; i++) {
		for (k = 0; k < from->n_hint; k++) {
			if (strcmp(from->hint[k].prefix, to->hint[i].prefix) ==
				0 &&
			    strcmp(from->hint[k].area, to->hint[i].area) == 0)
				break;
		}
		if (k == from->n_hint)
			change(d, what, to->hint[i].prefix, to->hint[i].area);
	}
}

enum cdop_err
cdop_profile_diff(const struct cdop_profile *old,
    const struct cdop_profile *new, struct cdop_arena *arena,
    struct cdop_profile_diff *ret_diff)
{
	struct differ d = {.arena = arena};

	panel(&d, old, new);
	areas(&d, old, new);
	neighbours(&d, old, new);
	agencies(&d, old, new);
	lists(&d, old, new);
	purposes(&d, new);
	names(&d, new);
	hints(&d, old, new, "new postcode hint");
	hints(&d, new, old, "no more postcode hint");
	if (d.err != CDOP_OK)
		return d.err;
	*ret_diff = (struct cdop_profile_diff){.change = d.changes.line,
	    .n_change = d.changes.n,
	    .refusal = d.refusals.line,
	    .n_refusal = d.refusals.n};
	return CDOP_OK;
}
