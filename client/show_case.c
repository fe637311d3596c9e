/* A case as text: its head, its record, its notifications. */
#include "client/print.h"
#include "client/show.h"

void
show_case_head(struct cmd_ctx *ctx, const Cdop__Case *c)
{
	size_t i;

	print_out(ctx, "%s  %s  owner: %s%s%s%s", c->reference, c->status,
	    show_area(ctx, c->owner_area), c->owner_reason != NULL ? " (" : "",
	    c->owner_reason != NULL ? c->owner_reason : "",
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
	if (c->has_responsible)
		print_out(ctx, "responsible: %s%sperson %u%s",
		    c->responsible_name != NULL ? c->responsible_name : "",
		    c->responsible_name != NULL ? ", " : "", c->responsible,
		    c->responsible_gone
			? "   NOBODY WORKS IT NOW: cdop case responsible"
			: "");
	for (i = 0; i < c->n_interested; i++)
		print_out(ctx, "interested: %s (%s)%s",
		    show_area(ctx, c->interested[i]->area),
		    c->interested[i]->reason,
		    c->interested[i]->known ? ", known to it" : "");
	for (i = 0; i < c->n_link; i++)
		print_out(ctx, "linked: %s %s%s%s", c->link[i]->kind,
		    c->link[i]->reference,
		    c->link[i]->reason != NULL ? ": " : "",
		    c->link[i]->reason != NULL ? c->link[i]->reason : "");
}

void
show_case_form(
    struct cmd_ctx *ctx, const Cdop__FormInstance *f, const char *what)
{
	print_out(ctx, "\n-- %s %u  %s  version %llu  %s  person %u%s%s", what,
	    f->number, f->kind, (unsigned long long)f->version,
	    print_time(ctx->arena, f->at_ms), f->person,
	    f->source != NULL ? "  from " : "",
	    f->source != NULL ? f->source : "");
	if (f->form != NULL)
		show_form(ctx, f->form);
}

void
show_case(struct cmd_ctx *ctx, const Cdop__Case *c)
{
	size_t i;

	show_case_head(ctx, c);
	if (c->record != NULL)
		show_case_form(ctx, c->record, "case record");
	for (i = 0; i < c->n_notification; i++)
		show_case_form(ctx, c->notification[i], "notification");
	if (c->n_difference > 0)
		print_out(ctx, "\nThe notifications differ, to be decided: %s",
		    show_joined(ctx, c->difference, c->n_difference, ", "));
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

void
show_case_event(struct cmd_ctx *ctx, const Cdop__HistoryEntry *e)
{
	print_out(ctx, "%s  %s (person %u)  %s%s%s%s%s%s%s%s",
	    print_time(ctx->arena, e->at_ms),
	    e->person_name != NULL ? e->person_name : "-", e->person, e->what,
	    e->n_path > 0 ? ": " : "",
	    show_joined(ctx, e->path, e->n_path, ", "),
	    e->source != NULL ? "  from " : "",
	    e->source != NULL ? e->source : "",
	    e->reason != NULL ? "  because " : "",
	    e->reason != NULL ? e->reason : "", version_words(ctx, e));
}
