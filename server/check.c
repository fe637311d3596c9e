/* See check.h. */
#include "server/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "server/base/address.h"
#include "server/base/inside.h"
#include "server/base/sandbox.h"
#include "server/base/unseal.h"
#include "server/store/dir.h"
#include "server/store/files.h"
#include "server/store/pages.h"
#include "server/vault/lockmem.h"
#include "server/vault/slots.h"
#include "server/workplace.h"

#define FILE_MAX (CONFIG_PATH_MAX + 16) /* of data_dir */
#define MIB      ((uint64_t)1 << 20)

#define SAY(verdict, ...) (say(words, __VA_ARGS__), verdict)

__attribute__((format(printf, 2, 3))) static void
say(char words[static CHECK_WORDS], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(words, CHECK_WORDS, format, args);
	va_end(args);
	/* A path of the configuration may have anything in it. */
	for (; *words != '\0'; words++)
		if (*words < 0x20 || *words > 0x7e)
			*words = '?';
}

/* ---- the scene ----------------------------------------------------------- */

static bool
answers(const struct config *conf)
{
	struct address address;
	bool good;
	int fd;

	if (address_parse("unix " UNSEAL_SOCKET, conf->run_dir, &address) !=
	    CDOP_OK)
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	good =
	    connect(fd, (const struct sockaddr *)&address.sa, address.len) == 0;
	(void)close(fd);
	return good;
}

void
check_scene_init(struct check_scene *ret_scene, const struct config *conf)
{
	const struct passwd *user =
	    conf->user[0] != '\0' ? getpwnam(conf->user) : NULL;

	*ret_scene = (struct check_scene){
	    .conf = conf,
	    .uid = user != NULL ? user->pw_uid : geteuid(),
	    .no_user = conf->user[0] != '\0' && user == NULL,
	    .runs = answers(conf),
	};
}

/* ---- files --------------------------------------------------------------- */

static const char *
in_dir(const struct check_scene *scene, const char *name,
    char path[static FILE_MAX])
{
	(void)snprintf(path, FILE_MAX, "%s/%s", scene->conf->data_dir, name);
	return path;
}

/* Bytes of data.mdb, 0 where there is none.  false: errno says why not. */
static bool
registry_bytes(const struct check_scene *scene, uint64_t *ret_bytes)
{
	char path[FILE_MAX];
	struct stat st;

	*ret_bytes = 0;
	if (stat(in_dir(scene, "data.mdb", path), &st) != 0)
		return errno == ENOENT;
	*ret_bytes = (uint64_t)st.st_size;
	return true;
}

/* Fine, or what is wrong with a path on the disk of the registry. */
static enum check_verdict
look_beside(const struct check_scene *scene, const char *path,
    const char *wrong, char words[static CHECK_WORDS])
{
	const char *dir = scene->conf->data_dir;
	struct stat one, other;

	if (stat(path, &one) != 0 || stat(dir, &other) != 0)
		return SAY(CHECK_WARNING,
		    "whether %s is on the disk of %s cannot be seen: %s", path,
		    dir, strerror(errno));
	if (one.st_dev == other.st_dev)
		return SAY(CHECK_WARNING, "%s is on the disk of the registry%s",
		    path, wrong);
	return CHECK_FINE;
}

/* A directory that is its own. */
static enum check_verdict
look_at_dir(const struct check_scene *scene, const char *path, mode_t open,
    char words[static CHECK_WORDS])
{
	struct stat st;

	if (stat(path, &st) != 0)
		return SAY(CHECK_PROBLEM, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return SAY(CHECK_PROBLEM, "%s is no directory", path);
	if (st.st_uid != scene->uid)
		return SAY(CHECK_PROBLEM, "%s belongs to user %u and not to %u",
		    path, (unsigned)st.st_uid, (unsigned)scene->uid);
	if ((st.st_mode & open) != 0)
		return SAY(CHECK_PROBLEM, "%s is open to others (mode %04o)",
		    path, (unsigned)st.st_mode & 07777);
	return SAY(CHECK_FINE, "%s", path);
}

static enum check_verdict
look_at_key(const struct check_scene *scene, const char *path,
    char words[static CHECK_WORDS])
{
	struct stat st;

	if (stat(path, &st) != 0)
		return SAY(CHECK_PROBLEM, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_size != SLOTS_KEYFILE)
		return SAY(CHECK_PROBLEM, "%s is no file of %d bytes", path,
		    SLOTS_KEYFILE);
	if ((st.st_mode & 0077) != 0)
		return SAY(CHECK_PROBLEM, "%s is open to others (mode %04o)",
		    path, (unsigned)st.st_mode & 07777);
	/* Root, who becomes that user, opens it before. */
	if (st.st_uid != scene->uid)
		return SAY(CHECK_WARNING,
		    "%s belongs to user %u: started as %u, as a service "
		    "manager does, cdopd cannot open it",
		    path, (unsigned)st.st_uid, (unsigned)scene->uid);
	return SAY(CHECK_FINE, "%s", path);
}

/* ---- each of them -------------------------------------------------------- */

static enum check_verdict
daemon_runs(const struct check_scene *scene, char words[static CHECK_WORDS])
{
	return scene->runs ? SAY(CHECK_FINE, "it runs, and answers")
			   : SAY(CHECK_WARNING, "it does not run");
}

static enum check_verdict
runs_as(const struct check_scene *scene, char words[static CHECK_WORDS])
{
	const char *name = scene->conf->user;

	if (scene->no_user)
		return SAY(CHECK_PROBLEM, "there is no user %s", name);
	if (scene->uid == 0)
		return SAY(CHECK_WARNING, "it runs as root");
	return SAY(CHECK_FINE, "it runs as %s, %u",
	    name[0] != '\0' ? name : "whoever starts it", (unsigned)scene->uid);
}

static enum check_verdict
data_dir(const struct check_scene *scene, char words[static CHECK_WORDS])
{
	const char *path = scene->conf->data_dir;
	enum check_verdict verdict = look_at_dir(scene, path, 0077, words);
	struct files_found found;

	if (verdict == CHECK_FINE && files_read_only(path, &found))
		return SAY(CHECK_PROBLEM, "%s: %s", path, found.words);
	return verdict;
}

static enum check_verdict
registry(const struct check_scene *scene, char words[static CHECK_WORDS])
{
	char path[FILE_MAX];
	enum cdop_err err;
	uint64_t bytes = 0;

	err = pages_roots(in_dir(scene, "data.mdb", path),
	    dir_is_marked(scene->conf->data_dir));
	if (err == CDOP_OK && !registry_bytes(scene, &bytes))
		return SAY(CHECK_PROBLEM, "%s: %s", path, strerror(errno));
	if (err == CDOP_OK)
		return SAY(CHECK_FINE,
		    "%s, %llu MiB; whether each row opens says cdopd verify",
		    path, (unsigned long long)(bytes / MIB));
	return SAY(CHECK_PROBLEM, "%s: %s", path,
	    err == CDOP_NOT_FOUND       ? "there is none"
		: err == CDOP_DATA_LOSS ? "damaged"
					: cdop_err_name(err));
}

/* One that is none of the daemon's stops it, unlike one that is open. */
static enum check_verdict
files(const struct check_scene *scene, char words[static CHECK_WORDS])
{
	struct files_found found;
	const enum files_verdict verdict =
	    files_data(scene->conf->data_dir, &found);

	if (verdict == FILES_FINE)
		return SAY(CHECK_FINE, "nobody else has any of them");
	return SAY(verdict == FILES_OPEN ? CHECK_WARNING : CHECK_PROBLEM, "%s",
	    found.words);
}

static enum check_verdict
leftovers(const struct check_scene *scene, char words[static CHECK_WORDS])
{
	DIR *dir = opendir(scene->conf->data_dir);
	const struct dirent *entry;
	const char *found = NULL;
	enum check_verdict verdict;

	while (dir != NULL && found == NULL && (entry = readdir(dir)) != NULL)
		if (workplace_is_one(entry->d_name, "restore") ||
		    strcmp(entry->d_name, "commit-failed") == 0 ||
		    (strcmp(entry->d_name, "copy.mdb") == 0 && !scene->runs))
			found = entry->d_name;
	if (dir == NULL)
		return CHECK_NONE;
	verdict = found == NULL
	    ? SAY(CHECK_FINE, "nothing half done lies there")
	    : SAY(CHECK_WARNING, "%s lies in %s", found, scene->conf->data_dir);
	(void)closedir(dir);
	return verdict;
}

/* A copy, and the log's reserve. */
static enum check_verdict
disk(const struct check_scene *scene, char words[static CHECK_WORDS])
{
	uint64_t need, have;
	struct statvfs fs;

	if (!registry_bytes(scene, &need) ||
	    statvfs(scene->conf->data_dir, &fs) != 0)
		return CHECK_NONE;
	need += scene->conf->reserve_mib * MIB + 64 * MIB;
	have = (uint64_t)fs.f_bavail * fs.f_frsize;
	return SAY(have < need ? CHECK_WARNING : CHECK_FINE,
	    "%llu MiB are free, and a rotation of keys takes up to %llu",
	    (unsigned long long)(have / MIB), (unsigned long long)(need / MIB));
}

static enum check_verdict
map(const struct check_scene *scene, char words[static CHECK_WORDS])
{
	const uint64_t size = (uint64_t)scene->conf->map_size_gib << 30;
	uint64_t used;

	if (!registry_bytes(scene, &used))
		return CHECK_NONE;
	return SAY(used > size / 2 ? CHECK_WARNING : CHECK_FINE,
	    "%llu of %llu MiB of map_size_gib are used",
	    (unsigned long long)(used / MIB), (unsigned long long)(size / MIB));
}

static enum check_verdict
key_file(const struct check_scene *scene, char words[static CHECK_WORDS])
{
	const char *path = scene->conf->key_file;
	enum check_verdict verdict;

	if (path[0] == '\0')
		return SAY(CHECK_FINE,
		    "none: a credential opens it, or people do (cdopd unseal)");
	verdict = look_at_key(scene, path, words);
	if (verdict != CHECK_FINE ||
	    look_beside(scene, path, ": who takes that reads it", words) ==
		CHECK_FINE)
		return verdict;
	return CHECK_WARNING;
}

static enum check_verdict
boot_key_file(const struct check_scene *scene, char words[static CHECK_WORDS])
{
	const char *path = scene->conf->boot_key_file;

	return path[0] == '\0' ? CHECK_NONE : look_at_key(scene, path, words);
}

/* Of blocks, or of names where those are counted. */
static bool
is_full(const char *path)
{
	struct statvfs fs;

	return statvfs(path, &fs) == 0 &&
	    (fs.f_bavail == 0 || (fs.f_files != 0 && fs.f_favail == 0));
}

static enum check_verdict
anchor_dir(const struct check_scene *scene, char words[static CHECK_WORDS])
{
	const char *path = scene->conf->anchor_dir;
	enum check_verdict verdict;
	struct files_found found;
	bool inside;

	if (path[0] == '\0')
		return SAY(CHECK_WARNING,
		    "none: an older registry that is put back is noticed by "
		    "clients alone");
	if (inside_dir(path, scene->conf->data_dir, &inside) == CDOP_OK &&
	    inside)
		return SAY(CHECK_PROBLEM,
		    "%s lies in data_dir, and would be put back with it", path);
	verdict = look_at_dir(scene, path, 0077, words);
	if (verdict == CHECK_FINE && files_anchor(path, &found) != FILES_FINE)
		return SAY(CHECK_PROBLEM, "%s: %s", path, found.words);
	if (verdict == CHECK_FINE && is_full(path))
		return SAY(CHECK_PROBLEM,
		    "%s: its disk is full, and no anchor is written", path);
	if (verdict != CHECK_FINE ||
	    look_beside(scene, path, ", and is put back with it", words) ==
		CHECK_FINE)
		return verdict;
	return CHECK_WARNING;
}

static enum check_verdict
run_dir(const struct check_scene *scene, char words[static CHECK_WORDS])
{
	struct stat st;

	if (stat(scene->conf->run_dir, &st) != 0 && errno == ENOENT)
		return SAY(CHECK_FINE, "%s is made at the start",
		    scene->conf->run_dir);
	return look_at_dir(scene, scene->conf->run_dir, 0022, words);
}

static enum check_verdict
listens(const struct check_scene *scene, char words[static CHECK_WORDS])
{
	struct address address;
	enum cdop_err err;
	uint32_t i;
	int fd = -1;

	for (i = 0; i < scene->conf->n_listen && !scene->runs; i++) {
		if (strncmp(scene->conf->listen[i], "tcp ", 4) != 0)
			continue;
		err = address_parse(
		    scene->conf->listen[i], scene->conf->run_dir, &address);
		if (err == CDOP_OK)
			err = address_listen(&address, 0600, &fd);
		if (err == CDOP_ALREADY_EXISTS)
			return SAY(CHECK_PROBLEM, "%s is somebody else's",
			    scene->conf->listen[i]);
		if (err != CDOP_OK)
			return SAY(CHECK_PROBLEM, "%s: %s",
			    scene->conf->listen[i], strerror(errno));
		(void)close(fd);
	}
	return SAY(CHECK_FINE, "%u addresses", scene->conf->n_listen);
}

static enum check_verdict
metrics_file(const struct check_scene *scene, char words[static CHECK_WORDS])
{
	const char *path = scene->conf->metrics_file;
	struct stat st;

	if (path[0] == '\0')
		return CHECK_NONE;
	if (stat(path, &st) != 0)
		return SAY(scene->runs ? CHECK_WARNING : CHECK_FINE, "%s: %s",
		    path, strerror(errno));
	if (scene->runs && time(NULL) - st.st_mtime > 60)
		return SAY(CHECK_WARNING, "%s is %lld s old", path,
		    (long long)(time(NULL) - st.st_mtime));
	return SAY(CHECK_FINE, "%s", path);
}

/* Of this shell; a service manager sets its own. */
static enum check_verdict
locked_memory(const struct check_scene *scene, char words[static CHECK_WORDS])
{
	struct rlimit limit;

	(void)scene;
	if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0)
		return CHECK_NONE;
	if (limit.rlim_cur >= LOCKMEM_MAX)
		return SAY(CHECK_FINE, "enough for its keys");
	return SAY(CHECK_WARNING, "%llu KiB here, and its keys take %u",
	    (unsigned long long)(limit.rlim_cur / 1024), LOCKMEM_MAX / 1024);
}

static enum check_verdict
swap(const struct check_scene *scene, char words[static CHECK_WORDS])
{
	FILE *file = fopen("/proc/swaps", "re");
	char line[256], first[128] = "";

	(void)scene;
	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (line[0] == '/' && strncmp(line, "/dev/zram", 9) != 0)
			(void)sscanf(line, "%127s", first);
	if (file != NULL)
		(void)fclose(file);
	if (first[0] == '\0')
		return SAY(CHECK_FINE, "none on a disk");
	return SAY(CHECK_WARNING,
	    "%s: requests and the index may come to lie there in clear, unless "
	    "it is encrypted",
	    first);
}

static enum check_verdict
host_clock(const struct check_scene *scene, char words[static CHECK_WORDS])
{
	struct timex timex = {.modes = 0};
	int state = adjtimex(&timex);

	(void)scene;
	if (state < 0)
		return CHECK_NONE;
	if (state == TIME_ERROR || (timex.status & STA_UNSYNC) != 0)
		return SAY(CHECK_WARNING, "nothing keeps it right");
	return SAY(CHECK_FINE, "it is kept right");
}

static enum check_verdict
walls(const struct check_scene *scene, char words[static CHECK_WORDS])
{
	(void)scene;
	return sandbox_has_landlock()
	    ? SAY(CHECK_FINE, "seccomp, and Landlock")
	    : SAY(CHECK_WARNING,
		  "the kernel has no Landlock: seccomp stands alone");
}

const struct check check_table[] = {
    {"daemon", daemon_runs, "cdopd run, or systemctl start cdopd"},
    {"user", runs_as, "make the user, and name it in user ="},
    {"data_dir", data_dir, "chown and chmod 0700, or see data_dir ="},
    {"registry", registry,
	"cdopd init makes one; a damaged one is restored "
	"from a backup (cdopd restore)"},
    {"files", files, "chown and chmod 0600"},
    {"leftovers", leftovers, "cdopd run, or cdopd restore, clears them away"},
    {"disk", disk, "make room on the file system of data_dir"},
    {"map", map, "raise map_size_gib and restart"},
    {"key_file", key_file,
	"put its medium in, a medium of its own, or see key_file =; chown and "
	"chmod 0400"},
    {"boot_key_file", boot_key_file,
	"put its medium in, or see boot_key_file =; chown and chmod 0400"},
    {"anchor_dir", anchor_dir,
	"make room there, chown and chmod 0700, or name a directory on another "
	"disk or machine in anchor_dir ="},
    {"run_dir", run_dir, "chown and chmod 0755"},
    {"listen", listens, "see who has it (ss -ltnp), or change listen ="},
    {"metrics_file", metrics_file,
	"its directory has to be one that the daemon may write in"},
    {"locked_memory", locked_memory,
	"LimitMEMLOCK= in the unit, ulimit -l in a shell"},
    {"swap", swap, "swapoff, or an encrypted swap"},
    {"clock", host_clock, "chrony or systemd-timesyncd"},
    {"walls", walls, "a kernel with Landlock in lsm="},
    {NULL, NULL, NULL},
};

const char *
check_next(const struct check *check, const struct check_scene *scene)
{
	struct files_found found = {.next = check->next};

	if (check->look == files)
		(void)files_data(scene->conf->data_dir, &found);
	else if (check->look == data_dir)
		(void)files_read_only(scene->conf->data_dir, &found);
	else if (check->look == anchor_dir)
		(void)files_anchor(scene->conf->anchor_dir, &found);
	return found.next;
}
