/*
 * The functions of conn.c that say nothing, for the one program that includes
 * this and is its own other end: it has conn_open, conn_send and conn_next.
 */
#ifndef CDOP_TESTS_UNIT_CLIENT_NO_CONN_H
#define CDOP_TESTS_UNIT_CLIENT_NO_CONN_H

#include "client/conn.h"

/* The clock goes by the times that it is looked at. */
static uint64_t no_conn_tick_ms = 1;

uint64_t
conn_now_ms(void)
{
	static uint64_t now;

	return now += no_conn_tick_ms;
}

void
conn_on_wait(conn_wait_fn *fn, void *arg)
{
	(void)fn;
	(void)arg;
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

void
conn_done(struct conn *conn)
{
	(void)conn;
}

#endif
