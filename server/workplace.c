/* See workplace.h. */
#include "server/workplace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "server/base/log.h"
#include "server/ended.h"
#include "server/prompt.h"
#include "server/store/dir.h"

#define PREFIX_MAX 64
#define MADE       "XXXXXX" /* mkdtemp() puts letters and digits for them */
#define HELD       "held"   /* locked while somebody works there */
#define FORSAKEN_S 60

/* All that is ever made there. */
static const char *const names[] = {
    "data.mdb", "lock.mdb", "commit-failed", HELD};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* For the handler, which may call little: the directory, open. */
static struct {
	char top[PATH_MAX / 4];
	char path[PATH_MAX / 2];
	volatile sig_atomic_t dir;  /* descriptor; 0: there is none */
	volatile sig_atomic_t held; /* likewise */
} here;

static void
clear(int dir)
{
	size_t i;

	for (i = 0; i < COUNT(names); i++)
		(void)unlinkat(dir, names[i], 0);
}

static void
on_end(int number)
{
	prompt_give_back();
	clear(here.dir);
	(void)rmdir(here.path);
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

static void
prefix_of(const char *name, char prefix[static PREFIX_MAX])
{
	(void)snprintf(prefix, PREFIX_MAX, "cdopd-%s.", name);
}

bool
workplace_is_one(const char *entry, const char *name)
{
	static const char made[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	char prefix[PREFIX_MAX];
	size_t len;

	prefix_of(name, prefix);
	len = strlen(prefix);
	return strncmp(entry, prefix, len) == 0 &&
	    strlen(entry + len) == strlen(MADE) &&
	    strspn(entry + len, made) == strlen(MADE);
}

/* ---- what was left ------------------------------------------------------- */

/* Locked for us; -1: somebody's, or none of ours. */
static int
take(int dir, int flags)
{
	int fd;

	fd = openat(
	    dir, HELD, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, (mode_t)0600);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

/* Killed before it held anything, which takes no moment. */
static bool
is_forsaken(int dir)
{
	struct stat st;

	return errno == ENOENT && fstat(dir, &st) == 0 &&
	    st.st_mtime < time(NULL) - FORSAKEN_S;
}

static void
sweep_one(int top, const char *name)
{
	int dir, held;

	dir =
	    openat(top, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return;
	held = take(dir, 0);
	if (held >= 0) {
		clear(dir);
		(void)unlinkat(top, name, AT_REMOVEDIR);
		(void)close(held);
	} else if (is_forsaken(dir)) {
		(void)unlinkat(top, name, AT_REMOVEDIR); /* if it is empty */
	}
	(void)close(dir);
}

void
workplace_sweep(const char *top, const char *name)
{
	DIR *dir = opendir(top);
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		if (workplace_is_one(entry->d_name, name))
			sweep_one(dirfd(dir), entry->d_name);
	if (dir != NULL)
		(void)closedir(dir);
}

/* ---- making and ending --------------------------------------------------- */

enum cdop_err
workplace_make(const char *top, const char *name)
{
	char prefix[PREFIX_MAX];
	int n, dir, held;

	prefix_of(name, prefix);
	workplace_sweep(top, name);
	n = snprintf(here.top, sizeof(here.top), "%s", top);
	if (n < 0 || (size_t)n >= sizeof(here.top)) {
		errno = ENAMETOOLONG;
		return CDOP_FAILED_PRECONDITION;
	}
	(void)snprintf(
	    here.path, sizeof(here.path), "%s/%s" MADE, here.top, prefix);
	if (mkdtemp(here.path) == NULL)
		return CDOP_FAILED_PRECONDITION;
	dir = open(here.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	held = dir < 0 ? -1 : take(dir, O_CREAT);
	if (held < 0) {
		n = errno;
		if (dir >= 0) {
			clear(dir);
			(void)close(dir);
		}
		(void)rmdir(here.path);
		errno = n;
		return CDOP_FAILED_PRECONDITION;
	}
	here.dir = dir;
	here.held = held;
	ended_on(on_end, SA_RESTART);
	return CDOP_OK;
}

const char *
workplace_path(void)
{
	return here.path;
}

enum cdop_err
workplace_publish(void)
{
	char path[PATH_MAX];
	enum cdop_err err;

	(void)snprintf(path, sizeof(path), "%s/data.mdb", here.top);
	/* Root may do this for the user whose directory it is. */
	if ((err = dir_give(here.top, here.dir, "data.mdb")) != CDOP_OK)
		return err;
	if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return CDOP_ALREADY_EXISTS;
	/* A second name of it would keep its bytes when a copy takes its
	 * place. */
	if (renameat(here.dir, "data.mdb", AT_FDCWD, path) != 0)
		return CDOP_DATA_LOSS;
	return dir_sync(here.top);
}

void
workplace_remove(void)
{
	if (here.dir == 0)
		return;
	clear(here.dir);
	if (rmdir(here.path) != 0)
		log_tell("%s cannot be taken away: %s; there are sealed rows "
			 "in it",
		    here.path, strerror(errno));
	ended_on(SIG_DFL, 0);
	(void)close(here.held);
	(void)close(here.dir);
	here.dir = here.held = 0;
}
