/*
 * What is left of keys on the stack when a function that made copies of them
 * is over: nothing.  Each runs on a stack of its own, which is then searched.
 * What libsodium leaves there is not ours, and what is looked for it does not
 * leave.  AddressSanitizer lays the copies elsewhere: one test is skipped for
 * all of them, and the release units run them as they are shipped.
 */
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#include <cmocka.h>

#include "cdop/secret.h"
#include "server/vault/envelope.h"
#include "server/vault/shamir.h"
#include "server/vault/slots.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define ASAN 1
#else
#define ASAN 0
#endif

#define KEY   32
#define PART  16 /* of a secret that is too much */
#define STACK ((size_t)256 << 10)
#define K     3
#define N     5

/* None of it is on a stack. */
static struct {
	uint8_t registry[16];
	uint8_t k[KEY], root[KEY], next_root[KEY], s[KEY], header[KEY];
	uint8_t digest[KEY], random[(K - 1) * KEY];
	uint8_t ck[CDOP_SHA512_LEN], ikm[KEY], prk[CDOP_SHA512_LEN];
	crypto_auth_hmacsha512_state keyed; /* with prk */
	uint8_t slot[SLOTS_ROW], turned[SLOTS_ROW], ring[SLOTS_RING];
	struct shamir_share share[N];
	struct envelope_key above;
	uint8_t wrap[ENVELOPE_WRAP];
	uint8_t got[KEY], also[KEY], out[3][CDOP_SHA512_LEN];
} w;

static uint8_t stack[STACK];
static ucontext_t here;
static void (*running)(void);

static void
begin(void)
{
	running();
}

/* Twice: the first time a function of a library may have to be found. */
static void
run(void (*fn)(void))
{
	ucontext_t there;

	fn();
	memset(stack, 0, sizeof(stack));
	assert_int_equal(getcontext(&there), 0);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = sizeof(stack);
	there.uc_link = &here;
	running = fn;
	makecontext(&there, begin, 0);
	assert_int_equal(swapcontext(&here, &there), 0);
}

static bool
is_left(const uint8_t *secret, size_t len)
{
	size_t i;

	for (i = 0; i + PART <= len; i++)
		if (memmem(stack, sizeof(stack), secret + i, PART) != NULL)
			return true;
	return false;
}

#define LEFT(x) is_left((const uint8_t *)(w.x), sizeof(w.x))

static void
nothing_is_there(void)
{
	assert_false(LEFT(k) || LEFT(root) || LEFT(next_root) || LEFT(s));
	assert_false(LEFT(header) || LEFT(digest) || LEFT(random));
	assert_false(LEFT(ck) || LEFT(ikm) || LEFT(prk));
	assert_false(LEFT(keyed.ictx.state) || LEFT(keyed.octx.state));
	assert_false(LEFT(out[0]) || LEFT(out[1]) || LEFT(out[2]));
}

static void
nothing_is_left(void (*fn)(void))
{
	run(fn);
	nothing_is_there();
}

/* ---- what runs ----------------------------------------------------------- */

static void
make(void)
{
	static const struct slots_new slot = {
	    .kind = SLOTS_KIND_KEYFILE, .label = "test", .k = w.k};

	CDOP_ASSERT(
	    slots_make(w.registry, 1, &slot, w.root, w.slot) == CDOP_OK);
}

static struct cdop_bytes
slot(void)
{
	return (struct cdop_bytes){w.slot, sizeof(w.slot)};
}

static void
open_slot(void)
{
	CDOP_ASSERT(slots_open(slot(), w.k, w.got) == CDOP_OK);
}

static void
check_slot(void)
{
	CDOP_ASSERT(slots_check(slot(), w.root) == CDOP_OK);
}

static void
secret_of_slot(void)
{
	CDOP_ASSERT(slots_secret(slot(), w.root, w.s) == CDOP_OK);
}

static void
turn_slot(void)
{
	CDOP_ASSERT(
	    slots_turn(slot(), w.root, w.next_root, w.turned) == CDOP_OK);
}

static void
make_ring(void)
{
	slots_ring_make(w.registry, w.root, w.header, w.digest, w.ring);
}

static void
open_ring(void)
{
	CDOP_ASSERT(slots_ring_open((struct cdop_bytes){w.ring, sizeof(w.ring)},
			w.root, w.got, w.also) == CDOP_OK);
}

static void
wrap(void)
{
	envelope_wrap(&w.above, w.registry, (struct cdop_bytes){w.registry, 16},
	    w.s, w.wrap);
}

static void
unwrap(void)
{
	CDOP_ASSERT(
	    envelope_unwrap(&w.above, w.registry,
		(struct cdop_bytes){w.registry, 16}, w.wrap, w.got) == CDOP_OK);
}

static void
split(void)
{
	CDOP_ASSERT(shamir_split(w.s, w.random, K, N, w.share) == CDOP_OK);
}

static void
combine(void)
{
	CDOP_ASSERT(shamir_combine(w.share, K, w.got) == CDOP_OK);
}

static void
derive(void)
{
	cdop_secret_hkdf(w.out, sizeof(w.out) / sizeof(w.out[0]), w.ck,
	    (struct cdop_bytes){w.ikm, sizeof(w.ikm)});
}

static void
forget_to_wipe(void)
{
	uint8_t copy[KEY];

	memcpy(copy, w.root, KEY);
	CDOP_ASSERT(cdop_secret_equal(copy, w.root, KEY));
}

/* ---- what is left -------------------------------------------------------- */

static void
a_copy_that_is_not_wiped_is_seen(void **state)
{
	(void)state;
	if (ASAN)
		skip();
	run(forget_to_wipe);
	assert_true(LEFT(root));
}

static void
slots_leave_no_key_behind(void **state)
{
	(void)state;
	run(make);
	secret_of_slot(); /* the one that was made there */
	nothing_is_there();
	nothing_is_left(secret_of_slot);
	nothing_is_left(open_slot);
	nothing_is_left(check_slot);
	nothing_is_left(turn_slot);
	assert_memory_equal(w.got, w.root, KEY);
}

static void
the_ring_leaves_no_key_behind(void **state)
{
	(void)state;
	nothing_is_left(make_ring);
	nothing_is_left(open_ring);
	assert_memory_equal(w.got, w.header, KEY);
}

static void
wraps_leave_no_key_behind(void **state)
{
	(void)state;
	nothing_is_left(wrap);
	nothing_is_left(unwrap);
	assert_memory_equal(w.got, w.s, KEY);
}

static void
shares_leave_no_secret_behind(void **state)
{
	(void)state;
	nothing_is_left(split);
	nothing_is_left(combine);
	assert_memory_equal(w.got, w.s, KEY);
}

static void
keys_of_a_session_are_left_nowhere(void **state)
{
	(void)state;
	crypto_auth_hmacsha512_init(&w.keyed, w.ck, sizeof(w.ck));
	crypto_auth_hmacsha512_update(&w.keyed, w.ikm, sizeof(w.ikm));
	crypto_auth_hmacsha512_final(&w.keyed, w.prk);
	crypto_auth_hmacsha512_init(&w.keyed, w.prk, sizeof(w.prk));
	nothing_is_left(derive);
}

static int
setup(void **state)
{
	(void)state;
	if (cdop_secret_init() != CDOP_OK)
		return -1;
	randombytes_buf(&w, sizeof(w));
	envelope_key_init(&w.above, w.k);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_copy_that_is_not_wiped_is_seen),
	    TEST(slots_leave_no_key_behind),
	    TEST(the_ring_leaves_no_key_behind),
	    TEST(wraps_leave_no_key_behind),
	    TEST(shares_leave_no_secret_behind),
	    TEST(keys_of_a_session_are_left_nowhere),
	};
	const struct CMUnitTest none[] = {
	    TEST(a_copy_that_is_not_wiped_is_seen),
	};

	return ASAN ? cmocka_run_group_tests(none, NULL, NULL)
		    : cmocka_run_group_tests(tests, NULL, NULL);
}
