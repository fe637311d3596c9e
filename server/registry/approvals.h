/*
 * Acts of two people that wait for the second one: the one mechanism for
 * all of them (TRUST M13).
 *
 * What waits is the exact request of one person for one call, the version
 * of what it is about, and the words in which it was put.  It is a sealed
 * row, survives a restart, and ends on leaf time, which no clock turns back.
 * Who may approve which call is not known here: the caller asks the policy.
 */
#ifndef CDOP_REGISTRY_APPROVALS_H
#define CDOP_REGISTRY_APPROVALS_H

#include "cdop/arena.h"
#include "cdop/bytes.h"
#include "server/registry/actor.h"
#include "server/registry/registry.h"
#include "stored.pb-c.h"

#define APPROVALS_MAX        256 /* waiting at one time */
#define APPROVALS_PERSON_MAX 32  /* of one requester */
#define APPROVALS_KEPT       64  /* of all, for what administrators ask */
#define APPROVALS_WORDS_MAX  16

/* A request to be filed.  Everything is borrowed. */
struct approval_ask {
	uint32_t method;
	const struct actor *actor;
	const uint8_t *request_key; /* 16 */
	struct cdop_bytes request;
	const uint8_t *target_version; /* 32 */
	const char *const *words;
	size_t n_words;
	const char *purpose; /* or NULL */
	uint64_t now_ms;
	uint32_t ttl_s;
};

/* One that waits.  Lives until it is dropped or the batch ends. */
struct approval {
	uint8_t number[8];
	uint64_t row;
	uint32_t method;
	uint32_t requester; /* person */
	uint32_t requester_device;
	uint32_t role; /* mask of one bit, or CDOP_ROLE_ANY */
	uint8_t request_key[16];
	struct cdop_bytes request;
	uint8_t target_version[32];
	uint8_t hash[32];
	uint64_t asked_ms;
	uint64_t expires_ms;
	const char *words[APPROVALS_WORDS_MAX];
	size_t n_words;
	const char *purpose; /* or NULL */
};

/* An empty table.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err approvals_new(
    struct registry *reg, struct approvals **ret_approvals);

/* Wipes and frees; NULL is fine. */
void approvals_free(struct approvals *approvals);

/*
 * Takes a row while the registry is opened.  CDOP_DATA_LOSS: not such a
 * row, or its hash is not that of what it holds.
 */
CDOP_MUST enum cdop_err approvals_load(struct approvals *approvals,
    uint64_t row, const Cdop__StoredApproval *stored);

/*
 * Files a request in the open transaction.  The same key of the same person
 * with the same request gives the number it got before.
 * CDOP_ALREADY_EXISTS: that key waits with another request.
 * CDOP_FAILED_PRECONDITION: too many wait, of this person or of all; the
 * last places are for administrators, who revoke people and turn keys.
 */
CDOP_MUST enum cdop_err approvals_file(struct approvals *approvals,
    struct cdop_arena *arena, const struct approval_ask *ask,
    uint8_t ret_number[static 8]);

/* One that waits and has not expired, or NULL. */
const struct approval *approvals_find(struct approvals *approvals,
    const uint8_t number[static 8], uint64_t now_ms);

/* All that wait and have not expired, oldest first: 0 to n - 1. */
size_t approvals_count(struct approvals *approvals, uint64_t now_ms);
const struct approval *approvals_at(
    struct approvals *approvals, size_t i, uint64_t now_ms);

/*
 * The next in that order behind a place, whether or not what stood there
 * still waits; behind 0 and zeros the first.  NULL: none.
 */
const struct approval *approvals_next(struct approvals *approvals,
    uint64_t asked_ms, const uint8_t number[static 8], uint64_t now_ms);

/* Removes one and its row, in the open transaction.  CDOP_NOT_FOUND. */
CDOP_MUST enum cdop_err approvals_drop(
    struct approvals *approvals, const uint8_t number[static 8]);

/* Removes all, expired or not, in the open transaction: *ret_n of them. */
CDOP_MUST enum cdop_err approvals_drop_all(
    struct approvals *approvals, size_t *ret_n);

#endif
