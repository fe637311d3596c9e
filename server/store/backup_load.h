/*
 * A backup put into a directory: a database again.  It knows numbers and
 * bytes and opens no row.
 */
#ifndef CDOP_STORE_BACKUP_LOAD_H
#define CDOP_STORE_BACKUP_LOAD_H

#include "cdop/arena.h"
#include "cdop/backup.h"

struct backup_load_args {
	const char *dir;    /* made, or empty */
	uint64_t map_bytes; /* 0: the default */
};

struct backup_loaded {
	uint64_t rows;              /* that the directory has now */
	struct cdop_bytes manifest; /* in arena; not looked into */
};

/*
 * Makes a database of all that backup has; durable when this returns.  What
 * it made of a backup that is not whole is worth nothing, and is the
 * caller's to take away.  CDOP_ALREADY_EXISTS: there is a registry in dir.
 * CDOP_DATA_LOSS: not whole (cdop_backup_next), a number that is there twice or
 * gone without having been there, or the disk failed.
 * CDOP_RESOURCE_EXHAUSTED: no room.
 */
CDOP_MUST enum cdop_err backup_load(struct cdop_backup *backup,
    const struct backup_load_args *args, struct cdop_arena *arena,
    struct backup_loaded *ret_loaded);

#endif
