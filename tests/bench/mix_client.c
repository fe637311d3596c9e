/* A client of the mix; see mix.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cdop/form.h"
#include "cdop/nhs.h"
#include "cdop/secret.h"
#include "client/call.h"
#include "client/conn.h"
#include "client/identity.h"
#include "tests/bench/mix.h"

#define ARENA     ((size_t)4 << 20)
#define EACH      45000 /* calls of a device; it has 50,000 at a stretch */
#define FLYING    64
#define PATIENCE  30000 /* ms that a call may take */
#define CASES_MAX 400000
#define NUMBER_LO 999000000u /* synthetic ones; the ninth digit is next */

struct mine {
	char reference[24];
	uint32_t who; /* number of the child, see number_of() */
	uint32_t version;
};

/* A call under way. */
struct flight {
	uint64_t id;
	enum mix_kind kind;
	uint32_t who;
	uint32_t at; /* which of mine */
};

struct mix_client {
	unsigned me, devices, device;
	char *const *identity;
	struct conn *conn;
	struct cdop_arena *arena;
	uint64_t next_id;
	uint32_t sent;   /* on this device */
	uint32_t next;   /* body of the next child's number */
	uint32_t picked; /* of the mix */
	uint64_t dice;
	struct flight flying[FLYING];
	struct mine *mine;
	uint32_t n_mine;
};

static const char *const areas[] = {
    "knowsley", "liverpool", "sefton", "st-helens", "wirral", "isle-of-man"};

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
mix_new(unsigned me, char *const *identity, unsigned devices)
{
	struct mix_client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		die("mix_new", "out of memory");
	c->mine = calloc(CASES_MAX, sizeof(*c->mine));
	if (c->mine == NULL)
		die("mix_new", "out of memory");
	(void)may(cdop_secret_init());
	(void)may(cdop_arena_new(ARENA, &c->arena));
	c->me = me;
	c->identity = identity;
	c->devices = devices;
	c->dice = 4711 + me;
	c->next = me * 100000;
	return c;
}

/* ---- its link ---------------------------------------------------------- */

static enum conn_end
open_with(struct mix_client *c, const struct identity *id, bool next,
    struct cdop_bytes hello)
{
	struct conn_args args;
	bool gone;

	memset(&args, 0, sizeof(args));
	args.address = id->open->address[0];
	args.link.s = id->secret->static_key.data;
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

/* ---- children who never lived ------------------------------------------ */

/* Ten digits with their check digit; some bodies have none. */
static const char *
number_of(struct mix_client *c, uint32_t who)
{
	char text[11];
	uint32_t body = NUMBER_LO + who, sum = 0, i;

	(void)snprintf(text, sizeof(text), "%09u", body);
	for (i = 0; i < 9; i++)
		sum += (uint32_t)(text[i] - '0') * (10 - i);
	sum = (11 - sum % 11) % 11;
	if (sum == 10)
		return NULL;
	return cdop_arena_printf(c->arena, "%s%u", text, sum);
}

static const char *
name_of(struct mix_client *c, uint32_t who, uint32_t salt)
{
	uint64_t mixed = (who + 1ull) * 0x9e3779b97f4a7c15 + salt;
	char text[9];
	size_t i;

	for (i = 0; i < sizeof(text) - 1; i++) {
		mixed ^= mixed >> 29;
		mixed *= 0xbf58476d1ce4e5b9;
		text[i] = (char)((i == 0 ? 'A' : 'a') + (mixed >> 40) % 26);
	}
	text[i] = '\0';
	return cdop_arena_strdup(c->arena, text);
}

static void
put(struct mix_client *c, Cdop__Form *form, const char *path, const char *typed)
{
	struct cdop_violations v = {NULL, 0, 0};

	if (cdop_form_put(form, path, typed, NULL, c->arena, &v) != CDOP_OK)
		die(path, v.n > 0 ? v.v[0].message : "out of memory");
}

static void
describe(struct mix_client *c, Cdop__Form *form, uint32_t who)
{
	const char *area = areas[who % (sizeof(areas) / sizeof(areas[0]))];
	const char *const family = name_of(c, who, 1);

	put(c, form, "received.channel", "phone");
	put(c, form, "received.notified_date", "2024-11-19");
	put(c, form, "received.notified_time", "09:30");
	put(c, form, "notifier.agency", "RBS");
	put(c, form, "notifier.name", "Dr Sample Testarina");
	put(c, form, "notifier.phone", "0151 496 0123");
	put(c, form, "child.name_kind", "known");
	put(c, form, "child.family_name", family);
	put(c, form, "child.first_names", name_of(c, who, 2));
	put(c, form, "child.nhs_number", number_of(c, who));
	put(c, form, "child.sex", "2");
	put(c, form, "child.address", "1 Example Road, Nowhere");
	put(c, form, "child.postcode", "L1 8JQ");
	put(c, form, "birth.date",
	    cdop_arena_printf(c->arena, "20%02u-%02u-%02u", 8 + who % 15,
		1 + who / 15 % 12, 1 + who / 180 % 28));
	put(c, form, "death.date", "2024-11-18");
	put(c, form, "death.time", "08:15");
	put(c, form, "death.expected", "no");
	put(c, form, "place.type", "emergency_department");
	put(c, form, "area.residence", area);
	put(c, form, "area.death", "liverpool");
	put(c, form, "mother.family_name", family);
	put(c, form, "mother.first_names", name_of(c, who, 3));
	put(c, form, "circumstances.narrative",
	    "Synthetic circumstances: found unwell at home, taken to "
	    "hospital by ambulance, where nobody could help any more.");
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
	do
		f->who = c->next++;
	while (number_of(c, f->who) == NULL);
	describe(c, form, f->who);
	r->form = form;
	return &r->base;
}

static ProtobufCMessage *
ask_amend(struct mix_client *c, const struct flight *f)
{
	Cdop__CaseAmendRequest *r = cdop_arena_alloc(c->arena, sizeof(*r));
	Cdop__Form *form = cdop_arena_alloc(c->arena, sizeof(*form));

	cdop__case_amend_request__init(r);
	cdop__form__init(form);
	put(c, form, "circumstances.narrative",
	    cdop_arena_printf(c->arena,
		"Synthetic circumstances, as they were told again: %s.",
		name_of(c, roll(c, 1u << 30), 4)));
	r->reference = c->mine[f->at].reference;
	r->version = c->mine[f->at].version;
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
	r->nhs_number =
	    cdop_arena_strdup(c->arena, number_of(c, c->mine[f->at].who));
	return &r->base;
}

static ProtobufCMessage *
ask_show(struct mix_client *c, const struct flight *f)
{
	Cdop__CaseShowRequest *r = cdop_arena_alloc(c->arena, sizeof(*r));

	cdop__case_show_request__init(r);
	r->reference = c->mine[f->at].reference;
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
	static const uint32_t methods[] = {45, 43, 40, 46};

	cdop__call__init(call);
	call->id = f->id;
	call->method = methods[f->kind];
	call->purpose = cdop_arena_strdup(c->arena,
	    f->kind == MIX_REGISTER ? "new_notification" : "case_work");
	call->has_use = f->kind == MIX_FIND || f->kind == MIX_SHOW;
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
	f->at = c->n_mine > 0 ? roll(c, c->n_mine) : 0;
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
	struct mine *mine = &c->mine[c->n_mine];

	r = cdop__notification_register_reply__unpack(
	    cdop_arena_allocator(c->arena), reply->body.len, reply->body.data);
	if (r == NULL || r->reference == NULL || c->n_mine == CASES_MAX)
		return false;
	(void)snprintf(
	    mine->reference, sizeof(mine->reference), "%s", r->reference);
	mine->who = f->who;
	mine->version = (uint32_t)r->version;
	c->n_mine++;
	return true;
}

static bool
took_amend(
    struct mix_client *c, const struct flight *f, const Cdop__Reply *reply)
{
	Cdop__ChangeReply *r = cdop__change_reply__unpack(
	    cdop_arena_allocator(c->arena), reply->body.len, reply->body.data);

	if (r == NULL || r->version <= c->mine[f->at].version)
		return false;
	c->mine[f->at].version = (uint32_t)r->version;
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
	    strcmp(r->case_[0]->reference, c->mine[f->at].reference) == 0;
}

static bool
took_show(
    struct mix_client *c, const struct flight *f, const Cdop__Reply *reply)
{
	Cdop__CaseShowReply *r = cdop__case_show_reply__unpack(
	    cdop_arena_allocator(c->arena), reply->body.len, reply->body.data);

	return r != NULL && r->case_ != NULL &&
	    strcmp(r->case_->reference, c->mine[f->at].reference) == 0;
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
	case MIX_REGISTER:
	case MIX_KINDS:
	default:
		return took_register(c, f, reply);
	}
}

bool
mix_take(struct mix_client *c)
{
	struct cdop_bytes message;
	struct flight *f;
	Cdop__Reply *reply;
	bool good;

	if (conn_next(c->conn, conn_now_ms() + PATIENCE, &message) != CONN_OK)
		die("answer", "none came, or the link is gone");
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

uint32_t
mix_cases(const struct mix_client *c)
{
	return c->n_mine;
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
