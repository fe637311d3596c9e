/* Paths as text, and back. */
#include <string.h>

#include "proto/form_inner.h"

bool
cdop_form_is_group(const struct cdop_path *path)
{
	return path->field->kind == CDOP_KIND_ENTRY;
}

/* 1 to CDOP_FORM_ENTRY_MAX without leading zeros, up to a dot. */
static bool
read_entry(const char *s, uint32_t *ret_entry, const char **ret_after)
{
	uint32_t entry = 0;

	if (*s < '1' || *s > '9')
		return false;
	while (*s >= '0' && *s <= '9') {
		entry = entry * 10 + (uint32_t)(*s++ - '0');
		if (entry > CDOP_FORM_ENTRY_MAX)
			return false;
	}
	*ret_entry = entry;
	*ret_after = s;
	return *s == '.';
}

/* The row of "group.7.name", whose leaf begins with the second dot. */
static const struct cdop_field *
find_leaf(const char *text, size_t group_len, const char *leaf)
{
	char plain[CDOP_FORM_PATH_MAX];

	memcpy(plain, text, group_len);
	memcpy(plain + group_len, leaf, strlen(leaf) + 1);
	return cdop_fields_find(plain);
}

enum cdop_err
cdop_form_path_parse(const char *text, struct cdop_path *ret_path)
{
	struct cdop_path path = {.field = cdop_fields_find(text)};
	const char *dot, *leaf;

	/* Most of them have no entry, and stand in the table as they are. */
	if (path.field != NULL) {
		if (path.field->group_max > 0)
			return CDOP_INVALID_ARGUMENT;
		*ret_path = path;
		return CDOP_OK;
	}
	if (strlen(text) >= CDOP_FORM_PATH_MAX)
		return CDOP_INVALID_ARGUMENT;
	if ((dot = strchr(text, '.')) == NULL) {
		path.field = cdop_fields_group(text);
		if (path.field == NULL || !cdop_form_is_group(&path))
			return CDOP_INVALID_ARGUMENT;
		*ret_path = path;
		return CDOP_OK;
	}
	if (!read_entry(dot + 1, &path.entry, &leaf))
		return CDOP_INVALID_ARGUMENT;
	path.field = find_leaf(text, (size_t)(dot - text), leaf);
	if (path.field == NULL || cdop_form_is_group(&path) ||
	    path.field->group_max == 0)
		return CDOP_INVALID_ARGUMENT;
	*ret_path = path;
	return CDOP_OK;
}

bool
cdop_form_is_path(const char *text, const struct cdop_path *path)
{
	const char *group = path->field->group;
	uint32_t entry = 0;

	for (; *group != '\0'; group++, text++)
		if (*text != *group)
			return false;
	if (cdop_form_is_group(path))
		return *text == '\0';
	if (path->entry != 0 &&
	    (*text != '.' || !read_entry(text + 1, &entry, &text)))
		return false;
	return entry == path->entry && *text == '.' &&
	    strcmp(text + 1, path->field->name) == 0;
}

static char *
put_text(char *out, const char *text)
{
	size_t len = strlen(text);

	memcpy(out, text, len);
	return out + len;
}

static char *
put_entry(char *out, uint32_t entry)
{
	uint32_t digit = 1;

	/* A form whose shape was not checked may hold any number. */
	while (entry / digit >= 10)
		digit *= 10;
	for (; digit > 0; digit /= 10)
		*out++ = (char)('0' + entry / digit % 10);
	return out;
}

void
cdop_form_path_write(
    const struct cdop_path *path, char out[static CDOP_FORM_PATH_MAX])
{
	out = put_text(out, path->field->group);
	if (!cdop_form_is_group(path)) {
		*out++ = '.';
		if (path->entry != 0) {
			out = put_entry(out, path->entry);
			*out++ = '.';
		}
		out = put_text(out, path->field->name);
	}
	*out = '\0';
}
