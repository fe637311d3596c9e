/* A case that changed since it was seen: what, and whether to go on. */
#include <string.h>

#include "client/call.h"
#include "client/change.h"
#include "client/json.h"
#include "client/print.h"
#include "client/prompt.h"
#include "client/session.h"
#include "client/show.h"

#define MEETINGS_MAX 5 /* somebody else is faster each time */

static const char *const parts[] = {
    [SEEN_STATE] = "case",
    [SEEN_RECORD] = "case record",
    [SEEN_NOTIFICATION] = "notification",
};

/* What is told of it: both forms where there are two, or the events. */
struct meeting {
	struct cmd_ctx *ctx;
	const struct change *change;
	const Cdop__FormInstance *seen; /* NULL: cannot be read any more */
	const Cdop__FormInstance *now;
	struct cdop_paths path;
	const Cdop__CaseHistoryReply *history;
	json_t *list; /* with --json */
};

/* ---- reading ----------------------------------------------------- */

/* The case record as it was when it was seen. */
static enum exit_code
read_seen(struct meeting *m)
{
	Cdop__CaseShowRequest request;
	Cdop__CaseShowReply *reply;
	enum exit_code code;

	cdop__case_show_request__init(&request);
	request.reference = m->change->reference;
	request.has_version = true;
	request.version = m->change->version;
	code = call_case_show(m->ctx, &request, &reply);
	/* A version that there never was differs in everything. */
	if (code == EXIT_NOT_FOUND || code == EXIT_INVALID)
		return EXIT_OK;
	if (code == EXIT_OK)
		m->seen = reply->case_->record;
	return code;
}

static enum exit_code
read_difference(struct meeting *m, const Cdop__ChangeReply *reply)
{
	enum exit_code code = EXIT_OK;
	size_t i;

	m->now = change_form_now(m->change);
	if (m->change->part == SEEN_RECORD)
		code = read_seen(m);
	if (code != EXIT_OK || m->now == NULL || m->now->form == NULL)
		return code;
	if (m->seen != NULL && m->seen->form != NULL)
		return cdop_form_diff(m->seen->form, m->now->form,
			   m->ctx->arena, &m->path) == CDOP_OK
		    ? EXIT_OK
		    : EXIT_UNEXPECTED;
	if (reply == NULL)
		return EXIT_OK;
	m->path.path = cdop_arena_calloc(
	    m->ctx->arena, reply->n_difference + 1, sizeof(*m->path.path));
	for (i = 0; m->path.path != NULL && i < reply->n_difference; i++)
		m->path.path[m->path.n++] = reply->difference[i];
	return EXIT_OK;
}

static enum exit_code
read_history(struct meeting *m)
{
	Cdop__CaseHistoryRequest request;
	Cdop__CaseHistoryReply *reply;
	enum exit_code code;

	cdop__case_history_request__init(&request);
	request.reference = m->change->reference;
	code = call_case_history(m->ctx, &request, &reply);
	if (code == EXIT_OK)
		m->history = reply;
	return code;
}

/* ---- telling ----------------------------------------------------- */

static const char *
words_of(struct meeting *m, const Cdop__FormInstance *f,
    const struct cdop_path *path)
{
	const char *words = cdop_form_words(
	    f->form, path, m->ctx->session->profile, m->ctx->arena);

	return words != NULL && words[0] != '\0' ? words : "-";
}

static void
tell_value(struct meeting *m, const char *text, const struct cdop_path *path)
{
	const char *by = show_by_whom(m->ctx, m->now, text);

	print_out(m->ctx, "%s (%s)%s%s", path->field->label, text,
	    by != NULL ? ", " : "", by != NULL ? by : "");
	if (m->seen != NULL)
		show_value(m->ctx, "you saw", words_of(m, m->seen, path));
	show_value(m->ctx, "now", words_of(m, m->now, path));
}

static json_t *
value_of(struct meeting *m, const Cdop__FormInstance *f,
    const struct cdop_path *path)
{
	json_t *value = f == NULL ? NULL : json_value(m->ctx, f->form, path);

	return value != NULL ? value : json_null();
}

static void
tell_difference(struct meeting *m)
{
	struct cdop_path path;
	size_t i;

	for (i = 0; i < m->path.n; i++) {
		if (cdop_form_path_parse(m->path.path[i], &path) != CDOP_OK)
			continue;
		if (m->list == NULL)
			tell_value(m, m->path.path[i], &path);
		else
			(void)json_array_append_new(m->list,
			    json_pack("{s:s,s:s,s:o,s:o}", "path",
				m->path.path[i], "label", path.field->label,
				"seen", value_of(m, m->seen, &path), "now",
				value_of(m, m->now, &path)));
	}
}

static void
tell_history(struct meeting *m)
{
	const Cdop__HistoryEntry *e;
	size_t i;

	for (i = 0; i < m->history->n_entry; i++) {
		e = m->history->entry[i];
		if (e->has_instance || e->version <= m->change->version)
			continue;
		if (m->list == NULL)
			show_case_event(m->ctx, e);
		else
			(void)json_array_append_new(
			    m->list, json_message(m->ctx, &e->base));
	}
	if (m->list == NULL)
		show_case_head(m->ctx, m->change->now);
}

static void
tell(struct meeting *m)
{
	const struct change *c = m->change;
	uint64_t now = change_version_now(c);
	json_t *object;

	if (m->ctx->g.json) {
		m->list = json_array();
		object = print_envelope(m->ctx, "case.changed", false);
	} else {
		object = NULL;
		print_mode(m->ctx);
		print_out(m->ctx,
		    "%s: the %s is at version %llu, you saw version %llu.  %s",
		    c->reference, parts[c->part], (unsigned long long)now,
		    (unsigned long long)c->version,
		    c->version < now ? "Changed since:"
				     : "There is no such version yet.");
	}
	if (m->history != NULL)
		tell_history(m);
	else
		tell_difference(m);
	if (object == NULL)
		return;
	(void)json_object_update_new(object,
	    json_pack("{s:s,s:s,s:I,s:I,s:o}", "reference", c->reference,
		"part", parts[c->part], "seen", (json_int_t)c->version, "now",
		(json_int_t)now, "changes", m->list));
	print_json(object);
}

/* ---- going on ---------------------------------------------------- */

static bool
was_changed(const struct cmd_ctx *ctx, enum exit_code code)
{
	return code == EXIT_CONFLICT && ctx->error.reason != NULL &&
	    strcmp(ctx->error.reason, "changed") == 0;
}

static enum exit_code
meet(struct cmd_ctx *ctx, struct change *change, const Cdop__ChangeReply *reply)
{
	struct meeting m = {.ctx = ctx, .change = change};
	enum exit_code code;

	change->now = NULL;
	if ((code = change_look(ctx, change)) != EXIT_OK)
		return code;
	code = change->part == SEEN_STATE ? read_history(&m)
					  : read_difference(&m, reply);
	if (code == EXIT_OK)
		tell(&m);
	return code;
}

bool
change_again(struct cmd_ctx *ctx, struct change *change, enum exit_code *code,
    const Cdop__ChangeReply *reply)
{
	struct cmd_error error = ctx->error;
	enum exit_code asked;
	bool yes = false;

	if (!was_changed(ctx, *code) || change->meetings++ == MEETINGS_MAX)
		return false;
	/* The refusal stands, whatever comes of looking into it. */
	if (meet(ctx, change, reply) == EXIT_OK && prompt_is_possible(ctx)) {
		asked = prompt_yes(
		    ctx, "Make your change all the same", false, &yes);
		if (asked != EXIT_OK) {
			*code = asked;
			error.message = NULL;
		}
	}
	ctx->error = error;
	if (!yes)
		return false;
	change->version = change_version_now(change);
	memset(&ctx->error, 0, sizeof(ctx->error));
	return true;
}
