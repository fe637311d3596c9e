/*
 * cdop doctor: each thing that it looks at is found when it is not well, by
 * itself, with what mends it.
 */
#include "client/doctor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#include "cdop/call.h"
#include "client/file.h"
#include "client/spool.h"
#include "tests/unit/client/other_end.h"
#include "tests/unit/client/other_end_conn.h"

#define SERVER_S 1790000000 /* what other_end.c says that it is */
#define DAY_S    (24 * 60 * 60)
#define NO_END   0

static struct fixture *f;
static time_t now;
static int64_t access_ends_s;
static uint32_t refuses; /* with this status; 0: not */
static char shown[4096];

/* Of this computer. */
time_t
time(time_t *ret_time)
{
	if (ret_time != NULL)
		*ret_time = now;
	return now;
}

static void
who_am_i(const Cdop__Call *call, Cdop__Reply *reply)
{
	char name[] = "Cora";
	Cdop__Person person;
	Cdop__WhoAmIReply body;

	assert_int_equal(call->method, CDOP_CALL_WhoAmI);
	reply->status = refuses;
	if (refuses != 0)
		return;
	cdop__person__init(&person);
	person.name = name;
	cdop__who_am_ireply__init(&body);
	body.person = &person;
	body.has_expires_ms = access_ends_s != NO_END;
	body.expires_ms = (uint64_t)access_ends_s * 1000;
	reply->has_body = true;
	reply->body = other_end_pack(&body.base);
}

static int
setup(void **state)
{
	if (fixture_setup(state) != 0)
		return -1;
	f = *state;
	now = SERVER_S;
	access_ends_s = NO_END;
	refuses = 0;
	other_end_start(f, who_am_i);
	(void)unsetenv("CDOP_PASSPHRASE_FILE");
	return 0;
}

/* What it says to a person. */
static enum exit_code
doctor(void)
{
	const char *path = fixture_file(f, "shown", "", 0);
	int out = fixture_catch(path);
	enum exit_code code = doctor_run(&f->ctx);

	(void)snprintf(
	    shown, sizeof(shown), "%s", fixture_caught(f, path, out));
	return code;
}

/*
 * The first line and the advice below it.  Nobody has pinned a key of the
 * other end's log, which is the one thing more that is not well.
 */
static void
is_found(const char *what, const char *advice)
{
	const char *at, *line;
	char begins[32];
	size_t n = 0;

	assert_int_equal(doctor(), EXIT_FINDINGS);
	for (at = shown; (at = strstr(at, "NOT WELL ")) != NULL; at++)
		n++;
	(void)snprintf(begins, sizeof(begins), "NOT WELL %-12s ", what);
	line = strstr(shown, begins);
	assert_non_null(line);
	line = strchr(line, '\n');
	assert_non_null(line);
	at = strstr(line, advice);
	assert_non_null(at);
	assert_null(memchr(line + 1, '\n', (size_t)(at - line - 1)));
	assert_int_equal(n, strcmp(what, "log") == 0 ? 1 : 2);
}

static void
is_well(const char *what)
{
	char begins[32];

	assert_int_equal(doctor(), EXIT_FINDINGS); /* the log's key */
	(void)snprintf(begins, sizeof(begins), "ok       %-12s ", what);
	assert_non_null(strstr(shown, begins));
}

static void
a_log_without_a_key_is_no_witness(void **state)
{
	(void)state;
	is_found("log", "enrol this computer again");
}

static void
files_that_others_read_are_found(void **state)
{
	const char *memory = fixture_file(f, "words", "x", 1);

	(void)state;
	assert_int_equal(setenv("CDOP_PASSPHRASE_FILE", memory, 1), 0);
	is_well("passfile");
	assert_int_equal(chmod(memory, 0640), 0);
	is_found("passfile", "chmod 600 the passphrase file");
	(void)unsetenv("CDOP_PASSPHRASE_FILE");
	is_well("identity");
	assert_int_equal(chmod(f->session.context.identity, 0604), 0);
	is_found("identity", "chmod 600 the identity file");
	assert_int_equal(chmod(f->session.context.identity, 0600), 0);
	assert_int_equal(file_make_dir(f->session.context.state), CDOP_OK);
	is_well("folder");
	assert_int_equal(chmod(f->session.context.state, 0750), 0);
	is_found("folder", "chmod 700 the state folder");
}

static void
keys_without_a_passphrase_are_for_training(void **state)
{
	(void)state;
	is_well("passphrase");
	f->session.identity.open->mode = CDOP__MODE__LIVE;
	f->ctx.mode = "live";
	(void)doctor();
	assert_non_null(strstr(shown, "NOT WELL passphrase"));
	assert_non_null(strstr(shown, "enrol again with one"));
}

/* Kept at at_ms, and never answered. */
static const char *
keep_request(uint8_t seed, uint64_t at_ms)
{
	uint8_t key[CDOP_REQUEST_KEY_LEN], body[] = "x";
	static char words[] = "notify";
	struct spool_list list;
	Cdop__ClientRequest r;

	memset(key, seed, sizeof(key));
	cdop__client_request__init(&r);
	r.method = CDOP_CALL_NotificationRegister;
	r.request_key = (ProtobufCBinaryData){sizeof(key), key};
	r.body = (ProtobufCBinaryData){sizeof(body), body};
	r.words = words;
	r.at_ms = at_ms;
	assert_int_equal(spool_put(&f->ctx, &r), EXIT_OK);
	assert_int_equal(spool_requests(&f->ctx, &list), EXIT_OK);
	return list.path[list.n - 1];
}

static void
a_kept_request_that_is_old_is_found(void **state)
{
	(void)state;
	(void)keep_request(1, ((uint64_t)now - 24 * DAY_S) * 1000);
	is_well("age");
	(void)keep_request(2, ((uint64_t)now - 26 * DAY_S) * 1000);
	is_found("age", "send them soon: cdop retry");
}

static void
a_kept_request_of_another_key_is_found(void **state)
{
	const char *path = keep_request(1, (uint64_t)now * 1000);
	const struct cdop_bytes other = {(const uint8_t *)"other", 5};

	(void)state;
	is_well("requests");
	assert_int_equal(file_replace(path, &other, 1), CDOP_OK);
	is_found("requests", "cdop retry");
}

/* Then nothing of it is known. */
static void
a_folder_that_cannot_be_read_is_found(void **state)
{
	const struct cdop_bytes none = {NULL, 0};
	const char *path = cdop_arena_printf(
	    f->ctx.arena, "%s/requests", f->session.context.state);

	(void)state;
	assert_int_equal(file_make_dir(f->session.context.state), CDOP_OK);
	assert_int_equal(file_replace(path, &none, 1), CDOP_OK);
	assert_int_equal(doctor(), EXIT_FINDINGS);
	assert_string_equal(
	    f->ctx.error.message, "2 things are not well"); /* its log */
	assert_non_null(strstr(shown, "NOT WELL requests "));
	assert_non_null(strstr(shown, path));
}

static void
a_receipt_that_was_bad_is_not_forgotten(void **state)
{
	const char *dir = cdop_arena_printf(
	    f->ctx.arena, "%s/receipts", f->session.context.state);
	const struct cdop_bytes text = {(const uint8_t *)"bad", 3};

	(void)state;
	is_well("evidence");
	assert_int_equal(file_make_dir(dir), CDOP_OK);
	assert_int_equal(
	    file_replace(
		cdop_arena_printf(f->ctx.arena, "%s/1.txt", dir), &text, 1),
	    CDOP_OK);
	is_found("evidence", "ring the technical contact");
	assert_non_null(strstr(shown, "1 receipts were bad"));
}

static void
clocks_a_minute_apart_are_found(void **state)
{
	(void)state;
	now = SERVER_S - 59;
	is_well("clock");
	now = SERVER_S - 60;
	is_found("clock", "set this computer's clock");
	now = SERVER_S + 60;
	is_found("clock", "set this computer's clock");
}

static void
access_that_ends_within_a_month_is_found(void **state)
{
	(void)state;
	is_well("access");
	access_ends_s = SERVER_S + 31 * DAY_S;
	is_well("access");
	access_ends_s = SERVER_S + 30 * DAY_S;
	is_found("access", "ask an administrator to extend it");
}

static void
access_that_is_not_told_is_not_well(void **state)
{
	(void)state;
	refuses = CDOP_UNIMPLEMENTED;
	is_found("access", "same release");
}

static void
keys_that_do_not_open_come_with_what_opens_them(void **state)
{
	static const uint8_t words[] = "four plain words here";
	struct identity *id = &f->session.identity;

	(void)state;
	assert_int_equal(
	    identity_protect(id, (struct cdop_bytes){words, 21}), CDOP_OK);
	assert_int_equal(identity_save(id, f->ctx.arena), CDOP_OK);
	id->secret = NULL;
	assert_int_equal(doctor(), EXIT_FINDINGS);
	assert_non_null(strstr(shown, "NOT WELL keys "));
	assert_non_null(strstr(shown,
	    "\n                      "
	    "--passphrase-file FILE"));
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_log_without_a_key_is_no_witness),
	    TEST(files_that_others_read_are_found),
	    TEST(keys_without_a_passphrase_are_for_training),
	    TEST(a_kept_request_that_is_old_is_found),
	    TEST(a_kept_request_of_another_key_is_found),
	    TEST(a_folder_that_cannot_be_read_is_found),
	    TEST(a_receipt_that_was_bad_is_not_forgotten),
	    TEST(clocks_a_minute_apart_are_found),
	    TEST(access_that_ends_within_a_month_is_found),
	    TEST(access_that_is_not_told_is_not_well),
	    TEST(keys_that_do_not_open_come_with_what_opens_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
