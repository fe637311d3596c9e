/* cdop custodian: who keeps a share, and whether it is good. */
#include "cdop/secret.h"
#include "client/call.h"
#include "client/families.h"
#include "client/json.h"
#include "client/print.h"
#include "client/prompt.h"
#include "client/session.h"
#include "client/share_in.h"

/* ---- list --------------------------------------------------------------- */

static const char *
how(Cdop__Proof proof)
{
	switch (proof) {
	case CDOP__PROOF__ADDED:
		return "when it was made";
	case CDOP__PROOF__OPENED:
		return "it opened the registry";
	case CDOP__PROOF__TESTED:
		return "tested on the host";
	case CDOP__PROOF__DRILLED:
		return "in a drill";
	case _CDOP__PROOF_IS_INT_SIZE:
		break;
	}
	return "somehow";
}

static const char *
proved(struct cmd_ctx *ctx, bool has, uint64_t ms, Cdop__Proof proof)
{
	if (!has)
		return "not proved yet";
	return cdop_arena_printf(ctx->arena, "proved %s, %s",
	    print_time(ctx->arena, ms), how(proof));
}

/* The last proof may be another one, on the host, by nobody knows whom. */
static const char *
shown_by(const Cdop__SlotShare *share)
{
	if (share->person_name == NULL)
		return "";
	return share->how == CDOP__PROOF__DRILLED
	    ? " by person "
	    : "; over the link it was last shown by person ";
}

static void
show_share(struct cmd_ctx *ctx, const Cdop__SlotShare *share)
{
	print_out(ctx, "      share %u  %s  %s%s%s", share->number,
	    print_one_line(ctx->arena, share->holder),
	    proved(ctx, share->has_proved_ms, share->proved_ms, share->how),
	    shown_by(share),
	    share->person_name != NULL
		? print_one_line(ctx->arena, share->person_name)
		: "");
}

/* Whoever showed as many as open it: they lie in one hand. */
static void
show_hand(struct cmd_ctx *ctx, const Cdop__Slot *slot)
{
	const Cdop__SlotShare *share;
	size_t i, k, shown;

	for (i = 0; i < slot->n_share; i++) {
		share = slot->share[i];
		for (k = 0, shown = 0; share->has_person && k < slot->n_share;
		     k++)
			shown += slot->share[k]->has_person &&
			    slot->share[k]->person == share->person;
		if (!slot->has_need || shown < slot->need || shown == 0)
			continue;
		print_out(ctx,
		    "      WARNING: person %s showed %zu of them, and can open "
		    "the "
		    "registry alone",
		    share->person_name != NULL
			? print_one_line(ctx->arena, share->person_name)
			: "?",
		    shown);
		return;
	}
}

static void
show_slot(struct cmd_ctx *ctx, const Cdop__Slot *slot)
{
	size_t i;

	print_out(ctx, "slot %-3u %-11s %s  %s", slot->number, slot->kind,
	    print_one_line(ctx->arena, slot->label),
	    proved(ctx, slot->has_proved_ms, slot->proved_ms, slot->how));
	if (slot->has_need)
		print_out(ctx, "      any %u of %zu shares open it", slot->need,
		    slot->n_share);
	for (i = 0; i < slot->n_share; i++)
		show_share(ctx, slot->share[i]);
	show_hand(ctx, slot);
}

static enum exit_code
run_list(struct cmd_ctx *ctx)
{
	Cdop__SlotListRequest request;
	Cdop__SlotListReply *reply;
	enum exit_code code;
	size_t i;

	cdop__slot_list_request__init(&request);
	if ((code = call_slot_list(ctx, &request, &reply)) != EXIT_OK)
		return code;
	if (ctx->g.json) {
		json_line(ctx, "custodian.list", &reply->base);
		return EXIT_OK;
	}
	print_mode(ctx);
	for (i = 0; i < reply->n_slot; i++)
		show_slot(ctx, reply->slot[i]);
	print_out(ctx, "last drill: %s",
	    reply->has_drilled_ms ? print_time(ctx->arena, reply->drilled_ms)
				  : "never");
	return EXIT_OK;
}

/* ---- drill -------------------------------------------------------------- */

/* The proof goes; the share stays here, and is wiped. */
static enum exit_code
prove(struct cmd_ctx *ctx, Cdop__CustodianDrillRequest *request)
{
	const Cdop__ClientIdentity *open;
	struct cdop_share share;
	enum exit_code code = EXIT_OK;

	/* Nobody types a share for a server that is not there. */
	if (cmd_value(ctx, "--from") == NULL && prompt_is_possible(ctx)) {
		code = session_open(ctx);
		session_hang_up(ctx);
	}
	if (code != EXIT_OK || (code = share_in_get(ctx, &share)) != EXIT_OK)
		return code;
	request->set = share.set;
	request->share = share.x;
	request->proof.len = CDOP_SHARE_COMMIT;
	request->proof.data = cdop_arena_alloc(ctx->arena, CDOP_SHARE_COMMIT);
	open = ctx->session->identity.open;
	if (request->proof.data != NULL)
		cdop_share_proof(
		    &share, open->registry_id.data, request->proof.data);
	cdop_secret_wipe(&share, sizeof(share));
	return request->proof.data == NULL ? cmd_no_memory(ctx) : EXIT_OK;
}

static enum exit_code
run_drill(struct cmd_ctx *ctx)
{
	Cdop__CustodianDrillRequest request;
	Cdop__CustodianDrillReply *reply;
	enum exit_code code;

	cdop__custodian_drill_request__init(&request);
	if ((code = prove(ctx, &request)) != EXIT_OK)
		return code;
	code = call_custodian_drill(ctx, &request, &reply);
	if (code != EXIT_OK)
		return code;
	if (ctx->g.json) {
		json_line(ctx, "custodian.drill", &reply->base);
		return EXIT_OK;
	}
	print_mode(ctx);
	print_out(ctx, "share %u of slot %u (%s) is good, %s", reply->share,
	    reply->set, print_one_line(ctx->arena, reply->holder),
	    print_time(ctx->arena, reply->at_ms));
	return EXIT_OK;
}

/* ---- submit ------------------------------------------------------------- */

/* An open registry takes no share; who comes in as ever sees that it is. */
static enum exit_code
reach(struct cmd_ctx *ctx)
{
	enum exit_code code = session_open_sealed(ctx);

	if (code != EXIT_CONFLICT)
		return code;
	session_hang_up(ctx);
	ctx->session->boot = false;
	if ((code = session_open(ctx)) != EXIT_OK)
		return code;
	return cmd_fail(ctx, EXIT_CONFLICT, "not_sealed", "cdop status",
	    "the registry is open: it takes no share now");
}

/*
 * Nobody types a share that is not taken; and nobody is waited for while they
 * type.
 */
static enum exit_code
get_share(struct cmd_ctx *ctx, struct cdop_share *ret_share)
{
	enum exit_code code = EXIT_OK;

	if (cmd_value(ctx, "--from") == NULL && prompt_is_possible(ctx)) {
		code = reach(ctx);
		session_hang_up(ctx);
	}
	return code == EXIT_OK ? share_in_get(ctx, ret_share) : code;
}

static enum exit_code
send_share(struct cmd_ctx *ctx, Cdop__ShareSubmitReply **ret_reply)
{
	uint8_t packed[CDOP_SHARE_LEN];
	Cdop__ShareSubmitRequest request;
	struct cdop_share share;
	enum exit_code code;

	if ((code = get_share(ctx, &share)) != EXIT_OK)
		return code;
	cdop_share_pack(&share, packed);
	cdop_secret_wipe(&share, sizeof(share));
	cdop__share_submit_request__init(&request);
	request.share.data = packed;
	request.share.len = sizeof(packed);
	code = reach(ctx);
	if (code == EXIT_OK)
		code = call_share_submit(ctx, &request, ret_reply);
	cdop_secret_wipe(packed, sizeof(packed));
	return code;
}

static enum exit_code
run_submit(struct cmd_ctx *ctx)
{
	Cdop__ShareSubmitReply *reply;
	enum exit_code code;

	if ((code = send_share(ctx, &reply)) != EXIT_OK)
		return code;
	if (ctx->g.json) {
		json_line(ctx, "custodian.submit", &reply->base);
		return EXIT_OK;
	}
	print_mode(ctx);
	if (reply->opened)
		print_out(
		    ctx, "the registry is open, with %u shares", reply->have);
	else
		print_out(ctx, "share %u of slot %u is good: %u of %u",
		    reply->share, reply->set, reply->have, reply->need);
	return EXIT_OK;
}

static const struct cmd_opt drill_opts[] = {
    {"--from", "FILE", "the sheet as a file; - is standard input", false},
    {"--show", NULL, "show the letters as they are typed", false},
    {NULL, NULL, NULL, false},
};

const struct cmd cmd_custodian_rows[] = {
    {"custodian list", "", "what opens the registry, and its last proof", NULL,
	"  cdop custodian list", NULL, 0, 0, 0, NULL, run_list},
    {"custodian drill", "", "show that a share is there and good",
	"The share is typed from its sheet and never leaves this computer: "
	"what is sent shows that you have it, and opens nothing.  A slip is "
	"told by its line, which alone is typed again.",
	"  cdop custodian drill", drill_opts, 0, 0, 0, NULL, run_drill},
    {"custodian submit", "", "give a share to a registry that is closed",
	"The last share that is needed opens it.  The registry forgets those "
	"that were given an hour after the last one.",
	"  cdop custodian submit", drill_opts, 0, 0, 0, NULL, run_submit},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
