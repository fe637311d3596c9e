/*
 * A case on paper or in a file: said to the registry before it is shown, and
 * on the page who took it and when (RECORDS S9).
 */
#ifndef CDOP_CLIENT_PAPER_H
#define CDOP_CLIENT_PAPER_H

#include "client/cmd.h"

/* The options of commands that may go on paper. */
#define PAPER_OPTS                                                             \
	{"--print", NULL, "for paper: the page and the log say so", false},    \
	{                                                                      \
		"--out", "FILE", "into a file that only you can read", false   \
	}

/*
 * --print and --out: sets the use, and sends stdout to the file.
 * EXIT_USAGE: the file is there already, or cannot be made.
 */
enum exit_code paper_begin(struct cmd_ctx *ctx);

/*
 * After the command: a file into which nothing came is taken away, so that
 * the same can be said again; of a part it is said that it is one.
 */
void paper_finish(struct cmd_ctx *ctx, enum exit_code code);

/* The line on top of the page; nothing without --print or --out. */
void paper_head(struct cmd_ctx *ctx);

#endif
