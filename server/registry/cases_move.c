/* A notification goes to the case it is about, with all its versions. */
#include <stdio.h>
#include <string.h>

#include "cdop/limits.h"
#include "server/registry/cases_edit.h"
#include "server/registry/cases_register.h"

#define SUMMARY_ROOM (512u << 10)

/* Where from, where to, and what goes. */
struct move {
	Cdop__StoredCase *from;
	Cdop__StoredInstanceLink *link; /* in from */
	Cdop__StoredForm **form;        /* its versions, oldest first */
	size_t n_form;
	uint64_t from_id;
	uint64_t to_id;
	Cdop__StoredForm *first; /* the record that is to get a row, or NULL */
	bool is_told_apart; /* the two cases are known to be two children */
};

static Cdop__StoredInstanceLink *
find_link(const Cdop__StoredCase *state, uint32_t number, size_t *ret_belong)
{
	Cdop__StoredInstanceLink *found = NULL;
	size_t i;

	*ret_belong = 0;
	for (i = 0; i < state->n_instance; i++) {
		if (!state->instance[i]->belongs)
			continue;
		(*ret_belong)++;
		if (state->instance[i]->number == number)
			found = state->instance[i];
	}
	return found;
}

static enum cdop_err
check_from(struct cases_act *act, struct cases_edit *edit, struct move *move)
{
	enum cdop_err err;
	size_t belong;

	err = cases_find_reference(act, edit->reference, &edit->slot);
	if (err == CDOP_OK)
		err = cases_check_reason(act, "reason", edit->reason);
	if (err == CDOP_OK)
		err = cases_read_state(act, edit->slot, &move->from);
	if (err != CDOP_OK)
		return err;
	move->from_id = move->from->case_id;
	if (move->from->version != edit->version) {
		edit->new_version = move->from->version;
		return cases_refuse(act, CDOP_ABORTED, "changed",
		    "somebody changed it since you read it: look at it again");
	}
	if (index_at(act->index, edit->slot)->held)
		return cases_refuse(act, CDOP_FAILED_PRECONDITION, "on_hold",
		    "it is on legal hold: nothing leaves it until that is "
		    "lifted");
	move->link = find_link(move->from, edit->notification, &belong);
	if (move->link == NULL)
		return cases_refuse(act, CDOP_NOT_FOUND, "no_such_notification",
		    "this case has no such notification");
	if (belong < 2)
		return cases_refuse(act, CDOP_FAILED_PRECONDITION,
		    "last_notification",
		    "it is the only notification of its case: withdraw the "
		    "case instead");
	return CDOP_OK;
}

/* The two cases of a move are linked as two children. */
static enum cdop_err
no_room(struct cases_act *act, const char *path)
{
	return cases_bad_field(act, path, "link.too_many",
	    "a case is linked to twenty others at most");
}

static enum cdop_err
check_to(struct cases_act *act, struct cases_edit *edit, struct move *move)
{
	const struct index_post *to, *from;
	enum cdop_err err;

	from = index_at(act->index, edit->slot);
	if (edit->to == NULL && !cases_may_link(act, from, 0))
		return no_room(act, "reference");
	if (edit->to == NULL)
		return CDOP_OK;
	err = cases_find_reference(act, edit->to, &edit->to_slot);
	if (err != CDOP_OK)
		return err;
	if (edit->to_slot == edit->slot)
		return cases_bad_field(act, "to_reference", "move.itself",
		    "it belongs to that case already");
	to = index_at(act->index, edit->to_slot);
	if (to->status == INDEX_WITHDRAWN)
		return cases_refuse(act, CDOP_FAILED_PRECONDITION, "withdrawn",
		    "that case is entered in error: reinstate it first");
	move->to_id = to->case_id;
	move->is_told_apart = index_post_decided(from, to->case_id) ||
	    index_post_decided(to, from->case_id);
	if (!cases_may_link(act, from, to->case_id) ||
	    !cases_may_link(act, to, from->case_id))
		return no_room(act, "to_reference");
	return CDOP_OK;
}

static enum cdop_err
read_versions(
    struct cases_act *act, const struct cases_edit *edit, struct move *move)
{
	uint32_t n, i;
	enum cdop_err err;

	if (edit->notification == 1 && !cases_has_row(act, edit->slot, 0, 1)) {
		err = cases_read_form(act, edit->slot, 0, 1, &move->first);
		if (err != CDOP_OK)
			return err;
	}
	n = cases_form_version(act, edit->slot, edit->notification);
	move->form = cdop_arena_calloc(act->arena, n, sizeof(*move->form));
	if (move->form == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 1; i <= n; i++) {
		err = cases_read_form(act, edit->slot, edit->notification, i,
		    &move->form[move->n_form]);
		if (err == CDOP_OK)
			move->n_form++;
		else if (err != CDOP_NOT_FOUND)
			return err;
	}
	return move->n_form == 0 ? CDOP_DATA_LOSS : CDOP_OK;
}

static enum cdop_err
move_in(struct cases_act *act, struct cases_edit *edit, struct move *move)
{
	struct cases_change change;
	Cdop__StoredCase *state;
	enum cdop_err err;
	size_t i;

	if ((err = cases_read_state(act, edit->to_slot, &state)) != CDOP_OK)
		return err;
	if (state->n_instance >= CDOP_CASE_NOTIFICATIONS_MAX)
		return cases_bad_field(act, "to_reference", "join.too_many",
		    "five hundred notifications have been joined to it");
	edit->instance = state->next_instance;
	for (i = 0; i < move->n_form; i++) {
		move->form[i]->case_id = move->to_id;
		move->form[i]->number = edit->instance;
	}
	err =
	    cases_next_state(act, state, "notification moved in", edit->reason);
	if (err == CDOP_OK)
		err = cases_register_add(
		    act, state, edit->instance, move->from_id);
	if (err == CDOP_OK && !move->is_told_apart)
		err = cases_add_link(
		    act, state, "not_duplicate", move->from_id, edit->reason);
	if (err == CDOP_OK)
		err = cases_question_tie(act, &edit->question, state);
	if (err != CDOP_OK)
		return err;
	state->next_instance++;
	cases_change_init(act, edit->to_slot, &change);
	change.state = state;
	change.form = (const Cdop__StoredForm *const *)move->form;
	change.n_form = move->n_form;
	return cases_store(act, &change);
}

static enum cdop_err
move_out_new(struct cases_act *act, struct cases_edit *edit, struct move *move)
{
	struct cases_register reg;
	Cdop__StoredForm *newest = move->form[move->n_form - 1];
	enum cdop_err err;

	memset(&reg, 0, sizeof(reg));
	reg.form.form = newest->form;
	reg.form.reason = edit->reason;
	reg.form.source = newest->source;
	reg.moved = move->form;
	reg.n_moved = move->n_form;
	reg.moved_from = move->from_id;
	reg.question = edit->question;
	err = cases_owner_decide(act, newest->form, NULL, NULL, &reg.owner);
	if (err == CDOP_OK)
		err = cases_register_new(act, &reg, "registered by a move");
	if (err != CDOP_OK)
		return err;
	move->to_id = reg.case_id;
	edit->to_slot = reg.slot;
	edit->instance = reg.notification;
	return cases_tie_back(
	    act, reg.slot, "not_duplicate", move->from_id, edit->reason);
}

/*
 * The case it leaves keeps the link and says where it went.  Where its
 * first record was only what this notification said, that gets its row now.
 */
static enum cdop_err
leave(struct cases_act *act, struct cases_edit *edit, struct move *move)
{
	const Cdop__StoredForm *first;
	struct cases_change change;
	enum cdop_err err;

	err = cases_next_state(
	    act, move->from, "notification moved away", edit->reason);
	if (err == CDOP_OK && !move->is_told_apart)
		err = cases_add_link(act, move->from, "not_duplicate",
		    move->to_id, edit->reason);
	if (err != CDOP_OK)
		return err;
	move->link->version++;
	move->link->belongs = false;
	move->link->has_moved_to = true;
	move->link->moved_to = move->to_id;
	cases_change_init(act, edit->slot, &change);
	change.state = move->from;
	change.drop = edit->notification;
	if (move->first != NULL) {
		first = move->first;
		change.form = &first;
		change.n_form = 1;
	}
	edit->new_version = move->from->version;
	return cases_store(act, &change);
}

/* Values of the record that came from it stay until somebody looks. */
static enum cdop_err
name_values(struct cases_act *act, struct cases_edit *edit)
{
	char source[32];
	Cdop__StoredForm *record;
	const Cdop__ValueSource *entry;
	const char **path;
	enum cdop_err err;
	size_t i;

	(void)snprintf(
	    source, sizeof(source), "notification %u", edit->notification);
	err = cases_read_form(act, edit->slot, 0, 0, &record);
	if (err != CDOP_OK)
		return err;
	path = cdop_arena_calloc(
	    act->arena, record->n_value_source, sizeof(*path));
	if (path == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	edit->difference.path = path;
	for (i = 0; i < record->n_value_source; i++) {
		entry = record->value_source[i];
		if (strcmp(entry->source, source) != 0)
			continue;
		if (*entry->path != '\0')
			path[edit->difference.n++] = entry->path;
		else if (edit->n_word < CASES_WORDS_MAX)
			edit->word[edit->n_word++] =
			    "the case record was made from this notification: "
			    "look through it";
	}
	if (edit->difference.n > 0 && edit->n_word < CASES_WORDS_MAX)
		edit->word[edit->n_word++] =
		    "the case record still has values from it: amend them";
	return CDOP_OK;
}

/*
 * What was read is written under another key, and the summaries of both are
 * made: that takes as much again, and a summary.  Half a move cannot be
 * taken back alone.
 */
static enum cdop_err
check_room(struct cases_act *act, size_t taken)
{
	if (cdop_arena_has(act->arena, taken + SUMMARY_ROOM))
		return CDOP_OK;
	return cases_refuse(act, CDOP_RESOURCE_EXHAUSTED, "too_large",
	    "it has too many and too long versions to be moved");
}

enum cdop_err
cases_edit_move(struct cases_act *act, struct cases_edit *edit)
{
	size_t used = cdop_arena_used(act->arena);
	struct move move;
	enum cdop_err err;

	memset(&move, 0, sizeof(move));
	if ((err = check_from(act, edit, &move)) != CDOP_OK)
		return err;
	if ((err = check_to(act, edit, &move)) != CDOP_OK)
		return err;
	if ((err = read_versions(act, edit, &move)) != CDOP_OK)
		return err;
	/* The two cases of the move are two children, by its reason. */
	edit->question.self = move.to_id;
	err = cases_question_wait(
	    act, &edit->question, move.form[move.n_form - 1], move.from_id);
	if (err != CDOP_OK)
		return err;
	if ((err = name_values(act, edit)) != CDOP_OK)
		return err;
	err = check_room(act, cdop_arena_used(act->arena) - used);
	if (err != CDOP_OK)
		return err;
	err = edit->to != NULL ? move_in(act, edit, &move)
			       : move_out_new(act, edit, &move);
	return err != CDOP_OK ? err : leave(act, edit, &move);
}
