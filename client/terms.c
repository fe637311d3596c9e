/* Terms to search by. */
#include "client/terms.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

#include "cdop/date.h"
#include "cdop/fold.h"
#include "cdop/nhs.h"
#include "client/clock.h"
#include "client/file.h"
#include "client/print.h"
#include "client/prompt.h"
#include "client/session.h"

#define FILE_MAX ((size_t)16 << 10)

const struct cmd_opt terms_find_opts[] = {
    TERMS_OPTS,
    TERMS_MOTHER,
    {"--names", NULL, "show names; the log says so", false},
    {NULL, NULL, NULL, false},
};

const struct cmd_opt terms_ask_opts[] = {
    TERMS_OPTS,
    {NULL, NULL, NULL, false},
};

static const struct {
	const char *option;
	const char *key;
	const char *question;
	bool date;
} rows[] = {
    {"--nhs-number", "nhs_number", "NHS number (Enter = by name)", false},
    {"--family-name", "family_name", "Family name", false},
    {"--first-name", "first_name", "First name (Enter skips)", false},
    {"--birth-date", "birth_date", "Date of birth (Enter skips)", true},
    {"--death-date", "death_date", "Date of death (Enter skips)", true},
    {"--mother-name", "mother_name", "Mother's family name (Enter skips)",
	false},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

char *
terms_copy(struct cmd_ctx *ctx, const char *option)
{
	const char *value = cmd_value(ctx, option);

	return value == NULL ? NULL : cdop_arena_strdup(ctx->arena, value);
}

/* Without a call; *ret_profile NULL: it was never here. */
static enum exit_code
profile_known(struct cmd_ctx *ctx, const struct cdop_profile **ret_profile)
{
	enum exit_code code;

	*ret_profile = NULL;
	if ((code = session_load(ctx)) != EXIT_OK)
		return code;
	if (session_profile(ctx, ret_profile) != EXIT_OK) {
		*ret_profile = NULL;
		memset(&ctx->error, 0, sizeof(ctx->error));
	}
	return EXIT_OK;
}

/* A whole date of an option. */
static enum exit_code
read_day(struct cmd_ctx *ctx, const char *option, struct cdop_date *ret_date)
{
	if (cdop_date_parse(cmd_value(ctx, option), ret_date) != CDOP_OK ||
	    ret_date->day == 0 || ret_date->estimated)
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    "20/11/2026, 20 Nov 2026 or 2026-11-20", "%s: a whole date",
		    option);
	return EXIT_OK;
}

enum exit_code
terms_day(struct cmd_ctx *ctx, const char *option, char **ret_day)
{
	char text[CDOP_DATE_TEXT_MAX];
	struct cdop_date date;
	enum exit_code code;

	*ret_day = NULL;
	if (cmd_value(ctx, option) == NULL)
		return EXIT_OK;
	if ((code = read_day(ctx, option, &date)) != EXIT_OK)
		return code;
	cdop_date_write(&date, text);
	*ret_day = cdop_arena_strdup(ctx->arena, text);
	return EXIT_OK;
}

/* Answered, it would be a certain "nothing". */
enum exit_code
terms_backwards(struct cmd_ctx *ctx)
{
	return cmd_fail(ctx, EXIT_USAGE, NULL, "the earlier day is --since",
	    "--until is before --since");
}

enum exit_code
terms_day_begins(struct cmd_ctx *ctx, const char *option, int later,
    bool *ret_has, uint64_t *ret_ms)
{
	const struct cdop_profile *profile;
	struct cdop_date date;
	enum exit_code code;
	time_t at;

	if (cmd_value(ctx, option) == NULL)
		return EXIT_OK;
	if ((code = read_day(ctx, option, &date)) != EXIT_OK ||
	    (code = profile_known(ctx, &profile)) != EXIT_OK)
		return code;
	at = clock_day_begins(profile, &date, later);
	/* From the beginning on is a question; up to it is none. */
	if (at <= 0 && later > 0)
		return cmd_fail(ctx, EXIT_USAGE, NULL, "is the year right?",
		    "%s: there was no registry before 1970", option);
	*ret_has = true;
	*ret_ms = at > 0 ? (uint64_t)at * 1000 : 0;
	return EXIT_OK;
}

/* By the panel's clock; where that is not known yet a day is allowed. */
static enum exit_code
not_to_come(struct cmd_ctx *ctx, const struct cdop_date *date)
{
	const struct cdop_profile *profile;
	enum exit_code code;
	int32_t today;

	if ((code = profile_known(ctx, &profile)) != EXIT_OK)
		return code;
	today = profile != NULL ? clock_today(profile)
				: (int32_t)(time(NULL) / (24 * 60 * 60)) + 1;
	if (cdop_date_span(date).first <= today)
		return EXIT_OK;
	return cmd_fail(ctx, EXIT_INVALID, "date", NULL,
	    "that is in the future: check day, month and year");
}

/* One term to canonical text; "" stays not given. */
static enum exit_code
canonical(struct cmd_ctx *ctx, size_t row, const char *typed, char **ret_value)
{
	char nhs[CDOP_NHS_TEXT_MAX], text[CDOP_DATE_TEXT_MAX];
	char words[CDOP_DATE_WORDS_MAX];
	struct cdop_date date;
	enum exit_code code;

	*ret_value = NULL;
	if (typed == NULL || typed[0] == '\0')
		return EXIT_OK;
	if (row == 0) {
		if (cdop_nhs_parse(typed, nhs) != CDOP_NHS_OK)
			return cmd_fail(ctx, EXIT_INVALID, "nhs", NULL,
			    "that is not an NHS number: ten digits, the last "
			    "a check digit");
		*ret_value = cdop_arena_strdup(ctx->arena, nhs);
	} else if (rows[row].date) {
		if (cdop_date_parse(typed, &date) != CDOP_OK)
			return cmd_fail(ctx, EXIT_INVALID, "date", NULL,
			    "that is not a date: 20/11/2026, 20 Nov 2026 or "
			    "2026-11-20");
		if ((code = not_to_come(ctx, &date)) != EXIT_OK)
			return code;
		cdop_date_words(&date, words);
		print_note(ctx, "  -> %s", words);
		cdop_date_write(&date, text);
		*ret_value = cdop_arena_strdup(ctx->arena, text);
	} else {
		*ret_value = cdop_arena_strdup(ctx->arena, typed);
	}
	return EXIT_OK;
}

static char **
slot(struct terms *terms, size_t row)
{
	char **all[ROWS] = {&terms->nhs_number, &terms->family_name,
	    &terms->first_name, &terms->birth_date, &terms->death_date,
	    &terms->mother_name};

	return all[row];
}

static enum exit_code
from_argv(struct cmd_ctx *ctx, struct terms *terms)
{
	enum exit_code code;
	size_t i;

	if (!session_is_training(ctx))
		return cmd_fail(ctx, EXIT_USAGE, "identity_in_argv",
		    "give it at the prompt, or with --from FILE|-",
		    "who a child is does not stand on the command line of a "
		    "live registry");
	for (i = 0; i < ROWS; i++) {
		code = canonical(
		    ctx, i, cmd_value(ctx, rows[i].option), slot(terms, i));
		if (code != EXIT_OK)
			return code;
	}
	return EXIT_OK;
}

static bool
is_term(const char *key, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(rows[i].key, key) == 0)
			return true;
	return false;
}

/*
 * Whoever asks with less than he thinks is told of another child, or that
 * there is none.  What stands there may be a name, and is not said.
 */
static enum exit_code
check_object(struct cmd_ctx *ctx, json_t *object, size_t n)
{
	const char *all = "", *key;
	json_t *value;
	size_t i;

	if (!json_is_object(object))
		return cmd_fail(ctx, EXIT_INVALID, NULL,
		    "{\"family_name\": \"...\", \"birth_date\": \"...\"}",
		    "the terms are one JSON object");
	for (i = 0; i < n; i++)
		all = cdop_arena_printf(
		    ctx->arena, "%s%s%s", all, i > 0 ? ", " : "", rows[i].key);
	json_object_foreach(object, key, value)
	{
		if (!is_term(key, n))
			return cmd_fail(ctx, EXIT_INVALID, NULL, all,
			    "what stands there is no term, or has another "
			    "name");
		if (!json_is_string(value) && !json_is_null(value))
			return cmd_fail(ctx, EXIT_INVALID, NULL,
			    "put it in quotes", "%s is a text", key);
	}
	return EXIT_OK;
}

/* n: so many of the rows may be given. */
static enum exit_code
from_file(struct cmd_ctx *ctx, const char *path, size_t n, struct terms *terms)
{
	enum exit_code code;
	struct cdop_bytes text;
	json_t *object;
	size_t i;

	if (file_read(path, FILE_MAX, ctx->arena, &text) != CDOP_OK)
		return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
		    "%s cannot be read: %s", path, strerror(errno));
	object = json_loadb(
	    (const char *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
	code = check_object(ctx, object, n);
	for (i = 0; i < n && code == EXIT_OK; i++)
		code = canonical(ctx, i,
		    json_string_value(json_object_get(object, rows[i].key)),
		    slot(terms, i));
	json_decref(object);
	return code;
}

static enum exit_code
ask_one(struct cmd_ctx *ctx, size_t row, char **ret_value)
{
	const char *typed;
	enum exit_code code;

	for (;;) {
		code = prompt_line(ctx, rows[row].question, NULL, &typed);
		if (code != EXIT_OK)
			return code;
		code = canonical(ctx, row, typed, ret_value);
		if (code != EXIT_INVALID)
			return code;
		print_note(ctx, "%s", ctx->error.message);
		ctx->error.message = NULL;
	}
}

static enum exit_code
from_person(struct cmd_ctx *ctx, size_t n, struct terms *terms)
{
	enum exit_code code;
	size_t i;

	if (!prompt_is_possible(ctx))
		return prompt_impossible(ctx, "whom to look for",
		    session_is_training(ctx)
			? "--nhs-number N, --family-name NAME ..., or --from "
			  "FILE|-"
			: "--from FILE|-");
	for (i = 0; i < n; i++) {
		code = ask_one(ctx, i, slot(terms, i));
		if (code != EXIT_OK)
			return code;
		if (i == 0 && terms->nhs_number != NULL)
			break;
	}
	return EXIT_OK;
}

static bool
is_whole_day(const char *text)
{
	struct cdop_date date;

	return text != NULL && cdop_date_parse(text, &date) == CDOP_OK &&
	    date.day != 0 && !date.estimated;
}

bool
terms_are_short(const struct terms *terms)
{
	char folded[CDOP_FOLD_MAX];

	if (terms->nhs_number != NULL)
		return false;
	if (terms->family_name == NULL ||
	    cdop_fold_name(terms->family_name, folded) == 0)
		return true;
	return !is_whole_day(terms->birth_date) &&
	    !is_whole_day(terms->death_date);
}

enum exit_code
terms_read(struct cmd_ctx *ctx, bool mother, struct terms *ret_terms)
{
	const char *from = cmd_value(ctx, "--from");
	size_t n = mother ? ROWS : ROWS - 1, i;
	enum exit_code code;

	memset(ret_terms, 0, sizeof(*ret_terms));
	if ((code = session_load(ctx)) != EXIT_OK)
		return code;
	for (i = 0; i < ROWS && cmd_value(ctx, rows[i].option) == NULL; i++)
		;
	if (from != NULL && i < ROWS)
		return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
		    "whom to look for is in the file of --from, or on the "
		    "command line");
	if (from != NULL)
		return from_file(ctx, from, n, ret_terms);
	return i < ROWS ? from_argv(ctx, ret_terms)
			: from_person(ctx, n, ret_terms);
}
