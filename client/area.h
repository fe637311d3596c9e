/* An area on a command line: by its id, or as people call it. */
#ifndef CDOP_CLIENT_AREA_H
#define CDOP_CLIENT_AREA_H

#include "client/cmd.h"

/*
 * The id of what was typed.  What can be an id goes as it is, and the registry
 * says whether it is one; anything else is looked for among the names of the
 * profile.  EXIT_USAGE: no area has it, or more than one.
 */
enum exit_code area_read(
    struct cmd_ctx *ctx, const char *typed, char **ret_area);

/*
 * Those of the option --area, of at most max; *ret_n is how many.  EXIT_USAGE:
 * as above, or they are more.
 */
enum exit_code area_read_all(
    struct cmd_ctx *ctx, char **ret_areas, size_t max, size_t *ret_n);

#endif
