/* Whether a form from outside is built so that the rest can work on it. */
#include <string.h>

#include "proto/form_inner.h"

static enum cdop_err
error(struct cdop_violations *list, struct cdop_arena *arena, const char *path,
    const char *rule, const char *message)
{
	return cdop_violation_add(
	    list, arena, CDOP_SEVERITY_ERROR, path, rule, message);
}

/* One of 1 to CDOP_FORM_ENTRY_MAX that no earlier entry has. */
static bool
is_number(ProtobufCMessage *const *entry, size_t i)
{
	uint32_t number = cdop_form_number_of(entry[i]);
	size_t k;

	for (k = 0; k < i; k++)
		if (cdop_form_number_of(entry[k]) == number)
			return false;
	return number > 0 && number <= CDOP_FORM_ENTRY_MAX;
}

static enum cdop_err
check_entries(const Cdop__Form *form, const struct cdop_field *field,
    struct cdop_arena *arena, struct cdop_violations *list)
{
	ProtobufCMessage **entry;
	size_t n;
	size_t i;

	entry = cdop_form_entries_of(form, field, &n);
	if (n > field->group_max)
		return error(list, arena, field->group, "entry.too_many",
		    "more entries of this kind than fit");
	for (i = 0; i < n; i++)
		if (!is_number(entry, i))
			return error(list, arena, field->group, "entry.number",
			    "entries are numbered, from 1, each differently");
	return CDOP_OK;
}

static enum cdop_err
check_groups(const Cdop__Form *form, struct cdop_arena *arena,
    struct cdop_violations *list)
{
	enum cdop_err err = CDOP_OK;
	size_t i;

	for (i = 0; err == CDOP_OK && i < cdop_fields_count;
	     i += cdop_fields[i].rows)
		if (cdop_fields[i].group_max > 0)
			err = check_entries(form, &cdop_fields[i], arena, list);
	return err;
}

/* Does the path name a field, in an entry that is there? */
static bool
is_there(const Cdop__Form *form, const char *text, struct cdop_path *ret_path)
{
	struct form_slot slot;

	if (cdop_form_path_parse(text, ret_path) != CDOP_OK)
		return false;
	return ret_path->entry == 0 || cdop_form_slot(form, ret_path, &slot);
}

static enum cdop_err
check_absent(const Cdop__Form *form, size_t i, struct cdop_arena *arena,
    struct cdop_violations *list)
{
	const char *text = form->absent[i]->path;
	struct cdop_path path;
	struct form_slot slot;
	size_t k;

	if (!is_there(form, text, &path))
		return error(list, arena, "", "absent.path",
		    "an absence has to name a field of the dictionary, in an "
		    "entry that is there");
	for (k = 0; k < i; k++) {
		if (strcmp(form->absent[k]->path, text) == 0)
			return error(list, arena, text, "absent.twice",
			    "this field is listed as absent twice");
	}
	if (cdop_form_is_group(&path)
		? cdop_form_entries(form, path.field->group) > 0
		: cdop_form_slot(form, &path, &slot) &&
		    cdop_form_slot_has(&slot))
		return error(list, arena, text, "absent.with_value",
		    "both a value and an absence: one of them");
	if (cdop_form_state(form, &path) == CDOP_VALUE_NOT_ASKED)
		return error(list, arena, text, "absent.kind",
		    "not known, not applicable or withheld");
	return CDOP_OK;
}

enum cdop_err
cdop_form_shape(const Cdop__Form *form, struct cdop_arena *arena,
    struct cdop_violations *violations)
{
	struct cdop_path path;
	enum cdop_err err;
	size_t i;

	if ((err = check_groups(form, arena, violations)) != CDOP_OK)
		return err;
	for (i = 0; i < form->n_absent; i++) {
		err = check_absent(form, i, arena, violations);
		if (err != CDOP_OK)
			return err;
	}
	for (i = 0; i < form->n_raised; i++) {
		if (is_there(form, form->raised[i]->path, &path) &&
		    !cdop_form_is_group(&path) &&
		    (int)form->raised[i]->data_class >= 1 &&
		    (int)form->raised[i]->data_class <= 10)
			continue;
		err = error(violations, arena, "", "raised.path",
		    "a raised class has to name a field and a class of the "
		    "dictionary");
		if (err != CDOP_OK)
			return err;
	}
	return CDOP_OK;
}
