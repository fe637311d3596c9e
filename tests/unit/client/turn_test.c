/* The PSK of this device, and those of before that are kept of it. */
#include "client/turn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "client/session.h"
#include "tests/unit/client/fixture.h"

static ProtobufCBinaryData
psk(struct fixture *f, uint8_t c)
{
	ProtobufCBinaryData out = {CDOP_KEY_LEN, NULL};

	out.data = cdop_arena_alloc(f->ctx.arena, CDOP_KEY_LEN);
	assert_non_null(out.data);
	memset(out.data, c, CDOP_KEY_LEN);
	return out;
}

static void
adopt(struct fixture *f, uint8_t next)
{
	Cdop__ClientSecret *secret = f->session.identity.secret;

	secret->has_psk_next = true;
	secret->psk_next = psk(f, next);
	assert_int_equal(turn_adopt(&f->ctx), EXIT_OK);
	assert_false(secret->has_psk_next);
	assert_int_equal(secret->psk.data[0], next);
}

/* As the file has it: each first byte of those of before, the oldest first. */
static void
kept(struct fixture *f, const char *wanted)
{
	struct identity *id = &f->session.identity, back;
	char seen[IDENTITY_EARLIER_MAX + 1] = "";
	size_t i;

	assert_int_equal(identity_load(id->path, f->ctx.arena, &back), CDOP_OK);
	assert_int_equal(
	    identity_unlock_key(&back, id->key, f->ctx.arena), CDOP_OK);
	assert_memory_equal(
	    back.secret->psk.data, id->secret->psk.data, CDOP_KEY_LEN);
	assert_int_equal(back.secret->n_psk_earlier, strlen(wanted));
	for (i = 0; i < back.secret->n_psk_earlier; i++)
		seen[i] = (char)back.secret->psk_earlier[i].data[0];
	assert_string_equal(seen, wanted);
}

static void
a_key_that_turned_is_kept(void **state)
{
	struct fixture *f = *state;

	adopt(f, 'a'); /* the fixture's is a 'D' */
	kept(f, "D");
	adopt(f, 'b');
	adopt(f, 'c');
	kept(f, "Dab");
}

static void
the_oldest_makes_room(void **state)
{
	struct fixture *f = *state;
	Cdop__ClientSecret *secret = f->session.identity.secret;
	char wanted[IDENTITY_EARLIER_MAX + 1] = "";
	size_t i;

	secret->psk_earlier = cdop_arena_calloc(
	    f->ctx.arena, IDENTITY_EARLIER_MAX, sizeof(*secret->psk_earlier));
	assert_non_null(secret->psk_earlier);
	secret->n_psk_earlier = IDENTITY_EARLIER_MAX;
	for (i = 0; i < IDENTITY_EARLIER_MAX; i++)
		secret->psk_earlier[i] = psk(f, i == 0 ? 'x' : 'y');
	adopt(f, 'a');
	memset(wanted, 'y', IDENTITY_EARLIER_MAX - 1);
	wanted[IDENTITY_EARLIER_MAX - 1] = 'D';
	kept(f, wanted);
}

static void
one_of_before_is_taken_up_and_none_is_lost(void **state)
{
	struct fixture *f = *state;
	Cdop__ClientSecret *secret = f->session.identity.secret;

	adopt(f, 'a');
	adopt(f, 'b');
	secret->has_psk_next = true;
	secret->psk_next = psk(f, 'c');
	assert_int_equal(turn_back(&f->ctx, 0), EXIT_OK);
	assert_int_equal(secret->psk.data[0], 'D');
	assert_false(secret->has_psk_next);
	kept(f, "abc");
}

/* A file with what is no key in it is not whole. */
static void
what_is_no_key_is_refused(void **state)
{
	struct fixture *f = *state;
	struct identity *id = &f->session.identity, back;

	adopt(f, 'a');
	id->secret->psk_earlier[0].len--;
	assert_int_equal(identity_save(id, f->ctx.arena), CDOP_OK);
	assert_int_equal(identity_load(id->path, f->ctx.arena, &back), CDOP_OK);
	assert_int_equal(
	    identity_unlock_key(&back, id->key, f->ctx.arena), CDOP_DATA_LOSS);
}

static void
those_of_before_are_wiped_too(void **state)
{
	struct fixture *f = *state;
	const uint8_t *earlier;

	adopt(f, 'a');
	earlier = f->session.identity.secret->psk_earlier[0].data;
	identity_wipe(&f->session.identity);
	assert_true(cdop_secret_is_zero(earlier, CDOP_KEY_LEN));
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_key_that_turned_is_kept),
	    TEST(the_oldest_makes_room),
	    TEST(one_of_before_is_taken_up_and_none_is_lost),
	    TEST(what_is_no_key_is_refused),
	    TEST(those_of_before_are_wiped_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
