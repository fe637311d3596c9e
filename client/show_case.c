/* A case as text: its head, its record, its notifications. */
#include <string.h>

#include "client/print.h"
#include "client/show.h"

/* In the head of a case, and in its history. */
static const char *
link_words(const char *kind)
{
	return strcmp(kind, "possible_duplicate") == 0
	    ? "may be the same child as"
	    : kind;
}

/* Where it was taken back it says so, and why. */
static void
show_link(struct cmd_ctx *ctx, const Cdop__CaseLink *link)
{
	const char *reason = link->reason, *ended = "";

	if (link->has_ended_ms)
		ended = cdop_arena_printf(ctx->arena, "  TAKEN BACK %s%s%s",
		    print_time(ctx->arena, link->ended_ms),
		    link->ended_reason != NULL ? ": " : "",
		    link->ended_reason != NULL ? link->ended_reason : "");
	print_out(ctx, "linked: %s %s%s%s%s", link_words(link->kind),
	    link->reference, reason != NULL ? ": " : "",
	    reason != NULL ? print_one_line(ctx->arena, reason) : "",
	    print_one_line(ctx->arena, ended));
}

void
show_case_head(struct cmd_ctx *ctx, const Cdop__Case *c)
{
	size_t i;

	print_out(ctx, "%s  %s  owner: %s%s%s%s", c->reference, c->status,
	    show_area(ctx, c->owner_area), c->owner_reason != NULL ? " (" : "",
	    c->owner_reason != NULL
		? print_one_line(ctx->arena, c->owner_reason)
		: "",
	    c->owner_reason != NULL ? ")" : "");
	print_out(ctx, "registered %s   version %llu%s%s",
	    print_time(ctx->arena, c->registered_ms),
	    (unsigned long long)c->version, c->scope != NULL ? "   scope " : "",
	    c->scope != NULL ? c->scope : "");
	if (c->jurisdiction != NULL || c->review_basis != NULL)
		print_out(ctx, "jurisdiction: %s   basis of the review: %s",
		    c->jurisdiction != NULL ? c->jurisdiction : "not kept",
		    c->review_basis != NULL
			? show_code(ctx, "review_basis", c->review_basis)
			: "not kept");
	if (c->hold != NULL)
		print_out(ctx, "ON LEGAL HOLD: %s",
		    print_one_line(ctx->arena, c->hold));
	if (c->has_responsible)
		print_out(ctx, "responsible: %s%s",
		    show_person(ctx, c->responsible_name, c->responsible),
		    c->responsible_gone
			? "   NOBODY WORKS IT NOW: cdop case responsible"
			: "");
	for (i = 0; i < c->n_interested; i++)
		print_out(ctx, "interested: %s (%s)%s",
		    show_area(ctx, c->interested[i]->area),
		    print_one_line(ctx->arena, c->interested[i]->reason),
		    c->interested[i]->known ? ", known to it" : "");
	for (i = 0; i < c->n_link; i++)
		show_link(ctx, c->link[i]);
	for (i = 0; i < c->n_ended_link; i++)
		show_link(ctx, c->ended_link[i]);
	if (c->more_links > 0)
		print_out(ctx,
		    "... and %u more links: cdop case show %s --links-after %u",
		    c->more_links, c->reference, c->links_after);
}

/* How this version came about, and what was let pass in it. */
static void
show_made(struct cmd_ctx *ctx, const Cdop__FormInstance *f)
{
	const Cdop__Override *o;
	size_t i;

	print_out(ctx, "   with device %u%s%s%s%s",
	    f->has_device ? f->device : 0, f->zone != NULL ? "  times in " : "",
	    f->zone != NULL ? f->zone : "",
	    f->reason != NULL ? "  because " : "",
	    f->reason != NULL ? print_one_line(ctx->arena, f->reason) : "");
	for (i = 0; i < f->n_override; i++) {
		o = f->override[i];
		print_out(ctx,
		    "   accepted in spite of %s: %s = %s  because %s", o->rule,
		    o->path, print_one_line(ctx->arena, o->value),
		    print_one_line(ctx->arena, o->reason));
	}
}

/* One form of it; what: "case record", "notification". */
static void
show_instance(
    struct cmd_ctx *ctx, const Cdop__FormInstance *f, const char *what)
{
	print_out(ctx, "\n-- %s %u  %s  version %llu  %s  %s%s%s", what,
	    f->number, f->kind, (unsigned long long)f->version,
	    print_time(ctx->arena, f->at_ms),
	    show_person(ctx, f->person_name, f->person),
	    f->source != NULL ? "  from " : "",
	    f->source != NULL ? print_one_line(ctx->arena, f->source) : "");
	if (cmd_flag(ctx, "--sources"))
		show_made(ctx, f);
	if (f->form != NULL)
		show_form(ctx, f->form, cmd_flag(ctx, "--sources") ? f : NULL);
}

/* Both sides of each difference under what it is about, but long texts. */
static void
show_differences(struct cmd_ctx *ctx, const Cdop__Case *c)
{
	const Cdop__Difference *d;
	struct cdop_path path;
	size_t i;

	if (c->n_difference > 0)
		print_out(ctx, "\nThe notifications differ, to be decided: %s",
		    show_joined(ctx, c->difference, c->n_difference, ", "));
	for (i = 0; i < c->n_differing; i++) {
		d = c->differing[i];
		if (cdop_form_path_parse(d->path, &path) != CDOP_OK)
			continue;
		print_out(ctx, "%s (%s)", path.field->label, d->path);
		show_value(ctx, "case record",
		    d->record != NULL ? show_text(ctx, &path, d->record)
				      : "not asked");
		show_value(ctx,
		    cdop_arena_printf(
			ctx->arena, "notification %u", d->notification),
		    show_text(ctx, &path, d->given));
	}
	if (c->more_differences > 0)
		print_out(ctx,
		    "... and %u more, shown when some of these are decided",
		    c->more_differences);
}

void
show_case(struct cmd_ctx *ctx, const Cdop__Case *c)
{
	size_t i;

	show_case_head(ctx, c);
	if (c->record != NULL)
		show_instance(ctx, c->record, "case record");
	for (i = 0; i < c->n_notification; i++)
		show_instance(ctx, c->notification[i], "notification");
	show_differences(ctx, c);
	if (c->n_missing > 0)
		print_out(ctx, "%s", "");
	show_missing(ctx, c->missing, c->n_missing);
}

/* How to look at what a form said then. */
static const char *
version_words(struct cmd_ctx *ctx, const Cdop__HistoryEntry *e)
{
	if (!e->has_instance)
		return "";
	return e->instance == 0
	    ? cdop_arena_printf(ctx->arena, "  [--form-version %llu]",
		  (unsigned long long)e->version)
	    : cdop_arena_printf(ctx->arena,
		  "  [--notification %u --form-version %llu]", e->instance,
		  (unsigned long long)e->version);
}

/* ---- what changed in a state ------------------------------------- */

static const char *
interest_words(struct cmd_ctx *ctx, const Cdop__HistoryDetail *d)
{
	const char *area = show_area(ctx, d->area != NULL ? d->area : "?");

	if (d->after == NULL)
		return cdop_arena_printf(
		    ctx->arena, "not interested any more: %s", area);
	return cdop_arena_printf(ctx->arena, "interested: %s, %s to it%s", area,
	    strcmp(d->after, "known") == 0 ? "known" : "not known",
	    d->before != NULL ? " from now on" : "");
}

static const char *
moved_words(struct cmd_ctx *ctx, const Cdop__HistoryDetail *d, const char *how)
{
	return cdop_arena_printf(ctx->arena, "notification %u %s %s",
	    d->notification, how,
	    d->reference != NULL ? d->reference : "a case you may not see");
}

static const char *
linked_words(struct cmd_ctx *ctx, const Cdop__HistoryDetail *d, const char *how)
{
	return cdop_arena_printf(ctx->arena, "%s: %s %s", how,
	    d->kind != NULL ? link_words(d->kind) : "?",
	    d->reference != NULL ? d->reference : "?");
}

static const char *
change_words_of(struct cmd_ctx *ctx, const Cdop__HistoryDetail *d)
{
	const char *before = d->before != NULL ? d->before : "nobody";
	const char *after = d->after != NULL ? d->after : "nobody";

	if (strcmp(d->what, "owner") == 0) {
		before = show_area(ctx, before);
		after = show_area(ctx, after);
	}
	return cdop_arena_printf(
	    ctx->arena, "%s: %s -> %s", d->what, before, after);
}

static const char *
detail_words(struct cmd_ctx *ctx, const Cdop__HistoryDetail *d)
{
	if (strcmp(d->what, "interested") == 0)
		return interest_words(ctx, d);
	if (strcmp(d->what, "moved_in") == 0)
		return moved_words(ctx, d, "moved in from");
	if (strcmp(d->what, "moved_away") == 0)
		return moved_words(ctx, d, "moved away to");
	if (strcmp(d->what, "linked") == 0)
		return linked_words(ctx, d, "linked");
	if (strcmp(d->what, "link_ended") == 0)
		return linked_words(ctx, d, "link taken back");
	if (strcmp(d->what, "hold") == 0)
		return d->after != NULL
		    ? cdop_arena_printf(ctx->arena, "on hold: %s", d->after)
		    : "not on hold any more";
	return change_words_of(ctx, d);
}

static void
show_detail(struct cmd_ctx *ctx, const Cdop__HistoryDetail *d)
{
	const char *words = detail_words(ctx, d), *own = "";

	if (d->has_at_ms)
		own = cdop_arena_printf(ctx->arena, "  by %s on %s%s%s",
		    show_person(ctx, d->person_name, d->person),
		    print_time(ctx->arena, d->at_ms),
		    d->reason != NULL ? "  because " : "",
		    d->reason != NULL ? d->reason : "");
	print_out(ctx, "    %s%s", print_one_line(ctx->arena, words),
	    print_one_line(ctx->arena, own));
}

void
show_case_event(struct cmd_ctx *ctx, const Cdop__HistoryEntry *e)
{
	const char *source = e->source, *reason = e->reason;
	size_t i;

	print_out(ctx, "%s  %s  %s%s%s%s%s%s%s%s",
	    print_time(ctx->arena, e->at_ms),
	    show_person(ctx, e->person_name, e->person), e->what,
	    e->n_path > 0 ? ": " : "",
	    show_joined(ctx, e->path, e->n_path, ", "),
	    source != NULL ? "  from " : "",
	    source != NULL ? print_one_line(ctx->arena, source) : "",
	    reason != NULL ? "  because " : "",
	    reason != NULL ? print_one_line(ctx->arena, reason) : "",
	    version_words(ctx, e));
	if (e->n_decided > 0)
		print_out(ctx, "    left as it was: %s",
		    show_joined(ctx, e->decided, e->n_decided, ", "));
	for (i = 0; i < e->n_detail; i++)
		show_detail(ctx, e->detail[i]);
}
