/*
 * The duplicate question: asked wherever an identity enters, answered by
 * the coordinator's decisions, and never shown to whom it is not for
 * (RECORDS M6, TRUST M14).
 */
#ifndef CDOP_REGISTRY_CASES_QUESTION_H
#define CDOP_REGISTRY_CASES_QUESTION_H

#include "server/registry/cases.h"
#include "server/registry/duplicates.h"

#define CASES_DECISIONS_MAX 8

enum cases_decided {
	CASES_JOIN = 1,    /* another notification of that case */
	CASES_SIBLING = 2, /* twin or sibling */
	CASES_OTHER = 3,   /* another child */
};

struct cases_decision {
	const char *reference; /* as typed */
	enum cases_decided decided;
	const char *reason;
};

/* A link that a decision makes. */
struct cases_tie {
	uint32_t slot;
	const char *kind;
	const char *reason;
};

struct cases_question {
	/* Asked with. */
	struct duplicates_child child;
	uint64_t self; /* the case it is about; 0: none yet */
	const struct cases_decision *decision;
	size_t n_decision;
	bool may_join;

	/* Answered. */
	bool asked;
	bool join;
	uint32_t join_slot;
	const char *join_reason;
	struct cases_tie tie[CASES_DECISIONS_MAX];
	size_t n_tie;
	const uint64_t *pair; /* case ids the caller must not learn of */
	size_t n_pair;
	const struct duplicates_hit *named; /* candidates to show */
	size_t n_named;
	size_t n_undecided; /* of those, what stops */
};

/*
 * CDOP_FAILED_PRECONDITION "possible_duplicate": named says which, nothing
 * may be written.  CDOP_INVALID_ARGUMENT, CDOP_NOT_FOUND: a decision is
 * wrong.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cases_question_ask(
    struct cases_act *act, struct cases_question *question);

/*
 * The same where the question cannot be answered and so does not stop: who
 * form, of the case question->self, may be as well waits as a pair with it, and
 * is named.  Never the case other, which is known to be another child; 0: none.
 */
CDOP_MUST enum cdop_err cases_question_wait(struct cases_act *act,
    struct cases_question *question, const Cdop__StoredForm *form,
    uint64_t other);

/* What the act was refused for is the question: named says what about. */
bool cases_question_stops(const struct cases_act *act);

/*
 * Puts ties and pairs into the newer state of the case itself.
 * CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cases_question_tie(struct cases_act *act,
    const struct cases_question *question, Cdop__StoredCase *state);

/*
 * Does a link between the two belong into their histories?  Only where one
 * area owns both: whoever works for the other end alone would learn from a
 * new version that there is a case he may not know of.
 */
bool cases_tie_is_event(
    const struct cases_act *act, uint32_t slot, uint32_t other);

/* The other ends of the ties of a case. */
CDOP_MUST enum cdop_err cases_question_tie_back(struct cases_act *act,
    const struct cases_question *question, uint64_t case_id);

/*
 * One link's other end: in a new version of the state of the case in slot,
 * where it is an event.
 */
CDOP_MUST enum cdop_err cases_tie_back(struct cases_act *act, uint32_t slot,
    const char *kind, uint64_t case_id, const char *reason);

/*
 * Takes one end of a link back, likewise; ask: the two may be the same
 * child, and that is to be decided again.
 */
CDOP_MUST enum cdop_err cases_tie_end(struct cases_act *act, uint32_t slot,
    const struct cases_tie *tie, bool ask);

#endif
