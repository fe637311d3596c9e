/*
 * What the parent and its children say to each other, over one
 * SOCK_SEQPACKET pair per child.  Not the link, where strangers' bytes are.
 */
#ifndef CDOP_BASE_CONTROL_H
#define CDOP_BASE_CONTROL_H

#include <stdatomic.h>
#include <stdbool.h>

#include "cdop/bytes.h"
#include "cdop/err.h"
#include "server/base/config.h"
#include "server/base/metrics.h"

/* Descriptors of a child when it starts. */
#define CONTROL_FD            3
#define CONTROL_LINK_FD       4
#define CONTROL_KEY_FD        5 /* vault: key file, where there is one */
#define CONTROL_NOTE_FD       6 /* vault: shared page, struct control_note */
#define CONTROL_CREDENTIAL_FD 7 /* vault: of the service manager */
#define CONTROL_BOOT_FD       8 /* vault: the boot key file */
#define CONTROL_LISTEN_FD     5 /* gate: the first of its listeners */

/* A vault reads its registry, at a start or when it is unsealed. */
#define CONTROL_OPEN_MS 900000

#define CONTROL_BODY_MAX   4096
#define CONTROL_SLOTS_MAX  64
#define CONTROL_STATE_MAX  32 /* a state word, with its NUL */
#define CONTROL_SALT_LEN   16
#define CONTROL_SECRET_LEN 32
#define CONTROL_SHARE_LEN  50 /* a packed share, cdop/share.h */

/*
 * Exit status of a child that must not be started again: the parent leaves
 * too, with the same status.  Numbers of sysexits.h.
 */
#define CONTROL_EXIT_DATA   65 /* the registry is damaged or rolled back */
#define CONTROL_EXIT_CONFIG 78 /* no registry there, no key, wrong mode */
/* The parent's own, when children died too often. */
#define CONTROL_EXIT_RESTARTS 70

enum control_kind {
	/* parent to child */
	CONTROL_START = 1,  /* struct control_start; the first message */
	CONTROL_CONFIG = 2, /* struct config: the reloadable part counts */
	CONTROL_STOP = 3,   /* finish what is queued and exit 0 */
	CONTROL_LINK = 4,   /* descriptor: a new sibling, the old link is dead;
			     * u64: its number */
	CONTROL_UNSEAL = 5, /* descriptor: see "The channel" below */
	CONTROL_PING = 6,   /* answer with CONTROL_PONG */
	/* child to parent */
	CONTROL_READY = 16, /* sandbox on; vault: its state word */
	CONTROL_STATE = 17, /* vault: the state word has changed */
	CONTROL_SLOTS = 18, /* vault: sealed; its slots, see below */
	CONTROL_PONG = 19,
	CONTROL_LOST = 20,    /* vault: the gate is gone or broken; u64: which
			       * link it was */
	CONTROL_OPENING = 21, /* vault: a key came; it reads its rows, and is
			       * silent until it has */
};

/* Sent within one build of one program: plain memory, no layout of its own. */
struct control_start {
	struct config conf;
	uint64_t first_conn; /* gate: its connection ids grow from here */
	uint64_t link;       /* number of the link, from 1 on */
	uint64_t held_back;  /* vault: see struct vault_fds */
	uint32_t n_listen;   /* gate: descriptors from CONTROL_LISTEN_FD on */
	uint32_t has_key;    /* vault */
	uint32_t has_credential;
	uint32_t has_boot;
};

/*
 * The page the vault shares with the parent, so that a death tells whose
 * request did it (TRUST-DECISIONS S23) at the price of a store; and what is
 * counted for the monitor.
 */
struct control_note {
	_Atomic uint64_t credential; /* being worked on; 0: none */
	struct metrics metrics;
};

/* One slot of a sealed vault, and of a passphrase what Argon2id needs. */
struct control_slot {
	uint16_t slot;
	uint8_t kind; /* enum slots_kind */
	uint8_t salt[CONTROL_SALT_LEN];
	uint32_t passes;
	uint32_t memory_kib;
};

/* What the vault starts with. */
struct vault_fds {
	int control;
	int link;
	int key;        /* -1: none.  Shared offset: use pread */
	int credential; /* likewise */
	int boot;       /* likewise */
	uint64_t link_number;
	struct control_note *note; /* never NULL */
	uint64_t held_back; /* credential whose request ended the last vault:
			     * hold it back for a minute; 0: none */
};

/* A message received; fd is the caller's to close, -1 when there is none. */
struct control_msg {
	enum control_kind kind;
	int fd;
	size_t len;
	uint8_t body[CONTROL_BODY_MAX + 1]; /* a byte more while received */
};

/* Non-blocking, closed on exec. */
CDOP_MUST enum cdop_err control_pair(int ret_fds[2]);

/*
 * Sends a message, with a descriptor that stays the caller's (-1: none).
 * CDOP_RESOURCE_EXHAUSTED: socket full.  CDOP_UNAVAILABLE: nobody there.
 */
CDOP_MUST enum cdop_err control_send(
    int fd, enum control_kind kind, struct cdop_bytes body, int passed);

/*
 * Receives one message without waiting.  CDOP_NOT_FOUND: nothing waits.
 * CDOP_UNAVAILABLE: the other end is gone; a child leaves at once.
 * CDOP_INVALID_ARGUMENT: not a message of ours.
 */
CDOP_MUST enum cdop_err control_recv(int fd, struct control_msg *ret_msg);

/* control_recv that waits up to timeout_ms.  CDOP_DEADLINE_EXCEEDED. */
CDOP_MUST enum cdop_err control_wait(
    int fd, int timeout_ms, struct control_msg *ret_msg);

/* CONTROL_READY or CONTROL_STATE with a state word ("open", "sealed"). */
CDOP_MUST enum cdop_err control_send_state(
    int fd, enum control_kind kind, const char *state);

/*
 * CONTROL_SLOTS: at each start and when the vault becomes sealed, and with
 * n 0 once it is open.  n at most CONTROL_SLOTS_MAX.  A sealed vault counts
 * as ready only when it has said them.
 */
CDOP_MUST enum cdop_err control_send_slots(
    int fd, const struct control_slot *slots, size_t n);

/* CDOP_INVALID_ARGUMENT for a body that is no list of slots. */
CDOP_MUST enum cdop_err control_parse_slots(struct cdop_bytes body,
    struct control_slot ret_slots[static CONTROL_SLOTS_MAX], size_t *ret_n);

/*
 * The channel of CONTROL_UNSEAL, a SOCK_SEQPACKET pair of its own.  The
 * short-lived child offers one slot's key at a time:
 *
 *     slot u16 || 32 bytes
 *
 * and the vault answers one byte, 1 opened or 0 no.  Or it hands over one
 * packed share, of CONTROL_SHARE_LEN bytes, and the answer is
 *
 *     opened u8 || verdict u8 || have u8 || need u8
 *
 * Either may close.  The calls wipe nothing: the caller wipes what it holds.
 */
#define CONTROL_OFFER_LEN (2 + CONTROL_SECRET_LEN)

/* What the vault took. */
struct control_offered {
	bool is_share;
	uint16_t slot; /* of a key */
	uint8_t secret[CONTROL_SHARE_LEN];
};

/* What became of a share. */
struct control_shared {
	bool opened;
	uint8_t verdict; /* enum shares_verdict */
	uint8_t have;
	uint8_t need;
};

/* Child: sends an offer and waits up to timeout_ms for the answer. */
CDOP_MUST enum cdop_err control_offer(int fd, uint16_t slot,
    const uint8_t secret[static CONTROL_SECRET_LEN], int timeout_ms,
    bool *ret_opened);

/* Child: the same with a share. */
CDOP_MUST enum cdop_err control_share(int fd,
    const uint8_t share[static CONTROL_SHARE_LEN], int timeout_ms,
    struct control_shared *ret_shared);

/*
 * Vault: takes an offer without waiting.  CDOP_NOT_FOUND: none waits.
 * CDOP_UNAVAILABLE: the child is gone; close the channel.
 */
CDOP_MUST enum cdop_err control_offer_recv(
    int fd, struct control_offered *ret_offered);

/* Vault: answers the offer of a key, and that of a share. */
CDOP_MUST enum cdop_err control_offer_answer(int fd, bool opened);
CDOP_MUST enum cdop_err control_share_answer(
    int fd, const struct control_shared *shared);

/*
 * Which credential is being worked on: before a request is parsed or
 * applied, and 0 when it is done.
 */
void control_note_set(struct control_note *note, uint64_t credential);
uint64_t control_note_get(struct control_note *note);

#endif
