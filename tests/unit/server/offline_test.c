/* What init takes as an address: a client takes it apart in the same way. */
#include "server/offline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool
takes(const char *address)
{
	return offline_addresses(&address, 1);
}

static void
addresses_that_a_client_can_reach(void **state)
{
	static const char *const good[] = {"registry.example:4433",
	    "192.0.2.1:1", "192.0.2.1:65535", "[2001:db8::1]:4433",
	    "unix:/run/cdopd/link.sock"};

	(void)state;
	assert_true(offline_addresses(good, sizeof(good) / sizeof(*good)));
}

static void
addresses_that_none_can(void **state)
{
	static const char *const bad[] = {"", "registry.example", ":4433",
	    "registry.example:", "registry.example:0", "registry.example:65536",
	    "registry.example:123456", "registry.example:44a3",
	    "registry example:4433", "registry\x7f:4433", "2001:db8::1:4433",
	    "[]:4433", "[2001:db8::1:4433", "unix:link.sock", "unix:"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(takes(bad[i]));
}

static void
no_longer_than_an_invitation_has_room_for(void **state)
{
	char text[400];

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text + sizeof(text) - 6, ":4433", 6);
	assert_false(takes(text));
	assert_true(takes(text + 300));
	memcpy(text + 200, "unix:/", 6);
	assert_false(takes(text + 200));
}

static void
one_that_is_wrong_is_enough(void **state)
{
	static const char *const mixed[] = {
	    "registry.example:4433", "registry.example"};

	(void)state;
	assert_true(offline_addresses(mixed, 1));
	assert_false(offline_addresses(mixed, 2));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_that_a_client_can_reach),
	    cmocka_unit_test(addresses_that_none_can),
	    cmocka_unit_test(no_longer_than_an_invitation_has_room_for),
	    cmocka_unit_test(one_that_is_wrong_is_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
