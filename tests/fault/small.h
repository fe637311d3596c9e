/*
 * A small disk that is really full: a tmpfs in a mount namespace of this
 * process and those it forks.
 */
#ifndef CDOP_TESTS_FAULT_SMALL_H
#define CDOP_TESTS_FAULT_SMALL_H

#include <stdbool.h>
#include <stddef.h>

/* Names spaces of its own; false: the machine does not let us. */
bool small_may(void);

/* A disk of 64 MiB there, of which the calls below speak. */
void small_mount(const char *path);
void small_unmount(void);

/* So many pages of it are free at most. */
void small_fill(size_t pages);
/* What fills it goes, if it is there. */
void small_empty(void);

#endif
