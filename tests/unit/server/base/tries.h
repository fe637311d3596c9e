/*
 * Calls that a sandboxed process must not get away with, one function and
 * one row each.
 */
#ifndef CDOP_TEST_TRIES_H
#define CDOP_TEST_TRIES_H

#include <stdbool.h>
#include <stddef.h>

/* Built with ASan the lists are wider, and a trap ends the process. */
#if defined(__SANITIZE_ADDRESS__)
#define WIDE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WIDE 1
#endif
#endif
#ifndef WIDE
#define WIDE 0
#endif

#define TRIES_FILES 4

typedef long try_fn(void);

struct tries_row {
	const char *name;
	try_fn *try;
	unsigned roles; /* bits of those in which it ends the process */
	bool wide;      /* let through for ASan's own sake */
};

/* What the calls are made on; opened by the test before the walls go up. */
struct tries_world {
	char inside[80];  /* a file in the vault's directory */
	char outside[80]; /* and one beside it */
	int socket;
	int listening;
};

extern struct tries_world tries_world;
extern const struct tries_row tries_forbidden[];
extern const size_t tries_n_forbidden;

/* Open, create, unlink and rename of what lies outside. */
extern try_fn *const tries_files[TRIES_FILES];

#endif
