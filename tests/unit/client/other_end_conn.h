/*
 * The functions of conn.c, for the one program that includes this: whoever
 * links with it has no other connection than to other_end.c.
 */
#ifndef CDOP_TESTS_UNIT_CLIENT_OTHER_END_CONN_H
#define CDOP_TESTS_UNIT_CLIENT_OTHER_END_CONN_H

#include "tests/unit/client/no_conn.h"
#include "tests/unit/client/other_end.h"

struct conn {
	char nothing;
};

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

#endif
