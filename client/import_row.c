/* From a row's text to a notification, and what its columns decide. */
#include "client/import_row.h"

#include <string.h>

#include "client/import_read.h"
#include "client/json.h"
#include "client/raise.h"
#include "client/reference.h"
#include "client/show.h"

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
			return cmd_fail(
			    ctx, EXIT_UNEXPECTED, NULL, NULL, "out of memory");
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

/* Taken more than a key's life ago: not sent again, its reference told. */
static enum exit_code
accepted_before(struct cmd_ctx *ctx, struct import_row *row)
{
	Cdop__NotificationRegisterReply *reply =
	    cdop_arena_alloc(ctx->arena, sizeof(*reply));

	if (reply == NULL)
		return cmd_fail(
		    ctx, EXIT_UNEXPECTED, NULL, NULL, "out of memory");
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
	code = f->is_json ? read_object(ctx, profile, row, &v)
			  : read_cells(ctx, profile, f, row, &v);
	if (code == EXIT_OK)
		code = raise_check(ctx, row->n.form, &v);
	if (code == EXIT_OK && v.n > 0)
		import_row_reject(row, notify_findings(ctx, &v), v.n);
	else if (code == EXIT_OK && row->is_old && row->reference != NULL)
		code = accepted_before(ctx, row);
	return code;
}

/* "twin" and "other", with an optional reference behind. */
static bool
new_kind(const char *text, Cdop__Decision *ret_kind)
{
	if (strncmp(text, "other", 5) == 0)
		*ret_kind = CDOP__DECISION__NEW_OTHER;
	else if (strncmp(text, "twin", 4) == 0 ||
	    strncmp(text, "sibling", 7) == 0)
		*ret_kind = CDOP__DECISION__NEW_SIBLING;
	else
		return false;
	return true;
}

static bool
decide_join(struct cmd_ctx *ctx, struct import_row *row, const char *text,
    Cdop__Candidate *const *candidate, size_t n)
{
	char *reference;
	size_t i;

	if (reference_read(ctx, text, &reference) != EXIT_OK) {
		ctx->error.message = NULL;
		return false;
	}
	for (i = 0; i < n; i++)
		if (strcmp(candidate[i]->reference, reference) == 0)
			return notify_decide(ctx, &row->n, reference,
				   CDOP__DECISION__JOIN,
				   row->decision_reason) == EXIT_OK;
	return false;
}

bool
import_row_decide(struct cmd_ctx *ctx, struct import_row *row,
    Cdop__Candidate *const *candidate, size_t n)
{
	const char *text = row->decision;
	Cdop__Decision kind;
	size_t i;

	if (text == NULL || row->decision_reason == NULL || row->tries > 3)
		return false;
	if (strncmp(text, "join", 4) == 0)
		return decide_join(
		    ctx, row, text + 4 + strspn(text + 4, ": "), candidate, n);
	if (strncmp(text, "new", 3) != 0)
		return false;
	if (!new_kind(text + 3 + strspn(text + 3, ": "), &kind))
		return false;
	for (i = 0; i < n; i++)
		if (notify_decide(ctx, &row->n, candidate[i]->reference, kind,
			row->decision_reason) != EXIT_OK)
			return false;
	return n > 0;
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
