/*
 * Clients of a vault in the test's process: they sign in as often as it
 * takes, ask for receipts and hold them against the log's key, and believe
 * nothing that they cannot check.
 */
#ifndef CDOP_TESTS_FAULT_CLIENT_H
#define CDOP_TESTS_FAULT_CLIENT_H

#include "registry.pb-c.h"
#include "tests/fault/house.h"
#include "tests/fault/keep.h"

/* One end of a session. */
struct client;

/* Everybody who has a session, and the arena of what they hear. */
struct town {
	struct house *house;
	struct keep *keep;
	struct cdop_arena *arena;
	uint8_t registry[16];
	uint8_t server[32];
	uint8_t log_key[32];
	struct client *client[WORLD_N + 2];
};

/* Above the cast: who holds the invitation, before and after enrolling. */
#define TOWN_INVITED WORLD_N
#define TOWN_NEW     (WORLD_N + 1)

enum town_heard {
	TOWN_ANSWERED,
	TOWN_CLOSED, /* without an answer */
	TOWN_DEAD,   /* the vault has left */
};

void town_open(struct town *town, struct house *house, struct keep *keep);
void town_close(struct town *town);

/* Turns of the vault with everybody listening; false: it has left. */
bool town_turn(struct town *town);

/*
 * A call under that key, in a session that is there or a new one.  Replies
 * of a stream are handed to more(), which may be NULL, the last is returned.
 */
typedef void town_more_fn(void *ctx, const Cdop__Reply *reply);
enum town_heard town_call(struct town *town, unsigned who,
    const struct keep_op *op, town_more_fn *more, void *ctx,
    Cdop__Reply **ret_reply);

/* The comparison string of the session of one that has enrolled. */
void town_compare(struct town *town, unsigned who, char out[static 20]);
/* Its session ends. */
void town_leave(struct town *town, unsigned who);

#endif
