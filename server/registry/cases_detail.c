/* The state of a case, one version against the one before. */
#include "server/registry/cases_detail.h"

#include <string.h>

#include "server/registry/people.h"

#define FIELDS 4 /* status, owner, responsible, hold */

struct detail {
	struct cases_act *act;
	const Cdop__StoredCase *was;
	const Cdop__StoredCase *is;
	struct cases_event *event;
	struct cases_named *named;
	bool failed;
};

static Cdop__HistoryDetail *
add(struct detail *d, const char *what)
{
	Cdop__HistoryDetail *entry;

	entry = cdop_arena_alloc(d->act->arena, sizeof(*entry));
	if (entry == NULL) {
		d->failed = true;
		return NULL;
	}
	cdop__history_detail__init(entry);
	entry->what = cases_text(d->act, what, &d->failed);
	d->event->detail[d->event->n_detail++] = entry;
	return entry;
}

/* ---- other cases ------------------------------------------------------- */

static bool
may_name(const struct detail *d, uint64_t id, uint32_t *ret_slot)
{
	return index_by_case(d->act->index, id, ret_slot) &&
	    access_may_see(&d->act->access, index_at(d->act->index, *ret_slot));
}

/* What is named has left, and one leaf has room for so many. */
static void
name_case(struct detail *d, Cdop__HistoryDetail *entry, uint64_t id)
{
	struct cases_named *named = d->named;
	const char *text;
	uint32_t slot;
	size_t i;

	if (entry == NULL || !may_name(d, id, &slot))
		return;
	for (i = 0; i < named->n; i++)
		if (named->slot[i] == slot)
			break;
	if (i == CDOP_LIST_MAX)
		return;
	if (i == named->n)
		named->slot[named->n++] = slot;
	text = cases_reference_text(d->act, id);
	entry->reference = cases_text(d->act, text, &d->failed);
	if (text == NULL)
		d->failed = true;
}

/* ---- fields ------------------------------------------------------------ */

static void
add_change(
    struct detail *d, const char *what, const char *before, const char *after)
{
	Cdop__HistoryDetail *entry;

	if ((before == NULL) == (after == NULL) &&
	    (before == NULL || strcmp(before, after) == 0))
		return;
	if ((entry = add(d, what)) == NULL)
		return;
	entry->before = cases_text(d->act, before, &d->failed);
	entry->after = cases_text(d->act, after, &d->failed);
}

/* By name and number; NULL: nobody. */
static const char *
responsible(struct detail *d, const Cdop__StoredCase *state)
{
	const struct people_person *person;
	const char *words;

	if (!state->has_responsible)
		return NULL;
	person = people_person(d->act->reg->people, state->responsible);
	words = cdop_arena_printf(d->act->arena, "%s (person %u)",
	    person != NULL ? person->name : "-", state->responsible);
	if (words == NULL)
		d->failed = true;
	return words;
}

static void
of_fields(struct detail *d)
{
	add_change(d, "status", d->was->status, d->is->status);
	add_change(d, "owner", d->was->owner_area, d->is->owner_area);
	add_change(
	    d, "responsible", responsible(d, d->was), responsible(d, d->is));
	add_change(d, "hold", d->was->hold, d->is->hold);
}

/* ---- interest ---------------------------------------------------------- */

static const char *
interest(const Cdop__StoredCase *state, const char *area)
{
	size_t i;

	for (i = 0; i < state->n_interested; i++)
		if (strcmp(state->interested[i]->area, area) == 0)
			return state->interested[i]->known ? "known"
							   : "not_known";
	return NULL;
}

static void
of_area(struct detail *d, const char *area)
{
	size_t n = d->event->n_detail;

	add_change(
	    d, "interested", interest(d->was, area), interest(d->is, area));
	if (d->event->n_detail > n)
		d->event->detail[n]->area =
		    cases_text(d->act, area, &d->failed);
}

static void
of_interest(struct detail *d)
{
	size_t i;

	for (i = 0; i < d->is->n_interested; i++)
		of_area(d, d->is->interested[i]->area);
	for (i = 0; i < d->was->n_interested; i++)
		if (interest(d->is, d->was->interested[i]->area) == NULL)
			of_area(d, d->was->interested[i]->area);
}

/* ---- links ------------------------------------------------------------- */

static const Cdop__StoredCaseLink *
same_link(const Cdop__StoredCase *state, const Cdop__StoredCaseLink *link)
{
	size_t i;

	for (i = 0; i < state->n_link; i++)
		if (state->link[i]->other == link->other &&
		    state->link[i]->at_ms == link->at_ms &&
		    strcmp(state->link[i]->kind, link->kind) == 0)
			return state->link[i];
	return NULL;
}

/* Who, when and why, where that is not what the event says. */
static void
add_own(struct detail *d, Cdop__HistoryDetail *entry, uint32_t by,
    uint64_t at_ms, const char *reason)
{
	const struct people_person *person;
	const char *said = d->is->reason != NULL ? d->is->reason : "";

	if (at_ms == d->is->at_ms && by == d->is->person &&
	    (reason == NULL || strcmp(reason, said) == 0))
		return;
	person = people_person(d->act->reg->people, by);
	entry->has_person = true;
	entry->person = by;
	entry->has_at_ms = true;
	entry->at_ms = at_ms;
	entry->reason = cases_text(d->act, reason, &d->failed);
	if (person != NULL)
		entry->person_name =
		    cases_text(d->act, person->name, &d->failed);
}

static Cdop__HistoryDetail *
add_link(struct detail *d, const char *what, const Cdop__StoredCaseLink *link)
{
	Cdop__HistoryDetail *entry = add(d, what);

	if (entry == NULL)
		return NULL;
	entry->kind = cases_text(d->act, link->kind, &d->failed);
	name_case(d, entry, link->other);
	return entry;
}

static void
of_link(struct detail *d, const Cdop__StoredCaseLink *link)
{
	const Cdop__StoredCaseLink *before = same_link(d->was, link);
	Cdop__HistoryDetail *entry;

	if (before == NULL && (entry = add_link(d, "linked", link)) != NULL)
		add_own(d, entry, link->person, link->at_ms, link->reason);
	if (link->has_ended_ms && (before == NULL || !before->has_ended_ms) &&
	    (entry = add_link(d, "link_ended", link)) != NULL)
		add_own(d, entry, link->ended_person, link->ended_ms,
		    link->ended_reason);
}

static void
of_links(struct detail *d)
{
	uint32_t slot;
	size_t i;

	for (i = 0; i < d->is->n_link; i++)
		if (may_name(d, d->is->link[i]->other, &slot))
			of_link(d, d->is->link[i]);
}

/* ---- notifications ----------------------------------------------------- */

static const Cdop__StoredInstanceLink *
instance(const Cdop__StoredCase *state, uint32_t number)
{
	size_t i;

	for (i = 0; i < state->n_instance; i++)
		if (state->instance[i]->number == number)
			return state->instance[i];
	return NULL;
}

static void
of_instances(struct detail *d)
{
	const Cdop__StoredInstanceLink *now, *before;
	Cdop__HistoryDetail *entry;
	size_t i;

	for (i = 0; i < d->is->n_instance; i++) {
		now = d->is->instance[i];
		before = instance(d->was, now->number);
		if (before == NULL && now->has_moved_from) {
			entry = add(d, "moved_in");
			name_case(d, entry, now->moved_from);
		} else if (before != NULL && before->belongs && !now->belongs) {
			entry = add(d, "moved_away");
			name_case(d, entry, now->moved_to);
		} else {
			continue;
		}
		if (entry == NULL)
			return;
		entry->has_notification = true;
		entry->notification = now->number;
	}
}

/*
 * An event that is a link and nothing else, with a case that the reader may
 * not see (any more): why it was made is about that child.
 */
static void
hide_link(struct detail *d)
{
	const char *what = d->is->what != NULL ? d->is->what : "";
	const char *own = NULL;
	size_t i;

	if (strcmp(what, "linked") == 0)
		own = "linked";
	else if (strcmp(what, "link ended") == 0)
		own = "link_ended";
	for (i = 0; own != NULL && i < d->event->n_detail; i++)
		if (!d->event->detail[i]->has_at_ms &&
		    strcmp(d->event->detail[i]->what, own) == 0)
			own = NULL;
	if (own == NULL)
		return;
	d->event->what = cases_text(d->act, "changed", &d->failed);
	d->event->reason = NULL;
}

/* A notification that moved, likewise: the reason is about both children. */
static void
hide_move(struct detail *d)
{
	const Cdop__HistoryDetail *entry;
	size_t i;

	for (i = 0; i < d->event->n_detail; i++) {
		entry = d->event->detail[i];
		if (entry->reference == NULL &&
		    (strcmp(entry->what, "moved_in") == 0 ||
			strcmp(entry->what, "moved_away") == 0))
			d->event->reason = NULL;
	}
}

enum cdop_err
cases_detail(struct cases_act *act, const Cdop__StoredCase *was,
    const Cdop__StoredCase *is, struct cases_event *event,
    struct cases_named *named)
{
	struct detail d = {
	    .act = act, .was = was, .is = is, .event = event, .named = named};
	Cdop__StoredCase none;

	if (was == NULL) {
		cdop__stored_case__init(&none);
		none.status = is->status;
		none.owner_area = is->owner_area;
		d.was = &none;
	}
	event->detail = cdop_arena_calloc(act->arena,
	    FIELDS + d.was->n_interested + is->n_interested + 2 * is->n_link +
		is->n_instance,
	    sizeof(*event->detail));
	if (event->detail == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	of_fields(&d);
	of_interest(&d);
	of_links(&d);
	of_instances(&d);
	hide_link(&d);
	hide_move(&d);
	return d.failed ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
}
