/* What a fault test says and how it ends. */
#ifndef CDOP_TESTS_FAULT_SAY_H
#define CDOP_TESTS_FAULT_SAY_H

#include <stdbool.h>

#include "cdop/err.h"

/* What the test itself needs: without it the point is broken. */
#define SAY_EXIT_BROKEN 7

/* One line, "# what", and the process ends. */
void require(bool good, const char *what);
void must(enum cdop_err err, const char *what);

__attribute__((format(printf, 1, 2), noreturn)) void broken(
    const char *format, ...);

/* Nothing is said between these two: what is broken is meant to be. */
void say_hush(void);
void say_on(void);

#endif
