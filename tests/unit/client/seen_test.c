/* What is remembered of cases that were shown: versions, and no more. */
#include "client/seen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "cdop/limits.h"
#include "client/file.h"
#include "tests/unit/client/fixture.h"

static char one[] = "T-2CWR-GN5K", other[] = "T-5TYR-ED3W";

/* A case with one notification that was shown and one that was only named. */
static void
show(struct fixture *f, char *reference, uint64_t state, uint64_t record,
    bool newest)
{
	Cdop__FormInstance r, n[2], *list[2] = {&n[0], &n[1]};
	Cdop__Form form;
	Cdop__Case c;

	cdop__case__init(&c);
	cdop__form__init(&form);
	cdop__form_instance__init(&r);
	cdop__form_instance__init(&n[0]);
	cdop__form_instance__init(&n[1]);
	n[0].number = 1;
	n[0].version = 7;
	n[0].form = &form;
	n[1].number = 2;
	n[1].version = 9;
	r.version = record;
	c.reference = reference;
	c.version = state;
	c.record = &r;
	c.notification = list;
	c.n_notification = 2;
	seen_case(&f->ctx, &c, newest);
}

static void
each_part_has_its_version(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(seen_version(&f->ctx, one, SEEN_STATE, 0), 0);
	show(f, one, 3, 5, true);
	assert_int_equal(seen_version(&f->ctx, one, SEEN_STATE, 0), 3);
	assert_int_equal(seen_version(&f->ctx, one, SEEN_RECORD, 0), 5);
	assert_int_equal(seen_version(&f->ctx, one, SEEN_NOTIFICATION, 1), 7);
	/* Named, and not shown. */
	assert_int_equal(seen_version(&f->ctx, one, SEEN_NOTIFICATION, 2), 0);
	assert_int_equal(seen_version(&f->ctx, other, SEEN_STATE, 0), 0);
}

static void
an_older_record_is_not_what_stands_there(void **state)
{
	struct fixture *f = *state;

	show(f, one, 3, 5, true);
	show(f, one, 4, 2, false);
	assert_int_equal(seen_version(&f->ctx, one, SEEN_STATE, 0), 4);
	assert_int_equal(seen_version(&f->ctx, one, SEEN_RECORD, 0), 5);
}

static void
the_file_is_private_and_says_nothing(void **state)
{
	struct fixture *f = *state;
	struct cdop_bytes file;
	struct stat st;
	const char *path;

	show(f, one, 3, 5, true);
	path = cdop_arena_printf(
	    f->ctx.arena, "%s/seen", f->session.context.state);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(file_read(path, 65536, f->ctx.arena, &file), CDOP_OK);
	assert_null(memmem(file.data, file.len, one, sizeof(one) - 1));
	/* Another device opens nothing, and begins anew. */
	f->session.identity.secret->static_key.data[0] ^= 1;
	assert_int_equal(seen_version(&f->ctx, one, SEEN_STATE, 0), 0);
	show(f, other, 1, 1, true);
	assert_int_equal(seen_version(&f->ctx, other, SEEN_STATE, 0), 1);
}

static void
the_oldest_is_forgotten(void **state)
{
	struct fixture *f = *state;
	char reference[16];
	unsigned i;

	for (i = 0; i < CDOP_SEEN_CASES_MAX; i++) {
		(void)snprintf(reference, sizeof(reference), "T-%04u", i);
		show(f, reference, i + 1, 1, true);
	}
	assert_int_equal(seen_version(&f->ctx, "T-0000", SEEN_STATE, 0), 1);
	/* Looked at again it is the newest: the next one goes. */
	(void)snprintf(reference, sizeof(reference), "T-0000");
	show(f, reference, 77, 1, true);
	show(f, one, 3, 5, true);
	assert_int_equal(seen_version(&f->ctx, "T-0000", SEEN_STATE, 0), 77);
	assert_int_equal(seen_version(&f->ctx, "T-0001", SEEN_STATE, 0), 0);
	assert_int_equal(seen_version(&f->ctx, "T-0002", SEEN_STATE, 0), 3);
	assert_int_equal(seen_version(&f->ctx, one, SEEN_STATE, 0), 3);
}

static void
applied(struct fixture *f, uint32_t method, uint64_t version)
{
	struct cdop_bytes none = {NULL, 0};
	Cdop__ChangeReply r;

	cdop__change_reply__init(&r);
	r.reference = one;
	r.version = version;
	seen_applied(&f->ctx, method, none, &r.base);
}

static void
one_has_seen_what_one_did(void **state)
{
	struct fixture *f = *state;
	Cdop__NotificationCorrectRequest request;
	Cdop__ChangeReply r;
	struct cdop_bytes body;
	uint8_t packed[64];
	Cdop__Form form;

	show(f, one, 3, 5, true);
	applied(f, 46, 6);
	assert_int_equal(seen_version(&f->ctx, one, SEEN_RECORD, 0), 6);
	assert_int_equal(seen_version(&f->ctx, one, SEEN_STATE, 0), 3);
	applied(f, 50, 4);
	assert_int_equal(seen_version(&f->ctx, one, SEEN_STATE, 0), 4);
	/* A link that others' changes came before. */
	applied(f, 53, 9);
	assert_int_equal(seen_version(&f->ctx, one, SEEN_STATE, 0), 4);
	applied(f, 53, 5);
	assert_int_equal(seen_version(&f->ctx, one, SEEN_STATE, 0), 5);

	cdop__notification_correct_request__init(&request);
	cdop__form__init(&form);
	request.reference = one;
	request.notification = 1;
	request.form = &form;
	request.reason = one;
	body.data = packed;
	body.len = cdop__notification_correct_request__pack(&request, packed);
	cdop__change_reply__init(&r);
	r.reference = one;
	r.version = 8;
	seen_applied(&f->ctx, 41, body, &r.base);
	assert_int_equal(seen_version(&f->ctx, one, SEEN_NOTIFICATION, 1), 8);
	assert_int_equal(seen_version(&f->ctx, one, SEEN_STATE, 0), 5);
}

static void
one_has_seen_what_one_registered(void **state)
{
	struct fixture *f = *state;
	struct cdop_bytes none = {NULL, 0};
	Cdop__NotificationRegisterReply r;

	cdop__notification_register_reply__init(&r);
	r.reference = other;
	r.has_joined = r.joined = true;
	seen_applied(&f->ctx, 40, none, &r.base);
	assert_int_equal(seen_version(&f->ctx, other, SEEN_STATE, 0), 0);
	r.has_joined = r.joined = false;
	seen_applied(&f->ctx, 40, none, &r.base);
	assert_int_equal(seen_version(&f->ctx, other, SEEN_STATE, 0), 1);
	assert_int_equal(seen_version(&f->ctx, other, SEEN_RECORD, 0), 1);
	assert_int_equal(seen_version(&f->ctx, other, SEEN_NOTIFICATION, 1), 1);
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(each_part_has_its_version),
	    WITH(an_older_record_is_not_what_stands_there),
	    WITH(the_file_is_private_and_says_nothing),
	    WITH(the_oldest_is_forgotten),
	    WITH(one_has_seen_what_one_did),
	    WITH(one_has_seen_what_one_registered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
