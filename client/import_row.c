/* From a row's text to a notification, and what its columns decide. */
#include "client/import_row.h"

#include <string.h>

#include "client/decide.h"
#include "client/import_read.h"
#include "client/json.h"
#include "client/raise.h"

void
import_row_reject(
    struct import_row *row, const struct cmd_finding *finding, size_t n)
{
	row->state = IMPORT_REJECTED;
	row->finding = finding;
	row->n_findings = n;
}

void
import_row_reject_word(struct cmd_ctx *ctx, struct import_row *row,
    const char *rule, const char *message)
{
	struct cmd_finding *f = cdop_arena_alloc(ctx->arena, sizeof(*f));

	row->state = IMPORT_REJECTED;
	if (f == NULL)
		return;
	f->path = "";
	f->rule = rule;
	f->message = message;
	import_row_reject(row, f, 1);
}

static enum exit_code
read_cells(struct cmd_ctx *ctx, const struct cdop_profile *profile,
    const struct import_file *f, struct import_row *row,
    struct cdop_violations *v)
{
	const char *raised;
	enum cdop_err err;
	size_t c;

	for (c = 0; c < f->n_columns; c++) {
		if (f->column[c][0] == '\0' || row->cell[c][0] == '\0' ||
		    import_read_is_control(f->column[c]))
			continue;
		err = cdop_form_put(row->n.form, f->column[c], row->cell[c],
		    profile, ctx->arena, v);
		if (err == CDOP_RESOURCE_EXHAUSTED)
			return cmd_no_memory(ctx);
	}
	raised = import_read_control(f, row, "raised");
	return raised == NULL ? EXIT_OK
			      : raise_text(ctx, raised, row->n.form, v);
}

/* The groups of an object, without the columns that are ours. */
static enum exit_code
read_object(struct cmd_ctx *ctx, const struct cdop_profile *profile,
    struct import_row *row, struct cdop_violations *v)
{
	json_t *copy = json_copy(row->object), *value;
	enum exit_code code;
	const char *key;
	void *tmp;

	json_object_foreach_safe(copy, tmp, key, value)
	{
		/* What is raised is a part of the form. */
		if ((import_read_is_control(key) &&
			strcmp(key, "raised") != 0) ||
		    strcmp(key, "findings") == 0)
			(void)json_object_del(copy, key);
	}
	code = json_read_form(ctx, copy, profile, row->n.form, v);
	json_decref(copy);
	return code;
}

static char *
control(struct cmd_ctx *ctx, const struct import_file *f,
    const struct import_row *row, const char *name)
{
	const char *text = import_read_control(f, row, name);

	return text != NULL ? cdop_arena_strdup(ctx->arena, text) : NULL;
}

/* Not sent again, its reference told: a key that is old, or a trial. */
static enum exit_code
accepted_before(struct cmd_ctx *ctx, struct import_row *row)
{
	Cdop__NotificationRegisterReply *reply =
	    cdop_arena_alloc(ctx->arena, sizeof(*reply));

	if (reply == NULL)
		return cmd_no_memory(ctx);
	cdop__notification_register_reply__init(reply);
	reply->reference = cdop_arena_strdup(ctx->arena, row->reference);
	row->reply = reply;
	row->replayed = true;
	row->state = IMPORT_ACCEPTED;
	return EXIT_OK;
}

/* What was decided when this row was sent before. */
static void
restore(struct import_row *row)
{
	const Cdop__ClientImportRow *kept = row->kept;
	size_t i;

	for (i = 0;
	     kept != NULL && i < kept->n_decision && i < NOTIFY_DECISIONS_MAX;
	     i++)
		row->n.decision[row->n.n_decisions++] = kept->decision[i];
	for (i = 0; kept != NULL && i < kept->n_override && i < OVERRIDES_MAX;
	     i++)
		row->n.overrides.list[row->n.overrides.n++] = kept->override[i];
}

/* It has to be looked at: its values may stand in the wrong columns. */
static bool
ragged(struct cmd_ctx *ctx, const struct import_file *f, struct import_row *row)
{
	if (f->is_json ||
	    (row->beyond == NULL &&
		import_read_control(f, row, IMPORT_BEYOND) == NULL))
		return false;
	import_row_reject_word(ctx, row, "csv.cells",
	    "a cell stands in no column that has a name: is there a comma in "
	    "a cell that has no quotes? look at each cell, and empty "
	    "\"" IMPORT_BEYOND "\"");
	return true;
}

/* What a row decides, and why: as many as there are parts between ';'. */
struct decisions {
	struct decide_word word[NOTIFY_DECISIONS_MAX];
	const char *reason[NOTIFY_DECISIONS_MAX];
	size_t n;
};

/* The next part of a list, without blanks around it; NULL: none is left. */
static char *
next_part(char **rest)
{
	char *part = strsep(rest, ";"), *end;

	if (part == NULL)
		return NULL;
	part += strspn(part, " ");
	for (end = part + strlen(part); end > part && end[-1] == ' ';)
		*--end = '\0';
	return part;
}

/* One decision has the whole cell for its reason, several have a part each. */
static bool
read_decisions(
    struct cmd_ctx *ctx, const struct import_row *row, struct decisions *ret)
{
	char *words = cdop_arena_strdup(ctx->arena, row->decision);
	char *reasons = cdop_arena_strdup(ctx->arena, row->decision_reason);
	const bool several = strchr(row->decision, ';') != NULL;
	const char *text;

	ret->n = 0;
	if (words == NULL || reasons == NULL)
		return false;
	while ((text = next_part(&words)) != NULL) {
		if (ret->n == NOTIFY_DECISIONS_MAX ||
		    decide_parse(ctx, text, &ret->word[ret->n]) != EXIT_OK) {
			ctx->error.message = NULL;
			return false;
		}
		ret->reason[ret->n] = several ? next_part(&reasons) : reasons;
		if (ret->reason[ret->n] == NULL || *ret->reason[ret->n] == '\0')
			return false;
		ret->n++;
	}
	return true;
}

/* Where the registry asked nothing it would become a case of its own. */
static bool
joins_nameless(const struct decisions *d)
{
	size_t i;

	for (i = 0; i < d->n; i++)
		if (d->word[i].decision == CDOP__DECISION__JOIN &&
		    d->word[i].reference == NULL)
			return true;
	return false;
}

/*
 * What names its case is said at once, as at the prompt: whoever writes join
 * knows the case, also where no rule would ask about it.
 */
static enum exit_code
decide_named(struct cmd_ctx *ctx, struct import_row *row)
{
	enum exit_code code = EXIT_OK;
	struct decisions d;
	size_t i;

	if (row->decision == NULL)
		return EXIT_OK;
	if (row->decision_reason == NULL || !read_decisions(ctx, row, &d) ||
	    joins_nameless(&d)) {
		import_row_reject_word(ctx, row, "decision.unreadable",
		    "decision is join:REF, new:twin:REF or new:other:REF, each "
		    "with a decision_reason; several of either between ;");
		return EXIT_OK;
	}
	for (i = 0; i < d.n && code == EXIT_OK; i++)
		if (d.word[i].reference != NULL)
			code = notify_decide(ctx, &row->n, d.word[i].reference,
			    d.word[i].decision, d.reason[i]);
	return code;
}

enum exit_code
import_row_read(struct cmd_ctx *ctx, const struct cdop_profile *profile,
    const struct import_file *f, struct import_row *row)
{
	struct cdop_violations v = {NULL, 0, 0};
	uint8_t key[CDOP_REQUEST_KEY_LEN];
	enum exit_code code;

	memcpy(key, row->n.key, sizeof(key));
	if ((code = notify_new(ctx, &row->n)) != EXIT_OK)
		return code;
	memcpy(row->n.key, key, sizeof(key));
	restore(row);
	row->decision = import_read_control(f, row, "decision");
	row->decision_reason = import_read_control(f, row, "decision_reason");
	row->accepted = import_read_control(f, row, "warnings_accepted");
	row->n.form_kind = control(ctx, f, row, "form_kind");
	row->n.source = control(ctx, f, row, "source");
	row->n.owner_area = control(ctx, f, row, "owner_area");
	row->n.owner_reason = control(ctx, f, row, "owner_reason");
	/* As it was sent, where it stood then: under one key the same bytes. */
	if (row->n.source == NULL)
		row->n.source = cdop_arena_printf(ctx->arena, "file, row %u",
		    row->kept != NULL ? row->kept->row : row->number);
	if (ragged(ctx, f, row))
		return EXIT_OK;
	code = f->is_json ? read_object(ctx, profile, row, &v)
			  : read_cells(ctx, profile, f, row, &v);
	if (code == EXIT_OK)
		code = raise_check(ctx, row->n.form, &v);
	if (code == EXIT_OK && v.n > 0)
		import_row_reject(row, notify_findings(ctx, &v), v.n);
	else if (code == EXIT_OK && row->reference != NULL &&
	    (row->is_old || row->n.dry_run))
		code = accepted_before(ctx, row);
	else if (code == EXIT_OK && row->reference == NULL)
		code = decide_named(ctx, row);
	return code;
}

static bool
stops(const Cdop__Candidate *candidate)
{
	return !candidate->has_withdrawn || !candidate->withdrawn;
}

/* Which of them is about this case: by name, or as the only one there is. */
static size_t
about(const struct decisions *d, const char *reference, bool alone)
{
	size_t i;

	for (i = 0; i < d->n; i++)
		if (d->word[i].reference != NULL &&
		    strcmp(d->word[i].reference, reference) == 0)
			return i;
	if (alone && d->n == 1 && d->word[0].reference == NULL)
		return 0;
	return d->n;
}

/*
 * All of them or none: a decision that somebody made about one child says
 * nothing about a candidate that has come up since.
 */
bool
import_row_decide(struct cmd_ctx *ctx, struct import_row *row,
    Cdop__Candidate *const *candidate, size_t n)
{
	size_t at[CDOP_LIST_MAX], i, n_stop = 0;
	struct decisions d;

	if (row->decision == NULL || row->decision_reason == NULL ||
	    row->tries > 3 || n > CDOP_LIST_MAX ||
	    !read_decisions(ctx, row, &d))
		return false;
	for (i = 0; i < n; i++)
		n_stop += stops(candidate[i]);
	for (i = 0; i < n; i++) {
		at[i] = about(&d, candidate[i]->reference, n_stop == 1);
		if (stops(candidate[i]) && at[i] == d.n)
			return false;
	}
	for (i = 0; i < n; i++)
		if (stops(candidate[i]) &&
		    notify_decide(ctx, &row->n, candidate[i]->reference,
			d.word[at[i]].decision, d.reason[at[i]]) != EXIT_OK)
			return false;
	return n_stop > 0;
}

bool
import_row_accept(struct cmd_ctx *ctx, struct import_row *row,
    const struct cmd_finding *finding, size_t n)
{
	const char *reason;
	size_t i;

	if (row->accepted == NULL || row->tries > 3 || n == 0)
		return false;
	for (i = 0; i < n; i++) {
		reason = overrides_reason(ctx, row->accepted, finding[i].rule);
		if (!finding[i].warning || reason == NULL ||
		    overrides_add(ctx, &row->n.overrides, row->n.form,
			&finding[i], reason) != EXIT_OK)
			return false;
	}
	return true;
}
