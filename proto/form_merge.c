/* Two forms: what differs, and one written over the other. */
#include <string.h>

#include "proto/form_inner.h"

/* ---- differences ------------------------------------------------------- */

struct differ {
	struct cdop_arena *arena;
	struct cdop_paths list;
	size_t cap;
};

static enum cdop_err
add_path(struct differ *d, const struct cdop_path *path)
{
	char text[CDOP_FORM_PATH_MAX];
	const char **list;
	char *copy;

	if (d->list.n == d->cap) {
		list =
		    cdop_arena_calloc(d->arena, d->cap * 2 + 16, sizeof(*list));
		if (list == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
		if (d->list.n > 0)
			memcpy(list, d->list.path, d->list.n * sizeof(*list));
		d->list.path = list;
		d->cap = d->cap * 2 + 16;
	}
	cdop_form_path_write(path, text);
	copy = cdop_arena_strdup(d->arena, text);
	if (copy == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	d->list.path[d->list.n++] = copy;
	return CDOP_OK;
}

static bool
is_same_date(const Cdop__Date *a, const Cdop__Date *b)
{
	return a->has_year == b->has_year && a->year == b->year &&
	    a->has_month == b->has_month && a->month == b->month &&
	    a->has_day == b->has_day && a->day == b->day &&
	    a->has_estimated == b->has_estimated &&
	    a->estimated == b->estimated;
}

/* Equal in the message already; false: only their texts can tell. */
static bool
is_same_value(const struct form_slot *in_a, const struct form_slot *in_b)
{
	const void *p = cdop_form_member(in_a->msg, in_a->fd->offset);
	const void *q = cdop_form_member(in_b->msg, in_b->fd->offset);

	if (!cdop_form_is_pointer(in_a->fd))
		return memcmp(p, q, sizeof(uint32_t)) == 0;
	memcpy(&p, p, sizeof(p));
	memcpy(&q, q, sizeof(q));
	return in_a->fd->type == PROTOBUF_C_TYPE_STRING ? strcmp(p, q) == 0
							: is_same_date(p, q);
}

static enum cdop_err
compare(struct differ *d, const Cdop__Form *a, const Cdop__Form *b,
    const struct cdop_path *path)
{
	struct form_slot in_a, in_b;
	bool given = cdop_form_given(a, path, &in_a);
	const char *text_a, *text_b;

	if (given != cdop_form_given(b, path, &in_b))
		return add_path(d, path);
	if (!given)
		return cdop_form_state(a, path) == cdop_form_state(b, path)
		    ? CDOP_OK
		    : add_path(d, path);
	if (is_same_value(&in_a, &in_b))
		return CDOP_OK;
	text_a = cdop_form_slot_text(&in_a, d->arena);
	text_b = cdop_form_slot_text(&in_b, d->arena);
	if (text_a == NULL || text_b == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	return strcmp(text_a, text_b) == 0 ? CDOP_OK : add_path(d, path);
}

static bool
has_entry(const Cdop__Form *form, const struct cdop_path *path)
{
	struct form_slot slot;

	return path->entry == 0 || cdop_form_slot(form, path, &slot);
}

static enum cdop_err
differ(struct differ *d, const Cdop__Form *a, const Cdop__Form *b)
{
	struct cdop_form_iter iter = {.form = a, .also = b};
	struct cdop_path path;
	enum cdop_err err;

	while (cdop_form_next_said(&iter, &path)) {
		if ((err = compare(d, a, b, &path)) != CDOP_OK)
			return err;
	}
	/* Entries that only b has. */
	iter = (struct cdop_form_iter){.form = b, .also = a};
	while (cdop_form_next_said(&iter, &path)) {
		if (has_entry(a, &path))
			continue;
		if ((err = compare(d, a, b, &path)) != CDOP_OK)
			return err;
	}
	return CDOP_OK;
}

enum cdop_err
cdop_form_diff(const Cdop__Form *a, const Cdop__Form *b,
    struct cdop_arena *arena, struct cdop_paths *ret_paths)
{
	struct differ d = {.arena = arena};
	enum cdop_err err;

	if ((err = differ(&d, a, b)) != CDOP_OK)
		return err;
	*ret_paths = d.list;
	return CDOP_OK;
}

/* ---- merging ----------------------------------------------------------- */

static enum cdop_err
copy_pointer(const struct form_slot *to, const struct form_slot *from,
    struct cdop_arena *arena)
{
	Cdop__Date *date;
	const void *p;
	void *copy;

	memcpy(&p, cdop_form_member(from->msg, from->fd->offset), sizeof(p));
	if (from->fd->type == PROTOBUF_C_TYPE_STRING) {
		copy = cdop_arena_strdup(arena, p);
	} else {
		copy = cdop_arena_alloc(arena, sizeof(*date));
		if (copy != NULL) {
			date = copy;
			memcpy(date, p, sizeof(*date));
			/* What it may hold of a newer schema is not ours. */
			date->base.n_unknown_fields = 0;
			date->base.unknown_fields = NULL;
		}
	}
	if (copy == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	memcpy(cdop_form_member_edit(to->msg, to->fd->offset), &copy,
	    sizeof(copy));
	return CDOP_OK;
}

static enum cdop_err
copy_value(Cdop__Form *into, const Cdop__Form *from,
    const struct cdop_path *path, struct cdop_arena *arena)
{
	protobuf_c_boolean has = 1;
	struct form_slot source;
	struct form_slot slot;
	enum cdop_err err;

	if (!cdop_form_slot(from, path, &source))
		return CDOP_INTERNAL;
	err = cdop_form_slot_make(into, path, arena, &slot);
	if (err != CDOP_OK)
		return err;
	if (cdop_form_is_pointer(slot.fd)) {
		err = copy_pointer(&slot, &source, arena);
		if (err != CDOP_OK)
			return err;
	} else {
		memcpy(
		    cdop_form_member_edit(slot.msg, slot.fd->quantifier_offset),
		    &has, sizeof(has));
		memcpy(cdop_form_member_edit(slot.msg, slot.fd->offset),
		    cdop_form_member(source.msg, source.fd->offset),
		    sizeof(uint32_t));
	}
	cdop_form_absent_drop(into, path);
	return CDOP_OK;
}

static enum cdop_err
take(Cdop__Form *into, const Cdop__Form *from, const struct cdop_path *path,
    struct cdop_arena *arena)
{
	enum cdop_value_state state = cdop_form_state(from, path);
	struct form_slot slot;
	enum cdop_err err;

	if (state == CDOP_VALUE_GIVEN)
		return copy_value(into, from, path, arena);
	if (cdop_form_is_group(path)) {
		/* "None" does not take out entries that are there. */
		if (cdop_form_entries(into, path->field->group) > 0)
			return CDOP_OK;
	} else {
		err = cdop_form_slot_make(into, path, arena, &slot);
		if (err != CDOP_OK)
			return err;
	}
	return cdop_form_absent_put(into, path, state, arena);
}

static bool
is_raised(const Cdop__Form *form, const Cdop__Raised *mark)
{
	size_t i;

	for (i = 0; i < form->n_raised; i++) {
		if (form->raised[i]->data_class == mark->data_class &&
		    strcmp(form->raised[i]->path, mark->path) == 0)
			return true;
	}
	return false;
}

enum cdop_err
cdop_form_raise(
    Cdop__Form *into, const Cdop__Form *from, struct cdop_arena *arena)
{
	Cdop__Raised **list;
	Cdop__Raised *mark;
	size_t i;

	if (from->n_raised == 0)
		return CDOP_OK;
	list = cdop_arena_calloc(
	    arena, into->n_raised + from->n_raised, sizeof(*list));
	if (list == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if (into->n_raised > 0)
		memcpy(list, into->raised, into->n_raised * sizeof(*list));
	into->raised = list;
	for (i = 0; i < from->n_raised; i++) {
		if (is_raised(into, from->raised[i]))
			continue;
		mark = cdop_arena_alloc(arena, sizeof(*mark));
		if (mark == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
		cdop__raised__init(mark);
		mark->data_class = from->raised[i]->data_class;
		mark->path = cdop_arena_strdup(arena, from->raised[i]->path);
		if (mark->path == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
		into->raised[into->n_raised++] = mark;
	}
	return CDOP_OK;
}

enum cdop_err
cdop_form_raise_at(Cdop__Form *form, const struct cdop_path *path,
    Cdop__DataClass data_class, struct cdop_arena *arena)
{
	char text[CDOP_FORM_PATH_MAX];
	Cdop__Raised mark, *list[] = {&mark};
	Cdop__Form from;
	struct form_slot slot;
	enum cdop_err err;

	if (cdop_form_is_group(path))
		return CDOP_INVALID_ARGUMENT;
	if (path->entry != 0 && !cdop_form_slot(form, path, &slot)) {
		if (cdop_form_entries(form, path->field->group) >=
		    path->field->group_max)
			return CDOP_INVALID_ARGUMENT;
		err = cdop_form_slot_make(form, path, arena, &slot);
		if (err != CDOP_OK)
			return err;
	}
	cdop_form_path_write(path, text);
	cdop__raised__init(&mark);
	mark.path = text;
	mark.data_class = data_class;
	cdop__form__init(&from);
	from.raised = list;
	from.n_raised = 1;
	return cdop_form_raise(form, &from, arena);
}

enum cdop_err
cdop_form_merge(
    Cdop__Form *into, const Cdop__Form *change, struct cdop_arena *arena)
{
	struct cdop_form_iter iter = {.form = change};
	struct cdop_path path;
	enum cdop_err err;

	while (cdop_form_next_said(&iter, &path)) {
		if ((err = take(into, change, &path, arena)) != CDOP_OK)
			return err;
	}
	return cdop_form_raise(into, change, arena);
}
