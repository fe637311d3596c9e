/*
 * What has to be right on the host for cdopd to run well, one line of a table
 * each.  Nothing is opened, changed or locked, and no key is asked for: it may
 * be looked at while the daemon runs.
 */
#ifndef CDOP_SERVER_CHECK_H
#define CDOP_SERVER_CHECK_H

#include <stdbool.h>
#include <sys/types.h>

#include "server/base/config.h"

#define CHECK_WORDS 300

enum check_verdict {
	CHECK_NONE, /* it does not arise */
	CHECK_FINE,
	CHECK_WARNING, /* it runs, and should not stay so */
	CHECK_PROBLEM, /* it does not run, or loses what it promises */
};

struct check_scene {
	const struct config *conf;
	uid_t uid;    /* whom it runs as */
	bool no_user; /* there is no such user */
	bool runs;    /* it answers now */
};

struct check {
	const char *name;
	/* What was seen, in words; always set but for CHECK_NONE. */
	enum check_verdict (*look)(
	    const struct check_scene *scene, char words[static CHECK_WORDS]);
	const char *next; /* how it is mended, as a rule */
};

/* Ends with a name of NULL. */
extern const struct check check_table[];

/* How it is mended as it was seen. */
const char *check_next(
    const struct check *check, const struct check_scene *scene);

/* Whom it is about and whether it runs. */
void check_scene_init(struct check_scene *ret_scene, const struct config *conf);

#endif
