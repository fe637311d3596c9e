/* The log in plain words. */
#include "client/audit_show.h"

#include <string.h>

#include "client/audit_words.h"
#include "client/json.h"
#include "client/print.h"
#include "client/show.h"

/* What left; of a list that names the case that was asked for, that alone. */
static void
show_released(
    struct cmd_ctx *ctx, const Cdop__AuditEntry *e, const char *reference)
{
	const Cdop__Released *r;
	size_t i, others = 0;

	for (i = 0; i < e->n_released; i++) {
		r = e->released[i];
		if (reference != NULL && strcmp(r->reference, reference) != 0) {
			others++;
			continue;
		}
		print_out(ctx, "          %s  %s%s%s", r->reference,
		    audit_words_classes(ctx, r->classes),
		    r->owner_area != NULL ? "  " : "",
		    r->owner_area != NULL ? show_area(ctx, r->owner_area) : "");
	}
	if (others > 0)
		print_out(ctx, "          and %zu other%s", others,
		    others == 1 ? "" : "s");
	if (e->named != NULL)
		print_out(ctx, "          %s  nothing left", e->named);
}

static void
show_more(struct cmd_ctx *ctx, const char *before, const char *words)
{
	if (words != NULL)
		print_out(ctx, "          %s%s", before, words);
}

void
audit_show_entry(
    struct cmd_ctx *ctx, const Cdop__AuditEntry *e, const char *reference)
{
	print_out(ctx, "%6llu  %s  %s  %s%s%s%s%s%s",
	    (unsigned long long)e->index, print_time(ctx->arena, e->at_ms),
	    audit_words_who(ctx, e), audit_words_deed(ctx, e),
	    audit_words_outcome(ctx, e), e->purpose != NULL ? "  for: " : "",
	    e->purpose != NULL ? show_code(ctx, "purpose", e->purpose) : "",
	    audit_words_use(e)[0] != '\0' ? "  " : "", audit_words_use(e));
	show_released(ctx, e, reference);
	if (e->n_term_kind > 0)
		print_out(ctx, "          searched by %s",
		    show_joined(ctx, e->term_kind, e->n_term_kind, ", "));
	show_more(ctx, "about ", audit_words_about(ctx, e));
	show_more(
	    ctx, "for, in words: ", audit_words_said(ctx, e->purpose_text));
	show_more(ctx, "because: ", audit_words_said(ctx, e->reason_text));
	show_more(
	    ctx, "number ", audit_words_hex(ctx, e->has_approval, e->approval));
	show_more(
	    ctx, "profile ", audit_words_hex(ctx, e->has_digest, e->digest));
	show_more(ctx, "", audit_words_count(ctx, e));
}

void
audit_show_object(
    struct cmd_ctx *ctx, json_t *object, const Cdop__AuditEntry *e)
{
	json_merge(ctx, object, &e->base);
	(void)json_object_set_new(
	    object, "at_local", json_string(print_local(ctx->arena, e->at_ms)));
	print_json(object);
}
