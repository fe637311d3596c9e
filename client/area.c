/* Areas as they are typed. */
#include "client/area.h"

#include <string.h>
#include <strings.h>

#include "cdop/profile.h"
#include "client/session.h"

#define MAY_BE_AN_ID "abcdefghijklmnopqrstuvwxyz0123456789-_"
#define BEGIN_MIN    3 /* letters by which one is guessed, to be told */

static bool
is_id(const char *text)
{
	return text[0] != '\0' && text[strspn(text, MAY_BE_AN_ID)] == '\0';
}

/* Without the blanks around it. */
static const char *
trimmed(struct cmd_ctx *ctx, const char *typed)
{
	size_t len;

	typed += strspn(typed, " ");
	len = strlen(typed);
	while (len > 0 && typed[len - 1] == ' ')
		len--;
	return cdop_arena_strndup(ctx->arena, typed, len);
}

/*
 * The ids of those that are called so, and one of them.  An area that has
 * ended and the one after it may have one name.
 */
static const struct cdop_area *
called(struct cmd_ctx *ctx, const struct cdop_profile *profile,
    const char *text, size_t *ret_n, const char **ret_ids)
{
	const struct cdop_area *area, *found = NULL;
	size_t i;

	*ret_n = 0;
	*ret_ids = "by its id: ";
	for (i = 0; i < profile->n_area; i++) {
		area = &profile->area[i];
		if (strcasecmp(area->id, text) != 0 &&
		    strcasecmp(area->name, text) != 0)
			continue;
		*ret_ids = cdop_arena_printf(ctx->arena, "%s%s%s", *ret_ids,
		    found != NULL ? ", " : "", area->id);
		found = area;
		++*ret_n;
	}
	return found;
}

/* One may be meant, and is told; else they all are. */
static const char *
which(struct cmd_ctx *ctx, const struct cdop_profile *profile, const char *text)
{
	const size_t len = strlen(text);
	const struct cdop_area *near = NULL;
	const char *all = "";
	size_t i, n = 0;

	for (i = 0; i < profile->n_area; i++) {
		all = cdop_arena_printf(ctx->arena, "%s%s%s", all,
		    i > 0 ? ", " : "", profile->area[i].id);
		if (len < BEGIN_MIN ||
		    strncasecmp(profile->area[i].name, text, len) != 0)
			continue;
		near = &profile->area[i];
		n++;
	}
	return n == 1
	    ? cdop_arena_printf(ctx->arena, "the nearest is: %s", near->id)
	    : all;
}

static enum exit_code
find(struct cmd_ctx *ctx, const char *text, char **ret_area)
{
	const struct cdop_profile *profile;
	const struct cdop_area *area;
	const char *ids;
	enum exit_code code;
	size_t n;

	if ((code = session_open(ctx)) != EXIT_OK ||
	    (code = session_profile(ctx, &profile)) != EXIT_OK)
		return code;
	area = called(ctx, profile, text, &n, &ids);
	if (n > 1)
		return cmd_fail(ctx, EXIT_USAGE, "area", ids,
		    "more than one area is called so");
	if (area == NULL)
		return cmd_fail(ctx, EXIT_USAGE, "area",
		    which(ctx, profile, text), "not an area of this panel");
	*ret_area = cdop_arena_strdup(ctx->arena, area->id);
	return EXIT_OK;
}

enum exit_code
area_read(struct cmd_ctx *ctx, const char *typed, char **ret_area)
{
	const char *text = trimmed(ctx, typed);

	if (text == NULL)
		return cmd_no_memory(ctx);
	if (!is_id(text))
		return find(ctx, text, ret_area);
	*ret_area = cdop_arena_strdup(ctx->arena, text);
	return EXIT_OK;
}

enum exit_code
area_read_all(struct cmd_ctx *ctx, char **ret_areas, size_t max, size_t *ret_n)
{
	const char *typed;
	enum exit_code code;
	size_t n;

	for (n = 0; (typed = cmd_value_at(ctx, "--area", n)) != NULL; n++) {
		if (n == max)
			return cmd_fail(
			    ctx, EXIT_USAGE, NULL, NULL, "too many areas");
		if ((code = area_read(ctx, typed, &ret_areas[n])) != EXIT_OK)
			return code;
	}
	*ret_n = n;
	return EXIT_OK;
}
