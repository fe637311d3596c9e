/*
 * Forms: values read and written by path, compared, merged, redacted and
 * checked, over the descriptors and the field table alone.
 *
 * There is no code per field.  Values are in canonical text: "2026-11-20",
 * "17:40", "yes".  Everything that is written lies in the arena that is
 * given; a form lives as long as the arena it was made or unpacked in.
 *
 * The entry number of a path is the number the entry carries, not its place
 * in the list: parent.2 stays parent.2 when parent.1 goes.
 */
#ifndef CDOP_FORM_H
#define CDOP_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cdop/arena.h"
#include "cdop/err.h"
#include "cdop/fields.h"
#include "cdop/profile.h"
#include "cdop/violation.h"
#include "forms.pb-c.h"
#include "registry.pb-c.h"

/* ---- paths and values -------------------------------------------------- */

#define CDOP_FORM_ENTRY_MAX 9999 /* highest number of an entry */
#define CDOP_FORM_PATH_MAX  64   /* longest path and NUL */

struct cdop_path {
	const struct cdop_field *field;
	uint32_t entry; /* 0: the group does not repeat */
};

/* "parent.2.family_name".  CDOP_INVALID_ARGUMENT: no such field. */
CDOP_MUST enum cdop_err cdop_form_path_parse(
    const char *text, struct cdop_path *ret_path);

void cdop_form_path_write(
    const struct cdop_path *path, char out[static CDOP_FORM_PATH_MAX]);

/* Numbers of the absences are those of AbsenceKind in forms.proto. */
enum cdop_value_state {
	CDOP_VALUE_NOT_ASKED = 0,
	CDOP_VALUE_NOT_KNOWN = 1,
	CDOP_VALUE_NOT_APPLICABLE = 2,
	CDOP_VALUE_WITHHELD = 3,
	CDOP_VALUE_GIVEN = 4,
};

struct cdop_value {
	enum cdop_value_state state;
	const char *text; /* canonical; "#nk" "#na" "#ws"; "" if not asked */
};

/* ---- making and reading ------------------------------------------------ */

/* An empty form; NULL: no memory. */
Cdop__Form *cdop_form_new(struct cdop_arena *arena);

/* A copy that shares nothing with form; NULL: no memory. */
Cdop__Form *cdop_form_copy(const Cdop__Form *form, struct cdop_arena *arena);

/*
 * Is the message one that these functions can work on: entry numbers from 1
 * and different within a group, paths of absent and raised that exist, no
 * path listed twice or beside a value?  A form from outside has to pass this
 * (cdop_form_check does it first) before anything else is done with it.
 */
CDOP_MUST enum cdop_err cdop_form_shape(const Cdop__Form *form,
    struct cdop_arena *arena, struct cdop_violations *violations);

/* The value at path.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err cdop_form_get(const Cdop__Form *form,
    const struct cdop_path *path, struct cdop_arena *arena,
    struct cdop_value *ret_value);

/* The state alone; costs no memory. */
enum cdop_value_state cdop_form_state(
    const Cdop__Form *form, const struct cdop_path *path);

/* Is a value there?  path in text; an unknown path is not there. */
bool cdop_form_has(const Cdop__Form *form, const char *path);

/* Canonical text at a path in text; "" where nothing is; NULL: no memory. */
const char *cdop_form_text(
    const Cdop__Form *form, const char *path, struct cdop_arena *arena);

/* The same of a value alone: "" where none is given. */
const char *cdop_form_value(
    const Cdop__Form *form, const char *path, struct cdop_arena *arena);

/* Canonical text of a date message.  NULL: no memory. */
const char *cdop_form_date_text(
    const Cdop__Date *message, struct cdop_arena *arena);

/* A date field; false unless one is given. */
bool cdop_form_date(
    const Cdop__Form *form, const char *path, struct cdop_date *ret_date);

/*
 * All fields in the order of the dictionary, entry after entry, set or not.
 * Begin with {form}; false at the end.  The form must not change meanwhile.
 */
struct cdop_form_iter {
	const Cdop__Form *form;
	const Cdop__Form *also; /* for cdop_form_next_said() alone; or NULL */
	size_t row;
	size_t entry;
	enum cdop_value_state state; /* in form; cdop_form_next_said() says */
};

bool cdop_form_next(struct cdop_form_iter *iter, struct cdop_path *ret_path);

/*
 * The same of what is said alone, by a value or by an absence, in form or in
 * `also`; entries are those of form.  Of most groups nothing is.  A group that
 * is the same memory in both, without an absence, is passed over: the two are
 * walked to be compared.
 */
bool cdop_form_next_said(
    struct cdop_form_iter *iter, struct cdop_path *ret_path);

/* ---- writing ----------------------------------------------------------- */

/*
 * Sets a value as it is typed (README of the formats: PROTOCOL.md, "Values").
 * "" means not asked and clears; "#nk" "#na" "#ws" record an absence; no
 * other word does.  A code that means "not known" in its list becomes that
 * absence.  profile may be NULL: codes, areas and agencies are then taken as
 * they stand.  A repeated group's entry is made when it is not there.
 *
 * CDOP_INVALID_ARGUMENT: the text is no value of this field; one violation
 * is added and the form is as it was.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cdop_form_set(Cdop__Form *form,
    const struct cdop_path *path, const char *typed,
    const struct cdop_profile *profile, struct cdop_arena *arena,
    struct cdop_violations *violations);

/* The same by path in text; an unknown path is violation "path.unknown". */
CDOP_MUST enum cdop_err cdop_form_put(Cdop__Form *form, const char *path,
    const char *typed, const struct cdop_profile *profile,
    struct cdop_arena *arena, struct cdop_violations *violations);

/* Back to "not asked". */
void cdop_form_clear(Cdop__Form *form, const struct cdop_path *path);

/*
 * A new entry in a repeated group, with the next number that was not used in
 * this form.  CDOP_INVALID_ARGUMENT: no such group; CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cdop_form_entry_add(Cdop__Form *form, const char *group,
    struct cdop_arena *arena, uint32_t *ret_number);

/* Entries of a group; and the number of the i-th. */
size_t cdop_form_entries(const Cdop__Form *form, const char *group);
uint32_t cdop_form_entry_number(
    const Cdop__Form *form, const char *group, size_t i);

/*
 * Brings every text of a form from outside into canonical text, as if it had
 * been typed: blanks at the ends go, a postcode gets its blank, a code that
 * means "not known" becomes that absence.  What cannot be read stays, for
 * cdop_form_check to speak of.  Call it before the check, on a form whose
 * shape need not be known to be right.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cdop_form_tidy(Cdop__Form *form,
    const struct cdop_profile *profile, struct cdop_arena *arena);

/* ---- two forms --------------------------------------------------------- */

struct cdop_paths {
	const char **path;
	size_t n;
};

/*
 * Paths whose canonical text differs, absences included; an entry that one
 * side lacks counts as empty there.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cdop_form_diff(const Cdop__Form *a, const Cdop__Form *b,
    struct cdop_arena *arena, struct cdop_paths *ret_paths);

/*
 * Raises in `into` what is raised in `from`, behind what is there already; a
 * mark never goes.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cdop_form_raise(
    Cdop__Form *into, const Cdop__Form *from, struct cdop_arena *arena);

/*
 * Raises the value at path to a further class; its entry is made where it
 * is not there.  CDOP_INVALID_ARGUMENT: no more entries fit, or the path is
 * a group; CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cdop_form_raise_at(Cdop__Form *form,
    const struct cdop_path *path, Cdop__DataClass data_class,
    struct cdop_arena *arena);

/*
 * Writes every value and absence of change over into; what change does not
 * mention stays.  Raised classes are joined.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cdop_form_merge(
    Cdop__Form *into, const Cdop__Form *change, struct cdop_arena *arena);

/* ---- classes ----------------------------------------------------------- */

/*
 * Every class a value at path needs: the field's own, what it was raised to,
 * and SAFEGUARDING for a location whose person is marked address_protected.
 */
uint32_t cdop_form_class(const Cdop__Form *form, const struct cdop_path *path);

/* Every class of which the form holds a value. */
uint32_t cdop_form_classes(const Cdop__Form *form);

/*
 * Living people whom a form says something of, by kind: a group that has a
 * name or a telephone number of somebody who lives (RECORDS M11).  One is
 * counted who has any value of such a class but a yes or no, unnamed ones
 * too.  In the order of the dictionary; returns how many kinds.
 */
#define CDOP_LIVING_MAX 24

struct cdop_living {
	const char *kind; /* the group: "parent" */
	uint32_t n;
};

size_t cdop_form_living(
    const Cdop__Form *form, struct cdop_living out[static CDOP_LIVING_MAX]);

/*
 * Clears every value, absence and mark that needs a class outside the mask.
 * Entries stay, empty, so that they can still be counted.
 */
void cdop_form_redact(Cdop__Form *form, uint32_t classes);

/* ---- checks ------------------------------------------------------------ */

enum cdop_form_use {
	CDOP_FORM_NOTIFICATION = 1, /* as received: the minimum is wanted */
	CDOP_FORM_RECORD = 2,       /* case record: no minimum */
	CDOP_FORM_PART = 3,         /* while typing: what is there, no more */
};

struct cdop_check {
	const struct cdop_profile *profile;
	/* A value that stands here already may be a retired code; or NULL. */
	const Cdop__Form *before;
	Cdop__Override *const *override;
	size_t n_override;
	int32_t today; /* civil date where the reader is, days since 1970 */
	bool training; /* mode of the registry */
	enum cdop_form_use use;
};

/*
 * Every rule over a whole form.  A warning that an override answers (same
 * path, rule and canonical value, a reason) is left out; an error never is.
 * CDOP_OK also with findings: ask cdop_violation_has_error() and ->n.
 * CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cdop_form_check(const Cdop__Form *form,
    const struct cdop_check *check, struct cdop_arena *arena,
    struct cdop_violations *violations);

/* Every permanent rule id with its words, ended by a NULL id. */
struct cdop_rule {
	const char *id;
	enum cdop_severity severity; /* the worst it can be */
	const char *words;
};

extern const struct cdop_rule cdop_form_rules[];

/* What is still wanted of an accepted form. */
struct cdop_missing {
	const char *path; /* a literal, as is the label */
	const char *label;
	enum cdop_need need; /* TODAY AGENCIES RETURN */
};

struct cdop_missing_list {
	struct cdop_missing *v;
	size_t n;
};

/* In the order TODAY, AGENCIES, RETURN.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err cdop_form_missing(const Cdop__Form *form,
    struct cdop_arena *arena, struct cdop_missing_list *ret_missing);

#define CDOP_CHOICES_MAX 8

/* One of the words that a field of kind CHOICE can have. */
struct cdop_choice {
	char word[16];     /* "baby_of", as it is kept and sent */
	const char *label; /* "baby of (not named)": read, too */
	uint32_t number;
};

/* All of them, in their order; returns how many. */
size_t cdop_form_choices(
    const struct cdop_field *field, struct cdop_choice out[CDOP_CHOICES_MAX]);

/*
 * A value as a person reads it: label of a code, area or agency, a date in
 * words, an NHS number in groups, "not known".  NULL: no memory.
 */
const char *cdop_form_words(const Cdop__Form *form,
    const struct cdop_path *path, const struct cdop_profile *profile,
    struct cdop_arena *arena);

#endif
