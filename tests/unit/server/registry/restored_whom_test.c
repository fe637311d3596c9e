/*
 * A number that is somebody's name, too, as names were given once: whoever is
 * meant, nobody else is left out of what is restored.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/registry/people_act.h"
#include "server/registry/restored_people.h"
#include "tests/unit/server/registry/house.h"

static struct house house;
static struct restored_out out[CDOP_LEFT_OUT_MAX];
static size_t n;
static const char *why;

/* As it was written before names had that rule. */
static void
call_person(uint32_t person, const char *name)
{
	struct people_person *edited;

	house_begin(&house);
	assert_int_equal(
	    people_edit_person(house.reg->people, person, &edited), CDOP_OK);
	(void)snprintf(edited->name, sizeof(edited->name), "%s", name);
	assert_int_equal(
	    people_act_store_person(house_act(&house, 1, 1), edited), CDOP_OK);
	house_commit(&house);
}

static enum cdop_err
find(const char *who)
{
	const struct restored_suspend suspend = {
	    .whom = {{who, false}}, .n = 1};

	n = 0;
	why = NULL;
	return restored_people_find(
	    house.reg, house.arena, &suspend, out, &n, &why);
}

static void
a_number_that_is_a_name_is_nobodys(void **state)
{
	struct house_client clients[3];

	(void)state;
	house_open(&house, 3, clients);
	call_person(3, "2");
	assert_int_equal(find("2"), CDOP_NOT_FOUND);
	assert_non_null(strstr(why, "another one that name"));
	assert_int_equal(n, 0);
	assert_int_equal(find("02"), CDOP_OK);
	assert_int_equal(out[0].person, 2);
	assert_int_equal(find("3"), CDOP_OK);
	assert_int_equal(out[0].person, 3);
	/* One person has both. */
	call_person(3, "3");
	assert_int_equal(find("3"), CDOP_OK);
	assert_int_equal(out[0].person, 3);
	assert_int_equal(find("2"), CDOP_OK);
	assert_int_equal(out[0].person, 2);
	house_end(&house);
}

/* Whoever is revoked is not meant. */
static void
a_name_of_one_who_is_revoked_is_in_nobodys_way(void **state)
{
	struct house_client clients[3], cora;
	uint32_t person;

	(void)state;
	house_open(&house, 3, clients);
	person = house_add(&house, 10, "Cora", CDOP__ROLE__COORDINATOR, &cora);
	call_person(person, "2");
	assert_int_equal(house_revoke(&house, 1, person, 0, false), CDOP_OK);
	assert_int_equal(find("2"), CDOP_OK);
	assert_int_equal(out[0].person, 2);
	house_end(&house);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_number_that_is_a_name_is_nobodys),
	    cmocka_unit_test(a_name_of_one_who_is_revoked_is_in_nobodys_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
