/* A notice is shown once on a device, to a person. */
#include "client/notices.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "client/file.h"
#include "tests/unit/client/fixture.h"

static char one[] = "2026-11-23: new administrators were invited offline";
static char other[] = "a key lies beside the data";

/* What a session with these notices says on stderr. */
static const char *
said(struct fixture *f, char **notice, size_t n, bool here)
{
	Cdop__Welcome *w = cdop_arena_alloc(f->ctx.arena, sizeof(*w));
	const char *path = fixture_file(f, "err", "", 0);
	int fd = open(path, O_WRONLY | O_TRUNC), err = dup(STDERR_FILENO);
	struct cdop_bytes text;

	assert_true(fd >= 0 && err >= 0);
	cdop__welcome__init(w);
	w->notice = notice;
	w->n_notice = n;
	f->session.welcome = w;
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	notices_show(&f->ctx, here);
	(void)fflush(stderr);
	assert_true(dup2(err, STDERR_FILENO) >= 0);
	(void)close(fd);
	(void)close(err);
	assert_int_equal(file_read(path, 65536, f->ctx.arena, &text), CDOP_OK);
	return (const char *)text.data;
}

static void
each_is_said_once(void **state)
{
	struct fixture *f = *state;
	char *notices[] = {one, other};

	assert_non_null(strstr(said(f, notices, 1, false), one));
	assert_string_equal(said(f, notices, 1, false), "");
	assert_non_null(strstr(said(f, notices, 2, false), other));
	assert_string_equal(said(f, notices, 2, false), "");
	/* One that went and came back is a new one. */
	assert_string_equal(said(f, notices, 1, false), "");
	assert_non_null(strstr(said(f, notices, 2, false), other));
}

static void
what_nobody_saw_waits(void **state)
{
	struct fixture *f = *state;
	char *notices[] = {one};

	f->ctx.g.json = true;
	assert_string_equal(said(f, notices, 1, false), "");
	f->ctx.g.json = false;
	assert_non_null(strstr(said(f, notices, 1, false), one));
}

static void
a_command_that_shows_them_itself_has_shown_them(void **state)
{
	struct fixture *f = *state;
	char *notices[] = {one};

	assert_string_equal(said(f, notices, 1, true), "");
	assert_string_equal(said(f, notices, 1, false), "");
	/* Another device has seen nothing. */
	f->session.identity.secret->static_key.data[0] ^= 1;
	assert_non_null(strstr(said(f, notices, 1, false), one));
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(each_is_said_once),
	    WITH(what_nobody_saw_waits),
	    WITH(a_command_that_shows_them_itself_has_shown_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
