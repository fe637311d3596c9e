/*
 * The plain words that lie beside a leaf, made from what is said about a
 * call: references, persons and codes, and no free text.
 */
#ifndef CDOP_REGISTRY_AUDIT_ROW_H
#define CDOP_REGISTRY_AUDIT_ROW_H

#include "cdop/arena.h"
#include "server/registry/audit.h"

/*
 * Fills words; what is not copied into arena is borrowed from entry.
 * CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err audit_row_words(const struct audit_entry *entry,
    struct cdop_arena *arena, Cdop__StoredWords *words);

/* A copy in arena; none of NULL and of "".  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err audit_row_text(
    struct cdop_arena *arena, const char *text, char **ret_copy);

#endif
