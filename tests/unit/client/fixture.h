/*
 * A command context in a folder of its own, with an identity that is
 * unlocked: what most tests of the client start from.
 */
#ifndef CDOP_TESTS_UNIT_CLIENT_FIXTURE_H
#define CDOP_TESTS_UNIT_CLIENT_FIXTURE_H

#include "cdop/profile.h"
#include "client/cmd.h"
#include "client/session.h"

struct fixture {
	struct cmd_ctx ctx;
	struct session session;
	char dir[64];
};

/* cmocka setup and teardown; *state is a struct fixture. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Writes a file into the folder of the fixture and gives its path. */
const char *fixture_file(
    struct fixture *f, const char *name, const void *data, size_t len);

/* The profile of the panel, from packaging/. */
const struct cdop_profile *fixture_profile(struct fixture *f);

/* Gives the context the value of an option, as from a command line. */
void fixture_option(struct fixture *f, const char *name, const char *value);

/* What is printed from here goes to that file, until it is read back. */
int fixture_catch(const char *path);
const char *fixture_caught(struct fixture *f, const char *path, int out);

#endif
