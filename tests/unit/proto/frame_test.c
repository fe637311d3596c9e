/* Frames: any cut, and nothing that is none. */
#include "cdop/frame.h"

#include "cdop/limits.h"
#include "tests/unit/proto/pair.h"

static const uint8_t wire[] = {0, 3, 'a', 'b', 'c', 0, 1, 'd'};

static void
an_incomplete_frame_says_what_is_missing(void **state)
{
	struct cdop_frame frame;
	size_t len;

	(void)state;
	for (len = 0; len < 5; len++) {
		assert_int_equal(cdop_frame_peek((struct cdop_bytes){wire, len},
				     CDOP_FRAME_MAX, &frame),
		    CDOP_OK);
		assert_int_equal(frame.used, 0);
		assert_int_equal(frame.missing, len < 2 ? 2 - len : 5 - len);
	}
}

static void
frames_come_one_after_the_other(void **state)
{
	struct cdop_bytes in = {wire, sizeof(wire)};
	struct cdop_frame frame;

	(void)state;
	assert_int_equal(cdop_frame_peek(in, CDOP_FRAME_MAX, &frame), CDOP_OK);
	assert_int_equal(frame.used, 5);
	assert_int_equal(frame.missing, 0);
	assert_int_equal(frame.body.len, 3);
	assert_ptr_equal(frame.body.data, wire + 2);
	in.data += frame.used;
	in.len -= frame.used;
	assert_int_equal(cdop_frame_peek(in, CDOP_FRAME_MAX, &frame), CDOP_OK);
	assert_int_equal(frame.used, in.len);
	assert_int_equal(frame.body.data[0], 'd');
}

static void
a_zero_length_is_refused(void **state)
{
	const uint8_t zero[4] = {0};
	struct cdop_frame frame;

	(void)state;
	assert_int_equal(cdop_frame_peek((struct cdop_bytes){zero, 2},
			     CDOP_FRAME_MAX, &frame),
	    CDOP_INVALID_ARGUMENT);
}

static void
a_length_over_the_bound_is_refused_at_its_head(void **state)
{
	const uint8_t head[2] = {0, 82};
	struct cdop_frame frame;

	(void)state;
	assert_int_equal(
	    cdop_frame_peek((struct cdop_bytes){head, 2}, 81, &frame),
	    CDOP_INVALID_ARGUMENT);
	assert_int_equal(
	    cdop_frame_peek((struct cdop_bytes){head, 2}, 82, &frame), CDOP_OK);
	assert_int_equal(frame.missing, 82);
}

static void
the_longest_frame_fits(void **state)
{
	static uint8_t bytes[CDOP_FRAME_HEAD + CDOP_FRAME_MAX];
	struct cdop_frame frame;

	(void)state;
	cdop_frame_head(bytes, CDOP_FRAME_MAX);
	assert_int_equal(
	    cdop_frame_peek((struct cdop_bytes){bytes, sizeof(bytes)},
		CDOP_FRAME_MAX, &frame),
	    CDOP_OK);
	assert_int_equal(frame.used, sizeof(bytes));
	assert_int_equal(frame.body.len, CDOP_FRAME_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_incomplete_frame_says_what_is_missing),
	    cmocka_unit_test(frames_come_one_after_the_other),
	    cmocka_unit_test(a_zero_length_is_refused),
	    cmocka_unit_test(a_length_over_the_bound_is_refused_at_its_head),
	    cmocka_unit_test(the_longest_frame_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
