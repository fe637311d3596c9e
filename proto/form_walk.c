/* Walks over forms: all fields, what is said, the values alone. */
#include <string.h>

#include "proto/form_inner.h"

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
	(void)cdop_form_entries_of(iter->form, &cdop_fields[iter->row], &n);
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
		entry = cdop_form_entries_of(iter->form, field, &n);
		if (iter->entry <= n)
			ret_path->entry =
			    cdop_form_number_of(entry[iter->entry - 1]);
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

/* A value or an absence may be in the group; false: there is neither. */
static bool
may_say(const Cdop__Form *form, const struct cdop_field *field)
{
	size_t n;

	if (form == NULL)
		return false;
	if (field->group_max > 0)
		(void)cdop_form_entries_of(form, field, &n);
	else
		n = cdop_form_only_entry(form, field) != NULL;
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
		return cdop_form_only_entry(form, field) ==
		    cdop_form_only_entry(also, field);
	entry = cdop_form_entries_of(form, field, &n);
	return entry == cdop_form_entries_of(also, field, &also_n) &&
	    n == also_n;
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
 * what has no value in one that is not repeated.  True: form gives a value in
 * the row it stops at, in a group that is not repeated.
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
		if (iter->row == field->first &&
		    ((!may_say(form, field) && !may_say(also, field)) ||
			is_shared(form, also, field))) {
			iter->row = end;
			continue;
		}
		if (field->group_max > 0 || has_absence(form, field) ||
		    (also != NULL && has_absence(also, field)))
			return false;
		msg = cdop_form_only_entry(form, field);
		other = also == NULL ? NULL : cdop_form_only_entry(also, field);
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

/* ---- values alone ------------------------------------------------------ */

/* The message that the walk is in; NULL: there is none, or no further entry. */
static ProtobufCMessage *
present(const struct cdop_form_iter *iter, const struct cdop_field *field)
{
	ProtobufCMessage **entry;
	size_t n;

	if (field->group_max == 0)
		return cdop_form_only_entry(iter->form, field);
	entry = cdop_form_entries_of(iter->form, field, &n);
	return iter->entry < n ? entry[iter->entry] : NULL;
}

/* On behind the next value of the message; false: at the group's end. */
static bool
next_in(struct cdop_form_iter *iter, ProtobufCMessage *msg, size_t end,
    struct form_slot *slot)
{
	const struct cdop_field *field;

	slot->msg = msg;
	while (iter->row < end) {
		field = &cdop_fields[iter->row++];
		slot->fd = &msg->descriptor->fields[field->at];
		CDOP_ASSERT(slot->fd->id == field->tag);
		if (field->kind != CDOP_KIND_ENTRY && cdop_form_slot_has(slot))
			return true;
	}
	return false;
}

bool
cdop_form_next_value(struct cdop_form_iter *iter, struct cdop_path *ret_path,
    struct form_slot *ret_slot)
{
	const struct cdop_field *field;
	ProtobufCMessage *msg;
	size_t end;
	bool found;

	while (iter->row < cdop_fields_count) {
		field = &cdop_fields[iter->row];
		end = group_end(iter->row);
		if ((msg = present(iter, field)) == NULL) {
			iter->row = end;
			iter->entry = 0;
			continue;
		}
		if ((found = next_in(iter, msg, end, ret_slot))) {
			ret_path->field = &cdop_fields[iter->row - 1];
			ret_path->entry = field->group_max == 0
			    ? 0
			    : cdop_form_number_of(msg);
		}
		if (iter->row == end && field->group_max > 0) {
			iter->row = field->first;
			iter->entry++;
		}
		if (found)
			return true;
	}
	return false;
}
