/*
 * Cases that may be about the same child (RECORDS M6): the same NHS number;
 * or the same folded family name (the mother's, where a child has none)
 * with a date of birth or of death within a day, by any reading of either.
 *
 * A whole name that is one part of the other's counts as well: the hospital
 * says Smith-Jones and the registrar Jones, of the same day.  That is the
 * commonest way in which one baby's name differs, two cases of one child are
 * found by nobody afterwards, and a question too many costs one answer.  Two
 * names that only share a part (de Souza, de la Cruz) do not: no list of
 * particles is needed, and none would be complete.
 *
 * It compares.  Who may be told is access.h's; what is done about it is
 * decided by a coordinator.
 */
#ifndef CDOP_REGISTRY_DUPLICATES_H
#define CDOP_REGISTRY_DUPLICATES_H

#include "cdop/arena.h"
#include "cdop/form.h"
#include "server/registry/index.h"

#define DUPLICATES_NAMES   24
#define DUPLICATES_REASONS 4

#define DUPLICATES_SAME_NUMBER "same NHS number"

/* What is compared of a child. */
struct duplicates_child {
	const char *nhs[DUPLICATES_NAMES];
	size_t n_nhs;
	const char *family[DUPLICATES_NAMES]; /* folded */
	size_t n_family;
	const char *mother[DUPLICATES_NAMES]; /* folded */
	size_t n_mother;
	const char *part[DUPLICATES_NAMES]; /* of the family names */
	size_t n_part;
	const char *mother_part[DUPLICATES_NAMES];
	size_t n_mother_part;
	struct index_date date[DUPLICATES_NAMES];
	size_t n_date;
	bool nameless;
};

/* One case, and why: literals. */
struct duplicates_hit {
	uint32_t slot;
	const char *reason[DUPLICATES_REASONS];
	size_t n_reason;
};

struct duplicates_list {
	struct duplicates_hit *hit;
	size_t n;
};

/* Of a form.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err duplicates_of_form(const Cdop__Form *form,
    struct cdop_arena *arena, struct duplicates_child *ret_child);

/* Of a case; borrows from the post. */
void duplicates_of_post(
    const struct index_post *post, struct duplicates_child *ret_child);

/* Does this case come into question?  *hit gets its reasons. */
bool duplicates_compare(const struct duplicates_child *child,
    const struct index_post *post, struct duplicates_hit *hit);

/*
 * Every case that comes into question, withdrawn ones too, except `self`
 * (a case id; 0: none).  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err duplicates_find(const struct index *index,
    const struct duplicates_child *child, uint64_t self,
    struct cdop_arena *arena, struct duplicates_list *ret_list);

#endif
