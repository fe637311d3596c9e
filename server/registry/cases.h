/*
 * Cases: their rows, read and written, and what every act on a case shares.
 * The acts themselves stand in cases_*.c, one family a file.
 *
 * A case is a state (owner, status, links, which notifications belong to
 * it), a case record (form instance 0) and notifications (1 and on).  Every
 * version of all of them is a sealed row of its own under the case key; the
 * SUMMARY row beside them is a cache.
 *
 * All acts check everything before the first change, so a refusal leaves
 * neither rows nor memory touched.
 */
#ifndef CDOP_REGISTRY_CASES_H
#define CDOP_REGISTRY_CASES_H

#include "cdop/arena.h"
#include "cdop/form.h"
#include "cdop/reference.h"
#include "server/registry/access.h"
#include "server/registry/index.h"
#include "server/registry/registry.h"
#include "stored.pb-c.h"

struct rows_head;

/* No cases.  reg is borrowed.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err cases_new(
    struct registry *reg, struct cases **ret_cases);

/*
 * A leaf, at a start: what it counts for in the limits that a person has,
 * so that no restart gives them anew.  newest_ms: of the last leaf.
 */
void cases_load_leaf(
    struct cases *cases, const Cdop__StoredWords *words, uint64_t newest_ms);

/* Wipes and frees; NULL is fine. */
void cases_free(struct cases *cases);

/* ---- at a start -------------------------------------------------------- */

/*
 * Takes a row while the registry is opened, in any order: CASE, FORM and
 * DOCUMENT by their heads, SUMMARY with what is in it.  Other kinds are
 * passed over.  CDOP_DATA_LOSS: it is not what a daemon wrote.
 */
CDOP_MUST enum cdop_err cases_load_head(
    struct cases *cases, const struct rows_head *head);
CDOP_MUST enum cdop_err cases_load_summary(struct cases *cases,
    const struct rows_head *head, const Cdop__StoredSummary *summary);

/* After the last row: every case has its summary, or CDOP_DATA_LOSS. */
CDOP_MUST enum cdop_err cases_loaded(struct cases *cases);

/* ---- for the rest of the registry -------------------------------------- */

struct index *cases_index(struct cases *cases);

/* Key of page tokens, 32 bytes, this process's own. */
const uint8_t *cases_page_key(const struct cases *cases);

/*
 * Slots of the cases a person is responsible for, withdrawn ones left out;
 * at most max are written.  Returns how many there are; to be handed over
 * when the person goes (RECORDS S12).
 */
size_t cases_responsible(
    const struct cases *cases, uint32_t person, uint32_t *out, size_t max);

/* ---- an act ------------------------------------------------------------ */

/* Who does it and when; what is said about it. */
struct cases_act {
	struct cases *cases;
	struct registry *reg;
	struct index *index;
	struct cdop_arena *arena;
	const struct actor *actor;
	struct access access;
	uint64_t now_ms;
	bool dry; /* check all, change nothing */
	/*
	 * No form that is read is changed: the record that was never amended
	 * may share its groups with the notification that it is made of, and
	 * that one, `first` of the case `first_slot`, is not opened twice.
	 */
	bool looks;
	uint32_t first_slot;
	Cdop__StoredForm *first;

	/* Said when it is refused: literals or arena text. */
	const char *reason;
	const char *message;
	enum cdop_err true_outcome; /* where the answer hides it */
	const char *nowhere; /* as typed: the reference that led nowhere */
	struct cdop_violations violations;
};

void cases_act_init(struct cases_act *act, struct cases *cases,
    struct cdop_arena *arena, const struct actor *actor, uint64_t now_ms);

/* Sets reason and message and returns err. */
enum cdop_err cases_refuse(struct cases_act *act, enum cdop_err err,
    const char *reason, const char *message);

/* A violation at a field of the request; CDOP_INVALID_ARGUMENT. */
enum cdop_err cases_bad_field(struct cases_act *act, const char *path,
    const char *rule, const char *message);

/* A reason in words: there, and not too long. */
CDOP_MUST enum cdop_err cases_check_reason(
    struct cases_act *act, const char *path, const char *reason);

/* One line of text, or NULL: not longer than CDOP_TEXT_MAX characters. */
CDOP_MUST enum cdop_err cases_check_line(
    struct cases_act *act, const char *path, const char *text);

/* ---- reading ----------------------------------------------------------- */

/*
 * The case of a typed reference.  CDOP_INVALID_ARGUMENT: not a reference.
 * CDOP_NOT_FOUND: none that the caller may see; counted.
 * CDOP_RESOURCE_EXHAUSTED: too many of those this hour.
 */
CDOP_MUST enum cdop_err cases_find_reference(
    struct cases_act *act, const char *typed, uint32_t *ret_slot);

/* The reference of a case id. */
void cases_reference(const struct cases *cases, uint64_t case_id,
    char out[static CDOP_REFERENCE_TEXT]);
/* The same in the arena; NULL: no memory. */
const char *cases_reference_text(struct cases_act *act, uint64_t case_id);

/* The newest state.  Errors of rows_get. */
CDOP_MUST enum cdop_err cases_read_state(
    struct cases_act *act, uint32_t slot, Cdop__StoredCase **ret_state);

/*
 * A version of a form instance; version 0: the newest.  CDOP_NOT_FOUND: no
 * such instance or version.
 */
CDOP_MUST enum cdop_err cases_read_form(struct cases_act *act, uint32_t slot,
    uint32_t instance, uint32_t version, Cdop__StoredForm **ret_form);

/* Has this version of an instance a row?  The first record may have none. */
bool cases_has_row(const struct cases_act *act, uint32_t slot,
    uint32_t instance, uint32_t version);

/* Newest version of an instance; 0: there is none. */
uint32_t cases_form_version(
    const struct cases_act *act, uint32_t slot, uint32_t instance);

/* Opens one row of a case, by its place in index_rows(). */
CDOP_MUST enum cdop_err cases_read_row(struct cases_act *act,
    const struct index_row *row, const ProtobufCMessageDescriptor *desc,
    void *ret_message);

/* ---- writing ----------------------------------------------------------- */

/* What a case gets in one act. */
struct cases_change {
	uint64_t case_id;
	uint64_t key_id;
	bool is_new;
	uint32_t slot; /* not where is_new */

	/* Complete; NULL: the state stays.  Its version is the next one, */
	const Cdop__StoredCase *state;
	/* or the one there is: only links were added that are no event. */
	bool keeps_version;
	const Cdop__StoredForm *const *form;
	size_t n_form;
	/* The first record, which has no row; NULL: not a new case. */
	const Cdop__StoredForm *derived;

	/*
	 * An instance that goes away with all its versions (0: none); the
	 * summary is then made again from what stays.
	 */
	uint32_t drop;
};

/*
 * Writes the rows, the summary and the index.  CDOP_RESOURCE_EXHAUSTED: too
 * many versions or no room; what the store says.
 */
CDOP_MUST enum cdop_err cases_store(
    struct cases_act *act, const struct cases_change *change);

/*
 * The summary of a case made anew from its rows: what the SUMMARY row has
 * to say, whenever it was written.  Nothing is changed.
 */
CDOP_MUST enum cdop_err cases_summarise(
    struct cases_act *act, uint32_t slot, Cdop__StoredSummary **ret_summary);

/* Puts a summary in the place of the one a case has: row and index. */
CDOP_MUST enum cdop_err cases_store_summary(
    struct cases_act *act, uint32_t slot, const Cdop__StoredSummary *summary);

/* A change of a case that is there: ids filled in. */
void cases_change_init(
    const struct cases_act *act, uint32_t slot, struct cases_change *change);

/* A fresh case id.  CDOP_INTERNAL: the random source gives no free one. */
CDOP_MUST enum cdop_err cases_draw(struct cases_act *act, uint64_t *ret_id);

/*
 * Makes the newest state into the next version: who, when, what, why.  It
 * is still to be changed and stored.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cases_next_state(struct cases_act *act,
    Cdop__StoredCase *state, const char *what, const char *reason);

/*
 * Is there room for a link to this other case (0: one that is not there
 * yet)?  Of the links there are only those count that the caller may see.
 */
bool cases_may_link(
    const struct cases_act *act, const struct index_post *post, uint64_t other);

/* The link of a state that is of this kind and was not taken back, or NULL. */
Cdop__StoredCaseLink *cases_link(
    const Cdop__StoredCase *state, const char *kind, uint64_t other);

/*
 * Adds a link to a state, unless it is there.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cases_add_link(struct cases_act *act,
    Cdop__StoredCase *state, const char *kind, uint64_t other,
    const char *reason);

/* A copy in the arena that protobuf-c takes; sets *failed at no memory. */
char *cases_text(struct cases_act *act, const char *text, bool *failed);

#endif
