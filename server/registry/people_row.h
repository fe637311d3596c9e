/*
 * People as rows: from the tables to the sealed store and back.  It checks
 * the form of what it reads; rules stand elsewhere.
 */
#ifndef CDOP_REGISTRY_PEOPLE_ROW_H
#define CDOP_REGISTRY_PEOPLE_ROW_H

#include "cdop/arena.h"
#include "server/registry/people.h"

/* row, and the public key's fingerprint, are not filled.  CDOP_DATA_LOSS. */
CDOP_MUST enum cdop_err people_row_read_person(
    const Cdop__StoredPerson *stored, struct people_person *ret_person);
CDOP_MUST enum cdop_err people_row_read_device(
    const Cdop__StoredCredential *stored, struct people_device *ret_device);
CDOP_MUST enum cdop_err people_row_read_invitation(
    const Cdop__StoredInvitation *stored,
    struct people_invitation *ret_invitation);

/*
 * Writes an entry that people_edit_* or people_add_* gave, in place of the
 * row it had, and sets its row number.  Within a batch.  Errors of
 * rows_put().
 */
CDOP_MUST enum cdop_err people_row_put_person(struct registry *reg,
    struct cdop_arena *arena, struct people_person *person);
CDOP_MUST enum cdop_err people_row_put_device(struct registry *reg,
    struct cdop_arena *arena, struct people_device *device);
CDOP_MUST enum cdop_err people_row_put_invitation(struct registry *reg,
    struct cdop_arena *arena, struct people_invitation *invitation);

#endif
