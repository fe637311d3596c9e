/* The queue in front of the link: order, bounds, and a gate that is gone. */
#include "server/cycle/outbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "server/base/fds.h"

#define PACKETS_MAX (4u * CDOP_VAULT_SESSIONS_MAX)

struct fixture {
	struct outbox *outbox;
	struct ipc_inbox *inbox;
	int ours;
	int gate;
};

static int
setup(void **state)
{
	static struct fixture f;
	int fds[2];

	assert_int_equal(outbox_new(&f.outbox), CDOP_OK);
	assert_int_equal(ipc_inbox_new(&f.inbox), CDOP_OK);
	assert_int_equal(ipc_pair(fds), CDOP_OK);
	f.ours = fds[0];
	f.gate = fds[1];
	outbox_set_link(f.outbox, f.ours);
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	outbox_free(f->outbox);
	ipc_inbox_free(f->inbox);
	fds_close(f->ours);
	fds_close(f->gate);
	return 0;
}

static enum cdop_err
send_one(struct fixture *f, uint64_t conn)
{
	static const uint8_t bytes[60000];

	return outbox_send(f->outbox, conn, IPC_FRAME,
	    (struct cdop_bytes){bytes, sizeof(bytes)});
}

/* Until the socket is full and something waits; the next number. */
static uint64_t
fill(struct fixture *f, uint64_t conn)
{
	while (!outbox_waits(f->outbox))
		assert_int_equal(send_one(f, conn++), CDOP_OK);
	return conn;
}

/* Takes what is there; the numbers have to go on from *next. */
static void
drain(struct fixture *f, uint64_t *next)
{
	size_t i, n;

	while (ipc_recv_many(f->gate, f->inbox, IPC_INBOX_MAX, &n) == CDOP_OK &&
	    n > 0)
		for (i = 0; i < n; i++)
			assert_int_equal(
			    ipc_inbox_get(f->inbox, i)->conn, (*next)++);
}

static void
packets_keep_their_order_behind_a_full_socket(void **state)
{
	struct fixture *f = *state;
	uint64_t conn = fill(f, 1), next = 1;
	size_t i;

	for (i = 0; i < 20; i++)
		assert_int_equal(send_one(f, conn++), CDOP_OK);
	/* A full socket is no error. */
	assert_int_equal(outbox_flush(f->outbox), CDOP_OK);
	assert_true(outbox_waits(f->outbox));
	do {
		drain(f, &next);
		assert_int_equal(outbox_flush(f->outbox), CDOP_OK);
	} while (outbox_waits(f->outbox));
	drain(f, &next);
	assert_int_equal(next, conn);
}

static void
how_many_keys_stands_in_the_header(void **state)
{
	static const uint8_t keys[2 * IPC_KEY_LEN];
	struct fixture *f = *state;
	const struct ipc_packet *packet;
	size_t i, n, seen = 0;

	for (i = 0; i <= 2; i++)
		assert_int_equal(
		    outbox_send(f->outbox, 0, IPC_KEYS,
			(struct cdop_bytes){keys, i * IPC_KEY_LEN}),
		    CDOP_OK);
	assert_int_equal(
	    ipc_recv_many(f->gate, f->inbox, IPC_INBOX_MAX, &n), CDOP_OK);
	assert_int_equal(n, 3);
	for (i = 0; i < n; i++)
		assert_int_equal(ipc_inbox_get(f->inbox, i)->arg, i);

	/* Queued ones too. */
	(void)fill(f, 1);
	assert_int_equal(outbox_send(f->outbox, 0, IPC_KEYS,
			     (struct cdop_bytes){keys, sizeof(keys)}),
	    CDOP_OK);
	while (outbox_waits(f->outbox) || n > 0) {
		assert_int_equal(outbox_flush(f->outbox), CDOP_OK);
		assert_int_equal(
		    ipc_recv_many(f->gate, f->inbox, IPC_INBOX_MAX, &n),
		    CDOP_OK);
		for (i = 0; i < n; i++) {
			packet = ipc_inbox_get(f->inbox, i);
			if (packet->kind != IPC_KEYS)
				continue;
			assert_int_equal(packet->arg, 2);
			seen++;
		}
	}
	assert_int_equal(seen, 1);
}

static void
a_gate_that_reads_nothing_is_noticed(void **state)
{
	struct fixture *f = *state;
	enum cdop_err err = CDOP_OK;
	size_t n = 0;

	(void)fill(f, 1);
	while ((err = outbox_send(f->outbox, 1, IPC_CLOSE,
		    (struct cdop_bytes){NULL, 0})) == CDOP_OK)
		n++;
	assert_int_equal(err, CDOP_RESOURCE_EXHAUSTED);
	/* One waits since fill(). */
	assert_int_equal(n, PACKETS_MAX - 1);
}

static void
a_gate_that_is_gone_is_noticed(void **state)
{
	struct fixture *f = *state;

	(void)fill(f, 1);
	fds_close(f->gate);
	f->gate = -1;
	assert_int_equal(outbox_flush(f->outbox), CDOP_UNAVAILABLE);
	outbox_set_link(f->outbox, -1);
	assert_false(outbox_waits(f->outbox));
	assert_int_equal(send_one(f, 1), CDOP_UNAVAILABLE);
}

static void
a_new_link_gets_nothing_of_the_old_one(void **state)
{
	struct fixture *f = *state;
	int fds[2];
	size_t n;

	(void)fill(f, 1);
	assert_int_equal(ipc_pair(fds), CDOP_OK);
	fds_close(f->ours);
	fds_close(f->gate);
	f->ours = fds[0];
	f->gate = fds[1];
	outbox_set_link(f->outbox, f->ours);
	assert_false(outbox_waits(f->outbox));
	assert_int_equal(outbox_flush(f->outbox), CDOP_OK);
	assert_int_equal(
	    ipc_recv_many(f->gate, f->inbox, IPC_INBOX_MAX, &n), CDOP_OK);
	assert_int_equal(n, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(packets_keep_their_order_behind_a_full_socket),
	    TEST(how_many_keys_stands_in_the_header),
	    TEST(a_gate_that_reads_nothing_is_noticed),
	    TEST(a_gate_that_is_gone_is_noticed),
	    TEST(a_new_link_gets_nothing_of_the_old_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
