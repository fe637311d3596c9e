/* Messages and forms as JSON: nothing lost on the way there and back. */
#include "client/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "cdop/err.h"
#include "client/call.h"
#include "tests/unit/client/fixture.h"

static const struct {
	const char *path;
	const char *typed;
} sample[] = {
    {"received.channel", "phone"},
    {"received.notified_date", "2026-11-20"},
    {"received.notified_time", "17:40"},
    {"notifier.agency", "RBS"},
    {"child.name_kind", "known"},
    {"child.family_name", "O'Hara \"Null\" \xd7\x9b"},
    {"child.nhs_number", "#nk"},
    {"child.sex", "2"},
    {"child.interpreter_needed", "no"},
    {"birth.date", "~2024"},
    {"birth.weight_grams", "3100"},
    {"death.date", "#ws"},
    {"area.residence", "wirral"},
    {"circumstances.narrative", "two\nlines"},
    {"parent.2.family_name", "Second"},
    {"parent.5.date_of_birth", "05/1990"},
};

#define SAMPLE (sizeof(sample) / sizeof(sample[0]))

static Cdop__Form *
make(struct fixture *f)
{
	struct cdop_violations v = {NULL, 0, 0};
	Cdop__Form *form = cdop_form_new(f->ctx.arena);
	size_t i;

	for (i = 0; i < SAMPLE; i++)
		assert_int_equal(
		    cdop_form_put(form, sample[i].path, sample[i].typed,
			fixture_profile(f), f->ctx.arena, &v),
		    CDOP_OK);
	return form;
}

static const char *
at(json_t *root, const char *group, const char *field, const char *key)
{
	return json_string_value(json_object_get(
	    json_object_get(json_object_get(root, group), field), key));
}

static void
a_form_comes_back_as_it_went(void **state)
{
	struct fixture *f = *state;
	struct cdop_violations v = {NULL, 0, 0};
	Cdop__Form *form = make(f), *back = cdop_form_new(f->ctx.arena);
	struct cdop_paths differ;

	assert_int_equal(json_read_form(&f->ctx, json_form(&f->ctx, form),
			     fixture_profile(f), back, &v),
	    EXIT_OK);
	assert_int_equal(v.n, 0);
	assert_int_equal(
	    cdop_form_diff(form, back, f->ctx.arena, &differ), CDOP_OK);
	assert_int_equal(differ.n, 0);
}

static void
codes_have_labels_and_absences_are_said(void **state)
{
	struct fixture *f = *state;
	json_t *root = json_form(&f->ctx, make(f)), *parents;

	assert_string_equal(at(root, "child", "sex", "code"), "2");
	assert_string_equal(at(root, "child", "sex", "label"), "Female");
	assert_string_equal(
	    at(root, "child", "nhs_number", "absent"), "NOT_KNOWN");
	assert_string_equal(at(root, "death", "date", "absent"), "WITHHELD");
	assert_string_equal(at(root, "area", "residence", "label"), "Wirral");
	/* What was not asked is not there. */
	assert_null(json_object_get(root, "jar"));
	parents = json_object_get(root, "parent");
	assert_int_equal(json_array_size(parents), 2);
	assert_int_equal(json_integer_value(json_object_get(
			     json_array_get(parents, 1), "number")),
	    5);
}

static void
what_is_no_value_is_named_by_its_path(void **state)
{
	struct fixture *f = *state;
	struct cdop_violations v = {NULL, 0, 0};
	Cdop__Form *form = cdop_form_new(f->ctx.arena);
	json_t *root;

	root = json_loads("{\"child\":{\"nonsense\":1,\"sex\":[1],"
			  "\"nhs_number\":12},\"x\":3,\"foo\":{},\"bar\":[],"
			  "\"birth\":{\"date\":{\"absent\":\"PERHAPS\"}}}",
	    0, NULL);
	assert_int_equal(
	    json_read_form(&f->ctx, root, fixture_profile(f), form, &v),
	    EXIT_OK);
	assert_int_equal(v.n, 7);
	assert_non_null(cdop_violation_find(&v, NULL, "path.unknown"));
	/* An empty one, too: it was to be something. */
	assert_non_null(cdop_violation_find(&v, "foo", "json.group"));
	assert_non_null(cdop_violation_find(&v, "bar", "json.group"));
	assert_non_null(cdop_violation_find(&v, "child.sex", "json.value"));
	assert_non_null(cdop_violation_find(&v, "x", "json.group"));
	assert_non_null(cdop_violation_find(&v, "birth.date", "json.value"));
	assert_int_equal(
	    json_read_form(&f->ctx, json_array(), fixture_profile(f), form, &v),
	    EXIT_INVALID);
}

/* A program that took the wrong cell is told, and no name is "5". */
static void
values_are_of_the_kind_of_their_field(void **state)
{
	static const char *const wrong[] = {"child.family_name",
	    "child.first_names", "birth.date", "death.time", "notifier.phone",
	    "child.postcode", "parent.1", "parent.2.family_name"};
	struct fixture *f = *state;
	struct cdop_violations v = {NULL, 0, 0};
	Cdop__Form *form = cdop_form_new(f->ctx.arena);
	json_t *root;
	size_t i;

	root = json_loads("{\"child\":{\"family_name\":5,\"first_names\":true,"
			  "\"postcode\":{\"code\":\"L1 1AA\"},\"sex\":2,"
			  "\"nhs_number\":9990000018},"
			  "\"birth\":{\"date\":2024,\"weight_grams\":3100},"
			  "\"death\":{\"time\":1740},"
			  "\"notifier\":{\"phone\":1514960999},"
			  "\"parent\":[\"Ann\",{\"family_name\":7}]}",
	    0, NULL);
	assert_non_null(root);
	assert_int_equal(
	    json_read_form(&f->ctx, root, fixture_profile(f), form, &v),
	    EXIT_OK);
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_non_null(cdop_violation_find(
		    &v, wrong[i], i == 6 ? "json.group" : "json.value"));
	assert_int_equal(v.n, sizeof(wrong) / sizeof(*wrong));
}

static size_t
findings_of(struct fixture *f, const char *parents, Cdop__Form **ret_form)
{
	struct cdop_violations v = {NULL, 0, 0};
	json_t *root =
	    json_pack("{s:o}", "parent", json_loads(parents, 0, NULL));

	assert_non_null(root);
	*ret_form = cdop_form_new(f->ctx.arena);
	assert_int_equal(
	    json_read_form(&f->ctx, root, fixture_profile(f), *ret_form, &v),
	    EXIT_OK);
	assert_true(v.n == 0 ||
	    cdop_violation_find(&v, "parent", "entry.number") != NULL);
	return v.n;
}

/* None is written over another one unsaid. */
static void
entries_have_a_number_each(void **state)
{
	static const char *const wrong[] = {
	    "[{\"number\":1,\"family_name\":\"Ann\"},"
	    "{\"number\":1,\"family_name\":\"Bea\"}]",
	    "[{\"family_name\":\"Ann\"},"
	    "{\"number\":1,\"family_name\":\"Bea\"}]",
	    "[{\"number\":\"2\",\"family_name\":\"Ann\"}]",
	    "[{\"number\":0,\"family_name\":\"Ann\"}]",
	    "[{\"number\":10000,\"family_name\":\"Ann\"}]",
	    "[{\"number\":9999,\"family_name\":\"Ann\"},"
	    "{\"family_name\":\"Bea\"}]"};
	struct fixture *f = *state;
	Cdop__Form *form;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(findings_of(f, wrong[i], &form), 1);
	assert_int_equal(findings_of(f,
			     "[{\"number\":2,\"family_name\":\"Ann\"},"
			     "{\"family_name\":\"Bea\"},"
			     "{\"number\":null,\"family_name\":\"Cat\"},"
			     "{\"number\":1,\"family_name\":\"Dee\"}]",
			     &form),
	    0);
	assert_int_equal(cdop_form_entries(form, "parent"), 4);
}

static void
messages_have_instants_hex_and_words(void **state)
{
	struct fixture *f = *state;
	Cdop__CaseSummary s;
	json_t *object;
	char reference[] = "T-2CWR-GN5K", area[] = "wirral",
	     word[] = "received";

	(void)fixture_profile(f);
	cdop__case_summary__init(&s);
	s.reference = reference;
	s.owner_area = area;
	s.status = word;
	s.has_registered_ms = true;
	s.registered_ms = 1795424707042;
	object = json_message(&f->ctx, &s.base);
	assert_string_equal(
	    json_string_value(json_object_get(object, "registered")),
	    "2026-11-23T09:05:07.042Z");
	assert_null(json_object_get(object, "registered_ms"));
	assert_null(json_object_get(object, "name"));
	assert_string_equal(
	    json_string_value(json_object_get(
		json_object_get(object, "owner_area"), "label")),
	    "Wirral");
}

static void
lists_are_there_when_empty_and_padding_never(void **state)
{
	struct fixture *f = *state;
	Cdop__AskReply r;
	json_t *object;
	char none[] = "";

	cdop__ask_reply__init(&r);
	r.answer = CDOP__ANSWER__NOT_KNOWN_TO_YOU;
	r.understood = none;
	r.office_contact = none;
	r.has_pad = true;
	r.pad.data = (uint8_t *)none;
	object = json_message(&f->ctx, &r.base);
	assert_true(json_is_array(json_object_get(object, "matched_on")));
	assert_null(json_object_get(object, "pad"));
	assert_string_equal(json_string_value(json_object_get(
				json_object_get(object, "answer"), "label")),
	    "not known to you");
}

/* No field of an answer may hide a word of the envelope. */
static void
no_answer_has_a_field_of_the_envelope(void **state)
{
	static const char *const words[] = {"schema", "ok", "mode", "registry",
	    "request", "leaf", "end", "count"};
	const ProtobufCMessageDescriptor *d;
	const struct call_method *method;
	uint32_t id;
	size_t i;

	(void)state;
	for (id = 1; id < 200; id++) {
		if ((method = call_method(id)) == NULL)
			continue;
		d = method->reply;
		/* The command puts the envelope's word there. */
		if (d == &cdop__status_reply__descriptor)
			continue;
		for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			assert_null(
			    protobuf_c_message_descriptor_get_field_by_name(
				d, words[i]));
	}
}

static void
statuses_and_purposes_have_labels(void **state)
{
	struct fixture *f = *state;
	char call[] = "CaseShow", purpose[] = "case_work";
	Cdop__AuditEntry e;
	json_t *object;

	(void)fixture_profile(f);
	cdop__audit_entry__init(&e);
	e.call = call;
	e.purpose = purpose;
	e.answered = CDOP_NOT_FOUND;
	e.outcome = CDOP_PERMISSION_DENIED;
	object = json_message(&f->ctx, &e.base);
	assert_string_equal(json_string_value(json_object_get(
				json_object_get(object, "purpose"), "label")),
	    "Case work");
	assert_string_equal(json_string_value(json_object_get(
				json_object_get(object, "answered"), "code")),
	    "NOT_FOUND");
	assert_string_equal(json_string_value(json_object_get(
				json_object_get(object, "outcome"), "label")),
	    "forbidden for this role");
	/* A purpose that no profile has any more is its own label. */
	f->session.profile = NULL;
	object = json_message(&f->ctx, &e.base);
	assert_string_equal(json_string_value(json_object_get(
				json_object_get(object, "purpose"), "label")),
	    "case_work");
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(a_form_comes_back_as_it_went),
	    WITH(codes_have_labels_and_absences_are_said),
	    WITH(what_is_no_value_is_named_by_its_path),
	    WITH(values_are_of_the_kind_of_their_field),
	    WITH(entries_have_a_number_each),
	    WITH(messages_have_instants_hex_and_words),
	    WITH(lists_are_there_when_empty_and_padding_never),
	    cmocka_unit_test(no_answer_has_a_field_of_the_envelope),
	    WITH(statuses_and_purposes_have_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
