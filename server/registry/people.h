/*
 * Who there is: persons, their devices and the invitations that wait, in
 * memory while the registry is open.
 *
 * A person and a device credential are two things: rules that count people
 * count persons.  Nobody is ever deleted and no number is used again.  What
 * may be changed and by whom stands in people_rule.h and people_act.h;
 * this file holds the tables and answers what is so now.
 */
#ifndef CDOP_REGISTRY_PEOPLE_H
#define CDOP_REGISTRY_PEOPLE_H

#include "server/registry/actor.h"
#include "server/registry/registry.h"
#include "stored.pb-c.h"

#define PEOPLE_TEXT_ROOM   804  /* CDOP_TEXT_MAX characters and a NUL */
#define PEOPLE_REASON_ROOM 2004 /* CDOP_REASON_MAX characters and a NUL */
#define PEOPLE_ID_ROOM     48   /* an id of the profile and a NUL */
#define PEOPLE_AREAS_MAX   32
#define PEOPLE_GRANTS_MAX  16
#define PEOPLE_WRONG_MAX   5 /* comparison strings that did not fit */

#define PEOPLE_PERSONS_MAX     16383
#define PEOPLE_DEVICES_MAX     32767
#define PEOPLE_INVITATIONS_MAX 65535

#define PEOPLE_INVITATION_MS (72u * 3600u * 1000u) /* from invite to enrol */
#define PEOPLE_DAY_MS        (24u * 3600u * 1000u)

/* Bounds what one act writes: a revocation touches all of these. */
#define PEOPLE_DEVICES_EACH     8 /* not revoked, of one person */
#define PEOPLE_INVITATIONS_EACH 3 /* waiting, of one person */

/* By one person in a day: nobody alone fills the tables, which keep all. */
#define PEOPLE_INVITATIONS_DAY 256

struct people_grant {
	uint32_t role;     /* number of Role, not a mask */
	uint64_t from_ms;  /* 0: always was */
	uint64_t until_ms; /* UINT64_MAX: no end */
};

/*
 * Plain memory without pointers to other tables, so that the undo log can
 * put a whole one back.  Never moves once it is in the table.
 */
struct people_person {
	uint64_t row; /* 0: not stored yet */
	uint32_t number;
	uint32_t version;
	Cdop__PersonState state;
	char name[PEOPLE_TEXT_ROOM];
	char job_title[PEOPLE_TEXT_ROOM]; /* "": none */
	char agency[PEOPLE_ID_ROOM];      /* "": none */
	char area[PEOPLE_AREAS_MAX][PEOPLE_ID_ROOM];
	const char *areas[PEOPLE_AREAS_MAX]; /* into area */
	size_t n_areas;
	bool all_areas;
	struct people_grant grants[PEOPLE_GRANTS_MAX];
	size_t n_grants;
	uint64_t created_ms;
	uint32_t invited_by;   /* 0: at init */
	uint32_t activated_by; /* 0: not yet */
	uint64_t lapsed_ms;    /* an end up to here has taken effect for good */
	char reason[PEOPLE_REASON_ROOM];
};

struct people_device {
	uint64_t row;
	uint32_t number;
	uint32_t version;
	uint32_t person;
	Cdop__CredentialState state;
	char label[PEOPLE_TEXT_ROOM];
	uint8_t public_key[32];
	uint8_t fingerprint[32];
	uint8_t psk[32];
	uint8_t psk_next[32];
	bool has_next;
	uint64_t expires_ms; /* UINT64_MAX: never */
	uint64_t enrolled_ms;
	uint64_t seen_ms; /* to the day; 0: never */
	uint8_t comparison[10];
	uint8_t invitation_id[16];
	uint32_t activated_by; /* 0: not yet; in setup also while it waits */
	uint32_t wrong;        /* comparison strings that did not fit */
	uint8_t server_key[8]; /* of a next link key it has; link_key.h */
	char reason[PEOPLE_REASON_ROOM];
	uint32_t next_of_bucket; /* device number; 0: end */
};

struct people_invitation {
	uint64_t row;
	uint32_t version;
	uint8_t invitation_id[16];
	uint8_t psk[32]; /* zeros once it has served */
	uint32_t person;
	char label[PEOPLE_TEXT_ROOM];
	uint64_t expires_ms;
	Cdop__InvitationState state;
	uint32_t invited_by; /* 0: at init or recover-people */
	bool has_key;
	uint8_t public_key[32];
	uint32_t device;            /* 0: none yet */
	uint64_t device_expires_ms; /* UINT64_MAX: never */
	uint64_t created_ms;
};

/* Empty tables of a registry.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err people_new(
    struct registry *reg, struct people **ret_people);

/* Wipes and frees; NULL is fine. */
void people_free(struct people *people);

/*
 * Takes a row while the registry is opened, in any order.  CDOP_DATA_LOSS:
 * not a row that this daemon wrote, or a number or key that is there
 * already.
 */
CDOP_MUST enum cdop_err people_load_person(
    struct people *people, uint64_t row, const Cdop__StoredPerson *stored);
CDOP_MUST enum cdop_err people_load_credential(
    struct people *people, uint64_t row, const Cdop__StoredCredential *stored);
CDOP_MUST enum cdop_err people_load_invitation(
    struct people *people, uint64_t row, const Cdop__StoredInvitation *stored);

/* After the last row: every reference leads somewhere, or CDOP_DATA_LOSS. */
CDOP_MUST enum cdop_err people_loaded(const struct people *people);

/*
 * What a device may at this moment.  roles is 0 when it may do nothing:
 * unknown, suspended, revoked, flagged or expired; CDOP_ROLE_PENDING for
 * one that waits; else the roles in force and CDOP_ROLE_ANY.  handshake and
 * session are left zero.
 */
void people_actor(const struct people *people, uint32_t device, uint64_t now_ms,
    struct actor *ret_actor);

/*
 * The two PSKs that the responder tries for an enrolled key: current and
 * next, a random decoy for each that there is not, two decoys for a key
 * that is unknown or may do nothing (TRUST M9, S22).  *ret_device is the
 * number to go on with once the handshake is complete; 0 with decoys.
 * Wipe ret_psks after use.
 */
void people_psks(const struct people *people, const uint8_t key[static 32],
    uint64_t now_ms, uint8_t ret_psks[static 2][32], uint32_t *ret_device);

/* The same for a session under an invitation, whatever key it comes with. */
void people_invitation_psks(const struct people *people,
    const uint8_t invitation_id[static 16], uint64_t now_ms,
    uint8_t ret_psks[static 2][32]);

/*
 * A handshake was completed by an enrolled device: if it was under the next
 * PSK, that one is current from now on, and the day is kept as the last one
 * seen.  psk_id is people_psk_id() of the PSK that fitted.  In the open
 * transaction; *ret_turned says whether the PSK turned.
 * CDOP_UNAUTHENTICATED: that PSK was replaced in the meantime, and a client
 * that went on would keep the wrong one: close.
 */
CDOP_MUST enum cdop_err people_session_opened(struct people *people,
    struct cdop_arena *arena, uint32_t device, const uint8_t psk_id[static 16],
    uint64_t now_ms, bool *ret_turned);

/*
 * The name of a PSK, to be kept instead of it: a turn that was asked for in
 * the meantime makes another next one, and only the one that the client has
 * proved may become current.
 */
void people_psk_id(uint8_t out[static 16], const uint8_t psk[static 32]);

/* What stands for a device's public key in leaves: BLAKE2b-256 of it. */
void people_fingerprint(
    uint8_t out[static 32], const uint8_t public_key[static 32]);

/* By number or key; NULL: there is none. */
const struct people_person *people_person(
    const struct people *people, uint32_t number);
const struct people_device *people_device(
    const struct people *people, uint32_t number);
const struct people_device *people_by_key(
    const struct people *people, const uint8_t key[static 32]);
const struct people_invitation *people_invitation(
    const struct people *people, const uint8_t invitation_id[static 16]);

/* Highest number given; numbers run from 1 without a gap. */
uint32_t people_last_person(const struct people *people);
uint32_t people_last_device(const struct people *people);
/* Invitations, in no order: 0 to n - 1. */
uint32_t people_n_invitations(const struct people *people);
const struct people_invitation *people_invitation_at(
    const struct people *people, uint32_t i);

/* ---- for people_*.c ---- */

struct registry *people_registry(const struct people *people);

/*
 * An entry that may be written to: its present content is in the undo log.
 * CDOP_NOT_FOUND; errors of undo_save.
 */
CDOP_MUST enum cdop_err people_edit_person(
    struct people *people, uint32_t number, struct people_person **ret_person);
CDOP_MUST enum cdop_err people_edit_device(
    struct people *people, uint32_t number, struct people_device **ret_device);
CDOP_MUST enum cdop_err people_edit_invitation(struct people *people,
    const uint8_t invitation_id[static 16],
    struct people_invitation **ret_invitation);

/*
 * A copy of *from as a new entry, under the next number (which is set in
 * the entry), undone with the batch.  CDOP_RESOURCE_EXHAUSTED: table full.
 * CDOP_ALREADY_EXISTS: the key or invitation id is known.
 */
CDOP_MUST enum cdop_err people_add_person(struct people *people,
    const struct people_person *from, struct people_person **ret_person);
CDOP_MUST enum cdop_err people_add_device(struct people *people,
    const struct people_device *from, struct people_device **ret_device);
CDOP_MUST enum cdop_err people_add_invitation(struct people *people,
    const struct people_invitation *from,
    struct people_invitation **ret_invitation);

#endif
