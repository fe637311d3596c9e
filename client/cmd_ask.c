/* cdop ask: the partner's restricted question. */
#include <string.h>

#include "cdop/date.h"
#include "client/call.h"
#include "client/families.h"
#include "client/json.h"
#include "client/print.h"
#include "client/prompt.h"
#include "client/purpose.h"
#include "client/session.h"
#include "client/show.h"
#include "client/terms.h"

/* "2026-11-12" as "12 November 2026". */
static const char *
day_words(struct cmd_ctx *ctx, const char *iso)
{
	char words[CDOP_DATE_WORDS_MAX];
	struct cdop_date date;

	if (iso == NULL || cdop_date_parse(iso, &date) != CDOP_OK)
		return "-";
	cdop_date_words(&date, words);
	/* Without the weekday: it says nothing here. */
	return cdop_arena_strdup(
	    ctx->arena, date.day != 0 && strlen(words) > 4 ? words + 4 : words);
}

/* Worded once and for all: RECORDS M13. */
static void
show_answer(
    struct cmd_ctx *ctx, const struct terms *terms, const Cdop__AskReply *r)
{
	switch (r->answer) {
	case CDOP__ANSWER__KNOWN:
		print_out(ctx,
		    "Known to you.   Reference %s   registered %s   status: "
		    "%s",
		    r->reference != NULL ? r->reference : "-",
		    day_words(ctx, r->registered_on),
		    r->status != NULL ? r->status : "-");
		print_out(ctx, "Matched on %s.",
		    show_joined(ctx, r->matched_on, r->n_matched_on, ", "));
		print_out(ctx,
		    "What your agencies owe: not kept in this version; ring "
		    "the panel office %s.",
		    r->office_contact);
		return;
	case CDOP__ANSWER__NOT_KNOWN_TO_YOU:
		print_out(ctx,
		    "No record that your area may see matches what you typed: "
		    "%s. This does not mean that no child has died or that "
		    "no record exists. If a child may be at risk, ring the "
		    "panel office: %s.",
		    r->understood, r->office_contact);
		return;
	case CDOP__ANSWER__NOT_ENOUGH:
	case _CDOP__ANSWER_IS_INT_SIZE:
	default:
		print_out(ctx,
		    terms_are_short(terms)
			? "Not enough to ask with: %s. Give an NHS number, or "
			  "a family name and a full date. If a child may be at "
			  "risk, ring the panel office: %s."
			: "No certain answer: %s. More than one record, or "
			  "one that is not certain, may fit. Add what is not "
			  "there yet, NHS number or first name, or ring the "
			  "panel office. If a child may be at risk, ring now: "
			  "%s.",
		    r->understood, r->office_contact);
	}
}

/*
 * Why comes first: whoever is asked for it afterwards has typed a child's
 * name already.  Where nobody is asked, the call will see to it.
 */
static enum exit_code
ask_purpose(struct cmd_ctx *ctx)
{
	const struct cdop_profile *profile;
	const char *purpose, *text;
	enum exit_code code;

	if (!prompt_is_possible(ctx))
		return EXIT_OK;
	if ((code = session_unlock(ctx)) != EXIT_OK)
		return code;
	if (session_profile(ctx, &profile) != EXIT_OK &&
	    (code = session_open(ctx)) != EXIT_OK)
		return code;
	ctx->error.message = NULL;
	return purpose_choose(ctx, &purpose, &text);
}

static enum exit_code
run_ask(struct cmd_ctx *ctx)
{
	Cdop__AskRequest request;
	Cdop__AskReply *reply;
	struct terms terms;
	enum exit_code code;
	json_t *object;

	if ((code = ask_purpose(ctx)) != EXIT_OK ||
	    (code = terms_read(ctx, false, &terms)) != EXIT_OK)
		return code;
	cdop__ask_request__init(&request);
	request.nhs_number = terms.nhs_number;
	request.family_name = terms.family_name;
	request.first_name = terms.first_name;
	request.birth_date = terms.birth_date;
	request.death_date = terms.death_date;
	if ((code = call_ask(ctx, &request, &reply)) != EXIT_OK)
		return code;
	if (!ctx->g.json) {
		print_mode(ctx);
		show_answer(ctx, &terms, reply);
		return EXIT_OK;
	}
	object = print_envelope(ctx, "ask", true);
	json_merge(ctx, object, &reply->base);
	(void)json_object_set_new(
	    object, "terms_short", json_boolean(terms_are_short(&terms)));
	print_json(object);
	return EXIT_OK;
}

const struct cmd cmd_ask_rows[] = {
    {"ask", "", "ask whether a child is known to your area",
	"Three answers: known to you, not known to you, not enough for "
	"either.\nNot known does not mean that no child has died.  Not enough: "
	"the terms\nare short, or more than one record may fit, or one that is "
	"not certain; it\nsays which.  Who works for no area is refused: ring "
	"the panel office.",
	"  cdop ask --purpose living_child", terms_ask_opts, 0, 0, 0, "ask",
	run_ask},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
