/* The hash of PROTOCOL.md, against one made with another library. */
#include "cdop/second.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/secret.h"

static uint8_t registry[16], key[16], target[32];
static uint8_t request[] = "\x08\x0d\x12\x08has left";

static struct cdop_second
example(void)
{
	size_t i;

	for (i = 0; i < 16; i++) {
		registry[i] = (uint8_t)i;
		key[i] = (uint8_t)(16 + i);
		target[i] = (uint8_t)(32 + i);
		target[16 + i] = (uint8_t)(48 + i);
	}
	return (struct cdop_second){
	    .registry = registry,
	    .method = 16,
	    .requester = 1,
	    .request_key = key,
	    .request = {request, sizeof(request) - 1},
	    .target_version = target,
	};
}

static void
the_hash_is_that_of_python_hashlib(void **state)
{
	static const char expected[] =
	    "b4cf6178035abccbea35daf6adb279bc5b1a88fa7d674964c02e000fc8bdacc5";
	const struct cdop_second second = example();
	uint8_t hash[CDOP_SECOND_LEN];
	char hex[2 * CDOP_SECOND_LEN + 1];

	(void)state;
	cdop_second_hash(hash, &second);
	cdop_secret_hex((struct cdop_bytes){hash, sizeof(hash)}, hex);
	assert_string_equal(hex, expected);
}

static void
every_part_counts(void **state)
{
	struct cdop_second second = example();
	uint8_t one[CDOP_SECOND_LEN], other[CDOP_SECOND_LEN];
	uint8_t *const parts[] = {registry, key, request, target, target + 31};
	size_t i;

	(void)state;
	cdop_second_hash(one, &second);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		*parts[i] ^= 0x80;
		cdop_second_hash(other, &second);
		assert_memory_not_equal(one, other, sizeof(one));
		*parts[i] ^= 0x80;
	}
	second.method++;
	cdop_second_hash(other, &second);
	assert_memory_not_equal(one, other, sizeof(one));
	second.method--;
	second.requester++;
	cdop_second_hash(other, &second);
	assert_memory_not_equal(one, other, sizeof(one));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_hash_is_that_of_python_hashlib),
	    cmocka_unit_test(every_part_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
