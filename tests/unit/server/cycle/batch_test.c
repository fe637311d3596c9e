/* A batch without sessions on a link: what one request, and it, may take. */
#include "server/cycle/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/control.h"
#include "server/cycle/session.h"
#include "server/registry/audit.h"
#include "tests/unit/server/world.h"

/* Each takes 32 bytes to read and four to be carried. */
#define COMMENTS 240000
#define TRIES    24

static struct world w;

static int
setup(void **state)
{
	(void)state;
	world_make(&w);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

/* A call that compares a profile of empty comments, packed. */
static struct cdop_bytes
dear_call(void)
{
	Cdop__ProfileDiffRequest request;
	Cdop__Call call;
	uint8_t *packed;
	size_t i;

	cdop__profile_diff_request__init(&request);
	request.text.len = 2 * COMMENTS;
	request.text.data = cdop_arena_alloc(w.arena, request.text.len);
	assert_non_null(request.text.data);
	for (i = 0; i < COMMENTS; i++)
		memcpy(request.text.data + 2 * i, "#\n", 2);
	memcpy(request.text.data, "cdop-profile 1\n", 15);
	cdop__call__init(&call);
	call.id = 1;
	call.method = CDOP_CALL_ProfileDiff;
	call.has_body = true;
	call.body.data = cdop_arena_alloc(
	    w.arena, cdop__profile_diff_request__get_packed_size(&request));
	assert_non_null(call.body.data);
	call.body.len =
	    cdop__profile_diff_request__pack(&request, call.body.data);
	packed = cdop_arena_alloc(w.arena, cdop__call__get_packed_size(&call));
	assert_non_null(packed);
	return (struct cdop_bytes){packed, cdop__call__pack(&call, packed)};
}

static uint32_t
run(struct batch *batch, struct session *session, struct cdop_bytes message)
{
	const struct batch_times times = {.now_ms = w.now_ms};
	struct batch_item *item;
	Cdop__Reply *reply;
	uint32_t status;

	item = batch_add(batch, BATCH_CALL, session, message);
	assert_non_null(item);
	assert_int_equal(batch_run(batch, w.reg, &times), CDOP_OK);
	item = batch_get(batch, 0);
	assert_true(item->answered);
	reply = cdop__reply__unpack(
	    NULL, item->result.reply.len, item->result.reply.data);
	assert_non_null(reply);
	status = reply->status;
	cdop__reply__free_unpacked(reply, NULL);
	batch_reset(batch);
	return status;
}

static void
what_comes_near_the_bound_ends_on_either_side(void **state)
{
	struct session session;
	struct cdop_bytes message;
	size_t refused = 0, i;
	struct batch *batch;

	(void)state;
	memset(&session, 0, sizeof(session));
	session.peer.device = WORLD_COORDINATOR;
	message = dear_call();
	assert_int_equal(batch_new(NULL, &batch), CDOP_OK);
	for (i = 0; i < TRIES; i++)
		refused +=
		    run(batch, &session, message) == CDOP_RESOURCE_EXHAUSTED;
	batch_free(batch);
	assert_in_range(refused, 1, TRIES - 1);
}

/* The vault's own is nowhere else; a call is still with its session. */
static void
without_time_calls_are_left_and_its_own_are_not(void **state)
{
	const struct batch_times times = {.now_ms = w.now_ms};
	const struct cdop_bytes message = dear_call();
	struct session session;
	struct batch_item *item;
	struct batch *batch;
	uint64_t leaves;
	size_t i;

	(void)state;
	memset(&session, 0, sizeof(session));
	session.peer.device = WORLD_COORDINATOR;
	assert_int_equal(batch_new(NULL, &batch), CDOP_OK);
	for (i = 0; i < 5; i++) {
		item = batch_add(batch, i % 2 == 0 ? BATCH_CALL : BATCH_EVENT,
		    i % 2 == 0 ? &session : NULL, message);
		assert_non_null(item);
		item->event = AUDIT_EVENT_REFUSED;
		item->event_count = i;
	}
	leaves = audit_size(w.reg->audit);
	assert_int_equal(batch_run(batch, w.reg, &times), CDOP_OK);
	assert_int_equal(audit_size(w.reg->audit), leaves + 3);
	assert_int_equal(batch_done(batch), 3);
	assert_int_equal(batch_count(batch), 5);
	assert_true(batch_get(batch, 0)->answered);
	assert_int_equal(batch_get(batch, 1)->event_count, 1);
	assert_int_equal(batch_get(batch, 2)->event_count, 3);
	batch_free(batch);
}

/* As many requests as it takes leave it places for the vault's own. */
static void
a_full_batch_takes_the_vaults_own(void **state)
{
	const struct cdop_bytes none = {NULL, 0};
	struct session session;
	struct batch *batch;
	size_t n = 0;

	(void)state;
	memset(&session, 0, sizeof(session));
	assert_int_equal(batch_new(NULL, &batch), CDOP_OK);
	while (batch_add(batch, BATCH_CALL, &session, none) != NULL)
		n++;
	assert_int_equal(n, CDOP_BATCH_REQUESTS_MAX);
	for (n = 0; n < 5; n++) /* that is all there can be in one */
		assert_non_null(batch_add(batch, BATCH_ROTATE, NULL, none));
	assert_null(batch_add(batch, BATCH_CALL, &session, none));
	while (batch_add(batch, BATCH_EVENT, NULL, none) != NULL)
		n++;
	assert_in_range(n, 5, 64);
	batch_free(batch);
}

static struct control_note page;

static void
look_at_the_page(void *whose)
{
	*(uint64_t *)whose = control_note_get(&page);
}

/* What comes in then is not what the last call's device is held back for. */
static void
whoever_comes_meanwhile_is_not_charged_to_the_last(void **state)
{
	uint64_t whose = UINT64_MAX;
	const struct batch_times times = {
	    .now_ms = w.now_ms,
	    .part_ms = 1000,
	    .join_ms = 1000,
	    .join = look_at_the_page,
	    .ctx = &whose,
	};
	const struct cdop_bytes none = {NULL, 0};
	struct session session;
	struct batch *batch;

	(void)state;
	memset(&session, 0, sizeof(session));
	session.peer.device = WORLD_COORDINATOR;
	assert_int_equal(batch_new(&page, &batch), CDOP_OK);
	assert_non_null(batch_add(batch, BATCH_CALL, &session, none));
	assert_int_equal(batch_run(batch, w.reg, &times), CDOP_OK);
	assert_int_equal(whose, 0);
	batch_free(batch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_comes_near_the_bound_ends_on_either_side),
	    cmocka_unit_test(without_time_calls_are_left_and_its_own_are_not),
	    cmocka_unit_test(a_full_batch_takes_the_vaults_own),
	    cmocka_unit_test(
		whoever_comes_meanwhile_is_not_charged_to_the_last),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
