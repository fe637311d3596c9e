/* Between the files of the shim. */
#ifndef CDOP_TESTS_SHIM_CORE_H
#define CDOP_TESTS_SHIM_CORE_H

#include "tests/fault/shim.h"

/* Counts one; true: it is the one that is hit. */
bool shim_due(enum shim_class which, const char *name);
enum shim_kind shim_kind(void);
bool shim_is_on(void);
/* For the recorder: the vault's own code is entered. */
void shim_entered(void);
/* The process is gone, as by SIGKILL. */
void shim_killed(void) __attribute__((noreturn));

/* The same about a file that is watched; errno is set, or nobody is left. */
bool shim_file_fails(int fd, enum shim_class which, const char *name);

/* Or of a path below a watched directory. */
bool shim_path_fails(const char *path, enum shim_class which, const char *name);

/* The function of that name behind ours. */
void shim_next(const char *name, void *ret_fn);

/* As fn; resolved once: dlsym() asks for memory. */
#define NEXT(name)                                                             \
	static name##_fn *fn;                                                  \
	if (fn == NULL)                                                        \
	shim_next(#name, &fn)

#endif
