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
#ifndef CDOP_BACKUP_H
#define CDOP_BACKUP_H

#include <stdint.h>

#include "cdop/bytes.h"
#include "cdop/err.h"

#define CDOP_BACKUP_HEAD    32
#define CDOP_BACKUP_RECORD  13         /* before the bytes */
#define CDOP_BACKUP_ROW_MAX (1u << 20) /* bytes of one row */

enum cdop_backup_type {
	CDOP_BACKUP_ROW = 1,
	CDOP_BACKUP_GONE = 2, /* no bytes */
	CDOP_BACKUP_END = 3,  /* number 0 */
};

struct cdop_backup_record {
	enum cdop_backup_type type;
	uint64_t number;
	struct cdop_bytes bytes; /* good until the next record is read */
};

/* ---- Writing ---- */

void cdop_backup_head_write(
    const uint8_t registry[static 16], uint8_t out[static CDOP_BACKUP_HEAD]);
void cdop_backup_record_write(const struct cdop_backup_record *record,
    uint8_t out[static CDOP_BACKUP_RECORD]);

/* ---- Reading ---- */

struct cdop_backup;

/*
 * CDOP_NOT_FOUND: the system says so.  CDOP_INVALID_ARGUMENT: no backup.
 * CDOP_UNIMPLEMENTED: of a later format.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cdop_backup_open(
    const char *path, struct cdop_backup **ret_backup);

/* NULL is fine. */
void cdop_backup_close(struct cdop_backup *backup);

const uint8_t *cdop_backup_registry(const struct cdop_backup *backup);

/*
 * The next record; nothing may be asked for behind END.  CDOP_DATA_LOSS: it
 * is cut off, goes on behind its end, or no record is there.
 */
CDOP_MUST enum cdop_err cdop_backup_next(
    struct cdop_backup *backup, struct cdop_backup_record *ret_record);

/* After END: how many bytes stand before it, and their hash. */
uint64_t cdop_backup_length(const struct cdop_backup *backup);
const uint8_t *cdop_backup_sha256(const struct cdop_backup *backup);

#endif
