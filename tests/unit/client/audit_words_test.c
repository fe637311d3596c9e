/* The log in words: what happened, and nothing that was only inferred. */
#include "client/audit_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "cdop/err.h"
#include "cdop/role.h"
#include "client/call.h"
#include "tests/unit/client/fixture.h"

#define METHODS_MAX 300

static char call[40], reason[40];
static Cdop__Released released;
static Cdop__Released *one[] = {&released};

/* An entry of this call, with this status and reason word. */
static Cdop__AuditEntry
entry(const char *name, uint32_t outcome, const char *word)
{
	Cdop__AuditEntry e;

	cdop__audit_entry__init(&e);
	assert_true(strlen(name) < sizeof(call));
	memcpy(call, name, strlen(name) + 1);
	e.call = call;
	e.answered = outcome;
	e.outcome = outcome;
	if (word == NULL)
		return e;
	assert_true(strlen(word) < sizeof(reason));
	memcpy(reason, word, strlen(word) + 1);
	e.reason = reason;
	return e;
}

static void
every_call_has_words(void **state)
{
	struct fixture *f = *state;
	const struct call_method *method;
	Cdop__AuditEntry e;
	uint32_t id, n = 0;

	for (id = 1; id < METHODS_MAX; id++) {
		if ((method = call_method(id)) == NULL)
			continue;
		e = entry(method->name, CDOP_OK, NULL);
		assert_string_not_equal(
		    audit_words_deed(&f->ctx, &e), method->name);
		n++;
	}
	assert_true(n > 30);
}

static void
what_a_partner_was_told_is_what_the_log_says(void **state)
{
	struct fixture *f = *state;
	Cdop__AuditEntry e = entry("Ask", CDOP_OK, "not_enough");

	assert_string_equal(audit_words_outcome(&f->ctx, &e),
	    ", told \"not enough to ask with\"");
	e = entry("Ask", CDOP_OK, "not_known");
	e.outcome = CDOP_NOT_FOUND;
	assert_string_equal(
	    audit_words_outcome(&f->ctx, &e), ", told \"not known to you\"");
	e.outcome = CDOP_PERMISSION_DENIED;
	assert_string_equal(audit_words_outcome(&f->ctx, &e),
	    ", told \"not known to you\" (another area has one)");
	e = entry("Ask", CDOP_OK, "known");
	e.n_released = 1;
	e.released = one;
	assert_string_equal(
	    audit_words_outcome(&f->ctx, &e), ", told \"known to you\"");
	/* Of before the log had a word for it. */
	e = entry("Ask", CDOP_OK, NULL);
	assert_string_equal(audit_words_outcome(&f->ctx, &e),
	    ", told \"not known to you\" or \"not enough\"");
}

static void
a_refusal_is_not_worded_as_an_exit_code(void **state)
{
	struct fixture *f = *state;
	Cdop__AuditEntry e = entry("Ask", CDOP_RESOURCE_EXHAUSTED, "ask_limit");

	assert_string_equal(audit_words_outcome(&f->ctx, &e),
	    ": refused, the questions of the day were used up [ask_limit]");
	e = entry("CaseShow", CDOP_PERMISSION_DENIED, "no_such_case");
	e.answered = CDOP_NOT_FOUND;
	assert_string_equal(audit_words_outcome(&f->ctx, &e),
	    ": refused, not in an area of theirs, and told that there is none "
	    "[no_such_case]");
	e = entry("CaseList", CDOP_PERMISSION_DENIED, "role");
	assert_string_equal(audit_words_outcome(&f->ctx, &e),
	    ": refused, forbidden for this role [role]");
	e = entry("CaseShow", CDOP_INTERNAL, "some newer word");
	assert_string_equal(audit_words_outcome(&f->ctx, &e),
	    ": refused, it failed, and nothing was done [some newer word]");
	e = entry("CaseAmend", CDOP_OK, "dry_run");
	assert_string_equal(audit_words_outcome(&f->ctx, &e),
	    " (only checked, nothing was written)");
	e = entry("CaseAmend", CDOP_OK, NULL);
	assert_string_equal(audit_words_outcome(&f->ctx, &e), "");
}

#define RPC(Name, name, Req, Rep, req, rep, id, roles, scope, state, purpose,  \
    txn, audit, second, ...)                                                   \
	{#Name, (second) != 0},

static const struct {
	const char *name;
	bool second;
} table[] = {

#include "rpc_table.inc"
};
#undef RPC

static void
what_takes_two_people_is_asked_for(void **state)
{
	struct fixture *f = *state;
	Cdop__AuditEntry e;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		e = entry(table[i].name, CDOP_OK, NULL);
		assert_int_equal(strncmp(audit_words_deed(&f->ctx, &e),
				     "asked for: ", 11) == 0,
		    table[i].second);
	}
}

static void
a_decision_says_on_what_and_whose(void **state)
{
	static char act[] = "ProfileApply", name[] = "Cora";
	struct fixture *f = *state;
	Cdop__AuditEntry e = entry("ProfileApply", CDOP_OK, "second_person");

	assert_string_equal(
	    audit_words_deed(&f->ctx, &e), "asked for: change the profile");
	assert_string_equal(audit_words_outcome(&f->ctx, &e), "");
	e = entry("ProfileApply", CDOP_ABORTED, "version");
	assert_string_equal(audit_words_deed(&f->ctx, &e),
	    "meant to ask for: change the profile");
	e = entry("Approve", CDOP_OK, NULL);
	e.approved_call = act;
	e.has_second_person = true;
	e.second_person = 3;
	e.second_person_name = name;
	assert_string_equal(audit_words_deed(&f->ctx, &e),
	    "approved: change the profile, asked for by Cora (person 3)");
	e.outcome = CDOP_ABORTED;
	assert_string_equal(audit_words_deed(&f->ctx, &e),
	    "meant to decide: change the profile, asked for by Cora (person "
	    "3)");
	e = entry("Approve", CDOP_OK, "declined");
	e.approved_call = act;
	e.has_second_person = true;
	e.second_person = 3;
	assert_string_equal(audit_words_deed(&f->ctx, &e),
	    "declined: change the profile, asked for by person 3");
	e.has_second_person = false;
	assert_string_equal(audit_words_deed(&f->ctx, &e),
	    "took back: change the profile, asked for by themselves");
	assert_string_equal(audit_words_outcome(&f->ctx, &e), "");
}

static void
a_count_says_what_it_counts(void **state)
{
	struct fixture *f = *state;
	Cdop__AuditEntry e = entry("registry opened", CDOP_OK, NULL);

	assert_null(audit_words_count(&f->ctx, &e));
	e.has_count = true;
	e.count = 1;
	assert_string_equal(audit_words_count(&f->ctx, &e), "through slot 1");
	e = entry("handshakes refused", CDOP_OK, NULL);
	e.has_count = true;
	e.count = 3;
	assert_string_equal(audit_words_count(&f->ctx, &e), "3 times");
	e = entry("registry made", CDOP_OK, NULL);
	e.has_count = true;
	e.count = 2;
	assert_string_equal(
	    audit_words_count(&f->ctx, &e), "2 administrators invited");
	/* Of an act of two it is what the act was about. */
	e = entry("Approve", CDOP_OK, NULL);
	e.approved_call = cdop_arena_strdup(f->ctx.arena, "SlotRemove");
	e.has_count = true;
	e.count = 2;
	assert_string_equal(audit_words_count(&f->ctx, &e), "slot 2");
	/* What is counted is another thing in each step. */
	e = entry("keys turned", CDOP_OK, "rewrapped");
	e.has_count = true;
	e.count = 2;
	assert_string_equal(audit_words_count(&f->ctx, &e), "2 case keys");
	e = entry("keys turned", CDOP_OK, "copied");
	e.has_count = true;
	e.count = 166;
	assert_string_equal(audit_words_count(&f->ctx, &e), "166 rows");
	e = entry("keys turned", CDOP_OK, "root");
	e.has_count = true;
	e.count = 10;
	assert_string_equal(audit_words_count(&f->ctx, &e),
	    "10 keys of areas and of other scopes");
}

static void
who_it_was_has_no_role_that_was_not_used(void **state)
{
	static char name[] = "Wendy", label[] = "laptop", other[] = "Paul";
	struct fixture *f = *state;
	Cdop__AuditEntry e = entry("Status", CDOP_OK, NULL);

	assert_string_equal(audit_words_who(&f->ctx, &e), "-");
	e.has_person = true;
	e.person = 5;
	e.person_name = name;
	e.device_label = label;
	assert_string_equal(audit_words_who(&f->ctx, &e), "Wendy (laptop)");
	e.has_role = true;
	e.role = CDOP__ROLE__PARTNER;
	assert_string_equal(
	    audit_words_who(&f->ctx, &e), "Wendy (partner, laptop)");
	e.has_subject_person = true;
	e.subject_person = 5;
	assert_null(audit_words_about(&f->ctx, &e));
	e.subject_person = 7;
	assert_string_equal(audit_words_about(&f->ctx, &e), "person 7");
	e.subject_person_name = other;
	assert_string_equal(audit_words_about(&f->ctx, &e), "Paul (person 7)");
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(every_call_has_words),
	    WITH(what_a_partner_was_told_is_what_the_log_says),
	    WITH(a_refusal_is_not_worded_as_an_exit_code),
	    WITH(what_takes_two_people_is_asked_for),
	    WITH(a_decision_says_on_what_and_whose),
	    WITH(a_count_says_what_it_counts),
	    WITH(who_it_was_has_no_role_that_was_not_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
