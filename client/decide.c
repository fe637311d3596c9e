/* Decisions about candidates. */
#include "client/decide.h"

#include <string.h>

#include "client/print.h"
#include "client/prompt.h"
#include "client/reference.h"
#include "client/show.h"

#define OPTIONS 3

/* "join:K7M4-QX2R", "new:twin:REF", "new:other:REF" */
static enum exit_code
take_decision(struct cmd_ctx *ctx, struct notify *n, const char *text)
{
	const char *why = cmd_value(ctx, "--decision-reason");
	Cdop__Decision decision;
	enum exit_code code;
	char *reference;

	if (strncmp(text, "join:", 5) == 0) {
		decision = CDOP__DECISION__JOIN;
		text += 5;
	} else if (strncmp(text, "new:twin:", 9) == 0) {
		decision = CDOP__DECISION__NEW_SIBLING;
		text += 9;
	} else if (strncmp(text, "new:other:", 10) == 0) {
		decision = CDOP__DECISION__NEW_OTHER;
		text += 10;
	} else {
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    "join:REF, new:twin:REF or new:other:REF",
		    "--decision: not a decision");
	}
	if (why == NULL)
		return cmd_fail(ctx, EXIT_USAGE, NULL, "--decision-reason TEXT",
		    "a decision wants a reason");
	if ((code = reference_read(ctx, text, &reference)) != EXIT_OK)
		return code;
	return notify_decide(ctx, n, reference, decision, why);
}

enum exit_code
decide_argv(struct cmd_ctx *ctx, struct notify *n)
{
	const char *text;
	enum exit_code code;
	size_t i;

	for (i = 0; (text = cmd_value_at(ctx, "--decision", i)) != NULL; i++)
		if ((code = take_decision(ctx, n, text)) != EXIT_OK)
			return code;
	return EXIT_OK;
}

/* ---- asked ------------------------------------------------------- */

/* Nothing is joined by an amendment: then one child has two cases. */
static enum exit_code
two_cases(struct cmd_ctx *ctx)
{
	ctx->error.next = "take its notifications over (cdop case "
			  "move-notification) or withdraw one of the two "
			  "(cdop case withdraw)";
	return EXIT_DUPLICATE;
}

static enum exit_code
ask_about(struct cmd_ctx *ctx, struct notify *n,
    const Cdop__Candidate *candidate, bool joins, Cdop__Decision *ret_decision)
{
	const struct prompt_option options[OPTIONS] = {
	    {"join",
		joins ? "the same child: another notification of this case"
		      : "the same child: then nothing is changed here"},
	    {"twin", "a twin or sibling: a case of its own, linked"},
	    {"other", "another child: a case of its own"},
	};
	static const Cdop__Decision decisions[OPTIONS] = {CDOP__DECISION__JOIN,
	    CDOP__DECISION__NEW_SIBLING, CDOP__DECISION__NEW_OTHER};
	const char *reason;
	enum exit_code code;
	size_t chosen;

	print_note(ctx, "%s: %s", candidate->reference,
	    show_joined(ctx, candidate->reason, candidate->n_reason, "; "));
	code = prompt_choice(ctx, "Is it", options, OPTIONS, OPTIONS, &chosen);
	if (code != EXIT_OK)
		return code;
	*ret_decision = decisions[chosen];
	if (*ret_decision == CDOP__DECISION__JOIN && !joins)
		return two_cases(ctx);
	code = prompt_need(ctx, "Why", "--decision", &reason);
	if (code != EXIT_OK)
		return code;
	return notify_decide(
	    ctx, n, candidate->reference, *ret_decision, reason);
}

static enum exit_code
nobody_to_ask(struct cmd_ctx *ctx, Cdop__Candidate *const *candidate, size_t n,
    bool joins)
{
	if (!ctx->g.json)
		show_candidates(ctx, candidate, n);
	ctx->error.next = joins
	    ? "decide: --decision join:REF, new:twin:REF or new:other:REF, "
	      "with --decision-reason"
	    : "decide: --decision new:twin:REF or new:other:REF, with "
	      "--decision-reason; the same child: cdop case move-notification";
	return EXIT_DUPLICATE;
}

enum exit_code
decide_ask(struct cmd_ctx *ctx, struct notify *n,
    Cdop__Candidate *const *candidate, size_t n_candidates, bool joins)
{
	Cdop__Decision decision = CDOP__DECISION__NEW_OTHER;
	enum exit_code code;
	size_t i;

	if (n_candidates == 0 || !prompt_is_possible(ctx))
		return nobody_to_ask(ctx, candidate, n_candidates, joins);
	print_note(ctx, "This may be a child that is here already:");
	for (i = 0; i < n_candidates; i++) {
		if (candidate[i]->has_withdrawn && candidate[i]->withdrawn)
			continue;
		code = ask_about(ctx, n, candidate[i], joins, &decision);
		if (code != EXIT_OK)
			return code;
		if (decision == CDOP__DECISION__JOIN)
			break; /* that settles the others */
	}
	return EXIT_OK;
}
