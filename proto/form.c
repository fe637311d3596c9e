/*
 * Reading forms: slots, values, iteration.  Members are reached by
 * the offsets of protobuf-c's descriptors.
 */
#include <string.h>

#include "proto/form_inner.h"

/* ---- members ----------------------------------------------------------- */

const void *
cdop_form_member(const void *msg, unsigned offset)
{
	return (const uint8_t *)msg + offset;
}

void *
cdop_form_member_edit(void *msg, unsigned offset)
{
	return (uint8_t *)msg + offset;
}

const ProtobufCFieldDescriptor *
cdop_form_group_descriptor(const struct cdop_field *field)
{
	const ProtobufCFieldDescriptor *fd;

	fd = &cdop__form__descriptor.fields[field->group_at];
	CDOP_ASSERT(fd->id == field->group_tag);
	return fd;
}

/* The entries of a repeated group and their count. */
static ProtobufCMessage **
entries_of(
    const Cdop__Form *form, const struct cdop_field *field, size_t *ret_n)
{
	const ProtobufCFieldDescriptor *fd = cdop_form_group_descriptor(field);
	ProtobufCMessage **entry;

	memcpy(ret_n, cdop_form_member(form, fd->quantifier_offset),
	    sizeof(*ret_n));
	memcpy(&entry, cdop_form_member(form, fd->offset), sizeof(entry));
	return entry;
}

/* Tag 1 of every entry is its number (the generator sees to it). */
static uint32_t
number_of(const ProtobufCMessage *entry)
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
	const ProtobufCFieldDescriptor *fd;
	ProtobufCMessage **entry;
	ProtobufCMessage *msg;
	size_t n;
	size_t i;

	if (path->field->group_max == 0) {
		fd = cdop_form_group_descriptor(path->field);
		memcpy(&msg, cdop_form_member(form, fd->offset), sizeof(msg));
		return msg;
	}
	entry = entries_of(form, path->field, &n);
	for (i = 0; i < n; i++) {
		if (number_of(entry[i]) == path->entry)
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

static bool
is_pointer(const ProtobufCFieldDescriptor *fd)
{
	return fd->type == PROTOBUF_C_TYPE_STRING ||
	    fd->type == PROTOBUF_C_TYPE_MESSAGE;
}

bool
cdop_form_slot_has(const struct form_slot *slot)
{
	protobuf_c_boolean has;
	const void *p;

	if (is_pointer(slot->fd)) {
		memcpy(&p, cdop_form_member(slot->msg, slot->fd->offset),
		    sizeof(p));
		return p != NULL;
	}
	memcpy(&has, cdop_form_member(slot->msg, slot->fd->quantifier_offset),
	    sizeof(has));
	return has != 0;
}

/* ---- values as text ---------------------------------------------------- */

bool
cdop_form_date_of(const Cdop__Date *message, struct cdop_date *ret_date)
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

static const char *
date_text(const Cdop__Date *message, struct cdop_arena *arena)
{
	struct cdop_date date;
	char text[CDOP_DATE_TEXT_MAX];

	/* Only a form that cdop_form_check would refuse comes here with "?". */
	if (!cdop_form_date_of(message, &date))
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

	if (!is_pointer(slot->fd))
		return number_text(slot, arena);
	memcpy(&p, cdop_form_member(slot->msg, slot->fd->offset), sizeof(p));
	if (slot->fd->type == PROTOBUF_C_TYPE_MESSAGE)
		return date_text(p, arena);
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

enum cdop_value_state
cdop_form_state(const Cdop__Form *form, const struct cdop_path *path)
{
	const Cdop__Absent *absent;
	struct form_slot slot;

	if (cdop_form_slot(form, path, &slot) && cdop_form_slot_has(&slot))
		return CDOP_VALUE_GIVEN;
	absent = cdop_form_absent(form, path);
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

	value.state = cdop_form_state(form, path);
	value.text = absence_text(value.state);
	if (value.state == CDOP_VALUE_GIVEN &&
	    cdop_form_slot(form, path, &slot))
		value.text = cdop_form_slot_text(&slot, arena);
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

bool
cdop_form_date(
    const Cdop__Form *form, const char *path, struct cdop_date *ret_date)
{
	struct cdop_path at;
	struct form_slot slot;
	const void *p;

	if (cdop_form_path_parse(path, &at) != CDOP_OK ||
	    at.field->kind != CDOP_KIND_DATE)
		return false;
	if (!cdop_form_slot(form, &at, &slot) || !cdop_form_slot_has(&slot))
		return false;
	memcpy(&p, cdop_form_member(slot.msg, slot.fd->offset), sizeof(p));
	return cdop_form_date_of(p, ret_date);
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

Cdop__Form *
cdop_form_copy(const Cdop__Form *form, struct cdop_arena *arena)
{
	uint8_t *bytes;
	size_t len;

	len = cdop__form__get_packed_size(form);
	bytes = cdop_arena_alloc(arena, len);
	if (bytes == NULL)
		return NULL;
	(void)cdop__form__pack(form, bytes);
	return cdop__form__unpack(cdop_arena_allocator(arena), len, bytes);
}

size_t
cdop_form_entries(const Cdop__Form *form, const char *group)
{
	const struct cdop_field *field = cdop_fields_group(group);
	size_t n;

	if (field == NULL || field->group_max == 0)
		return 0;
	(void)entries_of(form, field, &n);
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
	entry = entries_of(form, field, &n);
	return i < n ? number_of(entry[i]) : 0;
}

/* First row of the group after this one. */
static size_t
group_end(size_t row)
{
	return (size_t)cdop_fields[row].first + cdop_fields[row].rows;
}

/* At the first row of a repeated group; true: the group itself is next. */
static bool
next_entry(struct cdop_form_iter *iter)
{
	size_t n;

	if (iter->entry == 0) {
		iter->entry = 1;
		return true;
	}
	(void)entries_of(iter->form, &cdop_fields[iter->row], &n);
	if (iter->entry > n) {
		iter->row = group_end(iter->row);
		iter->entry = 0;
	} else {
		iter->row++;
	}
	return false;
}

bool
cdop_form_next(struct cdop_form_iter *iter, struct cdop_path *ret_path)
{
	const struct cdop_field *field;
	ProtobufCMessage **entry;
	size_t n;

	while (iter->row < cdop_fields_count) {
		field = &cdop_fields[iter->row];
		ret_path->field = field;
		ret_path->entry = 0;
		if (field->kind == CDOP_KIND_ENTRY) {
			if (next_entry(iter))
				return true;
			continue;
		}
		iter->row++;
		if (field->group_max == 0)
			return true;
		entry = entries_of(iter->form, field, &n);
		if (iter->entry <= n)
			ret_path->entry = number_of(entry[iter->entry - 1]);
		if (iter->row == group_end(iter->row - 1)) {
			iter->row = field->first;
			iter->entry++;
		}
		return true;
	}
	return false;
}

/* Is something of the group said to be absent? */
static bool
has_absence(const Cdop__Form *form, const struct cdop_field *field)
{
	size_t len, i;

	if (form->n_absent == 0)
		return false;
	len = strlen(field->group);
	for (i = 0; i < form->n_absent; i++)
		if (strncmp(form->absent[i]->path, field->group, len) == 0)
			return true;
	return false;
}

/* Of a group that is not repeated; NULL: it is not there. */
static ProtobufCMessage *
only_entry(const Cdop__Form *form, const struct cdop_field *field)
{
	const ProtobufCFieldDescriptor *fd = cdop_form_group_descriptor(field);
	ProtobufCMessage *msg;

	memcpy(&msg, cdop_form_member(form, fd->offset), sizeof(msg));
	return msg;
}

/* A value or an absence may be in the group; false: there is neither. */
static bool
may_say(const Cdop__Form *form, const struct cdop_field *field)
{
	size_t n;

	if (form == NULL)
		return false;
	if (field->group_max > 0)
		(void)entries_of(form, field, &n);
	else
		n = only_entry(form, field) != NULL;
	return n != 0 || has_absence(form, field);
}

/* Neither says anything in the group that the other does not. */
static bool
is_shared(const Cdop__Form *form, const Cdop__Form *also,
    const struct cdop_field *field)
{
	ProtobufCMessage **entry;
	size_t n, also_n;

	if (also == NULL || has_absence(form, field) ||
	    has_absence(also, field))
		return false;
	if (field->group_max == 0)
		return only_entry(form, field) == only_entry(also, field);
	entry = entries_of(form, field, &n);
	return entry == entries_of(also, field, &also_n) && n == also_n;
}

static bool
is_given(const ProtobufCMessage *msg, const struct cdop_field *field)
{
	struct form_slot slot = {NULL, NULL};

	if (msg == NULL)
		return false;
	memcpy(&slot.msg, &msg, sizeof(msg)); /* it is only looked at */
	slot.fd = &msg->descriptor->fields[field->at];
	return cdop_form_slot_has(&slot);
}

/*
 * Over groups of which nobody says anything or that both forms share, and over
 * what has no value in one that is not repeated.  Walks are most of what a form
 * costs.  True: form gives a value in the row it stops at, in a group that is
 * not repeated.
 */
static bool
pass_silent(struct cdop_form_iter *iter)
{
	const Cdop__Form *form = iter->form, *also = iter->also;
	const ProtobufCMessage *msg, *other;
	const struct cdop_field *field;
	size_t end;

	while (iter->row < cdop_fields_count && iter->entry == 0) {
		field = &cdop_fields[iter->row];
		end = group_end(iter->row);
		if ((!may_say(form, field) && !may_say(also, field)) ||
		    is_shared(form, also, field)) {
			iter->row = end;
			continue;
		}
		if (field->group_max > 0 || has_absence(form, field) ||
		    (also != NULL && has_absence(also, field)))
			return false;
		msg = only_entry(form, field);
		other = also == NULL ? NULL : only_entry(also, field);
		for (; iter->row < end; iter->row++, field++) {
			if (is_given(msg, field))
				return true;
			if (is_given(other, field))
				return false;
		}
	}
	return false;
}

bool
cdop_form_next_said(struct cdop_form_iter *iter, struct cdop_path *ret_path)
{
	for (;;) {
		if (pass_silent(iter)) {
			*ret_path = (struct cdop_path){
			    .field = &cdop_fields[iter->row++]};
			iter->state = CDOP_VALUE_GIVEN;
			return true;
		}
		if (!cdop_form_next(iter, ret_path))
			return false;
		iter->state = cdop_form_state(iter->form, ret_path);
		if (iter->state != CDOP_VALUE_NOT_ASKED)
			return true;
		if (iter->also != NULL &&
		    cdop_form_state(iter->also, ret_path) !=
			CDOP_VALUE_NOT_ASKED)
			return true;
	}
}
