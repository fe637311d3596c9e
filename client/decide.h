/*
 * "It may be a child we know": what a coordinator decides about each
 * candidate, on the command line or asked (RECORDS M6).
 */
#ifndef CDOP_CLIENT_DECIDE_H
#define CDOP_CLIENT_DECIDE_H

#include "client/notify.h"

#define DECIDE_OPTS                                                            \
	{"--decision", "WHAT:REF", "join:REF, new:twin:REF, new:other:REF",    \
	    true},                                                             \
	{                                                                      \
		"--decision-reason", "TEXT",                                   \
		    "why, once for each --decision and in their order", true   \
	}

/*
 * "join:REF", "new:twin:REF", "new:other:REF"; with the reference left out it
 * is about the one candidate there is.  "sibling" is a twin.
 */
struct decide_word {
	Cdop__Decision decision;
	char *reference; /* NULL: not said */
};

/* EXIT_USAGE: not such a word, or its reference is none. */
enum exit_code decide_parse(
    struct cmd_ctx *ctx, const char *text, struct decide_word *ret_word);

/* Every --decision of the command line.  EXIT_USAGE. */
enum exit_code decide_argv(struct cmd_ctx *ctx, struct notify *n);

/*
 * After a refusal with candidates: asks about each that stops, one after the
 * other.  joins: one of them may be joined, which settles the others.
 * EXIT_DUPLICATE: nobody can be asked; candidates and options were shown.
 */
enum exit_code decide_ask(struct cmd_ctx *ctx, struct notify *n,
    Cdop__Candidate *const *candidate, size_t n_candidates, bool joins);

#endif
