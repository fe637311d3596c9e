/* Opening, binding, becoming another user: in this order, once. */
#include "server/base/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/fds.h"
#include "server/base/inside.h"
#include "server/base/log.h"
#include "server/base/unseal.h"

#define DESCRIPTORS_MIN 64 /* our own, without any connection */

__attribute__((format(printf, 2, 3))) static enum cdop_err
refuse(struct setup *setup, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(setup->problem, sizeof(setup->problem), format, args);
	va_end(args);
	return CDOP_INVALID_ARGUMENT;
}

/*
 * A key that others can read is no key.  One that is not there leaves the
 * registry sealed: after a reboot at night people read that it is closed and
 * whom to ring, and a passphrase still opens it.
 */
static enum cdop_err
open_key(struct setup *setup, const char *name, const char *path, int *ret_fd)
{
	struct stat st;

	if (path[0] == '\0')
		return CDOP_OK;
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (*ret_fd < 0 && errno == ENOENT) {
		log_warning("key.missing", "key=%s path=%s next=%s", name, path,
		    "put the key file back and restart, or: cdopd unseal");
		return CDOP_OK;
	}
	if (*ret_fd < 0 || fstat(*ret_fd, &st) < 0)
		return refuse(setup, "%s: %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return refuse(setup, "%s: not a regular file", name);
	if ((st.st_mode & 0077) != 0)
		return refuse(setup,
		    "%s: others can read it (mode %04o, want 0400)", name,
		    (unsigned)st.st_mode & 07777);
	return CDOP_OK;
}

/*
 * The service manager's (LoadCredential= or LoadCredentialEncrypted=): a file
 * of this name in the directory that it says.  It keeps others out itself, and
 * lets our user in by an access list, whose mask stands where a group's rights
 * would: to read by "group" is no fault.
 */
static enum cdop_err
open_credential(struct setup *setup)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_MAX];
	struct stat st;
	int len;

	if (dir == NULL || *dir == '\0')
		return CDOP_OK;
	len = snprintf(path, sizeof(path), "%s/" SETUP_CREDENTIAL, dir);
	if (len < 0 || (size_t)len >= sizeof(path))
		return refuse(setup, "CREDENTIALS_DIRECTORY: too long");
	setup->credential_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (setup->credential_fd < 0 && errno == ENOENT)
		return CDOP_OK;
	if (setup->credential_fd < 0 || fstat(setup->credential_fd, &st) < 0)
		return refuse(setup, "credential: %s", strerror(errno));
	if (!S_ISREG(st.st_mode) || (st.st_mode & 0037) != 0)
		return refuse(setup,
		    "credential: others can read it (mode %04o)",
		    (unsigned)st.st_mode & 07777);
	return CDOP_OK;
}

/* Whoever writes there can put a socket in place of ours. */
static enum cdop_err
check_run_dir(const struct config *conf, struct setup *setup, uid_t uid)
{
	struct stat st;

	if (stat(conf->run_dir, &st) < 0)
		return refuse(setup, "run_dir: %s", strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return refuse(setup, "run_dir: not a directory");
	if (st.st_uid != 0 && st.st_uid != uid)
		return refuse(setup, "run_dir: it belongs to somebody else");
	if ((st.st_mode & 0022) != 0)
		return refuse(setup,
		    "run_dir: others can write in it (mode %04o, want 0750)",
		    (unsigned)st.st_mode & 07777);
	return CDOP_OK;
}

static enum cdop_err
make_run_dir(
    const struct config *conf, struct setup *setup, uid_t uid, gid_t gid)
{
	if (mkdir(conf->run_dir, 0750) < 0)
		return errno == EEXIST
		    ? check_run_dir(conf, setup, uid)
		    : refuse(setup, "run_dir: %s", strerror(errno));
	if (chown(conf->run_dir, uid, gid) < 0)
		return refuse(setup, "run_dir: %s", strerror(errno));
	return CDOP_OK;
}

static enum cdop_err
become_user(const struct config *conf, struct setup *setup)
{
	const struct passwd *user;
	enum cdop_err err;

	if (conf->user[0] == '\0')
		return make_run_dir(conf, setup, geteuid(), getegid());
	if ((user = getpwnam(conf->user)) == NULL)
		return refuse(setup, "user: there is no %s", conf->user);
	err = make_run_dir(conf, setup, user->pw_uid, user->pw_gid);
	if (err != CDOP_OK || user->pw_uid == geteuid())
		return err;
	if (initgroups(user->pw_name, user->pw_gid) < 0 ||
	    setresgid(user->pw_gid, user->pw_gid, user->pw_gid) < 0 ||
	    setresuid(user->pw_uid, user->pw_uid, user->pw_uid) < 0)
		return refuse(setup, "user: cannot become %s: %s", conf->user,
		    strerror(errno));
	/* No way back, or something is very wrong. */
	if (user->pw_uid != 0 && setuid(0) == 0)
		return refuse(setup, "user: still root after leaving it");
	return CDOP_OK;
}

/* Said here, where a person reads it, and not by a vault that dies. */
static enum cdop_err
check_dir(struct setup *setup, const char *key, const char *path)
{
	struct stat st;

	if (path[0] == '\0')
		return CDOP_OK;
	if (stat(path, &st) < 0)
		return refuse(setup, "%s: %s", key, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return refuse(setup, "%s: not a directory", key);
	if (st.st_uid != geteuid())
		return refuse(setup, "%s: it belongs to somebody else", key);
	if ((st.st_mode & 0077) != 0)
		return refuse(setup,
		    "%s: others can enter it (mode %04o, want 0700)", key,
		    (unsigned)st.st_mode & 07777);
	return CDOP_OK;
}

/* In the data it would be put back with them, and notice nothing. */
static enum cdop_err
check_anchor_dir(struct setup *setup, const struct config *conf)
{
	bool inside;

	/* One that is not there is the other's to say. */
	if (inside_dir(conf->anchor_dir, conf->data_dir, &inside) == CDOP_OK &&
	    inside)
		return refuse(setup,
		    "anchor_dir: it lies in data_dir, and would be put back "
		    "with it: name a directory elsewhere");
	return check_dir(setup, "anchor_dir", conf->anchor_dir);
}

static enum cdop_err
open_note(struct setup *setup)
{
	void *page;

	setup->note_fd = memfd_create("cdopd-note", MFD_CLOEXEC);
	if (setup->note_fd < 0 ||
	    ftruncate(setup->note_fd, sizeof(*setup->note)) < 0)
		return refuse(setup, "memfd: %s", strerror(errno));
	page = mmap(NULL, sizeof(*setup->note), PROT_READ | PROT_WRITE,
	    MAP_SHARED, setup->note_fd, 0);
	if (page == MAP_FAILED)
		return refuse(setup, "mmap: %s", strerror(errno));
	setup->note = page;
	return CDOP_OK;
}

static enum cdop_err
bind_all(const struct config *conf, struct setup *setup)
{
	enum cdop_err err;
	uint32_t i;

	for (i = 0; i < conf->n_listen; i++) {
		err = address_parse(
		    conf->listen[i], conf->run_dir, &setup->addresses[i]);
		if (err == CDOP_OK)
			err = address_listen(&setup->addresses[i],
			    conf->socket_mode, &setup->listen_fds[i]);
		if (err == CDOP_ALREADY_EXISTS)
			return refuse(setup,
			    "listen = %s: something is there already: another "
			    "cdopd that runs, or what is not cdopd's",
			    conf->listen[i]);
		if (err != CDOP_OK)
			return refuse(setup, "listen = %s: %s", conf->listen[i],
			    strerror(errno));
		setup->n_listen++;
	}
	err = unseal_listen(conf->run_dir, &setup->control_fd);
	if (err == CDOP_ALREADY_EXISTS)
		return refuse(setup, "run_dir: another cdopd runs there");
	if (err != CDOP_OK)
		return refuse(setup, "control socket: %s", strerror(errno));
	return CDOP_OK;
}

/*
 * The gate inherits room for all its connections.  With fewer than these a
 * child dies before it can say why.
 */
static enum cdop_err
raise_descriptors(struct setup *setup)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return CDOP_OK;
	if (limit.rlim_max < DESCRIPTORS_MIN)
		return refuse(setup,
		    "%llu descriptors are too few: raise RLIMIT_NOFILE "
		    "(LimitNOFILE=4096 in the unit, ulimit -Hn 4096)",
		    (unsigned long long)limit.rlim_max);
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	return CDOP_OK;
}

/*
 * To the file that has to grow a bound is a full disk that has room: the
 * reserve would be none, and nobody would be told what to do.
 */
static enum cdop_err
raise_file_size(struct setup *setup, const struct config *conf)
{
	const uint64_t size = (uint64_t)conf->map_size_gib << 30;
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) != 0)
		return CDOP_OK;
	if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < size)
		return refuse(setup,
		    "files of at most %llu MiB are too small for a registry of "
		    "map_size_gib = %u: raise RLIMIT_FSIZE (LimitFSIZE= in the "
		    "unit, ulimit -Hf)",
		    (unsigned long long)(limit.rlim_max >> 20),
		    conf->map_size_gib);
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_FSIZE, &limit);
	return CDOP_OK;
}

enum cdop_err
setup_open(const struct config *conf, struct setup *ret_setup)
{
	enum cdop_err err;

	memset(ret_setup, 0, sizeof(*ret_setup));
	ret_setup->control_fd = -1;
	ret_setup->key_fd = -1;
	ret_setup->credential_fd = -1;
	ret_setup->boot_fd = -1;
	ret_setup->note_fd = -1;
	if ((err = raise_descriptors(ret_setup)) == CDOP_OK)
		err = raise_file_size(ret_setup, conf);
	if (err == CDOP_OK)
		err = open_key(
		    ret_setup, "key_file", conf->key_file, &ret_setup->key_fd);
	if (err == CDOP_OK)
		err = open_key(ret_setup, "boot_key_file", conf->boot_key_file,
		    &ret_setup->boot_fd);
	if (err != CDOP_OK)
		return err;
	if ((err = open_credential(ret_setup)) != CDOP_OK)
		return err;
	if ((err = become_user(conf, ret_setup)) != CDOP_OK)
		return err;
	err = check_dir(ret_setup, "data_dir", conf->data_dir);
	if (err == CDOP_OK)
		err = check_anchor_dir(ret_setup, conf);
	if (err == CDOP_OK)
		err = open_note(ret_setup);
	if (err != CDOP_OK)
		return err;
	return bind_all(conf, ret_setup);
}

void
setup_close(struct setup *setup, const struct config *conf)
{
	uint32_t i;

	for (i = 0; i < setup->n_listen; i++) {
		fds_close(setup->listen_fds[i]);
		address_unlink(&setup->addresses[i]);
	}
	if (setup->control_fd >= 0)
		unseal_unlink(conf->run_dir);
	fds_close(setup->control_fd);
	fds_close(setup->key_fd);
	fds_close(setup->credential_fd);
	fds_close(setup->boot_fd);
	fds_close(setup->note_fd);
	if (setup->note != NULL)
		(void)munmap(setup->note, sizeof(*setup->note));
}
