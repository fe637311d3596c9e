/*
 * Comparing two indexes case by case: what tests use to say that an abort
 * left memory as a rebuild would make it.
 */
#include <string.h>

#include "server/registry/index.h"

static bool
same_terms(const struct index_post *a, const struct index_post *b)
{
	struct index_term term = {.text = NULL};

	if (a->n_term != b->n_term)
		return false;
	while (index_post_term(a, &term))
		if (!index_post_has(b, term.kind, term.text))
			return false;
	return true;
}

static bool
same_post(const struct index_post *a, const struct index_post *b)
{
	return a->case_id == b->case_id && a->key_id == b->key_id &&
	    a->registered_ms == b->registered_ms && a->day == b->day &&
	    a->case_version == b->case_version &&
	    a->record_version == b->record_version && a->status == b->status &&
	    a->size == b->size && a->responsible == b->responsible &&
	    a->nameless == b->nameless && a->held == b->held &&
	    a->n_date == b->n_date && a->n_decided == b->n_decided &&
	    a->n_pair == b->n_pair && a->n_interest == b->n_interest &&
	    strcmp(index_post_name(a), index_post_name(b)) == 0 &&
	    same_terms(a, b);
}

static bool
same_rows(const struct index *a, uint32_t i, const struct index *b, uint32_t j)
{
	const struct index_row *x, *y;
	size_t n, m, k;

	x = index_rows(a, i, &n);
	y = index_rows(b, j, &m);
	if (n != m)
		return false;
	for (k = 0; k < n; k++)
		if (x[k].kind != y[k].kind || x[k].version != y[k].version ||
		    x[k].number != y[k].number)
			return false;
	return true;
}

static bool
is_found(const struct index *a, const struct index_term *term, uint32_t slot)
{
	uint32_t at = 0, found = UINT32_MAX;

	while (index_find(a, term->kind, term->text, &at, &found))
		if (found == slot)
			return true;
	return false;
}

/* Cases that are not erased. */
static uint32_t
living(const struct index *a)
{
	uint32_t slot, n = 0;

	for (slot = 0; slot < index_count(a); slot++)
		n += index_at(a, slot)->status != INDEX_ERASED;
	return n;
}

/* What is seen of it without its post is what stands in that. */
static bool
glances_right(const struct index *index, uint32_t slot)
{
	const struct index_glance *glance = index_glance(index, slot);
	const struct index_post *post = index_at(index, slot);

	return glance->owner == post->owner &&
	    glance->status_word == post->status_word &&
	    glance->responsible == post->responsible;
}

/* Is every term of every post found under its slot, and nothing else? */
static bool
is_whole(const struct index *a)
{
	uint32_t slot, n = index_count(a), seen = 0;
	struct index_order_walk walk;
	struct index_term term;
	int32_t day;

	for (slot = 0; slot < index_count(a); slot++) {
		if (!glances_right(a, slot))
			return false;
		if (index_at(a, slot)->status == INDEX_ERASED) {
			n--;
			continue;
		}
		term.text = NULL;
		while (index_post_term(index_at(a, slot), &term)) {
			if (term.kind == INDEX_FIRST)
				continue;
			n++;
			if (!is_found(a, &term, slot))
				return false;
		}
	}
	index_seek(a, INT32_MAX, UINT32_MAX, &walk);
	while (index_order_next(&walk, &day, &slot))
		seen++;
	return n == index_n_terms(a) && seen == living(a);
}

static bool
same_words(const struct index *a, const struct index_post *x,
    const struct index *b, const struct index_post *y)
{
	const uint16_t one[] = {
	    x->owner, x->jurisdiction, x->status_word, x->scope};
	const uint16_t other[] = {
	    y->owner, y->jurisdiction, y->status_word, y->scope};
	size_t i;

	for (i = 0; i < sizeof(one) / sizeof(*one); i++)
		if (strcmp(index_word_text(a, one[i]),
			index_word_text(b, other[i])) != 0)
			return false;
	return true;
}

bool
index_equal(const struct index *a, const struct index *b)
{
	const struct index_post *x, *y;
	uint32_t i, j;

	if (living(a) != living(b))
		return false;
	for (i = 0; i < index_count(a); i++) {
		x = index_at(a, i);
		if (x->status == INDEX_ERASED)
			continue;
		if (!index_by_case(b, x->case_id, &j))
			return false;
		y = index_at(b, j);
		if (!same_post(x, y) || !same_rows(a, i, b, j) ||
		    !same_words(a, x, b, y))
			return false;
	}
	return is_whole(a) && is_whole(b);
}
