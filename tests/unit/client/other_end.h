/*
 * A registry at the other end that answers what a test wants.  The program
 * includes other_end_conn.h, which has the functions of conn.c: that is not in
 * it.
 */
#ifndef CDOP_TESTS_UNIT_CLIENT_OTHER_END_H
#define CDOP_TESTS_UNIT_CLIENT_OTHER_END_H

#include "registry.pb-c.h"
#include "tests/unit/client/fixture.h"

/*
 * Fills in the only message of an answer, which is a good one without a body
 * so far.  What it points at has to last until the next call.
 */
typedef void other_end_fn(const Cdop__Call *call, Cdop__Reply *reply);

/*
 * Whatever f asks from now on, fn answers.  Its log has no key that anybody
 * has pinned.
 */
void other_end_start(struct fixture *f, other_end_fn *fn);

/* Runs a command, by its words, with one argument (NULL: none). */
enum exit_code other_end_run(const char *words, const char *arg);

/* Packed, in the fixture's arena. */
ProtobufCBinaryData other_end_pack(const ProtobufCMessage *message);

/* How many calls there were of this method since the start. */
unsigned other_end_calls(uint32_t method);

/* ---- For other_end_conn.h alone ---- */

void other_end_open(void);
void other_end_take(struct cdop_bytes message);
struct cdop_bytes other_end_say(void);

#endif
