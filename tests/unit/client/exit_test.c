/* Exit codes are published: this table is what scripts rely on. */
#include "client/exit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "cdop/err.h"

static void
codes_are_never_renumbered(void **state)
{
	static const struct {
		enum exit_code code;
		int number;
		const char *reason;
	} pinned[] = {
	    {EXIT_OK, 0, "ok"},
	    {EXIT_UNEXPECTED, 1, "unexpected"},
	    {EXIT_USAGE, 2, "usage"},
	    {EXIT_STOPPED, 3, "stopped"},
	    {EXIT_AUTH, 4, "authentication"},
	    {EXIT_FORBIDDEN, 5, "forbidden"},
	    {EXIT_NOT_FOUND, 6, "not_found"},
	    {EXIT_INVALID, 7, "invalid"},
	    {EXIT_CONFLICT, 8, "conflict"},
	    {EXIT_DUPLICATE, 9, "possible_duplicate"},
	    {EXIT_PARTIAL, 10, "partial"},
	    {EXIT_SECOND, 11, "second_person"},
	    {EXIT_SEALED, 12, "sealed"},
	    {EXIT_INTEGRITY, 13, "integrity"},
	    {EXIT_UNREACHABLE, 14, "unreachable"},
	    {EXIT_OUTCOME, 15, "outcome_unknown"},
	    {EXIT_FINDINGS, 16, "findings"},
	    {EXIT_SUPPRESSED, 17, "suppressed"},
	    {EXIT_VERSION, 18, "version"},
	};

	size_t i;

	(void)state;
	assert_int_equal(sizeof(pinned) / sizeof(pinned[0]), EXIT_CODES);
	for (i = 0; i < EXIT_CODES; i++) {
		assert_int_equal(pinned[i].code, pinned[i].number);
		assert_string_equal(
		    exit_reason(pinned[i].code), pinned[i].reason);
		assert_non_null(exit_words((unsigned)pinned[i].number));
	}
	assert_null(exit_words(EXIT_CODES));
}

static void
every_status_has_its_code(void **state)
{
	static const struct {
		uint32_t status;
		enum exit_code read, change;
	} pinned[] = {
	    {CDOP_OK, EXIT_OK, EXIT_OK},
	    {CDOP_INVALID_ARGUMENT, EXIT_INVALID, EXIT_INVALID},
	    {CDOP_DEADLINE_EXCEEDED, EXIT_UNREACHABLE, EXIT_UNREACHABLE},
	    {CDOP_NOT_FOUND, EXIT_NOT_FOUND, EXIT_NOT_FOUND},
	    {CDOP_ALREADY_EXISTS, EXIT_CONFLICT, EXIT_CONFLICT},
	    {CDOP_PERMISSION_DENIED, EXIT_FORBIDDEN, EXIT_FORBIDDEN},
	    {CDOP_RESOURCE_EXHAUSTED, EXIT_UNREACHABLE, EXIT_UNREACHABLE},
	    {CDOP_FAILED_PRECONDITION, EXIT_CONFLICT, EXIT_CONFLICT},
	    {CDOP_ABORTED, EXIT_CONFLICT, EXIT_CONFLICT},
	    {CDOP_UNIMPLEMENTED, EXIT_VERSION, EXIT_VERSION},
	    {CDOP_INTERNAL, EXIT_UNEXPECTED, EXIT_UNEXPECTED},
	    {CDOP_UNAVAILABLE, EXIT_UNREACHABLE, EXIT_OUTCOME},
	    {CDOP_DATA_LOSS, EXIT_INTEGRITY, EXIT_INTEGRITY},
	    {CDOP_UNAUTHENTICATED, EXIT_AUTH, EXIT_AUTH},
	    {1, EXIT_UNEXPECTED, EXIT_UNEXPECTED},
	    {99, EXIT_UNEXPECTED, EXIT_UNEXPECTED},
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pinned) / sizeof(pinned[0]); i++) {
		assert_int_equal(exit_code_of(pinned[i].status, NULL, false),
		    pinned[i].read);
		assert_int_equal(exit_code_of(pinned[i].status, NULL, true),
		    pinned[i].change);
	}
}

static void
a_reason_says_more_than_its_status(void **state)
{
	(void)state;
	assert_int_equal(
	    exit_code_of(CDOP_FAILED_PRECONDITION, "possible_duplicate", true),
	    EXIT_DUPLICATE);
	assert_int_equal(
	    exit_code_of(CDOP_INVALID_ARGUMENT, "bad_reference", false),
	    EXIT_USAGE);
	assert_int_equal(
	    exit_code_of(CDOP_UNAVAILABLE, "sealed", true), EXIT_SEALED);
	assert_int_equal(
	    exit_code_of(CDOP_DATA_LOSS, "log_forked", false), EXIT_INTEGRITY);
	/* A script that sends them again at once is refused again. */
	assert_int_equal(
	    exit_code_of(CDOP_RESOURCE_EXHAUSTED, "ask_limit", false),
	    EXIT_CONFLICT);
	assert_int_equal(
	    exit_code_of(CDOP_RESOURCE_EXHAUSTED, "miss_limit", false),
	    EXIT_CONFLICT);
	assert_int_equal(
	    exit_code_of(CDOP_RESOURCE_EXHAUSTED, "too_large", true),
	    EXIT_INVALID);
	assert_int_equal(exit_code_of(CDOP_RESOURCE_EXHAUSTED, "no_room", true),
	    EXIT_UNREACHABLE);
	assert_int_equal(
	    exit_code_of(CDOP_OK, "possible_duplicate", true), EXIT_OK);
	assert_int_equal(exit_code_of(CDOP_NOT_FOUND, "some newer word", false),
	    EXIT_NOT_FOUND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(codes_are_never_renumbered),
	    cmocka_unit_test(every_status_has_its_code),
	    cmocka_unit_test(a_reason_says_more_than_its_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
