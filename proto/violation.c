/* A list of findings that grows in an arena. */
#include "cdop/violation.h"

#include <string.h>

static enum cdop_err
grow(struct cdop_violations *list, struct cdop_arena *arena)
{
	struct cdop_violation *v;
	size_t cap;

	if (list->n < list->cap)
		return CDOP_OK;
	cap = list->cap == 0 ? 16 : list->cap * 2;
	v = cdop_arena_calloc(arena, cap, sizeof(*v));
	if (v == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if (list->n > 0)
		memcpy(v, list->v, list->n * sizeof(*v));
	list->v = v;
	list->cap = cap;
	return CDOP_OK;
}

enum cdop_err
cdop_violation_add(struct cdop_violations *list, struct cdop_arena *arena,
    enum cdop_severity severity, const char *path, const char *rule,
    const char *message)
{
	struct cdop_violation *v;
	enum cdop_err err;
	char *words;
	char *where;

	where = cdop_arena_strdup(arena, path);
	words = cdop_arena_strdup(arena, message);
	if (where == NULL || words == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if ((err = grow(list, arena)) != CDOP_OK)
		return err;
	v = &list->v[list->n++];
	v->path = where;
	v->rule = rule;
	v->message = words;
	v->severity = severity;
	return CDOP_OK;
}

bool
cdop_violation_has_error(const struct cdop_violations *list)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (list->v[i].severity == CDOP_SEVERITY_ERROR)
			return true;
	}
	return false;
}

const struct cdop_violation *
cdop_violation_find(
    const struct cdop_violations *list, const char *path, const char *rule)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (path != NULL && strcmp(list->v[i].path, path) != 0)
			continue;
		if (strcmp(list->v[i].rule, rule) == 0)
			return &list->v[i];
	}
	return NULL;
}
