/* Gathering a summary from states and forms. */
#include "server/registry/summary.h"

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

/* Canonical text of a date; NULL where none is. */
static const char *
day(struct gather *g, const Cdop__Date *date)
{
	const char *text;

	if (date == NULL)
		return NULL;
	text = cdop_form_date_text(date, g->arena);
	if (text == NULL)
		g->failed = true;
	return text;
}

static const char *
birth_day(struct gather *g)
{
	return day(g, g->form->birth == NULL ? NULL : g->form->birth->date);
}

static const char *
death_day(struct gather *g)
{
	return day(g, g->form->death == NULL ? NULL : g->form->death->date);
}

/* A group that is not there, as one that says nothing. */
static const Cdop__Child *
child_of(const Cdop__Form *form)
{
	static const Cdop__Child nobody;

	return form->child == NULL ? &nobody : form->child;
}

static const Cdop__Mother *
mother_of(const Cdop__Form *form)
{
	static const Cdop__Mother nobody;

	return form->mother == NULL ? &nobody : form->mother;
}

static void
take_names(struct gather *g, Cdop__StoredSummary *s)
{
	const Cdop__Child *child = child_of(g->form);
	const Cdop__Mother *mother = mother_of(g->form);
	const Cdop__OtherName *other;
	size_t i;

	for (i = g->form->n_other_name; i-- > 0;) {
		other = g->form->other_name[i];
		add(g, &s->family_name, &s->n_family_name, other->family_name);
		add(g, &s->first_name, &s->n_first_name, other->first_names);
	}
	add(g, &s->first_name, &s->n_first_name, child->known_as);
	add(g, &s->first_name, &s->n_first_name, child->first_names);
	add(g, &s->family_name, &s->n_family_name, child->family_name);
	add(g, &s->mother_name, &s->n_mother_name, mother->former_names);
	add(g, &s->mother_name, &s->n_mother_name, mother->family_name);
	if (child->family_name == NULL) {
		s->has_nameless = true;
		s->nameless = true;
	}
}

static void
take_places(struct gather *g, Cdop__StoredSummary *s)
{
	size_t i;

	for (i = g->form->n_other_address; i-- > 0;)
		add(g, &s->postcode, &s->n_postcode,
		    g->form->other_address[i]->postcode);
	add(g, &s->postcode, &s->n_postcode, mother_of(g->form)->postcode);
	add(g, &s->postcode, &s->n_postcode, child_of(g->form)->postcode);
}

/*
 * The number of the record stands first: another one of a notification was
 * not decided for, and whoever asks by it is told so.
 */
static void
take_number(struct gather *g, Cdop__StoredSummary *s, bool record)
{
	const char *number = child_of(g->form)->nhs_number;
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

/* "Tarrant, Ann"; "baby of Tarrant"; nothing. */
static void
show_name(struct gather *g, Cdop__StoredSummary *s)
{
	const char *family = child_of(g->form)->family_name;
	const char *first = child_of(g->form)->first_names;
	const char *mother = mother_of(g->form)->family_name;
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
	const Cdop__Form *form = g->form;
	const Cdop__Birth *birth = form->birth;
	const char *scope = cdop_form_value(form, "scope.decision", g->arena);

	show_name(g, s);
	replace(g, &s->record_birth, birth_day(g));
	replace(g, &s->record_death, death_day(g));
	replace(g, &s->sex, child_of(form)->sex);
	replace(g, &s->place, form->place == NULL ? NULL : form->place->type);
	if (scope == NULL)
		g->failed = true;
	else
		replace(g, &s->scope, *scope == '\0' ? NULL : scope);
	s->has_birth_order = birth != NULL && birth->has_order;
	s->birth_order = birth == NULL ? 0 : birth->order;
	s->has_multiplicity = birth != NULL && birth->has_multiplicity;
	s->multiplicity = birth == NULL ? 0 : birth->multiplicity;
}

enum cdop_err
summary_take_form(Cdop__StoredSummary *summary, const Cdop__StoredForm *form,
    struct cdop_arena *arena)
{
	struct gather g = {arena, form->form, false};

	take_names(&g, summary);
	take_places(&g, summary);
	take_number(&g, summary, form->number == 0);
	add(&g, &summary->birth_date, &summary->n_birth_date, birth_day(&g));
	add(&g, &summary->death_date, &summary->n_death_date, death_day(&g));
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
