/*
 * Who is left out of what is restored: suspended with the mark, before
 * anybody comes in, and nobody who was not meant.
 */
#include "server/registry/restored_people.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/role.h"
#include "server/registry/audit.h"
#include "server/registry/audit_said.h"
#include "server/registry/restored.h"
#include "server/vault/boot_set.h"
#include "server/vault/rows.h"
#include "server/vault/rows_slots.h"
#include "tests/unit/server/registry/house.h"

static struct house house;
static struct house_client clients[3], cora;
static const char *why;

/* Three administrators, persons and devices 1 to 3. */
static int
make(void **state)
{
	(void)state;
	house_open(&house, 3, clients);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	house_end(&house);
	return 0;
}

static void
name(struct restored_suspend *suspend, const char *who, bool is_device)
{
	assert_in_range(suspend->n, 0, CDOP_LEFT_OUT_MAX - 1);
	suspend->whom[suspend->n++] =
	    (struct restored_whom){.who = who, .is_device = is_device};
}

static enum cdop_err
mark(const struct restored_suspend *suspend)
{
	const struct restored_mark_args args = {
	    .by = "Olga Operator",
	    .reason = "the disk died",
	    .suspend = suspend,
	    .now_ms = house.now_ms,
	};

	why = NULL;
	return restored_mark(house.reg, house.arena, &args, &why);
}

static enum cdop_err
mark_without(const char *who, bool is_device)
{
	struct restored_suspend suspend = {.n = 0};

	name(&suspend, who, is_device);
	return mark(&suspend);
}

static Cdop__PersonState
state_of(uint32_t person)
{
	return people_person(house.reg->people, person)->state;
}

static const char *
name_of(uint32_t person)
{
	return people_person(house.reg->people, person)->name;
}

static struct restored_view
view(void)
{
	struct restored_view found;

	assert_int_equal(
	    restored_view(house.reg, house.arena, &found), CDOP_OK);
	return found;
}

/* ---- whom --------------------------------------------------------------- */

static void
refused(const char *who, bool is_device, const char *words)
{
	assert_int_equal(mark_without(who, is_device), CDOP_NOT_FOUND);
	assert_non_null(why);
	assert_non_null(strstr(why, words));
	house_reopen(&house);
	assert_int_equal(house.reg->state, CDOP_STATE_OPEN);
	assert_int_equal(rows_incarnation(house.rows), 1);
}

static void
who_is_nobody_is_refused_and_nothing_is_marked(void **state)
{
	(void)state;
	refused("4", false, "no person has that number");
	refused("0", false, "no person has that number");
	refused("99999999999999999999999", false, "no person has that number");
	refused("4294967297", false, "no person has that number");
	refused("-1", false, "nobody is called so");
	refused("", false, "nobody is called so");
	refused("\xff", false, "nobody is called so");
	/* Part of a name is none. */
	refused("Ada", false, "nobody is called so");
	refused("4", true, "no device has that number");
	refused(name_of(2), true, "no device has that number");
}

static void
one_of_two_of_a_name_is_said_by_number(void **state)
{
	uint8_t invitation[16];

	(void)state;
	assert_int_equal(house_invite(&house, 1, name_of(2),
			     CDOP__ROLE__AUDITOR, invitation),
	    CDOP_OK);
	refused(name_of(2), false, "more than one person is called so");
	assert_int_equal(mark_without("2", false), CDOP_OK);
	assert_int_equal(state_of(2), CDOP__PERSON_STATE__PERSON_SUSPENDED);
	assert_int_equal(state_of(4), CDOP__PERSON_STATE__PERSON_INVITED);
}

/* Who is revoked has the name for ever, and is out. */
static void
the_other_one_of_a_name_may_be_revoked(void **state)
{
	uint32_t first, second;

	(void)state;
	first = house_add(&house, 10, "Cora", CDOP__ROLE__COORDINATOR, &cora);
	assert_int_equal(house_revoke(&house, 1, first, 0, false), CDOP_OK);
	assert_int_equal(mark_without("Cora", false), CDOP_OK);
	assert_int_equal(view().n_out, 0);
	house_reopen(&house);
	assert_int_equal(house.reg->state, CDOP_STATE_RESTORED);
	second = house_add(&house, 11, "Cora", CDOP__ROLE__COORDINATOR, &cora);
	assert_int_equal(mark_without(" Cora  ", false), CDOP_OK);
	assert_int_equal(
	    state_of(second), CDOP__PERSON_STATE__PERSON_SUSPENDED);
	assert_int_equal(state_of(first), CDOP__PERSON_STATE__PERSON_REVOKED);
}

/* ---- what becomes of them ------------------------------------------------ */

struct told {
	uint32_t person;
	uint64_t count;
	char reason[16];
	size_t n;
};

static bool
take_told(void *ctx, const struct audit_leaf *leaf)
{
	const Cdop__StoredWords *words = leaf->stored->words;
	struct told *told = ctx;
	struct audit_said said;

	if (words->call != AUDIT_EVENT_LEFT_OUT)
		return true;
	assert_int_equal(
	    audit_said_read(house.rows, house.arena, leaf, &said), CDOP_OK);
	assert_string_equal(said.reason, "Olga Operator: the disk died");
	assert_int_equal(words->at_ms, view().said.at_ms);
	told->person = words->subject_person;
	told->count = words->count;
	(void)snprintf(told->reason, sizeof(told->reason), "%s", words->reason);
	told->n++;
	return true;
}

static struct told
told(void)
{
	struct told found = {.n = 0};
	uint64_t cursor = 0;

	assert_int_equal(audit_walk(house.reg->audit, house.arena, &cursor,
			     1000, take_told, &found),
	    CDOP_OK);
	return found;
}

static void
who_is_left_out_is_not_let_in_and_the_log_says_by_whom(void **state)
{
	struct restored_out may[4];
	uint8_t psks[2][32];
	uint32_t device;
	struct told leaf;

	(void)state;
	assert_int_equal(mark_without(name_of(2), false), CDOP_OK);
	house_reopen(&house);
	assert_int_equal(house.reg->state, CDOP_STATE_RESTORED);
	assert_int_equal(state_of(2), CDOP__PERSON_STATE__PERSON_SUSPENDED);
	/* Decoys, whichever of its keys a client comes with. */
	people_psks(
	    house.reg->people, clients[1].key, house.now_ms, psks, &device);
	assert_int_equal(device, 0);
	assert_false(house_session(&house, &clients[1]));
	assert_int_equal(house_roles(&house, 2), 0);
	assert_true(house_session(&house, &clients[0]));
	leaf = told();
	assert_int_equal(leaf.n, 1);
	assert_int_equal(leaf.person, 2);
	assert_int_equal(leaf.count, 0);
	assert_string_equal(leaf.reason, "suspended");
	assert_non_null(strstr(
	    people_person(house.reg->people, 2)->reason, "Olga Operator"));
	assert_int_equal(view().n_out, 1);
	assert_int_equal(view().out[0].person, 2);
	assert_int_equal(view().out[0].device, 0);
	assert_int_equal(
	    restored_people_accept(house.reg, house.now_ms, may, 4), 2);
	assert_int_equal(may[0].person, 1);
	assert_int_equal(may[1].person, 3);
	assert_int_equal(
	    restored_people_accept(house.reg, house.now_ms, may, 1), 1);
}

/* Device 4, the second one of person 2. */
static void
add_second(struct house_client *second)
{
	uint8_t invitation[16];
	char string[20];

	assert_int_equal(house_invite_more(&house, 1, 2, invitation), CDOP_OK);
	house_client(&house, second, 20, invitation);
	assert_int_equal(
	    house_enrol(&house, second, invitation, false), CDOP_OK);
	house_string(second, string);
	assert_int_equal(house_activate(&house, 3, false, 4, string), CDOP_OK);
	assert_true(house_session(&house, second));
}

static void
a_device_is_left_out_alone(void **state)
{
	struct house_client second;
	struct told leaf;

	(void)state;
	add_second(&second);
	assert_int_equal(mark_without("4", true), CDOP_OK);
	house_reopen(&house);
	assert_int_equal(state_of(2), CDOP__PERSON_STATE__PERSON_ACTIVE);
	assert_false(house_session(&house, &second));
	assert_true(house_session(&house, &clients[1]));
	leaf = told();
	assert_int_equal(leaf.n, 1);
	assert_int_equal(leaf.person, 2);
	assert_int_equal(leaf.count, 4);
	assert_int_equal(view().out[0].person, 2);
	assert_int_equal(view().out[0].device, 4);
}

/* Persons accept it, and persons are counted. */
static void
who_has_two_devices_is_one_person(void **state)
{
	struct restored_suspend suspend = {.n = 0};
	struct house_client second;
	struct restored_out may[8];

	(void)state;
	add_second(&second);
	assert_int_equal(
	    restored_people_accept(house.reg, house.now_ms, may, 8), 3);
	/* What is revoked is out for ever. */
	assert_int_equal(house_revoke(&house, 1, 2, 4, true), CDOP_OK);
	name(&suspend, "4", true);
	assert_int_equal(mark(&suspend), CDOP_OK);
	assert_int_equal(view().n_out, 0);
	name(&suspend, "2", true);
	name(&suspend, "2", false);
	assert_int_equal(mark(&suspend), CDOP_OK);
	/* The device of one, and then all that is theirs. */
	assert_int_equal(view().n_out, 2);
	assert_int_equal(told().n, 2);
	assert_int_equal(people_device(house.reg->people, 2)->state,
	    CDOP__CREDENTIAL_STATE__CREDENTIAL_SUSPENDED);
	assert_int_equal(state_of(2), CDOP__PERSON_STATE__PERSON_SUSPENDED);
}

/* Two can lift it: they are to know that the host has named them. */
static void
who_is_suspended_in_it_is_shown_and_no_more(void **state)
{
	struct restored_suspend suspend = {.n = 0};
	struct house_client second;
	uint32_t version;

	(void)state;
	add_second(&second);
	assert_int_equal(house_suspend(&house, 1, 2, 4), CDOP_OK);
	assert_int_equal(house_suspend(&house, 1, 3, 0), CDOP_OK);
	version = people_person(house.reg->people, 3)->version;
	name(&suspend, "4", true);
	name(&suspend, "3", false);
	assert_int_equal(mark(&suspend), CDOP_OK);
	name(&suspend, "2", true);
	assert_int_equal(mark(&suspend), CDOP_OK);
	house_reopen(&house);
	assert_int_equal(view().n_out, 3);
	assert_int_equal(view().out[0].device, 4);
	assert_true(view().out[0].before);
	assert_int_equal(view().out[1].person, 3);
	assert_true(view().out[1].before);
	assert_false(view().out[2].before);
	/* No act and no leaf. */
	assert_int_equal(people_person(house.reg->people, 3)->version, version);
	assert_int_equal(told().n, 1);
	assert_int_equal(told().count, 2);
}

/* There is nothing to lift: whoever is to come is invited again. */
static void
who_was_never_active_is_revoked(void **state)
{
	uint8_t invitation[16], more[16];
	struct restored_suspend suspend = {.n = 0};
	struct house_client second;

	(void)state;
	house_cora(&house, invitation);
	house_client(&house, &cora, 10, invitation);
	assert_int_equal(
	    house_enrol(&house, &cora, invitation, false), CDOP_OK);
	assert_int_equal(house_invite_more(&house, 1, 2, more), CDOP_OK);
	house_client(&house, &second, 20, more);
	assert_int_equal(house_enrol(&house, &second, more, false), CDOP_OK);
	name(&suspend, "Cora", false);
	name(&suspend, "5", true);
	assert_int_equal(mark(&suspend), CDOP_OK);
	house_reopen(&house);
	assert_int_equal(state_of(4), CDOP__PERSON_STATE__PERSON_REVOKED);
	assert_int_equal(state_of(2), CDOP__PERSON_STATE__PERSON_ACTIVE);
	assert_int_equal(people_device(house.reg->people, 4)->state,
	    CDOP__CREDENTIAL_STATE__CREDENTIAL_REVOKED);
	assert_int_equal(people_device(house.reg->people, 5)->state,
	    CDOP__CREDENTIAL_STATE__CREDENTIAL_REVOKED);
	assert_int_equal(told().n, 2);
	assert_string_equal(told().reason, "revoked");
}

/* It lets custodians in while nobody has read yet who is suspended. */
static void
whoever_is_left_out_is_not_let_in_while_it_is_sealed(void **state)
{
	static const uint8_t k[32] = {7};
	uint8_t row[BOOT_SET_ROW_MAX];
	struct boot_set set;
	size_t len;

	(void)state;
	memset(&set, 0, sizeof(set));
	set.n_keys = 1;
	boot_set_seal(&set, house.reg->id, k, row, &len);
	house_begin(&house);
	assert_int_equal(
	    rows_slots_put_boot(house.rows, (struct cdop_bytes){row, len}),
	    CDOP_OK);
	house_commit(&house);
	assert_int_equal(mark(NULL), CDOP_OK);
	house_reopen(&house);
	assert_int_equal(rows_slots_boot(house.rows).len, len);
	assert_int_equal(mark_without("3", false), CDOP_OK);
	house_reopen(&house);
	assert_int_equal(rows_slots_boot(house.rows).len, 0);
}

static void
it_may_leave_fewer_than_two_administrators(void **state)
{
	struct restored_suspend suspend = {.n = 0};
	struct restored_out may[4];

	(void)state;
	/* Whoever is named twice is one. */
	name(&suspend, "2", false);
	name(&suspend, name_of(2), false);
	name(&suspend, name_of(3), false);
	assert_int_equal(mark(&suspend), CDOP_OK);
	assert_int_equal(view().n_out, 2);
	assert_int_equal(
	    restored_people_accept(house.reg, house.now_ms, may, 4), 1);
	assert_int_equal(may[0].person, 1);
}

static void
marked_again_it_leaves_out_more(void **state)
{
	uint8_t first[32];

	(void)state;
	assert_int_equal(mark_without("2", false), CDOP_OK);
	memcpy(first, view().target, 32);
	house_reopen(&house);
	assert_int_equal(mark_without("2", false), CDOP_OK);
	assert_int_equal(view().n_out, 1);
	assert_int_equal(mark_without("3", false), CDOP_OK);
	house_reopen(&house);
	assert_int_equal(view().n_out, 2);
	assert_int_equal(view().out[0].person, 2);
	assert_int_equal(view().out[1].person, 3);
	assert_memory_not_equal(view().target, first, 32);
	assert_int_equal(told().n, 2);
	/* And without a word it is what it was. */
	assert_int_equal(mark(NULL), CDOP_OK);
	assert_int_equal(view().n_out, 2);
	assert_int_equal(state_of(2), CDOP__PERSON_STATE__PERSON_SUSPENDED);
}

/* Its person has to be active: all of the mark is taken back. */
static void
what_cannot_be_suspended_marks_nothing(void **state)
{
	struct restored_suspend suspend = {.n = 0};

	(void)state;
	assert_int_equal(house_suspend(&house, 1, 2, 0), CDOP_OK);
	name(&suspend, "3", false);
	name(&suspend, "2", true);
	assert_int_equal(mark(&suspend), CDOP_FAILED_PRECONDITION);
	assert_non_null(why);
	assert_non_null(strstr(why, "device 2 of 2 "));
	assert_non_null(strstr(why, "not active; nothing was done"));
	assert_int_equal(state_of(3), CDOP__PERSON_STATE__PERSON_ACTIVE);
	house_reopen(&house);
	assert_int_equal(house.reg->state, CDOP_STATE_OPEN);
	assert_int_equal(state_of(3), CDOP__PERSON_STATE__PERSON_ACTIVE);
	assert_int_equal(told().n, 0);
}

static void
so_many_are_left_out_and_no_more(void **state)
{
	struct restored_suspend suspend = {.n = 0};
	static char text[CDOP_LEFT_OUT_MAX][8];
	uint8_t invitation[16];
	size_t i;

	(void)state;
	for (i = 0; i < CDOP_LEFT_OUT_MAX; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "C%zu", i);
		assert_int_equal(house_invite(&house, 1, text[i],
				     CDOP__ROLE__AUDITOR, invitation),
		    CDOP_OK);
		name(&suspend, text[i], false);
	}
	assert_int_equal(mark(&suspend), CDOP_OK);
	assert_int_equal(view().n_out, CDOP_LEFT_OUT_MAX);
	assert_int_equal(mark_without("3", false), CDOP_INVALID_ARGUMENT);
	assert_non_null(strstr(why, "when it is accepted"));
	house_reopen(&house);
	assert_int_equal(view().n_out, CDOP_LEFT_OUT_MAX);
	assert_int_equal(state_of(3), CDOP__PERSON_STATE__PERSON_ACTIVE);
}

/* ---- invitations --------------------------------------------------------- */

static bool
take_back(void *ctx, const struct audit_leaf *leaf)
{
	uint64_t *n = ctx;

	if (leaf->stored->words->call != AUDIT_EVENT_TAKEN_BACK)
		return true;
	assert_int_equal(leaf->stored->words->at_ms, view().said.at_ms);
	*n += leaf->stored->words->count;
	return true;
}

static uint64_t
taken_back(void)
{
	uint64_t cursor = 0, n = 0;

	assert_int_equal(audit_walk(house.reg->audit, house.arena, &cursor,
			     1000, take_back, &n),
	    CDOP_OK);
	return n;
}

/* Each may have been since; the log says how many. */
static void
invitations_that_wait_are_taken_back(void **state)
{
	uint8_t invitation[16], more[16], again[16];

	(void)state;
	house_cora(&house, invitation);
	assert_int_equal(house_invite_more(&house, 1, 2, more), CDOP_OK);
	house_client(&house, &cora, 10, invitation);
	assert_int_equal(mark(NULL), CDOP_OK);
	house_reopen(&house);
	assert_int_equal(house_enrol(&house, &cora, invitation, false),
	    CDOP_UNAUTHENTICATED);
	assert_int_equal(people_invitation(house.reg->people, more)->state,
	    CDOP__INVITATION_STATE__INVITATION_CANCELLED);
	assert_int_equal(taken_back(), 2);
	assert_int_equal(mark(NULL), CDOP_OK);
	assert_int_equal(taken_back(), 2);
	/* She is invited again, and is who she was. */
	assert_int_equal(house_invite_more(&house, 1, 4, again), CDOP_OK);
	house_client(&house, &cora, 11, again);
	assert_int_equal(house_enrol(&house, &cora, again, false), CDOP_OK);
}

/* They are none any more, and count as none. */
static void
invitations_that_have_expired_are_left_alone(void **state)
{
	uint8_t invitation[16];

	(void)state;
	house_cora(&house, invitation);
	house.now_ms += PEOPLE_INVITATION_MS;
	assert_int_equal(mark(NULL), CDOP_OK);
	assert_int_equal(taken_back(), 0);
	assert_int_equal(
	    people_invitation(house.reg->people, invitation)->state,
	    CDOP__INVITATION_STATE__INVITATION_WAITING);
}

/* In setup there is no other way in. */
static void
invitations_of_the_host_stay(void **state)
{
	struct house other;

	(void)state;
	house_make(&other, 2);
	{
		const struct restored_mark_args args = {
		    .by = "Olga", .reason = "disk", .now_ms = other.now_ms};

		assert_int_equal(
		    restored_mark(other.reg, other.arena, &args, &why),
		    CDOP_OK);
	}
	house_client(&other, &cora, 1, other.invitation[0]);
	assert_int_equal(
	    house_enrol(&other, &cora, other.invitation[0], false), CDOP_OK);
	house_end(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(who_is_nobody_is_refused_and_nothing_is_marked),
	    TEST(one_of_two_of_a_name_is_said_by_number),
	    TEST(the_other_one_of_a_name_may_be_revoked),
	    TEST(who_is_left_out_is_not_let_in_and_the_log_says_by_whom),
	    TEST(a_device_is_left_out_alone),
	    TEST(who_has_two_devices_is_one_person),
	    TEST(who_is_suspended_in_it_is_shown_and_no_more),
	    TEST(who_was_never_active_is_revoked),
	    TEST(whoever_is_left_out_is_not_let_in_while_it_is_sealed),
	    TEST(it_may_leave_fewer_than_two_administrators),
	    TEST(marked_again_it_leaves_out_more),
	    TEST(what_cannot_be_suspended_marks_nothing),
	    TEST(so_many_are_left_out_and_no_more),
	    TEST(invitations_that_wait_are_taken_back),
	    TEST(invitations_that_have_expired_are_left_alone),
	    TEST(invitations_of_the_host_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
