/* Sessions, calls and what is checked of what comes; see client.h. */
#include "tests/fault/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cdop/checkpoint.h"
#include "cdop/compare.h"
#include "cdop/frame.h"
#include "cdop/link.h"
#include "cdop/logproof.h"
#include "cdop/secret.h"
#include "server/registry/tree.h"
#include "server/vault/rows.h"
#include "tests/fault/say.h"
#include "tests/fault/shim.h"

#define TURNS_MAX  400
#define ROOM       (24u << 20)
#define LEAF_BYTES 256

struct client {
	uint64_t conn;
	struct cdop_noise noise;
	struct cdop_noise_cipher tx, rx;
	uint8_t hash[CDOP_NOISE_HASH_LEN];
	struct cdop_stream *in, *out;
	uint64_t got;
	bool has_2;   /* message 2 has come */
	bool open;    /* frames are of the stream */
	bool welcome; /* and it was greeted */
	bool closed;
	uint64_t last_id;
};

void
town_open(struct town *town, struct house *house, struct keep *keep)
{
	uint8_t pair[CDOP_NOTE_SEED_LEN + CDOP_NOTE_PUBLIC_LEN];
	struct cdop_note_signer signer;

	memset(town, 0, sizeof(*town));
	town->house = house;
	town->keep = keep;
	must(cdop_arena_new(64u << 20, &town->arena), "an arena");
	memcpy(town->registry, house->reg->id, sizeof(town->registry));
	cdop_secret_public(town->server, house->reg->link_secret);
	must(cdop_note_signer_init(
		 &signer, "x", CDOP_NOTE_ED25519, house->reg->log_seed),
	    "the log's key");
	memcpy(town->log_key, signer.key.public, sizeof(town->log_key));
	cdop_secret_wipe(pair, sizeof(pair));
	cdop_note_signer_wipe(&signer);
}

static void
forget(struct town *town, unsigned who)
{
	struct client *client = town->client[who];

	if (client == NULL)
		return;
	cdop_stream_free(client->in);
	cdop_stream_free(client->out);
	free(client);
	town->client[who] = NULL;
}

void
town_close(struct town *town)
{
	unsigned who;

	for (who = 0; who < WORLD_N + 2; who++)
		forget(town, who);
	cdop_arena_free(town->arena);
}

void
town_leave(struct town *town, unsigned who)
{
	struct client *client = town->client[who];

	if (client == NULL)
		return;
	house_say(town->house, client->conn, IPC_CLOSED, NULL, 0);
	forget(town, who);
}

/* ---- packets ------------------------------------------------------------ */

static void
take_frame(struct town *town, struct client *client, struct cdop_bytes bytes)
{
	uint8_t said[4];

	if (client->open) {
		must(cdop_link_open(&client->rx, bytes, client->in),
		    "a frame opens");
		cdop_put32(said, (uint32_t)bytes.len);
		house_say(
		    town->house, client->conn, IPC_SENT, said, sizeof(said));
		return;
	}
	/* Anything else is what a sealed registry says. */
	client->has_2 = bytes.len == CDOP_LINK_MESSAGE2_LEN &&
	    cdop_link_read2(&client->noise, bytes) == CDOP_OK;
	client->closed = !client->has_2;
}

static void
take_packet(void *ctx, const struct ipc_packet *packet)
{
	struct town *town = ctx;
	struct client *client;
	unsigned who;

	for (who = 0; who < WORLD_N + 2; who++) {
		client = town->client[who];
		if (client == NULL || client->conn != packet->conn)
			continue;
		if (packet->kind == IPC_FRAME)
			take_frame(town, client, packet->bytes);
		if (packet->kind == IPC_DISCARD)
			house_say(
			    town->house, client->conn, IPC_DISCARDED, NULL, 0);
		if (packet->kind == IPC_CLOSE || packet->kind == IPC_DISCARD)
			client->closed = true;
	}
}

bool
town_turn(struct town *town)
{
	town->keep->now_ms = shim_now_ms();
	return house_turn(town->house, take_packet, town);
}

/* ---- what a client holds on to ------------------------------------------ */

static void
key_of(const struct town *town, struct cdop_note_key *key)
{
	char origin[CDOP_CHECKPOINT_ORIGIN_MAX];

	cdop_checkpoint_origin(
	    town->registry, rows_incarnation(town->house->rows), origin);
	must(cdop_note_key_init(key, origin, CDOP_NOTE_ED25519, town->log_key),
	    "the key has a name");
}

static void
remember(struct town *town, const struct cdop_checkpoint *checkpoint)
{
	struct keep *keep = town->keep;
	struct keep_seen *seen;
	size_t i;

	for (i = 0; i < keep->n_seen; i++)
		if (keep->seen[i].size == checkpoint->size) {
			require(memcmp(keep->seen[i].root, checkpoint->root,
				    sizeof(checkpoint->root)) == 0,
			    "two roots of one size were shown");
			return;
		}
	require(keep->n_seen < KEEP_SEEN, "room for checkpoints");
	seen = &keep->seen[keep->n_seen];
	seen->size = checkpoint->size;
	memcpy(seen->root, checkpoint->root, sizeof(seen->root));
	keep->n_seen++;
}

/* Leaf, place and checkpoint of a receipt. */
static void
take_receipt(struct town *town, const Cdop__Reply *reply)
{
	struct cdop_bytes text = {reply->receipt.data, reply->receipt.len};
	struct cdop_checkpoint checkpoint;
	struct keep *keep = town->keep;
	struct cdop_logproof proof;
	struct cdop_note_key key;
	struct keep_leaf *leaf;
	uint8_t hash[32];

	key_of(town, &key);
	must(cdop_logproof_parse(text, &proof), "a receipt is one");
	require(proof.extra_len > LEAF_BYTES, "the leaf is in the receipt");
	cdop_merkle_leaf(hash, (struct cdop_bytes){proof.extra, LEAF_BYTES});
	must(cdop_logproof_check(&proof, hash, &key, &checkpoint),
	    "the receipt holds");
	require(proof.index == reply->leaf_index, "it is of this answer");
	remember(town, &checkpoint);
	require(keep->n_leaf < KEEP_LEAVES, "room for leaves");
	leaf = &keep->leaf[keep->n_leaf];
	leaf->index = proof.index;
	memcpy(leaf->hash, hash, sizeof(leaf->hash));
	keep->n_leaf++;
}

/* The newest checkpoint that was shown; NULL: none was. */
static const struct keep_seen *
newest(const struct keep *keep)
{
	const struct keep_seen *best = NULL;
	size_t i;

	for (i = 0; i < keep->n_seen; i++)
		if (best == NULL || keep->seen[i].size > best->size)
			best = &keep->seen[i];
	return best;
}

/* It goes on from what was seen. */
static void
take_welcome(struct town *town, const Cdop__Welcome *welcome)
{
	struct cdop_bytes note = {
	    welcome->checkpoint.data, welcome->checkpoint.len};
	const struct keep_seen *seen = newest(town->keep);
	struct cdop_checkpoint checkpoint;
	struct cdop_merkle_proof proof;
	struct cdop_note_key key;
	size_t i;

	key_of(town, &key);
	must(cdop_checkpoint_open(note, &key, &checkpoint),
	    "the greeting has a checkpoint");
	memset(&proof, 0, sizeof(proof));
	proof.n = welcome->n_consistency;
	for (i = 0; i < proof.n && i < CDOP_MERKLE_PROOF_MAX; i++)
		memcpy(proof.hash[i], welcome->consistency[i].data, 32);
	if (seen != NULL)
		must(cdop_merkle_check_consistency(seen->size, seen->root,
			 checkpoint.size, checkpoint.root, &proof),
		    "the log only grows");
	remember(town, &checkpoint);
}

/* ---- signing in --------------------------------------------------------- */

struct who {
	uint8_t secret[32];
	uint8_t psk[32];
	struct cdop_link_opening opening;
};

static struct who
whoami(const struct town *town, unsigned number)
{
	struct who who = {.opening = {.kind = CDOP_LINK_ENROLLED}};
	struct world_keys keys;

	if (number < WORLD_N) {
		keys = world_keys((enum world_who)number);
		memcpy(who.secret, keys.secret, sizeof(who.secret));
		memcpy(who.psk, keys.psk, sizeof(who.psk));
		return who;
	}
	memset(who.secret, 0x77, sizeof(who.secret));
	memcpy(who.psk, town->keep->psk, sizeof(who.psk));
	if (number == TOWN_INVITED) {
		who.opening.kind = CDOP_LINK_INVITATION;
		memcpy(who.opening.invitation, town->keep->invitation,
		    sizeof(who.opening.invitation));
	}
	return who;
}

static void
greet(struct town *town, struct client *client, const struct who *who)
{
	static const char from[] = "192.0.2.1";
	uint8_t open[CDOP_LINK_PREAMBLE_LEN + sizeof(from) - 1];
	const struct cdop_link_args args = {
	    .s = who->secret,
	    .server = town->server,
	    .psk = who->psk,
	    .registry = town->registry,
	};
	uint8_t first[CDOP_LINK_FIRST_LEN];

	must(cdop_link_client(&client->noise, &args), "a handshake");
	must(cdop_link_write1(&client->noise, &who->opening, first),
	    "message 1");
	memcpy(open, first, CDOP_LINK_PREAMBLE_LEN);
	memcpy(open + CDOP_LINK_PREAMBLE_LEN, from, sizeof(from) - 1);
	house_say(town->house, client->conn, IPC_OPEN, open, sizeof(open));
	house_say(town->house, client->conn, IPC_FRAME,
	    first + CDOP_LINK_PREAMBLE_LEN + 2, CDOP_LINK_MESSAGE1_LEN);
}

static void
prove(struct town *town, struct client *client)
{
	const struct keep_seen *seen = newest(town->keep);
	uint8_t message[CDOP_LINK_MESSAGE3_LEN], packed[128], root[32];
	struct cdop_bytes hello = {packed, 0};
	Cdop__Hello said;

	cdop__hello__init(&said);
	said.schema_level = 1;
	if (seen != NULL) {
		memcpy(root, seen->root, sizeof(root));
		said.has_seen_size = true;
		said.seen_size = seen->size;
		said.has_seen_hash = true;
		said.seen_hash = (ProtobufCBinaryData){sizeof(root), root};
	}
	hello.len = cdop__hello__pack(&said, packed);
	must(cdop_link_write3(&client->noise, hello, message), "message 3");
	must(cdop_noise_split(
		 &client->noise, &client->tx, &client->rx, client->hash),
	    "keys");
	must(cdop_stream_new(ROOM, &client->in), "a stream");
	must(cdop_stream_new(ROOM, &client->out), "a stream");
	client->open = true;
	house_say(
	    town->house, client->conn, IPC_FRAME, message, sizeof(message));
}

static void *
next_message(struct town *town, struct client *client,
    const ProtobufCMessageDescriptor *desc)
{
	struct cdop_bytes message;
	void *unpacked;

	must(cdop_stream_next(client->in, &message), "the stream holds");
	if (message.data == NULL)
		return NULL;
	unpacked = protobuf_c_message_unpack(
	    desc, cdop_arena_allocator(town->arena), message.len, message.data);
	require(unpacked != NULL, "a message unpacks");
	cdop_stream_consume(client->in);
	return unpacked;
}

/* Turns until done() or the session is closed. */
static enum town_heard
until(struct town *town, struct client *client, const bool *done)
{
	size_t turns;

	for (turns = 0; turns < TURNS_MAX; turns++) {
		if (client->closed)
			return TOWN_CLOSED;
		if (*done)
			return TOWN_ANSWERED;
		if (!town_turn(town))
			return TOWN_DEAD;
		shim_pass(turns < 20 ? 1 : 200);
	}
	return TOWN_CLOSED; /* nothing comes: somebody hangs up */
}

static enum town_heard
sign_in(struct town *town, unsigned number)
{
	struct who who = whoami(town, number);
	struct client *client;
	Cdop__Welcome *welcome;
	enum town_heard heard;
	bool done = false;
	size_t turns;

	client = calloc(1, sizeof(*client));
	require(client != NULL, "a client");
	town->client[number] = client;
	client->conn = ++town->house->last_conn;
	greet(town, client, &who);
	if ((heard = until(town, client, &client->has_2)) != TOWN_ANSWERED)
		return heard;
	prove(town, client);
	for (turns = 0; turns < TURNS_MAX && !client->closed; turns++) {
		if (!town_turn(town))
			return TOWN_DEAD;
		welcome =
		    next_message(town, client, &cdop__welcome__descriptor);
		if (welcome != NULL) {
			take_welcome(town, welcome);
			client->welcome = true;
			return TOWN_ANSWERED;
		}
		shim_pass(turns < 20 ? 1 : 200);
	}
	(void)done;
	return TOWN_CLOSED;
}

/* ---- calling ------------------------------------------------------------ */

static void
send_call(struct town *town, struct client *client, const struct keep_op *op)
{
	static uint8_t frame[CDOP_LINK_FRAME_ROOM];
	char purpose[] = "case_work";
	uint8_t packed[2 * KEEP_BODY];
	struct cdop_bytes message = {packed, 0};
	size_t len;
	Cdop__Call call;

	cdop__call__init(&call);
	call.id = ++client->last_id;
	call.method = op->method;
	call.has_request_key = true;
	call.request_key = (ProtobufCBinaryData){
	    sizeof(op->key), (uint8_t *)(uintptr_t)op->key};
	if (op->method >= 40 && op->method < 80)
		call.purpose = purpose;
	if (op->method == CDOP_CALL_CaseErase)
		call.purpose = purpose;
	call.has_use = true;
	call.use = CDOP__USE__SCREEN;
	call.has_receipt = true;
	call.receipt = true;
	call.has_body = op->len > 0;
	call.body =
	    (ProtobufCBinaryData){op->len, (uint8_t *)(uintptr_t)op->body};
	message.len = cdop__call__pack(&call, packed);
	must(cdop_stream_put(client->out, message), "a call");
	for (;;) {
		must(cdop_link_seal(&client->tx, client->out, frame, &len),
		    "a frame");
		if (len == 0)
			return;
		house_say(town->house, client->conn, IPC_FRAME,
		    frame + CDOP_FRAME_HEAD, len - CDOP_FRAME_HEAD);
	}
}

/* Promise 1: its leaf was there before it, and is handed over. */
static void
take_evidence(struct town *town, const Cdop__Reply *reply, uint64_t leaves)
{
	if (reply->has_receipt)
		take_receipt(town, reply);
	if (!reply->last)
		return;
	require(reply->has_receipt || reply->status != CDOP_OK,
	    "what is answered has a receipt");
	require(tree_size(town->house->reg->tree) > leaves,
	    "no answer without a leaf");
}

/* Replies until the last one. */
static enum town_heard
listen(struct town *town, struct client *client, town_more_fn *more, void *ctx,
    Cdop__Reply **ret_reply)
{
	const uint64_t leaves = tree_size(town->house->reg->tree);
	Cdop__Reply *reply;
	size_t turns;

	for (turns = 0; turns < TURNS_MAX; turns++) {
		while ((reply = next_message(
			    town, client, &cdop__reply__descriptor)) != NULL) {
			turns = 0;
			require(reply->id == client->last_id,
			    "an answer to what was asked");
			take_evidence(town, reply, leaves);
			if (more != NULL)
				more(ctx, reply);
			*ret_reply = reply;
			if (reply->last)
				return TOWN_ANSWERED;
		}
		if (client->closed)
			return TOWN_CLOSED;
		if (!town_turn(town))
			return TOWN_DEAD;
		shim_pass(turns < 20 ? 1 : 200);
	}
	return TOWN_CLOSED;
}

enum town_heard
town_call(struct town *town, unsigned who, const struct keep_op *op,
    town_more_fn *more, void *ctx, Cdop__Reply **ret_reply)
{
	enum town_heard heard = TOWN_ANSWERED;

	if (town->client[who] != NULL && town->client[who]->closed)
		forget(town, who);
	if (town->client[who] == NULL)
		heard = sign_in(town, who);
	if (heard == TOWN_ANSWERED) {
		send_call(town, town->client[who], op);
		heard = listen(town, town->client[who], more, ctx, ret_reply);
	}
	if (heard == TOWN_CLOSED)
		town_leave(town, who);
	return heard;
}

void
town_compare(struct town *town, unsigned who, char out[static 20])
{
	uint8_t bytes[CDOP_COMPARE_LEN];

	cdop_compare_bytes(bytes, town->client[who]->hash);
	cdop_compare_text(out, bytes);
}
