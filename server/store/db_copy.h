/*
 * A second file beside an open database, DIR/copy.mdb, to be written in
 * order and then put in its place.  db_begin(), db_put(), db_commit() and
 * the walks of db.h work on it; nothing of it is durable before the switch.
 */
#ifndef CDOP_STORE_DB_COPY_H
#define CDOP_STORE_DB_COPY_H

#include "server/store/db.h"

/*
 * An empty one.  CDOP_RESOURCE_EXHAUSTED: the disk has no room for as much
 * as db has in use, with its reserve.  CDOP_PERMISSION_DENIED, CDOP_DATA_
 * LOSS.
 */
CDOP_MUST enum cdop_err db_copy_new(struct db *db, struct db **ret_copy);

/* Closes and removes it.  NULL is fine. */
void db_copy_drop(struct db *db, struct db *copy);

/*
 * Between its transactions: has the disk room for len bytes more, and some
 * for the database beside it?  And has the system begin to write out what
 * was committed.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err db_copy_room(struct db *copy, size_t len);

/*
 * Makes it durable and puts it in the place of db's file; db goes on with
 * it.  Neither has a transaction.  copy is gone, whatever this returns.
 * *ret_renamed false: db is as it was.  True and not CDOP_OK: the name may
 * stand for either file and db is closed; the process has to leave.
 */
CDOP_MUST enum cdop_err db_copy_switch(
    struct db *db, struct db *copy, bool *ret_renamed);

/*
 * After the switch: a MiB of the old file goes back to the file system, which
 * takes long for all of it at once.  false: there is no more of it.
 */
bool db_copy_give_back(struct db *db);

#endif
