/* The sample form and its short hands. */
#include "tests/unit/proto/sample_form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/proto/sample_profile.h"

/* cmocka wants the headers above before it. */
#include <cmocka.h>

/* Rules that were met, by their place in cdop_form_rules. */
static bool met[200];

static bool
is_known_rule(const char *id)
{
	size_t i;

	for (i = 0; cdop_form_rules[i].id != NULL; i++) {
		if (strcmp(cdop_form_rules[i].id, id) == 0)
			return true;
	}
	return false;
}

static void
meet(const struct cdop_violation *found)
{
	size_t i;

	for (i = 0; cdop_form_rules[i].id != NULL; i++) {
		if (strcmp(cdop_form_rules[i].id, found->rule) != 0)
			continue;
		assert_true(i < sizeof(met));
		met[i] = true;
		/* No worse than the list says. */
		assert_true(found->severity >= cdop_form_rules[i].severity);
		return;
	}
	fail_msg("not listed: %s", found->rule);
}

bool
sample_has_met(const char *rule)
{
	size_t i;

	for (i = 0; cdop_form_rules[i].id != NULL; i++) {
		if (strcmp(cdop_form_rules[i].id, rule) == 0)
			return met[i];
	}
	return false;
}

int
sample_setup(void **state)
{
	struct sample *s = calloc(1, sizeof(*s));

	if (s == NULL || cdop_arena_new(32u << 20, &s->arena) != CDOP_OK) {
		free(s);
		return -1;
	}
	s->profile = sample_profile(s->arena);
	s->form = cdop_form_new(s->arena);
	s->check.profile = s->profile;
	s->check.today = sample_day("2026-11-23");
	s->check.training = true;
	s->check.use = CDOP_FORM_PART;
	*state = s;
	return 0;
}

int
sample_teardown(void **state)
{
	struct sample *s = *state;

	cdop_arena_free(s->arena);
	free(s);
	return 0;
}

void
sample_put(struct sample *s, const char *path, const char *typed)
{
	struct cdop_violations found = {0};

	if (cdop_form_put(s->form, path, typed, s->profile, s->arena, &found) !=
	    CDOP_OK)
		fail_msg("%s refused: %s", path,
		    found.n > 0 ? found.v[0].rule : "no memory");
	assert_int_equal(found.n, 0);
}

void
sample_refused(
    struct sample *s, const char *path, const char *typed, const char *rule)
{
	struct cdop_violations found = {0};

	if (cdop_form_put(s->form, path, typed, s->profile, s->arena, &found) !=
	    CDOP_INVALID_ARGUMENT)
		fail_msg("%s taken: %s", path, typed);
	assert_int_equal(found.n, 1);
	assert_string_equal(found.v[0].rule, rule);
	assert_int_equal(found.v[0].severity, CDOP_SEVERITY_ERROR);
	meet(&found.v[0]);
}

const char *
sample_text(struct sample *s, const char *path)
{
	const char *text = cdop_form_text(s->form, path, s->arena);

	assert_non_null(text);
	return text;
}

void
sample_fill(struct sample *s)
{
	static const char *const values[][2] = {
	    {"received.channel", "phone"},
	    {"received.notified_date", "20/11/2026"},
	    {"received.notified_time", "17:40"},
	    {"notifier.agency", "RBS"},
	    {"notifier.name", "Dr A Synthetic"},
	    {"notifier.phone", "0151 496 0301"},
	    {"child.name_kind", "known"},
	    {"child.family_name", "Oyelaran-Synthetic"},
	    {"child.first_names", "Ada"},
	    {"child.sex", "2"},
	    {"birth.date", "14/05/2024"},
	    {"death.date", "20/11/2026"},
	    {"area.residence", "liverpool"},
	    {"place.type", "intensive_care"},
	};
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(*values); i++)
		sample_put(s, values[i][0], values[i][1]);
	s->check.use = CDOP_FORM_NOTIFICATION;
}

void
sample_check(struct sample *s)
{
	size_t i;

	memset(&s->found, 0, sizeof(s->found));
	assert_int_equal(
	    cdop_form_check(s->form, &s->check, s->arena, &s->found), CDOP_OK);
	for (i = 0; i < s->found.n; i++)
		meet(&s->found.v[i]);
}

void
sample_finds(struct sample *s, const char *path, const char *rule,
    enum cdop_severity severity)
{
	const struct cdop_violation *found;

	sample_check(s);
	assert_true(is_known_rule(rule));
	found = cdop_violation_find(&s->found, path, rule);
	if (severity == 0) {
		if (found != NULL)
			fail_msg("%s finds %s", path, rule);
		return;
	}
	if (found == NULL)
		fail_msg("%s does not find %s", path, rule);
	else
		assert_int_equal(found->severity, severity);
}

void
sample_finds_nothing(struct sample *s)
{
	sample_check(s);
	if (s->found.n > 0)
		fail_msg("%s: %s", s->found.v[0].path, s->found.v[0].rule);
}
