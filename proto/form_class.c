/* Sensitivity classes of values, and taking out what a reader may not see. */
#include <string.h>

#include "proto/form_inner.h"

/* Is the person this value belongs to marked "address is protected"? */
static bool
is_protected(const Cdop__Form *form, const struct cdop_path *path)
{
	char name[CDOP_FORM_PATH_MAX] = "";
	size_t len = strlen(path->field->group);
	struct cdop_path mark = {.entry = path->entry};
	struct form_slot slot;
	protobuf_c_boolean is_set;

	memcpy(name, path->field->group, len);
	memcpy(name + len, ".address_protected", sizeof(".address_protected"));
	mark.field = cdop_fields_find(name);
	if (mark.field == NULL || !cdop_form_slot(form, &mark, &slot) ||
	    !cdop_form_slot_has(&slot))
		return false;
	memcpy(&is_set, cdop_form_member(slot.msg, slot.fd->offset),
	    sizeof(is_set));
	return is_set != 0;
}

uint32_t
cdop_form_class(const Cdop__Form *form, const struct cdop_path *path)
{
	char text[CDOP_FORM_PATH_MAX];
	uint32_t class = path->field->class;
	uint32_t raised;
	size_t i;

	if (class == CDOP_CLASS_LOCATION && is_protected(form, path))
		class |= CDOP_CLASS_SAFEGUARDING;
	if (form->n_raised == 0)
		return class;
	cdop_form_path_write(path, text);
	for (i = 0; i < form->n_raised; i++) {
		raised = (uint32_t)form->raised[i]->data_class;
		if (raised < 32 && strcmp(form->raised[i]->path, text) == 0)
			class |= 1u << raised;
	}
	return class;
}

uint32_t
cdop_form_classes(const Cdop__Form *form)
{
	struct cdop_form_iter iter = {.form = form};
	struct cdop_path path;
	uint32_t classes = 0;

	while (cdop_form_next_said(&iter, &path)) {
		if (iter.state == CDOP_VALUE_GIVEN)
			classes |= cdop_form_class(form, &path);
	}
	return classes;
}

/* ---- living people ----------------------------------------------------- */

#define LIVING (CDOP_CLASS_FAMILY_IDENTITY | CDOP_CLASS_PROFESSIONAL_IDENTITY)

/* Is a group about somebody who lives? */
static bool
is_person(const struct cdop_field *of)
{
	const struct cdop_field *field = &cdop_fields[of->first];

	for (; field < &cdop_fields[of->first + of->rows]; field++)
		if ((field->class & LIVING) != 0 &&
		    (field->kind == CDOP_KIND_NAME ||
			field->kind == CDOP_KIND_PHONE))
			return true;
	return false;
}

size_t
cdop_form_living(
    const Cdop__Form *form, struct cdop_living out[static CDOP_LIVING_MAX])
{
	struct cdop_form_iter iter = {.form = form};
	struct cdop_path path;
	uint32_t last = 0; /* entry of the last one counted */
	size_t n = 0;

	while (cdop_form_next_said(&iter, &path)) {
		const char *group = path.field->group;
		bool same = n > 0 && strcmp(out[n - 1].kind, group) == 0;

		if ((path.field->class & LIVING) == 0 ||
		    path.field->kind == CDOP_KIND_YES_NO ||
		    (same && path.entry == last) ||
		    iter.state != CDOP_VALUE_GIVEN || !is_person(path.field))
			continue;
		if (!same && n == CDOP_LIVING_MAX)
			break;
		if (!same)
			out[n++] = (struct cdop_living){group, 0};
		out[n - 1].n++;
		last = path.entry;
	}
	return n;
}

/* ---- redaction --------------------------------------------------------- */

static void
clear_outside(Cdop__Form *form, uint32_t classes, bool locations)
{
	struct cdop_form_iter iter = {.form = form};
	struct cdop_path path;

	while (cdop_form_next_said(&iter, &path)) {
		if ((path.field->class == CDOP_CLASS_LOCATION) != locations)
			continue;
		if ((cdop_form_class(form, &path) & ~classes) != 0)
			cdop_form_clear(form, &path);
	}
}

void
cdop_form_redact(Cdop__Form *form, uint32_t classes)
{
	struct cdop_path path;
	size_t kept = 0;
	size_t i;

	/* Locations first: the mark that protects them may go, too. */
	clear_outside(form, classes, true);
	clear_outside(form, classes, false);
	for (i = 0; i < form->n_raised; i++) {
		/* A mark without its value would still tell of it. */
		if (cdop_form_path_parse(form->raised[i]->path, &path) ==
			CDOP_OK &&
		    cdop_form_state(form, &path) != CDOP_VALUE_NOT_ASKED)
			form->raised[kept++] = form->raised[i];
	}
	form->n_raised = kept;
}
