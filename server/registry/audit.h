/*
 * The audit log: one leaf for every call, in the same transaction as the act
 * and before its answer (TRUST M4, RECORDS M11).
 *
 * What a leaf is made of stands in proto/PROTOCOL.md, "Leaves" (cdop/leaf.h).
 *
 * A commitment is HMAC-SHA256(salt, value); the salt is BLAKE2b-256 keyed
 * with the leaf secret over the field's label ("request", "outcome",
 * "counts", and where no single case is concerned "case" and "reason").  For
 * a call about one case the last two are salted from a secret of their own
 * that lies sealed under the case key (the case box): when that key is
 * destroyed, nobody can test a guess any more.
 *
 *	request	 the request message's bytes, as they came
 *	case	 the references that left, joined by a newline
 *	outcome	 status u16 || reason word
 *	counts	 cases released u32 || what an event counts u64
 *	reason	 purpose text || 0x00 || reason text
 *
 * Leaf, secret and plain words are one sealed row.  The words carry
 * references, persons and codes, never a field of an identity class and
 * never free text: those lie in the case box, in the TERMS row or, where it
 * is about people or the registry, in the REASON row (adr/0020).
 */
#ifndef CDOP_REGISTRY_AUDIT_H
#define CDOP_REGISTRY_AUDIT_H

#include "cdop/arena.h"
#include "cdop/leaf.h"
#include "server/registry/registry.h"
#include "stored.pb-c.h"

/* What is logged without being a call; they share the numbers of calls. */
enum audit_event {
	AUDIT_EVENT_INIT = 1000,      /* the registry was made */
	AUDIT_EVENT_SESSION = 1001,   /* a handshake was completed */
	AUDIT_EVENT_REFUSED = 1002,   /* handshakes that failed: a count */
	AUDIT_EVENT_UNSEALED = 1003,  /* a vault was opened; count: slot */
	AUDIT_EVENT_RECOVERED = 1005, /* recover-people, offline */
	AUDIT_EVENT_STATEMENT = 1006, /* the log goes on under a new key */
	AUDIT_EVENT_RESTORED = 1007,  /* marked on the host; count: leaves */
	AUDIT_EVENT_FORGOTTEN = 1008, /* search terms; reason: which quarter */
	AUDIT_EVENT_SCRUBBED = 1009,  /* the log was looked through; count:
				       * leaves; reason: what ended it */
	AUDIT_EVENT_KEYS = 1010, /* a rotation; reason: how far; count: keys */
	AUDIT_EVENT_KEY_GONE = 1011,     /* reason: area and id of the key */
	AUDIT_EVENT_ROOT = 1012,         /* made anew on the host; count:
					  * rotation */
	AUDIT_EVENT_SHEET = 1013,        /* a recovery sheet was written */
	AUDIT_EVENT_DROPPED = 1014,      /* what waited, by a restore; count */
	AUDIT_EVENT_LEFT_OUT = 1015,     /* a person, by a restore; reason:
					  * suspended or revoked; count: the
					  * device, 0: all of them */
	AUDIT_EVENT_TAKEN_BACK = 1016,   /* invitations, by a restore; count */
	AUDIT_EVENT_SLOT_ADDED = 1020,   /* on the host; count: slot */
	AUDIT_EVENT_SLOT_REMOVED = 1021, /* likewise */
	AUDIT_EVENT_SLOT_TESTED = 1022,  /* likewise, and it was good */
	AUDIT_EVENT_SHARE_GIVEN = 1023,  /* while it was sealed; count: share */
};

struct actor;
struct cdop_living;
struct leaf_clock;

struct audit_released {
	const char *reference;
	uint32_t classes;
	const char *owner_area;
	const char *jurisdiction;
	const uint32_t *instances;
	size_t n_instances;
	const struct cdop_living *living;
	size_t n_living;
};

struct audit_term {
	const char *kind;
	const char *value;
};

/* What is to be said about one call or event.  Everything is borrowed. */
struct audit_entry {
	uint32_t call;
	uint64_t time_ms;
	const struct actor *actor; /* NULL: the daemon itself */
	struct cdop_bytes request;
	enum cdop_err answered;
	enum cdop_err outcome;
	const char *reason; /* stable word, or NULL */
	const char *purpose;
	Cdop__Use use; /* 0: not said */
	const struct audit_released *released;
	size_t n_released;
	const char *named; /* reference a refused call was about, or NULL */
	uint64_t case_key; /* of the one case concerned; 0: none or several */
	const char *purpose_text;
	const char *reason_text;
	bool keep_reason; /* in a row beside the leaf: it is about no case */
	const struct audit_term *terms;
	size_t n_terms;
	uint32_t subject_person;
	uint32_t second_person;
	uint32_t approved_method; /* what an Approve decided, or 0 */
	const uint8_t *approval;  /* 8 bytes: its number, or NULL */
	const uint8_t *digest;    /* 32 bytes, or NULL */
	uint64_t count;
	struct cdop_bytes statement; /* makes it a leaf of kind 3; len 0: no */
	const Cdop__StoredOutcome *stored; /* of an applied change, or NULL */
	const char *said_by_gate;
};

/*
 * What the asker may have of a leaf: all of it, and the salt of its own
 * request.  Nothing else in it can be opened with that.
 */
struct audit_receipt {
	uint64_t index;
	uint8_t leaf[CDOP_LEAF_LEN];
	uint8_t request_salt[32];
};

/* An empty log over the open rows of reg. */
CDOP_MUST enum cdop_err audit_new(
    struct registry *reg, struct audit **ret_audit);
void audit_free(struct audit *audit);

/*
 * Takes one LEAF row while the registry is opened, newest first.  *ret_more
 * says whether older ones are still wanted (request keys that are good);
 * arena is used meanwhile.
 * CDOP_DATA_LOSS when the row is not a leaf.
 */
CDOP_MUST enum cdop_err audit_load_leaf(struct audit *audit, uint64_t now_ms,
    struct cdop_bytes plain, struct cdop_arena *arena, bool *ret_more);

/* The time a leaf gets, as leaf_clock.h says. */
uint64_t audit_time(struct audit *audit, uint64_t wall_ms, uint64_t boot_ms);

/* Somebody says that it is that late: a registry stood still. */
void audit_say_day(struct audit *audit, uint64_t day_ms);

/* How the wall clock was when it was asked last. */
const struct leaf_clock *audit_clock(const struct audit *audit);

/*
 * Appends a leaf in the open transaction.  Errors of rows_put.  ret_receipt
 * may be NULL.
 */
CDOP_MUST enum cdop_err audit_append(struct audit *audit,
    struct cdop_arena *arena, const struct audit_entry *entry,
    struct audit_receipt *ret_receipt);

/* Request keys that are remembered. */
size_t audit_outcomes(const struct audit *audit);

/* Number of leaves. */
uint64_t audit_size(const struct audit *audit);

/*
 * What was applied under this key of this person, in arena, or NULL.  The
 * request hash in it is BLAKE2b-256 of method number and request bytes, as
 * audit_request_hash() makes it.
 */
CDOP_MUST enum cdop_err audit_outcome(const struct audit *audit,
    uint32_t person, const uint8_t key[static 16], struct cdop_arena *arena,
    const Cdop__StoredOutcome **ret_stored);
void audit_request_hash(
    uint8_t out[static 32], uint32_t method, struct cdop_bytes request);

/* A leaf that a walk has come to: good until the visit ends. */
struct audit_leaf {
	uint64_t index;
	uint64_t row;
	const Cdop__StoredLeaf *stored; /* in the walk's arena */
};

/*
 * Walks the log from the newest leaf down.  *cursor is 0 at first and where
 * to go on afterwards; 0 again when the beginning was reached.  Looks at no
 * more than `budget` rows, and at fewer where they are long.  The callback
 * returns false to stop after this one.
 */
typedef bool (*audit_visit)(void *ctx, const struct audit_leaf *leaf);
CDOP_MUST enum cdop_err audit_walk(struct audit *audit,
    struct cdop_arena *arena, uint64_t *cursor, size_t budget,
    audit_visit visit, void *ctx);

/*
 * Where audit_walk() meets the leaf of this index first, by halving over the
 * rows: their numbers and the leaves' are in one order.  CDOP_NOT_FOUND: the
 * log has no such leaf.
 */
CDOP_MUST enum cdop_err audit_seek(struct audit *audit,
    struct cdop_arena *arena, uint64_t index, uint64_t *ret_cursor);

#endif
