/* Writing forms: values, absences and entries, all of it in the arena. */
#include <string.h>

#include "proto/form_inner.h"

/* ---- slots ------------------------------------------------------------- */

static ProtobufCMessage *
new_message(
    const ProtobufCMessageDescriptor *descriptor, struct cdop_arena *arena)
{
	ProtobufCMessage *msg;

	msg = cdop_arena_alloc(arena, descriptor->sizeof_message);
	if (msg != NULL)
		protobuf_c_message_init(descriptor, msg);
	return msg;
}

/* A list of pointers with one more at its end; the old one is left. */
static void *
longer(void *list, size_t n, void *item, struct cdop_arena *arena)
{
	void **copy = cdop_arena_calloc(arena, n + 1, sizeof(void *));

	if (copy == NULL)
		return NULL;
	if (n > 0)
		memcpy(copy, list, n * sizeof(void *));
	copy[n] = item;
	return copy;
}

static enum cdop_err
add_entry(Cdop__Form *form, const struct cdop_field *field, uint32_t number,
    struct cdop_arena *arena)
{
	const ProtobufCFieldDescriptor *fd = cdop_form_group_descriptor(field);
	const ProtobufCFieldDescriptor *number_fd;
	protobuf_c_boolean has = 1;
	ProtobufCMessage *msg;
	void *list;
	size_t n;

	msg = new_message(fd->descriptor, arena);
	if (msg == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	number_fd = protobuf_c_message_descriptor_get_field(fd->descriptor, 1);
	CDOP_ASSERT(number_fd != NULL);
	memcpy(cdop_form_member_edit(msg, number_fd->quantifier_offset), &has,
	    sizeof(has));
	memcpy(cdop_form_member_edit(msg, number_fd->offset), &number,
	    sizeof(number));
	memcpy(&n, cdop_form_member(form, fd->quantifier_offset), sizeof(n));
	memcpy(&list, cdop_form_member(form, fd->offset), sizeof(list));
	list = longer(list, n, msg, arena);
	if (list == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	n++;
	memcpy(cdop_form_member_edit(form, fd->offset), &list, sizeof(list));
	memcpy(
	    cdop_form_member_edit(form, fd->quantifier_offset), &n, sizeof(n));
	/* There are some: "none" and "not known" no longer hold. */
	cdop_form_absent_drop(
	    form, &(struct cdop_path){.field = &cdop_fields[field->first]});
	return CDOP_OK;
}

enum cdop_err
cdop_form_slot_make(Cdop__Form *form, const struct cdop_path *path,
    struct cdop_arena *arena, struct form_slot *ret_slot)
{
	const ProtobufCFieldDescriptor *fd;
	ProtobufCMessage *msg;
	enum cdop_err err;

	if (cdop_form_slot(form, path, ret_slot))
		return CDOP_OK;
	if (path->field->group_max > 0) {
		err = add_entry(form, path->field, path->entry, arena);
		if (err != CDOP_OK)
			return err;
	} else {
		fd = cdop_form_group_descriptor(path->field);
		msg = new_message(fd->descriptor, arena);
		if (msg == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
		memcpy(
		    cdop_form_member_edit(form, fd->offset), &msg, sizeof(msg));
	}
	CDOP_ASSERT(cdop_form_slot(form, path, ret_slot));
	return CDOP_OK;
}

void
cdop_form_slot_clear(const struct form_slot *slot)
{
	const ProtobufCFieldDescriptor *fd = slot->fd;
	void *none = NULL;
	uint32_t zero = 0;

	if (cdop_form_is_pointer(fd)) {
		memcpy(cdop_form_member_edit(slot->msg, fd->offset), &none,
		    sizeof(none));
		return;
	}
	memcpy(cdop_form_member_edit(slot->msg, fd->quantifier_offset), &zero,
	    sizeof(zero));
	memcpy(
	    cdop_form_member_edit(slot->msg, fd->offset), &zero, sizeof(zero));
}

/* ---- absences ---------------------------------------------------------- */

void
cdop_form_absent_drop(Cdop__Form *form, const struct cdop_path *path)
{
	Cdop__Absent *absent = cdop_form_absent(form, path);
	size_t i;
	size_t n = 0;

	if (absent == NULL)
		return;
	for (i = 0; i < form->n_absent; i++) {
		if (form->absent[i] != absent)
			form->absent[n++] = form->absent[i];
	}
	form->n_absent = n;
}

static Cdop__AbsenceKind
absence_kind(enum cdop_value_state state)
{
	if (state == CDOP_VALUE_NOT_APPLICABLE)
		return CDOP__ABSENCE_KIND__NOT_APPLICABLE;
	if (state == CDOP_VALUE_WITHHELD)
		return CDOP__ABSENCE_KIND__WITHHELD;
	return CDOP__ABSENCE_KIND__NOT_KNOWN;
}

enum cdop_err
cdop_form_absent_put(Cdop__Form *form, const struct cdop_path *path,
    enum cdop_value_state kind, struct cdop_arena *arena)
{
	char text[CDOP_FORM_PATH_MAX];
	Cdop__Absent *absent;
	struct form_slot slot;
	Cdop__Absent **list;

	absent = cdop_form_absent(form, path);
	if (absent == NULL) {
		cdop_form_path_write(path, text);
		absent = cdop_arena_alloc(arena, sizeof(*absent));
		if (absent == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
		cdop__absent__init(absent);
		absent->path = cdop_arena_strdup(arena, text);
		list = longer(form->absent, form->n_absent, absent, arena);
		if (absent->path == NULL || list == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
		form->absent = list;
		form->n_absent++;
	}
	absent->kind = absence_kind(kind);
	if (cdop_form_slot(form, path, &slot))
		cdop_form_slot_clear(&slot);
	return CDOP_OK;
}

void
cdop_form_clear(Cdop__Form *form, const struct cdop_path *path)
{
	struct form_slot slot;

	if (cdop_form_slot(form, path, &slot))
		cdop_form_slot_clear(&slot);
	cdop_form_absent_drop(form, path);
}

/* ---- values ------------------------------------------------------------ */

static enum cdop_err
store_date(const struct form_slot *slot, const struct cdop_date *date,
    struct cdop_arena *arena)
{
	Cdop__Date *message = cdop_arena_alloc(arena, sizeof(*message));

	if (message == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop__date__init(message);
	message->has_year = 1;
	message->year = date->year;
	message->has_month = date->month != 0;
	message->month = date->month;
	message->has_day = date->day != 0;
	message->day = date->day;
	message->has_estimated = date->estimated;
	message->estimated = date->estimated;
	memcpy(cdop_form_member_edit(slot->msg, slot->fd->offset), &message,
	    sizeof(message));
	return CDOP_OK;
}

static enum cdop_err
store(const struct form_slot *slot, const struct form_reading *reading,
    struct cdop_arena *arena)
{
	void *at = cdop_form_member_edit(slot->msg, slot->fd->offset);
	protobuf_c_boolean has = 1;
	char *text;

	if (slot->fd->type == PROTOBUF_C_TYPE_MESSAGE)
		return store_date(slot, &reading->date, arena);
	if (slot->fd->type == PROTOBUF_C_TYPE_STRING) {
		text = cdop_arena_strdup(arena, reading->text);
		if (text == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
		memcpy(at, &text, sizeof(text));
		return CDOP_OK;
	}
	memcpy(cdop_form_member_edit(slot->msg, slot->fd->quantifier_offset),
	    &has, sizeof(has));
	memcpy(at, &reading->number, sizeof(reading->number));
	return CDOP_OK;
}

/* Room for one more entry, where the path needs one. */
static bool
has_room(const Cdop__Form *form, const struct cdop_path *path)
{
	struct form_slot slot;

	if (path->field->group_max == 0 || cdop_form_slot(form, path, &slot))
		return true;
	return cdop_form_entries(form, path->field->group) <
	    path->field->group_max;
}

static enum cdop_err
refuse(struct cdop_violations *violations, struct cdop_arena *arena,
    const char *where, const char *rule, const char *message)
{
	enum cdop_err err;

	err = cdop_violation_add(
	    violations, arena, CDOP_SEVERITY_ERROR, where, rule, message);
	return err == CDOP_OK ? CDOP_INVALID_ARGUMENT : err;
}

enum cdop_err
cdop_form_set(Cdop__Form *form, const struct cdop_path *path, const char *typed,
    const struct cdop_profile *profile, struct cdop_arena *arena,
    struct cdop_violations *violations)
{
	struct form_reading reading;
	char where[CDOP_FORM_PATH_MAX];
	struct form_slot slot;
	enum cdop_err err;

	cdop_form_path_write(path, where);
	err = cdop_form_read(
	    path->field, where, typed, profile, arena, violations, &reading);
	if (err != CDOP_OK)
		return err;
	if (reading.state == CDOP_VALUE_NOT_ASKED) {
		cdop_form_clear(form, path);
		return CDOP_OK;
	}
	if (cdop_form_is_group(path)) {
		if (cdop_form_entries(form, path->field->group) > 0)
			return refuse(violations, arena, where,
			    "absent.with_value",
			    "there are entries: take them out first");
		return cdop_form_absent_put(form, path, reading.state, arena);
	}
	if (!has_room(form, path))
		return refuse(violations, arena, where, "entry.too_many",
		    "no more entries of this kind fit: put the rest into the "
		    "narrative");
	err = cdop_form_slot_make(form, path, arena, &slot);
	if (err != CDOP_OK)
		return err;
	if (reading.state != CDOP_VALUE_GIVEN)
		return cdop_form_absent_put(form, path, reading.state, arena);
	if ((err = store(&slot, &reading, arena)) != CDOP_OK)
		return err;
	cdop_form_absent_drop(form, path);
	return CDOP_OK;
}

enum cdop_err
cdop_form_put(Cdop__Form *form, const char *path, const char *typed,
    const struct cdop_profile *profile, struct cdop_arena *arena,
    struct cdop_violations *violations)
{
	struct cdop_path at;
	enum cdop_err err;

	if (cdop_form_path_parse(path, &at) == CDOP_OK)
		return cdop_form_set(
		    form, &at, typed, profile, arena, violations);
	/* The path is somebody's input: it is named nowhere. */
	err = cdop_violation_add(violations, arena, CDOP_SEVERITY_ERROR, "",
	    "path.unknown",
	    "no such field: the names are those of the dictionary, such as "
	    "child.family_name or parent.1.family_name");
	return err == CDOP_OK ? CDOP_INVALID_ARGUMENT : err;
}

/* ---- entries ----------------------------------------------------------- */

enum cdop_err
cdop_form_entry_add(Cdop__Form *form, const char *group,
    struct cdop_arena *arena, uint32_t *ret_number)
{
	const struct cdop_field *field = cdop_fields_group(group);
	uint32_t number = 0;
	enum cdop_err err;
	size_t n;
	size_t i;

	if (field == NULL || field->group_max == 0)
		return CDOP_INVALID_ARGUMENT;
	n = cdop_form_entries(form, group);
	for (i = 0; i < n; i++) {
		if (cdop_form_entry_number(form, group, i) > number)
			number = cdop_form_entry_number(form, group, i);
	}
	if (n >= field->group_max || number >= CDOP_FORM_ENTRY_MAX)
		return CDOP_RESOURCE_EXHAUSTED;
	number++;
	if ((err = add_entry(form, field, number, arena)) != CDOP_OK)
		return err;
	*ret_number = number;
	return CDOP_OK;
}
