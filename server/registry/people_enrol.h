/*
 * From an invitation to an active device, and the PSK that turns on the way
 * and afterwards (TRUST M9).  Every step may lose its reply: repeating it
 * gives the same state, and a client that kept both PSKs is never out.
 */
#ifndef CDOP_REGISTRY_PEOPLE_ENROL_H
#define CDOP_REGISTRY_PEOPLE_ENROL_H

#include "server/registry/people_act.h"

struct people_enrol_args {
	const uint8_t *invitation_id; /* 16 */
	const uint8_t *public_key;    /* 32, as the handshake proved it */
	const uint8_t *handshake;     /* 64 */
	const uint8_t *client_random; /* 32 */
	const char *label;
};

/*
 * Makes the key of this session a device that waits.  The same key again
 * gets the same device, another next PSK and this session's comparison
 * string.  Another key is refused and flags both (act->kept).
 */
CDOP_MUST enum cdop_err people_enrol_device(struct people_act *act,
    const struct people_enrol_args *args, uint8_t ret_server_random[static 32],
    uint32_t *ret_device);

/*
 * A new next PSK for the device that asks.  psk_id names the PSK its session
 * was proved under.  CDOP_FAILED_PRECONDITION: that is not the current one
 * any more, so both sides would make different keys.
 */
struct people_enrol_turn_args {
	const uint8_t *psk_id;        /* 16 */
	const uint8_t *handshake;     /* 64 */
	const uint8_t *client_random; /* 32 */
};

CDOP_MUST enum cdop_err people_enrol_turn(struct people_act *act,
    const struct people_enrol_turn_args *args,
    uint8_t ret_server_random[static 32]);

/*
 * Activates a device that waits, by the comparison string that its owner
 * read out.  act->person is another than the owner and the inviter.  In
 * setup, and only there, a pending administrator of init may activate the
 * other; both become active when each has typed the other's.
 *
 * A string that does not fit is counted (act->kept); after PEOPLE_WRONG_MAX
 * the device is flagged for ever.  *ret_open: the registry left setup.
 */
CDOP_MUST enum cdop_err people_enrol_activate(
    struct people_act *act, uint32_t device, const char *typed, bool *ret_open);

/*
 * In setup: those invited at init or by recover-people who are not active and
 * still can be, because their invitation or the device it made is good.
 */
size_t people_enrol_founders(const struct people *people, uint64_t now_ms);

/* The one device of a person that waits, or 0 where it is none or several. */
uint32_t people_enrol_waiting(const struct people *people, uint32_t person);

#endif
