/*
 * cdopd restore FILE DIR: makes a registry of a backup, in a directory of its
 * own, and marks it as one to go on from.  It is then in state restored: two
 * administrators have to accept it over the link before it serves (RECORDS
 * M10).  Nothing that was there before is touched.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/backup_check.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/cmd.h"
#include "server/offline_key.h"
#include "server/registry/restored.h"
#include "server/restore_people.h"
#include "server/store/dir.h"
#include "server/vault/rows.h"
#include "server/workplace.h"

struct restore {
	const char *file;
	const char *dir;
	bool made; /* dir, by us */
	int lock;  /* of dir; -1: none */
	unsigned incarnation;
	const char *anchor; /* file with the newest checkpoint known, or NULL */
	const char *vkey;
	struct cdop_note_key key;
	struct offline_from from;
	struct restored_mark_args mark;
	struct restored_suspend suspend;
	struct offline offline;
	struct backup_check check;
};

static const char usage_text[] =
    "usage: cdopd restore FILE DIR --by NAME --reason TEXT [--key VKEY] "
    "[--anchor FILE] " RESTORE_PEOPLE_USAGE " " OFFLINE_KEY_USAGE;

static int
usage(const char *why)
{
	log_tell("restore: %s", why);
	log_usage(usage_text);
	return CMD_USAGE;
}

static bool
take_value(struct restore *restore, const char *name, const char *value)
{
	if (strcmp(name, "--anchor") == 0)
		restore->anchor = value;
	else if (strcmp(name, "--key") == 0)
		restore->vkey = value;
	else if (strcmp(name, "--by") == 0)
		restore->mark.by = value;
	else if (strcmp(name, "--reason") == 0)
		restore->mark.reason = value;
	else
		return restore_people_take(&restore->suspend, name, value);
	return true;
}

static int
parse_key(struct restore *restore)
{
	struct cdop_bytes text = {(const uint8_t *)restore->vkey, 0};

	if (restore->vkey == NULL)
		return CMD_OK;
	text.len = strlen(restore->vkey);
	if (cdop_note_key_parse(text, &restore->key) != CDOP_OK ||
	    restore->key.type != CDOP_NOTE_ED25519)
		return usage(
		    "--key: this is not the key of a log, which is one "
		    "word like name/1+c74f20a3+ARpc...");
	return CMD_OK;
}

static int
parse(struct restore *restore, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (argv[i][0] != '-' && restore->file == NULL)
			restore->file = argv[i];
		else if (argv[i][0] != '-' && restore->dir == NULL)
			restore->dir = argv[i];
		else if (i + 1 < argc &&
		    take_value(restore, argv[i], argv[i + 1]))
			i++;
		else if (!offline_key_take(&restore->from, argc, argv, &i))
			return cmd_wrong("restore", usage_text, argc, argv, i);
	}
	if (restore->dir == NULL)
		return usage("FILE and DIR are needed");
	if (restore->mark.by == NULL || restore->mark.reason == NULL)
		return usage("--by NAME: who does it; --reason TEXT: why");
	return parse_key(restore);
}

/* ---- where it goes ------------------------------------------------------- */

static const char *
why_not(enum cdop_err err)
{
	switch ((int)err) {
	case CDOP_ALREADY_EXISTS:
		return "there is a registry: say the name of a new directory";
	case CDOP_FAILED_PRECONDITION:
		return "in use: stop cdopd, or say the name of a new directory";
	case CDOP_PERMISSION_DENIED:
		return "has to be a directory of yours, closed to others "
		       "(0700)";
	case CDOP_NOT_FOUND:
		return "has to be a directory, or a name in one that is there";
	default:
		return offline_words(err);
	}
}

static bool
say(const struct restore *restore, enum cdop_err err)
{
	if (err != CDOP_OK)
		log_tell("%s: %s", restore->dir, why_not(err));
	return err == CDOP_OK;
}

/*
 * A directory of nobody's, in which no registry is.  What is half made in it
 * lies in a place of its own: a start that comes in between finds none.
 */
static bool
begin(struct restore *restore)
{
	enum cdop_err err;

	restore->made = mkdir(restore->dir, 0700) == 0;
	err = dir_ready(restore->dir, true);
	if (err == CDOP_OK)
		err = dir_lock(restore->dir, &restore->lock);
	/* What one that was killed has left is not to stay there. */
	if (err == CDOP_OK)
		workplace_sweep(restore->dir, "restore");
	if (err == CDOP_OK)
		err = dir_file(restore->dir, true);
	if (!say(restore, err))
		return false;
	if (workplace_make(restore->dir, "restore") != CDOP_OK) {
		log_tell("%s: %s", restore->dir, strerror(errno));
		return false;
	}
	restore->from.dir = workplace_path();
	restore->from.called = restore->file;
	return true;
}

/* Closed, it becomes the registry in one step. */
static bool
finish(struct restore *restore)
{
	restore->incarnation = rows_incarnation(restore->offline.rows);
	offline_close(&restore->offline);
	return say(restore, workplace_publish());
}

static void
end(struct restore *restore, bool good)
{
	workplace_remove();
	if (!good && restore->made)
		(void)rmdir(restore->dir);
	if (restore->lock >= 0)
		(void)close(restore->lock);
}

/* ---- what is done -------------------------------------------------------- */

/* Opens what was loaded, and marks it. */
static bool
go_on(struct restore *restore)
{
	struct offline *offline = &restore->offline;
	const char *why;
	enum cdop_err err;

	restore->mark.now_ms = clock_wall_ms();
	if (!offline_load(offline, &restore->from, restore->mark.now_ms) ||
	    !backup_check_log(&restore->check, offline->reg, restore->file))
		return false;
	restore->mark.manifest = restore->check.note;
	restore->mark.suspend = &restore->suspend;
	err = restored_mark(offline->reg, offline->arena, &restore->mark, &why);
	if (err != CDOP_OK)
		log_tell("%s", why != NULL ? why : offline_words(err));
	if (err == CDOP_NOT_FOUND)
		restore_people_list(
		    offline->reg, offline->arena, restore->mark.now_ms);
	return err == CDOP_OK;
}

static bool
run(struct restore *restore)
{
	struct offline *offline = &restore->offline;

	if (offline_open(offline) != CDOP_OK)
		return false;
	if (restore->anchor != NULL &&
	    offline_read_file(restore->anchor, CDOP_NOTE_MAX, offline->arena,
		&restore->mark.lost) != CDOP_OK)
		return false;
	if (!begin(restore) ||
	    !backup_check_load(restore->file, restore->from.dir,
		restore->vkey == NULL ? NULL : &restore->key, offline->arena,
		&restore->check) ||
	    !go_on(restore))
		return false;
	backup_check_print(&restore->check, restore->file);
	restore_people_report(
	    offline->reg, offline->arena, restore->mark.now_ms);
	return finish(restore);
}

static void
report(const struct restore *restore)
{
	printf("restored into %s, incarnation %u: it serves nothing but its "
	       "acceptance.\n"
	       "Look at every row: cdopd verify %s\n"
	       "Then start it. One administrator says cdop restore accept "
	       "--reason TEXT, another one cdop approve.\n"
	       "What waited for a second person on the day of the backup is "
	       "dropped, and invitations are taken back: whoever still wants "
	       "it asks again.\n"
	       "It opens with the custodians' shares alone: give it a key file "
	       "or a passphrase of its own (cdopd slot add).\n",
	    restore->dir, restore->incarnation, restore->dir);
}

int
cmd_restore(int argc, char **argv)
{
	static struct restore restore;
	int status;
	bool good;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		puts(usage_text);
		return CMD_OK;
	}
	if ((status = parse(&restore, argc, argv)) != CMD_OK)
		return status;
	restore.lock = -1;
	good = run(&restore);
	offline_close(&restore.offline);
	end(&restore, good);
	if (good)
		report(&restore);
	return good ? CMD_OK : CMD_FAILED;
}
