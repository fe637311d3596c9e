/* Looking things up in a profile. */
#include <string.h>

#include "proto/profile_inner.h"

/* Most words of a list differ in their first letter already. */
static bool
is_same(const char *a, const char *b)
{
	return *a == *b && strcmp(a, b) == 0;
}

const struct cdop_area *
cdop_profile_area(const struct cdop_profile *profile, const char *id)
{
	size_t i;

	for (i = 0; i < profile->n_area; i++) {
		if (is_same(profile->area[i].id, id))
			return &profile->area[i];
	}
	return NULL;
}

const struct cdop_neighbour *
cdop_profile_neighbour(const struct cdop_profile *profile, const char *id)
{
	size_t i;

	for (i = 0; i < profile->n_neighbour; i++) {
		if (is_same(profile->neighbour[i].id, id))
			return &profile->neighbour[i];
	}
	return NULL;
}

const struct cdop_agency *
cdop_profile_agency(const struct cdop_profile *profile, const char *id)
{
	size_t i;

	for (i = 0; i < profile->n_agency; i++) {
		if (is_same(profile->agency[i].id, id))
			return &profile->agency[i];
	}
	return NULL;
}

const struct cdop_area *
cdop_profile_holding(const struct cdop_profile *profile)
{
	size_t i;

	for (i = 0; i < profile->n_area; i++) {
		if (profile->area[i].holding)
			return &profile->area[i];
	}
	return NULL;
}

const struct cdop_code_list *
cdop_profile_list(const struct cdop_profile *profile, const char *list)
{
	size_t i;

	for (i = 0; i < profile->n_list; i++) {
		if (is_same(profile->list[i].name, list))
			return &profile->list[i];
	}
	return NULL;
}

const struct cdop_code *
cdop_profile_code(const struct cdop_profile *profile, const char *list,
    const char *code, int32_t day)
{
	const struct cdop_code_list *codes = cdop_profile_list(profile, list);
	const struct cdop_code *found = NULL;
	size_t i;

	for (i = 0; codes != NULL && i < codes->n; i++) {
		if (!is_same(codes->code[i].code, code))
			continue;
		if (found == NULL || cdop_span_holds(codes->code[i].when, day))
			found = &codes->code[i];
	}
	return found;
}

const struct cdop_code *
cdop_profile_purpose(
    const struct cdop_profile *profile, const char *code, int32_t day)
{
	const struct cdop_code *found;

	found = cdop_profile_code(profile, "purpose", code, day);
	if (found == NULL || !cdop_span_holds(found->when, day))
		return NULL;
	return found;
}

const struct cdop_code *
cdop_profile_purpose_for(
    const struct cdop_profile *profile, const char *command, int32_t day)
{
	const struct cdop_code_list *codes;
	size_t i;

	codes = cdop_profile_list(profile, "purpose");
	for (i = 0; codes != NULL && i < codes->n; i++) {
		if (strcmp(codes->code[i].default_for, command) == 0 &&
		    cdop_span_holds(codes->code[i].when, day))
			return &codes->code[i];
	}
	return NULL;
}

const char *
cdop_profile_area_label(const struct cdop_profile *profile, const char *value)
{
	const struct cdop_area *area = cdop_profile_area(profile, value);
	const struct cdop_neighbour *neighbour;
	const struct cdop_code *code;

	if (area != NULL)
		return area->name;
	neighbour = cdop_profile_neighbour(profile, value);
	if (neighbour != NULL)
		return neighbour->name;
	code =
	    cdop_profile_code(profile, "area_other", value, CDOP_PROFILE_EVER);
	return code == NULL ? NULL : code->label;
}

/*
 * A prefix stands for whole parts of a postcode, so that L3 is not taken
 * for L31: after it comes the blank, or it ends in letters alone, or inside
 * the inward part.
 */
static bool
is_prefix(const char *prefix, const char *postcode)
{
	size_t len = strlen(prefix);

	if (strncmp(prefix, postcode, len) != 0)
		return false;
	if (postcode[len] == ' ' || postcode[len] == '\0')
		return true;
	if (strchr(prefix, ' ') != NULL)
		return true;
	return postcode[len] >= '0' && postcode[len] <= '9' &&
	    !(prefix[len - 1] >= '0' && prefix[len - 1] <= '9');
}

size_t
cdop_profile_suggest(const struct cdop_profile *profile, const char *postcode,
    const struct cdop_area **out, size_t max)
{
	const struct cdop_postcode_hint *hint;
	size_t longest = 0;
	size_t n = 0;
	size_t len;
	size_t i;

	for (i = 0; i < profile->n_hint; i++) {
		hint = &profile->hint[i];
		len = strlen(hint->prefix);
		if (len < longest || len == 0 ||
		    !is_prefix(hint->prefix, postcode))
			continue;
		if (len > longest)
			n = 0; /* what was found says less */
		longest = len;
		if (n < max)
			out[n] = cdop_profile_area(profile, hint->area);
		n++;
	}
	return n;
}
