/* What waits for a second person: bound, bounded, and gone in time. */
#include "server/registry/approvals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/call.h"
#include "cdop/role.h"
#include "cdop/second.h"
#include "tests/unit/server/registry/house.h"

#define TTL_S (72u * 3600u)

static const char *const words[] = {"revoke person 2", "reason: has left"};
static const uint8_t target[32] = {7};

/* Files as a person in a role; request key n. */
static enum cdop_err
file_in_role(struct house *house, uint32_t person, uint32_t role, unsigned n,
    const char *request, bool commit, uint8_t ret_number[static 8])
{
	struct actor actor = {.person = person, .device = person, .role = role};
	uint8_t key[16];
	const struct approval_ask ask = {
	    .method = CDOP_CALL_AdministratorRevoke,
	    .actor = &actor,
	    .request_key = key,
	    .request = {(const uint8_t *)request, strlen(request)},
	    .target_version = target,
	    .words = words,
	    .n_words = 2,
	    .now_ms = house->now_ms,
	    .ttl_s = TTL_S,
	};
	enum cdop_err err;

	memset(key, 0, sizeof(key));
	cdop_put32(key, n);
	house_begin(house);
	err = approvals_file(
	    house->reg->approvals, house->arena, &ask, ret_number);
	if (err == CDOP_OK && commit)
		house_commit(house);
	else
		house_abort(house);
	return err;
}

static enum cdop_err
file_as(struct house *house, uint32_t person, unsigned n, const char *request,
    bool commit, uint8_t ret_number[static 8])
{
	return file_in_role(house, person, CDOP_ROLE_ADMINISTRATOR, n, request,
	    commit, ret_number);
}

static enum cdop_err
file(struct house *house, unsigned n, const char *request, bool commit,
    uint8_t ret_number[static 8])
{
	return file_as(house, 1, n, request, commit, ret_number);
}

static void
what_waits_survives_a_restart_whole(void **state)
{
	const struct approval *a;
	struct house house;
	uint8_t number[8];

	(void)state;
	house_make(&house, 2);
	assert_int_equal(
	    file(&house, 1, "request bytes", true, number), CDOP_OK);
	house_reopen(&house);
	a = approvals_find(house.reg->approvals, number, house.now_ms);
	assert_non_null(a);
	assert_int_equal(a->method, 16);
	assert_int_equal(a->requester, 1);
	assert_int_equal(a->requester_device, 1);
	assert_int_equal(a->role, CDOP_ROLE_ADMINISTRATOR);
	assert_int_equal(a->request.len, 13);
	assert_memory_equal(a->request.data, "request bytes", 13);
	assert_memory_equal(a->target_version, target, 32);
	assert_int_equal(a->n_words, 2);
	assert_string_equal(a->words[1], words[1]);
	assert_int_equal(a->expires_ms, house.now_ms + TTL_S * (uint64_t)1000);
	house_end(&house);
}

static void
the_hash_is_the_one_of_the_protocol(void **state)
{
	const struct approval *a;
	struct cdop_second second;
	uint8_t number[8], key[16] = {0}, hash[32];
	struct house house;

	(void)state;
	house_make(&house, 2);
	assert_int_equal(file(&house, 1, "request", true, number), CDOP_OK);
	a = approvals_find(house.reg->approvals, number, house.now_ms);
	cdop_put32(key, 1);
	second = (struct cdop_second){
	    .registry = house.reg->id,
	    .method = CDOP_CALL_AdministratorRevoke,
	    .requester = 1,
	    .request_key = key,
	    .request = {(const uint8_t *)"request", 7},
	    .target_version = target,
	};
	cdop_second_hash(hash, &second);
	assert_memory_equal(a->hash, hash, 32);
	house_end(&house);
}

static void
it_ends_in_time_and_no_clock_revives_it(void **state)
{
	struct house house;
	uint8_t number[8], other[8];

	(void)state;
	house_make(&house, 2);
	assert_int_equal(file(&house, 1, "request", true, number), CDOP_OK);
	house.now_ms += TTL_S * (uint64_t)1000 - 1;
	assert_non_null(
	    approvals_find(house.reg->approvals, number, house.now_ms));
	house.now_ms++;
	assert_null(approvals_find(house.reg->approvals, number, house.now_ms));
	assert_int_equal(
	    approvals_count(house.reg->approvals, house.now_ms), 0);
	house.now_ms -= HOUSE_DAY_MS;
	assert_null(approvals_find(house.reg->approvals, number, house.now_ms));
	/* Swept away by the next one, so a restart does not revive it. */
	house.now_ms += HOUSE_DAY_MS;
	assert_int_equal(file(&house, 2, "request", true, other), CDOP_OK);
	house.now_ms -= HOUSE_DAY_MS;
	house_reopen(&house);
	assert_null(approvals_find(house.reg->approvals, number, house.now_ms));
	house_end(&house);
}

static void
the_same_request_again_is_the_one_that_waits(void **state)
{
	struct house house;
	uint8_t number[8], again[8];

	(void)state;
	house_make(&house, 2);
	assert_int_equal(file(&house, 1, "request", true, number), CDOP_OK);
	house_reopen(&house);
	assert_int_equal(file(&house, 1, "request", true, again), CDOP_OK);
	assert_memory_equal(number, again, 8);
	assert_int_equal(
	    approvals_count(house.reg->approvals, house.now_ms), 1);
	assert_int_equal(
	    file(&house, 1, "another", true, again), CDOP_ALREADY_EXISTS);
	house_end(&house);
}

/* A key that was seen is not a way to have somebody else's act. */
static void
the_same_request_of_another_is_another(void **state)
{
	struct house house;
	uint8_t number[8], other[8];

	(void)state;
	house_make(&house, 2);
	assert_int_equal(file(&house, 1, "request", true, number), CDOP_OK);
	assert_int_equal(
	    file_as(&house, 2, 1, "request", true, other), CDOP_OK);
	assert_memory_not_equal(number, other, 8);
	assert_int_equal(
	    file_as(&house, 2, 1, "another", true, other), CDOP_ALREADY_EXISTS);
	assert_int_equal(
	    approvals_find(house.reg->approvals, number, house.now_ms)
		->requester,
	    1);
	assert_int_equal(
	    approvals_count(house.reg->approvals, house.now_ms), 2);
	house_end(&house);
}

static void
an_aborted_batch_files_and_drops_nothing(void **state)
{
	struct house house;
	uint8_t number[8], other[8];

	(void)state;
	house_make(&house, 2);
	assert_int_equal(file(&house, 1, "request", false, number), CDOP_OK);
	assert_int_equal(
	    approvals_count(house.reg->approvals, house.now_ms), 0);
	assert_int_equal(file(&house, 1, "request", true, number), CDOP_OK);
	house_begin(&house);
	assert_int_equal(approvals_drop(house.reg->approvals, number), CDOP_OK);
	assert_null(approvals_find(house.reg->approvals, number, house.now_ms));
	house_abort(&house);
	assert_memory_equal(
	    approvals_find(house.reg->approvals, number, house.now_ms)
		->request.data,
	    "request", 7);
	/* Dropped and its place taken in one batch, then all taken back. */
	house_begin(&house);
	assert_int_equal(approvals_drop(house.reg->approvals, number), CDOP_OK);
	house_commit(&house);
	assert_int_equal(
	    approvals_drop(house.reg->approvals, number), CDOP_NOT_FOUND);
	assert_int_equal(file(&house, 3, "third", true, other), CDOP_OK);
	house_reopen(&house);
	assert_int_equal(
	    approvals_count(house.reg->approvals, house.now_ms), 1);
	house_end(&house);
}

static void
one_person_cannot_fill_the_table(void **state)
{
	struct house house;
	uint8_t number[8];
	unsigned i;

	(void)state;
	house_make(&house, 2);
	for (i = 0; i < APPROVALS_PERSON_MAX; i++)
		assert_int_equal(
		    file(&house, i, "request", true, number), CDOP_OK);
	assert_int_equal(
	    file(&house, i, "request", true, number), CDOP_FAILED_PRECONDITION);
	house_end(&house);
}

/* However many ask together, whoever revokes them can ask for that. */
static void
the_last_places_are_for_administrators(void **state)
{
	struct house house;
	uint8_t number[8];
	unsigned i, n = 0;

	(void)state;
	house_make(&house, 2);
	for (i = 0; i < APPROVALS_MAX; i++)
		if (file_in_role(&house, 100 + i / APPROVALS_PERSON_MAX,
			CDOP_ROLE_COORDINATOR, i, "request", true,
			number) == CDOP_OK)
			n++;
	assert_int_equal(n, APPROVALS_MAX - APPROVALS_KEPT);
	for (i = 0; i < APPROVALS_KEPT; i++)
		assert_int_equal(file_as(&house, 1 + i / APPROVALS_PERSON_MAX,
				     i, "request", true, number),
		    CDOP_OK);
	assert_int_equal(file_as(&house, 9, 0, "request", true, number),
	    CDOP_FAILED_PRECONDITION);
	house_end(&house);
}

static void
they_are_listed_oldest_first(void **state)
{
	struct house house;
	const struct approval *a;
	uint8_t number[3][8];
	uint64_t asked_ms;
	unsigned i;

	(void)state;
	house_make(&house, 2);
	for (i = 0; i < 3; i++) {
		house.now_ms += 1000;
		assert_int_equal(
		    file(&house, i, "request", true, number[i]), CDOP_OK);
	}
	for (i = 0; i < 3; i++)
		assert_memory_equal(
		    approvals_at(house.reg->approvals, i, house.now_ms)->number,
		    number[i], 8);
	assert_null(approvals_at(house.reg->approvals, 3, house.now_ms));
	/* What was decided meanwhile is passed over, and its place stays. */
	a = approvals_find(house.reg->approvals, number[1], house.now_ms);
	asked_ms = a->asked_ms;
	house_begin(&house);
	assert_int_equal(
	    approvals_drop(house.reg->approvals, number[1]), CDOP_OK);
	house_commit(&house);
	assert_memory_equal(approvals_next(house.reg->approvals, asked_ms,
				number[1], house.now_ms)
				->number,
	    number[2], 8);
	house_end(&house);
}

/* A row in which anything was exchanged is not taken. */
static void
a_row_that_is_not_what_was_asked_is_refused(void **state)
{
	Cdop__StoredApproval stored;
	uint8_t number[8] = {9}, key[16] = {0}, version[32] = {0}, hash[32];
	uint8_t request[] = "request";
	struct cdop_second second;
	struct house house;

	(void)state;
	house_make(&house, 2);
	second = (struct cdop_second){
	    .registry = house.reg->id,
	    .method = CDOP_CALL_AdministratorRevoke,
	    .requester = 1,
	    .request_key = key,
	    .request = {request, 7},
	    .target_version = version,
	};
	cdop_second_hash(hash, &second);
	cdop__stored_approval__init(&stored);
	stored.number = (ProtobufCBinaryData){8, number};
	stored.request_key = (ProtobufCBinaryData){16, key};
	stored.request = (ProtobufCBinaryData){7, request};
	stored.target_version = (ProtobufCBinaryData){32, version};
	stored.hash = (ProtobufCBinaryData){32, hash};
	stored.method = CDOP_CALL_AdministratorRevoke;
	stored.requester = 2;
	stored.expires_ms = UINT64_MAX;
	stored.role = CDOP__ROLE__ADMINISTRATOR;
	assert_int_equal(
	    approvals_load(house.reg->approvals, 9, &stored), CDOP_DATA_LOSS);
	stored.requester = 1;
	stored.method = CDOP_CALL_PersonChange;
	assert_int_equal(
	    approvals_load(house.reg->approvals, 9, &stored), CDOP_DATA_LOSS);
	stored.method = CDOP_CALL_AdministratorRevoke;
	request[0] = 'R';
	assert_int_equal(
	    approvals_load(house.reg->approvals, 9, &stored), CDOP_DATA_LOSS);
	request[0] = 'r';
	version[0] = 1;
	assert_int_equal(
	    approvals_load(house.reg->approvals, 9, &stored), CDOP_DATA_LOSS);
	version[0] = 0;
	assert_int_equal(
	    approvals_load(house.reg->approvals, 9, &stored), CDOP_OK);
	house_end(&house);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_waits_survives_a_restart_whole),
	    cmocka_unit_test(the_hash_is_the_one_of_the_protocol),
	    cmocka_unit_test(it_ends_in_time_and_no_clock_revives_it),
	    cmocka_unit_test(the_same_request_again_is_the_one_that_waits),
	    cmocka_unit_test(the_same_request_of_another_is_another),
	    cmocka_unit_test(an_aborted_batch_files_and_drops_nothing),
	    cmocka_unit_test(one_person_cannot_fill_the_table),
	    cmocka_unit_test(the_last_places_are_for_administrators),
	    cmocka_unit_test(they_are_listed_oldest_first),
	    cmocka_unit_test(a_row_that_is_not_what_was_asked_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
