/*
 * Comparing two indexes case by case: what tests use to say that an abort
 * left memory as a rebuild would make it.
 */
#include <string.h>

#include "server/registry/index.h"

static bool
same_terms(const struct index_post *a, const struct index_post *b)
{
	size_t i;

	if (a->n_term != b->n_term)
		return false;
	for (i = 0; i < a->n_term; i++)
		if (!index_post_has(b, a->term[i].kind, a->term[i].text))
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
	    a->nameless == b->nameless && a->n_date == b->n_date &&
	    a->n_decided == b->n_decided && a->n_pair == b->n_pair &&
	    a->n_interest == b->n_interest && strcmp(a->name, b->name) == 0 &&
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

/* Is every term of every post found under its slot, and nothing else? */
static bool
is_whole(const struct index *a)
{
	uint32_t slot, at, found, n = index_count(a), seen = 0;
	int32_t day = INT32_MAX;
	const struct index_post *post;
	size_t i;

	for (slot = 0; slot < index_count(a); slot++) {
		post = index_at(a, slot);
		for (i = 0; i < post->n_term; i++) {
			if (post->term[i].kind == INDEX_FIRST)
				continue;
			n++;
			at = 0;
			while (index_find(a, post->term[i].kind,
				   post->term[i].text, &at, &found) &&
			    found != slot)
				;
			if (found != slot)
				return false;
		}
	}
	for (slot = UINT32_MAX; index_next(a, &day, &slot);)
		seen++;
	return n == index_n_terms(a) && seen == index_count(a);
}

bool
index_equal(const struct index *a, const struct index *b)
{
	const struct index_post *x, *y;
	uint32_t i, j;

	if (index_count(a) != index_count(b))
		return false;
	for (i = 0; i < index_count(a); i++) {
		x = index_at(a, i);
		if (!index_by_case(b, x->case_id, &j))
			return false;
		y = index_at(b, j);
		if (!same_post(x, y) || !same_rows(a, i, b, j) ||
		    strcmp(index_word_text(a, x->owner),
			index_word_text(b, y->owner)) != 0 ||
		    strcmp(index_word_text(a, x->jurisdiction),
			index_word_text(b, y->jurisdiction)) != 0)
			return false;
	}
	return is_whole(a) && is_whole(b);
}
