/*
 * A form from anybody, as bytes or as lines "path=value": no rule trips over
 * it, and what every rule is content with survives being copied, merged,
 * redacted and typed in again.  Paths are those of cdop_form_path_parse().
 */
#include "cdop/form.h"

#include <stdio.h>
#include <string.h>

#include "cdop/limits.h"
#include "cdop/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define PROFILE "packaging/profiles/merseyside.conf"

static const struct cdop_profile *
load(void)
{
	static char text[CDOP_PROFILE_FILE_MAX];
	static struct cdop_arena *arena;
	struct cdop_profile_error error;
	struct cdop_profile *profile = NULL;
	FILE *file = fopen(PROFILE, "r");
	size_t len;

	if (file == NULL || cdop_arena_new(8u << 20, &arena) != CDOP_OK)
		return NULL;
	len = fread(text, 1, sizeof(text), file);
	(void)fclose(file);
	if (cdop_profile_parse(text, len, arena, &profile, &error) != CDOP_OK)
		return NULL;
	return profile;
}

static Cdop__Form *
from_bytes(const uint8_t *data, size_t len, struct cdop_arena *arena)
{
	struct cdop_bytes in = {data, len};

	if (cdop_scan_message(
		&cdop__form__descriptor, in, CDOP_SCAN_STRICT, NULL) != CDOP_OK)
		return NULL;
	return cdop__form__unpack(cdop_arena_allocator(arena), len, data);
}

static Cdop__Form *
from_lines(const uint8_t *data, size_t len, const struct cdop_profile *p,
    struct cdop_arena *arena)
{
	Cdop__Form *form = cdop_form_new(arena);
	struct cdop_violations found = {0};
	char *text = cdop_arena_strndup(arena, (const char *)data, len);
	char *save = NULL;
	char *equals;
	char *line;

	if (form == NULL || text == NULL)
		return NULL;
	for (line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		equals = strchr(line, '=');
		if (equals == NULL)
			continue;
		*equals = '\0';
		if (cdop_form_put(form, line, equals + 1, p, arena, &found) ==
		    CDOP_RESOURCE_EXHAUSTED)
			return NULL;
	}
	return form;
}

static bool
differ(const Cdop__Form *a, const Cdop__Form *b, struct cdop_arena *arena)
{
	struct cdop_paths paths = {0};

	return cdop_form_diff(a, b, arena, &paths) == CDOP_OK && paths.n > 0;
}

/* Every value, typed into an empty form, gives the same form. */
static void
type_again(const Cdop__Form *form, const struct cdop_profile *p,
    struct cdop_arena *arena)
{
	Cdop__Form *again = cdop_form_new(arena);
	struct cdop_form_iter iter = {.form = form};
	struct cdop_violations found = {0};
	struct cdop_value value;
	struct cdop_path path;
	enum cdop_err err;

	while (again != NULL && cdop_form_next(&iter, &path)) {
		if (cdop_form_get(form, &path, arena, &value) != CDOP_OK)
			return;
		if (value.state == CDOP_VALUE_NOT_ASKED)
			continue;
		err = cdop_form_set(again, &path, value.text, p, arena, &found);
		if (err == CDOP_RESOURCE_EXHAUSTED)
			return;
		CDOP_ASSERT(err == CDOP_OK);
	}
	if (again != NULL)
		CDOP_ASSERT(!differ(form, again, arena));
}

static void
play(Cdop__Form *form, uint32_t mask, struct cdop_arena *arena)
{
	Cdop__Form *copy = cdop_form_copy(form, arena);
	Cdop__Form *merged = cdop_form_new(arena);
	struct cdop_missing_list missing;

	if (copy == NULL || merged == NULL)
		return;
	CDOP_ASSERT(!differ(form, copy, arena));
	if (cdop_form_merge(merged, form, arena) != CDOP_OK)
		return;
	CDOP_ASSERT(!differ(form, merged, arena));
	CDOP_ASSERT(cdop_form_classes(form) == cdop_form_classes(merged));
	cdop_form_redact(copy, mask);
	CDOP_ASSERT((cdop_form_classes(copy) & ~mask) == 0);
	if (cdop_form_missing(copy, arena, &missing) == CDOP_OK)
		CDOP_ASSERT(missing.n < cdop_fields_count);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct cdop_profile *profile;
	static struct cdop_arena *arena;
	struct cdop_violations found = {0};
	struct cdop_check check = {
	    .today = 20780, .use = CDOP_FORM_NOTIFICATION};
	Cdop__Form *form;

	if (arena == NULL) {
		profile = load();
		if (cdop_arena_new(CDOP_REQUEST_ARENA, &arena) != CDOP_OK)
			return 0;
	}
	if (len < 3)
		return 0;
	check.profile = (data[0] & 1) != 0 ? profile : NULL;
	check.training = (data[0] & 2) != 0;
	if ((data[0] & 4) != 0)
		form = from_bytes(data + 3, len - 3, arena);
	else
		form = from_lines(data + 3, len - 3, check.profile, arena);
	if (form != NULL && cdop_form_shape(form, arena, &found) == CDOP_OK &&
	    found.n == 0) {
		play(form, ((uint32_t)data[1] << 8 | data[2]) & CDOP_CLASS_ALL,
		    arena);
		check.use = CDOP_FORM_PART;
		if (cdop_form_check(form, &check, arena, &found) == CDOP_OK &&
		    !cdop_violation_has_error(&found))
			type_again(form, check.profile, arena);
		check.use = CDOP_FORM_NOTIFICATION;
		(void)!cdop_form_check(form, &check, arena, &found);
	}
	cdop_arena_reset(arena);
	return 0;
}
