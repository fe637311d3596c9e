/*
 * Questions to a person: a line, a choice by number or first letters, yes
 * or no, several lines.  Every question begins with LIVE or TRAINING.
 *
 * All of them return EXIT_STOPPED when the person breaks off, and fail with
 * EXIT_USAGE where nobody may be asked; instead then says what to give.
 */
#ifndef CDOP_CLIENT_PROMPT_H
#define CDOP_CLIENT_PROMPT_H

#include "client/cmd.h"

/* May we ask at all? */
bool prompt_is_possible(const struct cmd_ctx *ctx);

/* Fails and names what is missing. */
enum exit_code prompt_impossible(
    struct cmd_ctx *ctx, const char *what, const char *instead);

/*
 * A line, of several that are pasted one, without blanks around it, in the
 * arena; "" when Enter alone was typed.  usual is shown in brackets and stands
 * for "" where it is not NULL.
 */
enum exit_code prompt_line(struct cmd_ctx *ctx, const char *question,
    const char *usual, const char **ret_text);

/* A line that has to be there: asked again, at most ten times. */
enum exit_code prompt_need(struct cmd_ctx *ctx, const char *question,
    const char *instead, const char **ret_text);

/*
 * Lines up to one that is a single dot, or Enter alone as the first: joined
 * by line ends.  Line ends of other systems become ours.  #ed opens an
 * editor with what was typed so far, else with before (it may be NULL).
 * What is pasted in one piece ends nothing, whatever stands in it.
 */
enum exit_code prompt_lines(struct cmd_ctx *ctx, const char *question,
    const char *before, const char **ret_text);

enum exit_code prompt_yes(
    struct cmd_ctx *ctx, const char *question, bool usual, bool *ret_yes);

/*
 * A yes to what is asked, or the flag --yes of the command.  EXIT_STOPPED: no.
 */
enum exit_code prompt_agree(struct cmd_ctx *ctx, const char *question);

struct prompt_option {
	const char *code;
	const char *label;
};

/*
 * One of n, shown with numbers.  A number, a code, or letters that begin
 * exactly one code or label, or are one, choose it.  usual n: none.
 */
enum exit_code prompt_choice(struct cmd_ctx *ctx, const char *question,
    const struct prompt_option *option, size_t n, size_t usual,
    size_t *ret_chosen);

/*
 * What a typed word chooses: its place, or n when it is none or several.
 */
size_t prompt_match(
    const struct prompt_option *option, size_t n, const char *typed);

#endif
