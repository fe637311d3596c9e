/* See backup_check.h. */
#include "server/backup_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "server/base/log.h"
#include "server/registry/checkpoints.h"
#include "server/registry/registry.h"
#include "server/store/backup_load.h"
#include "server/vault/rows.h"

/* ---- the file ------------------------------------------------------------ */

/* What is wrong, of which of the two. */
static const struct {
	enum cdop_err err;
	bool of_dir;
	bool not_seen; /* and nothing is known of it */
	const char *words;
} faults[] = {
    {CDOP_NOT_FOUND, false, true,
	"cannot be read: it is not there, or this user may not"},
    {CDOP_INVALID_ARGUMENT, false, false, "no backup of a registry"},
    {CDOP_UNIMPLEMENTED, false, false,
	"of a later version: use the cdopd that made it, or a newer one"},
    {CDOP_RESOURCE_EXHAUSTED, true, true,
	"not enough room there, for which twice the size of the backup and "
	"32 MiB are enough, memory or descriptors: make room, and say it "
	"again"},
};

static bool
say(const char *path, enum cdop_err err, const char *dir,
    struct backup_check *check)
{
	size_t i;

	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (faults[i].err == err) {
			log_tell("%s: %s", faults[i].of_dir ? dir : path,
			    faults[i].words);
			check->not_seen = faults[i].not_seen;
			return false;
		}
	log_tell("%s: damaged: it is cut off, or was changed", path);
	return false;
}

static bool
is_as_said(const char *path, struct cdop_backup *backup,
    const struct backup_loaded *loaded, struct cdop_arena *arena,
    struct backup_check *check)
{
	const struct cdop_manifest *manifest = &check->manifest;
	enum cdop_err err;

	check->note = loaded->manifest;
	err = cdop_manifest_parse(loaded->manifest, arena, &check->manifest);
	if (err == CDOP_UNIMPLEMENTED || err == CDOP_RESOURCE_EXHAUSTED)
		return say(path, err, "memory", check);
	if (err != CDOP_OK)
		log_tell("%s: damaged: its manifest cannot be read", path);
	else if (manifest->bytes != cdop_backup_length(backup) ||
	    memcmp(manifest->sha256, cdop_backup_sha256(backup),
		sizeof(manifest->sha256)) != 0)
		log_tell("%s: damaged: its bytes are not those of its manifest",
		    path);
	else if (manifest->rows != loaded->rows)
		log_tell("%s: damaged: %" PRIu64 " rows, and its manifest says "
			 "%" PRIu64,
		    path, loaded->rows, manifest->rows);
	else
		return true;
	return false;
}

static bool
is_signed(const char *path, const struct cdop_note_key *key,
    const struct backup_check *check)
{
	struct cdop_checkpoint checkpoint;

	if (cdop_checkpoint_open(check->note, key, &checkpoint) == CDOP_OK)
		return true;
	log_tell("%s: not signed by the key of that log: it is another "
		 "registry's, or was made by somebody else",
	    path);
	return false;
}

/* Whose it says it is, before anything is opened. */
static bool
is_of_its_registry(const char *path, const struct cdop_backup *backup,
    const struct backup_check *check)
{
	uint16_t incarnation;

	if (cdop_checkpoint_is_of(&check->manifest.checkpoint,
		cdop_backup_registry(backup), &incarnation))
		return true;
	log_tell("%s: damaged: its manifest is of another registry", path);
	return false;
}

bool
backup_check_load(const char *path, const char *dir,
    const struct cdop_note_key *key, struct cdop_arena *arena,
    struct backup_check *ret_check)
{
	const struct backup_load_args args = {.dir = dir};
	struct backup_loaded loaded;
	struct cdop_backup *backup;
	enum cdop_err err;
	bool good;

	memset(ret_check, 0, sizeof(*ret_check));
	if ((err = cdop_backup_open(path, &backup)) != CDOP_OK)
		return say(path, err, dir, ret_check);
	err = backup_load(backup, &args, arena, &loaded);
	if (err == CDOP_OK)
		good = is_as_said(path, backup, &loaded, arena, ret_check) &&
		    is_of_its_registry(path, backup, ret_check) &&
		    (key == NULL || is_signed(path, key, ret_check));
	else
		good = say(path, err, dir, ret_check);
	cdop_backup_close(backup);
	return good;
}

/* ---- the log ------------------------------------------------------------- */

bool
backup_check_log(
    const struct backup_check *check, struct registry *reg, const char *path)
{
	const struct cdop_checkpoint *said = &check->manifest.checkpoint;
	struct cdop_note_key key;

	if (cdop_note_key_init(&key, said->origin, CDOP_NOTE_ED25519,
		checkpoints_key(reg->checkpoints)) != CDOP_OK ||
	    !is_signed(path, &key, check))
		return false;
	if (said->size == checkpoints_size(reg->checkpoints) &&
	    memcmp(said->root, rows_tree_root(reg->rows), sizeof(said->root)) ==
		0)
		return true;
	log_tell("%s: damaged: the log in it is not the one that its manifest "
		 "has signed",
	    path);
	return false;
}

/* ---- words --------------------------------------------------------------- */

void
backup_check_print(const struct backup_check *check, const char *path)
{
	const struct cdop_manifest *manifest = &check->manifest;
	time_t s = (time_t)(manifest->taken_ms / 1000);
	char when[32] = "?";
	struct tm tm;

	if (gmtime_r(&s, &tm) != NULL)
		(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M UTC", &tm);
	printf("%s: backup of %s, begun %s\n", path,
	    manifest->checkpoint.origin, when);
	printf("%" PRIu64 " cases, %" PRIu64 " rows, %" PRIu64
	       " bytes, log of %" PRIu64 " entries, %zu epoch keys\n",
	    manifest->cases, manifest->rows, manifest->bytes,
	    manifest->checkpoint.size, manifest->n_epochs);
}
