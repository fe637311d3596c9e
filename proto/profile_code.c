/* One row of a code list: code | label | from | until | form set | flags. */
#include <string.h>

#include "proto/profile_inner.h"

#define PARTS 6

enum {
	PART_CODE,
	PART_LABEL,
	PART_FROM,
	PART_UNTIL,
	PART_FORM_SET,
	PART_FLAGS,
};

/* Cuts at bars and trims; CDOP_INVALID_ARGUMENT: too many. */
static enum cdop_err
cut(const char *text, struct cdop_arena *arena, const char *part[PARTS])
{
	const char *bar;
	const char *end;
	size_t n;

	for (n = 0; n < PARTS; n++)
		part[n] = "";
	for (n = 0;; n++) {
		if (n == PARTS)
			return CDOP_INVALID_ARGUMENT;
		bar = strchr(text, '|');
		end = bar == NULL ? text + strlen(text) : bar;
		text += strspn(text, " ");
		if (text > end)
			text = end;
		while (end > text && end[-1] == ' ')
			end--;
		part[n] = cdop_arena_strndup(arena, text, (size_t)(end - text));
		if (part[n] == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
		if (bar == NULL)
			return CDOP_OK;
		text = bar + 1;
	}
}

static bool
read_flag(const char *word, size_t len, struct cdop_arena *arena,
    struct cdop_code *code)
{
	static const struct {
		const char *word;
		enum cdop_code_means means;
		uint32_t flag;
	} flags[] = {
	    {"means=NOT_KNOWN", CDOP_CODE_NOT_KNOWN, 0},
	    {"means=NOT_APPLICABLE", CDOP_CODE_NOT_APPLICABLE, 0},
	    {"means=WITHHELD", CDOP_CODE_WITHHELD, 0},
	    {"abroad", CDOP_CODE_VALUE, CDOP_CODE_ABROAD},
	    {"needs_text", CDOP_CODE_VALUE, CDOP_CODE_NEEDS_TEXT},
	    {"callback", CDOP_CODE_VALUE, CDOP_CODE_CALLBACK},
	};

	size_t i;

	if (len > 8 && memcmp(word, "default=", 8) == 0) {
		code->default_for =
		    cdop_arena_strndup(arena, word + 8, len - 8);
		return code->default_for != NULL;
	}
	for (i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		if (strlen(flags[i].word) != len ||
		    memcmp(flags[i].word, word, len) != 0)
			continue;
		if (flags[i].means != CDOP_CODE_VALUE)
			code->means = flags[i].means;
		code->flags |= flags[i].flag;
		return true;
	}
	return false;
}

static bool
read_flags(const char *text, struct cdop_arena *arena, struct cdop_code *code)
{
	size_t len;

	for (; *text != '\0'; text += len) {
		text += strspn(text, " ");
		len = strcspn(text, " ");
		if (len > 0 && !read_flag(text, len, arena, code))
			return false;
	}
	return true;
}

enum cdop_err
cdop_profile_code_read(const char *text, struct cdop_arena *arena,
    struct cdop_code *ret_code, const char **ret_why)
{
	struct cdop_code code = {.default_for = "",
	    .when = {CDOP_PROFILE_ALWAYS, CDOP_PROFILE_EVER}};
	const char *part[PARTS];
	enum cdop_err err;

	*ret_why = "code | label | from | until | form set | flags";
	if ((err = cut(text, arena, part)) != CDOP_OK)
		return err;
	if (*part[PART_CODE] == '\0' || *part[PART_LABEL] == '\0')
		return CDOP_INVALID_ARGUMENT;
	if (part[PART_CODE][0] == '#') {
		*ret_why = "a code does not begin with #";
		return CDOP_INVALID_ARGUMENT;
	}
	*ret_why = "from and until are dates such as 2026-04-01";
	if (*part[PART_FROM] != '\0' &&
	    cdop_date_parse_day(part[PART_FROM], &code.when.first) != CDOP_OK)
		return CDOP_INVALID_ARGUMENT;
	if (*part[PART_UNTIL] != '\0' &&
	    cdop_date_parse_day(part[PART_UNTIL], &code.when.last) != CDOP_OK)
		return CDOP_INVALID_ARGUMENT;
	*ret_why = "an unknown flag";
	if (!read_flags(part[PART_FLAGS], arena, &code))
		return CDOP_INVALID_ARGUMENT;
	code.code = part[PART_CODE];
	code.label = part[PART_LABEL];
	code.form_set = part[PART_FORM_SET];
	*ret_code = code;
	return CDOP_OK;
}
