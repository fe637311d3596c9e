/* What is no change of a person. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/server/registry/house.h"

static void
is_so_already(struct house *house, uint32_t device, struct people_change to)
{
	assert_int_equal(
	    house_change(house, 3, device, &to), CDOP_FAILED_PRECONDITION);
	assert_string_equal(house->act.reason, "already_so");
}

/* Nobody is asked to agree to it, and no leaf says that it was done. */
static void
what_changes_nothing_is_refused(void **state)
{
	static char wirral[] = "wirral", sefton[] = "sefton";
	char *const areas[] = {wirral, sefton, wirral};
	char *const other_way[] = {sefton, wirral};
	struct people_grant roles[] = {{CDOP__ROLE__PARTNER, 0, UINT64_MAX},
	    {CDOP__ROLE__COORDINATOR, 0, UINT64_MAX},
	    {CDOP__ROLE__PARTNER, 0, UINT64_MAX}};
	struct people_change to = {.name = "Cora Case",
	    .job_title = "clerk",
	    .agency = "",
	    .areas_set = true,
	    .areas = areas,
	    .n_areas = 2,
	    .all_areas_set = true,
	    .grants_set = true,
	    .grants = roles,
	    .n_grants = 2};
	struct house_client clients[2];
	uint8_t invitation[16];
	struct house house;

	(void)state;
	house_open(&house, 2, clients);
	house_cora(&house, invitation);
	assert_int_equal(house_change(&house, 3, 0, &to), CDOP_OK);
	is_so_already(&house, 0, to);
	is_so_already(&house, 0, (struct people_change){.name = " Cora  Case"});
	/* In another order, and twice, it is no more. */
	to.areas = other_way;
	to.grants = roles + 1;
	is_so_already(&house, 0, to);
	to.areas = areas;
	to.n_areas = 3;
	is_so_already(&house, 0, to);
	/* Each part by itself is a change. */
	to.n_areas = 1;
	assert_int_equal(house_change(&house, 3, 0, &to), CDOP_OK);
	to.n_areas = 2;
	assert_int_equal(house_change(&house, 3, 0, &to), CDOP_OK);
	to.n_grants = 1;
	assert_int_equal(house_change(&house, 3, 0, &to), CDOP_OK);
	roles[1].until_ms = house.now_ms + HOUSE_DAY_MS;
	assert_int_equal(house_change(&house, 3, 0, &to), CDOP_OK);
	roles[1].from_ms = house.now_ms;
	assert_int_equal(house_change(&house, 3, 0, &to), CDOP_OK);
	is_so_already(&house, 0, to);
	to.all_areas = true;
	assert_int_equal(house_change(&house, 3, 0, &to), CDOP_OK);
	to.job_title = "";
	assert_int_equal(house_change(&house, 3, 0, &to), CDOP_OK);
	to.name = "Cora Casey";
	assert_int_equal(house_change(&house, 3, 0, &to), CDOP_OK);
	is_so_already(&house, 0, to);
	house_end(&house);
}

static void
an_end_that_a_device_has_is_no_change(void **state)
{
	struct people_change to = {.expiry_set = true};
	struct house_client clients[3];
	struct house house;

	(void)state;
	house_open(&house, 3, clients);
	to.device_expires_ms = house.now_ms + 3 * HOUSE_DAY_MS;
	assert_int_equal(house_change(&house, 3, 3, &to), CDOP_OK);
	is_so_already(&house, 3, to);
	to.name = "Another Name";
	assert_int_equal(house_change(&house, 3, 3, &to), CDOP_OK);
	to.device_expires_ms++;
	assert_int_equal(house_change(&house, 3, 3, &to), CDOP_OK);
	house_end(&house);
}

/* For ever: no role is given to somebody who was dismissed. */
static void
who_was_revoked_stays_as_they_were(void **state)
{
	struct people_grant role = {CDOP__ROLE__COORDINATOR, 0, UINT64_MAX};
	struct people_change to = {.all_areas_set = true,
	    .all_areas = true,
	    .grants_set = true,
	    .grants = &role,
	    .n_grants = 1};
	struct house_client clients[2];
	uint8_t invitation[16];
	struct house house;

	(void)state;
	house_open(&house, 2, clients);
	house_cora(&house, invitation);
	assert_int_equal(house_revoke(&house, 1, 3, 0, false), CDOP_OK);
	assert_int_equal(
	    house_change(&house, 3, 0, &to), CDOP_FAILED_PRECONDITION);
	assert_string_equal(house.act.reason, "already_revoked");
	house_end(&house);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_changes_nothing_is_refused),
	    cmocka_unit_test(an_end_that_a_device_has_is_no_change),
	    cmocka_unit_test(who_was_revoked_stays_as_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
