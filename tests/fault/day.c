/* Asking, asking again, and the steps of a day; see day.h. */
#include "tests/fault/day.h"

#include <stdio.h>
#include <string.h>

#include "cdop/second.h"
#include "server/registry/copying.h"
#include "server/registry/rotation_step.h"
#include "tests/fault/say.h"
#include "tests/fault/shim.h"

#define TRIES     6
#define SETTLE    900
#define FIRST_KEY 1795600000000ull

bool
day_open(struct day *day, const struct house_place *place, struct keep *keep)
{
	memset(day, 0, sizeof(*day));
	day->keep = keep;
	if (!house_open(&day->house, place)) {
		day->dead = true;
		return false;
	}
	town_open(&day->town, &day->house, keep);
	return true;
}

void
day_close(struct day *day)
{
	if (day->town.house != NULL)
		town_close(&day->town);
	house_close(&day->house);
}

void
day_begin(struct keep *keep)
{
	keep->at = 0;
	memset(keep->op, 0, sizeof(keep->op));
}

/* ---- one request -------------------------------------------------------- */

/* Refusals that say "not now": what was asked may be asked again. */
static bool
is_for_later(const Cdop__Reply *reply)
{
	return reply->status == CDOP_RESOURCE_EXHAUSTED ||
	    reply->status == CDOP_UNAVAILABLE ||
	    reply->status == CDOP_INTERNAL || reply->status == CDOP_DATA_LOSS ||
	    reply->status == CDOP_DEADLINE_EXCEEDED ||
	    (reply->reason != NULL &&
		strcmp(reply->reason, "backup_runs") == 0);
}

static void
make_key(struct keep *keep, uint8_t key[16])
{
	memset(key, 0, 16);
	cdop_put32(key, (uint32_t)(FIRST_KEY >> 16));
	cdop_put16(key + 4, (uint16_t)FIRST_KEY);
	cdop_put64(key + 8, ++keep->keys);
}

static struct keep_op *
next_op(struct day *day, uint32_t method)
{
	struct keep *keep = day->keep;
	struct keep_op *op;

	require(keep->at < KEEP_OPS, "room for what is asked");
	op = &keep->op[keep->at++];
	require(!op->sent || op->method == method, "the same is asked again");
	if (day->leap_at == keep->at)
		shim_leap(day->leap_ms);
	return op;
}

static void
fill(struct day *day, struct keep_op *op, uint32_t method,
    const ProtobufCMessage *body)
{
	if (op->sent)
		return;
	op->method = method;
	make_key(day->keep, op->key);
	if (body != NULL) {
		op->len = protobuf_c_message_get_packed_size(body);
		require(op->len <= sizeof(op->body), "room for a request");
		(void)protobuf_c_message_pack(body, op->body);
	}
	op->sent = true;
}

/*
 * Asks until there is an answer that means something.  NULL: the vault has
 * left.  What was answered once is known when it is asked again.
 */
static Cdop__Reply *
ask(struct day *day, unsigned who, struct keep_op *op, town_more_fn *more,
    void *ctx)
{
	bool was_answered = op->answered;
	enum town_heard heard;
	Cdop__Reply *reply = NULL;
	int tries;

	for (tries = 0; tries < TRIES && !day->dead; tries++) {
		heard = town_call(&day->town, who, op, more, ctx, &reply);
		day->dead = heard == TOWN_DEAD;
		if (heard == TOWN_ANSWERED && !is_for_later(reply))
			break;
		day->keep->hindered = true;
		if (heard == TOWN_ANSWERED)
			require(
			    reply->message != NULL && reply->message[0] != '\0',
			    "a refusal says what is wrong");
		shim_pass(61000);
	}
	if (day->dead)
		return NULL;
	if (tries == TRIES && day->hopeless) {
		day->dead = true;
		return NULL;
	}
	if (tries == TRIES)
		broken("call %u is not answered, whatever is tried: %s",
		    op->method,
		    reply == NULL
			? "closed"
			: cdop_err_name((enum cdop_err)reply->status));
	if (reply->status != CDOP_OK)
		broken("call %u: %s %s %s", op->method,
		    cdop_err_name((enum cdop_err)reply->status),
		    reply->reason == NULL ? "" : reply->reason,
		    reply->message == NULL ? "" : reply->message);
	op->was_known = reply->replayed;
	if (was_answered && op->method != 3)
		require(reply->replayed, "an answered change is known");
	return reply;
}

/* A change; it is good for ever once it was answered. */
Cdop__Reply *
day_change(struct day *day, unsigned who, uint32_t method,
    const ProtobufCMessage *body)
{
	struct keep_op *op = next_op(day, method);
	Cdop__Reply *reply;

	fill(day, op, method, body);
	reply = ask(day, who, op, NULL, NULL);
	if (reply != NULL)
		op->answered = true;
	return reply;
}

Cdop__Reply *
day_look(struct day *day, unsigned who, uint32_t method,
    const ProtobufCMessage *body, town_more_fn *more, void *ctx)
{
	struct keep_op *op = next_op(day, method);

	memset(op, 0, sizeof(*op));
	fill(day, op, method, body);
	return ask(day, who, op, more, ctx);
}

void *
day_body(struct day *day, const Cdop__Reply *reply,
    const ProtobufCMessageDescriptor *desc)
{
	void *body;

	if (reply == NULL)
		return NULL;
	require(reply->has_body, "the answer has a body");
	body = protobuf_c_message_unpack(desc,
	    cdop_arena_allocator(day->town.arena), reply->body.len,
	    reply->body.data);
	require(body != NULL, "it unpacks");
	return body;
}

/* The yes of a second person to the one act that waits. */
void
day_approve(struct day *day, enum world_who who)
{
	Cdop__ApprovalListRequest request;
	Cdop__ApprovalListReply *list;
	Cdop__ApproveRequest yes;
	const Cdop__Approval *act;
	struct cdop_second second;
	struct keep_op op = {0};
	uint8_t hash[32];

	cdop__approve_request__init(&yes);
	if (day->keep->op[day->keep->at].sent) {
		(void)day_change(day, who, 21, NULL);
		return;
	}
	cdop__approval_list_request__init(&request);
	/* The list takes no place among what is asked: it may be left out. */
	fill(day, &op, 20, &request.base);
	list = day_body(day, ask(day, who, &op, NULL, NULL),
	    &cdop__approval_list_reply__descriptor);
	if (list == NULL)
		return;
	require(list->n_approval == 1, "one act waits");
	act = list->approval[0];
	second = (struct cdop_second){
	    .registry = day->town.registry,
	    .method = act->method,
	    .requester = act->requester,
	    .request_key = act->request_key.data,
	    .request = {act->request.data, act->request.len},
	    .target_version = act->target_version.data,
	};
	cdop_second_hash(hash, &second);
	yes.number = act->number;
	yes.hash = (ProtobufCBinaryData){sizeof(hash), hash};
	yes.approve = true;
	(void)day_change(day, who, 21, &yes.base);
}

/* ---- until there is nothing left to do ---------------------------------- */

static void
settle(struct day *day)
{
	size_t turns, quiet = 0;
	int sleep;

	for (turns = 0; turns < SETTLE && !day->dead; turns++) {
		if (!town_turn(&day->town)) {
			day->dead = true;
			return;
		}
		sleep = cycle_sleep_ms(day->house.cycle);
		quiet = sleep > 100 &&
			rotation_running(day->house.reg->rotation) == NULL
		    ? quiet + 1
		    : 0;
		if (quiet >= 3)
			return;
		shim_pass(sleep == 0 ? 1 : sleep < 1000 ? 1000 : 5000);
	}
	day->keep->hindered = true;
	if (!day->hopeless)
		broken("it does not come to rest");
}

void
day_play(struct day *day, const struct day_step *step)
{
	step->play(day);
	if (!day->dead)
		settle(day);
}
