/*
 * Events from the versions of a case.
 *
 * The states are one run of rows, and the versions of each form another; in
 * a run time never goes back, because no leaf's time does.  So a page is
 * where each run begins behind the page before (by halving), and then the
 * earliest of the runs, again and again.
 */
#include "server/registry/cases_history.h"

#include <string.h>

#include "cdop/limits.h"
#include "server/registry/cases_detail.h"
#include "server/store/schema.h"

#define SCRATCH    (16u << 20)  /* of two rows */
#define PAGE_BYTES (256u << 10) /* of text; one event may go over it */
#define PAGE_NAMED 20u          /* cases likewise: the leaf names them */

/* Rows of one kind of thing, oldest version first. */
struct run {
	const struct index_row *row;
	size_t n;
	size_t at;
	struct cases_event head; /* where row[at] stands, while at < n */
};

struct walk {
	struct cases_act *act;
	struct cases_act scratch; /* the same act, reading into its own arena */
	struct run *run;
	size_t n_run;
	struct cases_history *h;
	size_t bytes;
	bool failed;
};

static int
compare(const struct cases_event *a, const struct cases_event *b)
{
	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms ? -1 : 1;
	if (a->is_form != b->is_form)
		return a->is_form ? 1 : -1;
	if (a->instance != b->instance)
		return a->instance < b->instance ? -1 : 1;
	if (a->version != b->version)
		return a->version < b->version ? -1 : 1;
	return 0;
}

/* ---- one event --------------------------------------------------------- */

static const char *
keep(struct walk *w, const char *text)
{
	if (text != NULL)
		w->bytes += strlen(text);
	return cases_text(w->act, text, &w->failed);
}

/* The rows of a case are by version, and no state is ever left out. */
static enum cdop_err
keep_details(struct walk *w, const struct run *run, size_t at,
    const Cdop__StoredCase *state, struct cases_event *event)
{
	Cdop__StoredCase *was = NULL;
	size_t used = cdop_arena_used(w->act->arena);
	enum cdop_err err = CDOP_OK;

	if (at > 0)
		err = cases_read_row(&w->scratch, &run->row[at - 1],
		    &cdop__stored_case__descriptor, &was);
	if (err == CDOP_OK)
		err = cases_detail(w->act, was, state, event, &w->h->named);
	w->bytes += cdop_arena_used(w->act->arena) - used;
	return err;
}

static void
keep_state(struct walk *w, const Cdop__StoredCase *state)
{
	struct cases_event *event = &w->h->event[w->h->n++];

	event->at_ms = state->at_ms;
	event->version = (uint32_t)state->version;
	event->person = state->person;
	event->what = keep(w, state->what);
	event->reason = keep(w, state->reason);
	event->source = keep(w, state->source);
}

/* Was it named, with reason and source, and left as it was? */
static bool
is_left(const Cdop__StoredForm *form, const Cdop__ValueSource *source)
{
	size_t i;

	if (*source->path == '\0' || source->at_ms != form->at_ms)
		return false;
	for (i = 0; i < form->n_changed; i++)
		if (strcmp(form->changed[i], source->path) == 0)
			return false;
	return true;
}

/* A difference is decided so, for what the record has. */
static void
keep_decided(
    struct walk *w, const Cdop__StoredForm *form, struct cases_event *event)
{
	size_t i;

	event->decided.path = cdop_arena_calloc(
	    w->act->arena, form->n_value_source, sizeof(*event->decided.path));
	if (event->decided.path == NULL) {
		w->failed = true;
		return;
	}
	for (i = 0; i < form->n_value_source; i++)
		if (is_left(form, form->value_source[i]))
			event->decided.path[event->decided.n++] =
			    keep(w, form->value_source[i]->path);
}

static void
keep_form(struct walk *w, const Cdop__StoredForm *form)
{
	struct cases_event *event = &w->h->event[w->h->n++];
	size_t i;

	event->at_ms = form->at_ms;
	event->is_form = true;
	event->instance = form->number;
	event->version = (uint32_t)form->version;
	event->person = form->person;
	event->what = form->number == 0 ? "amended" : "corrected";
	event->reason = keep(w, form->reason);
	event->source = keep(w, form->source);
	event->path.path = cdop_arena_calloc(
	    w->act->arena, form->n_changed, sizeof(*event->path.path));
	if (event->path.path == NULL) {
		w->failed = true;
		return;
	}
	for (i = 0; i < form->n_changed; i++)
		event->path.path[event->path.n++] = keep(w, form->changed[i]);
	keep_decided(w, form, event);
}

/* Opens a row: says where it stands, and keeps it where that is asked. */
static enum cdop_err
open_row(struct walk *w, const struct run *run, size_t at, bool keeps,
    struct cases_event *ret_place)
{
	const struct index_row *row = &run->row[at];
	Cdop__StoredCase *state;
	Cdop__StoredForm *form;
	enum cdop_err err;

	cdop_arena_reset(w->scratch.arena);
	memset(ret_place, 0, sizeof(*ret_place));
	if (row->kind == SCHEMA_KIND_CASE) {
		err = cases_read_row(
		    &w->scratch, row, &cdop__stored_case__descriptor, &state);
		if (err != CDOP_OK)
			return err;
		ret_place->at_ms = state->at_ms;
		ret_place->version = (uint32_t)state->version;
		if (!keeps)
			return CDOP_OK;
		keep_state(w, state);
		return keep_details(
		    w, run, at, state, &w->h->event[w->h->n - 1]);
	}
	err = cases_read_row(
	    &w->scratch, row, &cdop__stored_form__descriptor, &form);
	if (err != CDOP_OK)
		return err;
	ret_place->at_ms = form->at_ms;
	ret_place->is_form = true;
	ret_place->instance = form->number;
	ret_place->version = (uint32_t)form->version;
	if (keeps)
		keep_form(w, form);
	return CDOP_OK;
}

/* ---- runs -------------------------------------------------------------- */

static bool
goes_on(const struct run *run, const struct index_row *row)
{
	return run->row->kind == row->kind &&
	    (row->kind == SCHEMA_KIND_CASE ||
		run->row->version >> 16 == row->version >> 16);
}

/* First versions of forms came with a state: "registered", "joined". */
static bool
is_event(const struct index_row *row)
{
	if (row->kind == SCHEMA_KIND_FORM)
		return (row->version & INDEX_FORM_VERSIONS) > 1;
	return row->kind == SCHEMA_KIND_CASE;
}

static enum cdop_err
cut_runs(struct walk *w)
{
	const struct index_row *row;
	size_t n, i;

	row = index_rows(w->act->index, w->h->slot, &n);
	w->run = cdop_arena_calloc(w->act->arena, n, sizeof(*w->run));
	if (w->run == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < n; i++) {
		if (!is_event(&row[i]))
			continue;
		if (w->n_run == 0 || !goes_on(&w->run[w->n_run - 1], &row[i]))
			w->run[w->n_run++].row = &row[i];
		w->run[w->n_run - 1].n++;
	}
	return CDOP_OK;
}

/* Puts a run at its first event behind a place. */
static enum cdop_err
seek(struct walk *w, struct run *run, const struct cases_event *place)
{
	size_t low = 0, high = run->n, middle;
	struct cases_event here;
	enum cdop_err err;

	while (low < high) {
		middle = low + (high - low) / 2;
		err = open_row(w, run, middle, false, &here);
		if (err != CDOP_OK)
			return err;
		if (compare(&here, place) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	run->at = low;
	return CDOP_OK;
}

static enum cdop_err
take_head(struct walk *w, struct run *run)
{
	if (run->at == run->n)
		return CDOP_OK;
	return open_row(w, run, run->at, false, &run->head);
}

/* The run with the earliest event; NULL: none is left. */
static struct run *
earliest(struct walk *w)
{
	struct run *run, *best = NULL;

	for (run = w->run; run < w->run + w->n_run; run++)
		if (run->at < run->n &&
		    (best == NULL || compare(&run->head, &best->head) < 0))
			best = run;
	return best;
}

/* ---- a page ------------------------------------------------------------ */

static struct cases_page_of
page_of(const char *reference)
{
	return (struct cases_page_of){{"history", reference}, 2};
}

static void
write_place(
    const struct cases_event *event, uint8_t out[static CASES_PAGE_PLACE])
{
	cdop_put64(out, event->at_ms);
	cdop_put32(out + 8, event->is_form);
	cdop_put32(out + 12, event->instance);
	cdop_put32(out + 16, event->version);
}

static struct cases_event
read_place(const uint8_t in[static CASES_PAGE_PLACE])
{
	return (struct cases_event){
	    .at_ms = cdop_get64(in),
	    .is_form = cdop_get32(in + 8) != 0,
	    .instance = cdop_get32(in + 12),
	    .version = cdop_get32(in + 16),
	};
}

/* Every run at its first event of this page. */
static enum cdop_err
begin(struct walk *w, const struct cases_page_of *of)
{
	uint8_t place[CASES_PAGE_PLACE];
	struct cases_event behind;
	enum cdop_err err;
	size_t i;

	if (w->h->page.len > 0 &&
	    !cases_page_read(w->act, of, w->h->page, place))
		return cases_bad_field(w->act, "page", "page.unknown",
		    "not a page of this history in this session: begin again");
	if ((err = cut_runs(w)) != CDOP_OK)
		return err;
	for (i = 0; i < w->n_run; i++) {
		if (w->h->page.len > 0) {
			behind = read_place(place);
			err = seek(w, &w->run[i], &behind);
		}
		if (err == CDOP_OK)
			err = take_head(w, &w->run[i]);
		if (err != CDOP_OK)
			return err;
	}
	return CDOP_OK;
}

static enum cdop_err
fill(struct walk *w, const struct cases_page_of *of, size_t limit)
{
	struct cases_history *h = w->h;
	uint8_t place[CASES_PAGE_PLACE];
	struct cases_event here;
	struct run *run;
	enum cdop_err err;

	while ((run = earliest(w)) != NULL && h->n < limit &&
	    w->bytes < PAGE_BYTES && h->named.n < PAGE_NAMED) {
		err = open_row(w, run, run->at++, true, &here);
		if (err == CDOP_OK)
			err = take_head(w, run);
		if (err != CDOP_OK)
			return err;
	}
	h->more = run != NULL;
	if (h->more) {
		write_place(&h->event[h->n - 1], place);
		cases_page_write(w->act, of, place, h->next);
	}
	return w->failed ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
}

enum cdop_err
cases_history(struct cases_act *act, struct cases_history *history)
{
	struct walk w = {.act = act, .scratch = *act, .h = history};
	struct cases_page_of of;
	size_t limit = CDOP_LIST_MAX;
	const char *reference;
	enum cdop_err err;

	reference = cases_reference_text(
	    act, index_at(act->index, history->slot)->case_id);
	if (history->limit > 0 && history->limit < limit)
		limit = history->limit;
	history->event =
	    cdop_arena_calloc(act->arena, limit, sizeof(*history->event));
	if (reference == NULL || history->event == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	of = page_of(reference);
	if ((err = cdop_arena_new(SCRATCH, &w.scratch.arena)) != CDOP_OK)
		return err;
	err = begin(&w, &of);
	if (err == CDOP_OK)
		err = fill(&w, &of, limit);
	cdop_arena_free(w.scratch.arena);
	return err;
}
