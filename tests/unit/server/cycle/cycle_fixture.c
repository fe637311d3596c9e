/* The gate and the clients of a cycle, in the test's own process. */
#include "tests/unit/server/cycle/cycle_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "cdop/frame.h"
#include "cdop/secret.h"

#define NO_SUCH_CALL 9999
#define SETTLE_MAX   200

static uint64_t clock_now_ms = 1795600001000ull;
static uint64_t clock_tick_ms;
static uint64_t clock_back_ms; /* the wall clock is behind by so much */

/* In place of libc's, for the program that this is linked to. */
int
clock_gettime(clockid_t id, struct timespec *ret_time)
{
	uint64_t ms;

	clock_now_ms += clock_tick_ms;
	ms = clock_now_ms - (id == CLOCK_REALTIME ? clock_back_ms : 0);
	ret_time->tv_sec = (time_t)(ms / 1000);
	ret_time->tv_nsec = (long)(ms % 1000) * 1000000;
	return 0;
}

void
fixture_set_back(uint64_t ms)
{
	clock_back_ms = ms;
}

void
fixture_pass(uint64_t ms)
{
	clock_now_ms += ms;
}

void
fixture_tick(uint64_t ms)
{
	clock_tick_ms = ms;
}

static void
start_cycle(struct fixture *f, uint64_t held_back)
{
	const struct cycle_args args = {
	    .mem = f->world.mem,
	    .held_back = held_back,
	    .handshake_s = CDOP_HANDSHAKE_S,
	    .idle_s = CDOP_IDLE_S,
	    .calls = f->calls,
	};
	int fds[2];

	assert_int_equal(cycle_new(&args, &f->cycle), CDOP_OK);
	assert_int_equal(ipc_pair(fds), CDOP_OK);
	assert_int_equal(ipc_inbox_new(&f->inbox), CDOP_OK);
	f->link = fds[1];
	cycle_set_link(f->cycle, fds[0]);
}

static void
end_cycle(struct fixture *f)
{
	cycle_free(f->cycle);
	ipc_inbox_free(f->inbox);
	close(f->link);
}

void
fixture_start(struct fixture *f, bool open, uint64_t held_back)
{
	memset(f, 0, sizeof(*f));
	world_make(&f->world);
	start_cycle(f, held_back);
	if (open)
		cycle_open(f->cycle, f->world.reg, FIXTURE_SLOT, 0);
}

void
fixture_restart(struct fixture *f)
{
	assert_int_equal(f->n_client, 0);
	end_cycle(f);
	world_reopen(&f->world);
	start_cycle(f, 0);
	cycle_open(f->cycle, f->world.reg, FIXTURE_SLOT, 0);
}

void
fixture_start_on(struct fixture *f, uint64_t map_bytes, uint64_t reserve_bytes)
{
	fixture_start(f, false, 0);
	f->world.map_bytes = map_bytes;
	f->world.reserve_bytes = reserve_bytes;
	fixture_restart(f);
}

void
fixture_end(struct fixture *f)
{
	size_t i;

	clock_tick_ms = 0;
	clock_back_ms = 0;
	end_cycle(f);
	for (i = 0; i < f->n_client; i++) {
		cdop_stream_free(f->client[i].in);
		cdop_stream_free(f->client[i].out);
	}
	world_end(&f->world);
}

/* ---- packets ----------------------------------------------------------- */

static void
take_frame(struct fixture_client *client, struct cdop_bytes bytes)
{
	client->got += bytes.len;
	if (client->open)
		assert_int_equal(
		    cdop_link_open(&client->rx, bytes, client->in), CDOP_OK);
	else if (bytes.len == CDOP_LINK_MESSAGE2_LEN)
		assert_int_equal(
		    cdop_link_read2(&client->noise, bytes), CDOP_OK);
}

static void
take_taken(struct fixture_client *client, struct cdop_bytes bytes)
{
	assert_int_equal(bytes.len, 4);
	assert_true(cdop_get32(bytes.data) <= client->given);
	client->given -= cdop_get32(bytes.data);
}

static void
take_packet(struct fixture *f, const struct ipc_packet *packet)
{
	struct fixture_event *event;
	size_t i;

	assert_true(f->n_event < FIXTURE_EVENTS);
	event = &f->event[f->n_event++];
	event->conn = packet->conn;
	event->kind = (enum ipc_kind)packet->kind;
	event->arg = packet->arg;
	event->len = packet->bytes.len;
	event->first = packet->bytes.len > 0 ? packet->bytes.data[0] : 0;
	for (i = 0; i < f->n_client; i++) {
		if (f->client[i].conn != packet->conn)
			continue;
		if (packet->kind == IPC_FRAME)
			take_frame(&f->client[i], packet->bytes);
		if (packet->kind == IPC_TAKEN)
			take_taken(&f->client[i], packet->bytes);
	}
}

static void
take_packets(struct fixture *f)
{
	size_t i, n;

	while (ipc_recv_many(f->link, f->inbox, IPC_INBOX_MAX, &n) == CDOP_OK &&
	    n > 0)
		for (i = 0; i < n; i++)
			take_packet(f, ipc_inbox_get(f->inbox, i));
}

void
fixture_turn(struct fixture *f)
{
	size_t i;

	assert_int_equal(cycle_turn(f->cycle), CDOP_OK);
	take_packets(f);
	for (i = 0; i < f->n_client; i++)
		if (f->client[i].frame_len > 0)
			fixture_send(f, &f->client[i]);
}

void
fixture_settle(struct fixture *f)
{
	size_t n, turns = 0;

	do {
		n = f->n_event;
		fixture_turn(f);
		assert_true(++turns < SETTLE_MAX);
	} while (cycle_sleep_ms(f->cycle) == 0 || cycle_wants_write(f->cycle) ||
	    f->n_event > n);
}

void
fixture_say(struct fixture *f, uint64_t conn, enum ipc_kind kind,
    const void *data, size_t len)
{
	struct ipc_packet packet = {
	    .conn = conn,
	    .kind = (uint8_t)kind,
	    .bytes = {data, len},
	};

	assert_int_equal(ipc_send(f->link, &packet), CDOP_OK);
}

size_t
fixture_find(const struct fixture *f, uint64_t conn, enum ipc_kind kind)
{
	size_t i;

	for (i = 0; i < f->n_event; i++)
		if (f->event[i].conn == conn && f->event[i].kind == kind)
			return i;
	return SIZE_MAX;
}

/* ---- a client ---------------------------------------------------------- */

static struct fixture_client *
greet(struct fixture *f, enum world_who who, const uint8_t psk[static 32],
    const struct cdop_link_opening *opening)
{
	static const char from[] = "192.0.2.1";
	struct world_keys keys = world_keys(who);
	uint8_t first[CDOP_LINK_FIRST_LEN], server[CDOP_KEY_LEN];
	uint8_t open[CDOP_LINK_PREAMBLE_LEN + sizeof(from) - 1];
	struct cdop_link_args args = {
	    .s = keys.secret,
	    .server = server,
	    .psk = psk,
	    .registry = f->world.reg->id,
	};
	struct ipc_packet packet = {.kind = IPC_OPEN, .arg = f->next_key};
	struct fixture_client *client;

	assert_true(f->n_client < FIXTURE_CLIENTS);
	client = &f->client[f->n_client++];
	client->conn = ++f->last_conn;
	cdop_secret_public(server,
	    f->next_key ? f->world.reg->link_secret_next
			: f->world.reg->link_secret);
	assert_int_equal(cdop_link_client(&client->noise, &args), CDOP_OK);
	assert_int_equal(
	    cdop_link_write1(&client->noise, opening, first), CDOP_OK);
	memcpy(open, first, CDOP_LINK_PREAMBLE_LEN);
	memcpy(open + CDOP_LINK_PREAMBLE_LEN, from, sizeof(from) - 1);
	packet.conn = client->conn;
	packet.bytes = (struct cdop_bytes){open, sizeof(open)};
	assert_int_equal(ipc_send(f->link, &packet), CDOP_OK);
	/* The gate takes head and mac1 off. */
	fixture_say(f, client->conn, IPC_FRAME,
	    first + CDOP_LINK_PREAMBLE_LEN + 2, CDOP_LINK_MESSAGE1_LEN);
	return client;
}

struct fixture_client *
fixture_greet(
    struct fixture *f, enum world_who who, const uint8_t psk[static 32])
{
	const struct cdop_link_opening opening = {.kind = CDOP_LINK_ENROLLED};

	return greet(f, who, psk, &opening);
}

struct fixture_client *
fixture_greet_invited(struct fixture *f, const Cdop__InviteReply *invitation)
{
	struct cdop_link_opening opening = {.kind = CDOP_LINK_INVITATION};

	assert_int_equal(
	    invitation->invitation_id.len, sizeof(opening.invitation));
	memcpy(opening.invitation, invitation->invitation_id.data,
	    sizeof(opening.invitation));
	return greet(f, WORLD_COORDINATOR, invitation->psk.data, &opening);
}

void
fixture_prove(struct fixture *f, struct fixture_client *client)
{
	uint8_t message[CDOP_LINK_MESSAGE3_LEN], packed[32];
	struct cdop_bytes hello = {packed, 0};
	Cdop__Hello said;

	cdop__hello__init(&said);
	said.schema_level = 1;
	said.has_seen_size = client->seen_size != 0;
	said.seen_size = client->seen_size;
	said.has_receipt_size = client->receipt_size != 0;
	said.receipt_size = client->receipt_size;
	hello.len = cdop__hello__pack(&said, packed);
	assert_int_equal(
	    cdop_link_write3(&client->noise, hello, message), CDOP_OK);
	assert_int_equal(cdop_noise_split(&client->noise, &client->tx,
			     &client->rx, client->hash),
	    CDOP_OK);
	assert_int_equal(cdop_stream_new(16u << 20, &client->in), CDOP_OK);
	assert_int_equal(cdop_stream_new(16u << 20, &client->out), CDOP_OK);
	client->open = true;
	fixture_say(f, client->conn, IPC_FRAME, message, sizeof(message));
}

struct fixture_client *
fixture_sign_in(struct fixture *f, enum world_who who)
{
	struct world_keys keys = world_keys(who);
	struct fixture_client *client;

	client = fixture_greet(f, who, keys.psk);
	fixture_turn(f);
	fixture_prove(f, client);
	fixture_turn(f);
	assert_non_null(fixture_welcome(f, client));
	return client;
}

uint64_t
fixture_call(struct fixture_client *client, uint32_t method,
    const ProtobufCMessage *body)
{
	static char purpose[] = "case_work";
	uint8_t packed_body[512], packed[1024];
	struct cdop_bytes message = {packed, 0};
	uint8_t key[16];
	Cdop__Call call;

	cdop__call__init(&call);
	call.id = ++client->last_id;
	call.method = method;
	if (method >= CDOP_CALL_NotificationRegister &&
	    method <= CDOP_CALL_AuditExport)
		call.purpose = purpose;
	call.has_use = true;
	call.use = CDOP__USE__SCREEN;
	call.has_receipt = client->receipt;
	call.receipt = client->receipt;
	memset(key, 0, sizeof(key));
	cdop_put32(key, (uint32_t)(clock_now_ms >> 16));
	cdop_put16(key + 4, (uint16_t)clock_now_ms);
	cdop_put32(key + 8, (uint32_t)client->conn);
	cdop_put32(key + 12, (uint32_t)call.id);
	call.has_request_key = true;
	if (client->key != 0)
		cdop_put64(key + 8, client->key);
	call.request_key = (ProtobufCBinaryData){sizeof(key), key};
	if (body != NULL) {
		assert_true(protobuf_c_message_get_packed_size(body) <=
		    sizeof(packed_body));
		call.has_body = true;
		call.body.len = protobuf_c_message_pack(body, packed_body);
		call.body.data = packed_body;
	}
	assert_true(cdop__call__get_packed_size(&call) <= sizeof(packed));
	message.len = cdop__call__pack(&call, packed);
	assert_int_equal(cdop_stream_put(client->out, message), CDOP_OK);
	return call.id;
}

uint64_t
fixture_call_of(struct fixture_client *client, size_t len)
{
	return fixture_call_to(client, NO_SUCH_CALL, len);
}

uint64_t
fixture_call_to(struct fixture_client *client, uint32_t method, size_t len)
{
	static uint8_t body[CDOP_MESSAGE_MAX], packed[CDOP_MESSAGE_MAX];
	struct cdop_bytes message = {packed, len};
	Cdop__Call call;

	cdop__call__init(&call);
	call.id = ++client->last_id;
	call.method = method;
	call.has_body = true;
	call.body.data = body;
	call.body.len = len;
	while (cdop__call__get_packed_size(&call) > len)
		call.body.len--;
	assert_int_equal(cdop__call__pack(&call, packed), len);
	assert_int_equal(cdop_stream_put(client->out, message), CDOP_OK);
	return call.id;
}

void
fixture_send(struct fixture *f, struct fixture_client *client)
{
	size_t len;

	for (;;) {
		if (client->frame_len == 0)
			assert_int_equal(
			    cdop_link_seal(&client->tx, client->out,
				client->frame, &client->frame_len),
			    CDOP_OK);
		if (client->frame_len == 0)
			return;
		len = client->frame_len - CDOP_FRAME_HEAD;
		if (client->given + len > CDOP_GATE_WINDOW)
			return;
		client->given += len;
		fixture_say(f, client->conn, IPC_FRAME,
		    client->frame + CDOP_FRAME_HEAD, len);
		client->frame_len = 0;
	}
}

void
fixture_ask(struct fixture *f, struct fixture_client *client, size_t n)
{
	while (n-- > 0)
		(void)fixture_call(client, CDOP_CALL_Status, NULL);
	fixture_send(f, client);
}

void
fixture_send_plain(struct fixture *f, struct fixture_client *client,
    const void *data, size_t len)
{
	uint8_t room[1024];

	assert_true(len + CDOP_TAG_LEN <= sizeof(room));
	assert_int_equal(
	    cdop_noise_seal(&client->tx, (struct cdop_bytes){data, len}, room),
	    CDOP_OK);
	fixture_say(f, client->conn, IPC_FRAME, room, len + CDOP_TAG_LEN);
}

void
fixture_sent(struct fixture *f, struct fixture_client *client)
{
	uint8_t bytes[4];

	cdop_put32(bytes, (uint32_t)client->got);
	client->got = 0;
	fixture_say(f, client->conn, IPC_SENT, bytes, sizeof(bytes));
}

static void *
next_message(struct fixture *f, struct fixture_client *client,
    const ProtobufCMessageDescriptor *desc)
{
	struct cdop_bytes message;
	void *unpacked;

	assert_int_equal(cdop_stream_next(client->in, &message), CDOP_OK);
	if (message.data == NULL)
		return NULL;
	unpacked = protobuf_c_message_unpack(desc,
	    cdop_arena_allocator(f->world.arena), message.len, message.data);
	assert_non_null(unpacked);
	cdop_stream_consume(client->in);
	return unpacked;
}

Cdop__Reply *
fixture_reply(struct fixture *f, struct fixture_client *client)
{
	return next_message(f, client, &cdop__reply__descriptor);
}

Cdop__Welcome *
fixture_welcome(struct fixture *f, struct fixture_client *client)
{
	return next_message(f, client, &cdop__welcome__descriptor);
}

bool
fixture_is_closed(const struct fixture *f, const struct fixture_client *client)
{
	return fixture_find(f, client->conn, IPC_CLOSE) != SIZE_MAX;
}

void
fixture_answers(
    struct fixture *f, struct fixture_client *client, uint64_t first, size_t n)
{
	const Cdop__Reply *reply;
	size_t i;

	for (i = 0; i < n; i++) {
		reply = fixture_reply(f, client);
		assert_non_null(reply);
		assert_int_equal(reply->id, first + i);
		assert_int_equal(reply->status, CDOP_OK);
		assert_true(reply->last);
		assert_int_equal(reply->count, 1);
	}
	assert_null(fixture_reply(f, client));
}

void
fixture_psk_turn(struct fixture *f, struct fixture_client *client,
    enum world_who who, uint8_t ret_next[static 32])
{
	struct world_keys keys = world_keys(who);
	Cdop__PskTurnRequest request;
	const Cdop__PskTurnReply *body;
	const Cdop__Reply *reply;
	uint8_t random[32] = {9};

	cdop__psk_turn_request__init(&request);
	request.client_random = (ProtobufCBinaryData){32, random};
	(void)fixture_call(client, CDOP_CALL_PskTurn, &request.base);
	fixture_send(f, client);
	fixture_turn(f);
	reply = fixture_reply(f, client);
	assert_non_null(reply);
	assert_int_equal(reply->status, CDOP_OK);
	body =
	    cdop__psk_turn_reply__unpack(cdop_arena_allocator(f->world.arena),
		reply->body.len, reply->body.data);
	assert_non_null(body);
	cdop_link_psk_next(
	    ret_next, keys.psk, random, body->server_random.data, client->hash);
}
