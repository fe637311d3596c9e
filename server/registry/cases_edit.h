/*
 * What changes in a case's forms after it was registered: the case record
 * amended, a notification's transcription mended, a notification moved.
 * Each names the version it saw.
 */
#ifndef CDOP_REGISTRY_CASES_EDIT_H
#define CDOP_REGISTRY_CASES_EDIT_H

#include "server/registry/cases_form.h"
#include "server/registry/cases_question.h"

#define CASES_WORDS_MAX 8

struct cases_edit {
	/* What is asked for. */
	const char *reference; /* as typed */
	uint64_t version;      /* as seen */
	const char *reason;
	uint32_t notification;       /* correct, move */
	struct cases_form_args form; /* amend, correct */
	char *const *clear;          /* amend: paths to be emptied */
	size_t n_clear;
	struct cases_question question;
	const char *to; /* move: reference, or NULL for a case of its own */

	/* What came of it. */
	uint32_t slot;
	const Cdop__Form *sought; /* amend: as it would be; NULL: nothing was */
	uint64_t new_version;
	uint32_t instance; /* that was touched */
	uint32_t to_slot;  /* move */
	const char *word[CASES_WORDS_MAX];
	size_t n_word;
	struct cdop_paths difference; /* CDOP_ABORTED: changed since */
	struct cdop_missing_list missing;
};

/*
 * All: CDOP_INVALID_ARGUMENT, CDOP_NOT_FOUND, CDOP_RESOURCE_EXHAUSTED, and
 * CDOP_ABORTED "changed" with the paths that changed since that version.
 */

/*
 * Writes what form says into the case record; a path named with the value
 * it has decides a difference.  Also CDOP_FAILED_PRECONDITION
 * "possible_duplicate".  The owner never moves.
 */
CDOP_MUST enum cdop_err cases_edit_amend(
    struct cases_act *act, struct cases_edit *edit);

/*
 * A new version of a notification as it should have been typed.  The record
 * stays; cases that it now resembles are put before those who may decide.
 */
CDOP_MUST enum cdop_err cases_edit_correct(
    struct cases_act *act, struct cases_edit *edit);

/*
 * The notification, every version of it, goes under another case's key; the
 * first case keeps the link.  CDOP_FAILED_PRECONDITION: its only one.
 */
CDOP_MUST enum cdop_err cases_edit_move(
    struct cases_act *act, struct cases_edit *edit);

/* Missing and words of the present record, for a repeated request. */
CDOP_MUST enum cdop_err cases_edit_again(
    struct cases_act *act, struct cases_edit *edit);

#endif
