/* Events from the versions of a case. */
#include "server/registry/cases_history.h"

#include <stdlib.h>

#include "server/store/schema.h"

#define SCRATCH (8u << 20) /* of one row */

struct gather {
	struct cases_act *act;
	struct cases_act scratch; /* the same act, reading into its own arena */
	struct cases_event *event;
	size_t n;
	bool failed;
};

static const char *
keep(struct gather *g, const char *text)
{
	return cases_text(g->act, text, &g->failed);
}

static void
add_state(struct gather *g, const Cdop__StoredCase *state)
{
	struct cases_event *event = &g->event[g->n++];

	event->at_ms = state->at_ms;
	event->person = state->person;
	event->what = keep(g, state->what);
	event->reason = keep(g, state->reason);
	event->source = keep(g, state->source);
	event->version = state->version;
}

/* First versions came with a state: "registered", "joined". */
static void
add_form(struct gather *g, const Cdop__StoredForm *form)
{
	struct cases_event *event;
	size_t i;

	if (form->version <= 1)
		return;
	event = &g->event[g->n++];
	event->at_ms = form->at_ms;
	event->person = form->person;
	event->what = form->number == 0 ? "amended" : "corrected";
	event->reason = keep(g, form->reason);
	event->source = keep(g, form->source);
	event->version = form->version;
	event->instance = form->number;
	event->is_form = true;
	event->path.path = cdop_arena_calloc(
	    g->act->arena, form->n_changed, sizeof(*event->path.path));
	if (event->path.path == NULL) {
		g->failed = true;
		return;
	}
	for (i = 0; i < form->n_changed; i++)
		event->path.path[event->path.n++] = keep(g, form->changed[i]);
}

static enum cdop_err
add_row(struct gather *g, const struct index_row *row)
{
	Cdop__StoredCase *state;
	Cdop__StoredForm *form;
	enum cdop_err err;

	cdop_arena_reset(g->scratch.arena);
	if (row->kind == SCHEMA_KIND_CASE) {
		err = cases_read_row(
		    &g->scratch, row, &cdop__stored_case__descriptor, &state);
		if (err == CDOP_OK)
			add_state(g, state);
		return err;
	}
	if (row->kind != SCHEMA_KIND_FORM)
		return CDOP_OK;
	err = cases_read_row(
	    &g->scratch, row, &cdop__stored_form__descriptor, &form);
	if (err == CDOP_OK)
		add_form(g, form);
	return err;
}

static int
compare(const void *a, const void *b)
{
	const struct cases_event *x = a, *y = b;

	if (x->at_ms != y->at_ms)
		return x->at_ms < y->at_ms ? -1 : 1;
	if (x->is_form != y->is_form)
		return x->is_form ? 1 : -1;
	if (x->version != y->version)
		return x->version < y->version ? -1 : 1;
	return 0;
}

enum cdop_err
cases_history(struct cases_act *act, uint32_t slot,
    struct cases_event **ret_event, size_t *ret_n)
{
	struct gather g = {.act = act, .scratch = *act};
	const struct index_row *row;
	enum cdop_err err;
	size_t n, i;

	row = index_rows(act->index, slot, &n);
	g.event = cdop_arena_calloc(act->arena, n, sizeof(*g.event));
	if (g.event == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	err = cdop_arena_new(SCRATCH, &g.scratch.arena);
	if (err != CDOP_OK)
		return err;
	for (i = 0; i < n && err == CDOP_OK; i++)
		err = add_row(&g, &row[i]);
	cdop_arena_free(g.scratch.arena);
	if (err != CDOP_OK)
		return err;
	if (g.failed)
		return CDOP_RESOURCE_EXHAUSTED;
	qsort(g.event, g.n, sizeof(*g.event), compare);
	*ret_event = g.event;
	*ret_n = g.n;
	return CDOP_OK;
}
