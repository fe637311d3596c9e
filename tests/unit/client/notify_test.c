/* What is asked when, what stands on a command line, what is sent. */
#include "client/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "client/notify_when.h"
#include "tests/unit/client/fixture.h"

static void
put(struct fixture *f, Cdop__Form *form, const char *path, const char *typed)
{
	struct cdop_violations v = {NULL, 0, 0};

	assert_int_equal(
	    cdop_form_put(form, path, typed, NULL, f->ctx.arena, &v), CDOP_OK);
}

static bool
asked(const Cdop__Form *form, const char *path)
{
	return notify_when_asked(form, cdop_fields_find(path));
}

static bool
needed(const Cdop__Form *form, const char *path)
{
	return notify_when_needed(form, cdop_fields_find(path));
}

static void
questions_follow_from_answers(void **state)
{
	struct fixture *f = *state;
	Cdop__Form *form = cdop_form_new(f->ctx.arena);

	assert_false(asked(form, "jar.reason"));
	put(f, form, "jar.started", "yes");
	assert_true(asked(form, "jar.reason"));
	put(f, form, "jar.started", "no");
	assert_false(asked(form, "jar.reason"));
	assert_false(asked(form, "child.estimated_age"));
	put(f, form, "birth.date", "#nk");
	assert_true(asked(form, "child.estimated_age"));
	assert_true(asked(form, "child.nhs_number_absent_reason"));
	put(f, form, "child.nhs_number", "9990000018");
	assert_false(asked(form, "child.nhs_number_absent_reason"));
	put(f, form, "scope.decision", "in");
	assert_false(asked(form, "scope.reason"));
	put(f, form, "scope.decision", "enquiry");
	assert_true(asked(form, "scope.reason"));
}

static void
a_child_of_minutes_is_asked_for_times(void **state)
{
	struct fixture *f = *state;
	Cdop__Form *form = cdop_form_new(f->ctx.arena);

	put(f, form, "death.date", "2026-11-20");
	put(f, form, "birth.date", "2020-01-01");
	assert_false(asked(form, "birth.time"));
	put(f, form, "birth.date", "2026-11-14");
	assert_true(asked(form, "birth.time"));
	put(f, form, "birth.date", "2026-11");
	assert_true(asked(form, "birth.time"));
}

static void
a_baby_without_a_name_has_its_mothers(void **state)
{
	struct fixture *f = *state;
	Cdop__Form *form = cdop_form_new(f->ctx.arena);

	assert_true(needed(form, "child.family_name"));
	put(f, form, "child.name_kind", "one_only");
	assert_false(needed(form, "child.first_names"));
	put(f, form, "child.name_kind", "baby_of");
	assert_false(asked(form, "child.family_name"));
	assert_true(needed(form, "mother.family_name"));
}

static void
a_postcode_elsewhere_is_pointed_out(void **state)
{
	struct fixture *f = *state;
	const struct cdop_profile *profile = fixture_profile(f);
	Cdop__Form *form = cdop_form_new(f->ctx.arena);
	const char *said;

	assert_null(notify_when_elsewhere(form, profile, f->ctx.arena));
	put(f, form, "child.postcode", "CH41 0AA");
	said = notify_when_elsewhere(form, profile, f->ctx.arena);
	assert_string_equal(said, "Wirral");
	put(f, form, "area.residence", "sefton");
	said = notify_when_elsewhere(form, profile, f->ctx.arena);
	assert_string_equal(said, "Wirral");
	put(f, form, "area.residence", "wirral");
	assert_null(notify_when_elsewhere(form, profile, f->ctx.arena));
	put(f, form, "child.postcode", "#nk");
	assert_null(notify_when_elsewhere(form, profile, f->ctx.arena));
}

static void
all_asks_every_repeated_group(void **state)
{
	size_t i, few = 0, all = 0;

	(void)state;
	for (i = 0; i < cdop_fields_count; i++) {
		if (cdop_fields[i].kind != CDOP_KIND_ENTRY)
			continue;
		few += notify_when_group(cdop_fields[i].group, false);
		all += notify_when_group(cdop_fields[i].group, true);
	}
	assert_int_equal(few, 4);
	assert_int_equal(all, 7);
	assert_true(notify_when_group("other_name", true));
	assert_false(notify_when_group("other_name", false));
}

static enum exit_code
set(struct fixture *f, const char *given)
{
	struct notify n;

	f->ctx.n_values = 0;
	fixture_option(f, "--set", given);
	memset(&f->ctx.error, 0, sizeof(f->ctx.error));
	assert_int_equal(notify_new(&f->ctx, &n), EXIT_OK);
	return notify_set(&f->ctx, fixture_profile(f), &n);
}

static void
nobody_stands_on_the_command_line_of_a_live_registry(void **state)
{
	static const char *const private[] = {"child.family_name=Tarrant",
	    "child.nhs_number=9434765919", "child.sex=1",
	    "mother.first_names=Orla", "notifier.name=Dr Sample",
	    "notifier.phone=0151 496 0000", "birth.date=2024-05-14",
	    "death.date=2026-11-20", "child.address=1 Example Road",
	    "child.postcode=L1 8JQ", "circumstances.narrative=found",
	    "mccd.cause_1a=words"};
	static const char *const public[] = {"received.channel=phone",
	    "received.notified_date=2026-11-20", "death.expected=yes",
	    "area.residence=wirral", "place.type=home",
	    "birth.weight_grams=3100"};
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < sizeof(private) / sizeof(private[0]); i++) {
		f->ctx.mode = "live";
		assert_int_equal(set(f, private[i]), EXIT_USAGE);
		assert_string_equal(f->ctx.error.reason, "identity_in_argv");
	}
	for (i = 0; i < sizeof(public) / sizeof(public[0]); i++)
		assert_int_equal(set(f, public[i]), EXIT_OK);
	f->ctx.mode = "training";
	assert_int_equal(set(f, "child.family_name=Tarrant"), EXIT_OK);
	assert_int_equal(set(f, "child.nonsense=1"), EXIT_USAGE);
	assert_int_equal(set(f, "child.sex"), EXIT_USAGE);
	assert_int_equal(set(f, "birth.date=31/02/2024"), EXIT_INVALID);
	assert_int_equal(f->ctx.error.n_findings, 1);
}

static void
a_decision_replaces_the_one_before(void **state)
{
	struct fixture *f = *state;
	Cdop__NotificationRegisterRequest request;
	struct notify n;

	assert_int_equal(notify_new(&f->ctx, &n), EXIT_OK);
	assert_int_equal(
	    notify_decide(&f->ctx, &n, "T-1", CDOP__DECISION__JOIN, "same"),
	    EXIT_OK);
	assert_int_equal(notify_decide(&f->ctx, &n, "T-1",
			     CDOP__DECISION__NEW_OTHER, "not the same"),
	    EXIT_OK);
	notify_request(&n, &request);
	assert_int_equal(request.n_decision, 1);
	assert_int_equal(
	    request.decision[0]->decision, CDOP__DECISION__NEW_OTHER);
	assert_string_equal(request.decision[0]->reason, "not the same");
}

static void
reasons_are_found_by_their_rule(void **state)
{
	struct fixture *f = *state;
	const char *text = "weight.range: weighed twice; age.x:really";

	assert_string_equal(
	    overrides_reason(&f->ctx, text, "weight.range"), "weighed twice");
	assert_string_equal(overrides_reason(&f->ctx, text, "age.x"), "really");
	assert_null(overrides_reason(&f->ctx, text, "age"));
	assert_null(overrides_reason(&f->ctx, text, "weight"));
	assert_null(overrides_reason(&f->ctx, "age.x:", "age.x"));
	assert_null(overrides_reason(&f->ctx, "", "age.x"));
	assert_null(overrides_reason(&f->ctx, NULL, "age.x"));
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(questions_follow_from_answers),
	    WITH(a_child_of_minutes_is_asked_for_times),
	    WITH(a_baby_without_a_name_has_its_mothers),
	    WITH(a_postcode_elsewhere_is_pointed_out),
	    WITH(all_asks_every_repeated_group),
	    WITH(nobody_stands_on_the_command_line_of_a_live_registry),
	    WITH(a_decision_replaces_the_one_before),
	    WITH(reasons_are_found_by_their_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
