/* What one source may take, with a clock that the test turns. */
#include "server/gate/limits.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/secret.h"
#include "server/base/control.h"

static struct config conf;
static struct limits *limits;

static int
setup(void **state)
{
	(void)state;
	assert_int_equal(cdop_secret_init(), CDOP_OK);
	config_init(&conf);
	conf.gate_source_connections = 2;
	conf.gate_source_handshakes = 60;
	conf.gate_source_garbage = 3;
	conf.gate_penalty_s = 10;
	assert_int_equal(limits_new(&conf, &limits), CDOP_OK);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	limits_free(limits);
	return 0;
}

static struct sockaddr_storage
peer(const char *text)
{
	struct sockaddr_storage ss;
	struct sockaddr_in *in = (struct sockaddr_in *)&ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ss;

	memset(&ss, 0, sizeof(ss));
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(4433);
	} else if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(4433);
	} else {
		ss.ss_family = AF_UNIX;
	}
	return ss;
}

static enum cdop_err
accept_from(const char *text, uint32_t uid, uint64_t now_ms,
    struct limits_source **ret_source)
{
	struct sockaddr_storage ss = peer(text);

	return limits_accept(limits, &ss, uid, now_ms, ret_source);
}

static void
connections_are_counted_by_source(void **state)
{
	struct limits_source *a, *b, *c;

	(void)state;
	assert_int_equal(accept_from("192.0.2.1", 0, 1, &a), CDOP_OK);
	assert_int_equal(accept_from("192.0.2.1", 0, 1, &b), CDOP_OK);
	assert_ptr_equal(a, b);
	assert_int_equal(
	    accept_from("192.0.2.1", 0, 1, &c), CDOP_RESOURCE_EXHAUSTED);
	assert_int_equal(accept_from("192.0.2.2", 0, 1, &c), CDOP_OK);
	limits_release(a);
	assert_int_equal(accept_from("192.0.2.1", 0, 1, &a), CDOP_OK);
}

static void
ipv6_counts_by_64_and_mapped_ipv4_as_ipv4(void **state)
{
	struct limits_source *a, *b, *c;

	(void)state;
	assert_int_equal(accept_from("2001:db8:1:2::1", 0, 1, &a), CDOP_OK);
	assert_int_equal(
	    accept_from("2001:db8:1:2:ffff::9", 0, 1, &b), CDOP_OK);
	assert_ptr_equal(a, b);
	assert_int_equal(accept_from("2001:db8:1:3::1", 0, 1, &c), CDOP_OK);
	assert_ptr_not_equal(a, c);
	assert_int_equal(accept_from("::ffff:192.0.2.1", 0, 1, &a), CDOP_OK);
	assert_int_equal(accept_from("192.0.2.1", 0, 1, &b), CDOP_OK);
	assert_ptr_equal(a, b);
}

static void
unix_counts_by_user(void **state)
{
	struct limits_source *a, *b, *c;

	(void)state;
	assert_int_equal(accept_from("unix", 1000, 1, &a), CDOP_OK);
	assert_int_equal(accept_from("unix", 1000, 1, &b), CDOP_OK);
	assert_int_equal(accept_from("unix", 1001, 1, &c), CDOP_OK);
	assert_ptr_equal(a, b);
	assert_ptr_not_equal(a, c);
}

static void
handshakes_flow_back_with_time(void **state)
{
	struct limits_source *a;
	size_t i;

	(void)state;
	assert_int_equal(accept_from("192.0.2.1", 0, 1000, &a), CDOP_OK);
	for (i = 0; i < 60; i++)
		assert_true(limits_handshake(limits, a, 1000));
	assert_false(limits_handshake(limits, a, 1000));
	assert_false(limits_handshake(limits, a, 1999));
	assert_true(limits_handshake(limits, a, 2000)); /* one a second */
	assert_false(limits_handshake(limits, a, 2000));
	assert_true(limits_handshake(limits, a, 3000));
	for (i = 0; i < 60; i++)
		assert_true(limits_handshake(limits, a, 1000000));
	assert_false(limits_handshake(limits, a, 1000000));
	conf.gate_source_handshakes = 0; /* a reload: no limit */
	assert_true(limits_handshake(limits, a, 1000000));
}

static void
garbage_earns_a_penalty_that_ends(void **state)
{
	struct limits_source *a, *b;
	size_t i;

	(void)state;
	assert_int_equal(accept_from("192.0.2.1", 0, 1000, &a), CDOP_OK);
	for (i = 0; i < 3; i++)
		assert_false(limits_garbage(limits, a, 1000));
	assert_true(limits_garbage(limits, a, 1000));
	limits_release(a);
	assert_int_equal(
	    accept_from("192.0.2.1", 0, 1001, &a), CDOP_PERMISSION_DENIED);
	assert_int_equal(
	    accept_from("192.0.2.1", 0, 10999, &a), CDOP_PERMISSION_DENIED);
	assert_int_equal(accept_from("192.0.2.2", 0, 1001, &b), CDOP_OK);
	assert_int_equal(accept_from("192.0.2.1", 0, 11000, &a), CDOP_OK);
}

/* A /40 of its own: sixteen million sources. */
static void
more_sources_than_places_are_forgotten_oldest_first(void **state)
{
	struct limits_source *held, *bad, *s;
	char text[64];
	uint32_t i;

	(void)state;
	assert_int_equal(accept_from("192.0.2.1", 0, 1, &held), CDOP_OK);
	assert_int_equal(accept_from("192.0.2.2", 0, 1, &bad), CDOP_OK);
	for (i = 0; i < 4; i++)
		(void)limits_garbage(limits, bad, 1);
	limits_release(bad);
	for (i = 0; i < 20000; i++) {
		snprintf(text, sizeof(text), "2001:db8:%x:%x::1", i >> 8, i);
		assert_int_equal(accept_from(text, 0, 2 + i / 10, &s), CDOP_OK);
		limits_release(s);
	}
	/* Who has a connection or a penalty is remembered through it. */
	assert_int_equal(accept_from("192.0.2.1", 0, 3000, &s), CDOP_OK);
	assert_ptr_equal(s, held);
	assert_int_equal(
	    accept_from("192.0.2.2", 0, 3000, &s), CDOP_PERMISSION_DENIED);
}

static void
a_table_full_of_live_ones_takes_no_more(void **state)
{
	struct limits_source *s;
	char text[64];
	uint32_t i;

	(void)state;
	for (i = 0; i < 4096; i++) {
		snprintf(text, sizeof(text), "10.0.%u.%u", i >> 8, i & 255);
		assert_int_equal(accept_from(text, 0, 1, &s), CDOP_OK);
	}
	assert_int_equal(
	    accept_from("192.0.2.1", 0, 1, &s), CDOP_RESOURCE_EXHAUSTED);
	assert_int_equal(accept_from("10.0.0.0", 0, 1, &s), CDOP_OK);
}

static void
where_from_is_said_in_words(void **state)
{
	struct sockaddr_storage ss;
	char text[LIMITS_FROM_MAX];

	(void)state;
	ss = peer("192.0.2.1");
	limits_from(&ss, 0, text);
	assert_string_equal(text, "192.0.2.1:4433");
	ss = peer("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe");
	limits_from(&ss, 0, text);
	assert_string_equal(
	    text, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe]:4433");
	ss = peer("unix");
	limits_from(&ss, 1000, text);
	assert_string_equal(text, "unix uid=1000");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(connections_are_counted_by_source),
	    TEST(ipv6_counts_by_64_and_mapped_ipv4_as_ipv4),
	    TEST(unix_counts_by_user),
	    TEST(handshakes_flow_back_with_time),
	    TEST(garbage_earns_a_penalty_that_ends),
	    TEST(more_sources_than_places_are_forgotten_oldest_first),
	    TEST(a_table_full_of_live_ones_takes_no_more),
	    TEST(where_from_is_said_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
