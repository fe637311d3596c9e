/* What lies in the folder, as text without anything random. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/cmd.h"
#include "server/offline.h"
#include "server/offline_key.h"
#include "server/registry/people.h"
#include "server/registry/registry.h"
#include "server/registry/tree.h"
#include "server/vault/rows_slots.h"
#include "tests/fault/say.h"
#include "tests/fault/shim.h"
#include "tests/fault/verbs.h"

#define NAMES_MAX 64

__attribute__((format(printf, 2, 3))) static void
add(char *text, const char *format, ...)
{
	size_t len = strlen(text);
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text + len, VERBS_TEXT - len, format, args);
	va_end(args);
	require(n >= 0 && (size_t)n < VERBS_TEXT - len, "room for facts");
}

/* ---- who opens it -------------------------------------------------------- */

static const char *const openers[] = {
    "key", "key2", "pass", "shares", "shares2"};

#define OPENERS (sizeof(openers) / sizeof(openers[0]))

static bool
is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

static void
opener(size_t which, const char *dir, struct offline_from *ret_from)
{
	char name[32];
	size_t i;

	memset(ret_from, 0, sizeof(*ret_from));
	ret_from->dir = dir;
	if (which < 2)
		ret_from->key_file = verbs_path(openers[which]);
	if (which == 2)
		ret_from->passphrase.file = verbs_path("pass");
	for (i = 0; which > 2 && i < 2; i++) {
		(void)snprintf(
		    name, sizeof(name), "%s/share-%zu.txt", openers[which], i);
		name[strlen(name) - 5] = (char)('1' + i);
		ret_from->share_file[ret_from->n_share_file++] =
		    verbs_path(name);
	}
}

static bool
may_be_tried(size_t which)
{
	char name[32];

	(void)snprintf(name, sizeof(name), which > 2 ? "%s/share-1.txt" : "%s",
	    openers[which]);
	return is_there(verbs_path(name));
}

/* ---- what it is ---------------------------------------------------------- */

static void
say_registry(const struct verb *verb, const struct offline *offline, char *core)
{
	const struct registry *reg = offline->reg;
	const struct slots_info *slot;
	size_t i;

	for (i = 0; i < rows_slots(offline->rows); i++) {
		slot = rows_slot(offline->rows, i);
		add(core, " slot %u %s", slot->number, slot->label);
	}
	add(core, "; state %d, incarnation %u, %u people, %u invitations",
	    (int)registry_state(reg), (unsigned)rows_incarnation(offline->rows),
	    (unsigned)people_last_person(reg->people),
	    (unsigned)people_n_invitations(reg->people));
	if (!verb->in_steps)
		add(core, ", %llu leaves",
		    (unsigned long long)tree_size(reg->tree));
}

static bool
opens(const struct verb *verb, const struct offline_from *from, char *core)
{
	struct offline offline;
	bool good;

	good = offline_open(&offline) == CDOP_OK &&
	    offline_load(&offline, from, shim_wall_ms());
	if (good && core != NULL)
		say_registry(verb, &offline, core);
	offline_close(&offline);
	return good;
}

static bool
is_fine(const struct offline_from *from)
{
	const char *words[] = {"verify", from->dir, "--key-file",
	    from->key_file, "--share-file", NULL};
	char *argv[6];
	int i, n = 4;

	if (from->key_file == NULL) {
		words[2] = "--share-file";
		words[3] = from->share_file[0];
		words[5] = from->share_file[1];
		n = 6;
	}
	for (i = 0; i < n; i++)
		argv[i] = (char *)(uintptr_t)words[i];
	return cmd_verify(n, argv) == CMD_OK;
}

static void
say_dir(const struct verb *verb, const char *name, char *core)
{
	struct offline_from from;
	char dir[VERBS_PATH], path[VERBS_PATH + 16];
	bool opened = false;
	size_t i;

	(void)snprintf(dir, sizeof(dir), "%s", verbs_path(name));
	(void)snprintf(path, sizeof(path), "%s/data.mdb", dir);
	add(core, "%s:", name);
	for (i = 0; is_there(path) && i < OPENERS; i++) {
		opener(i, dir, &from);
		if (!may_be_tried(i) ||
		    !opens(verb, &from, opened ? NULL : core))
			continue;
		add(core, "; %s opens it", openers[i]);
		if (!opened)
			add(core, is_fine(&from) ? ", fine" : ", NOT FINE");
		opened = true;
	}
	add(core, "%s\n",
	    opened               ? ""
		: is_there(path) ? " nothing that opens"
				 : " none");
}

/* ---- what lies there ----------------------------------------------------- */

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/*
 * LMDB's own, what the vault makes as it likes, and the mark of a commit whose
 * outcome nobody knows, which the next one takes away.
 */
static bool
is_nothing(const char *name)
{
	static const char *const names[] = {".", "..", "lock.mdb", "reserve",
	    "data.mdb", "anchor", "commit-failed"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static void
say_folder(const char *name, char *files)
{
	static char names[NAMES_MAX][64];
	char path[VERBS_PATH + 64];
	const struct dirent *entry;
	struct stat st;
	size_t i, n = 0;
	DIR *dir;

	dir = opendir(verbs_path(name));
	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		require(n < NAMES_MAX, "room for names");
		if (!is_nothing(entry->d_name))
			(void)snprintf(names[n++], sizeof(names[0]), "%.63s",
			    entry->d_name);
	}
	(void)closedir(dir);
	qsort(names, n, sizeof(names[0]), compare);
	for (i = 0; i < n; i++) {
		(void)snprintf(
		    path, sizeof(path), "%s/%s", verbs_path(name), names[i]);
		require(lstat(path, &st) == 0, "a file");
		add(files, "%s/%s", name, names[i]);
		if (S_ISREG(st.st_mode))
			add(files, " %lld", (long long)st.st_size);
		add(files, "\n");
	}
}

void
verbs_state(const struct verb *verb, struct verbs_state *ret_state)
{
	static const char *const folders[] = {
	    ".", "data", "restored", "out", "shares", "shares2"};
	size_t i;

	memset(ret_state, 0, sizeof(*ret_state));
	say_dir(verb, "data", ret_state->core);
	say_dir(verb, "restored", ret_state->core);
	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		say_folder(folders[i], ret_state->files);
}
