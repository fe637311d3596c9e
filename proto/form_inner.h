/*
 * What the form_*.c files share: where a field lies in the message, and what
 * typed text means.  Nobody else includes this.
 */
#ifndef CDOP_PROTO_FORM_INNER_H
#define CDOP_PROTO_FORM_INNER_H

#include "cdop/form.h"

/* A leaf of a form that is there: its group's message and its descriptor. */
struct form_slot {
	ProtobufCMessage *msg;
	const ProtobufCFieldDescriptor *fd;
};

/* Is it the path of a repeated group as a whole ("parent")? */
bool cdop_form_is_group(const struct cdop_path *path);

/* Is text what cdop_form_path_write() would write of the path? */
bool cdop_form_is_path(const char *text, const struct cdop_path *path);

/* Of the group in Form. */
const ProtobufCFieldDescriptor *cdop_form_group_descriptor(
    const struct cdop_field *field);

/* False: the group or the entry is not there, or path is a group. */
bool cdop_form_slot(const Cdop__Form *form, const struct cdop_path *path,
    struct form_slot *ret_slot);
/* The same, made where it is not there.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err cdop_form_slot_make(Cdop__Form *form,
    const struct cdop_path *path, struct cdop_arena *arena,
    struct form_slot *ret_slot);

bool cdop_form_slot_has(const struct form_slot *slot);
/* Canonical text of a slot that has a value; NULL: no memory. */
const char *cdop_form_slot_text(
    const struct form_slot *slot, struct cdop_arena *arena);
void cdop_form_slot_clear(const struct form_slot *slot);

/* Where a member lies; msg is the message that holds it. */
const void *cdop_form_member(const void *msg, unsigned offset);
void *cdop_form_member_edit(void *msg, unsigned offset);

/* A Date message as a date; false when it is none of the calendar. */
bool cdop_form_date_of(const Cdop__Date *message, struct cdop_date *ret_date);

/* "baby_of" of NAME_BABY_OF, into out. */
void cdop_form_choice_word(
    const ProtobufCEnumValue *value, char *out, size_t size);

/* Is the path in the list of absences?  NULL: no. */
Cdop__Absent *cdop_form_absent(
    const Cdop__Form *form, const struct cdop_path *path);
/* Takes the path out of that list. */
void cdop_form_absent_drop(Cdop__Form *form, const struct cdop_path *path);
/* Records an absence in place of any value.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err cdop_form_absent_put(Cdop__Form *form,
    const struct cdop_path *path, enum cdop_value_state kind,
    struct cdop_arena *arena);

/* What typed text means for a field. */
struct form_reading {
	enum cdop_value_state state;
	const char *text;      /* canonical, where it is text */
	struct cdop_date date; /* DATE */
	uint32_t number;       /* INTEGER, YES_NO, CHOICE */
};

/*
 * Reads typed text.  CDOP_INVALID_ARGUMENT: a violation at where was added;
 * CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cdop_form_read(const struct cdop_field *field,
    const char *where, const char *typed, const struct cdop_profile *profile,
    struct cdop_arena *arena, struct cdop_violations *violations,
    struct form_reading *ret_reading);

/* ---- rules ------------------------------------------------------------- */

/* One run of the rules over one form. */
struct form_run {
	const Cdop__Form *form;
	const struct cdop_check *check;
	struct cdop_arena *arena;
	struct cdop_violations *list;
	enum cdop_err err; /* first failure; sticky */
};

/* Adds a finding, unless it is a warning that an override answers. */
void cdop_form_find(struct form_run *run, enum cdop_severity severity,
    const char *path, const char *rule, const char *message);

/* The rules of one file each. */
void cdop_form_check_values(struct form_run *run);
void cdop_form_check_dates(struct form_run *run);
void cdop_form_check_child(struct form_run *run);
void cdop_form_check_accept(struct form_run *run);

/* Days of birth and death that the form allows; false: not said. */
bool cdop_form_span(
    const Cdop__Form *form, const char *path, struct cdop_span *ret_span);

#endif
