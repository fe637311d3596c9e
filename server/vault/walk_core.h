/*
 * What a walk is told by those who change the store.  For the other files
 * of vault/ only.
 */
#ifndef CDOP_VAULT_WALK_CORE_H
#define CDOP_VAULT_WALK_CORE_H

#include <stdbool.h>
#include <stdint.h>

struct rows;
struct walk;

/*
 * A row is deleted in this batch, and what it added to the digest of the log
 * or of the others.  It comes back with the batch.
 */
void walk_core_note(struct walk *first, uint64_t number, bool is_log,
    const uint8_t term[static 32]);

/* Rows are not what they were: every walk but this one ends. */
void walk_core_break(const struct rows *rows, const struct walk *but);

#endif
