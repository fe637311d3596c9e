/*
 * Search terms of case find and ask: asked for, read from a file, or, in a
 * training registry only, taken from the command line (RECORDS M12).
 */
#ifndef CDOP_CLIENT_TERMS_H
#define CDOP_CLIENT_TERMS_H

#include "client/cmd.h"

struct terms {
	char *nhs_number; /* canonical; NULL: not given */
	char *family_name;
	char *first_name;
	char *birth_date;
	char *death_date;
	char *mother_name;
};

#define TERMS_OPTS                                                             \
	{"--nhs-number", "N", "NHS number (training only)", false},            \
	    {"--family-name", "NAME", "family name (training only)", false},   \
	    {"--first-name", "NAME", "first name (training only)", false},     \
	    {"--birth-date", "DATE", "date of birth (training only)", false},  \
	    {"--death-date", "DATE", "date of death (training only)", false},  \
	{                                                                      \
		"--from", "FILE", "terms from a JSON object, - for stdin",     \
		    false                                                      \
	}
#define TERMS_MOTHER                                                           \
	{                                                                      \
		"--mother-name", "NAME",                                       \
		    "mother's family name (training only)", false              \
	}

extern const struct cmd_opt terms_find_opts[];
extern const struct cmd_opt terms_ask_opts[];

/*
 * The terms of this command; mother: also asked for the mother's name.
 * EXIT_USAGE: identity on the command line of a live registry, or nobody to
 * ask; EXIT_INVALID: no such number or date.
 */
enum exit_code terms_read(
    struct cmd_ctx *ctx, bool mother, struct terms *ret_terms);

/*
 * Fewer than a partner can be answered by: no NHS number, and no family name
 * with a whole date.  What is not short can still fit several.
 */
bool terms_are_short(const struct terms *terms);

/* The value of an option, copied; NULL when it was not given. */
char *terms_copy(struct cmd_ctx *ctx, const char *option);

/* A whole date of an option, as ISO text; NULL when it was not given. */
enum exit_code terms_day(
    struct cmd_ctx *ctx, const char *option, char **ret_day);

/* Of --since and --until: the days are there, and in the wrong order. */
enum exit_code terms_backwards(struct cmd_ctx *ctx);

/*
 * The first instant of that day by the panel's clock, or of so many
 * days later; nothing when it was not given.
 */
enum exit_code terms_day_begins(struct cmd_ctx *ctx, const char *option,
    int later, bool *ret_has, uint64_t *ret_ms);

#endif
