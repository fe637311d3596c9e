/* From the registry's words about cases to the wire's. */
#include "server/rpc/rpc_case.h"

#include <string.h>

#include "cdop/fields.h"
#include "cdop/fold.h"
#include "cdop/profile.h"
#include "server/registry/cases_list.h"

#define OTHER_NAME "other_name.family_name"

void
rpc_case_act(struct rpc_ctx *ctx, struct cases_act *ret_act)
{
	cases_act_init(
	    ret_act, ctx->reg->cases, ctx->arena, ctx->actor, ctx->now_ms);
}

enum cdop_err
rpc_case_end(
    struct rpc_ctx *ctx, const struct cases_act *act, enum cdop_err err)
{
	const struct cdop_violation *v;
	size_t i;

	for (i = 0; i < act->violations.n; i++) {
		v = &act->violations.v[i];
		rpc_violation(ctx, v->path, v->rule,
		    v->severity == CDOP_SEVERITY_WARNING
			? CDOP__SEVERITY__WARNING
			: CDOP__SEVERITY__ERROR,
		    v->message);
	}
	if (act->true_outcome != CDOP_OK)
		ctx->true_outcome = act->true_outcome;
	ctx->nowhere = act->nowhere;
	if (act->reason != NULL)
		ctx->reason = act->reason;
	if (act->message != NULL)
		ctx->message = act->message;
	return err;
}

char *
rpc_case_text(struct rpc_ctx *ctx, const char *text, bool *failed)
{
	char *copy;

	if (text == NULL)
		return NULL;
	copy = cdop_arena_strdup(ctx->arena, text);
	if (copy == NULL)
		*failed = true;
	return copy;
}

char **
rpc_case_texts(
    struct rpc_ctx *ctx, const char *const *text, size_t n, bool *failed)
{
	char **list;
	size_t i;

	if (n == 0)
		return NULL;
	list = cdop_arena_calloc(ctx->arena, n, sizeof(*list));
	if (list == NULL) {
		*failed = true;
		return NULL;
	}
	for (i = 0; i < n; i++)
		list[i] = rpc_case_text(ctx, text[i], failed);
	return list;
}

/* ---- what left --------------------------------------------------------- */

void
rpc_case_release_forms(struct rpc_ctx *ctx, const struct cases_act *act,
    uint32_t slot, const struct rpc_case_left *left)
{
	const struct index_post *post = index_at(act->index, slot);
	struct rpc_released released;
	char reference[CDOP_REFERENCE_TEXT];
	struct cdop_living *living;
	uint32_t *instance;

	memset(&released, 0, sizeof(released));
	cases_reference(act->cases, post->case_id, reference);
	released.reference = cdop_arena_strdup(ctx->arena, reference);
	released.case_id = post->case_id;
	released.case_key = post->key_id;
	released.classes = left->classes;
	released.owner_area = index_word_text(act->index, post->owner);
	released.jurisdiction = cases_owner_jurisdiction(act, slot);
	instance =
	    cdop_arena_calloc(ctx->arena, left->n_instance, sizeof(*instance));
	living = cdop_arena_calloc(ctx->arena, left->n_living, sizeof(*living));
	if (released.reference == NULL || instance == NULL || living == NULL) {
		ctx->lost = true;
		return;
	}
	if (left->n_instance > 0)
		memcpy(instance, left->instance,
		    left->n_instance * sizeof(*instance));
	if (left->n_living > 0)
		memcpy(living, left->living, left->n_living * sizeof(*living));
	released.instances = instance;
	released.n_instances = left->n_instance;
	released.living = living;
	released.n_living = left->n_living;
	rpc_release(ctx, &released);
}

void
rpc_case_release(struct rpc_ctx *ctx, const struct cases_act *act,
    uint32_t slot, uint32_t classes)
{
	const struct rpc_case_left left = {.classes = classes};

	rpc_case_release_forms(ctx, act, slot, &left);
}

void
rpc_case_about(struct rpc_ctx *ctx, const struct cases_act *act, uint32_t slot)
{
	ctx->about_key = index_at(act->index, slot)->key_id;
}

void
rpc_case_applied(struct rpc_ctx *ctx, const struct cases_act *act,
    uint32_t slot, uint64_t version, uint32_t number)
{
	char reference[CDOP_REFERENCE_TEXT];

	cases_reference(
	    act->cases, index_at(act->index, slot)->case_id, reference);
	ctx->applied = true;
	ctx->out_reference = cdop_arena_strdup(ctx->arena, reference);
	ctx->out_version = version;
	ctx->out_number = number;
}

/* ---- parts of replies -------------------------------------------------- */

Cdop__Missing **
rpc_case_missing(
    struct rpc_ctx *ctx, const struct cdop_missing_list *list, bool *failed)
{
	Cdop__Missing **out, *one;
	size_t i;

	if (list->n == 0)
		return NULL;
	out = cdop_arena_calloc(ctx->arena, list->n, sizeof(*out));
	one = cdop_arena_calloc(ctx->arena, list->n, sizeof(*one));
	if (out == NULL || one == NULL) {
		*failed = true;
		return NULL;
	}
	for (i = 0; i < list->n; i++, one++) {
		cdop__missing__init(one);
		/* Literals, all three: packed, and never written to. */
		one->when =
		    (char *)(uintptr_t)cdop_fields_need_name(list->v[i].need);
		one->path = (char *)(uintptr_t)list->v[i].path;
		one->label = (char *)(uintptr_t)list->v[i].label;
		out[i] = one;
	}
	return out;
}

Cdop__Candidate **
rpc_case_candidates(struct rpc_ctx *ctx, const struct cases_act *act,
    const struct cases_question *question, bool *failed)
{
	const struct duplicates_hit *hit;
	const struct index_post *post;
	Cdop__Candidate **out, *one;
	char reference[CDOP_REFERENCE_TEXT];
	size_t i;

	if (question->n_named == 0)
		return NULL;
	out = cdop_arena_calloc(ctx->arena, question->n_named, sizeof(*out));
	one = cdop_arena_calloc(ctx->arena, question->n_named, sizeof(*one));
	if (out == NULL || one == NULL) {
		*failed = true;
		return NULL;
	}
	for (i = 0; i < question->n_named; i++, one++) {
		hit = &question->named[i];
		post = index_at(act->index, hit->slot);
		cases_reference(act->cases, post->case_id, reference);
		cdop__candidate__init(one);
		one->reference = rpc_case_text(ctx, reference, failed);
		one->n_reason = hit->n_reason;
		one->reason =
		    rpc_case_texts(ctx, hit->reason, hit->n_reason, failed);
		one->has_withdrawn = post->status == INDEX_WITHDRAWN;
		one->withdrawn = one->has_withdrawn;
		out[i] = one;
		rpc_case_release(ctx, act, hit->slot,
		    CDOP_CLASS_CHILD_IDENTITY | CDOP_CLASS_EXACT_DATE);
	}
	return out;
}

bool
rpc_case_page(struct rpc_ctx *ctx, const uint8_t token[static CASES_PAGE_LEN],
    ProtobufCBinaryData *ret_page, bool *failed)
{
	ret_page->len = CASES_PAGE_LEN;
	ret_page->data = cdop_arena_alloc(ctx->arena, CASES_PAGE_LEN);
	if (ret_page->data == NULL) {
		*failed = true;
		return false;
	}
	memcpy(ret_page->data, token, CASES_PAGE_LEN);
	return true;
}

const struct cases_decision *
rpc_case_decisions(
    struct rpc_ctx *ctx, Cdop__DuplicateDecision *const *from, size_t n)
{
	struct cases_decision *list;
	size_t i;

	list = cdop_arena_calloc(ctx->arena, n, sizeof(*list));
	if (list == NULL)
		return NULL;
	for (i = 0; i < n; i++) {
		list[i].reference = from[i]->reference;
		list[i].reason = from[i]->reason;
		list[i].decided = from[i]->decision == CDOP__DECISION__JOIN
		    ? CASES_JOIN
		    : from[i]->decision == CDOP__DECISION__NEW_SIBLING
		    ? CASES_SIBLING
		    : CASES_OTHER;
	}
	return list;
}

/* As it was typed: a name that is folded has no parts left. */
static void
other_terms(struct rpc_ctx *ctx, const Cdop__Form *form)
{
	const char *name;
	size_t i;

	for (i = 0; i < form->n_other_name; i++) {
		name = form->other_name[i]->family_name;
		if (name != NULL && *name != '\0')
			rpc_term(ctx, OTHER_NAME, name);
	}
}

static bool
is_whole(const char *name, const char *folded)
{
	char whole[CDOP_FOLD_MAX];

	(void)cdop_fold_name(name, whole);
	return strcmp(whole, folded) == 0;
}

static bool
is_part(const char *name, const char *folded)
{
	char part[CDOP_FOLD_MAX];

	while ((name = cdop_fold_part(name, part)) != NULL)
		if (strcmp(part, folded) == 0)
			return true;
	return false;
}

/*
 * What the form does not say any more and is compared all the same: each that
 * no term is by now.
 */
static void
former_terms(struct rpc_ctx *ctx, const char *kind, const char *const *folded,
    size_t n, bool (*is)(const char *name, const char *folded))
{
	size_t i, k;

	for (i = 0; i < n; i++) {
		for (k = 0; k < ctx->n_terms; k++)
			if (is(ctx->terms[k].value, folded[i]))
				break;
		if (k == ctx->n_terms)
			rpc_term(ctx, kind, folded[i]);
	}
}

void
rpc_case_terms(struct rpc_ctx *ctx, const struct duplicates_child *sought,
    const Cdop__Form *form)
{
	static const char *const paths[] = {"child.nhs_number",
	    "child.family_name", "mother.family_name", "birth.date",
	    "death.date"};
	const char *text;
	size_t i;

	if (sought->n_nhs + sought->n_family + sought->n_mother == 0)
		return;
	for (i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		text = cdop_form_value(form, paths[i], ctx->arena);
		if (text == NULL)
			ctx->lost = true;
		else if (*text != '\0')
			rpc_term(ctx, paths[i], text);
	}
	other_terms(ctx, form);
	former_terms(ctx, paths[0], sought->nhs, sought->n_nhs, is_whole);
	former_terms(
	    ctx, OTHER_NAME, sought->family, sought->n_family, is_whole);
	former_terms(
	    ctx, OTHER_NAME, sought->mother, sought->n_mother, is_whole);
	former_terms(ctx, OTHER_NAME, sought->part, sought->n_part, is_part);
	former_terms(ctx, OTHER_NAME, sought->mother_part,
	    sought->n_mother_part, is_part);
}

/* A child without a name is shown by its mother's, and she lives. */
static void
release_summary(
    struct rpc_ctx *ctx, const struct cases_act *act, uint32_t slot, bool names)
{
	static const struct cdop_living mother = {"mother", 1};
	struct rpc_case_left left = {
	    .classes = CDOP_CLASS_ADMINISTRATIVE | CDOP_CLASS_EXACT_DATE};

	if (names)
		left.classes |= CDOP_CLASS_CHILD_IDENTITY;
	if (names && index_at(act->index, slot)->shows_mother) {
		left.classes |= CDOP_CLASS_FAMILY_IDENTITY;
		left.living = &mother;
		left.n_living = 1;
	}
	rpc_case_release_forms(ctx, act, slot, &left);
}

Cdop__CaseSummary *
rpc_case_summary(
    struct rpc_ctx *ctx, struct cases_act *act, uint32_t slot, bool names)
{
	const struct index_post *post = index_at(act->index, slot);
	char date[CDOP_DATE_TEXT_MAX], reference[CDOP_REFERENCE_TEXT];
	Cdop__CaseSummary *out;
	bool failed = false;

	out = cdop_arena_alloc(ctx->arena, sizeof(*out));
	if (out == NULL)
		return NULL;
	cdop__case_summary__init(out);
	cases_reference(act->cases, post->case_id, reference);
	out->reference = rpc_case_text(ctx, reference, &failed);
	out->owner_area = rpc_case_text(
	    ctx, index_word_text(act->index, post->owner), &failed);
	out->age_band = rpc_case_text(
	    ctx, cases_list_age(post, ctx->reg->profile), &failed);
	if (post->death.year != 0) {
		cdop_date_write(&post->death, date);
		out->death_date = rpc_case_text(ctx, date, &failed);
	}
	out->status = rpc_case_text(
	    ctx, index_word_text(act->index, post->status_word), &failed);
	if (names && *index_post_name(post) != '\0')
		out->name = rpc_case_text(ctx, index_post_name(post), &failed);
	if (post->scope != INDEX_NO_WORD)
		out->scope = rpc_case_text(
		    ctx, index_word_text(act->index, post->scope), &failed);
	out->has_hold = post->held;
	out->hold = post->held;
	out->has_registered_ms = true;
	out->registered_ms = post->registered_ms;
	release_summary(ctx, act, slot, names);
	return failed ? NULL : out;
}

/* ---- edits ------------------------------------------------------------- */

/* The reply of an edit, also of one that met a newer version. */
static enum cdop_err
fill_edit(struct rpc_ctx *ctx, struct cases_act *act,
    const struct cases_edit *edit, Cdop__ChangeReply *rep)
{
	const char *text = cases_reference_text(
	    act, index_at(act->index, edit->slot)->case_id);
	bool failed = text == NULL;

	rep->reference = rpc_case_text(ctx, text, &failed);
	rep->version = edit->new_version;
	rep->n_word = edit->n_word;
	rep->word = rpc_case_texts(ctx, edit->word, edit->n_word, &failed);
	rep->n_difference = edit->difference.n;
	rep->difference = rpc_case_texts(
	    ctx, edit->difference.path, edit->difference.n, &failed);
	rep->n_missing = edit->missing.n;
	rep->missing = rpc_case_missing(ctx, &edit->missing, &failed);
	rep->n_candidate = edit->question.n_named;
	rep->candidate =
	    rpc_case_candidates(ctx, act, &edit->question, &failed);
	return failed ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
}

enum cdop_err
rpc_case_edit_end(struct rpc_ctx *ctx, struct cases_act *act,
    const struct cases_edit *edit, Cdop__ChangeReply *rep, enum cdop_err err)
{
	const struct rpc_case_left left = {
	    .instance = &edit->instance, .n_instance = 1};
	enum cdop_err more = CDOP_OK;
	size_t i;

	if (err == CDOP_OK || err == CDOP_ABORTED ||
	    cases_question_stops(act)) {
		rpc_case_about(ctx, act, edit->slot);
		rpc_case_release_forms(ctx, act, edit->slot, &left);
		more = fill_edit(ctx, act, edit, rep);
		ctx->with_reply = more == CDOP_OK;
	}
	if (err == CDOP_OK && !act->dry) {
		rpc_case_applied(
		    ctx, act, edit->slot, edit->new_version, edit->instance);
		/* A link changes the other case too. */
		for (i = 0; i < edit->question.n_tie; i++)
			rpc_case_release(
			    ctx, act, edit->question.tie[i].slot, 0);
	}
	ctx->audit_reason = edit->reason;
	return rpc_case_end(ctx, act, more == CDOP_OK ? err : more);
}

/* ---- once more --------------------------------------------------------- */

bool
rpc_case_replayed(struct rpc_ctx *ctx, const struct cases_act *act,
    uint32_t *ret_slot, bool *ret_seen)
{
	char text[CDOP_REFERENCE_TEXT];
	uint64_t number;
	uint32_t slot;

	if (ctx->replay->reference == NULL ||
	    cdop_reference_parse(ctx->replay->reference,
		ctx->reg->mode == REGISTRY_TRAINING, text,
		&number) != CDOP_OK ||
	    !index_by_case(act->index, number + 1, &slot))
		return false;
	rpc_case_release(ctx, act, slot, 0);
	*ret_slot = slot;
	*ret_seen = access_may_see(&act->access, index_at(act->index, slot));
	return true;
}

enum cdop_err
rpc_case_change_again(struct rpc_ctx *ctx, Cdop__ChangeReply *rep)
{
	struct cases_edit edit;
	struct cases_act act;
	bool seen, failed = false;
	enum cdop_err err;

	rpc_case_act(ctx, &act);
	memset(&edit, 0, sizeof(edit));
	rep->reference = rpc_case_text(ctx, ctx->replay->reference, &failed);
	rep->version = ctx->replay->version;
	if (!rpc_case_replayed(ctx, &act, &edit.slot, &seen) || !seen)
		return failed ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
	edit.reference = ctx->replay->reference;
	if ((err = cases_edit_again(&act, &edit)) != CDOP_OK)
		return rpc_case_end(ctx, &act, err);
	rep->n_word = edit.n_word;
	rep->word = rpc_case_texts(ctx, edit.word, edit.n_word, &failed);
	rep->n_missing = edit.missing.n;
	rep->missing = rpc_case_missing(ctx, &edit.missing, &failed);
	return failed ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
}
