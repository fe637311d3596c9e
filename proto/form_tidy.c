/*
 * Brings what a stranger's client sent into canonical text, by the rules
 * that hold for typing.
 */
#include <string.h>

#include "proto/form_inner.h"

/* Text that is written into the slot; the old one is left in the arena. */
static enum cdop_err
write_text(
    const struct form_slot *slot, const char *text, struct cdop_arena *arena)
{
	char *copy = cdop_arena_strdup(arena, text);

	if (copy == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	memcpy(cdop_form_member_edit(slot->msg, slot->fd->offset), &copy,
	    sizeof(copy));
	return CDOP_OK;
}

static enum cdop_err
tidy_value(Cdop__Form *form, const struct cdop_path *path,
    const struct form_slot *slot, const struct cdop_profile *profile,
    struct cdop_arena *arena)
{
	struct cdop_violations ignored = {0};
	struct form_reading reading;
	const char *text;
	enum cdop_err err;

	memcpy(
	    &text, cdop_form_member(slot->msg, slot->fd->offset), sizeof(text));
	err = cdop_form_read(
	    path->field, "", text, profile, arena, &ignored, &reading);
	if (err == CDOP_INVALID_ARGUMENT)
		return CDOP_OK; /* the check will say why */
	if (err != CDOP_OK)
		return err;
	if (reading.state == CDOP_VALUE_NOT_ASKED)
		cdop_form_slot_clear(slot);
	else if (reading.state != CDOP_VALUE_GIVEN)
		return cdop_form_absent_put(form, path, reading.state, arena);
	else if (text != reading.text && strcmp(text, reading.text) != 0)
		return write_text(slot, reading.text, arena);
	return CDOP_OK;
}

enum cdop_err
cdop_form_tidy(Cdop__Form *form, const struct cdop_profile *profile,
    struct cdop_arena *arena)
{
	struct cdop_form_iter iter = {.form = form};
	struct form_slot slot;
	struct cdop_path path;
	enum cdop_err err;

	while (cdop_form_next_value(&iter, &path, &slot)) {
		if (slot.fd->type != PROTOBUF_C_TYPE_STRING)
			continue;
		err = tidy_value(form, &path, &slot, profile, arena);
		if (err != CDOP_OK)
			return err;
	}
	return CDOP_OK;
}
