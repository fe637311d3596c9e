/* Asking, and what the answers change. */
#include "server/registry/cases_question.h"

#include <string.h>

#include "cdop/limits.h"

/*
 * A candidate list and a pair list are at most this long.  What is named and
 * what is decided about stands in one leaf, with the case itself.
 */
#define NAMED_MAX (CDOP_LIST_MAX - CASES_DECISIONS_MAX - 2)
#define PAIRS_MAX 100u

/* ---- decisions --------------------------------------------------------- */

/* Twins were born within a day; other siblings were not. */
static const char *
kind_of(const struct cases_question *q, const struct cases_decision *decision,
    const struct index_post *post)
{
	size_t i;

	if (decision->decided == CASES_OTHER)
		return "not_duplicate";
	for (i = 0; i < q->child.n_date; i++)
		if (!q->child.date[i].death &&
		    index_post_fit(post, false, q->child.date[i].span, 1) >=
			INDEX_FIT_MAYBE)
			return "multiple_birth";
	return "siblings";
}

static enum cdop_err
take_join(struct cases_act *act, struct cases_question *q,
    const struct cases_decision *decision, uint32_t slot)
{
	if (!q->may_join)
		return cases_bad_field(act, "decision", "decision.join",
		    "an amendment joins nothing: move the notification");
	if (q->join)
		return cases_bad_field(act, "decision", "decision.two_joins",
		    "it can join one case only");
	if (index_at(act->index, slot)->status == INDEX_WITHDRAWN)
		return cases_refuse(act, CDOP_FAILED_PRECONDITION, "withdrawn",
		    "that case is entered in error: reinstate it first");
	q->join = true;
	q->join_slot = slot;
	q->join_reason = decision->reason;
	return CDOP_OK;
}

static enum cdop_err
refuse_twice(struct cases_act *act)
{
	return cases_bad_field(
	    act, "decision", "decision.twice", "one decision for each case");
}

static enum cdop_err
take_decision(struct cases_act *act, struct cases_question *q,
    const struct cases_decision *decision)
{
	struct cases_tie *tie;
	enum cdop_err err;
	uint32_t slot;
	size_t i;

	err = cases_find_reference(act, decision->reference, &slot);
	if (err == CDOP_OK)
		err = cases_check_reason(
		    act, "decision.reason", decision->reason);
	if (err != CDOP_OK)
		return err;
	for (i = 0; i < q->n_tie; i++)
		if (q->tie[i].slot == slot)
			return refuse_twice(act);
	if (q->join && q->join_slot == slot)
		return refuse_twice(act);
	if (index_at(act->index, slot)->case_id == q->self)
		return cases_bad_field(act, "decision", "decision.itself",
		    "this is the case itself");
	if (decision->decided == CASES_JOIN)
		return take_join(act, q, decision, slot);
	CDOP_ASSERT(q->n_tie < CASES_DECISIONS_MAX);
	tie = &q->tie[q->n_tie++];
	tie->slot = slot;
	tie->kind = kind_of(q, decision, index_at(act->index, slot));
	tie->reason = decision->reason;
	return CDOP_OK;
}

/* ---- sorting the candidates -------------------------------------------- */

/* The case that the identity belongs to or will: NULL where it is new. */
static const struct index_post *
own_post(const struct cases_act *act, const struct cases_question *q)
{
	uint32_t slot;

	if (q->join)
		return index_at(act->index, q->join_slot);
	if (q->self != 0 && index_by_case(act->index, q->self, &slot))
		return index_at(act->index, slot);
	return NULL;
}

/* Is nothing left to ask about this one? */
static bool
is_settled(const struct cases_act *act, const struct cases_question *q,
    const struct duplicates_hit *hit)
{
	const struct index_post *own = own_post(act, q);
	const struct index_post *post = index_at(act->index, hit->slot);
	size_t i;

	if (own != NULL &&
	    (own == post || index_post_decided(own, post->case_id) ||
		index_post_decided(post, own->case_id)))
		return true;
	for (i = 0; i < q->n_tie; i++)
		if (q->tie[i].slot == hit->slot)
			return true;
	return false;
}

static bool
has_same_number(const struct duplicates_hit *hit)
{
	size_t i;

	for (i = 0; i < hit->n_reason; i++)
		if (strcmp(hit->reason[i], DUPLICATES_SAME_NUMBER) == 0)
			return true;
	return false;
}

/* Twins have two numbers: with one, one of the two records is wrong. */
static enum cdop_err
check_siblings(struct cases_act *act, const struct cases_question *q,
    const struct duplicates_list *list)
{
	size_t i, j;

	for (i = 0; i < q->n_tie; i++) {
		if (strcmp(q->tie[i].kind, "not_duplicate") == 0)
			continue;
		for (j = 0; j < list->n; j++)
			if (list->hit[j].slot == q->tie[i].slot &&
			    has_same_number(&list->hit[j]))
				return cases_bad_field(act, "decision",
				    "decision.same_number",
				    "twins and siblings have NHS numbers of "
				    "their own: mend the one that is wrong, "
				    "or join");
	}
	return CDOP_OK;
}

static enum cdop_err
sort_hits(struct cases_act *act, struct cases_question *q,
    const struct duplicates_list *list)
{
	struct duplicates_hit *named;
	const struct index_post *post;
	uint64_t *pair;
	size_t i;

	named = cdop_arena_calloc(act->arena, list->n, sizeof(*named));
	pair = cdop_arena_calloc(act->arena, list->n, sizeof(*pair));
	if (named == NULL || pair == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < list->n; i++) {
		post = index_at(act->index, list->hit[i].slot);
		if (post->status == INDEX_WITHDRAWN ||
		    is_settled(act, q, &list->hit[i]))
			continue;
		if (access_may_see(&act->access, post)) {
			q->n_undecided++;
			if (q->n_named < NAMED_MAX)
				named[q->n_named++] = list->hit[i];
		} else if (q->n_pair < PAIRS_MAX) {
			pair[q->n_pair++] = post->case_id;
		}
	}
	/* Those that do not stop take no place from those that do. */
	for (i = 0; i < list->n && q->n_named < NAMED_MAX; i++) {
		post = index_at(act->index, list->hit[i].slot);
		if (post->status == INDEX_WITHDRAWN &&
		    access_may_see(&act->access, post) &&
		    !is_settled(act, q, &list->hit[i]))
			named[q->n_named++] = list->hit[i];
	}
	q->named = named;
	q->pair = pair;
	return CDOP_OK;
}

/* Before anything is written: each end of a tie has room for the other. */
static enum cdop_err
check_links(struct cases_act *act, const struct cases_question *q)
{
	const struct index_post *own = own_post(act, q), *post;
	size_t i;

	for (i = 0; i < q->n_tie; i++) {
		post = index_at(act->index, q->tie[i].slot);
		if (!cases_may_link(
			act, post, own == NULL ? 0 : own->case_id) ||
		    (own != NULL && !cases_may_link(act, own, post->case_id)))
			return cases_bad_field(act, "decision", "link.too_many",
			    "a case is linked to twenty others at most");
	}
	return CDOP_OK;
}

enum cdop_err
cases_question_ask(struct cases_act *act, struct cases_question *question)
{
	struct duplicates_list list;
	enum cdop_err err;
	size_t i;

	if (question->n_decision > CASES_DECISIONS_MAX)
		return cases_bad_field(act, "decision", "decision.too_many",
		    question->may_join
			? "at most eight decisions at a time: where more are "
			  "asked for, join one of them and move the "
			  "notification to a case of its own, and the others "
			  "wait among the pairs"
			: "at most eight decisions at a time");
	question->asked = true;
	for (i = 0; i < question->n_decision; i++) {
		err = take_decision(act, question, &question->decision[i]);
		if (err != CDOP_OK)
			return err;
	}
	if ((err = check_links(act, question)) != CDOP_OK)
		return err;
	err = duplicates_find(
	    act->index, &question->child, question->self, act->arena, &list);
	if (err == CDOP_OK)
		err = check_siblings(act, question, &list);
	if (err == CDOP_OK)
		err = sort_hits(act, question, &list);
	if (err != CDOP_OK)
		return err;
	if (question->n_undecided > 0)
		return cases_refuse(act, CDOP_FAILED_PRECONDITION,
		    "possible_duplicate",
		    "it may be a child we know: join, or say that it is not");
	return CDOP_OK;
}

/* Whoever may see them is told now, and the others when they ask. */
static enum cdop_err
pair_named(struct cases_act *act, struct cases_question *q, uint64_t other)
{
	struct duplicates_hit *named;
	size_t n_named = 0, i, n = 0;
	uint64_t *pair, id;

	pair = cdop_arena_calloc(
	    act->arena, q->n_pair + q->n_named, sizeof(*pair));
	named = cdop_arena_calloc(act->arena, q->n_named, sizeof(*named));
	if (pair == NULL || named == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < q->n_pair; i++)
		pair[n++] = q->pair[i];
	for (i = 0; i < q->n_named; i++) {
		id = index_at(act->index, q->named[i].slot)->case_id;
		if (id == other)
			continue;
		pair[n++] = id;
		named[n_named++] = q->named[i];
	}
	q->named = named;
	q->n_named = n_named;
	q->pair = pair;
	q->n_pair = n;
	return CDOP_OK;
}

enum cdop_err
cases_question_wait(struct cases_act *act, struct cases_question *question,
    const Cdop__StoredForm *form, uint64_t other)
{
	enum cdop_err err;

	err = duplicates_of_form(form->form, act->arena, &question->child);
	if (err != CDOP_OK)
		return err;
	err = cases_question_ask(act, question);
	if (err != CDOP_OK && err != CDOP_FAILED_PRECONDITION)
		return err;
	act->reason = NULL;
	act->message = NULL;
	return pair_named(act, question, other);
}

bool
cases_question_stops(const struct cases_act *act)
{
	return act->reason != NULL &&
	    strcmp(act->reason, "possible_duplicate") == 0;
}

/* ---- links ------------------------------------------------------------- */

enum cdop_err
cases_question_tie(struct cases_act *act, const struct cases_question *question,
    Cdop__StoredCase *state)
{
	const struct cases_tie *tie;
	enum cdop_err err;
	size_t i;

	for (i = 0; i < question->n_tie; i++) {
		tie = &question->tie[i];
		err = cases_add_link(act, state, tie->kind,
		    index_at(act->index, tie->slot)->case_id, tie->reason);
		if (err != CDOP_OK)
			return err;
	}
	for (i = 0; i < question->n_pair; i++) {
		err = cases_add_link(
		    act, state, "possible_duplicate", question->pair[i], NULL);
		if (err != CDOP_OK)
			return err;
	}
	return CDOP_OK;
}

bool
cases_tie_is_event(const struct cases_act *act, uint32_t slot, uint32_t other)
{
	return index_at(act->index, slot)->owner ==
	    index_at(act->index, other)->owner;
}

enum cdop_err
cases_tie_back(struct cases_act *act, uint32_t slot, const char *kind,
    uint64_t case_id, const char *reason)
{
	struct cases_change change;
	Cdop__StoredCase *state;
	enum cdop_err err;
	uint32_t other;

	cases_change_init(act, slot, &change);
	if ((err = cases_read_state(act, slot, &state)) != CDOP_OK)
		return err;
	change.keeps_version = index_by_case(act->index, case_id, &other) &&
	    !cases_tie_is_event(act, slot, other);
	if (!change.keeps_version &&
	    (err = cases_next_state(act, state, "linked", reason)) != CDOP_OK)
		return err;
	err = cases_add_link(act, state, kind, case_id, reason);
	if (err != CDOP_OK)
		return err;
	change.state = state;
	return cases_store(act, &change);
}

enum cdop_err
cases_tie_end(
    struct cases_act *act, uint32_t slot, const struct cases_tie *tie, bool ask)
{
	uint64_t other_id = index_at(act->index, tie->slot)->case_id;
	struct cases_change change;
	Cdop__StoredCaseLink *link;
	Cdop__StoredCase *state;
	bool failed = false;
	enum cdop_err err;

	cases_change_init(act, slot, &change);
	if ((err = cases_read_state(act, slot, &state)) != CDOP_OK)
		return err;
	if ((link = cases_link(state, tie->kind, other_id)) == NULL)
		return CDOP_OK;
	change.keeps_version = !cases_tie_is_event(act, slot, tie->slot);
	if (!change.keeps_version)
		err = cases_next_state(act, state, "link ended", tie->reason);
	link->has_ended_ms = true;
	link->ended_ms = act->now_ms;
	link->has_ended_person = true;
	link->ended_person = act->actor->person;
	link->ended_reason = cases_text(act, tie->reason, &failed);
	if (err == CDOP_OK && ask)
		err = cases_add_link(
		    act, state, "possible_duplicate", other_id, NULL);
	if (err != CDOP_OK || failed)
		return err != CDOP_OK ? err : CDOP_RESOURCE_EXHAUSTED;
	change.state = state;
	return cases_store(act, &change);
}

enum cdop_err
cases_question_tie_back(struct cases_act *act,
    const struct cases_question *question, uint64_t case_id)
{
	const struct cases_tie *tie;
	enum cdop_err err;
	size_t i;

	for (i = 0; i < question->n_tie; i++) {
		tie = &question->tie[i];
		err = cases_tie_back(
		    act, tie->slot, tie->kind, case_id, tie->reason);
		if (err != CDOP_OK)
			return err;
	}
	return CDOP_OK;
}
