/*
 * Search terms as they were typed, made comparable: for find and for the
 * partner's question.
 */
#ifndef CDOP_REGISTRY_CASES_TERMS_H
#define CDOP_REGISTRY_CASES_TERMS_H

#include "cdop/arena.h"
#include "cdop/fold.h"
#include "cdop/nhs.h"
#include "server/registry/index.h"

/* As typed; NULL or "": not given. */
struct cases_typed {
	const char *nhs_number;
	const char *family_name;
	const char *first_name;
	const char *birth_date;
	const char *death_date;
	const char *mother_name;
};

struct cases_name {
	char folded[CDOP_FOLD_MAX]; /* "" where nothing counts */
	char sound[CDOP_SOUND_MAX]; /* "" where it has none */
};

struct cases_when {
	bool given;
	bool wrong; /* typed, and not a date, or none that has been */
	bool ahead; /* wrong, as it is in the future */
	bool full;  /* one certain day */
	struct cdop_date date;
	struct cdop_span span;
};

struct cases_terms {
	char nhs[CDOP_NHS_TEXT_MAX]; /* "" where none or wrong */
	bool nhs_wrong;
	struct cases_name family;
	struct cases_name first;
	struct cases_name mother;
	struct cases_when birth;
	struct cases_when death;
};

void cases_terms_read(
    const struct cases_typed *typed, struct cases_terms *ret_terms);

/*
 * No child that is asked about was born or died after today: such a date is
 * a slip, and wrong.
 */
void cases_terms_past(struct cases_terms *terms, uint64_t now_ms);

/*
 * The terms in words: NHS number 999 000 0018, family name "tarrant", born
 * Tue 3 March 2026.  Each name is cut at max_name bytes.  "nothing" where
 * there are none; NULL: no memory.
 */
const char *cases_terms_words(
    const struct cases_terms *terms, size_t max_name, struct cdop_arena *arena);

/* How a case's first names compare with the one that was typed. */
enum cases_fit_first {
	CASES_FIRST_UNSAID, /* none typed, or none known */
	CASES_FIRST_SAME,
	CASES_FIRST_OTHER,
};
enum cases_fit_first cases_terms_first(
    const struct cases_terms *terms, const struct index_post *post);

#endif
