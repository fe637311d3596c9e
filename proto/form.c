/*
 * Reading forms: slots and values.  Members are reached by the offsets of
 * protobuf-c's descriptors.
 */
#include <string.h>

#include "proto/form_inner.h"

/* ---- members ----------------------------------------------------------- */

/* Tag 1 of every entry is its number (the generator sees to it). */
uint32_t
cdop_form_number_of(const ProtobufCMessage *entry)
{
	const ProtobufCFieldDescriptor *fd = entry->descriptor->fields;
	protobuf_c_boolean has;
	uint32_t number;

	CDOP_ASSERT(fd->id == 1);
	memcpy(
	    &has, cdop_form_member(entry, fd->quantifier_offset), sizeof(has));
	memcpy(&number, cdop_form_member(entry, fd->offset), sizeof(number));
	return has ? number : 0;
}

static ProtobufCMessage *
group_of(const Cdop__Form *form, const struct cdop_path *path)
{
	ProtobufCMessage **entry;
	size_t n;
	size_t i;

	if (path->field->group_max == 0)
		return cdop_form_only_entry(form, path->field);
	entry = cdop_form_entries_of(form, path->field, &n);
	for (i = 0; i < n; i++) {
		if (cdop_form_number_of(entry[i]) == path->entry)
			return entry[i];
	}
	return NULL;
}

bool
cdop_form_slot(const Cdop__Form *form, const struct cdop_path *path,
    struct form_slot *ret_slot)
{
	struct form_slot slot;

	if (cdop_form_is_group(path))
		return false;
	slot.msg = group_of(form, path);
	if (slot.msg == NULL)
		return false;
	slot.fd = &slot.msg->descriptor->fields[path->field->at];
	CDOP_ASSERT(slot.fd->id == path->field->tag);
	*ret_slot = slot;
	return true;
}

/* ---- values as text ---------------------------------------------------- */

/* A Date message as a date; false when it is none of the calendar. */
static bool
date_of(const Cdop__Date *message, struct cdop_date *ret_date)
{
	struct cdop_date date = {0};

	if (!message->has_year || message->year > CDOP_DATE_YEAR_MAX)
		return false;
	if (message->has_month && (message->month < 1 || message->month > 12))
		return false;
	if (message->has_day && (message->day < 1 || message->day > 31))
		return false;
	date.year = (uint16_t)message->year;
	if (message->has_month)
		date.month = (uint8_t)message->month;
	if (message->has_day)
		date.day = (uint8_t)message->day;
	date.estimated = message->has_estimated && message->estimated;
	if (!cdop_date_is_valid(&date))
		return false;
	*ret_date = date;
	return true;
}

void
cdop_form_choice_word(const ProtobufCEnumValue *value, char *out, size_t size)
{
	const char *name = strchr(value->name, '_');
	size_t i;

	/* Names of values are package-wide: the first word says of what. */
	name = name == NULL ? value->name : name + 1;
	for (i = 0; name[i] != '\0' && i + 1 < size; i++) {
		out[i] = name[i];
		if (name[i] >= 'A' && name[i] <= 'Z')
			out[i] = (char)(name[i] - 'A' + 'a');
	}
	out[i] = '\0';
}

const char *
cdop_form_date_text(const Cdop__Date *message, struct cdop_arena *arena)
{
	struct cdop_date date;
	char text[CDOP_DATE_TEXT_MAX];

	/* Only a form that cdop_form_check would refuse comes here with "?". */
	if (!date_of(message, &date))
		return "?";
	cdop_date_write(&date, text);
	return cdop_arena_strdup(arena, text);
}

static const char *
number_text(const struct form_slot *slot, struct cdop_arena *arena)
{
	const ProtobufCEnumValue *value;
	char word[CDOP_FORM_PATH_MAX];
	uint32_t number;

	/* bool, uint32 and enum are all four bytes here. */
	memcpy(&number, cdop_form_member(slot->msg, slot->fd->offset),
	    sizeof(number));
	if (slot->fd->type == PROTOBUF_C_TYPE_BOOL)
		return number != 0 ? "yes" : "no";
	if (slot->fd->type == PROTOBUF_C_TYPE_ENUM) {
		value = protobuf_c_enum_descriptor_get_value(
		    slot->fd->descriptor, (int)number);
		if (value == NULL)
			return "?";
		cdop_form_choice_word(value, word, sizeof(word));
		return cdop_arena_strdup(arena, word);
	}
	return cdop_arena_printf(arena, "%u", (unsigned)number);
}

const char *
cdop_form_slot_text(const struct form_slot *slot, struct cdop_arena *arena)
{
	const void *p;

	if (!cdop_form_is_pointer(slot->fd))
		return number_text(slot, arena);
	memcpy(&p, cdop_form_member(slot->msg, slot->fd->offset), sizeof(p));
	if (slot->fd->type == PROTOBUF_C_TYPE_MESSAGE)
		return cdop_form_date_text(p, arena);
	return p;
}

Cdop__Absent *
cdop_form_absent(const Cdop__Form *form, const struct cdop_path *path)
{
	size_t i;

	for (i = 0; i < form->n_absent; i++) {
		if (cdop_form_is_path(form->absent[i]->path, path))
			return form->absent[i];
	}
	return NULL;
}

bool
cdop_form_given(const Cdop__Form *form, const struct cdop_path *path,
    struct form_slot *ret_slot)
{
	return cdop_form_slot(form, path, ret_slot) &&
	    cdop_form_slot_has(ret_slot);
}

/* Of a path that has no value. */
static enum cdop_value_state
absence_state(const Cdop__Form *form, const struct cdop_path *path)
{
	const Cdop__Absent *absent = cdop_form_absent(form, path);

	if (absent == NULL)
		return CDOP_VALUE_NOT_ASKED;
	switch (absent->kind) {
	case CDOP__ABSENCE_KIND__NOT_KNOWN:
		return CDOP_VALUE_NOT_KNOWN;
	case CDOP__ABSENCE_KIND__NOT_APPLICABLE:
		return CDOP_VALUE_NOT_APPLICABLE;
	case CDOP__ABSENCE_KIND__WITHHELD:
		return CDOP_VALUE_WITHHELD;
	case _CDOP__ABSENCE_KIND_IS_INT_SIZE:
		break;
	}
	return CDOP_VALUE_NOT_ASKED;
}

enum cdop_value_state
cdop_form_state(const Cdop__Form *form, const struct cdop_path *path)
{
	struct form_slot slot;

	return cdop_form_given(form, path, &slot) ? CDOP_VALUE_GIVEN
						  : absence_state(form, path);
}

static const char *
absence_text(enum cdop_value_state state)
{
	switch (state) {
	case CDOP_VALUE_NOT_KNOWN:
		return "#nk";
	case CDOP_VALUE_NOT_APPLICABLE:
		return "#na";
	case CDOP_VALUE_WITHHELD:
		return "#ws";
	case CDOP_VALUE_NOT_ASKED:
	case CDOP_VALUE_GIVEN:
		break;
	}
	return "";
}

enum cdop_err
cdop_form_get(const Cdop__Form *form, const struct cdop_path *path,
    struct cdop_arena *arena, struct cdop_value *ret_value)
{
	struct cdop_value value;
	struct form_slot slot;

	if (cdop_form_given(form, path, &slot)) {
		value.state = CDOP_VALUE_GIVEN;
		value.text = cdop_form_slot_text(&slot, arena);
	} else {
		value.state = absence_state(form, path);
		value.text = absence_text(value.state);
	}
	if (value.text == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	*ret_value = value;
	return CDOP_OK;
}

bool
cdop_form_has(const Cdop__Form *form, const char *path)
{
	struct cdop_path at;

	return cdop_form_path_parse(path, &at) == CDOP_OK &&
	    cdop_form_state(form, &at) == CDOP_VALUE_GIVEN;
}

const char *
cdop_form_text(
    const Cdop__Form *form, const char *path, struct cdop_arena *arena)
{
	struct cdop_value value;
	struct cdop_path at;

	if (cdop_form_path_parse(path, &at) != CDOP_OK)
		return "";
	if (cdop_form_get(form, &at, arena, &value) != CDOP_OK)
		return NULL;
	return value.text;
}

const char *
cdop_form_value(
    const Cdop__Form *form, const char *path, struct cdop_arena *arena)
{
	struct cdop_path at;
	struct form_slot slot;

	if (cdop_form_path_parse(path, &at) != CDOP_OK ||
	    !cdop_form_given(form, &at, &slot))
		return "";
	return cdop_form_slot_text(&slot, arena);
}

/* The same of a slot that has one. */
static bool
date_in(const struct form_slot *slot, struct cdop_date *ret_date)
{
	const void *p;

	memcpy(&p, cdop_form_member(slot->msg, slot->fd->offset), sizeof(p));
	return date_of(p, ret_date);
}

bool
cdop_form_date(
    const Cdop__Form *form, const char *path, struct cdop_date *ret_date)
{
	struct cdop_path at;
	struct form_slot slot;

	return cdop_form_path_parse(path, &at) == CDOP_OK &&
	    at.field->kind == CDOP_KIND_DATE &&
	    cdop_form_given(form, &at, &slot) && date_in(&slot, ret_date);
}

/* ---- whole forms ------------------------------------------------------- */

Cdop__Form *
cdop_form_new(struct cdop_arena *arena)
{
	Cdop__Form *form = cdop_arena_alloc(arena, sizeof(*form));

	if (form != NULL)
		cdop__form__init(form);
	return form;
}

static void *copy_message(
    const ProtobufCMessage *from, struct cdop_arena *arena);

static void *
copy_one(const ProtobufCFieldDescriptor *fd, const void *from,
    struct cdop_arena *arena)
{
	return fd->type == PROTOBUF_C_TYPE_STRING
	    ? cdop_arena_strdup(arena, from)
	    : copy_message(from, arena);
}

/* In place of what a pointer, or a list of them, leads to: a copy of it. */
static bool
copy_member(ProtobufCMessage *to, const ProtobufCFieldDescriptor *fd,
    struct cdop_arena *arena)
{
	void *at = cdop_form_member_edit(to, fd->offset), **list, *one;
	const void *const *old;
	size_t n, i;

	memcpy(&one, at, sizeof(one));
	if (one == NULL)
		return true;
	if (fd->label != PROTOBUF_C_LABEL_REPEATED) {
		one = copy_one(fd, one, arena);
		memcpy(at, &one, sizeof(one));
		return one != NULL;
	}
	old = one;
	memcpy(&n, cdop_form_member(to, fd->quantifier_offset), sizeof(n));
	list = cdop_arena_calloc(arena, n, sizeof(*list));
	for (i = 0; list != NULL && i < n; i++)
		if ((list[i] = copy_one(fd, old[i], arena)) == NULL)
			return false;
	memcpy(at, &list, sizeof(list));
	return list != NULL;
}

/* What a newer schema has put there. */
static bool
copy_unknown(ProtobufCMessage *to, struct cdop_arena *arena)
{
	const ProtobufCMessageUnknownField *from = to->unknown_fields;
	ProtobufCMessageUnknownField *list;
	unsigned i;

	if (to->n_unknown_fields == 0)
		return true;
	list = cdop_arena_calloc(arena, to->n_unknown_fields, sizeof(*list));
	if (list == NULL)
		return false;
	memcpy(list, from, to->n_unknown_fields * sizeof(*list));
	to->unknown_fields = list;
	for (i = 0; i < to->n_unknown_fields; i++) {
		list[i].data = cdop_arena_alloc(arena, list[i].len);
		if (list[i].data == NULL)
			return false;
		memcpy(list[i].data, from[i].data, list[i].len);
	}
	return true;
}

static void *
copy_message(const ProtobufCMessage *from, struct cdop_arena *arena)
{
	const ProtobufCMessageDescriptor *desc = from->descriptor;
	ProtobufCMessage *to = cdop_arena_alloc(arena, desc->sizeof_message);
	unsigned i;

	if (to == NULL)
		return NULL;
	memcpy(to, from, desc->sizeof_message);
	for (i = 0; i < desc->n_fields; i++)
		if (cdop_form_is_pointer(&desc->fields[i]) &&
		    !copy_member(to, &desc->fields[i], arena))
			return NULL;
	return copy_unknown(to, arena) ? to : NULL;
}

Cdop__Form *
cdop_form_copy(const Cdop__Form *form, struct cdop_arena *arena)
{
	return copy_message(&form->base, arena);
}

size_t
cdop_form_entries(const Cdop__Form *form, const char *group)
{
	const struct cdop_field *field = cdop_fields_group(group);
	size_t n;

	if (field == NULL || field->group_max == 0)
		return 0;
	(void)cdop_form_entries_of(form, field, &n);
	return n;
}

uint32_t
cdop_form_entry_number(const Cdop__Form *form, const char *group, size_t i)
{
	const struct cdop_field *field = cdop_fields_group(group);
	ProtobufCMessage **entry;
	size_t n;

	if (field == NULL || field->group_max == 0)
		return 0;
	entry = cdop_form_entries_of(form, field, &n);
	return i < n ? cdop_form_number_of(entry[i]) : 0;
}
