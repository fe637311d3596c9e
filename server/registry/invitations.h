/*
 * Invitations: one use, 72 hours, by a second channel.  Whoever activates
 * what comes of it is another person than the one who invited.
 */
#ifndef CDOP_REGISTRY_INVITATIONS_H
#define CDOP_REGISTRY_INVITATIONS_H

#include "server/registry/people_change.h"

/* The device that an invitation is for. */
struct invitations_device {
	const char *label;
	uint64_t expires_ms; /* UINT64_MAX: never */
};

/*
 * A new person and the invitation for a first device.  change holds the
 * whole record.  Errors of an act; *ret_invitation is the table's.
 */
CDOP_MUST enum cdop_err invitations_person(struct people_act *act,
    const struct people_change *change, const struct invitations_device *device,
    const struct people_invitation **ret_invitation);

/* An invitation for one more device of somebody who is invited or active. */
CDOP_MUST enum cdop_err invitations_more(struct people_act *act,
    uint32_t person, const struct invitations_device *device,
    const struct people_invitation **ret_invitation);

/*
 * Ends one that waits, or one that was used where what came of it is not
 * active yet: that device is revoked.
 */
CDOP_MUST enum cdop_err invitations_cancel(struct people_act *act,
    const uint8_t invitation_id[static 16], const char *reason);

/* What goes on record as its state: "waiting", "expired", ... */
const char *invitations_state(
    const struct people_invitation *invitation, uint64_t now_ms);

#endif
