/*
 * What the form_*.c files share: where a field lies in the message, and what
 * typed text means.  Nobody else includes this.
 */
#ifndef CDOP_PROTO_FORM_INNER_H
#define CDOP_PROTO_FORM_INNER_H

#include <string.h>

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

/* Where a member lies; msg is the message that holds it. */
static inline const void *
cdop_form_member(const void *msg, unsigned offset)
{
	return (const uint8_t *)msg + offset;
}

static inline void *
cdop_form_member_edit(void *msg, unsigned offset)
{
	return (uint8_t *)msg + offset;
}

/* Of the group in Form. */
static inline const ProtobufCFieldDescriptor *
cdop_form_group_descriptor(const struct cdop_field *field)
{
	const ProtobufCFieldDescriptor *fd;

	fd = &cdop__form__descriptor.fields[field->group_at];
	CDOP_ASSERT(fd->id == field->group_tag);
	return fd;
}

/* Of a group that is not repeated; NULL: it is not there. */
static inline ProtobufCMessage *
cdop_form_only_entry(const Cdop__Form *form, const struct cdop_field *field)
{
	const ProtobufCFieldDescriptor *fd = cdop_form_group_descriptor(field);
	ProtobufCMessage *msg;

	memcpy(&msg, cdop_form_member(form, fd->offset), sizeof(msg));
	return msg;
}

/* The entries of a repeated group and their count; and an entry's number. */
static inline ProtobufCMessage **
cdop_form_entries_of(
    const Cdop__Form *form, const struct cdop_field *field, size_t *ret_n)
{
	const ProtobufCFieldDescriptor *fd = cdop_form_group_descriptor(field);
	ProtobufCMessage **entry;

	memcpy(ret_n, cdop_form_member(form, fd->quantifier_offset),
	    sizeof(*ret_n));
	memcpy(&entry, cdop_form_member(form, fd->offset), sizeof(entry));
	return entry;
}

uint32_t cdop_form_number_of(const ProtobufCMessage *entry);

/* Is it text or a date?  All others are four bytes. */
static inline bool
cdop_form_is_pointer(const ProtobufCFieldDescriptor *fd)
{
	return fd->type == PROTOBUF_C_TYPE_STRING ||
	    fd->type == PROTOBUF_C_TYPE_MESSAGE;
}

/* False: the group or the entry is not there, or path is a group. */
bool cdop_form_slot(const Cdop__Form *form, const struct cdop_path *path,
    struct form_slot *ret_slot);
/* The same, made where it is not there.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err cdop_form_slot_make(Cdop__Form *form,
    const struct cdop_path *path, struct cdop_arena *arena,
    struct form_slot *ret_slot);

static inline bool
cdop_form_slot_has(const struct form_slot *slot)
{
	protobuf_c_boolean has;
	const void *p;

	if (cdop_form_is_pointer(slot->fd)) {
		memcpy(&p, cdop_form_member(slot->msg, slot->fd->offset),
		    sizeof(p));
		return p != NULL;
	}
	memcpy(&has, cdop_form_member(slot->msg, slot->fd->quantifier_offset),
	    sizeof(has));
	return has != 0;
}

/* The slot of a value; false: none is given. */
bool cdop_form_given(const Cdop__Form *form, const struct cdop_path *path,
    struct form_slot *ret_slot);
/* Canonical text of a slot that has a value; NULL: no memory. */
const char *cdop_form_slot_text(
    const struct form_slot *slot, struct cdop_arena *arena);
void cdop_form_slot_clear(const struct form_slot *slot);

/*
 * The values alone, in the order of the dictionary: where each lies.  Begin
 * with {form}.  What is handed out may be changed or taken away meanwhile,
 * and absences may come and go; entries may not.
 */
bool cdop_form_next_value(struct cdop_form_iter *iter,
    struct cdop_path *ret_path, struct form_slot *ret_slot);

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
	const char *text;      /* canonical, where it is text; may be typed's */
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

/* A date of the form; of a field that does not repeat. */
struct form_date {
	const struct cdop_field *field;
	struct cdop_date date;
	struct cdop_span span;
};

#define FORM_DATES 32 /* more than there are such fields */

/* One run of the rules over one form. */
struct form_run {
	const Cdop__Form *form;
	const struct cdop_check *check;
	struct cdop_arena *arena;
	struct cdop_violations *list;
	enum cdop_err err;                 /* first failure; sticky */
	struct form_date date[FORM_DATES]; /* as the values have them */
	size_t n_date;
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
