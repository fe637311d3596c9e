/*
 * The plain words that lie beside a leaf, made from what is said about a
 * call: references, persons and codes, and no free text.
 */
#ifndef CDOP_REGISTRY_AUDIT_ROW_H
#define CDOP_REGISTRY_AUDIT_ROW_H

#include "cdop/arena.h"
#include "server/registry/audit.h"

/*
 * Fills words; lists are made in arena, all else is borrowed from entry, and
 * only to be packed.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err audit_row_words(const struct audit_entry *entry,
    struct cdop_arena *arena, Cdop__StoredWords *words);

/* protobuf-c takes what it only packs by a pointer that is not const. */
char *audit_row_borrow(const char *text);

/* The same; NULL of NULL and of "". */
char *audit_row_text(const char *text);

#endif
