/* A client of the mix; see mix.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cdop/form.h"
#include "cdop/secret.h"
#include "client/call.h"
#include "client/conn.h"
#include "client/identity.h"
#include "tests/bench/mix.h"
#include "tests/bench/mix_child.h"

#define ARENA    ((size_t)4 << 20)
#define EACH     45000 /* calls of a device; it has 50,000 at a stretch */
#define FLYING   64
#define PATIENCE 30000 /* ms that a call may take */
#define PAGE     100
#define LIST     20

/* A call under way. */
struct flight {
	uint64_t id;
	enum mix_kind kind;
	uint32_t who;
	uint32_t at; /* which of the book */
};

struct mix_client {
	unsigned me, devices, device;
	char *const *identity;
	struct conn *conn;
	struct cdop_arena *arena;
	uint64_t next_id;
	uint32_t sent;   /* on this device */
	uint32_t picked; /* of the mix */
	uint64_t dice;
	struct flight flying[FLYING];
	struct mix_book *book;
	uint32_t share, first;   /* of the book it amends one in share */
	uint8_t page_token[128]; /* of a scan, where the next one begins */
	size_t page_len;
	uint64_t listed;
	uint32_t body_len; /* of the call sent last */
};

static const char *const areas[] = {
    "knowsley", "liverpool", "sefton", "st-helens", "wirral"};

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "mix: %s: %s\n", what, why);
	exit(1);
}

static uint32_t
roll(struct mix_client *c, uint32_t n)
{
	c->dice ^= c->dice << 13;
	c->dice ^= c->dice >> 7;
	c->dice ^= c->dice << 17;
	return (uint32_t)(c->dice % n);
}

static bool
may(enum cdop_err err)
{
	if (err != CDOP_OK)
		die("a step", cdop_err_name(err));
	return true;
}

struct mix_client *
mix_new(
    unsigned me, char *const *identity, unsigned devices, struct mix_book *book)
{
	struct mix_client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		die("mix_new", "out of memory");
	(void)may(cdop_secret_init());
	(void)may(cdop_arena_new(ARENA, &c->arena));
	c->me = me;
	c->identity = identity;
	c->devices = devices;
	c->dice = 4711 + me;
	c->book = book;
	c->share = 1;
	return c;
}

void
mix_share(struct mix_client *c, uint32_t clients)
{
	c->share = clients;
	c->first = c->me;
}

/* ---- its link ---------------------------------------------------------- */

static enum conn_end
open_with(struct mix_client *c, const struct identity *id, bool next,
    struct cdop_bytes hello)
{
	struct conn_args args;
	bool gone;

	memset(&args, 0, sizeof(args));
	args.address = getenv("MIX_ADDRESS");
	if (args.address == NULL)
		args.address = id->open->address[0];
	args.link.s = id->secret->static_key.data;
	args.link.s_pub = id->open->public_key.data;
	args.link.registry = id->open->registry_id.data;
	args.link.server = id->open->server_key[0].data;
	args.link.psk = next ? id->secret->psk_next.data : id->secret->psk.data;
	args.opening.kind = CDOP_LINK_ENROLLED;
	args.hello = hello;
	args.connect_by_ms = conn_now_ms() + PATIENCE;
	args.deadline_ms = args.connect_by_ms;
	return conn_open(&args, &c->conn, &gone);
}

static void
connect_as(struct mix_client *c, const char *path)
{
	const struct cdop_bytes none = {NULL, 0};
	uint8_t bytes[CDOP_LINK_HELLO_MAX];
	struct cdop_bytes hello = {bytes, 0}, welcome;
	struct identity id;
	Cdop__Hello said;
	enum conn_end end;

	cdop__hello__init(&said);
	said.schema_level = 1;
	hello.len = cdop__hello__pack(&said, bytes);
	(void)may(identity_load(path, c->arena, &id));
	(void)may(identity_unlock(&id, none, c->arena));
	end = open_with(c, &id, id.secret->has_psk_next, hello);
	if (end == CONN_REFUSED && id.secret->has_psk_next)
		end = open_with(c, &id, false, hello);
	if (end != CONN_OK ||
	    conn_next(c->conn, conn_now_ms() + PATIENCE, &welcome) != CONN_OK)
		die(path, "no link");
	conn_done(c->conn);
	identity_wipe(&id);
	cdop_arena_reset(c->arena);
	c->next_id = 1;
}

void
mix_hang_up(struct mix_client *c)
{
	conn_close(c->conn);
	c->conn = NULL;
}

void
mix_ready(struct mix_client *c)
{
	if (c->sent >= EACH) {
		mix_hang_up(c);
		c->sent = 0;
		if (++c->device == c->devices)
			die("devices", "all have had their calls");
	}
	if (c->conn == NULL)
		connect_as(c, c->identity[c->device]);
}

/* ---- calls ------------------------------------------------------------- */

static ProtobufCMessage *
ask_register(struct mix_client *c, struct flight *f)
{
	Cdop__NotificationRegisterRequest *r =
	    cdop_arena_alloc(c->arena, sizeof(*r));
	Cdop__Form *form = cdop_arena_alloc(c->arena, sizeof(*form));

	cdop__notification_register_request__init(r);
	cdop__form__init(form);
	f->who = mix_child_next(c->book);
	mix_child_describe(c->arena, form, f->who);
	r->form = form;
	return &r->base;
}

static ProtobufCMessage *
ask_amend(struct mix_client *c, const struct flight *f)
{
	struct cdop_violations v = {NULL, 0, 0};
	const char *again;
	Cdop__CaseAmendRequest *r = cdop_arena_alloc(c->arena, sizeof(*r));
	Cdop__Form *form = cdop_arena_alloc(c->arena, sizeof(*form));

	cdop__case_amend_request__init(r);
	cdop__form__init(form);
	again = cdop_arena_printf(c->arena,
	    "Synthetic circumstances, as they were told again: %s.",
	    mix_child_word(c->arena, roll(c, 1u << 30), 4));
	(void)may(cdop_form_put(
	    form, "circumstances.narrative", again, NULL, c->arena, &v));
	r->reference = c->book->all[f->at].reference;
	r->version = c->book->all[f->at].version;
	r->form = form;
	r->reason = cdop_arena_strdup(c->arena, "more was said");
	r->source = cdop_arena_strdup(c->arena, "telephone");
	return &r->base;
}

static ProtobufCMessage *
ask_find(struct mix_client *c, const struct flight *f)
{
	Cdop__CaseFindRequest *r = cdop_arena_alloc(c->arena, sizeof(*r));

	cdop__case_find_request__init(r);
	r->nhs_number = (char *)(uintptr_t)mix_child_number(
	    c->arena, c->book->all[f->at].who);
	return &r->base;
}

static ProtobufCMessage *
ask_show(struct mix_client *c, const struct flight *f)
{
	Cdop__CaseShowRequest *r = cdop_arena_alloc(c->arena, sizeof(*r));

	cdop__case_show_request__init(r);
	r->reference = c->book->all[f->at].reference;
	return &r->base;
}

static ProtobufCMessage *
ask_list(struct mix_client *c, const struct flight *f)
{
	Cdop__CaseListRequest *r = cdop_arena_alloc(c->arena, sizeof(*r));

	cdop__case_list_request__init(r);
	r->has_limit = true;
	r->limit = f->kind == MIX_LIST ? LIST : PAGE;
	if (f->kind == MIX_LIST)
		r->area = cdop_arena_strdup(
		    c->arena, areas[roll(c, sizeof(areas) / sizeof(areas[0]))]);
	else if (c->page_len > 0) {
		r->has_page = true;
		r->page.data = c->page_token;
		r->page.len = c->page_len;
	}
	return &r->base;
}

static ProtobufCMessage *
ask(struct mix_client *c, struct flight *f)
{
	switch (f->kind) {
	case MIX_FIND:
		return ask_find(c, f);
	case MIX_SHOW:
		return ask_show(c, f);
	case MIX_AMEND:
		return ask_amend(c, f);
	case MIX_LIST:
	case MIX_SCAN:
		return ask_list(c, f);
	case MIX_REGISTER:
	case MIX_KINDS:
	default:
		return ask_register(c, f);
	}
}

/* Milliseconds, then chance: what a request key has to be. */
static void
fill_key(uint8_t key[static 16])
{
	struct timespec ts;
	uint64_t ms;
	int i;

	clock_gettime(CLOCK_REALTIME, &ts);
	ms = (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
	for (i = 0; i < 6; i++)
		key[i] = (uint8_t)(ms >> (40 - 8 * i));
	cdop_secret_random(key + 6, 10);
}

static void
envelop(struct mix_client *c, const struct flight *f, uint8_t *key,
    Cdop__Call *call)
{
	static const uint32_t methods[] = {45, 43, 40, 46, 44, 44};

	cdop__call__init(call);
	call->id = f->id;
	call->method = methods[f->kind];
	call->purpose = cdop_arena_strdup(c->arena,
	    f->kind == MIX_REGISTER ? "new_notification" : "case_work");
	call->has_use = f->kind != MIX_REGISTER && f->kind != MIX_AMEND;
	call->use = CDOP__USE__SCREEN;
	if (call->has_use)
		return;
	fill_key(key);
	call->has_request_key = true;
	call->request_key.data = key;
	call->request_key.len = 16;
}

static struct flight *
find_flight(struct mix_client *c, uint64_t id)
{
	size_t i;

	for (i = 0; i < FLYING; i++)
		if (c->flying[i].id == id)
			return &c->flying[i];
	die("flight", "an answer to nothing");
	return NULL;
}

enum mix_kind
mix_pick(struct mix_client *c)
{
	static const enum mix_kind order[] = {MIX_FIND, MIX_SHOW, MIX_FIND,
	    MIX_SHOW, MIX_REGISTER, MIX_FIND, MIX_SHOW, MIX_FIND, MIX_SHOW,
	    MIX_AMEND};

	return order[c->picked++ % (sizeof(order) / sizeof(order[0]))];
}

/* Which case it is about: one that it may amend, or one with a number. */
static uint32_t
choose(struct mix_client *c, enum mix_kind kind)
{
	const struct mix_book *book = c->book;
	uint32_t at, i;

	if (book->n == 0)
		return 0;
	if (kind == MIX_AMEND)
		return roll(c, (book->n - 1 - c->first) / c->share + 1) *
		    c->share +
		    c->first;
	for (i = 0, at = 0; i < 100; i++) {
		at = roll(c, book->n);
		if (kind != MIX_FIND ||
		    mix_child_number(c->arena, book->all[at].who) != NULL)
			break;
	}
	return at;
}

void
mix_send(struct mix_client *c, enum mix_kind kind)
{
	struct flight *f;
	ProtobufCMessage *request;
	struct cdop_bytes bytes;
	Cdop__Call call;
	uint8_t key[16], *out;

	if (c->conn == NULL || c->sent >= EACH)
		mix_ready(c);
	f = find_flight(c, 0);
	f->kind = kind;
	f->id = c->next_id++;
	f->at = choose(c, kind);
	request = ask(c, f);
	envelop(c, f, key, &call);
	call.body.len = protobuf_c_message_get_packed_size(request);
	call.body.data = cdop_arena_alloc(c->arena, call.body.len);
	call.has_body = true;
	(void)protobuf_c_message_pack(request, call.body.data);
	bytes.len = cdop__call__get_packed_size(&call);
	out = cdop_arena_alloc(c->arena, bytes.len);
	cdop__call__pack(&call, out);
	bytes.data = out;
	c->sent++;
	c->body_len = (uint32_t)call.body.len;
	if (conn_send(c->conn, bytes) != CONN_OK)
		die("send", "the link is gone");
	cdop_arena_reset(c->arena);
}

/* ---- answers ----------------------------------------------------------- */

static bool
took_register(
    struct mix_client *c, const struct flight *f, const Cdop__Reply *reply)
{
	Cdop__NotificationRegisterReply *r;
	struct mix_book *book = c->book;
	struct mix_case *one = &book->all[book->n];

	r = cdop__notification_register_reply__unpack(
	    cdop_arena_allocator(c->arena), reply->body.len, reply->body.data);
	if (r == NULL || r->reference == NULL || book->n == book->max)
		return false;
	(void)snprintf(
	    one->reference, sizeof(one->reference), "%s", r->reference);
	one->who = f->who;
	one->version = (uint32_t)r->version;
	book->n++;
	return true;
}

static bool
took_amend(
    struct mix_client *c, const struct flight *f, const Cdop__Reply *reply)
{
	Cdop__ChangeReply *r = cdop__change_reply__unpack(
	    cdop_arena_allocator(c->arena), reply->body.len, reply->body.data);

	if (r == NULL || r->version <= c->book->all[f->at].version)
		return false;
	c->book->all[f->at].version = (uint32_t)r->version;
	return true;
}

/* The one case, and no other. */
static bool
took_find(
    struct mix_client *c, const struct flight *f, const Cdop__Reply *reply)
{
	Cdop__CaseFindReply *r = cdop__case_find_reply__unpack(
	    cdop_arena_allocator(c->arena), reply->body.len, reply->body.data);

	return r != NULL && r->n_case_ == 1 &&
	    strcmp(r->case_[0]->reference, c->book->all[f->at].reference) == 0;
}

static bool
took_show(
    struct mix_client *c, const struct flight *f, const Cdop__Reply *reply)
{
	Cdop__CaseShowReply *r = cdop__case_show_reply__unpack(
	    cdop_arena_allocator(c->arena), reply->body.len, reply->body.data);

	return r != NULL && r->case_ != NULL &&
	    strcmp(r->case_->reference, c->book->all[f->at].reference) == 0;
}

/* Not one more than was asked for, and where it goes on. */
static bool
took_list(
    struct mix_client *c, const struct flight *f, const Cdop__Reply *reply)
{
	Cdop__CaseListReply *r = cdop__case_list_reply__unpack(
	    cdop_arena_allocator(c->arena), reply->body.len, reply->body.data);

	if (r == NULL || r->n_case_ == 0)
		return false;
	if (f->kind == MIX_LIST)
		return r->n_case_ <= LIST;
	if (r->next_page.len > sizeof(c->page_token) || r->n_case_ > PAGE)
		return false;
	c->listed += (uint32_t)r->n_case_;
	c->page_len = r->has_next_page ? r->next_page.len : 0;
	memcpy(c->page_token, r->next_page.data, c->page_len);
	return true;
}

static bool
took(struct mix_client *c, const struct flight *f, const Cdop__Reply *reply)
{
	if (reply->status != 0 || !reply->last || !reply->has_body)
		return false;
	switch (f->kind) {
	case MIX_FIND:
		return took_find(c, f, reply);
	case MIX_SHOW:
		return took_show(c, f, reply);
	case MIX_AMEND:
		return took_amend(c, f, reply);
	case MIX_LIST:
	case MIX_SCAN:
		return took_list(c, f, reply);
	case MIX_REGISTER:
	case MIX_KINDS:
	default:
		return took_register(c, f, reply);
	}
}

/* What came, and whether it is what was asked for. */
static bool
answer(struct mix_client *c, struct cdop_bytes message)
{
	struct flight *f;
	Cdop__Reply *reply;
	bool good;

	reply = cdop__reply__unpack(
	    cdop_arena_allocator(c->arena), message.len, message.data);
	if (reply == NULL)
		die("answer", "it cannot be read");
	conn_done(c->conn);
	f = find_flight(c, reply->id);
	good = took(c, f, reply);
	if (!good)
		fprintf(stderr, "mix: call of kind %d failed: %u %s %s\n",
		    (int)f->kind, reply->status,
		    reply->reason != NULL ? reply->reason : "",
		    reply->n_violation > 0 ? reply->violation[0]->rule : "");
	f->id = 0;
	cdop_arena_reset(c->arena);
	return good;
}

bool
mix_take(struct mix_client *c)
{
	struct cdop_bytes message;

	if (conn_next(c->conn, conn_now_ms() + PATIENCE, &message) != CONN_OK)
		die("answer", "none came, or the link is gone");
	return answer(c, message);
}

enum mix_answer
mix_poll(struct mix_client *c)
{
	struct cdop_bytes message;

	if (conn_poll(c->conn, &message) != CONN_OK)
		die("answer", "the link is gone");
	if (message.data == NULL)
		return MIX_NONE;
	return answer(c, message) ? MIX_GOOD : MIX_BAD;
}

int
mix_fd(const struct mix_client *c)
{
	return conn_fd(c->conn);
}

uint64_t
mix_listed(const struct mix_client *c)
{
	return c->listed;
}

uint32_t
mix_body_len(const struct mix_client *c)
{
	return c->body_len;
}

void
mix_cipher(size_t n, size_t len)
{
	static uint8_t plain[65536], sealed[65536 + CDOP_TAG_LEN];
	static const uint8_t key[CDOP_KEY_LEN], nonce[CDOP_XNONCE_LEN];
	const struct cdop_bytes none = {NULL, 0};

	if (len > sizeof(plain))
		return;
	while (n-- > 0)
		cdop_secret_seal(
		    key, nonce, none, (struct cdop_bytes){plain, len}, sealed);
}
