/* Options of a field. */
#include "client/choices.h"

#include <string.h>
#include <strings.h>

#include "cdop/text.h"
#include "client/clock.h"
#include "client/print.h"
#include "forms.pb-c.h"

#define LIKE_SHOWN 12 /* fields that are like what was typed */

struct list {
	struct prompt_option *option;
	size_t n;
};

static void
add(struct list *list, const char *code, const char *label)
{
	if (list->n == CHOICES_MAX)
		return;
	list->option[list->n].code = code;
	list->option[list->n++].label = label;
}

static void
add_codes(
    struct list *list, const struct cdop_profile *profile, const char *name)
{
	const struct cdop_code_list *codes = cdop_profile_list(profile, name);
	int32_t today = clock_today(profile);
	size_t i;

	for (i = 0; codes != NULL && i < codes->n; i++)
		if (cdop_span_holds(codes->code[i].when, today) &&
		    codes->code[i].means == CDOP_CODE_VALUE)
			add(list, codes->code[i].code, codes->code[i].label);
}

static void
add_areas(struct list *list, const struct cdop_profile *profile)
{
	int32_t today = clock_today(profile);
	size_t i;

	for (i = 0; i < profile->n_area; i++)
		if (cdop_span_holds(profile->area[i].when, today) &&
		    !profile->area[i].holding)
			add(list, profile->area[i].id, profile->area[i].name);
	for (i = 0; i < profile->n_neighbour; i++)
		if (cdop_span_holds(profile->neighbour[i].when, today))
			add(list, profile->neighbour[i].id,
			    profile->neighbour[i].name);
	add_codes(list, profile, "area_other");
}

static void
add_agencies(struct list *list, const struct cdop_profile *profile)
{
	int32_t today = clock_today(profile);
	size_t i;

	for (i = 0; i < profile->n_agency; i++)
		if (cdop_span_holds(profile->agency[i].when, today))
			add(list, profile->agency[i].id,
			    profile->agency[i].name);
}

static void
add_words(
    struct cmd_ctx *ctx, struct list *list, const struct cdop_field *field)
{
	struct cdop_choice choice[CDOP_CHOICES_MAX];
	size_t n = cdop_form_choices(field, choice), i;
	const char *word;

	for (i = 0; i < n; i++) {
		word = cdop_arena_strdup(ctx->arena, choice[i].word);
		if (word != NULL)
			add(list, word, choice[i].label);
	}
}

size_t
choices_of(struct cmd_ctx *ctx, const struct cdop_profile *profile,
    const struct cdop_field *field, struct prompt_option **ret_options)
{
	struct list list = {NULL, 0};

	list.option =
	    cdop_arena_calloc(ctx->arena, CHOICES_MAX, sizeof(*list.option));
	if (list.option == NULL)
		return 0;
	switch ((int)field->kind) {
	case CDOP_KIND_CODE:
		add_codes(&list, profile, field->list);
		break;
	case CDOP_KIND_AREA:
		add_areas(&list, profile);
		break;
	case CDOP_KIND_AGENCY:
		add_agencies(&list, profile);
		break;
	case CDOP_KIND_CHOICE:
		add_words(ctx, &list, field);
		break;
	default:
		break;
	}
	*ret_options = list.option;
	return list.n;
}

/* Entries of a repeated group are named by their path alone. */
static size_t
with_label(const char *typed, struct cdop_path *ret_path)
{
	size_t i, n = 0;

	for (i = 0; i < cdop_fields_count; i++) {
		if (cdop_fields[i].group_max > 0 ||
		    !cdop_text_same(cdop_fields[i].label, typed))
			continue;
		ret_path->field = &cdop_fields[i];
		ret_path->entry = 0;
		n++;
	}
	return n;
}

static size_t
show_like(struct cmd_ctx *ctx, const char *typed)
{
	const struct cdop_field *f;
	size_t i, n = 0;

	for (i = 0; i < cdop_fields_count && n < LIKE_SHOWN; i++) {
		f = &cdop_fields[i];
		if (f->kind == CDOP_KIND_ENTRY ||
		    (strcasestr(f->label, typed) == NULL &&
			strcasestr(f->path, typed) == NULL))
			continue;
		print_note(ctx, "  %s%s.%s  %s", f->group,
		    f->group_max > 0 ? ".1" : "", f->name, f->label);
		n++;
	}
	return n;
}

bool
choices_field(
    struct cmd_ctx *ctx, const char *typed, struct cdop_path *ret_path)
{
	if (cdop_form_path_parse(typed, ret_path) == CDOP_OK ||
	    with_label(typed, ret_path) == 1)
		return true;
	if (show_like(ctx, typed) == 0)
		print_note(ctx,
		    "there is no such field: its path or its label, as the "
		    "man page has them, or some letters of one");
	return false;
}

size_t
choices_narrow(struct prompt_option *option, size_t n, const char *typed)
{
	size_t i, left = 0;

	for (i = 0; i < n; i++)
		if (strcasestr(option[i].label, typed) != NULL ||
		    strcasestr(option[i].code, typed) != NULL)
			option[left++] = option[i];
	return left;
}
