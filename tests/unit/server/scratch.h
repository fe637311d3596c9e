/* A folder for a test, where those of its run lie: on a disk or in memory. */
#ifndef CDOP_TESTS_UNIT_SERVER_SCRATCH_H
#define CDOP_TESTS_UNIT_SERVER_SCRATCH_H

#include <stddef.h>

/* Makes it, and path tells where: room for size bytes. */
void scratch_dir(char *path, size_t size, const char *name);

#endif
