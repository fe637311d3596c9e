/*
 * The functions of conn.c, for the one program that includes this: whoever
 * links with it has no other connection than to other_end.c.
 */
#ifndef CDOP_TESTS_UNIT_CLIENT_OTHER_END_CONN_H
#define CDOP_TESTS_UNIT_CLIENT_OTHER_END_CONN_H

#include "client/conn.h"
#include "tests/unit/client/other_end.h"

struct conn {
	char nothing;
};

uint64_t
conn_now_ms(void)
{
	static uint64_t now;

	return ++now;
}

void
conn_on_wait(conn_wait_fn *fn, void *arg)
{
	(void)fn;
	(void)arg;
}

enum conn_end
conn_open(const struct conn_args *args, struct conn **ret_conn, bool *ret_gone)
{
	static struct conn conn;

	(void)args;
	*ret_gone = false;
	*ret_conn = &conn;
	other_end_open();
	return CONN_OK;
}

void
conn_close(struct conn *conn)
{
	(void)conn;
}

const uint8_t *
conn_hash(const struct conn *conn)
{
	static const uint8_t hash[CDOP_NOISE_HASH_LEN] = {1};

	(void)conn;
	return hash;
}

int
conn_fd(const struct conn *conn)
{
	(void)conn;
	return -1;
}

enum conn_end
conn_send(struct conn *conn, struct cdop_bytes message)
{
	(void)conn;
	other_end_take(message);
	return CONN_OK;
}

enum conn_end
conn_next(
    struct conn *conn, uint64_t deadline_ms, struct cdop_bytes *ret_message)
{
	(void)conn;
	(void)deadline_ms;
	*ret_message = other_end_say();
	return CONN_OK;
}

enum conn_end
conn_poll(struct conn *conn, struct cdop_bytes *ret_message)
{
	(void)conn;
	*ret_message = (struct cdop_bytes){NULL, 0};
	return CONN_OK;
}

void
conn_done(struct conn *conn)
{
	(void)conn;
}

#endif
