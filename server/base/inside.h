/* Where a path leads, seen from the directory of the data. */
#ifndef CDOP_BASE_INSIDE_H
#define CDOP_BASE_INSIDE_H

#include <stdbool.h>

#include "cdop/err.h"

/*
 * Whether a path lies in dir, at any depth, or is it; links are followed, of
 * both.  CDOP_NOT_FOUND: one of them leads nowhere; errno says why.
 */
CDOP_MUST enum cdop_err inside_dir(
    const char *path, const char *dir, bool *ret_inside);

#endif
