/*
 * The log's key and its witnesses: its turn, its going on after a restore, and
 * who has co-signed.  What is stated and signed is the registry's
 * (statements.h, restored.h, witnesses.h).
 */
#include <string.h>

#include "cdop/text.h"
#include "server/registry/actor.h"
#include "server/registry/checkpoints.h"
#include "server/registry/people.h"
#include "server/registry/registry.h"
#include "server/registry/restored.h"
#include "server/registry/statements.h"
#include "server/registry/witnesses.h"
#include "server/rpc/ctx.h"
#include "server/rpc/rpc_reason.h"
#include "server/vault/rows.h"

#define NAMED_MAX 8 /* in the words of an act */

static const char needs_reason[] =
    "it needs a reason: every client is shown it";

/* "2 Bob Adminby": a person in a statement. */
static const char *
words_of(struct rpc_ctx *ctx, uint32_t person)
{
	const struct people_person *found;

	found = people_person(ctx->reg->people, person);
	return cdop_arena_printf(ctx->arena, "%u %s", person,
	    found != NULL ? found->name : "(unknown)");
}

static bool
name_both(struct rpc_ctx *ctx, const char **by)
{
	by[0] = words_of(ctx, ctx->actor->person);
	by[1] = words_of(ctx, ctx->second_person);
	return by[0] != NULL && by[1] != NULL;
}

static void
say(struct rpc_ctx *ctx, const char *words)
{
	rpc_second_words(ctx, words != NULL ? words : "(out of memory)");
}

/* The newest one, as every client gets it. */
static void
fill_newest(const struct rpc_ctx *ctx, Cdop__StatementReply *rep)
{
	const struct registry *reg = ctx->reg;

	rep->statements = (uint32_t)reg->statements->n;
	if (reg->statements->n == 0)
		return;
	rep->has_statement = true;
	rep->statement.data =
	    (uint8_t *)(uintptr_t)reg->statements->note[reg->statements->n - 1]
		.data;
	rep->statement.len = reg->statements->note[reg->statements->n - 1].len;
}

/* ---- witnesses ---------------------------------------------------------- */

static enum cdop_err
witness_refused(
    struct rpc_ctx *ctx, enum cdop_err err, enum witnesses_fault fault)
{
	switch (fault) {
	case WITNESSES_NO_NOTE:
		return rpc_fail(ctx, err, "not_a_checkpoint",
		    "not a checkpoint of this registry and incarnation");
	case WITNESSES_NO_KEY:
		return rpc_fail(ctx, err, "not_cosigned",
		    "the key is not a witness's, or has not signed this "
		    "checkpoint");
	case WITNESSES_FORKED:
		return rpc_fail(ctx, err, "log_forked",
		    "that checkpoint is no part of this log: keep it, and "
		    "tell the panel's technical contact and an auditor");
	case WITNESSES_AHEAD:
		return rpc_fail(ctx, err, "cosigned_ahead",
		    "co-signed over a day ahead: set the clock of the "
		    "witness");
	case WITNESSES_FINE:
	default:
		return err;
	}
}

enum cdop_err
rpc_witness_submit(struct rpc_ctx *ctx, const Cdop__WitnessSubmitRequest *req,
    Cdop__WitnessSubmitReply *rep)
{
	const struct witnesses_sent sent = {
	    .actor = ctx->actor,
	    .note = {req->note.data, req->note.len},
	    .vkey = req->vkey,
	    .now_ms = ctx->now_ms,
	};
	enum witnesses_fault fault;
	struct witness kept;
	enum cdop_err err;

	if (ctx->replay != NULL) {
		kept = witnesses_of(ctx->reg->witnesses, ctx->actor->person);
	} else {
		err = witnesses_take(
		    ctx->reg->witnesses, ctx->arena, &sent, &kept, &fault);
		if (err != CDOP_OK)
			return witness_refused(ctx, err, fault);
		ctx->applied = true;
	}
	rep->size = kept.size;
	rep->time_s = kept.time_s;
	return CDOP_OK;
}

/* ---- the turn of the key ----------------------------------------------- */

enum cdop_err
rpc_log_key_rotate(struct rpc_ctx *ctx, const Cdop__LogKeyRotateRequest *req,
    Cdop__StatementReply *rep)
{
	struct statements_args args = {
	    .n_by = 2,
	    .reason = req->reason,
	    .now_ms = ctx->now_ms,
	};
	struct cdop_bytes note;
	enum cdop_err err;

	fill_newest(ctx, rep);
	if (ctx->replay != NULL)
		return CDOP_OK;
	if ((err = rpc_reason_check(ctx, req->reason, needs_reason)) != CDOP_OK)
		return err;
	if (!statements_may_turn(ctx->reg))
		return rpc_fail(ctx, CDOP_RESOURCE_EXHAUSTED, "turned_enough",
		    "the log's key has turned as often as it can: what room "
		    "is left is for restores");
	say(ctx,
	    "give the audit log a new key: it signs from then on, and "
	    "every client follows it");
	say(ctx, cdop_arena_printf(ctx->arena, "reason: %s", req->reason));
	if (!rpc_second_may_apply(ctx, checkpoints_key(ctx->reg->checkpoints)))
		return CDOP_OK;
	if (!name_both(ctx, args.by))
		return CDOP_RESOURCE_EXHAUSTED;
	err = statements_turn(ctx->reg, ctx->arena, &args, &note);
	if (err != CDOP_OK)
		return err;
	ctx->applied = true;
	fill_newest(ctx, rep);
	return CDOP_OK;
}

/* ---- going on after a restore ------------------------------------------ */

static enum cdop_err
view(struct rpc_ctx *ctx, struct restored_view *ret_view)
{
	enum cdop_err err = restored_view(ctx->reg, ctx->arena, ret_view);

	if (err == CDOP_FAILED_PRECONDITION)
		return rpc_fail(ctx, err, "nothing_restored",
		    "nothing was restored, or it is accepted already");
	return err;
}

static enum cdop_err
fill_checkpoint(struct rpc_ctx *ctx, const struct cdop_checkpoint *from,
    Cdop__LogPoint **ret_point)
{
	Cdop__LogPoint *point = cdop_arena_alloc(ctx->arena, sizeof(*point));

	if (point == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop__log_point__init(point);
	point->origin = cdop_arena_strdup(ctx->arena, from->origin);
	point->root.data = cdop_arena_alloc(ctx->arena, sizeof(from->root));
	if (point->origin == NULL || point->root.data == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	memcpy(point->root.data, from->root, sizeof(from->root));
	point->root.len = sizeof(from->root);
	point->size = from->size;
	*ret_point = point;
	return CDOP_OK;
}

static enum cdop_err
fill_people(struct rpc_ctx *ctx, const struct restored_out *from, size_t n,
    Cdop__RestorePerson ***ret_all)
{
	Cdop__RestorePerson **all, *each;
	size_t i;

	all = cdop_arena_calloc(ctx->arena, n, sizeof(*all));
	each = cdop_arena_calloc(ctx->arena, n, sizeof(*each));
	if (all == NULL || each == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < n; i++) {
		cdop__restore_person__init(&each[i]);
		each[i].person = from[i].person;
		each[i].name = cdop_arena_strdup(ctx->arena,
		    people_person(ctx->reg->people, from[i].person)->name);
		if (each[i].name == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
		each[i].has_device = from[i].device != 0;
		each[i].device = from[i].device;
		each[i].has_before = each[i].before = from[i].before;
		each[i].has_revoked = each[i].revoked =
		    restored_people_is_revoked(ctx->reg->people, &from[i]);
		all[i] = &each[i];
	}
	*ret_all = all;
	return CDOP_OK;
}

/* Who is left out of it, and who may accept it. */
static enum cdop_err
fill_both(struct rpc_ctx *ctx, const struct restored_view *restored,
    Cdop__RestoreViewReply *rep)
{
	struct restored_out may[RESTORED_ACCEPT_MAX];
	enum cdop_err err;
	size_t n;

	n = restored_people_accept(
	    ctx->reg, ctx->now_ms, may, RESTORED_ACCEPT_MAX);
	err = fill_people(ctx, may, n, &rep->administrator);
	if (err == CDOP_OK)
		err = fill_people(
		    ctx, restored->out, restored->n_out, &rep->suspended);
	if (err != CDOP_OK)
		return err;
	rep->n_administrator = n;
	rep->n_suspended = restored->n_out;
	return CDOP_OK;
}

/* Why it was restored, where the mark that counts is a later one. */
static enum cdop_err
fill_first(struct rpc_ctx *ctx, const struct restored_view *restored,
    Cdop__RestoreViewReply *rep)
{
	if (!restored->has_first)
		return CDOP_OK;
	rep->first = cdop_arena_calloc(ctx->arena, 1, sizeof(*rep->first));
	if (rep->first == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop__restore_first__init(rep->first);
	rep->first->by = (char *)(uintptr_t)restored->first.by;
	rep->first->reason = (char *)(uintptr_t)restored->first.reason;
	rep->first->at_ms = restored->first.at_ms;
	return CDOP_OK;
}

enum cdop_err
rpc_restore_view(struct rpc_ctx *ctx, const Cdop__RestoreViewRequest *req,
    Cdop__RestoreViewReply *rep)
{
	struct restored_view restored;
	enum cdop_err err;

	(void)req;
	if ((err = view(ctx, &restored)) != CDOP_OK)
		return err;
	if ((err = fill_checkpoint(ctx, &restored.from, &rep->from)) != CDOP_OK)
		return err;
	if (restored.has_lost &&
	    (err = fill_checkpoint(ctx, &restored.lost, &rep->lost)) != CDOP_OK)
		return err;
	rep->by = (char *)(uintptr_t)restored.said.by;
	rep->reason = (char *)(uintptr_t)restored.said.reason;
	rep->at_ms = restored.said.at_ms;
	if ((err = fill_first(ctx, &restored, rep)) != CDOP_OK)
		return err;
	return fill_both(ctx, &restored, rep);
}

/* What the asker's own computer has seen last; NULL: it says nothing. */
static enum cdop_err
read_seen(struct rpc_ctx *ctx, const Cdop__RestoreAcceptRequest *req,
    struct cdop_checkpoint *room, const struct cdop_checkpoint **ret_seen)
{
	const struct cdop_bytes file = {req->seen.data, req->seen.len};
	struct cdop_note note;
	uint16_t incarnation;

	*ret_seen = NULL;
	if (!req->has_seen)
		return CDOP_OK;
	if (cdop_note_parse(file, &note) == CDOP_OK &&
	    cdop_checkpoint_parse(note.text, room) == CDOP_OK &&
	    cdop_checkpoint_is_of(room, ctx->reg->id, &incarnation)) {
		*ret_seen = room;
		return CDOP_OK;
	}
	rpc_violation(ctx, "seen", "checkpoint", CDOP__SEVERITY__ERROR,
	    "not a checkpoint of this registry");
	return rpc_fail(ctx, CDOP_INVALID_ARGUMENT, "bad_field",
	    "what this computer has kept is not a checkpoint of this "
	    "registry");
}

/* The first of them by name; who reads it may look at the rest. */
static const char *
name_out(struct rpc_ctx *ctx, const struct restored_out *out, size_t n)
{
	const char *words = "", *device;
	size_t i;

	for (i = 0; i < n && i < NAMED_MAX && words != NULL; i++) {
		device = out[i].device == 0
		    ? ""
		    : cdop_arena_printf(
			  ctx->arena, "device %u of ", out[i].device);
		words = cdop_arena_printf(ctx->arena, "%s%s%s%s%s", words,
		    i > 0 ? ", " : "", device, words_of(ctx, out[i].person),
		    restored_people_how(ctx->reg->people, &out[i]));
	}
	if (words != NULL && n > NAMED_MAX)
		words = cdop_arena_printf(
		    ctx->arena, "%s and %zu more", words, n - NAMED_MAX);
	return words;
}

static void
say_people(struct rpc_ctx *ctx, const char *what, const struct restored_out *of,
    size_t n)
{
	const char *names = name_out(ctx, of, n);

	say(ctx,
	    names == NULL
		? NULL
		: cdop_arena_printf(ctx->arena, "%s: %s", what, names));
}

static void
say_restore(struct rpc_ctx *ctx, const struct restored_view *restored,
    const struct cdop_checkpoint *lost, const char *reason)
{
	struct restored_out may[RESTORED_ACCEPT_MAX];
	size_t n;

	say(ctx,
	    cdop_arena_printf(ctx->arena,
		"go on from the log as it was with %llu leaves",
		(unsigned long long)restored->from.size));
	if (lost == NULL)
		say(ctx, "nothing is known to be lost");
	else
		say(ctx,
		    cdop_arena_printf(ctx->arena,
			"the log is known to have had %llu leaves (%s): what "
			"came after is lost",
			(unsigned long long)lost->size, lost->origin));
	say(ctx,
	    "cases erased, holds set, people suspended or revoked after that "
	    "are as before: do it again, from what was kept of certificates "
	    "and log");
	say(ctx,
	    "an administrator who was revoked after that counts as one here: "
	    "is the one who asks still one?");
	n = restored_people_accept(
	    ctx->reg, ctx->now_ms, may, RESTORED_ACCEPT_MAX);
	say_people(ctx, "administrators in it", may, n);
	if (restored->n_out > 0)
		say_people(ctx, "suspended on the host", restored->out,
		    restored->n_out);
	else
		say(ctx, "nobody was suspended on the host");
	say(ctx,
	    "what waited for a second person on that day is dropped, and "
	    "invitations are taken back: that may have happened since, and "
	    "is asked for anew");
	if (restored->has_first)
		say(ctx,
		    cdop_arena_printf(ctx->arena,
			"restored on the host first by %s: %s",
			restored->first.by, restored->first.reason));
	say(ctx,
	    cdop_arena_printf(ctx->arena, "restored on the host by %s: %s",
		restored->said.by, restored->said.reason));
	say(ctx, cdop_arena_printf(ctx->arena, "reason: %s", reason));
}

enum cdop_err
rpc_restore_accept(struct rpc_ctx *ctx, const Cdop__RestoreAcceptRequest *req,
    Cdop__StatementReply *rep)
{
	struct restored_accept_args args = {
	    .reason = req->reason,
	    .now_ms = ctx->now_ms,
	};
	struct restored_view restored;
	struct cdop_checkpoint seen;
	struct cdop_bytes note;
	enum cdop_err err;

	fill_newest(ctx, rep);
	if (ctx->replay != NULL)
		return CDOP_OK;
	if ((err = rpc_reason_check(ctx, req->reason, needs_reason)) !=
		CDOP_OK ||
	    (err = view(ctx, &restored)) != CDOP_OK ||
	    (err = read_seen(ctx, req, &seen, &args.lost)) != CDOP_OK)
		return err;
	if (restored.has_lost &&
	    (args.lost == NULL ||
		!restored_is_newer(ctx->reg, args.lost, &restored.lost)))
		args.lost = &restored.lost;
	if (args.lost != NULL &&
	    !restored_is_newer(ctx->reg, args.lost, &restored.from))
		args.lost = NULL;
	say_restore(ctx, &restored, args.lost, req->reason);
	if (!rpc_second_may_apply(ctx, restored.target))
		return CDOP_OK;
	if (!name_both(ctx, args.by))
		return CDOP_RESOURCE_EXHAUSTED;
	err = restored_accept(ctx->reg, ctx->arena, &args, &note);
	if (err == CDOP_FAILED_PRECONDITION)
		return rpc_fail(ctx, err, "incarnation",
		    "a client has seen a later log than the host knew of: "
		    "cdopd accept-rollback with that checkpoint as its "
		    "--anchor, and ask again");
	if (err != CDOP_OK)
		return err;
	ctx->applied = true;
	fill_newest(ctx, rep);
	return CDOP_OK;
}
