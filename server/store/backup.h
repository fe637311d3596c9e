/*
 * The file of a backup: rows as they lie in the table, under their numbers,
 * and the manifest (cdop/manifest.h) at its end.  It knows numbers and bytes
 * and opens no row: what is in them is sealed.
 *
 *	head      "cdop-backup/1\n" 0 0 || registry id 16
 *	record    type u8 || number u64 || len u32 || bytes      (big-endian)
 *
 * A ROW stands for a row of the table.  GONE takes away the row of that number
 * that came before: it was deleted while the backup was made.  END has the
 * manifest, whose hash is over all bytes before this record, and is the last.
 */
#ifndef CDOP_STORE_BACKUP_H
#define CDOP_STORE_BACKUP_H

#include <stdint.h>

#include "cdop/arena.h"
#include "cdop/bytes.h"
#include "cdop/err.h"

#define BACKUP_HEAD    32
#define BACKUP_RECORD  13         /* before the bytes */
#define BACKUP_ROW_MAX (1u << 20) /* bytes of one row */

enum backup_type {
	BACKUP_ROW = 1,
	BACKUP_GONE = 2, /* no bytes */
	BACKUP_END = 3,  /* number 0 */
};

struct backup_record {
	enum backup_type type;
	uint64_t number;
	struct cdop_bytes bytes; /* good until the next record is read */
};

/* ---- Writing ---- */

void backup_head_write(
    const uint8_t registry[static 16], uint8_t out[static BACKUP_HEAD]);
void backup_record_write(
    const struct backup_record *record, uint8_t out[static BACKUP_RECORD]);

/* ---- Reading ---- */

struct backup;

/*
 * CDOP_NOT_FOUND: the system says so.  CDOP_INVALID_ARGUMENT: no backup.
 * CDOP_UNIMPLEMENTED: of a later format.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err backup_open(
    const char *path, struct backup **ret_backup);

/* NULL is fine. */
void backup_close(struct backup *backup);

const uint8_t *backup_registry(const struct backup *backup);

/*
 * The next record; nothing may be asked for behind END.  CDOP_DATA_LOSS: it
 * is cut off, goes on behind its end, or no record is there.
 */
CDOP_MUST enum cdop_err backup_next(
    struct backup *backup, struct backup_record *ret_record);

/* After END: how many bytes stand before it, and their hash. */
uint64_t backup_length(const struct backup *backup);
const uint8_t *backup_sha256(const struct backup *backup);

/* ---- Putting it into a directory ---- */

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
 * CDOP_DATA_LOSS: not whole (backup_next), a number that is there twice or
 * gone without having been there, or the disk failed.
 * CDOP_RESOURCE_EXHAUSTED: no room.
 */
CDOP_MUST enum cdop_err backup_load(struct backup *backup,
    const struct backup_load_args *args, struct cdop_arena *arena,
    struct backup_loaded *ret_loaded);

#endif
