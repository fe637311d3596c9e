/* Each value of a record with who gave it. */
#include <string.h>

#include "server/registry/people.h"
#include "server/rpc/rpc_case.h"

#define FIRST 64 /* most records say less; a power of two */

/* The list that is being made; most of a record is one person's. */
struct sources {
	struct rpc_ctx *ctx;
	Cdop__FormInstance *to;
	const struct people_person *person; /* the last one, by name */
	char *name;
	bool failed;
};

/* The source of every value: the one that is named, or that of the rest. */
static const Cdop__ValueSource *
source_of(const Cdop__StoredForm *stored, const char *path)
{
	const Cdop__ValueSource *rest = NULL;
	size_t i;

	for (i = 0; i < stored->n_value_source; i++) {
		if (strcmp(stored->value_source[i]->path, path) == 0)
			return stored->value_source[i];
		if (*stored->value_source[i]->path == '\0')
			rest = stored->value_source[i];
	}
	return rest;
}

static char *
name_of(struct sources *s, uint32_t number)
{
	const struct people_person *person =
	    people_person(s->ctx->reg->people, number);

	if (person != NULL && person != s->person)
		s->name = rpc_case_text(s->ctx, person->name, &s->failed);
	s->person = person;
	return person == NULL ? NULL : s->name;
}

/* Room for one more, doubled when it is used up. */
static bool
grow(struct sources *s)
{
	const size_t n = s->to->n_value_source;
	Cdop__ValueSource **list;

	if (n != 0 && (n < FIRST || (n & (n - 1)) != 0))
		return true;
	list = cdop_arena_calloc(
	    s->ctx->arena, n == 0 ? FIRST : 2 * n, sizeof(*list));
	if (list == NULL)
		return false;
	if (n > 0)
		memcpy(list, s->to->value_source, n * sizeof(*list));
	s->to->value_source = list;
	return true;
}

static void
add(struct sources *s, const char *path, const Cdop__ValueSource *from)
{
	Cdop__ValueSource *entry;

	entry = cdop_arena_alloc(s->ctx->arena, sizeof(*entry));
	if (entry == NULL || !grow(s)) {
		s->failed = true;
		return;
	}
	*entry = *from;
	entry->path = rpc_case_text(s->ctx, path, &s->failed);
	entry->person_name = name_of(s, from->person);
	s->to->value_source[s->to->n_value_source++] = entry;
}

void
rpc_case_sources(struct rpc_ctx *ctx, const Cdop__StoredForm *stored,
    Cdop__FormInstance *to, bool *failed)
{
	struct cdop_form_iter iter = {.form = stored->form};
	struct sources s = {.ctx = ctx, .to = to};
	const Cdop__ValueSource *from;
	char text[CDOP_FORM_PATH_MAX];
	struct cdop_path path;

	while (!s.failed && cdop_form_next_said(&iter, &path)) {
		if (path.field->kind == CDOP_KIND_ENTRY)
			continue;
		cdop_form_path_write(&path, text);
		if ((from = source_of(stored, text)) != NULL)
			add(&s, text, from);
	}
	*failed = *failed || s.failed;
}
