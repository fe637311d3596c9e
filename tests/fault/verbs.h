/*
 * What is done to a registry without its daemon, and the start of the vault
 * itself: each as a process of its own on a folder that was made before it.
 */
#ifndef CDOP_TESTS_FAULT_VERBS_H
#define CDOP_TESTS_FAULT_VERBS_H

#include <stdbool.h>
#include <stddef.h>

#define VERBS_PATH 96
#define VERBS_TEXT 8192

struct verb {
	const char *name;
	int (*run)(void); /* exit status */
	/* The folder it begins with. */
	bool is_first; /* nothing but a passphrase; else a whole registry */
	/* It is done in several steps: the log may have grown. */
	bool in_steps;
	/* It changes nothing: what it says when it is well has to be so. */
	bool only_looks;
	/* Said again, with what it wrote out of the way, it adds more. */
	bool adds;
	/* Names in the folder that a killed one may leave to be taken away. */
	const char *leaves[4];
};

extern const struct verb verbs[];
extern const size_t n_verbs;

/* Makes the folders; afterwards they are there for verbs_place(). */
void verbs_make(void);
void verbs_remove(void);

/* The folder as it is before this verb, whatever is in it now. */
void verbs_place(const struct verb *verb);
/* What a killed one left is taken away, as a person would. */
void verbs_tidy(const struct verb *verb);
/* A path in the folder; good until the sixteenth one after it. */
const char *verbs_path(const char *name);

/* Everything that may be hit lies below this. */
const char *verbs_folder(void);
/* Where a process says what it says; "said" and "told" for its outputs. */
const char *verbs_outside(const char *name);

/*
 * What there is: which secrets open which registry and what it is (core), and
 * what else lies there (files).  In this process, which the caller throws
 * away.
 */
struct verbs_state {
	char core[VERBS_TEXT];
	char files[VERBS_TEXT];
};

void verbs_state(const struct verb *verb, struct verbs_state *ret_state);

#endif
