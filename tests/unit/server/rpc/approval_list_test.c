/* What waits for a second person: how much may, and all of it is listed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/registry/approvals.h"
#include "tests/unit/server/rpc/people_calls.h"

static struct world world;

static int
make(void **state)
{
	(void)state;
	world_make(&world);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	world_end(&world);
	return 0;
}

/* Who asks for more than may wait is told what it is, and sees all of it. */
static void
all_that_waits_is_listed_page_by_page(void **state)
{
	Cdop__ApprovalListRequest request;
	Cdop__ApprovalListReply *list;
	struct world_answer answer;
	size_t i, pages = 0, n = 0;
	uint8_t page[16];

	(void)state;
	for (i = 0; i < APPROVALS_PERSON_MAX; i++) {
		people_calls_revoke(&world, WORLD_ADMIN_1, &answer);
		assert_true(answer.reply->has_approval);
		people_calls_revoke(&world, WORLD_ADMIN_2, &answer);
		assert_true(answer.reply->has_approval);
		cdop_arena_reset(world.arena);
	}
	people_calls_revoke(&world, WORLD_ADMIN_1, &answer);
	assert_int_equal(answer.reply->status, CDOP_FAILED_PRECONDITION);
	assert_string_equal(answer.reply->reason, "too_many_waiting");
	cdop__approval_list_request__init(&request);
	do {
		world_call(&world, WORLD_ADMIN_3, CDOP_CALL_ApprovalList,
		    &request.base, &answer);
		assert_int_equal(answer.reply->status, CDOP_OK);
		list = world_body(
		    &world, &answer, &cdop__approval_list_reply__descriptor);
		request.has_page = list->has_next_page;
		request.page = (ProtobufCBinaryData){list->next_page.len, page};
		if (request.has_page)
			memcpy(page, list->next_page.data, sizeof(page));
		n += list->n_approval;
		pages++;
	} while (request.has_page && pages < 10);
	assert_int_equal(n, APPROVALS_PERSON_MAX * 2);
	assert_int_equal(pages, 2);
	request.has_page = true;
	request.page.len = 3;
	world_call(&world, WORLD_ADMIN_3, CDOP_CALL_ApprovalList, &request.base,
	    &answer);
	assert_int_equal(answer.reply->status, CDOP_INVALID_ARGUMENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(all_that_waits_is_listed_page_by_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
