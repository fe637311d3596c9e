/* The link key: a next one, who knows it, and its turn. */
#include "server/rpc/rpc_key_link.h"

#include "cdop/limits.h"
#include "server/registry/link_key.h"
#include "server/registry/people.h"

#define NAMED_MAX 8 /* devices in the words of an act */

_Static_assert(NAMED_MAX + 4 <= RPC_WORDS_MAX,
    "what is done, how many, those that are not named, the reason");

static void
say(struct rpc_ctx *ctx, const char *words)
{
	rpc_second_words(ctx, words != NULL ? words : "(out of memory)");
}

static const char *
name_of(const struct rpc_ctx *ctx, const struct people_device *device)
{
	const struct people_person *person =
	    people_person(ctx->reg->people, device->person);

	return person == NULL ? "?" : person->name;
}

/* Of those that may connect. */
static size_t
count_waiting(const struct rpc_ctx *ctx)
{
	const uint32_t last = people_last_device(ctx->reg->people);
	size_t n = 0;
	uint32_t i;

	for (i = 1; i <= last; i++)
		n += link_key_waits_for(
		    ctx->reg, people_device(ctx->reg->people, i), ctx->now_ms);
	return n;
}

static void
say_waiting(struct rpc_ctx *ctx)
{
	const uint32_t last = people_last_device(ctx->reg->people);
	const size_t waiting = count_waiting(ctx);
	const struct people_device *device;
	size_t n = 0;
	uint32_t i;

	say(ctx,
	    cdop_arena_printf(ctx->arena,
		"%zu devices have not learnt it, and have to be invited anew",
		waiting));
	for (i = 1; i <= last && n < NAMED_MAX; i++) {
		device = people_device(ctx->reg->people, i);
		if (!link_key_waits_for(ctx->reg, device, ctx->now_ms))
			continue;
		say(ctx,
		    cdop_arena_printf(ctx->arena, "not learnt: device %u of %s",
			i, name_of(ctx, device)));
		n++;
	}
	if (waiting > n)
		say(ctx,
		    cdop_arena_printf(ctx->arena,
			"and %zu more, whom cdop key status names",
			waiting - n));
}

static enum cdop_err
check(struct rpc_ctx *ctx, bool turns)
{
	const bool has_next = ctx->reg->link_secret_next != NULL;

	if (turns && !has_next)
		return rpc_fail(ctx, CDOP_FAILED_PRECONDITION, "no_next_key",
		    "there is no next link key: make one first");
	if (!turns && has_next)
		return rpc_fail(ctx, CDOP_FAILED_PRECONDITION, "has_next_key",
		    "there is a next link key already, which clients learn");
	return CDOP_OK;
}

enum cdop_err
rpc_key_link(struct rpc_ctx *ctx, const Cdop__KeyRotateRequest *req)
{
	const bool turns = req->what == CDOP__KEY_WHAT__KEY_LINK_TURN;
	uint8_t target[32];
	enum cdop_err err;

	if (req->has_compromised && req->compromised) {
		rpc_violation(ctx, "compromised", "compromised_link",
		    CDOP__SEVERITY__ERROR, "not of the link key");
		return rpc_fail(ctx, CDOP_INVALID_ARGUMENT, "compromised_link",
		    "the link key has one way to turn: make a next one, then "
		    "turn to it");
	}
	if ((err = check(ctx, turns)) != CDOP_OK)
		return err;
	if (turns) {
		say(ctx,
		    "the server proves itself with its next link key, and the "
		    "old one is gone");
		say_waiting(ctx);
	} else {
		say(ctx,
		    "make the server's next link key: each device learns it "
		    "in its next session");
		say(ctx, "the current one stays in use until it is turned");
	}
	say(ctx, cdop_arena_printf(ctx->arena, "reason: %s", req->reason));
	link_key_target(ctx->reg, target);
	if (!rpc_second_may_apply(ctx, target))
		return CDOP_OK;
	err = turns ? link_key_turn(ctx->reg, ctx->arena)
		    : link_key_make(ctx->reg, ctx->arena, ctx->now_ms);
	ctx->applied = err == CDOP_OK;
	return err;
}

/* ---- status ------------------------------------------------------------- */

static enum cdop_err
fill_device(struct rpc_ctx *ctx, const struct people_device *device,
    Cdop__KeyLinkDevice **ret_out)
{
	Cdop__KeyLinkDevice *out = cdop_arena_alloc(ctx->arena, sizeof(*out));

	if (out == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop__key_link_device__init(out);
	out->device = device->number;
	out->person = device->person;
	out->name = (char *)(uintptr_t)name_of(ctx, device);
	out->label = (char *)(uintptr_t)device->label;
	out->has_seen_ms = device->seen_ms != 0;
	out->seen_ms = device->seen_ms;
	*ret_out = out;
	return CDOP_OK;
}

static enum cdop_err
fill_waiting(struct rpc_ctx *ctx, Cdop__KeyLink *link)
{
	const uint32_t last = people_last_device(ctx->reg->people);
	const struct people_device *device;
	enum cdop_err err;
	uint32_t i;

	link->has_waits = true;
	link->waits = (uint32_t)count_waiting(ctx);
	link->waiting = cdop_arena_calloc(
	    ctx->arena, CDOP_LIST_MAX, sizeof(*link->waiting));
	if (link->waiting == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 1; i <= last && link->n_waiting < CDOP_LIST_MAX; i++) {
		device = people_device(ctx->reg->people, i);
		if (!link_key_waits_for(ctx->reg, device, ctx->now_ms))
			continue;
		err = fill_device(ctx, device, &link->waiting[link->n_waiting]);
		if (err != CDOP_OK)
			return err;
		link->n_waiting++;
	}
	return CDOP_OK;
}

enum cdop_err
rpc_key_link_status(struct rpc_ctx *ctx, Cdop__KeyLink **ret_link)
{
	uint8_t(*key)[32] = cdop_arena_calloc(ctx->arena, 2, sizeof(*key));
	Cdop__KeyLink *link = cdop_arena_alloc(ctx->arena, sizeof(*link));

	if (key == NULL || link == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop__key_link__init(link);
	*ret_link = link;
	link->has_next = link_key_publics(ctx->reg, key) == 2;
	link->current = (ProtobufCBinaryData){32, key[0]};
	link->next = (ProtobufCBinaryData){32, key[1]};
	link->has_made_ms = link->has_next;
	link->made_ms = ctx->reg->link_next_ms;
	return link->has_next ? fill_waiting(ctx, link) : CDOP_OK;
}
