/*
 * Values that need more than their field's own class (RECORDS M17): from
 * --raise PATH=CLASS, the column "raised" of a file, or "raised" in JSON.
 * Whoever reads such a value must be allowed both classes.  Nothing here
 * takes a class away, because nothing may.
 */
#ifndef CDOP_CLIENT_RAISE_H
#define CDOP_CLIENT_RAISE_H

#include <jansson.h>

#include "cdop/form.h"
#include "client/cmd.h"

#define RAISE_OPT                                                              \
	{                                                                      \
		"--raise", "PATH=CLASS",                                       \
		    "this value is of a further class: safeguarding, ...",     \
		    true                                                       \
	}

/*
 * Every --raise of the command line, into the form.  An entry of a repeated
 * group is made where it is not there; early: such ones are only checked
 * and wait for a second call.  EXIT_USAGE.
 */
enum exit_code raise_argv(struct cmd_ctx *ctx, Cdop__Form *form, bool early);

/* "PATH=CLASS; PATH=CLASS": what is wrong with one is a finding. */
enum exit_code raise_text(struct cmd_ctx *ctx, const char *text,
    Cdop__Form *form, struct cdop_violations *findings);

/* The same text, or a list of {"path": ..., "class": ...} as raise_list. */
enum exit_code raise_json(struct cmd_ctx *ctx, const json_t *value,
    Cdop__Form *form, struct cdop_violations *findings);

/* The marks of a form as such a list. */
json_t *raise_list(const Cdop__Form *form);

/* Marks on nothing are findings: a new notification has to say the value. */
enum exit_code raise_check(struct cmd_ctx *ctx, const Cdop__Form *form,
    struct cdop_violations *findings);

#endif
