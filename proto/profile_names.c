/*
 * What is typed is a code or a label, in any case (form_value.c): a name that
 * two rows have on one day would be taken for one of them, and nobody asked.
 */
#include <stdint.h>
#include <string.h>

#include "cdop/text.h"
#include "proto/profile_inner.h"

struct name {
	const char *text; /* or "" */
	uint32_t key;     /* names that are the same have the same */
};

/* Whatever may be typed for it; code is the one that is kept. */
struct named {
	struct name code;
	struct name other_code;
	struct name label;
	struct cdop_span when;
};

/* FNV-1a: there are two million pairs in a list, and their texts are long. */
static struct name
name_of(const char *text)
{
	struct name name = {text, 2166136261u};

	for (; *text != '\0'; text++)
		name.key = (name.key ^ ((uint8_t)*text | 0x20u)) * 16777619u;
	return name;
}

static bool
is_same(struct name a, struct name b)
{
	return a.key == b.key && *a.text != '\0' &&
	    cdop_text_same(a.text, b.text);
}

static bool
is_coded(const struct named *one, struct name name)
{
	return is_same(one->code, name) || is_same(one->other_code, name);
}

/* Two labels that are the same have their codes to tell them apart. */
static const char *
common(const struct named *a, const struct named *b)
{
	if (a->code.key == b->code.key &&
	    strcmp(a->code.text, b->code.text) == 0)
		return NULL;
	if (!cdop_span_meets(a->when, b->when))
		return NULL;
	if (is_coded(a, b->code))
		return b->code.text;
	if (is_coded(a, b->other_code))
		return b->other_code.text;
	if (is_coded(a, b->label))
		return b->label.text;
	return is_coded(b, a->label) ? a->label.text : NULL;
}

static enum cdop_err
look(const char *what, const struct named *all, size_t n,
    struct cdop_arena *arena, const char **ret_words)
{
	const char *name;
	size_t i;
	size_t k;

	for (i = 0; i < n; i++) {
		for (k = 0; k < i; k++) {
			name = common(&all[i], &all[k]);
			if (name == NULL)
				continue;
			*ret_words = cdop_arena_printf(arena,
			    "%s %s: '%s' is %s as well: who types it would "
			    "mean either",
			    what, all[k].code.text, name, all[i].code.text);
			return *ret_words == NULL ? CDOP_RESOURCE_EXHAUSTED
						  : CDOP_OK;
		}
	}
	return CDOP_OK;
}

static struct named
named(const char *code, const char *other_code, const char *label,
    struct cdop_span when)
{
	return (struct named){
	    name_of(code), name_of(other_code), name_of(label), when};
}

static size_t
add_codes(struct named *to, const struct cdop_code_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		to[i] = named(list->code[i].code, "", list->code[i].label,
		    list->code[i].when);
	return list->n;
}

static enum cdop_err
look_at_list(const struct cdop_code_list *list, struct cdop_arena *arena,
    const char **ret_words)
{
	struct named *all = cdop_arena_calloc(arena, list->n + 1, sizeof(*all));
	const char *what =
	    cdop_arena_printf(arena, "list %s, code", list->name);

	if (all == NULL || what == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	return look(what, all, add_codes(all, list), arena, ret_words);
}

/* Areas, neighbours and area_other are typed in one place. */
static enum cdop_err
look_at_places(const struct cdop_profile *p, struct cdop_arena *arena,
    const char **ret_words)
{
	const struct cdop_code_list *other = cdop_profile_list(p, "area_other");
	struct named *all;
	size_t i;
	size_t n = 0;

	all = cdop_arena_calloc(arena,
	    p->n_area + p->n_neighbour + (other != NULL ? other->n : 0) + 1,
	    sizeof(*all));
	if (all == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < p->n_area; i++)
		if (!p->area[i].holding)
			all[n++] = named(p->area[i].id, p->area[i].code,
			    p->area[i].name, p->area[i].when);
	for (i = 0; i < p->n_neighbour; i++)
		all[n++] = named(p->neighbour[i].id, p->neighbour[i].code,
		    p->neighbour[i].name, p->neighbour[i].when);
	if (other != NULL)
		n += add_codes(all + n, other);
	return look("place", all, n, arena, ret_words);
}

enum cdop_err
cdop_profile_names(const struct cdop_profile *profile, struct cdop_arena *arena,
    const char **ret_words)
{
	enum cdop_err err = CDOP_OK;
	size_t i;

	*ret_words = NULL;
	for (i = 0; i < profile->n_list && err == CDOP_OK && *ret_words == NULL;
	     i++)
		err = look_at_list(&profile->list[i], arena, ret_words);
	if (err != CDOP_OK || *ret_words != NULL)
		return err;
	return look_at_places(profile, arena, ret_words);
}
