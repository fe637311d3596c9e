/*
 * A backup that becomes a database again, and what it says of itself held
 * against what is there.  What is wrong is said on stderr, each thing in its
 * own words.
 */
#ifndef CDOP_SERVER_BACKUP_CHECK_H
#define CDOP_SERVER_BACKUP_CHECK_H

#include <stdbool.h>

#include "cdop/arena.h"
#include "cdop/manifest.h"

struct registry;

struct backup_check {
	struct cdop_manifest manifest;
	struct cdop_bytes note; /* the manifest as it was signed */
	bool not_seen; /* not loaded, and that says nothing of the backup */
};

/*
 * Puts the backup at path into dir, an empty directory of the caller's
 * (workplace.h), and holds its manifest against its bytes.  key: the log's,
 * which has to have signed it; NULL: not looked at yet.  false: said why, and
 * what is in dir is worth nothing.
 */
bool backup_check_load(const char *path, const char *dir,
    const struct cdop_note_key *key, struct cdop_arena *arena,
    struct backup_check *ret_check);

/*
 * Whether the log of the loaded registry is the one of the manifest: signed by
 * its key of today, as long, the same root.  false: said why.
 */
bool backup_check_log(
    const struct backup_check *check, struct registry *reg, const char *path);

/* What it holds, in lines on stdout. */
void backup_check_print(const struct backup_check *check, const char *path);

#endif
