/*
 * What a rotation does between batches: the copy that takes the old bytes
 * out of free pages, and with --reseal seals every row anew (adr/0019).  A
 * copy is worth nothing until its end; a vault that was killed begins it
 * again, and what the switch has done already is not done twice.
 */
#ifndef CDOP_REGISTRY_ROTATION_COPY_H
#define CDOP_REGISTRY_ROTATION_COPY_H

#include "server/registry/rotation.h"

/*
 * Between batches: begins the copy when its phase has come, holds it while
 * the rotation is held, and lets go of one that was written down.  Errors of
 * copy_begin(); CDOP_INTERNAL: it came to nothing; why was said when it ended.
 * To be tried again.
 */
CDOP_MUST enum cdop_err rotation_copy_tend(
    struct rotation *rotation, uint64_t now_ms);

/* The new file stands, and that is not yet written down. */
bool rotation_copy_ended(const struct rotation *rotation);

/* Rows copied and opened, of both together; all are copied. */
void rotation_copy_progress(const struct rotation *rotation, uint64_t *ret_done,
    uint64_t *ret_total, bool *ret_verifies);

/* For rotation_step.c only: the census of the new file, into *stored. */
CDOP_MUST enum cdop_err rotation_copy_count(struct rotation *rotation,
    struct cdop_arena *arena, Cdop__StoredRotation *stored);

#endif
