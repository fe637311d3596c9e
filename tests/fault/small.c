/* Mounting, filling and making room; see small.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* unshare() */
#endif
#include "tests/fault/small.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "tests/fault/house.h"
#include "tests/fault/say.h"

#define SIZE "64m"

static char disk[HOUSE_PATH];
static char filler[HOUSE_PATH + 8];

static bool
put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t len = strlen(text);
	bool good = fd != -1 && write(fd, text, len) == (ssize_t)len;

	if (fd != -1)
		(void)close(fd);
	return good;
}

/* Whoever is nobody here is root in there. */
static bool
become_root(uid_t uid, gid_t gid)
{
	char users[32], groups[32];

	(void)snprintf(users, sizeof(users), "0 %u 1", (unsigned)uid);
	(void)snprintf(groups, sizeof(groups), "0 %u 1", (unsigned)gid);
	return put("/proc/self/setgroups", "deny") &&
	    put("/proc/self/uid_map", users) &&
	    put("/proc/self/gid_map", groups);
}

bool
small_may(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWNS) != 0 &&
	    (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0 ||
		!become_root(uid, gid)))
		return false;
	/* Nothing of it is seen outside. */
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("cdop", "/mnt", "tmpfs", 0, "size=4k") == 0 &&
	    umount("/mnt") == 0;
}

void
small_mount(const char *path)
{
	(void)snprintf(disk, sizeof(disk), "%s", path);
	(void)snprintf(filler, sizeof(filler), "%s/filler", path);
	require(mount("cdop", disk, "tmpfs", MS_NOSUID | MS_NODEV,
		    "size=" SIZE ",mode=0700") == 0,
	    "a small disk");
}

void
small_unmount(void)
{
	require(umount(disk) == 0, "the small disk goes");
}

static size_t
left(void)
{
	struct statvfs st;

	require(statvfs(disk, &st) == 0, "how full it is");
	require(st.f_bsize == 4096, "pages of 4 KiB");
	return st.f_bavail;
}

void
small_fill(size_t pages)
{
	size_t n = left();
	int fd;

	if (n < pages)
		pages = n;
	fd = open(filler, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	require(fd != -1, filler);
	require(n == pages ||
		posix_fallocate(fd, 0, (off_t)(n - pages) * 4096) == 0,
	    "it is filled");
	(void)close(fd);
	require(left() == pages, "it is as full as it has to be");
}

void
small_empty(void)
{
	(void)unlink(filler);
	require(left() > 0, "there is room again");
}
