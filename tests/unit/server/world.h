/*
 * A whole open registry in a temporary directory, with one person of each
 * kind, for tests that go through dispatch: no gate, no session, no socket.
 *
 * Areas and codes are those of packaging/profiles/merseyside.conf; the mode
 * is training; the clock is the test's.
 */
#ifndef CDOP_TESTS_WORLD_H
#define CDOP_TESTS_WORLD_H

#include "cdop/arena.h"
#include "cdop/call.h"
#include "registry.pb-c.h"
#include "server/registry/registry.h"
#include "server/rpc/dispatch.h"

/* Each is a person and, with the same number, a device. */
enum world_who {
	WORLD_NOBODY = 0, /* under an invitation */
	WORLD_ADMIN_1,
	WORLD_ADMIN_2,
	WORLD_COORDINATOR,        /* all areas */
	WORLD_COORDINATOR_WIRRAL, /* wirral alone */
	WORLD_PARTNER_WIRRAL,
	WORLD_PARTNER_SEFTON,
	WORLD_PANEL_MEMBER,
	WORLD_ANALYST,
	WORLD_CUSTODIAN,
	WORLD_AUDITOR,
	WORLD_PENDING, /* a partner whose device waits for activation */
	WORLD_REVOKED,
	WORLD_ADMIN_3,
	WORLD_N,
};

#define WORLD_MAP       ((uint64_t)256 << 20)
#define WORLD_ROOM_ROWS 32 /* where there is less room than usual */

struct world {
	char dir[64];
	uint8_t k[32]; /* opens slot 0 */
	struct lockmem *mem;
	struct undo *undo;
	struct keystore *ks;
	struct rows *rows;
	struct registry *reg;
	struct cdop_arena *arena;
	uint64_t now_ms;
	uint64_t next_key;  /* makes request keys differ */
	bool abort;         /* calls are aborted, whatever came of them */
	bool receipt;       /* world_call() asks for one */
	size_t room;        /* on the disk for a batch; 0: a lot */
	size_t budget;      /* memory a call may take; 0: as much as it likes */
	uint64_t waited_ms; /* how long a call has been here */
	bool expired;       /* its session is over an hour old */
	uint8_t session[16];    /* of whoever calls */
	uint64_t map_bytes;     /* of the next opening; 0: 256 MiB */
	uint64_t reserve_bytes; /* likewise; 0: none */
};

/* What came back of a call.  Pointers are good until the next call. */
struct world_answer {
	/* Not CDOP_OK: dispatch had to abort the batch, or it was not
	 * committed. */
	enum cdop_err failed;
	const Cdop__Reply *reply;    /* NULL when failed, or aborted */
	enum cdop_err packed_status; /* of an aborted call that got so far */
	struct dispatch_result result;
};

void world_make(struct world *world);
void world_end(struct world *world);

/* Closes and opens again from the disk. */
void world_reopen(struct world *world);

/* The parts of the above, for a copy of the directory. */
void world_open(struct world *world);
/* What loading says; to be closed in any case. */
enum cdop_err world_try_open(struct world *world, const char **ret_why);
void world_close(struct world *world);
void world_unlink(struct world *world);

const char *world_name(enum world_who who);

/* What a device proves itself with: X25519 secret, its public key, PSK. */
struct world_keys {
	uint8_t secret[32];
	uint8_t public_key[32];
	uint8_t psk[32];
};

struct world_keys world_keys(enum world_who who);

/*
 * One call in a batch of its own; purpose "case_work", use SCREEN, and a fresh
 * request key.  body may be NULL.
 */
void world_call(struct world *world, enum world_who who, uint32_t method,
    const ProtobufCMessage *body, struct world_answer *ret_answer);

/* The same with everything in the envelope the caller's. */
void world_send(struct world *world, enum world_who who, const Cdop__Call *call,
    struct world_answer *ret_answer);

/* Also what a key of now looks like. */
void world_key(struct world *world, uint8_t out[static 16]);

/* A batch of the test's own, of so many bytes and rows at most. */
void world_begin(struct world *world, size_t bytes, size_t rows);
void world_commit(struct world *world);
void world_roll_back(struct world *world);

/* Shares of people open it too from now on, any 2 of 4: else no backup. */
void world_share(struct world *world);

/* Unpacks a reply's body; asserts that it is there. */
void *world_body(struct world *world, const struct world_answer *answer,
    const ProtobufCMessageDescriptor *desc);

/* What an approver's client binds a yes to, and the yes or no with it; reason
 * may be NULL. */
void world_hash(const struct world *world, const Cdop__Approval *approval,
    uint8_t out[static 32]);
void world_decide(struct world *world, enum world_who who,
    const Cdop__Approval *approval, bool yes, char *reason,
    struct world_answer *ret_answer);

/*
 * A form that is accepted, of child number n (names and NHS number differ by
 * n) with this area of residence; in the world's arena.
 */
Cdop__Form *world_form(struct world *world, unsigned n, const char *residence);

/* Registers it as the coordinator of all areas; its reference, on the heap. */
char *world_register(struct world *world, unsigned n, const char *residence);

#endif
