/* Replies that wait until the gate has thrown away what it held. */
#include <stdlib.h>
#include <string.h>

#include "cdop/secret.h"
#include "server/cycle/cycle_state.h"

#define DISCARD_MS 100 /* the gate's word is awaited so long */

static void
drop_held(struct cycle *cycle)
{
	struct cycle_held *held = STAILQ_FIRST(&cycle->held);

	STAILQ_REMOVE_HEAD(&cycle->held, entry);
	cdop_secret_wipe(held->reply, held->len);
	free(held);
}

void
cycle_held_drop(struct cycle *cycle)
{
	while (!STAILQ_EMPTY(&cycle->held))
		drop_held(cycle);
}

enum cdop_err
cycle_hold(struct cycle *cycle, const struct session *session,
    struct cdop_bytes reply, uint64_t boot_ms)
{
	struct cycle_held *held;

	held = malloc(sizeof(*held) + reply.len);
	if (held == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	held->conn = session->conn;
	held->until_ms = boot_ms + DISCARD_MS;
	held->len = reply.len;
	memcpy(held->reply, reply.data, reply.len);
	STAILQ_INSERT_TAIL(&cycle->held, held, entry);
	return CDOP_OK;
}

void
cycle_held_release(struct cycle *cycle, uint64_t boot_ms)
{
	struct cycle_held *held;
	struct session *session;

	while ((held = STAILQ_FIRST(&cycle->held)) != NULL) {
		if (cycle->discards > 0 && boot_ms < held->until_ms)
			return;
		session = cycle_find(cycle, held->conn);
		if (session != NULL && !session->discarding &&
		    session_put(session,
			(struct cdop_bytes){held->reply, held->len}) != CDOP_OK)
			session->failed = CYCLE_FAILED_MAX;
		drop_held(cycle);
	}
}
