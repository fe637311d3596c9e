/* Gathering a summary from states and forms. */
#include "server/registry/summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cdop/form.h"

/* Gathers on; the first failure stays. */
struct gather {
	struct cdop_arena *arena;
	const Cdop__Form *form;
	bool failed;
};

Cdop__StoredSummary *
summary_new(struct cdop_arena *arena)
{
	Cdop__StoredSummary *summary;

	summary = cdop_arena_alloc(arena, sizeof(*summary));
	if (summary != NULL)
		cdop__stored_summary__init(summary);
	return summary;
}

static char *
copy(struct gather *g, const char *s)
{
	char *to = cdop_arena_strdup(g->arena, s);

	if (to == NULL)
		g->failed = true;
	return to;
}

/* Puts s in front of the list, unless it is there: then it moves there. */
static void
add(struct gather *g, char ***list, size_t *n, const char *s)
{
	char **more, *text;
	size_t i;

	if (g->failed || s == NULL || *s == '\0')
		return;
	for (i = 0; i < *n; i++)
		if (strcmp((*list)[i], s) == 0) {
			text = (*list)[i];
			memmove(*list + 1, *list, i * sizeof(**list));
			(*list)[0] = text;
			return;
		}
	if (*n >= SUMMARY_LIST_MAX)
		*n = SUMMARY_LIST_MAX - 1;
	more = cdop_arena_calloc(g->arena, *n + 1, sizeof(*more));
	text = copy(g, s);
	if (more == NULL || text == NULL) {
		g->failed = true;
		return;
	}
	more[0] = text;
	if (*n > 0)
		memcpy(more + 1, *list, *n * sizeof(*more));
	*list = more;
	(*n)++;
}

/* Canonical text of a value that is given; NULL for anything else. */
static const char *
given(struct gather *g, const char *path)
{
	const char *text;

	if (!cdop_form_has(g->form, path))
		return NULL;
	text = cdop_form_text(g->form, path, g->arena);
	if (text == NULL)
		g->failed = true;
	return text;
}

static const char *
given_in(
    struct gather *g, const char *group, uint32_t number, const char *field)
{
	char path[CDOP_FORM_PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s.%u.%s", group, number, field);
	return given(g, path);
}

static void
take_names(struct gather *g, Cdop__StoredSummary *s)
{
	uint32_t number;
	size_t i;

	for (i = cdop_form_entries(g->form, "other_name"); i-- > 0;) {
		number = cdop_form_entry_number(g->form, "other_name", i);
		add(g, &s->family_name, &s->n_family_name,
		    given_in(g, "other_name", number, "family_name"));
		add(g, &s->first_name, &s->n_first_name,
		    given_in(g, "other_name", number, "first_names"));
	}
	add(g, &s->first_name, &s->n_first_name, given(g, "child.known_as"));
	add(g, &s->first_name, &s->n_first_name, given(g, "child.first_names"));
	add(g, &s->family_name, &s->n_family_name,
	    given(g, "child.family_name"));
	add(g, &s->mother_name, &s->n_mother_name,
	    given(g, "mother.former_names"));
	add(g, &s->mother_name, &s->n_mother_name,
	    given(g, "mother.family_name"));
	if (!cdop_form_has(g->form, "child.family_name")) {
		s->has_nameless = true;
		s->nameless = true;
	}
}

static void
take_places(struct gather *g, Cdop__StoredSummary *s)
{
	uint32_t number;
	size_t i;

	for (i = cdop_form_entries(g->form, "other_address"); i-- > 0;) {
		number = cdop_form_entry_number(g->form, "other_address", i);
		add(g, &s->postcode, &s->n_postcode,
		    given_in(g, "other_address", number, "postcode"));
	}
	add(g, &s->postcode, &s->n_postcode, given(g, "mother.postcode"));
	add(g, &s->postcode, &s->n_postcode, given(g, "child.postcode"));
}

/*
 * The number of the record stands first: another one of a notification was
 * not decided for, and whoever asks by it is told so.
 */
static void
take_number(struct gather *g, Cdop__StoredSummary *s, bool record)
{
	const char *number = given(g, "child.nhs_number");
	char *first;
	size_t i;

	for (i = 0; !record && number != NULL && i < s->n_nhs_number; i++)
		if (strcmp(s->nhs_number[i], number) == 0)
			return;
	add(g, &s->nhs_number, &s->n_nhs_number, number);
	if (record || number == NULL || s->n_nhs_number < 2)
		return;
	first = s->nhs_number[0];
	s->nhs_number[0] = s->nhs_number[1];
	s->nhs_number[1] = first;
}

static void
replace(struct gather *g, char **to, const char *text)
{
	*to = text == NULL ? NULL : copy(g, text);
}

static bool
number_of(struct gather *g, const char *path, uint32_t *to)
{
	const char *text = given(g, path);
	unsigned long value;

	if (text == NULL || text[0] < '0' || text[0] > '9')
		return false;
	value = strtoul(text, NULL, 10);
	if (value > UINT32_MAX)
		return false;
	*to = (uint32_t)value;
	return true;
}

/* "Tarrant, Ann"; "baby of Tarrant"; nothing. */
static void
show_name(struct gather *g, Cdop__StoredSummary *s)
{
	const char *family = given(g, "child.family_name");
	const char *first = given(g, "child.first_names");
	const char *mother = given(g, "mother.family_name");
	char *name = NULL;
	bool any = family != NULL || first != NULL || mother != NULL;

	if (family != NULL && first != NULL)
		name = cdop_arena_printf(g->arena, "%s, %s", family, first);
	else if (family != NULL || first != NULL)
		name = copy(g, family != NULL ? family : first);
	else if (mother != NULL)
		name = cdop_arena_printf(g->arena, "baby of %s", mother);
	s->has_shows_mother = true;
	s->shows_mother = family == NULL && first == NULL && mother != NULL;
	if (any && name == NULL)
		g->failed = true;
	s->shown_name = name;
}

/* What the record alone decides. */
static void
take_record(struct gather *g, Cdop__StoredSummary *s)
{
	show_name(g, s);
	replace(g, &s->record_birth, given(g, "birth.date"));
	replace(g, &s->record_death, given(g, "death.date"));
	replace(g, &s->sex, given(g, "child.sex"));
	replace(g, &s->scope, given(g, "scope.decision"));
	replace(g, &s->place, given(g, "place.type"));
	s->has_birth_order = number_of(g, "birth.order", &s->birth_order);
	s->has_multiplicity =
	    number_of(g, "birth.multiplicity", &s->multiplicity);
}

enum cdop_err
summary_take_form(Cdop__StoredSummary *summary, const Cdop__StoredForm *form,
    struct cdop_arena *arena)
{
	struct gather g = {arena, form->form, false};

	take_names(&g, summary);
	take_places(&g, summary);
	take_number(&g, summary, form->number == 0);
	add(&g, &summary->birth_date, &summary->n_birth_date,
	    given(&g, "birth.date"));
	add(&g, &summary->death_date, &summary->n_death_date,
	    given(&g, "death.date"));
	if (form->number == 0 && form->version >= summary->record_version) {
		take_record(&g, summary);
		summary->record_version = form->version;
	}
	return g.failed ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
}

static void
take_interest(
    struct gather *g, Cdop__StoredSummary *s, const Cdop__StoredCase *state)
{
	Cdop__InterestedArea *area;
	size_t i;

	s->n_interested = 0;
	s->interested = cdop_arena_calloc(
	    g->arena, state->n_interested, sizeof(*s->interested));
	if (s->interested == NULL) {
		g->failed = true;
		return;
	}
	for (i = 0; i < state->n_interested; i++) {
		area = cdop_arena_alloc(g->arena, sizeof(*area));
		if (area == NULL) {
			g->failed = true;
			return;
		}
		cdop__interested_area__init(area);
		area->area = copy(g, state->interested[i]->area);
		area->reason = copy(g, ""); /* stands in the case rows */
		area->known = state->interested[i]->known;
		s->interested[s->n_interested++] = area;
	}
}

static bool
is_among(const uint64_t *v, size_t n, uint64_t id)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (v[i] == id)
			return true;
	return false;
}

static bool
is_question(const Cdop__StoredCaseLink *link)
{
	return strcmp(link->kind, "possible_duplicate") == 0;
}

/*
 * Every link but an open pair says that they are two children, unless it
 * was taken back.
 */
static void
take_links(
    struct gather *g, Cdop__StoredSummary *s, const Cdop__StoredCase *state)
{
	const Cdop__StoredCaseLink *link;
	size_t i;

	s->n_not_duplicate = 0;
	s->n_open_pair = 0;
	s->not_duplicate = cdop_arena_calloc(
	    g->arena, state->n_link, sizeof(*s->not_duplicate));
	s->open_pair =
	    cdop_arena_calloc(g->arena, state->n_link, sizeof(*s->open_pair));
	if (s->not_duplicate == NULL || s->open_pair == NULL) {
		g->failed = true;
		return;
	}
	for (i = 0; i < state->n_link; i++) {
		link = state->link[i];
		if (!is_question(link) && !link->has_ended_ms &&
		    !is_among(
			s->not_duplicate, s->n_not_duplicate, link->other))
			s->not_duplicate[s->n_not_duplicate++] = link->other;
	}
	for (i = 0; i < state->n_link; i++) {
		link = state->link[i];
		if (is_question(link) &&
		    !is_among(
			s->not_duplicate, s->n_not_duplicate, link->other))
			s->open_pair[s->n_open_pair++] = link->other;
	}
}

enum cdop_err
summary_take_state(Cdop__StoredSummary *summary, const Cdop__StoredCase *state,
    struct cdop_arena *arena)
{
	struct gather g = {arena, NULL, false};
	size_t i;

	summary->case_id = state->case_id;
	summary->reference = copy(&g, state->reference);
	summary->owner_area = copy(&g, state->owner_area);
	summary->status = copy(&g, state->status);
	summary->jurisdiction =
	    state->jurisdiction == NULL ? NULL : copy(&g, state->jurisdiction);
	summary->registered_ms = state->registered_ms;
	summary->has_hold = state->hold != NULL;
	summary->hold = state->hold != NULL;
	summary->case_version = state->version;
	summary->has_responsible = state->has_responsible;
	summary->responsible = state->responsible;
	summary->has_registered_by = state->has_registered_by;
	summary->registered_by = state->registered_by;
	summary->has_next_instance = state->has_next_instance;
	summary->next_instance = state->next_instance;
	summary->has_notifications = true;
	summary->notifications = 0;
	for (i = 0; i < state->n_instance; i++)
		summary->notifications += state->instance[i]->belongs ? 1 : 0;
	take_interest(&g, summary, state);
	take_links(&g, summary, state);
	return g.failed ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
}
