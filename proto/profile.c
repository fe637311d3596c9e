/*
 * Reads a profile: a first line with the version, then sections of
 * "key = value" lines.  What may stand where is in the tables below.
 */
#include <string.h>

#include "cdop/limits.h"
#include "cdop/text.h"
#include "proto/profile_inner.h"

#define FIRST_LINE "cdop-profile 1"
#define LINE_BYTES 1000 /* bytes of one line */
#define ID_MAX     40   /* characters of an id */

/* ---- growing arrays ---------------------------------------------------- */

struct array {
	uint8_t *items;
	unsigned *lines; /* where each began */
	size_t n;
	size_t cap;
};

static enum cdop_err
push(struct array *array, const void *item, size_t size, unsigned line,
    struct cdop_arena *arena)
{
	size_t cap = array->cap * 2 + 8;
	unsigned *lines;
	uint8_t *items;

	if (array->n == array->cap) {
		items = cdop_arena_calloc(arena, cap, size);
		lines = cdop_arena_calloc(arena, cap, sizeof(*lines));
		if (items == NULL || lines == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
		if (array->n > 0) {
			memcpy(items, array->items, array->n * size);
			memcpy(lines, array->lines, array->n * sizeof(*lines));
		}
		array->items = items;
		array->lines = lines;
		array->cap = cap;
	}
	memcpy(array->items + array->n * size, item, size);
	array->lines[array->n++] = line;
	return CDOP_OK;
}

/* ---- the parser -------------------------------------------------------- */

union item {
	struct cdop_area area;
	struct cdop_neighbour neighbour;
	struct cdop_agency agency;
	struct cdop_code_list list;
};

struct parser {
	struct cdop_arena *arena;
	struct cdop_profile *profile;
	struct cdop_profile_error *error;
	struct array arrays[PROFILE_SECTION_COUNT];
	struct array codes; /* of the list being read */
	struct array hints;
	union item item; /* the section being read */
	const struct profile_section *section;
	unsigned section_line;
	unsigned line;
	uint32_t keys_seen;     /* of this section */
	uint32_t sections_seen; /* of those that stand once */
};

/* The finding, about name where that is not NULL. */
static enum cdop_err
refuse(struct parser *p, unsigned line, const char *name, const char *what)
{
	p->error->line = line;
	p->error->text = cdop_arena_printf(p->arena, "%s%s%s",
	    name == NULL ? "" : name, name == NULL ? "" : ": ", what);
	return p->error->text == NULL ? CDOP_RESOURCE_EXHAUSTED
				      : CDOP_INVALID_ARGUMENT;
}

/* One more, up to max: whoever reads this compares each with each. */
static enum cdop_err
add(struct parser *p, struct array *array, size_t max, const void *item,
    size_t size, unsigned line, const char *name)
{
	if (array->n == max)
		return refuse(p, line, name, "too many of them");
	return push(array, item, size, line, p->arena);
}

/* What the keys of the section write into. */
static uint8_t *
target(struct parser *p)
{
	return p->section->size == 0 ? (uint8_t *)p->profile
				     : (uint8_t *)&p->item;
}

/* ---- values ------------------------------------------------------------ */

static enum cdop_err
read_number(struct parser *p, const struct profile_key *key, const char *value)
{
	uint32_t number = 0;
	const char *s;

	for (s = value; *s >= '0' && *s <= '9' && number < 10000000; s++)
		number = number * 10 + (uint32_t)(*s - '0');
	if (*s != '\0' || number < key->min || number > key->max)
		return refuse(p, p->line, key->name,
		    "not a number, or outside what is allowed");
	memcpy(target(p) + key->offset, &number, sizeof(number));
	return CDOP_OK;
}

static enum cdop_err
read_word(struct parser *p, const struct profile_key *key, const char *value,
    const char *yes, const char *no)
{
	bool is_yes = strcmp(value, yes) == 0;

	if (!is_yes && strcmp(value, no) != 0)
		return refuse(p, p->line, key->name,
		    key->kind == PROFILE_KEY_FEB29 ? "1-march or 28-february"
						   : "yes or no");
	memcpy(target(p) + key->offset, &is_yes, sizeof(is_yes));
	return CDOP_OK;
}

static enum cdop_err
read_day(struct parser *p, const struct profile_key *key, const char *value)
{
	struct cdop_span span;
	int32_t day;

	if (cdop_date_parse_day(value, &day) != CDOP_OK)
		return refuse(
		    p, p->line, key->name, "a date such as 2026-04-01");
	memcpy(&span, target(p) + key->offset, sizeof(span));
	if (key->kind == PROFILE_KEY_FROM)
		span.first = day;
	else
		span.last = day;
	memcpy(target(p) + key->offset, &span, sizeof(span));
	return CDOP_OK;
}

static enum cdop_err
read_text(struct parser *p, const struct profile_key *key, const char *value)
{
	const char *old;
	const char *text;

	memcpy(&old, target(p) + key->offset, sizeof(old));
	text = old == NULL ? cdop_arena_strdup(p->arena, value)
			   : cdop_arena_printf(p->arena, "%s\n%s", old, value);
	if (text == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	memcpy(target(p) + key->offset, &text, sizeof(text));
	return CDOP_OK;
}

static enum cdop_err
read_code(struct parser *p, const char *value)
{
	struct cdop_code code;
	const char *why;
	enum cdop_err err;

	err = cdop_profile_code_read(value, p->arena, &code, &why);
	if (err == CDOP_INVALID_ARGUMENT)
		return refuse(p, p->line, "code", why);
	if (err != CDOP_OK)
		return err;
	return add(p, &p->codes, CDOP_PROFILE_CODES_MAX, &code, sizeof(code),
	    p->line, "code");
}

/* "L36 | knowsley" */
static enum cdop_err
read_hint(struct parser *p, const char *value)
{
	const char *bar = strchr(value, '|');
	struct cdop_postcode_hint hint;
	size_t len;

	if (bar == NULL)
		return refuse(p, p->line, "hint", "PREFIX | area");
	len = (size_t)(bar - value);
	while (len > 0 && value[len - 1] == ' ')
		len--;
	bar++;
	bar += strspn(bar, " ");
	if (len == 0 || len > 8 || *bar == '\0')
		return refuse(p, p->line, "hint", "PREFIX | area");
	hint.prefix = cdop_arena_strndup(p->arena, value, len);
	hint.area = cdop_arena_strdup(p->arena, bar);
	if (hint.prefix == NULL || hint.area == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	return add(p, &p->hints, CDOP_PROFILE_HINTS_MAX, &hint, sizeof(hint),
	    p->line, "hint");
}

static enum cdop_err
read_value(struct parser *p, const struct profile_key *key, const char *value)
{
	switch (key->kind) {
	case PROFILE_KEY_TEXT:
	case PROFILE_KEY_LINES:
		return read_text(p, key, value);
	case PROFILE_KEY_NUMBER:
		return read_number(p, key, value);
	case PROFILE_KEY_YES_NO:
		return read_word(p, key, value, "yes", "no");
	case PROFILE_KEY_FEB29:
		return read_word(p, key, value, "28-february", "1-march");
	case PROFILE_KEY_FROM:
	case PROFILE_KEY_UNTIL:
		return read_day(p, key, value);
	case PROFILE_KEY_CODE:
		return read_code(p, value);
	case PROFILE_KEY_HINT:
		return read_hint(p, value);
	}
	return CDOP_INTERNAL;
}

static bool
may_repeat(enum profile_key_kind kind)
{
	return kind == PROFILE_KEY_LINES || kind == PROFILE_KEY_CODE ||
	    kind == PROFILE_KEY_HINT;
}

/* "key = value" */
static enum cdop_err
read_pair(struct parser *p, const char *line)
{
	const char *equals = strchr(line, '=');
	const struct profile_section *section = p->section;
	const struct profile_key *key;
	size_t len;
	size_t i;

	if (section == NULL)
		return refuse(p, p->line, NULL,
		    "before the first section: [panel] comes first");
	if (equals == NULL)
		return refuse(p, p->line, NULL, "not a line 'key = value'");
	len = (size_t)(equals - line);
	while (len > 0 && line[len - 1] == ' ')
		len--;
	for (i = 0; i < section->n_keys; i++) {
		if (strlen(section->keys[i].name) == len &&
		    memcmp(section->keys[i].name, line, len) == 0)
			break;
	}
	if (i == section->n_keys)
		return refuse(p, p->line,
		    cdop_arena_strndup(p->arena, line, len),
		    "no key of this section");
	key = &section->keys[i];
	if ((p->keys_seen & 1u << i) != 0 && !may_repeat(key->kind))
		return refuse(p, p->line, key->name, "stands twice");
	p->keys_seen |= 1u << i;
	equals++;
	equals += strspn(equals, " ");
	if (*equals == '\0')
		return refuse(p, p->line, key->name, "has no value");
	return read_value(p, key, equals);
}

/* ---- sections ---------------------------------------------------------- */

/* What is optional and was not said is "", so that nobody meets a NULL. */
static enum cdop_err
fill_in(struct parser *p)
{
	const struct profile_section *section = p->section;
	const char *nothing = "";
	const char *text;
	size_t i;

	for (i = 0; i < section->n_keys; i++) {
		if (section->keys[i].required && (p->keys_seen & 1u << i) == 0)
			return refuse(p, p->section_line, section->keys[i].name,
			    "is missing in the section that begins here");
		if (section->keys[i].kind != PROFILE_KEY_TEXT &&
		    section->keys[i].kind != PROFILE_KEY_LINES)
			continue;
		memcpy(
		    &text, target(p) + section->keys[i].offset, sizeof(text));
		if (text == NULL)
			memcpy(target(p) + section->keys[i].offset, &nothing,
			    sizeof(nothing));
	}
	return CDOP_OK;
}

static enum cdop_err
end_section(struct parser *p)
{
	const struct profile_section *section = p->section;
	enum cdop_err err;

	if (section == NULL)
		return CDOP_OK;
	if ((err = fill_in(p)) != CDOP_OK)
		return err;
	if (section->size == 0)
		return CDOP_OK;
	if (section == &cdop_profile_sections[PROFILE_SECTION_LIST]) {
		p->item.list.code = (const void *)p->codes.items;
		p->item.list.n = p->codes.n;
		p->codes = (struct array){0};
	}
	return add(p, &p->arrays[section - cdop_profile_sections],
	    section == &cdop_profile_sections[PROFILE_SECTION_AREA]
		? CDOP_PROFILE_AREAS_MAX
		: CDOP_PROFILE_ENTRIES_MAX,
	    &p->item, section->size, p->section_line, section->word);
}

static bool
is_id(const char *s, size_t len)
{
	size_t i;

	if (len == 0 || len > ID_MAX)
		return false;
	for (i = 0; i < len; i++) {
		if (!((s[i] >= 'a' && s[i] <= 'z') ||
			(s[i] >= 'A' && s[i] <= 'Z') ||
			(s[i] >= '0' && s[i] <= '9') || s[i] == '-' ||
			s[i] == '_'))
			return false;
	}
	return true;
}

static void
begin_item(struct parser *p, const char *id)
{
	const struct profile_key *key;
	struct cdop_span open = {CDOP_PROFILE_ALWAYS, CDOP_PROFILE_EVER};
	size_t i;

	memset(&p->item, 0, sizeof(p->item));
	if (p->section == &cdop_profile_sections[PROFILE_SECTION_AREA])
		p->item.area.id = id;
	else if (p->section ==
	    &cdop_profile_sections[PROFILE_SECTION_NEIGHBOUR])
		p->item.neighbour.id = id;
	else if (p->section == &cdop_profile_sections[PROFILE_SECTION_AGENCY])
		p->item.agency.id = id;
	else
		p->item.list.name = id;
	for (i = 0; i < p->section->n_keys; i++) {
		key = &p->section->keys[i];
		if (key->kind == PROFILE_KEY_FROM)
			memcpy(target(p) + key->offset, &open, sizeof(open));
	}
}

/* "[area wirral]", "[panel]" */
static enum cdop_err
begin_section(struct parser *p, const char *line)
{
	size_t len = strlen(line);
	const char *id = NULL;
	size_t word;
	size_t i;
	enum cdop_err err;

	if ((err = end_section(p)) != CDOP_OK)
		return err;
	if (line[len - 1] != ']')
		return refuse(p, p->line, NULL, "']' is missing");
	word = strcspn(line + 1, " ]");
	for (i = 0; i < PROFILE_SECTION_COUNT; i++) {
		if (strlen(cdop_profile_sections[i].word) == word &&
		    memcmp(cdop_profile_sections[i].word, line + 1, word) == 0)
			break;
	}
	if (i == PROFILE_SECTION_COUNT)
		return refuse(p, p->line, line, "no such section");
	p->section = &cdop_profile_sections[i];
	p->section_line = p->line;
	p->keys_seen = 0;
	if (p->section->size == 0) {
		if (word + 2 != len)
			return refuse(p, p->line, line, "takes no id");
		if ((p->sections_seen & 1u << i) != 0)
			return refuse(p, p->line, line, "stands twice");
		p->sections_seen |= 1u << i;
		return CDOP_OK;
	}
	if (len < word + 4 || !is_id(line + word + 2, len - word - 3))
		return refuse(p, p->line, line,
		    "wants an id of letters, digits, - and _");
	id = cdop_arena_strndup(p->arena, line + word + 2, len - word - 3);
	if (id == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	begin_item(p, id);
	return CDOP_OK;
}

/* ---- lines ------------------------------------------------------------- */

static enum cdop_err
read_line(struct parser *p, const char *text, size_t len)
{
	enum cdop_text_fault fault;
	const char *line;
	char *raw;
	enum cdop_err err;

	p->line++;
	if (len > LINE_BYTES)
		return refuse(p, p->line, NULL, "longer than 1000 bytes");
	if (memchr(text, '\0', len) != NULL)
		return refuse(p, p->line, NULL, "a NUL byte");
	raw = cdop_arena_strndup(p->arena, text, len);
	if (raw == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	err = cdop_text_clean(raw, CDOP_TEXT_LINE, p->arena, &line, &fault);
	if (err == CDOP_INVALID_ARGUMENT)
		return refuse(p, p->line, NULL,
		    fault == CDOP_TEXT_CONTROL ? "a control character"
					       : "not UTF-8");
	if (err != CDOP_OK)
		return err;
	if (p->line == 1) {
		if (strcmp(line, FIRST_LINE) != 0)
			return refuse(p, 1, NULL,
			    "the first line has to be: " FIRST_LINE);
		return CDOP_OK;
	}
	if (*line == '\0' || *line == '#')
		return CDOP_OK;
	if (*line == '[')
		return begin_section(p, line);
	return read_pair(p, line);
}

static enum cdop_err
read_lines(struct parser *p, const char *text, size_t len)
{
	const char *end;
	enum cdop_err err;
	size_t n;

	while (len > 0) {
		end = memchr(text, '\n', len);
		n = end == NULL ? len : (size_t)(end - text);
		if ((err = read_line(p, text, n)) != CDOP_OK)
			return err;
		if (end == NULL)
			break;
		text += n + 1;
		len -= n + 1;
	}
	return end_section(p);
}

static void
hand_over(struct parser *p)
{
	struct cdop_profile *profile = p->profile;
	const struct array *a = p->arrays;

	profile->area = (const void *)a[PROFILE_SECTION_AREA].items;
	profile->n_area = a[PROFILE_SECTION_AREA].n;
	profile->neighbour = (const void *)a[PROFILE_SECTION_NEIGHBOUR].items;
	profile->n_neighbour = a[PROFILE_SECTION_NEIGHBOUR].n;
	profile->agency = (const void *)a[PROFILE_SECTION_AGENCY].items;
	profile->n_agency = a[PROFILE_SECTION_AGENCY].n;
	profile->list = (const void *)a[PROFILE_SECTION_LIST].items;
	profile->n_list = a[PROFILE_SECTION_LIST].n;
	profile->hint = (const void *)p->hints.items;
	profile->n_hint = p->hints.n;
}

enum cdop_err
cdop_profile_parse(const char *text, size_t len, struct cdop_arena *arena,
    struct cdop_profile **ret_profile, struct cdop_profile_error *ret_error)
{
	struct parser p = {.arena = arena, .error = ret_error};
	struct profile_lines lines;
	enum cdop_err err;

	if (len == 0 || len > CDOP_PROFILE_FILE_MAX)
		return refuse(&p, 0, NULL, "empty, or larger than 1 MiB");
	p.profile = cdop_arena_alloc(arena, sizeof(*p.profile));
	if (p.profile == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if ((err = read_lines(&p, text, len)) != CDOP_OK)
		return err;
	if ((p.sections_seen & 1u << PROFILE_SECTION_PANEL) == 0 ||
	    (p.sections_seen & 1u << PROFILE_SECTION_LIMITS) == 0)
		return refuse(
		    &p, 0, NULL, "[panel] and [limits] have to be there");
	hand_over(&p);
	lines = (struct profile_lines){
	    .area = p.arrays[PROFILE_SECTION_AREA].lines,
	    .neighbour = p.arrays[PROFILE_SECTION_NEIGHBOUR].lines,
	    .agency = p.arrays[PROFILE_SECTION_AGENCY].lines,
	    .list = p.arrays[PROFILE_SECTION_LIST].lines,
	    .hint = p.hints.lines,
	};
	err = cdop_profile_check(p.profile, &lines, arena, ret_error);
	if (err != CDOP_OK)
		return err;
	*ret_profile = p.profile;
	return CDOP_OK;
}
