/* Amending a record and correcting a notification. */
#include "server/registry/cases_edit.h"

#include <string.h>

#include "cdop/profile.h"
#include "server/registry/cases_owner.h"

#define SUGGEST_MAX 8
#define LEFT_SHOWN  6

/* The newest version of a form of the case, and whether it is what was seen. */
static enum cdop_err
read_newest(struct cases_act *act, struct cases_edit *edit, uint32_t instance,
    Cdop__StoredForm **ret_form)
{
	Cdop__StoredForm *seen;
	enum cdop_err err;

	act->looks = true; /* it is copied before it is changed */
	err = cases_read_form(act, edit->slot, instance, 0, ret_form);
	act->looks = false;
	if (err == CDOP_NOT_FOUND)
		return cases_refuse(act, CDOP_NOT_FOUND, "no_such_notification",
		    "this case has no such notification");
	if (err != CDOP_OK || (*ret_form)->version == edit->version)
		return err;
	edit->new_version = (*ret_form)->version;
	if (edit->version <= INDEX_FORM_VERSIONS && edit->version > 0 &&
	    cases_read_form(act, edit->slot, instance, (uint32_t)edit->version,
		&seen) == CDOP_OK) {
		err = cdop_form_diff(seen->form, (*ret_form)->form, act->arena,
		    &edit->difference);
		if (err != CDOP_OK)
			return err;
	}
	return cases_refuse(act, CDOP_ABORTED, "changed",
	    "somebody changed it since you read it: look at it again");
}

/* ---- words ------------------------------------------------------------- */

static enum cdop_err
add_word(struct cases_edit *edit, const char *word)
{
	if (word == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if (edit->n_word < CASES_WORDS_MAX)
		edit->word[edit->n_word++] = word;
	return CDOP_OK;
}

static bool
names(const struct cdop_paths *paths, const char *path)
{
	size_t i;

	for (i = 0; i < paths->n; i++)
		if (strcmp(paths->path[i], path) == 0)
			return true;
	return false;
}

static const char *
owner_name(const struct cases_act *act, uint32_t slot, const char **ret_id)
{
	const struct index_post *post = index_at(act->index, slot);
	const struct cdop_area *area;

	*ret_id = index_word_text(act->index, post->owner);
	area = cdop_profile_area(act->reg->profile, *ret_id);
	return area == NULL ? *ret_id : area->name;
}

/* It counts nowhere, and who writes in it is not to believe that it does. */
static enum cdop_err
say_withdrawn(struct cases_act *act, struct cases_edit *edit)
{
	if (index_at(act->index, edit->slot)->status != INDEX_WITHDRAWN)
		return CDOP_OK;
	return add_word(edit,
	    "the case is entered in error and stays so: reinstate it where it "
	    "is not");
}

/* A new postcode that lies, as the profile has it, in other areas. */
static enum cdop_err
say_postcode(
    struct cases_act *act, struct cases_edit *edit, const Cdop__Form *record)
{
	const struct cdop_area *hint[SUGGEST_MAX];
	const char *owner, *name, *postcode;
	size_t n, i;

	postcode = cdop_form_value(record, "child.postcode", act->arena);
	if (postcode == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if (*postcode == '\0')
		return CDOP_OK;
	name = owner_name(act, edit->slot, &owner);
	n = cdop_profile_suggest(
	    act->reg->profile, postcode, hint, SUGGEST_MAX);
	for (i = 0; i < n && i < SUGGEST_MAX; i++)
		if (strcmp(hint[i]->id, owner) == 0)
			return CDOP_OK;
	if (n == 0)
		return CDOP_OK;
	return add_word(edit,
	    cdop_arena_printf(act->arena,
		"address now may be in %s, owner still %s", hint[0]->name,
		name));
}

/* An amended address never moves a case, and says so (RECORDS M3). */
static enum cdop_err
say_owner(struct cases_act *act, struct cases_edit *edit,
    const Cdop__Form *record, const struct cdop_paths *changed)
{
	const char *owner, *name, *residence, *label;

	if (!names(changed, "area.residence"))
		return names(changed, "child.postcode")
		    ? say_postcode(act, edit, record)
		    : CDOP_OK;
	name = owner_name(act, edit->slot, &owner);
	if (!cdop_form_has(record, "area.residence"))
		return add_word(edit,
		    cdop_arena_printf(act->arena,
			"area of residence now not known, owner still %s",
			name));
	residence = cdop_form_text(record, "area.residence", act->arena);
	if (residence == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if (strcmp(residence, owner) == 0)
		return CDOP_OK;
	label = cdop_profile_area_label(act->reg->profile, residence);
	return add_word(edit,
	    cdop_arena_printf(act->arena, "address now in %s, owner still %s",
		label == NULL ? residence : label, name));
}

/* ---- amend ------------------------------------------------------------- */

/* Everything an amendment works with. */
struct amendment {
	Cdop__StoredForm *before;
	Cdop__StoredForm *after;
	struct cdop_paths named;   /* by the change or to be cleared */
	struct cdop_paths changed; /* before to after */
};

/* The shape first: nothing else may be done with a form from outside. */
static enum cdop_err
check_change(struct cases_act *act, const struct cases_edit *edit)
{
	enum cdop_err err;

	err = cases_check_reason(act, "reason", edit->reason);
	if (err == CDOP_OK)
		err = cases_check_reason(act, "source", edit->form.source);
	if (err == CDOP_OK)
		err = cases_check_line(act, "source", edit->form.source);
	if (err == CDOP_OK)
		err = cdop_form_shape(
		    edit->form.form, act->arena, &act->violations);
	if (err != CDOP_OK)
		return err;
	if (act->violations.n > 0)
		return cases_refuse(act, CDOP_INVALID_ARGUMENT, "bad_field",
		    "the form is not one");
	if (edit->form.form->received != NULL ||
	    edit->form.form->notifier != NULL)
		return cases_bad_field(act, "form", "record.not_here",
		    "how it reached us is the notification's: correct that");
	return CDOP_OK;
}

static enum cdop_err
name_path(
    struct cases_act *act, struct amendment *a, const char *path, size_t cap)
{
	const char *text;

	if (names(&a->named, path))
		return CDOP_OK;
	CDOP_ASSERT(a->named.n < cap);
	text = cdop_arena_strdup(act->arena, path);
	if (text == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	a->named.path[a->named.n++] = text;
	return CDOP_OK;
}

/* Which paths the change speaks of, whether it changes them or not. */
static enum cdop_err
name_paths(
    struct cases_act *act, const struct cases_edit *edit, struct amendment *a)
{
	struct cdop_form_iter iter = {.form = edit->form.form};
	char text[CDOP_FORM_PATH_MAX];
	struct cdop_path path;
	enum cdop_err err;
	size_t cap = edit->n_clear, i;

	while (cdop_form_next_said(&iter, &path))
		cap++;
	a->named.path =
	    cdop_arena_calloc(act->arena, cap, sizeof(*a->named.path));
	if (a->named.path == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	iter = (struct cdop_form_iter){.form = edit->form.form};
	while (cdop_form_next_said(&iter, &path)) {
		if (path.field->kind == CDOP_KIND_ENTRY)
			continue;
		cdop_form_path_write(&path, text);
		if ((err = name_path(act, a, text, cap)) != CDOP_OK)
			return err;
	}
	for (i = 0; i < edit->n_clear; i++) {
		if (cdop_form_path_parse(edit->clear[i], &path) != CDOP_OK ||
		    path.field->kind == CDOP_KIND_ENTRY)
			return cases_bad_field(act, "clear", "path.unknown",
			    "there is no such field to clear");
		err = name_path(act, a, edit->clear[i], cap);
		if (err != CDOP_OK)
			return err;
		cdop_form_clear(a->after->form, &path);
	}
	return CDOP_OK;
}

/* Who types what is there already learns that nothing changed by it. */
static enum cdop_err
say_left(
    struct cases_act *act, struct cases_edit *edit, const struct amendment *a)
{
	const char *all = "left as it was:";
	size_t i, n = 0;

	for (i = 0; i < a->named.n && all != NULL; i++)
		if (!names(&a->changed, a->named.path[i]) && ++n <= LEFT_SHOWN)
			all = cdop_arena_printf(act->arena, "%s%s %s", all,
			    n > 1 ? "," : "", a->named.path[i]);
	if (n == 0)
		return CDOP_OK;
	if (n > LEFT_SHOWN && all != NULL)
		all = cdop_arena_printf(
		    act->arena, "%s and %zu more", all, n - LEFT_SHOWN);
	return add_word(edit, all);
}

static bool
is_overridden(const struct cases_edit *edit, const Cdop__Override *old)
{
	size_t i;

	for (i = 0; i < edit->form.n_override; i++)
		if (strcmp(edit->form.override[i]->path, old->path) == 0 &&
		    strcmp(edit->form.override[i]->rule, old->rule) == 0)
			return true;
	return false;
}

/* Old overrides hold as long as their values do; a newer one comes first. */
static enum cdop_err
join_overrides(
    struct cases_act *act, const struct cases_edit *edit, struct amendment *a)
{
	const Cdop__StoredForm *old = a->before;
	size_t n = edit->form.n_override + old->n_override, i;
	Cdop__Override **list;

	list = cdop_arena_calloc(act->arena, n, sizeof(*list));
	if (list == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	n = edit->form.n_override;
	if (n > 0)
		memcpy(list, edit->form.override, n * sizeof(*list));
	for (i = 0; i < old->n_override; i++)
		if (!is_overridden(edit, old->override[i]))
			list[n++] = old->override[i];
	a->after->override = list;
	a->after->n_override = n;
	return CDOP_OK;
}

/* The next version of the record, as it would be. */
static enum cdop_err
make_after(
    struct cases_act *act, const struct cases_edit *edit, struct amendment *a)
{
	struct cases_form_args args = {
	    .form = a->before->form,
	    .source = edit->form.source,
	    .reason = edit->reason,
	};
	enum cdop_err err;

	err = cases_form_make(act, &args, a->before->case_id, 0,
	    a->before->version + 1, &a->after);
	if (err != CDOP_OK)
		return err;
	a->after->value_source = a->before->value_source;
	a->after->n_value_source = a->before->n_value_source;
	if ((err = name_paths(act, edit, a)) != CDOP_OK)
		return err;
	err = cdop_form_merge(a->after->form, edit->form.form, act->arena);
	if (err == CDOP_OK)
		err = join_overrides(act, edit, a);
	if (err == CDOP_OK)
		err = cdop_form_diff(
		    a->before->form, a->after->form, act->arena, &a->changed);
	if (err != CDOP_OK)
		return err;
	if (a->named.n == 0 && a->changed.n == 0 &&
	    a->after->form->n_raised == a->before->form->n_raised)
		return cases_bad_field(act, "form", "amend.nothing",
		    "nothing is changed or decided by this");
	return CDOP_OK;
}

static enum cdop_err
finish_after(
    struct cases_act *act, const struct cases_edit *edit, struct amendment *a)
{
	const Cdop__Form *form = a->after->form;
	size_t raised =
	    a->before == NULL ? form->n_raised : a->before->form->n_raised;
	bool failed = false;
	enum cdop_err err;
	size_t i;

	for (i = 0; i < a->named.n; i++) {
		err = cases_form_add_source(act, a->after, a->named.path[i],
		    edit->form.source, edit->reason);
		if (err != CDOP_OK)
			return err;
	}
	a->after->changed = cdop_arena_calloc(act->arena,
	    a->changed.n + form->n_raised - raised, sizeof(*a->after->changed));
	if (a->after->changed == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < a->changed.n; i++)
		a->after->changed[i] =
		    cases_text(act, a->changed.path[i], &failed);
	a->after->n_changed = a->changed.n;
	/* Marks are only ever added, behind those that were there. */
	for (i = raised; i < form->n_raised; i++)
		a->after->changed[a->after->n_changed++] =
		    cases_text(act, form->raised[i]->path, &failed);
	return failed ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
}

/* What happened to the state beside the form, as history says it. */
static const char *
state_event(const struct cases_act *act, const struct cases_edit *edit,
    const Cdop__StoredForm *form)
{
	const struct cases_question *q = &edit->question;
	bool linked = false;
	size_t i;

	for (i = 0; i < q->n_tie; i++)
		if (cases_tie_is_event(act, edit->slot, q->tie[i].slot))
			linked = true;
	if (!cases_owner_turns_basis(form))
		return linked ? "linked" : NULL;
	return linked ? "linked, basis of the review changed"
		      : "basis of the review changed";
}

/*
 * The state with what came of the question and of the basis.  It is written
 * whenever the question was asked, and a pair makes no version: neither what
 * the caller sees nor what it costs says whether there is a child in another
 * area.
 */
static enum cdop_err
next_state(struct cases_act *act, const struct cases_edit *edit,
    const Cdop__StoredForm *form, struct cases_change *change)
{
	const char *what = state_event(act, edit, form);
	Cdop__StoredCase *state;
	enum cdop_err err;

	err = cases_read_state(act, edit->slot, &state);
	if (err != CDOP_OK)
		return err;
	change->keeps_version = what == NULL;
	if (what != NULL)
		err = cases_next_state(act, state, what, edit->reason);
	if (err == CDOP_OK && cases_owner_turns_basis(form))
		err = cases_owner_keep_basis(act, form->form, state);
	if (err != CDOP_OK)
		return err;
	change->state = state;
	return cases_question_tie(act, &edit->question, state);
}

/* Rows: the form, and the state where more than the form changes. */
static enum cdop_err
store_form(struct cases_act *act, struct cases_edit *edit,
    const Cdop__StoredForm *form)
{
	struct cases_change change;
	enum cdop_err err;

	cases_change_init(act, edit->slot, &change);
	change.form = &form;
	change.n_form = 1;
	if ((edit->question.asked || cases_owner_turns_basis(form)) &&
	    (err = next_state(act, edit, form, &change)) != CDOP_OK)
		return err;
	if ((err = cases_store(act, &change)) != CDOP_OK)
		return err;
	return cases_question_tie_back(act, &edit->question, change.case_id);
}

static enum cdop_err
ask_amended(
    struct cases_act *act, struct cases_edit *edit, const struct amendment *a)
{
	struct cases_question *q = &edit->question;
	enum cdop_err err;

	q->self = a->before->case_id;
	q->may_join = false;
	if (!cases_form_has_identity(&a->changed) && q->n_decision == 0)
		return CDOP_OK;
	edit->sought = a->after->form;
	err = duplicates_of_form(edit->sought, act->arena, &q->child);
	return err != CDOP_OK ? err : cases_question_ask(act, q);
}

enum cdop_err
cases_edit_amend(struct cases_act *act, struct cases_edit *edit)
{
	struct cases_form_args args;
	struct amendment a;
	enum cdop_err err;

	memset(&a, 0, sizeof(a));
	err = cases_find_reference(act, edit->reference, &edit->slot);
	if (err == CDOP_OK)
		err = check_change(act, edit);
	if (err == CDOP_OK)
		err = read_newest(act, edit, 0, &a.before);
	if (err == CDOP_OK)
		err = make_after(act, edit, &a);
	if (err != CDOP_OK)
		return err;
	args = edit->form;
	args.form = a.after->form;
	args.override = a.after->override;
	args.n_override = a.after->n_override;
	err = cases_form_check(act, &args, a.before->form, CDOP_FORM_RECORD);
	if (err == CDOP_OK)
		err = ask_amended(act, edit, &a);
	if (err == CDOP_OK)
		err = finish_after(act, edit, &a);
	if (err == CDOP_OK)
		err = say_withdrawn(act, edit);
	if (err == CDOP_OK)
		err = say_left(act, edit, &a);
	if (err == CDOP_OK)
		err = say_owner(act, edit, a.after->form, &a.changed);
	if (err == CDOP_OK)
		err = cases_owner_still_missing(
		    act, a.after->form, edit->slot, &edit->missing);
	if (err != CDOP_OK)
		return err;
	edit->new_version = a.after->version;
	return act->dry ? CDOP_OK : store_form(act, edit, a.after);
}

/* ---- correct ----------------------------------------------------------- */

static enum cdop_err
check_correction(struct cases_act *act, struct cases_edit *edit,
    Cdop__StoredForm **ret_before)
{
	enum cdop_err err;

	err = cases_find_reference(act, edit->reference, &edit->slot);
	if (err == CDOP_OK)
		err = cases_check_reason(act, "reason", edit->reason);
	if (err != CDOP_OK)
		return err;
	if (edit->notification == 0)
		return cases_bad_field(act, "notification", "notification.none",
		    "the case record is amended, not corrected");
	err = read_newest(act, edit, edit->notification, ret_before);
	if (err != CDOP_OK)
		return err;
	return cases_form_check(
	    act, &edit->form, (*ret_before)->form, CDOP_FORM_NOTIFICATION);
}

enum cdop_err
cases_edit_correct(struct cases_act *act, struct cases_edit *edit)
{
	Cdop__StoredForm *before, *after, *record = NULL;
	struct amendment a;
	enum cdop_err err;

	memset(&a, 0, sizeof(a));
	if ((err = check_correction(act, edit, &before)) != CDOP_OK)
		return err;
	edit->form.kind = before->kind;
	edit->form.source = before->source;
	edit->form.reason = edit->reason;
	err = cases_form_make(act, &edit->form, before->case_id,
	    edit->notification, before->version + 1, &after);
	/* What was raised stays so, also where the new text does not say it. */
	if (err == CDOP_OK)
		err = cdop_form_raise(after->form, before->form, act->arena);
	if (err == CDOP_OK)
		err = cdop_form_diff(
		    before->form, after->form, act->arena, &a.changed);
	if (err != CDOP_OK)
		return err;
	if (a.changed.n == 0)
		return cases_bad_field(act, "form", "correct.nothing",
		    "nothing is changed by this");
	a.after = after;
	err = finish_after(act, edit, &a);
	edit->question.self = after->case_id;
	if (err == CDOP_OK && cases_form_has_identity(&a.changed))
		err = cases_question_wait(act, &edit->question, after, 0);
	if (err == CDOP_OK)
		err = cases_read_form(act, edit->slot, 0, 0, &record);
	if (err == CDOP_OK)
		err = cases_form_differences(
		    act, record, after, &edit->difference);
	if (err == CDOP_OK)
		err = cases_owner_still_missing(
		    act, record->form, edit->slot, &edit->missing);
	if (err == CDOP_OK)
		err = say_withdrawn(act, edit);
	if (err == CDOP_OK && edit->difference.n > 0)
		err = add_word(edit,
		    "the case record says otherwise: amend it where this is "
		    "right");
	if (err != CDOP_OK)
		return err;
	edit->instance = edit->notification;
	edit->new_version = after->version;
	return store_form(act, edit, after);
}

/* ---- once more --------------------------------------------------------- */

enum cdop_err
cases_edit_again(struct cases_act *act, struct cases_edit *edit)
{
	struct cdop_paths changed = {NULL, 0};
	Cdop__StoredForm *record = NULL;
	enum cdop_err err;
	size_t i;

	err = cases_find_reference(act, edit->reference, &edit->slot);
	if (err == CDOP_OK)
		err = cases_read_form(act, edit->slot, 0, 0, &record);
	if (err == CDOP_OK)
		err = cases_owner_still_missing(
		    act, record->form, edit->slot, &edit->missing);
	if (err != CDOP_OK)
		return err;
	changed.path = cdop_arena_calloc(
	    act->arena, record->n_changed, sizeof(*changed.path));
	if (changed.path == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < record->n_changed; i++)
		changed.path[changed.n++] = record->changed[i];
	return say_owner(act, edit, record->form, &changed);
}
