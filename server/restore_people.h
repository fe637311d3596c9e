/*
 * Who is left out of what is restored, on the command line of the verbs that
 * mark one: restore and accept-rollback.
 */
#ifndef CDOP_SERVER_RESTORE_PEOPLE_H
#define CDOP_SERVER_RESTORE_PEOPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "server/registry/restored_people.h"

/* For usage lines. */
#define RESTORE_PEOPLE_USAGE "[--suspend PERSON] [--suspend-device NUMBER]"

/* Takes an option with its value; false: it says something else. */
bool restore_people_take(
    struct restored_suspend *suspend, const char *name, const char *value);

/* Who there is, on stdout, where one was named who is not. */
void restore_people_list(
    const struct registry *reg, struct cdop_arena *arena, uint64_t now_ms);

/*
 * Of a registry that was marked: whom it leaves out, who may accept it, and
 * what to do where these are not two.
 */
void restore_people_report(
    struct registry *reg, struct cdop_arena *arena, uint64_t now_ms);

#endif
