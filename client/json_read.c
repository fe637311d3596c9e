/* JSON as a form. */
#include <string.h>

#include "client/json.h"
#include "client/raise.h"

static const char *const typed_absences[JSON_ABSENCES] = {
    NULL, "#nk", "#na", "#ws"};

/* What a JSON value would be at a prompt; NULL: it is no value. */
static const char *
typed_value(struct cmd_ctx *ctx, const json_t *value)
{
	const char *absent;
	size_t i;

	if (json_is_string(value))
		return strlen(json_string_value(value)) ==
			json_string_length(value)
		    ? json_string_value(value)
		    : NULL;
	if (json_is_null(value))
		return "";
	if (json_is_boolean(value))
		return json_is_true(value) ? "yes" : "no";
	if (json_is_integer(value))
		return cdop_arena_printf(ctx->arena, "%" JSON_INTEGER_FORMAT,
		    json_integer_value(value));
	absent = json_string_value(json_object_get(value, "absent"));
	for (i = 1; absent != NULL && i < JSON_ABSENCES; i++)
		if (strcmp(absent, json_absences[i]) == 0)
			return typed_absences[i];
	return json_string_value(json_object_get(value, "code"));
}

static bool
is_listed(enum cdop_kind kind)
{
	return kind == CDOP_KIND_CODE || kind == CDOP_KIND_CHOICE ||
	    kind == CDOP_KIND_AREA || kind == CDOP_KIND_AGENCY;
}

/*
 * A number is no name, and no date: somebody's program took the wrong cell.
 * Where there is no such field that is said instead.
 */
static bool
fits(const char *name, const json_t *value)
{
	struct cdop_path path;
	enum cdop_kind kind;

	if (json_is_string(value) || json_is_null(value) ||
	    cdop_form_path_parse(name, &path) != CDOP_OK)
		return true;
	kind = path.field->kind;
	if (json_is_boolean(value))
		return kind == CDOP_KIND_YES_NO || is_listed(kind);
	if (json_is_integer(value))
		return kind == CDOP_KIND_INTEGER || kind == CDOP_KIND_CODE ||
		    kind == CDOP_KIND_NHS_NUMBER;
	return json_object_get(value, "code") == NULL || is_listed(kind);
}

static enum cdop_err
read_group(struct cmd_ctx *ctx, const char *prefix, const json_t *object,
    const struct cdop_profile *profile, Cdop__Form *form,
    struct cdop_violations *findings)
{
	enum cdop_err err;
	const char *name, *path, *typed;
	const json_t *value;
	void *iter;

	for (iter = json_object_iter((json_t *)(uintptr_t)object); iter != NULL;
	     iter = json_object_iter_next((json_t *)(uintptr_t)object, iter)) {
		name = json_object_iter_key(iter);
		value = json_object_iter_value(iter);
		if (strcmp(name, "number") == 0)
			continue;
		path = cdop_arena_printf(ctx->arena, "%s.%s", prefix, name);
		if (path == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
		typed = fits(path, value) ? typed_value(ctx, value) : NULL;
		err = typed != NULL
		    ? cdop_form_put(
			  form, path, typed, profile, ctx->arena, findings)
		    : cdop_violation_add(findings, ctx->arena,
			  CDOP_SEVERITY_ERROR, path, "json.value",
			  "not a value of this field: text in quotes; "
			  "{\"absent\": ...}; {\"code\": ...} of a list; a "
			  "number where one is wanted; true or false for yes "
			  "or no");
		if (err == CDOP_RESOURCE_EXHAUSTED)
			return err;
	}
	return CDOP_OK;
}

/* As it says, or the one behind those before it; 0: not a number. */
static json_int_t
entry_number(const json_t *entry, json_int_t highest)
{
	const json_t *number = json_object_get(entry, "number");

	return number == NULL || json_is_null(number)
	    ? highest + 1
	    : json_integer_value(number);
}

static enum cdop_err
read_entry(struct cmd_ctx *ctx, const char *group, json_int_t number,
    const json_t *entry, const struct cdop_profile *profile, Cdop__Form *form,
    struct cdop_violations *findings)
{
	const char *prefix = cdop_arena_printf(
	    ctx->arena, "%s.%" JSON_INTEGER_FORMAT, group, number);

	if (prefix == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if (json_is_object(entry))
		return read_group(ctx, prefix, entry, profile, form, findings);
	return cdop_violation_add(findings, ctx->arena, CDOP_SEVERITY_ERROR,
	    prefix, "json.group", "not a group of fields");
}

/* Of two with one number the second would be written over the first. */
static enum cdop_err
read_entries(struct cmd_ctx *ctx, const char *group, const json_t *list,
    const struct cdop_profile *profile, Cdop__Form *form,
    struct cdop_violations *findings)
{
	uint8_t taken[CDOP_FORM_ENTRY_MAX / 8 + 1] = {0};
	json_int_t number, highest = 0;
	const json_t *entry;
	enum cdop_err err;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		entry = json_array_get(list, i);
		number = entry_number(entry, highest);
		if (number < 1 || number > CDOP_FORM_ENTRY_MAX ||
		    (taken[number / 8] >> (number % 8) & 1) != 0)
			return cdop_violation_add(findings, ctx->arena,
			    CDOP_SEVERITY_ERROR, group, "entry.number",
			    "entries are numbered from 1, each differently");
		taken[number / 8] |= (uint8_t)(1u << (number % 8));
		if (number > highest)
			highest = number;
		err = read_entry(
		    ctx, group, number, entry, profile, form, findings);
		if (err != CDOP_OK)
			return err;
	}
	return CDOP_OK;
}

/* One that is empty has no field that could be said to be none. */
static bool
is_group(const char *name)
{
	size_t i;

	for (i = 0; i < cdop_fields_count; i++)
		if (strcmp(cdop_fields[i].group, name) == 0)
			return true;
	return false;
}

enum exit_code
json_read_form(struct cmd_ctx *ctx, const json_t *object,
    const struct cdop_profile *profile, Cdop__Form *form,
    struct cdop_violations *findings)
{
	enum cdop_err err = CDOP_OK;
	json_t *root = (json_t *)(uintptr_t)object; /* only read */
	enum exit_code code;
	const char *group;
	json_t *value;

	if (!json_is_object(object))
		return cmd_fail(ctx, EXIT_INVALID, NULL, NULL,
		    "a form is a JSON object of groups");
	json_object_foreach(root, group, value)
	{
		if (strcmp(group, "raised") == 0) {
			code = raise_json(ctx, value, form, findings);
			if (code != EXIT_OK)
				return code;
			continue;
		}
		if (json_is_array(value) && is_group(group))
			err = read_entries(
			    ctx, group, value, profile, form, findings);
		else if (json_is_object(value) && is_group(group))
			err = read_group(
			    ctx, group, value, profile, form, findings);
		else
			err = cdop_violation_add(findings, ctx->arena,
			    CDOP_SEVERITY_ERROR, group, "json.group",
			    "not a group of fields");
		if (err != CDOP_OK)
			return cmd_no_memory(ctx);
	}
	return EXIT_OK;
}
