/*
 * What the gate's connections have in common: the socket to the vault, the
 * server's public keys, the lists.  link.c is one connection, this is all
 * of them.
 */
#ifndef CDOP_GATE_HUB_H
#define CDOP_GATE_HUB_H

#include <sys/queue.h>

#include "cdop/link.h"
#include "server/base/control.h"
#include "server/base/ipc.h"
#include "server/gate/limits.h"

#define HUB_KEYS_MAX 2
#define HUB_BUCKETS  2048 /* ids are given in a row, so this is enough */

struct event;
struct event_base;
struct link;
TAILQ_HEAD(hub_links, link);
LIST_HEAD(hub_bucket, link);
STAILQ_HEAD(hub_debts, hub_debt);

/* A packet the vault must get and had no room for. */
struct hub_debt {
	STAILQ_ENTRY(hub_debt) next;
	uint64_t conn;
	enum ipc_kind kind; /* IPC_CLOSED or IPC_DISCARDED */
};

struct hub {
	struct event_base *base;
	struct config conf; /* the reloadable part may change */
	struct limits *limits;
	struct ipc_inbox *inbox;

	int vault; /* -1: none now */
	struct event *vault_read;
	struct event *vault_write;
	struct ipc_parcel parcel; /* for the vault: what came in one turn */
	struct event *post;       /* sends it, when all have been heard */
	bool blocked;             /* the vault's socket is full */
	bool broken; /* out of memory where that loses a promise: restart */
	bool lost;   /* the vault has gone since hub_attach */
	struct hub_debts debts;

	uint8_t mac1_keys[HUB_KEYS_MAX][CDOP_KEY_LEN];
	size_t n_keys;
	bool keys_known; /* before that nobody is let in */

	uint64_t next_conn;
	struct hub_links links;     /* all that live */
	struct hub_links half_open; /* oldest first */
	struct hub_links dirty;     /* something new to write */
	struct hub_links graves;    /* closed; freed from the loop */
	struct hub_bucket buckets[HUB_BUCKETS];
	size_t n_links;
	size_t n_half_open;
	size_t queued; /* bytes for clients, all of them */
	struct event *bury;
	struct event *sweep;

	/* Called from the loop when room, keys or lost have changed. */
	void (*changed)(void *ctx);
	void *changed_ctx;
};

/* CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err hub_new(struct event_base *base,
    const struct config *conf, uint64_t first_conn, struct hub **ret_hub);

/* Closes every connection.  NULL is fine. */
void hub_free(struct hub *hub);

/*
 * Takes the link to a new vault, its descriptor with it: every connection is
 * closed, keys are forgotten until it says them.
 */
CDOP_MUST enum cdop_err hub_attach(struct hub *hub, int vault);

/* The vault is gone. */
void hub_detach(struct hub *hub);

/* May a new connection be let in? */
bool hub_has_room(const struct hub *hub);

/* Who has taken no whole frame for longest; link, where all take them. */
struct link *hub_slowest(const struct hub *hub, struct link *link);

/*
 * One packet to the vault; false when it is full or gone: try again when
 * link_resume comes.
 */
bool hub_send(struct hub *hub, uint64_t conn, enum ipc_kind kind, uint8_t arg,
    struct cdop_bytes bytes);

/* The same for CLOSED and DISCARDED, which are kept until they are said. */
void hub_owe(struct hub *hub, uint64_t conn, enum ipc_kind kind);

/* Frees what was closed, from the loop and from nowhere else. */
void hub_bury_later(struct hub *hub);

#endif
