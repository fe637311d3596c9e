/*
 * A gate that was taken over: packets of any kind, for any connection, with
 * any bytes, between those of clients who do their handshakes as they should.
 *
 * It forges no call: without a client's own frames no leaf is written but the
 * count of handshakes that failed.  It learns nothing: no key and no word in
 * the clear comes out of the link.
 *
 * Input: an operation a byte, each with what it takes from the bytes behind.
 * Packets come before a turn of the vault's, or while it is at a batch.
 */
#include <dlfcn.h>
#include <sanitizer/lsan_interface.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cdop/limits.h"
#include "cdop/link.h"
#include "cdop/profile.h"
#include "cdop/secret.h"
#include "server/base/ipc.h"
#include "server/base/log.h"
#include "server/cycle/cycle.h"
#include "server/registry/audit.h"
#include "tests/fuzz/lib/quick.h"
#include "tests/unit/server/world.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define CLIENTS   3
#define WORLD_AGE 3000 /* inputs; leaves fill the store */
#define OPS_MAX   64
#define KEPT_MAX  512
#define REVOKED   2 /* of the clients */
#define OPS       11
#define TURN      8 /* of these */
#define TURN_WITH 9 /* and what is behind it comes while its batch is run */

struct client {
	uint64_t conn;
	struct cdop_noise noise;
	struct cdop_noise_cipher tx;
	struct cdop_noise_cipher rx;
	uint8_t hash[CDOP_NOISE_HASH_LEN];
	uint8_t answer[CDOP_LINK_MESSAGE2_LEN];
	bool has_answer;
	bool open;
};

/* What is left of the input, and of the clients. */
struct play {
	const uint8_t *at;
	size_t len;
	struct client client[CLIENTS];
	uint64_t last_conn;
	bool proved;            /* somebody has signed in */
	uint8_t kept[KEPT_MAX]; /* a client's packet, for a replay */
	size_t n_kept;
};

static struct world world;
static struct cycle *cycle;
static struct ipc_inbox *inbox;
static int gate = -1;
static uint64_t newest_conn;
static struct play *meanwhile; /* until a batch first writes */

static void
new_link(void)
{
	int fds[2];

	if (gate >= 0)
		close(gate);
	CDOP_ASSERT(ipc_pair(fds) == CDOP_OK);
	gate = fds[1];
	cycle_set_link(cycle, fds[0]);
}

static void
vault_begin(void)
{
	struct cycle_args args = {
	    .handshake_s = CDOP_HANDSHAKE_S,
	    .idle_s = CDOP_IDLE_S,
	};

	/* What holds an arena may lie in it, where no leak is looked for. */
	__lsan_disable();
	world_make(&world);
	__lsan_enable();
	args.mem = world.mem;
	CDOP_ASSERT(cycle_new(&args, &cycle) == CDOP_OK);
	cycle_open(cycle, world.reg, 0, 0);
	gate = -1;
	newest_conn = 0;
	new_link();
	/* The first leaf is the vault's own: which slot opened it. */
	CDOP_ASSERT(cycle_turn(cycle) == CDOP_OK);
}

static void
vault_over(void)
{
	cycle_free(cycle);
	close(gate);
	world_end(&world);
}

/* ---- what comes out ---------------------------------------------------- */

static void
check_clear(struct cdop_bytes out)
{
	const char *panel = world.reg->profile->panel_name;
	struct world_keys keys = world_keys(WORLD_COORDINATOR);

	CDOP_ASSERT(
	    memmem(out.data, out.len, world.reg->link_secret, 16) == NULL);
	CDOP_ASSERT(memmem(out.data, out.len, keys.psk, 16) == NULL);
	CDOP_ASSERT(memmem(out.data, out.len, panel, strlen(panel)) == NULL);
}

static bool
is_count(void *ctx, const struct audit_leaf *leaf)
{
	const Cdop__StoredWords *words = leaf->stored->words;
	const uint64_t *from = ctx;

	if (leaf->index < *from)
		return false;
	CDOP_ASSERT(words->call == AUDIT_EVENT_REFUSED && words->person == 0);
	return true;
}

/* Since then nobody has signed in. */
static void
check_leaves(uint64_t from)
{
	struct cdop_arena *arena;
	uint64_t cursor = 0;

	if (audit_size(world.reg->audit) == from)
		return;
	CDOP_ASSERT(cdop_arena_new(1u << 20, &arena) == CDOP_OK);
	CDOP_ASSERT(audit_walk(world.reg->audit, arena, &cursor, 16, is_count,
			&from) == CDOP_OK);
	cdop_arena_free(arena);
}

static void
take_out(struct play *play)
{
	const struct ipc_packet *packet;
	struct client *client;
	size_t i, j, n;

	while (
	    ipc_recv_many(gate, inbox, IPC_INBOX_MAX, &n) == CDOP_OK && n > 0)
		for (i = 0; i < n; i++) {
			packet = ipc_inbox_get(inbox, i);
			check_clear(packet->bytes);
			for (j = 0; j < CLIENTS; j++) {
				client = &play->client[j];
				if (packet->kind != IPC_FRAME ||
				    packet->conn != client->conn ||
				    packet->bytes.len != sizeof(client->answer))
					continue;
				memcpy(client->answer, packet->bytes.data,
				    sizeof(client->answer));
				client->has_answer = true;
			}
		}
}

static void
turn(struct play *play)
{
	CDOP_ASSERT(cycle_turn(cycle) == CDOP_OK);
	take_out(play);
	if (cycle_link(cycle) < 0)
		new_link();
}

/* ---- what goes in ------------------------------------------------------ */

static uint8_t
byte(struct play *play)
{
	if (play->len == 0)
		return 0;
	play->len--;
	return *play->at++;
}

static struct cdop_bytes
some(struct play *play)
{
	struct cdop_bytes out = {play->at, byte(play)};

	out.data = play->at;
	if (out.len > play->len)
		out.len = play->len;
	play->at += out.len;
	play->len -= out.len;
	return out;
}

static void
say(uint64_t conn, uint8_t kind, uint8_t arg, struct cdop_bytes bytes)
{
	struct ipc_packet packet = {
	    .conn = conn, .kind = kind, .arg = arg, .bytes = bytes};

	(void)!ipc_send(gate, &packet);
}

static void
keep(struct play *play, const uint8_t *data, size_t len)
{
	play->n_kept = len < sizeof(play->kept) ? len : sizeof(play->kept);
	memcpy(play->kept, data, play->n_kept);
}

/* A connection near those there are. */
static uint64_t
any_conn(struct play *play)
{
	return newest_conn + 2 - byte(play) % 8;
}

static void
greet(struct play *play)
{
	static const enum world_who who[CLIENTS] = {
	    WORLD_COORDINATOR, WORLD_AUDITOR, WORLD_REVOKED};

	size_t i = byte(play) % CLIENTS;
	struct client *client = &play->client[i];
	struct world_keys keys = world_keys(who[i]);
	struct cdop_link_opening opening = {.kind = CDOP_LINK_ENROLLED};
	uint8_t first[CDOP_LINK_FIRST_LEN], server[CDOP_KEY_LEN];
	struct cdop_link_args args = {
	    .s = keys.secret,
	    .server = server,
	    .psk = keys.psk,
	    .registry = world.reg->id,
	};

	memset(client, 0, sizeof(*client));
	client->conn = ++newest_conn;
	cdop_secret_public(server, world.reg->link_secret);
	CDOP_ASSERT(cdop_link_client(&client->noise, &args) == CDOP_OK);
	CDOP_ASSERT(
	    cdop_link_write1(&client->noise, &opening, first) == CDOP_OK);
	/* Which key it was is the gate's word, and may be a lie. */
	say(client->conn, IPC_OPEN, byte(play) % 3,
	    (struct cdop_bytes){first, CDOP_LINK_PREAMBLE_LEN});
	say(client->conn, IPC_FRAME, 0,
	    (struct cdop_bytes){
		first + CDOP_LINK_PREAMBLE_LEN + 2, CDOP_LINK_MESSAGE1_LEN});
	keep(play, first + CDOP_LINK_PREAMBLE_LEN + 2, CDOP_LINK_MESSAGE1_LEN);
}

static void
prove(struct play *play)
{
	size_t i = byte(play) % CLIENTS;
	struct client *client = &play->client[i];
	static const uint8_t said[] = {0x08, 0x01}; /* schema_level 1 */
	uint8_t message[CDOP_LINK_MESSAGE3_LEN];
	struct cdop_bytes answer = {client->answer, sizeof(client->answer)};

	if (!client->has_answer || client->open ||
	    cdop_link_read2(&client->noise, answer) != CDOP_OK ||
	    cdop_link_write3(&client->noise,
		(struct cdop_bytes){said, sizeof(said)}, message) != CDOP_OK)
		return;
	CDOP_ASSERT(cdop_noise_split(&client->noise, &client->tx, &client->rx,
			client->hash) == CDOP_OK);
	client->open = true;
	play->proved = play->proved || i != REVOKED;
	say(client->conn, IPC_FRAME, 0,
	    (struct cdop_bytes){message, sizeof(message)});
	keep(play, message, sizeof(message));
}

/* A client's own frame, with anything in it. */
static void
ask(struct play *play)
{
	struct client *client = &play->client[byte(play) % CLIENTS];
	struct cdop_bytes plain = some(play);
	uint8_t sealed[256 + CDOP_TAG_LEN];

	if (!client->open ||
	    cdop_noise_seal(&client->tx, plain, sealed) != CDOP_OK)
		return;
	say(client->conn, IPC_FRAME, 0,
	    (struct cdop_bytes){sealed, plain.len + CDOP_TAG_LEN});
	keep(play, sealed, plain.len + CDOP_TAG_LEN);
}

/* More of a client's frames than a gate hands over before it is told. */
static void
flood(struct play *play)
{
	static uint8_t plain[CDOP_FRAME_MAX - CDOP_TAG_LEN];
	static uint8_t sealed[CDOP_FRAME_MAX];
	struct client *client = &play->client[byte(play) % CLIENTS];
	size_t n = byte(play) % 8, len = sizeof(plain) - byte(play) * 250u;

	memset(plain, byte(play), sizeof(plain));
	for (; client->open && n > 0; n--) {
		CDOP_ASSERT(
		    cdop_noise_seal(&client->tx,
			(struct cdop_bytes){plain, len}, sealed) == CDOP_OK);
		say(client->conn, IPC_FRAME, 0,
		    (struct cdop_bytes){sealed, len + CDOP_TAG_LEN});
	}
}

static void
operate(struct play *play)
{
	struct cdop_bytes bytes;
	uint64_t conn;
	uint8_t op = byte(play) % OPS, kind;

	switch (op) {
	case 0:
		greet(play);
		return;
	case 1:
		prove(play);
		return;
	case 2:
		ask(play);
		return;
	case 3: /* what a client said, to another or again */
		conn = any_conn(play);
		say(conn, IPC_FRAME, byte(play),
		    (struct cdop_bytes){play->kept, play->n_kept});
		return;
	case 4: /* a bit of it is another */
		if (play->n_kept > 0)
			play->kept[byte(play) % play->n_kept] ^=
			    (uint8_t)(1u << byte(play) % 8);
		return;
	case 5:
		conn = any_conn(play);
		kind = (uint8_t)(IPC_OPEN + byte(play) % 5);
		if (kind == IPC_OPEN && conn > newest_conn)
			newest_conn = conn;
		say(conn, kind, byte(play), some(play));
		return;
	case 6: /* header and all */
		bytes = some(play);
		(void)!write(gate, bytes.data, bytes.len);
		return;
	case 7:
		say(any_conn(play), IPC_SENT, 0,
		    (struct cdop_bytes){
			(const uint8_t *)"\xff\xff\xff\xff", 4});
		return;
	case 10:
		flood(play);
		return;
	case TURN_WITH:
		meanwhile = play;
		turn(play);
		meanwhile = NULL;
		return;
	default: /* TURN */
		turn(play);
	}
}

/* In place of LMDB's. */
int mdb_put(void *txn, unsigned table, void *key, void *data, unsigned flags);

int
mdb_put(void *txn, unsigned table, void *key, void *data, unsigned flags)
{
	int (*real)(void *, unsigned, void *, void *, unsigned);
	struct play *play = meanwhile;
	void *p;
	int n;

	meanwhile = NULL;
	for (n = 0; play != NULL && play->len > 0 && n < OPS_MAX &&
	     *play->at % OPS != TURN && *play->at % OPS != TURN_WITH;
	     n++)
		operate(play);
	p = dlsym(RTLD_NEXT, "mdb_put");
	memcpy(&real, &p, sizeof(real));
	return real(txn, table, key, data, flags);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_set_level(LOG_LEVEL_ERROR);
	CDOP_ASSERT(setenv("TMPDIR", quick_top(), 1) == 0);
	CDOP_ASSERT(ipc_inbox_new(&inbox) == CDOP_OK);
	vault_begin();
	(void)atexit(vault_over);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static unsigned age;
	struct play play = {.at = data, .len = len};
	uint64_t leaves;
	int n;

	if (++age == WORLD_AGE) {
		age = 0;
		vault_over();
		vault_begin();
	}
	leaves = audit_size(world.reg->audit);
	for (n = 0; n < OPS_MAX && play.len > 0; n++)
		operate(&play);
	turn(&play);
	turn(&play);
	if (!play.proved)
		check_leaves(leaves);
	new_link(); /* every session goes with its gate */
	return 0;
}
