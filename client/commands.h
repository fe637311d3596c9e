/* The commands of cdop, family by family, in the order of help. */
#ifndef CDOP_CLIENT_COMMANDS_H
#define CDOP_CLIENT_COMMANDS_H

#include "client/cmd.h"

/* The i-th command; NULL behind the last. */
const struct cmd *commands_at(size_t i);

/*
 * The command whose words stand at the front of words; *ret_used says how
 * many they are.  NULL: there is none.
 */
const struct cmd *commands_find(
    const char *const *words, size_t n, size_t *ret_used);

/* Is this the first word of a command of two words? */
bool commands_is_noun(const char *word);

/* The command nearest to what was typed, or NULL when none is near. */
const struct cmd *commands_near(const char *typed);

/*
 * The option of a command nearest to what was typed, or the only one that
 * begins with it; NULL when none is near.
 */
const struct cmd_opt *commands_near_opt(
    const struct cmd *cmd, const char *typed, size_t len);

/* What to type for a verb without what it is about; else "cdop help". */
const char *commands_with_verb(struct cdop_arena *arena, const char *verb);

#endif
