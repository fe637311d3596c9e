/* Packets of the link between gate and vault, and messages of control. */
#include "server/base/ipc.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static int ends[2];
static struct ipc_inbox *inbox;

static int
open_pair(void **state)
{
	(void)state;
	assert_int_equal(ipc_pair(ends), CDOP_OK);
	assert_int_equal(ipc_inbox_new(&inbox), CDOP_OK);
	return 0;
}

static int
close_pair(void **state)
{
	(void)state;
	close(ends[0]);
	close(ends[1]);
	ipc_inbox_free(inbox);
	return 0;
}

static enum cdop_err
send_one(uint64_t conn, enum ipc_kind kind, const void *data, size_t len)
{
	struct ipc_packet packet = {conn, (uint8_t)kind, 1, {data, len}};

	return ipc_send(ends[0], &packet);
}

static void
the_header_is_as_on_paper(void **state)
{
	static const uint8_t paper[IPC_HEADER_LEN] = {
	    1, 2, 3, 4, 5, 6, 7, 8, 4, 9, 0, 0, 0, 0, 0xff, 0xff};
	struct ipc_packet packet = {
	    0x0102030405060708, IPC_SENT, 9, {NULL, 65535}};
	uint8_t header[IPC_HEADER_LEN];

	(void)state;
	ipc_write_header(&packet, header);
	assert_memory_equal(header, paper, sizeof(paper));
}

static void
packets_arrive_whole_and_in_order(void **state)
{
	static uint8_t big[CDOP_FRAME_MAX];
	const struct ipc_packet *packet;
	size_t n, i;

	(void)state;
	memset(big, 0xa5, sizeof(big));
	assert_int_equal(send_one(7, IPC_OPEN, "abc", 3), CDOP_OK);
	assert_int_equal(send_one(8, IPC_FRAME, big, sizeof(big)), CDOP_OK);
	for (i = 0; i < 20; i++)
		assert_int_equal(send_one(i, IPC_CLOSED, NULL, 0), CDOP_OK);
	assert_int_equal(
	    ipc_recv_many(ends[1], inbox, IPC_INBOX_MAX, &n), CDOP_OK);
	assert_int_equal(n, IPC_INBOX_MAX);
	packet = ipc_inbox_get(inbox, 0);
	assert_int_equal(packet->conn, 7);
	assert_int_equal(packet->kind, IPC_OPEN);
	assert_int_equal(packet->arg, 1);
	assert_int_equal(packet->bytes.len, 3);
	assert_memory_equal(packet->bytes.data, "abc", 3);
	packet = ipc_inbox_get(inbox, 1);
	assert_int_equal(packet->bytes.len, sizeof(big));
	assert_memory_equal(packet->bytes.data, big, sizeof(big));
	assert_int_equal(ipc_inbox_get(inbox, 2)->conn, 0);
	assert_int_equal(ipc_recv_many(ends[1], inbox, 3, &n), CDOP_OK);
	assert_int_equal(n, 3);
	assert_int_equal(ipc_inbox_get(inbox, 0)->conn, 14);
	assert_int_equal(ipc_recv_many(ends[1], inbox, 100, &n), CDOP_OK);
	assert_int_equal(n, 3);
	assert_int_equal(ipc_recv_many(ends[1], inbox, 100, &n), CDOP_OK);
	assert_int_equal(n, 0);
}

static void
a_full_socket_takes_a_packet_whole_or_not_at_all(void **state)
{
	static uint8_t big[CDOP_FRAME_MAX];
	size_t sent = 0, got = 0, n;
	enum cdop_err err;

	(void)state;
	while ((err = send_one(sent, IPC_FRAME, big, sizeof(big))) == CDOP_OK)
		sent++;
	assert_int_equal(err, CDOP_RESOURCE_EXHAUSTED);
	assert_true(sent >= 2);
	do {
		assert_int_equal(ipc_recv_many(ends[1], inbox, 1, &n), CDOP_OK);
		if (n == 1)
			assert_int_equal(ipc_inbox_get(inbox, 0)->conn, got);
		got += n;
	} while (n > 0);
	assert_int_equal(got, sent);
	assert_int_equal(send_one(1, IPC_FRAME, big, 1), CDOP_OK);
}

static void
many_are_sent_at_once_as_far_as_there_is_room(void **state)
{
	static uint8_t big[60000];
	struct ipc_packet packets[IPC_SEND_MAX] = {{0}};
	uint64_t sent = 0, seen = 0;
	size_t i, n;
	enum cdop_err err = CDOP_OK;

	(void)state;
	assert_int_equal(ipc_send_many(ends[0], packets, 0, &n), CDOP_OK);
	while (err == CDOP_OK) {
		for (i = 0; i < IPC_SEND_MAX; i++)
			packets[i] = (struct ipc_packet){
			    sent + i, IPC_FRAME, 0, {big, sizeof(big)}};
		err = ipc_send_many(ends[0], packets, IPC_SEND_MAX, &n);
		sent += n;
	}
	assert_int_equal(err, CDOP_RESOURCE_EXHAUSTED);
	while (ipc_recv_many(ends[1], inbox, IPC_INBOX_MAX, &n) == CDOP_OK &&
	    n > 0)
		for (i = 0; i < n; i++) {
			assert_int_equal(ipc_inbox_get(inbox, i)->conn, seen);
			assert_int_equal(
			    ipc_inbox_get(inbox, i)->bytes.len, sizeof(big));
			seen++;
		}
	assert_int_equal(seen, sent);
	shutdown(ends[1], SHUT_RDWR);
	assert_int_equal(
	    ipc_send_many(ends[0], packets, 3, &n), CDOP_UNAVAILABLE);
	assert_int_equal(n, 0);
}

static void
small_ones_share_a_message(void **state)
{
	static uint8_t big[40000];
	struct ipc_packet packets[IPC_SEND_MAX] = {{0}};
	size_t i, n;

	(void)state;
	for (i = 0; i < IPC_SEND_MAX; i++)
		packets[i] =
		    (struct ipc_packet){i, IPC_FRAME, 0, {big, i == 0 ? 0 : 9}};
	assert_int_equal(
	    ipc_send_many(ends[0], packets, IPC_SEND_MAX, &n), CDOP_OK);
	assert_int_equal(n, IPC_SEND_MAX);
	assert_int_equal(ipc_recv_many(ends[1], inbox, 1, &n), CDOP_OK);
	assert_int_equal(n, IPC_SEND_MAX);
	for (i = 0; i < n; i++) {
		assert_int_equal(ipc_inbox_get(inbox, i)->conn, i);
		assert_int_equal(
		    ipc_inbox_get(inbox, i)->bytes.len, i == 0 ? 0 : 9);
	}
	/* The second does not fit beside the first; the third does. */
	packets[1].bytes.len = packets[0].bytes.len = sizeof(big);
	assert_int_equal(ipc_send_many(ends[0], packets, 3, &n), CDOP_OK);
	assert_int_equal(n, 3);
	assert_int_equal(ipc_recv_many(ends[1], inbox, 1, &n), CDOP_OK);
	assert_int_equal(n, 1);
	assert_int_equal(ipc_recv_many(ends[1], inbox, 1, &n), CDOP_OK);
	assert_int_equal(n, 2);
}

static void
a_parcel_is_sent_whole_or_kept(void **state)
{
	static uint8_t big[CDOP_FRAME_MAX];
	static struct ipc_parcel parcel;
	struct ipc_packet small = {1, IPC_SENT, 0, {big, 4}};
	struct ipc_packet huge = {2, IPC_FRAME, 0, {big, sizeof(big)}};
	size_t n, sent = 0;
	enum cdop_err err;

	(void)state;
	assert_int_equal(ipc_parcel_send(ends[0], &parcel), CDOP_OK);
	for (n = 0; n < IPC_SEND_MAX; n++)
		assert_true(ipc_parcel_add(&parcel, &small));
	assert_false(ipc_parcel_add(&parcel, &small));
	assert_int_equal(ipc_parcel_send(ends[0], &parcel), CDOP_OK);
	assert_int_equal(ipc_recv_many(ends[1], inbox, 2, &n), CDOP_OK);
	assert_int_equal(n, IPC_SEND_MAX);
	assert_true(ipc_parcel_add(&parcel, &huge));
	assert_false(ipc_parcel_add(&parcel, &small));
	while ((err = ipc_parcel_send(ends[0], &parcel)) == CDOP_OK) {
		assert_true(ipc_parcel_add(&parcel, &huge));
		sent++;
	}
	assert_int_equal(err, CDOP_RESOURCE_EXHAUSTED);
	assert_int_equal(parcel.n, 1);
	do
		assert_int_equal(ipc_recv_many(ends[1], inbox, 1, &n), CDOP_OK);
	while (n > 0);
	assert_true(sent > 0);
	assert_int_equal(ipc_parcel_send(ends[0], &parcel), CDOP_OK);
	assert_int_equal(ipc_recv_many(ends[1], inbox, 1, &n), CDOP_OK);
	assert_int_equal(n, 1);
	assert_int_equal(ipc_inbox_get(inbox, 0)->bytes.len, sizeof(big));
}

static void
an_end_that_is_gone_is_known_on_both_sides(void **state)
{
	size_t n;

	(void)state;
	assert_int_equal(send_one(5, IPC_CLOSED, NULL, 0), CDOP_OK);
	close(ends[0]);
	assert_int_equal(ipc_recv_many(ends[1], inbox, 16, &n), CDOP_OK);
	assert_int_equal(n, 1);
	assert_int_equal(
	    ipc_recv_many(ends[1], inbox, 16, &n), CDOP_UNAVAILABLE);
	ends[0] = ends[1];
	assert_int_equal(send_one(5, IPC_CLOSED, NULL, 0), CDOP_UNAVAILABLE);
	ends[1] = open("/dev/null", O_RDONLY);
}

/*
 * An end that goes with packets unread is reported before those it sent
 * (ECONNRESET): they still count.
 */
static void
who_went_without_listening_is_still_heard(void **state)
{
	struct ipc_packet back = {1, IPC_SENT, 0, {NULL, 0}};
	size_t n;

	(void)state;
	assert_int_equal(send_one(7, IPC_FRAME, "abc", 3), CDOP_OK);
	assert_int_equal(send_one(8, IPC_CLOSE, NULL, 0), CDOP_OK);
	assert_int_equal(ipc_send(ends[1], &back), CDOP_OK);
	close(ends[0]);
	assert_int_equal(
	    ipc_recv_many(ends[1], inbox, IPC_INBOX_MAX, &n), CDOP_OK);
	assert_int_equal(n, 2);
	assert_int_equal(ipc_inbox_get(inbox, 0)->conn, 7);
	assert_int_equal(ipc_inbox_get(inbox, 1)->conn, 8);
	assert_int_equal(
	    ipc_recv_many(ends[1], inbox, IPC_INBOX_MAX, &n), CDOP_UNAVAILABLE);
	ends[0] = -1;
}

static void
a_header_that_lies_is_refused(void **state)
{
	uint8_t good[IPC_HEADER_LEN + 4], bad[IPC_HEADER_LEN + 4];
	struct ipc_packet packet = {1, IPC_FRAME, 0, {good, 4}};
	struct ipc_packet got = {.conn = 99};
	struct cdop_bytes data = {bad, sizeof(bad)};
	size_t len;

	(void)state;
	memset(good, 0, sizeof(good));
	ipc_write_header(&packet, good);
	memcpy(bad, good, sizeof(bad));
	assert_int_equal(ipc_parse(&data, &packet), CDOP_OK);
	assert_int_equal(data.len, 0);
	data.data = bad;
	for (len = 0; len < sizeof(bad); len++) {
		data.len = len;
		assert_int_equal(ipc_parse(&data, &got), CDOP_INVALID_ARGUMENT);
		assert_int_equal(data.len, len);
	}
	for (len = 0; len < 256; len++) {
		bad[8] = (uint8_t)len;
		data = (struct cdop_bytes){bad, sizeof(bad)};
		assert_int_equal(ipc_parse(&data, &packet),
		    len >= 1 && len <= 9 ? CDOP_OK : CDOP_INVALID_ARGUMENT);
	}
	data = (struct cdop_bytes){bad, sizeof(bad)};
	bad[8] = IPC_FRAME;
	bad[10] = 1;
	assert_int_equal(ipc_parse(&data, &got), CDOP_INVALID_ARGUMENT);
	bad[10] = 0;
	bad[11] = 1;
	assert_int_equal(ipc_parse(&data, &got), CDOP_INVALID_ARGUMENT);
	bad[11] = 0;
	bad[12] = 0xff;
	assert_int_equal(ipc_parse(&data, &got), CDOP_INVALID_ARGUMENT);
	bad[12] = 0;
	bad[15] = 5;
	assert_int_equal(ipc_parse(&data, &got), CDOP_INVALID_ARGUMENT);
	assert_int_equal(got.conn, 99);
}

static void
a_packet_that_is_too_long_or_malformed_breaks_the_link(void **state)
{
	static uint8_t huge[IPC_PACKET_MAX + 1];
	size_t n = 99;

	(void)state;
	assert_true(send(ends[0], huge, sizeof(huge), 0) > 0);
	assert_int_equal(
	    ipc_recv_many(ends[1], inbox, 16, &n), CDOP_INVALID_ARGUMENT);
	assert_true(send(ends[0], huge, 15, 0) > 0);
	assert_int_equal(
	    ipc_recv_many(ends[1], inbox, 16, &n), CDOP_INVALID_ARGUMENT);
	assert_int_equal(n, 99);
}

/* A good packet does not make up for what stands behind it. */
static void
each_packet_of_a_message_is_looked_at_and_counted(void **state)
{
	uint8_t many[IPC_SEND_MAX + 1][IPC_HEADER_LEN];
	struct ipc_packet packet = {1, IPC_CLOSED, 0, {NULL, 0}};
	size_t i, n = 99;

	(void)state;
	for (i = 0; i <= IPC_SEND_MAX; i++)
		ipc_write_header(&packet, many[i]);
	assert_true(send(ends[0], many, sizeof(many), 0) > 0);
	assert_int_equal(
	    ipc_recv_many(ends[1], inbox, 16, &n), CDOP_INVALID_ARGUMENT);
	assert_true(send(ends[0], many, IPC_HEADER_LEN + 3, 0) > 0);
	assert_int_equal(
	    ipc_recv_many(ends[1], inbox, 16, &n), CDOP_INVALID_ARGUMENT);
	many[1][8] = 77;
	assert_true(send(ends[0], many, (size_t)2 * IPC_HEADER_LEN, 0) > 0);
	assert_int_equal(
	    ipc_recv_many(ends[1], inbox, 16, &n), CDOP_INVALID_ARGUMENT);
	assert_int_equal(n, 99);
	assert_true(send(ends[0], many, sizeof(many[0]), 0) > 0);
	assert_int_equal(ipc_recv_many(ends[1], inbox, 16, &n), CDOP_OK);
	assert_int_equal(n, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		the_header_is_as_on_paper, open_pair, close_pair),
	    cmocka_unit_test_setup_teardown(
		packets_arrive_whole_and_in_order, open_pair, close_pair),
	    cmocka_unit_test_setup_teardown(
		a_full_socket_takes_a_packet_whole_or_not_at_all, open_pair,
		close_pair),
	    cmocka_unit_test_setup_teardown(
		many_are_sent_at_once_as_far_as_there_is_room, open_pair,
		close_pair),
	    cmocka_unit_test_setup_teardown(
		small_ones_share_a_message, open_pair, close_pair),
	    cmocka_unit_test_setup_teardown(
		a_parcel_is_sent_whole_or_kept, open_pair, close_pair),
	    cmocka_unit_test_setup_teardown(
		each_packet_of_a_message_is_looked_at_and_counted, open_pair,
		close_pair),
	    cmocka_unit_test_setup_teardown(
		an_end_that_is_gone_is_known_on_both_sides, open_pair,
		close_pair),
	    cmocka_unit_test_setup_teardown(
		who_went_without_listening_is_still_heard, open_pair,
		close_pair),
	    cmocka_unit_test_setup_teardown(
		a_header_that_lies_is_refused, open_pair, close_pair),
	    cmocka_unit_test_setup_teardown(
		a_packet_that_is_too_long_or_malformed_breaks_the_link,
		open_pair, close_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
