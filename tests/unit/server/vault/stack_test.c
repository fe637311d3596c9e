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

#include "cdop/noise.h"
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
	struct cdop_noise end[2];
	struct cdop_noise_cipher cipher[4];
	uint8_t message[512], plain[512], hash[CDOP_NOISE_HASH_LEN];
	size_t turn, len;
} w;

static uint8_t stack[STACK];
static ucontext_t here;
static void (*running)(void);

static void
begin(void)
{
	running();
}

static void
run_once(void (*fn)(void))
{
	ucontext_t there;

	memset(stack, 0, sizeof(stack));
	assert_int_equal(getcontext(&there), 0);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = sizeof(stack);
	there.uc_link = &here;
	running = fn;
	makecontext(&there, begin, 0);
	assert_int_equal(swapcontext(&here, &there), 0);
}

/* Twice: the first time a function of a library may have to be found. */
static void
run(void (*fn)(void))
{
	fn();
	run_once(fn);
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
write_message(void)
{
	CDOP_ASSERT(
	    cdop_noise_write(&w.end[w.turn % 2], (struct cdop_bytes){NULL, 0},
		w.message, sizeof(w.message), &w.len) == CDOP_OK);
}

static void
read_message(void)
{
	size_t len;

	CDOP_ASSERT(cdop_noise_read(&w.end[1 - w.turn % 2],
			(struct cdop_bytes){w.message, w.len}, w.plain,
			sizeof(w.plain), &len) == CDOP_OK);
}

static void
split_both(void)
{
	size_t i;

	for (i = 0; i < 2; i++)
		CDOP_ASSERT(cdop_noise_split(&w.end[i], &w.cipher[2 * i],
				&w.cipher[2 * i + 1], w.hash) == CDOP_OK);
}

static void
begin_hands(void)
{
	uint8_t public[KEY];
	struct cdop_noise_args args = {
	    .pattern = CDOP_NOISE_XKPSK3, .psk = w.random, .s = w.s};

	cdop_secret_public(public, w.s);
	CDOP_ASSERT(cdop_noise_init(&w.end[1], &args) == CDOP_OK);
	args.initiator = true;
	args.s = w.k;
	args.rs = public;
	CDOP_ASSERT(cdop_noise_init(&w.end[0], &args) == CDOP_OK);
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

/* What one end has in its hands by then. */
static void
run_hand(void (*fn)(void), const struct cdop_noise *end)
{
	static const uint8_t none[KEY] = {0};

	run_once(fn);
	nothing_is_there();
	assert_false(is_left(end->ck, sizeof(end->ck)));
	assert_false(is_left(end->cipher.key, KEY));
	if (memcmp(end->e, none, KEY) != 0)
		assert_false(is_left(end->e, KEY));
}

static void
a_handshake_leaves_no_key_behind(void **state)
{
	(void)state;
	begin_hands();
	for (w.turn = 0; w.turn < 3; w.turn++) {
		run_hand(write_message, &w.end[w.turn % 2]);
		run_hand(read_message, &w.end[1 - w.turn % 2]);
	}
	run_once(split_both);
	assert_memory_equal(w.cipher[0].key, w.cipher[3].key, KEY);
	nothing_is_there();
	assert_false(is_left(w.cipher[0].key, KEY));
	assert_false(is_left(w.cipher[1].key, KEY));
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
	    TEST(a_handshake_leaves_no_key_behind),
	};
	const struct CMUnitTest none[] = {
	    TEST(a_copy_that_is_not_wiped_is_seen),
	};

	return ASAN ? cmocka_run_group_tests(none, NULL, NULL)
		    : cmocka_run_group_tests(tests, NULL, NULL);
}
