/*
 * What the index knows of one case: made whole from its summary, never
 * changed, replaced by another.  One piece of memory, wiped when it is
 * freed.
 */
#ifndef CDOP_REGISTRY_INDEX_POST_H
#define CDOP_REGISTRY_INDEX_POST_H

#include <stdbool.h>
#include <stdint.h>

#include "cdop/arena.h"
#include "cdop/date.h"
#include "cdop/err.h"
#include "stored.pb-c.h"

/* Kinds of terms.  Numbers go into the hash and nowhere else. */
enum index_kind {
	INDEX_CASE = 1,     /* eight bytes of the case id */
	INDEX_NHS,          /* ten digits */
	INDEX_FAMILY,       /* the child's family name or alias, folded */
	INDEX_SOUND,        /* its sound key */
	INDEX_MOTHER,       /* the mother's family name, folded */
	INDEX_MOTHER_SOUND, /* its sound key */
	INDEX_FIRST,        /* a first name, folded; not in the table */
	INDEX_PART,         /* one part of a family name of several, folded */
	INDEX_MOTHER_PART,  /* the same of the mother's */
	INDEX_KINDS,
};

/*
 * Parts of a name that are kept, and letters that one has to have; a shorter
 * part has no sound of its own ("la" sounds like Lee).
 */
#define INDEX_PARTS_MAX     8
#define INDEX_PART_LETTERS  2
#define INDEX_SOUND_LETTERS 4

struct index_term {
	enum index_kind kind;
	const char *text;
};

struct index_date {
	struct cdop_span span; /* every day it can mean */
	bool death;            /* else birth */
	bool exact;            /* one day, not estimated */
};

struct index_interest {
	uint16_t area; /* number of the index's table of words */
	bool known;    /* ask answers "known to you" there */
};

enum index_status {
	INDEX_RECEIVED = 1,
	INDEX_WITHDRAWN = 2, /* entered-in-error */
	INDEX_OTHER = 3,     /* of a later version: shown as it is */
	INDEX_ERASED = 4,    /* nobody sees it, nothing is said of it */
};

/*
 * There is one for every case there ever was, so it is kept small: what has
 * any length lies behind it and is reached by the functions below, and words
 * that many cases share are numbers.
 */
struct index_post {
	uint64_t case_id;
	uint64_t key_id;
	uint64_t registered_ms;
	uint32_t case_version;
	uint32_t record_version;
	uint32_t responsible;
	uint32_t registered_by;
	uint32_t n_decided;
	uint32_t n_pair;
	uint32_t size; /* of the whole */
	int32_t day;   /* of the list: latest day of death, else registration */

	/* Numbers of the index's table of words; INDEX_NO_WORD: none. */
	uint16_t owner;
	uint16_t jurisdiction; /* none: not kept */
	uint16_t status_word;  /* as it is shown */
	uint16_t scope;

	uint16_t n_term;
	uint16_t n_date;
	uint16_t n_interest;
	struct cdop_date birth; /* of the case record; year 0: none */
	struct cdop_date death;
	uint8_t status;    /* enum index_status */
	bool is_old;       /* made of a summary of an earlier version */
	bool nameless;     /* was "baby of" or without a name once */
	bool shows_mother; /* its name in a list is the mother's */
	bool held;         /* it is on legal hold */
};

/*
 * Numbers the words of a summary that many cases share; index.c's.
 * CDOP_RESOURCE_EXHAUSTED.
 */
#define INDEX_NO_WORD UINT16_MAX
typedef enum cdop_err index_post_word_fn(
    void *ctx, const char *word, uint16_t *ret_number);

/*
 * scratch is used while it is made.  CDOP_DATA_LOSS: a date or reference in
 * the summary is none.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err index_post_new(const Cdop__StoredSummary *summary,
    uint64_t key_id, index_post_word_fn *word, void *ctx,
    struct cdop_arena *scratch, struct index_post **ret_post);

/* NULL is fine. */
void index_post_free(struct index_post *post);

/* ---- what lies behind it ----------------------------------------------- */

/* The next term; begin with text NULL.  False at the end. */
bool index_post_term(const struct index_post *post, struct index_term *term);

/* n_date of them: every date ever given. */
const struct index_date *index_post_dates(const struct index_post *post);

/* n_interest of them. */
const struct index_interest *index_post_interests(
    const struct index_post *post);

/* n_pair case ids that may be the same child, not decided. */
const uint64_t *index_post_pairs(const struct index_post *post);

/* The n_decided cases it is linked with. */
const uint64_t *index_post_others(const struct index_post *post);

/* For a list with names; "" for none. */
const char *index_post_name(const struct index_post *post);

/* ---- questions --------------------------------------------------------- */

/* Are they found by the same terms? */
bool index_post_same_terms(
    const struct index_post *a, const struct index_post *b);

/* Has it this term? */
bool index_post_has(
    const struct index_post *post, enum index_kind kind, const char *text);

/* Has it any term of this kind? */
bool index_post_knows(const struct index_post *post, enum index_kind kind);

/* Is there a decision about this case? */
bool index_post_decided(const struct index_post *post, uint64_t case_id);

/* How a day compares with every date of birth, or death, ever given. */
enum index_fit {
	INDEX_FIT_NONE = 0, /* no date is known */
	INDEX_FIT_NO,       /* none of them can be it */
	INDEX_FIT_MAYBE,    /* one that is not exact can be it */
	INDEX_FIT_YES,      /* one is that day and no other */
};

/* span: a day, or the days of a partial date; slack: days more each side. */
enum index_fit index_post_fit(const struct index_post *post, bool death,
    struct cdop_span span, int32_t slack);

#endif
