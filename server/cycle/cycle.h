/*
 * The vault's cycle: drain, open, apply, commit, answer (server/DESIGN.md).
 *
 * It owns the sessions and the batch.  While a commit waits for the disk the
 * next batch gathers in the socket: group commit without a lock or a timer.
 * While a small one is run whoever comes joins it.
 */
#ifndef CDOP_CYCLE_CYCLE_H
#define CDOP_CYCLE_CYCLE_H

#include <stdbool.h>
#include <stdint.h>

#include "cdop/err.h"
#include "server/rpc/sealed.h"

struct boot_set;
struct control_note;
struct cycle;
struct lockmem;
struct registry;

struct cycle_args {
	struct lockmem *mem;
	struct control_note *note;
	uint64_t held_back; /* device that ended the last vault; 0: none */
	/* While it is sealed, for custodians; boot NULL: nobody comes in. */
	const struct boot_set *boot;
	const uint8_t *registry; /* 16 */
	sealed_share_fn *share;
	void *share_ctx;
	uint32_t handshake_s; /* preamble to message 3 */
	uint32_t idle_s;
	/* A person says: it is that day, YYYYMMDD.  0: nobody does. */
	uint32_t clock_day;
	uint32_t calls; /* of a device at a stretch; 0: as usual */
};

CDOP_MUST enum cdop_err cycle_new(
    const struct cycle_args *args, struct cycle **ret_cycle);
/* Ends every session.  NULL is fine. */
void cycle_free(struct cycle *cycle);

/*
 * The registry is open from now on, by the slot of that number and the shares
 * of these bits; the first leaf says so.  Borrowed.
 */
void cycle_open(
    struct cycle *cycle, struct registry *reg, uint16_t slot, uint16_t shares);

/* A new gate: every session is gone.  The descriptor is the cycle's. */
void cycle_set_link(struct cycle *cycle, int fd);

/* -1: the gate is gone and another is to come. */
int cycle_link(const struct cycle *cycle);

/* Wants to write to the link. */
bool cycle_wants_write(const struct cycle *cycle);

/* How long the loop may sleep, milliseconds; 0: there is work left. */
int cycle_sleep_ms(const struct cycle *cycle);

/*
 * One turn.  CDOP_DATA_LOSS: the outcome of a commit is unknown; leave at
 * once and answer nothing.
 */
CDOP_MUST enum cdop_err cycle_turn(struct cycle *cycle);

#endif
