/* The profile: the packaged one, every refusal, look-ups and differences. */
#include "cdop/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cdop/limits.h"
#include "proto/profile_inner.h"
#include "tests/unit/proto/sample_profile.h"

/* cmocka wants the headers above before it. */
#include <cmocka.h>

static int
setup(void **state)
{
	struct cdop_arena *arena;

	if (cdop_arena_new(64u << 20, &arena) != CDOP_OK)
		return -1;
	*state = arena;
	return 0;
}

static int
teardown(void **state)
{
	cdop_arena_free(*state);
	return 0;
}

static const struct cdop_profile *
parsed(struct cdop_arena *arena, const char *text)
{
	struct cdop_profile_error error = {0};
	struct cdop_profile *profile = NULL;

	if (cdop_profile_parse(text, strlen(text), arena, &profile, &error) !=
	    CDOP_OK)
		fail_msg("line %u: %s", error.line, error.text);
	return profile;
}

/* The edit is refused, in words that hold some. */
static void
refused(struct cdop_arena *arena, const char *old, const char *new,
    const char *words)
{
	struct cdop_profile_error error = {0};
	struct cdop_profile *profile = NULL;
	const char *text;

	cdop_arena_reset(arena);
	text = sample_profile_with(arena, old, new);
	if (cdop_profile_parse(text, strlen(text), arena, &profile, &error) !=
	    CDOP_INVALID_ARGUMENT)
		fail_msg("taken: %s", new);
	assert_null(profile);
	if (strstr(error.text, words) == NULL)
		fail_msg("line %u: %s, not %s", error.line, error.text, words);
}

static void
the_packaged_profile_is_sound(void **state)
{
	static const char *const areas[] = {"knowsley", "liverpool", "sefton",
	    "st-helens", "wirral", "isle-of-man"};
	const struct cdop_profile *p = sample_profile(*state);
	size_t i;

	assert_int_equal(p->n_area, 7);
	for (i = 0; i < 6; i++)
		assert_non_null(cdop_profile_area(p, areas[i]));
	assert_string_equal(cdop_profile_area(p, "sefton")->code, "E08000014");
	assert_string_equal(
	    cdop_profile_area(p, "st-helens")->code, "E08000013");
	assert_string_equal(cdop_profile_holding(p)->id, "holding");
	assert_null(cdop_profile_area(p, "halton"));
	assert_string_equal(
	    cdop_profile_neighbour(p, "halton")->panel, "Pan-Cheshire CDOP");
	assert_false(cdop_profile_area(p, "isle-of-man")->national_return);
	assert_string_equal(
	    cdop_profile_area(p, "isle-of-man")->calendar, "isle-of-man");
	assert_string_equal(cdop_profile_agency(p, "RBS")->kind, "hospital");
	assert_int_equal(p->notify_asked_hours, 24);
	assert_int_equal(p->notify_limit_hours, 48);
	assert_false(p->feb29_early);
	/* What is optional and not said is empty, never NULL. */
	assert_string_equal(cdop_profile_holding(p)->phone, "");
	assert_string_equal(cdop_profile_agency(p, "R0A")->email, "");
}

static void
telephone_numbers_are_those_of_fiction(void **state)
{
	const char *text = sample_profile_text(*state);
	const char *at;

	for (at = text; (at = strstr(at, "0151")) != NULL; at++)
		assert_memory_equal(at, "0151 496 0", 10);
}

static void
lookups_hold_on_their_day(void **state)
{
	const struct cdop_profile *p = sample_profile(*state);
	int32_t today = sample_day("2026-11-23");
	const struct cdop_code *code;

	code = cdop_profile_code(p, "sex", "2", today);
	assert_string_equal(code->label, "Female");
	assert_null(cdop_profile_code(p, "sex", "3", today));
	assert_null(cdop_profile_code(p, "nothing", "3", today));
	assert_string_equal(cdop_profile_purpose_for(p, "notify", today)->code,
	    "new_notification");
	assert_null(cdop_profile_purpose_for(p, "ask", today));
	code = cdop_profile_purpose(p, "other", today);
	assert_true((code->flags & CDOP_CODE_NEEDS_TEXT) != 0);
	assert_null(cdop_profile_purpose(p, "curiosity", today));
	assert_string_equal(cdop_profile_area_label(p, "wirral"), "Wirral");
	assert_string_equal(cdop_profile_area_label(p, "halton"), "Halton");
	assert_string_equal(cdop_profile_area_label(p, "abroad"), "Abroad");
	assert_null(cdop_profile_area_label(p, "atlantis"));
	assert_true(
	    cdop_span_holds(cdop_profile_area(p, "knowsley")->when, today));
	assert_false(cdop_span_holds(
	    cdop_profile_area(p, "knowsley")->when, sample_day("2014-03-31")));
}

static void
a_postcode_suggests_and_never_decides(void **state)
{
	const struct cdop_profile *p = sample_profile(*state);
	const struct cdop_area *out[2];

	assert_int_equal(cdop_profile_suggest(p, "CH45 1AA", out, 2), 1);
	assert_string_equal(out[0]->id, "wirral");
	/* L3 is not the beginning of L31. */
	assert_int_equal(cdop_profile_suggest(p, "L31 6AA", out, 2), 1);
	assert_string_equal(out[0]->id, "sefton");
	assert_int_equal(cdop_profile_suggest(p, "L3 1AA", out, 2), 1);
	assert_string_equal(out[0]->id, "liverpool");
	assert_int_equal(cdop_profile_suggest(p, "IM1 1AA", out, 2), 1);
	assert_string_equal(out[0]->id, "isle-of-man");
	/* A district that straddles: several, and no more than fit. */
	assert_int_equal(cdop_profile_suggest(p, "L10 1AA", out, 2), 3);
	assert_int_equal(cdop_profile_suggest(p, "L10 1AA", out, 0), 3);
	assert_int_equal(cdop_profile_suggest(p, "M1 1AE", out, 2), 0);
	assert_int_equal(cdop_profile_suggest(p, "ZZ99 3VZ", out, 2), 0);
	assert_int_equal(cdop_profile_suggest(p, "", out, 2), 0);
}

static void
every_mistake_is_refused_by_line(void **state)
{
	static const char *const edits[][3] = {
	    {"cdop-profile 1", "cdop-profile 2", "first line"},
	    {"[panel]", "[penal]", "no such section"},
	    {"[panel]", "[panel x]", "takes no id"},
	    {"[limits]", "[panel]", "stands twice"},
	    {"[area knowsley]", "[area]", "wants an id"},
	    {"[area knowsley]", "[area know sley]", "wants an id"},
	    {"[area knowsley]", "[area knowsley", "']' is missing"},
	    {"[area knowsley]", "[area wirral]", "the id stands twice"},
	    {"[area knowsley]", "[area halton]", "the id stands twice"},
	    {"[area knowsley]", "[area abroad]", "also an area's id"},
	    {"[neighbour halton]", "[neighbour wigan]", "the id stands twice"},
	    {"[agency RBS]", "[agency REP]", "the id stands twice"},
	    {"name = Knowsley", "title = Knowsley", "title: no key"},
	    {"name = Knowsley", "name = A\nname = B", "stands twice"},
	    {"name = Knowsley", "name =", "has no value"},
	    {"name = Knowsley", "name", "key = value"},
	    {"name = Knowsley", "name = A\x01", "control"},
	    {"name = Knowsley", "name = A\xff", "UTF-8"},
	    {"name = Knowsley\n", "", "is missing"},
	    {"from = 2014-04-01", "from = 1/4/2014", "a date such as"},
	    {"from = 2014-04-01", "from = 2014-02-30", "a date such as"},
	    {"from = 2014-04-01", "from = 2014-04-01\nuntil = 2014-03-31",
		"until is before from"},
	    {"national_return = yes", "national_return = maybe", "yes or no"},
	    {"holding = yes", "holding = no", "exactly one area"},
	    {"national_return = yes", "holding = yes", "exactly one area"},
	    {"holding = yes", "holding = yes\nuntil = 2030-01-01",
		"cannot end"},
	    {"notify_asked_hours = 24", "notify_asked_hours = 49",
		"shorter than"},
	    {"notify_asked_hours = 24", "notify_asked_hours = x",
		"not a number"},
	    {"find_minimum = 3", "find_minimum = 1", "outside"},
	    {"spool_days = 0", "spool_days = 8", "outside"},
	    {"feb29 = 1-march", "feb29 = 2-march", "28-february"},
	    {"kind = hospital", "kind = spital", "agency_kind"},
	    {"review_basis = resident", "review_basis = x",
		"no code of that list"},
	    {"code = 1 | Male", "code = 1", "code | label"},
	    {"code = 1 | Male", "code = 1 | Male | x", "from and until"},
	    {"code = 1 | Male", "code = 2 | Male", "same day"},
	    {"code = 1 | Male", "code = #nk | Male", "begin with #"},
	    {"code = 1 | Male", "code = 1 | M | | | | what", "unknown flag"},
	    {"code = 1 | Male", "code = 1|M|||||x", "code | label"},
	    {"code = 1 | Male", "code = 1 | M | 2020-01-01 | 2019-01-01",
		"until is before from"},
	    {"default=case", "default=notify", "same day"},
	    {"[list sex]", "[list seks]", "the forms use it"},
	    {"[list purpose]", "[list purposes]", "has to be there"},
	    {"[list sex]", "[list purpose]", "the list stands twice"},
	    {"hint = IM | isle-of-man", "hint = IM | man", "no area"},
	    {"hint = IM | isle-of-man", "hint = IM", "PREFIX"},
	    {"hint = IM | isle-of-man", "hint = | wirral", "PREFIX"},
	};
	size_t i;

	for (i = 0; i < sizeof(edits) / sizeof(*edits); i++)
		refused(*state, edits[i][0], edits[i][1], edits[i][2]);
}

static void
the_line_is_named(void **state)
{
	struct cdop_profile_error error = {0};
	struct cdop_profile *profile = NULL;
	const char *text =
	    "cdop-profile 1\n\n[panel]\nname = A\ncolour = red\n";

	assert_int_equal(
	    cdop_profile_parse(text, strlen(text), *state, &profile, &error),
	    CDOP_INVALID_ARGUMENT);
	assert_int_equal(error.line, 5);
	assert_string_equal(error.text, "colour: no key of this section");
	assert_int_equal(cdop_profile_parse("", 0, *state, &profile, &error),
	    CDOP_INVALID_ARGUMENT);
	assert_int_equal(
	    cdop_profile_parse("cdop-profile 1", 14, *state, &profile, &error),
	    CDOP_INVALID_ARGUMENT);
	assert_int_equal(cdop_profile_parse("cdop-profile 1\n\0\n", 17, *state,
			     &profile, &error),
	    CDOP_INVALID_ARGUMENT);
}

static void
line_ends_and_blanks_do_not_matter(void **state)
{
	const struct cdop_profile *p;
	struct cdop_profile_diff diff;
	char *text = sample_profile_text(*state);
	char *windows = cdop_arena_alloc(*state, 2 * strlen(text) + 1);
	size_t n = 0;

	assert_non_null(windows);
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			windows[n++] = '\r';
		windows[n++] = *text;
	}
	p = parsed(*state, windows);
	assert_int_equal(
	    cdop_profile_diff(sample_profile(*state), p, *state, &diff),
	    CDOP_OK);
	assert_int_equal(diff.n_change, 0);
	assert_int_equal(diff.n_refusal, 0);
}

static bool
says(const char *const *lines, size_t n, const char *words)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (strstr(lines[i], words) != NULL)
			return true;
	}
	return false;
}

static void
a_difference_is_said_in_words(void **state)
{
	static const char *const edits[][3] = {
	    {"phone = 0151 496 0110", "phone = 0151 496 0119",
		"area knowsley: phone from '0151 496 0110' to"},
	    {"from = 2014-04-01", "from = 2014-05-01",
		"area knowsley: from from '2014-04-01' to '2014-05-01'"},
	    {"national_return = no", "national_return = yes",
		"national_return from 'no' to 'yes'"},
	    {"review_basis = resident\n", "",
		"area knowsley: review_basis from 'resident' to "},
	    {"commissioner = Information Commissioner's Office\n", "",
		"area knowsley: commissioner from 'Information "},
	    {"[area knowsley]",
		"[area new]\nname = New\njurisdiction = england\n"
		"calendar = england-and-wales\ntime_zone = Europe/London\n"
		"legal_basis = x\n[area knowsley]",
		"new area new: New"},
	    {"until = 2023-06-30", "until = 2023-07-31",
		"agency RVY: until from '2023-06-30' to '2023-07-31'"},
	    {"code = 1 | Male", "code = 1 | Boy",
		"list sex, code 1: label from 'Male' to 'Boy'"},
	    {"code = 1 | Male", "code = 1 | Male | | 2027-03-31",
		"until from 'open' to '2027-03-31'"},
	    {"code = 1 | Male", "code = 1 | Male\ncode = 3 | Other",
		"list sex 3: Other"},
	    {"find_minimum = 3", "find_minimum = 4",
		"limits: find_minimum from '3' to '4'"},
	    {"feb29 = 1-march", "feb29 = 28-february", "limits: feb29"},
	    {"panel = Pan-Cheshire CDOP", "panel = Another",
		"neighbour halton: panel"},
	    {"hint = L1 | liverpool", "hint = L1 | sefton",
		"new postcode hint L1: sefton"},
	    {"hint = L1 | liverpool", "hint = L1 | sefton",
		"no more postcode hint L1: liverpool"},
	};
	const struct cdop_profile *old;
	const struct cdop_profile *new;
	struct cdop_profile_diff diff;
	size_t i;

	for (i = 0; i < sizeof(edits) / sizeof(*edits); i++) {
		cdop_arena_reset(*state);
		old = sample_profile(*state);
		new = parsed(*state,
		    sample_profile_with(*state, edits[i][0], edits[i][1]));
		assert_int_equal(
		    cdop_profile_diff(old, new, *state, &diff), CDOP_OK);
		if (!says(diff.change, diff.n_change, edits[i][2]))
			fail_msg("not said: %s; but: %s", edits[i][2],
			    diff.n_change > 0 ? diff.change[0] : "nothing");
		assert_int_equal(diff.n_refusal, 0);
	}
}

static void
what_is_deleted_or_used_again_is_refused(void **state)
{
	static const char *const edits[][3] = {
	    {"[area knowsley]", "[area kirkby]", "area knowsley: deleted"},
	    {"[neighbour halton]", "[neighbour widnes]",
		"neighbour halton: deleted"},
	    {"[agency RBS]", "[agency RBS2]", "agency RBS: deleted"},
	    {"code = 9 | Not specified (indeterminate)\n", "",
		"list sex 9: deleted"},
	    {"code = 0 | Not known | | | | means=NOT_KNOWN",
		"code = 0 | Not known", "means something else"},
	    {"code = E08000015\nname = Wirral",
		"code = E06000006\nname = Halton", "another area"},
	    {"code = RBS\nname = Alder Hey Children's NHS Foundation Trust",
		"code = ZZZ\nname = Somebody else", "give the other its own"},
	    {"code = E06000007\nname = Warrington",
		"code = W06000001\nname = Anglesey", "give the other its own"},
	};
	const struct cdop_profile *old;
	const struct cdop_profile *new;
	struct cdop_profile_diff diff;
	char *text;
	char *at;
	size_t i;

	for (i = 0; i < sizeof(edits) / sizeof(*edits); i++) {
		cdop_arena_reset(*state);
		old = sample_profile(*state);
		text = sample_profile_with(*state, edits[i][0], edits[i][1]);
		/* Hints name areas: without them the file stays sound. */
		if ((at = strstr(text, "[postcodes]")) != NULL)
			*at = '\0';
		new = parsed(*state, text);
		assert_int_equal(
		    cdop_profile_diff(old, new, *state, &diff), CDOP_OK);
		if (!says(diff.refusal, diff.n_refusal, edits[i][2]))
			fail_msg("not refused: %s", edits[i][2]);
	}
}

static void
the_holding_area_stays_where_it_is(void **state)
{
	const struct cdop_profile *old = sample_profile(*state);
	struct cdop_profile_diff diff;
	char *text = sample_profile_with(*state, "holding = yes", "");
	char *at = strstr(text, "[area wirral]");

	assert_non_null(at);
	text = cdop_arena_printf(*state, "%.*s[area wirral]\nholding = yes%s",
	    (int)(at - text), text, at + strlen("[area wirral]"));
	at = strstr(text, "from = 2011-04-01\n\n# Sources");
	assert_non_null(at);
	assert_int_equal(
	    cdop_profile_diff(old, parsed(*state, text), *state, &diff),
	    CDOP_OK);
	assert_true(
	    says(diff.refusal, diff.n_refusal, "area wirral: the holding"));
	assert_true(
	    says(diff.refusal, diff.n_refusal, "area holding: the holding"));
}

/* One that stays is enough. */
static void
a_purpose_is_left_in_force(void **state)
{
	static const char *const lists[] = {
	    "[list purpose]\ncode = audit | Audit | | 2027-01-01\n",
	    "[list purpose]\ncode = audit | Audit | | 2027-01-01\n"
	    "code = other | Other\n",
	};
	const struct cdop_profile *old;
	struct cdop_profile_diff diff;
	char *text, *at, *end;
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		cdop_arena_reset(*state);
		old = sample_profile(*state);
		text = sample_profile_text(*state);
		at = strstr(text, "[list purpose]");
		assert_non_null(at);
		end = strstr(at, "\n\n");
		assert_non_null(end);
		text = cdop_arena_printf(
		    *state, "%.*s%s%s", (int)(at - text), text, lists[i], end);
		assert_non_null(text);
		assert_int_equal(
		    cdop_profile_diff(old, parsed(*state, text), *state, &diff),
		    CDOP_OK);
		assert_int_equal(says(diff.refusal, diff.n_refusal,
				     "list purpose: each of its codes ends"),
		    i == 0);
	}
}

static void
the_manual_names_every_section_and_key(void **state)
{
	FILE *file = fopen("packaging/man/cdop-profile.5", "r");
	char *text = cdop_arena_alloc(*state, 1 << 16);
	const struct profile_section *section;
	size_t i;
	size_t k;

	assert_non_null(file);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 16) - 1, file) > 0);
	(void)fclose(file);
	for (i = 0; i < PROFILE_SECTION_COUNT; i++) {
		section = &cdop_profile_sections[i];
		assert_non_null(strstr(
		    text, cdop_arena_printf(*state, ".SS [%s", section->word)));
		for (k = 0; k < section->n_keys; k++)
			assert_non_null(strstr(text, section->keys[k].name));
	}
}

static void
a_full_arena_is_said(void **state)
{
	const char *text = sample_profile_text(*state);
	struct cdop_profile_error error = {0};
	struct cdop_profile *profile = NULL;
	struct cdop_arena *small;
	size_t max;

	for (max = 16; max < 200000; max += 997) {
		assert_int_equal(cdop_arena_new(max, &small), CDOP_OK);
		if (cdop_profile_parse(
			text, strlen(text), small, &profile, &error) == CDOP_OK)
			assert_int_equal(profile->n_area, 7);
		cdop_arena_free(small);
	}
}

#define LINE_ROOM 256

static int
put_code(char *at, unsigned i)
{
	return snprintf(at, LINE_ROOM, "code = %u | %u\n", i, i);
}

static int
put_list(char *at, unsigned i)
{
	return snprintf(at, LINE_ROOM, "[list many-%u]\ncode = 1 | one\n", i);
}

static int
put_area(char *at, unsigned i)
{
	return snprintf(at, LINE_ROOM,
	    "[area many-%u]\ncode = X%u\nname = Many %u\n"
	    "jurisdiction = england\ncalendar = england-and-wales\n"
	    "time_zone = Europe/London\nlegal_basis = b\n"
	    "review_basis = resident\ncommissioner = c\ncontact = d\n",
	    i, i, i);
}

/* Behind the packaged text max of them are taken, and no more. */
static void
bounded(struct cdop_arena *arena, const char *head,
    int (*put)(char *at, unsigned i), size_t max)
{
	struct cdop_profile_error error = {0};
	struct cdop_profile *profile = NULL;
	const char *packaged;
	char *text, *at;
	unsigned i;

	packaged = sample_profile_text(arena);
	text =
	    cdop_arena_alloc(arena, strlen(packaged) + LINE_ROOM * (max + 2));
	assert_non_null(text);
	at = text +
	    snprintf(
		text, strlen(packaged) + LINE_ROOM, "%s\n%s", packaged, head);
	for (i = 0; i < max; i++)
		at += put(at, i);
	(void)parsed(arena, text);
	(void)put(at, i);
	assert_int_equal(
	    cdop_profile_parse(text, strlen(text), arena, &profile, &error),
	    CDOP_INVALID_ARGUMENT);
	assert_non_null(strstr(error.text, "too many"));
}

/* A megabyte of codes kept a daemon busy for seconds, with every reading. */
static void
what_is_compared_with_each_other_is_bounded(void **state)
{
	struct cdop_arena *arena = *state;
	const struct cdop_profile *p =
	    parsed(arena, sample_profile_text(arena));
	size_t lists = p->n_list, areas = p->n_area;

	bounded(arena, "[list many]\n", put_code, CDOP_PROFILE_CODES_MAX);
	bounded(arena, "", put_list, CDOP_PROFILE_ENTRIES_MAX - lists);
	bounded(arena, "", put_area, CDOP_PROFILE_AREAS_MAX - areas);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_packaged_profile_is_sound),
	    cmocka_unit_test(telephone_numbers_are_those_of_fiction),
	    cmocka_unit_test(lookups_hold_on_their_day),
	    cmocka_unit_test(a_postcode_suggests_and_never_decides),
	    cmocka_unit_test(every_mistake_is_refused_by_line),
	    cmocka_unit_test(the_line_is_named),
	    cmocka_unit_test(line_ends_and_blanks_do_not_matter),
	    cmocka_unit_test(a_difference_is_said_in_words),
	    cmocka_unit_test(a_purpose_is_left_in_force),
	    cmocka_unit_test(what_is_deleted_or_used_again_is_refused),
	    cmocka_unit_test(the_holding_area_stays_where_it_is),
	    cmocka_unit_test(the_manual_names_every_section_and_key),
	    cmocka_unit_test(a_full_arena_is_said),
	    cmocka_unit_test(what_is_compared_with_each_other_is_bounded),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
