/* Names, and what is to be said of whatever has them; see files.h. */
#include "server/store/files.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MADE_ANEW "take it away: it is made anew"

struct name {
	const char *name;
	bool removed; /* by us, without a look: it may be all but a directory */
	mode_t closed;    /* bits that others should not have */
	const char *next; /* where something else is in its place */
};

static const struct name data_names[] = {
    {"data.mdb", false, 0077,
	"put the registry's own file there, under this name; where it lies is "
	"data_dir's to say; if it is lost, cdopd restore"},
    {"lock.mdb", false, 0077, MADE_ANEW},
    {"reserve", false, 0077, MADE_ANEW},
    {"copy.mdb", true, 0, "take it away: nothing in it is needed"},
    {"commit-failed", true, 0, "take it away: it should be an empty file"},
    {NULL, false, 0, NULL},
};

static const struct name anchor_names[] = {
    {"anchor", false, 0022,
	"find out who put it there; put the anchor's own file there, or take "
	"it away: then an older database is not noticed at this start"},
    {"anchor.new", false, 0022, MADE_ANEW},
    {NULL, false, 0, NULL},
};

__attribute__((format(printf, 2, 3))) static void
say(struct files_found *found, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(found->words, sizeof(found->words), format, args);
	va_end(args);
}

static const char *
kind_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFLNK:
		return "a symbolic link";
	case S_IFDIR:
		return "a directory";
	case S_IFIFO:
		return "a pipe";
	default:
		return "no file";
	}
}

/* Of one that is there. */
static enum files_verdict
judge(const struct name *name, const struct stat *dir, const struct stat *st,
    struct files_found *found)
{
	const unsigned mode = (unsigned)st->st_mode & 07777;

	found->next = name->next;
	if (name->removed ? S_ISDIR(st->st_mode) : !S_ISREG(st->st_mode)) {
		say(found, "%s is %s", name->name, kind_of(st->st_mode));
		return FILES_WRONG;
	}
	if (name->removed)
		return FILES_FINE;
	if (st->st_uid != dir->st_uid) {
		say(found, "%s belongs to user %u, and its directory to %u",
		    name->name, (unsigned)st->st_uid, (unsigned)dir->st_uid);
		found->next = "chown it to the user of cdopd";
		return FILES_NOT_OURS;
	}
	found->next = "chmod 0600";
	if ((mode & 0600) != 0600) {
		say(found,
		    "%s may not be read and written by its owner (mode %04o)",
		    name->name, mode);
		return FILES_NOT_OURS;
	}
	if ((mode & name->closed) == 0)
		return FILES_FINE;
	say(found, "%s is open to others (mode %04o)", name->name, mode);
	return FILES_OPEN;
}

static enum files_verdict
look_at_all(
    const char *dir, const struct name *names, struct files_found *ret_found)
{
	enum files_verdict verdict, worst = FILES_FINE;
	struct files_found found;
	struct stat st, of_dir;
	int at;

	if (stat(dir, &of_dir) != 0)
		return FILES_FINE;
	at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (; names->name != NULL; names++) {
		/* What cannot be looked at says so to whoever opens it. */
		if (fstatat(at, names->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		verdict = judge(names, &of_dir, &st, &found);
		if (verdict <= worst)
			continue;
		worst = verdict;
		*ret_found = found;
	}
	(void)close(at);
	return worst;
}

enum files_verdict
files_data(const char *dir, struct files_found *ret_found)
{
	return look_at_all(dir, data_names, ret_found);
}

enum files_verdict
files_anchor(const char *dir, struct files_found *ret_found)
{
	return look_at_all(dir, anchor_names, ret_found);
}

bool
files_read_only(const char *dir, struct files_found *ret_found)
{
	struct statvfs fs;
	bool is;
	int fd;

	/* The vault may not ask by name. */
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return false;
	is = fstatvfs(fd, &fs) == 0 && (fs.f_flag & ST_RDONLY) != 0;
	(void)close(fd);
	if (!is)
		return false;
	say(ret_found, "its file system is mounted read-only");
	ret_found->next =
	    "see what its disk has (journalctl -k), then mount -o remount,rw";
	return true;
}
