/*
 * What a registry seldom answers: it takes a rotation that is long enough to
 * hold it, or a registry that is never content.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/call.h"
#include "client/spool.h"
#include "tests/unit/client/other_end.h"
#include "tests/unit/client/other_end_conn.h"

#define AMEND  46
#define ROUNDS 6 /* in which an amendment asks */

static struct fixture *f;
static char asked[64]; /* the reason that was given */
static char shown[4096];

static int
setup(void **state)
{
	if (fixture_setup(state) != 0)
		return -1;
	f = *state;
	memset(asked, 0, sizeof(asked));
	return 0;
}

/* What it says to a person, too. */
static enum exit_code
run(const char *words, const char *arg)
{
	const char *path = fixture_file(f, "shown", "", 0);
	int out = fixture_catch(path);
	enum exit_code code = other_end_run(words, arg);

	(void)snprintf(
	    shown, sizeof(shown), "%s", fixture_caught(f, path, out));
	return code;
}

/* ---- a rotation that is held --------------------------------------------- */

static void
hold(const Cdop__Call *call, Cdop__Reply *reply)
{
	Cdop__KeyPauseRequest *request =
	    cdop__key_pause_request__unpack(cdop_arena_allocator(f->ctx.arena),
		call->body.len, call->body.data);
	Cdop__KeyPauseReply body;

	assert_non_null(request);
	if (request->reason != NULL)
		(void)snprintf(asked, sizeof(asked), "%s", request->reason);
	cdop__key_pause_reply__init(&body);
	body.number = 7;
	reply->has_body = true;
	reply->body = other_end_pack(&body.base);
}

static void
a_rotation_is_held_and_goes_on(void **state)
{
	(void)state;
	other_end_start(f, hold);
	fixture_option(f, "--reason", "the disk is slow");
	assert_int_equal(run("key pause", NULL), EXIT_OK);
	assert_string_equal(asked, "the disk is slow");
	assert_non_null(strstr(shown, "Rotation 7 is held."));
	assert_int_equal(run("key resume", NULL), EXIT_OK);
	assert_non_null(strstr(shown, "Rotation 7 goes on."));
	assert_int_equal(other_end_calls(CDOP_CALL_KeyPause), 1);
	assert_int_equal(other_end_calls(CDOP_CALL_KeyResume), 1);
}

static void
for_programs_its_number_stands_by_itself(void **state)
{
	(void)state;
	other_end_start(f, hold);
	f->ctx.g.json = true;
	fixture_option(f, "--reason", "the disk is slow");
	assert_int_equal(run("key pause", NULL), EXIT_OK);
	assert_non_null(strstr(shown, "\"number\":7"));
}

/* ---- a question after each answer ---------------------------------------- */

static void
never_content(const Cdop__Call *call, Cdop__Reply *reply)
{
	static char path[] = "death.date", rule[] = "order.birth_death",
		    reason[] = "invalid";
	static Cdop__Violation violation, *one = &violation;

	(void)call;
	cdop__violation__init(&violation);
	violation.path = path;
	violation.rule = rule;
	violation.severity = CDOP__SEVERITY__WARNING;
	reply->status = CDOP_INVALID_ARGUMENT;
	reply->reason = reason;
	reply->violation = &one;
	reply->n_violation = 1;
}

static void
it_is_not_asked_for_ever(void **state)
{
	(void)state;
	other_end_start(f, never_content);
	fixture_option(f, "--reason", "the GP rang");
	fixture_option(f, "--source", "telephone, GP");
	fixture_option(f, "--seen", "1");
	fixture_option(f, "--set", "child.family_name=Sampleton");
	fixture_option(
	    f, "--accept-warning", "order.birth_death: so it is written");
	assert_int_equal(run("case amend", "T-K7M4-QX23"), EXIT_INVALID);
	assert_non_null(strstr(f->ctx.error.message, "nothing was written"));
	assert_int_equal(other_end_calls(AMEND), ROUNDS);
}

/* ---- an older registry, or a newer one ----------------------------------- */

static struct {
	uint32_t status;
	char rule[32]; /* empty: none */
} says;

static void
of_another_release(const Cdop__Call *call, Cdop__Reply *reply)
{
	static char reason[] = "bad_request";
	static Cdop__Violation violation, *one = &violation;

	(void)call;
	cdop__violation__init(&violation);
	violation.rule = says.rule;
	reply->status = says.status;
	reply->reason = reason;
	reply->violation = &one;
	reply->n_violation = says.rule[0] != '\0' ? 1 : 0;
}

static void
what_it_does_not_know_is_kept(void **state)
{
	static const struct {
		uint32_t status;
		const char *rule;
		enum exit_code code;
		size_t kept;
	} cases[] = {
	    {CDOP_INVALID_ARGUMENT, "wire.unknown_field", EXIT_VERSION, 1},
	    {CDOP_INVALID_ARGUMENT, "wire.enum", EXIT_VERSION, 1},
	    {CDOP_UNIMPLEMENTED, "", EXIT_VERSION, 1},
	    {17, "", EXIT_UNEXPECTED, 1},
	    {CDOP_INVALID_ARGUMENT, "wire.length", EXIT_INVALID, 0},
	    {CDOP_INVALID_ARGUMENT, "", EXIT_INVALID, 0},
	};
	struct spool_list list;
	size_t i;

	(void)state;
	other_end_start(f, of_another_release);
	fixture_option(f, "--reason", "the disk is slow");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		says.status = cases[i].status;
		(void)snprintf(
		    says.rule, sizeof(says.rule), "%s", cases[i].rule);
		assert_int_equal(run("key pause", NULL), cases[i].code);
		assert_int_equal(spool_requests(&f->ctx, &list), EXIT_OK);
		assert_int_equal(list.n, cases[i].kept);
		if (cases[i].code == EXIT_VERSION)
			assert_string_equal(f->ctx.error.next,
			    "install the same release on both sides");
		if (list.n > 0)
			assert_int_equal(unlink(list.path[0]), 0);
	}
}

/* ---- more than one answer holds ------------------------------------------ */

static char token[] = "the next page";

/* Two pages of a pair each, or one that leaves some out for ever. */
static void
pairs(const Cdop__Call *call, Cdop__Reply *reply)
{
	static char one[] = "T-K7M4-QX23", first[] = "T-W3HD-9KP8",
		    second[] = "T-N4RX-7TQC";
	Cdop__DuplicatePairsRequest *request =
	    cdop__duplicate_pairs_request__unpack(
		cdop_arena_allocator(f->ctx.arena), call->body.len,
		call->body.data);
	Cdop__DuplicatePair pair, *list = &pair;
	Cdop__DuplicatePairsReply body;

	assert_non_null(request);
	cdop__duplicate_pairs_reply__init(&body);
	cdop__duplicate_pair__init(&pair);
	pair.one = one;
	pair.other = request->has_page ? second : first;
	body.pair = &list;
	body.n_pair = 1;
	body.has_next_page = !request->has_page;
	body.next_page.data = (uint8_t *)token;
	body.next_page.len = sizeof(token);
	if (request->has_page) {
		assert_int_equal(request->page.len, sizeof(token));
		assert_memory_equal(request->page.data, token, sizeof(token));
	}
	reply->has_body = true;
	reply->body = other_end_pack(&body.base);
}

static void
every_page_of_pairs_is_asked_for(void **state)
{
	(void)state;
	other_end_start(f, pairs);
	assert_int_equal(run("case pairs", NULL), EXIT_OK);
	assert_non_null(strstr(shown, "T-W3HD-9KP8"));
	assert_non_null(strstr(shown, "T-N4RX-7TQC"));
	assert_int_equal(other_end_calls(CDOP_CALL_DuplicatePairs), 2);
	f->ctx.g.json = true;
	assert_int_equal(run("case pairs", NULL), EXIT_OK);
	assert_non_null(strstr(shown, "T-N4RX-7TQC"));
	assert_non_null(strstr(shown, "\"count\":2"));
}

static void
a_full_case(const Cdop__Call *call, Cdop__Reply *reply)
{
	static char reference[] = "T-K7M4-QX23", word[] = "received",
		    area[] = "wirral";
	Cdop__CaseShowRequest *request =
	    cdop__case_show_request__unpack(cdop_arena_allocator(f->ctx.arena),
		call->body.len, call->body.data);
	Cdop__CaseShowReply body;
	Cdop__Case one;

	assert_non_null(request);
	cdop__case__init(&one);
	one.reference = reference;
	one.status = word;
	one.owner_area = area;
	one.has_more_differences = true;
	one.more_differences = 7;
	one.has_more_links = one.has_links_after = request->links_after == 0;
	one.more_links = 3;
	one.links_after = 100;
	cdop__case_show_reply__init(&body);
	body.case_ = &one;
	reply->has_body = true;
	reply->body = other_end_pack(&body.base);
}

static void
what_a_case_leaves_out_is_counted(void **state)
{
	(void)state;
	other_end_start(f, a_full_case);
	assert_int_equal(run("case show", "T-K7M4-QX23"), EXIT_OK);
	assert_non_null(strstr(shown, "... and 7 more, shown when some"));
	assert_non_null(strstr(shown,
	    "... and 3 more links: cdop case show T-K7M4-QX23 --links-after "
	    "100\n"));
	f->ctx.g.json = true;
	assert_int_equal(run("case show", "T-K7M4-QX23"), EXIT_OK);
	assert_non_null(strstr(shown, "\"more_links\":3"));
	f->ctx.g.json = false;
	fixture_option(f, "--links-after", "100");
	assert_int_equal(run("case show", "T-K7M4-QX23"), EXIT_OK);
	assert_null(strstr(shown, "more links"));
}

static void
many_invitations(const Cdop__Call *call, Cdop__Reply *reply)
{
	Cdop__PeopleListReply body;

	(void)call;
	cdop__people_list_reply__init(&body);
	body.has_more_invitations = true;
	body.more_invitations = 12;
	reply->has_body = true;
	reply->body = other_end_pack(&body.base);
}

static void
invitations_that_are_left_out_are_counted(void **state)
{
	(void)state;
	other_end_start(f, many_invitations);
	assert_int_equal(run("people list", NULL), EXIT_OK);
	assert_non_null(strstr(shown, "... and 12 older invitations"));
	f->ctx.g.json = true;
	assert_int_equal(run("people list", NULL), EXIT_OK);
	assert_non_null(strstr(shown, "\"more\":true"));
}

/* ---- answers to nothing ---------------------------------------------------
 */

static void
another_one(const Cdop__Call *call, Cdop__Reply *reply)
{
	reply->id = call->id + 1;
}

static enum exit_code
take_no_part(struct cmd_ctx *ctx, const ProtobufCMessage *part, void *arg)
{
	(void)ctx;
	(void)part;
	(void)arg;
	fail_msg("nothing was answered");
	return EXIT_OK;
}

static void
what_was_not_asked_is_not_waited_for(void **state)
{
	Cdop__BackupCreateRequest request;
	Cdop__StatusRequest status;
	Cdop__StatusReply *reply;

	(void)state;
	other_end_start(f, another_one);
	no_conn_tick_ms = 500;
	cdop__backup_create_request__init(&request);
	assert_int_equal(call_stream(&f->ctx, CDOP_CALL_BackupCreate,
			     &request.base, take_no_part, NULL),
	    EXIT_UNREACHABLE);
	cdop__status_request__init(&status);
	assert_int_equal(
	    call_status(&f->ctx, &status, &reply), EXIT_UNREACHABLE);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_rotation_is_held_and_goes_on),
	    TEST(for_programs_its_number_stands_by_itself),
	    TEST(it_is_not_asked_for_ever),
	    TEST(what_it_does_not_know_is_kept),
	    TEST(every_page_of_pairs_is_asked_for),
	    TEST(what_a_case_leaves_out_is_counted),
	    TEST(invitations_that_are_left_out_are_counted),
	    TEST(what_was_not_asked_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
