/* Decisions about candidates. */
#include "client/decide.h"

#include <string.h>

#include "client/call.h"
#include "client/print.h"
#include "client/prompt.h"
#include "client/reference.h"
#include "client/show.h"

#define LOOK  3 /* the option behind the decisions */
#define LOOKS 8

static const struct {
	const char *word;
	Cdop__Decision decision;
} words[] = {
    {"join", CDOP__DECISION__JOIN},
    {"new:twin", CDOP__DECISION__NEW_SIBLING},
    {"new:sibling", CDOP__DECISION__NEW_SIBLING},
    {"new:other", CDOP__DECISION__NEW_OTHER},
};

#define WORDS (sizeof(words) / sizeof(words[0]))

/* What stands behind the word; NULL: it is not this one. */
static const char *
behind(const char *text, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(text, word, len) != 0 ||
	    (text[len] != ':' && text[len] != '\0'))
		return NULL;
	text += len;
	return text + strspn(text, ": ");
}

enum exit_code
decide_parse(
    struct cmd_ctx *ctx, const char *text, struct decide_word *ret_word)
{
	const char *reference = NULL;
	size_t i;

	for (i = 0; i < WORDS; i++)
		if ((reference = behind(text, words[i].word)) != NULL)
			break;
	if (reference == NULL)
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    "join:REF, new:twin:REF or new:other:REF",
		    "\"%s\" is not a decision", text);
	ret_word->decision = words[i].decision;
	ret_word->reference = NULL;
	if (*reference == '\0')
		return EXIT_OK;
	return reference_read(ctx, reference, &ret_word->reference);
}

enum exit_code
decide_argv(struct cmd_ctx *ctx, struct notify *n)
{
	struct decide_word word;
	const char *text, *why;
	enum exit_code code;
	size_t i;

	for (i = 0; (text = cmd_value_at(ctx, "--decision", i)) != NULL; i++) {
		if ((code = decide_parse(ctx, text, &word)) != EXIT_OK)
			return code;
		if (word.reference == NULL)
			return cmd_fail(ctx, EXIT_USAGE, NULL,
			    "join:REF, new:twin:REF or new:other:REF",
			    "--decision %s: about which case", text);
		why = cmd_value_at(ctx, "--decision-reason", i);
		if (why == NULL)
			return cmd_fail(ctx, EXIT_USAGE, NULL,
			    "--decision-reason TEXT, once for each --decision",
			    "each decision wants a reason of its own");
		code =
		    notify_decide(ctx, n, word.reference, word.decision, why);
		if (code != EXIT_OK)
			return code;
	}
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

/* The other case, to be compared; where that fails it is still asked. */
static enum exit_code
look_at(struct cmd_ctx *ctx, char *reference)
{
	Cdop__CaseShowRequest request;
	Cdop__CaseShowReply *reply;
	struct cmd_error before = ctx->error;
	enum exit_code code;

	cdop__case_show_request__init(&request);
	request.reference = reference;
	code = call_case_show(ctx, &request, &reply);
	if (code == EXIT_STOPPED)
		return code;
	if (code == EXIT_OK)
		show_case(ctx, reply->case_);
	else
		print_note(ctx, "it cannot be shown: %s", ctx->error.message);
	ctx->error = before;
	return EXIT_OK;
}

/* Which of the decisions; as often as wanted with a look at it before. */
static enum exit_code
choose(struct cmd_ctx *ctx, const Cdop__Candidate *candidate, bool joins,
    size_t *ret_chosen)
{
	const struct prompt_option options[LOOK + 1] = {
	    {"join",
		joins ? "the same child: another notification of this case"
		      : "the same child: then nothing is changed here"},
	    {"twin", "a twin or sibling: a case of its own, linked"},
	    {"other", "another child: a case of its own"},
	    {"look", "look at that case first (the log says who did)"},
	};
	/* What a program reads has one object. */
	const size_t n = ctx->g.json ? LOOK : LOOK + 1;
	enum exit_code code;
	int looks;

	for (looks = 0; looks < LOOKS; looks++) {
		code = prompt_choice(ctx, "Is it", options, n, n, ret_chosen);
		if (code != EXIT_OK || *ret_chosen != LOOK)
			return code;
		code = look_at(ctx, candidate->reference);
		if (code != EXIT_OK)
			return code;
	}
	return EXIT_STOPPED;
}

static enum exit_code
ask_about(struct cmd_ctx *ctx, struct notify *n,
    const Cdop__Candidate *candidate, bool joins, Cdop__Decision *ret_decision)
{
	static const Cdop__Decision decisions[LOOK] = {CDOP__DECISION__JOIN,
	    CDOP__DECISION__NEW_SIBLING, CDOP__DECISION__NEW_OTHER};
	const char *reason;
	enum exit_code code;
	size_t chosen;

	print_note(ctx, "%s: %s", candidate->reference,
	    show_joined(ctx, candidate->reason, candidate->n_reason, "; "));
	if ((code = choose(ctx, candidate, joins, &chosen)) != EXIT_OK)
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
