/* The one rule for objects: every cell of who by whose. */
#include "server/registry/access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/profile.h"
#include "cdop/role.h"
#include "server/base/undo.h"
#include "tests/unit/proto/sample_profile.h"

struct bench {
	struct cdop_arena *arena;
	const struct cdop_profile *profile;
	struct undo *undo;
	struct index *index;
};

static int
setup(void **state)
{
	static struct bench bench;
	const struct bench *b = &bench;
	uint16_t number;
	size_t i;

	if (cdop_arena_new(16u << 20, &bench.arena) != CDOP_OK ||
	    undo_new(1u << 16, &bench.undo) != CDOP_OK ||
	    index_new(bench.undo, &bench.index) != CDOP_OK)
		return -1;
	bench.profile = sample_profile(bench.arena);
	for (i = 0; i < b->profile->n_area; i++)
		if (index_word(bench.index, b->profile->area[i].id, &number) !=
		    CDOP_OK)
			return -1;
	*state = &bench;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	index_free(b->index);
	undo_free(b->undo);
	cdop_arena_free(b->arena);
	return 0;
}

static uint16_t
area(const struct bench *b, const char *id)
{
	uint16_t number;

	assert_true(index_word_find(b->index, id, &number));
	return number;
}

static bool
sees(const struct bench *b, const struct actor *actor,
    const struct index_post *post)
{
	struct access access;

	access_init(&access, actor, b->index, b->profile);
	return access_may_see(&access, post);
}

static bool
knows(const struct bench *b, const struct actor *actor,
    const struct index_post *post)
{
	struct access access;

	access_init(&access, actor, b->index, b->profile);
	return access_may_know(&access, post);
}

static void
a_coordinator_sees_the_areas_he_works_for(void **state)
{
	static const char *const mine[] = {"wirral", "isle-of-man"};
	struct bench *b = *state;
	struct actor actor = {.person = 7,
	    .role = CDOP_ROLE_COORDINATOR,
	    .areas = mine,
	    .n_areas = 2};
	struct index_post post = {.registered_by = 9};
	bool own;
	size_t i;

	for (i = 0; i < b->profile->n_area; i++) {
		post.owner = area(b, b->profile->area[i].id);
		own = strcmp(b->profile->area[i].id, "wirral") == 0 ||
		    strcmp(b->profile->area[i].id, "isle-of-man") == 0;
		assert_true(sees(b, &actor, &post) == own);
	}
	actor.n_areas = 0;
	for (i = 0; i < b->profile->n_area; i++) {
		post.owner = area(b, b->profile->area[i].id);
		assert_false(sees(b, &actor, &post));
	}
	actor.all_areas = true;
	for (i = 0; i < b->profile->n_area; i++) {
		post.owner = area(b, b->profile->area[i].id);
		assert_true(sees(b, &actor, &post));
	}
}

/* Nobody works for it by name; who registered sees his own there only. */
static void
the_holding_area_is_nobodys_by_name(void **state)
{
	static const char *const mine[] = {"holding", "wirral"};
	struct bench *b = *state;
	struct actor actor = {.person = 7,
	    .role = CDOP_ROLE_COORDINATOR,
	    .areas = mine,
	    .n_areas = 2};
	struct index_post post = {
	    .owner = area(b, "holding"), .registered_by = 9};

	assert_false(sees(b, &actor, &post));
	post.registered_by = 7;
	assert_true(sees(b, &actor, &post));
	post.owner = area(b, "sefton");
	assert_false(sees(b, &actor, &post));
	post.owner = area(b, "holding");
	post.registered_by = 0;
	actor.person = 0;
	assert_false(sees(b, &actor, &post));
}

static void
no_other_role_sees_or_knows_anything(void **state)
{
	struct bench *b = *state;
	struct actor actor = {.person = 7, .all_areas = true};
	struct index_post post = {
	    .owner = area(b, "wirral"), .registered_by = 7};
	uint32_t bit;

	for (bit = 0; bit < 32; bit++) {
		actor.role = 1u << bit;
		assert_true(sees(b, &actor, &post) ==
		    (actor.role == CDOP_ROLE_COORDINATOR));
		assert_true(knows(b, &actor, &post) ==
		    (actor.role == CDOP_ROLE_PARTNER));
	}
	actor.role = CDOP_ROLE_COORDINATOR | CDOP_ROLE_PARTNER;
	assert_false(sees(b, &actor, &post));
	assert_false(knows(b, &actor, &post));
}

static void
a_partner_knows_by_owner_or_by_marked_interest(void **state)
{
	static const char *const mine[] = {"wirral"};
	struct bench *b = *state;
	struct actor actor = {.person = 7,
	    .role = CDOP_ROLE_PARTNER,
	    .areas = mine,
	    .n_areas = 1};

	/* As it lies behind a post. */
	struct {
		struct index_post post;
		struct index_interest interest;
	} of = {
	    .post = {.owner = area(b, "wirral"),
		.status = INDEX_RECEIVED,
		.registered_by = 7},
	    .interest = {area(b, "wirral"), false},
	};

	assert_true(knows(b, &actor, &of.post));
	of.post.status = INDEX_WITHDRAWN;
	assert_false(knows(b, &actor, &of.post));
	of.post.status = INDEX_RECEIVED;
	of.post.owner = area(b, "sefton");
	assert_false(knows(b, &actor, &of.post));
	of.post.n_interest = 1;
	assert_false(knows(b, &actor, &of.post));
	of.interest.known = true;
	assert_true(knows(b, &actor, &of.post));
	of.post.owner = area(b, "holding");
	assert_true(knows(b, &actor, &of.post));
	of.interest.area = area(b, "sefton");
	assert_false(knows(b, &actor, &of.post));
	/* Having registered it gives a partner nothing. */
	of.post.n_interest = 0;
	assert_false(knows(b, &actor, &of.post));
	/* All areas are those that people work for, and not the holding one. */
	actor.all_areas = true;
	assert_false(knows(b, &actor, &of.post));
	of.post.n_interest = 1;
	assert_true(knows(b, &actor, &of.post));
	of.interest.area = area(b, "holding");
	assert_false(knows(b, &actor, &of.post));
}

static void
an_area_that_no_case_has_ever_had_is_no_other(void **state)
{
	static const char *const mine[] = {"newtown"};
	struct bench *b = *state;
	struct actor actor = {.person = 7,
	    .role = CDOP_ROLE_COORDINATOR,
	    .areas = mine,
	    .n_areas = 1};
	struct index_post post = {.owner = 0};

	assert_false(sees(b, &actor, &post));
}

static void
misses_are_counted_by_device_and_hour(void **state)
{
	struct access_limits *limits;
	uint64_t now = 1000 * 3600000ull;
	uint32_t i;

	(void)state;
	assert_int_equal(access_limits_new(&limits), CDOP_OK);
	for (i = 0; i < 5; i++) {
		assert_true(access_limits_may_look(limits, 3, now, 5));
		access_limits_miss(limits, 3, now);
	}
	assert_false(access_limits_may_look(limits, 3, now, 5));
	assert_true(access_limits_may_look(limits, 4, now, 5));
	/* A device whose place is taken, by 4096 others. */
	for (i = 0; i < 4000; i++)
		access_limits_miss(limits, 3 + i, now);
	assert_false(access_limits_may_look(limits, 3, now, 5));
	assert_true(access_limits_may_look(limits, 3, now + 3600000, 5));
	access_limits_free(limits);
}

static void
asks_are_counted_by_person_and_day(void **state)
{
	struct access_limits *limits;
	uint64_t now = 1000 * 86400000ull;

	(void)state;
	assert_int_equal(access_limits_new(&limits), CDOP_OK);
	assert_true(access_limits_ask(limits, 3, now, 2));
	assert_true(access_limits_ask(limits, 3, now + 86399999, 2));
	assert_false(access_limits_ask(limits, 3, now, 2));
	assert_false(access_limits_ask(limits, 3, now, 0));
	assert_true(access_limits_ask(limits, 4, now, 2));
	assert_true(access_limits_ask(limits, 3, now + 86400000, 2));
	access_limits_free(limits);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_coordinator_sees_the_areas_he_works_for),
	    cmocka_unit_test(the_holding_area_is_nobodys_by_name),
	    cmocka_unit_test(no_other_role_sees_or_knows_anything),
	    cmocka_unit_test(a_partner_knows_by_owner_or_by_marked_interest),
	    cmocka_unit_test(an_area_that_no_case_has_ever_had_is_no_other),
	    cmocka_unit_test(misses_are_counted_by_device_and_hour),
	    cmocka_unit_test(asks_are_counted_by_person_and_day),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
