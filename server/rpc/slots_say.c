/* Slots in words; see slots_say.h. */
#include "server/rpc/slots_say.h"

#include "cdop/role.h"
#include "cdop/text.h"
#include "server/registry/boot.h"
#include "server/registry/custody.h"
#include "server/registry/people.h"
#include "server/registry/registry.h"
#include "server/rpc/rpc_person.h"
#include "server/vault/rows_slots.h"

#define STALE_MS (365 * (uint64_t)PEOPLE_DAY_MS)

char *
slots_say_text(struct rpc_ctx *ctx, const char *text)
{
	char *out = cdop_arena_strdup(ctx->arena, text);

	if (out != NULL)
		cdop_text_mend(out);
	return out;
}

static const char *
proof_words(struct rpc_ctx *ctx, const struct custody_proof *proof)
{
	if (proof == NULL)
		return "not proved that is known of";
	return cdop_arena_printf(ctx->arena, "proved %s, %s",
	    rpc_person_day(ctx, proof->at_ms), custody_how(proof->how));
}

const char *
slots_say_line(struct rpc_ctx *ctx, size_t slot)
{
	const struct slots_info *info = rows_slot(ctx->reg->rows, slot);
	const struct slots_set *set =
	    rows_slots_set(ctx->reg->rows, info->number);
	const char *words =
	    proof_words(ctx, custody_proof(ctx->reg->custody, info->number, 0));
	const char *label = slots_say_text(ctx, info->label);
	const char *plan = "";

	if (set != NULL)
		plan = cdop_arena_printf(
		    ctx->arena, " (any %u of %u)", set->k, set->n);
	if (words == NULL || label == NULL || plan == NULL)
		return NULL;
	return cdop_arena_printf(ctx->arena, "slot %u %s \"%s\"%s, %s",
	    info->number, slots_kind_name(info->kind), label, plan, words);
}

bool
slots_say_has_shares(const struct rpc_ctx *ctx, uint32_t but)
{
	const struct rows *rows = ctx->reg->rows;
	size_t i;

	for (i = 0; i < rows_slots(rows); i++)
		if (rows_slot(rows, i)->kind == SLOTS_KIND_SHARES &&
		    rows_slot(rows, i)->number != but)
			return true;
	return false;
}

enum cdop_err
slots_say_fill(struct rpc_ctx *ctx, Cdop__StatusReply *rep)
{
	size_t i, n = rows_slots(ctx->reg->rows);
	const char *line;

	rep->slot = cdop_arena_calloc(ctx->arena, n, sizeof(*rep->slot));
	if (rep->slot == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < n; i++) {
		if ((line = slots_say_line(ctx, i)) == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
		rep->slot[i] = (char *)(uintptr_t)line;
	}
	rep->n_slot = n;
	rep->drilled_ms = custody_drilled_ms(ctx->reg->custody);
	rep->has_drilled_ms = rep->drilled_ms != 0;
	return CDOP_OK;
}

/* ---- what is not well --------------------------------------------------- */

static bool
is_stale(const struct rpc_ctx *ctx, uint64_t at_ms)
{
	return at_ms + STALE_MS < ctx->now_ms;
}

/* Shares that their holders have shown within the year. */
static unsigned
fresh_shares(const struct rpc_ctx *ctx, const struct slots_set *set)
{
	const struct custody_proof *proof;
	unsigned fresh = 0;
	uint8_t x;

	for (x = 1; x <= set->n; x++) {
		proof = custody_proof(ctx->reg->custody, set->number, x);
		fresh += proof != NULL && !is_stale(ctx, proof->at_ms);
	}
	return fresh;
}

/*
 * Who showed as many shares of a set as open it, in drills or to a closed
 * registry; 0: nobody.  That each lies in another hand is what they are for.
 */
static uint32_t
one_hand(const struct rpc_ctx *ctx, const struct slots_set *set)
{
	const struct custody *custody = ctx->reg->custody;
	const struct custody_proof *proof, *other;
	unsigned shown;
	uint8_t x, y;

	for (x = 1; x <= set->n; x++) {
		proof = custody_proof(custody, set->number, x);
		if (proof == NULL || proof->person == 0)
			continue;
		shown = 0;
		for (y = 1; y <= set->n; y++) {
			other = custody_proof(custody, set->number, y);
			shown +=
			    other != NULL && other->person == proof->person;
		}
		if (shown >= set->k)
			return proof->person;
	}
	return 0;
}

/* Both of the warnings on a set can be due. */
static const char *
warn_hand(struct rpc_ctx *ctx, const struct slots_info *info)
{
	const struct slots_set *set =
	    rows_slots_set(ctx->reg->rows, info->number);
	uint32_t person = set != NULL ? one_hand(ctx, set) : 0;

	if (person == 0)
		return "";
	return cdop_arena_printf(ctx->arena,
	    "slot %u: person %s showed %u shares or more, and %u open it: one "
	    "person "
	    "can open the registry alone; each share goes to a holder of its "
	    "own (cdopd slot add --new-shares)",
	    info->number, rpc_person_name(ctx, person), set->k, set->k);
}

static const char *
warn_set(struct rpc_ctx *ctx, const struct slots_info *info)
{
	const struct slots_set *set =
	    rows_slots_set(ctx->reg->rows, info->number);
	unsigned fresh;

	if (set == NULL)
		return cdop_arena_printf(ctx->arena,
		    "DEGRADED: slot %u: its share set is missing or damaged, "
		    "no share opens it (cdopd verify)",
		    info->number);
	fresh = fresh_shares(ctx, set);
	if (fresh >= set->k)
		return "";
	return cdop_arena_printf(ctx->arena,
	    "slot %u takes %u of %u shares; proved within a year: %u "
	    "(cdop custodian drill)",
	    info->number, set->k, set->n, fresh);
}

static const char *
warn_slot(struct rpc_ctx *ctx, const struct slots_info *info)
{
	const struct custody_proof *proof =
	    custody_proof(ctx->reg->custody, info->number, 0);

	if (info->kind == SLOTS_KIND_SHARES)
		return warn_set(ctx, info);
	if (!is_stale(ctx, proof != NULL ? proof->at_ms : ctx->reg->created_ms))
		return "";
	return cdop_arena_printf(ctx->arena,
	    "slot %u, %s, was not proved within a year: who has it still? "
	    "(cdopd slot test)",
	    info->number, slots_kind_name(info->kind));
}

/* Of one that was never noted there is nothing to say against it. */
static const char *
warn_sheet(struct rpc_ctx *ctx)
{
	uint64_t at_ms;

	if (custody_sheet(ctx->reg->custody, &at_ms) != CUSTODY_SHEET_OLD)
		return "";
	return cdop_arena_printf(ctx->arena,
	    "the recovery sheet of %s is out of date: slots or the server's "
	    "key are others now (cdopd slot sheet)",
	    rpc_person_day(ctx, at_ms));
}

/* It is for the day on which nobody else can open it. */
static const char *
warn_boot(struct rpc_ctx *ctx)
{
	const unsigned left = boot_left_out(ctx->reg->boot);

	if (left == 0)
		return "";
	return cdop_arena_printf(ctx->arena,
	    "devices of custodians have more keys than find a place (%u): "
	    "with those nobody gives a share to the closed registry (cdop "
	    "people revoke --device takes away a device that nobody uses)",
	    left);
}

static void
add_words(const char *words[static SLOTS_SAY_MAX], size_t *n, const char *more)
{
	if (*n < SLOTS_SAY_MAX && (more == NULL || *more != '\0'))
		words[(*n)++] = more;
}

size_t
slots_say_warnings(
    struct rpc_ctx *ctx, const char *ret_words[static SLOTS_SAY_MAX])
{
	const struct rows *rows = ctx->reg->rows;
	size_t i, n = 0;

	if (ctx->reg->state != CDOP_STATE_OPEN)
		return 0;
	if (rows_slots_kinds(rows, 0) < SLOTS_SAY_KINDS)
		ret_words[n++] =
		    "DEGRADED: slots of one kind alone open the registry: "
		    "what is lost with one may be lost with all (cdopd slot "
		    "add)";
	if (!slots_say_has_shares(ctx, 0))
		ret_words[n++] =
		    "no slot of shares: no backup can be taken, and nobody "
		    "opens the registry but on its host (cdopd slot add "
		    "--new-shares)";
	for (i = 0; i < rows_slots(rows); i++) {
		add_words(ret_words, &n, warn_hand(ctx, rows_slot(rows, i)));
		add_words(ret_words, &n, warn_slot(ctx, rows_slot(rows, i)));
	}
	add_words(ret_words, &n, warn_sheet(ctx));
	add_words(ret_words, &n, warn_boot(ctx));
	return n;
}
