/* What a backup may be called, and that its label writes nobody's lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/registry/backups.h"
#include "server/registry/custody_act.h"
#include "tests/unit/server/rpc/calls.h"

#define CREATE 90

static struct world w;

static int
setup(void **state)
{
	static const struct slots_set_new plan = {.k = 2, .n = 4};
	struct custody_act_new new = {
	    .slot = {.kind = SLOTS_KIND_SHARES, .label = "custodians"},
	    .plan = &plan,
	    .by = "Ada",
	};
	struct cdop_share shares[SHAMIR_MAX];
	uint16_t set;

	(void)state;
	world_make(&w);
	new.now_ms = w.now_ms;
	assert_int_equal(
	    custody_act_add(w.reg, w.arena, &new, &set, shares), CDOP_OK);
	(void)backups_pump(w.reg->backups, 1000);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

static const Cdop__Reply *
create(const char *label)
{
	static struct world_answer answer;
	Cdop__BackupCreateRequest request;

	cdop__backup_create_request__init(&request);
	request.label = calls_text(&w, label);
	world_call(&w, WORLD_ADMIN_1, CREATE, &request.base, &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	return answer.reply;
}

static void
a_label_is_one_plain_line(void **state)
{
	char long_label[BACKUPS_LABEL_MAX + 2] = "";
	const char *const bad[] = {
	    "",
	    long_label,
	    "weekly\nbackup 9 1 holds nothing",
	    "weekly\r",
	    "weekly\xe2\x80\xa8outside nothing", /* LINE SEPARATOR */
	    "weekly\xc2\x85outside nothing",     /* NEL */
	    "weekly\x1b[2J",
	    "\xe2\x80\xaeylkeew", /* RIGHT-TO-LEFT OVERRIDE */
	    "week\tly",
	    " weekly",
	};
	const Cdop__Reply *reply;
	size_t i;

	(void)state;
	memset(long_label, 'x', BACKUPS_LABEL_MAX + 1);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		reply = create(bad[i]);
		assert_int_equal(reply->status, CDOP_INVALID_ARGUMENT);
		assert_string_equal(reply->reason, "text_needed");
	}
	assert_int_equal(backups_count(w.reg->backups), 0);
	reply = create("Montag \xe2\x80\x93 Caf\xc3\xa9, tape 7");
	assert_int_equal(reply->status, CDOP_OK);
	assert_int_equal(backups_count(w.reg->backups), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_label_is_one_plain_line),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
