/*
 * cdopd init DIR: makes a registry.
 *
 * Two slots of different kinds, each proved by opening the root with what
 * was kept, before anything else is done (RECORDS M20); two invitations;
 * a recovery sheet without a secret in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cdop/limits.h"
#include "cdop/profile.h"
#include "cdop/secret.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/unseal.h"
#include "server/cmd.h"
#include "server/confirm.h"
#include "server/ended.h"
#include "server/init_args.h"
#include "server/registry/people.h"
#include "server/sheet.h"
#include "server/store/dir.h"
#include "server/vault/lockmem.h"
#include "server/vault/rows.h"

#define PASSPHRASE_MIN 12 /* bytes */
#define PATH_ROOM      1024

struct init {
	struct init_args args;
	struct setup_args setup;
	struct offline offline;
	uint8_t *k[2]; /* of the slots, in locked memory */
	bool degraded; /* as it turned out */
	/* What was made by us is taken away when it fails, until founded. */
	bool made_out;
	bool made_dir;
	bool made_key;
	bool made_store; /* or began to: the files in the directory are ours */
	bool is_founded;
	int fd[SETUP_ADMINS_MAX + 1]; /* invitations, then the sheet */
	char path[SETUP_ADMINS_MAX + 1][PATH_ROOM];
};

/* ---- before anything is made ------------------------------------------- */

static bool
confirm(const struct init *init)
{
	printf("If every slot (the key file and the passphrase) is lost, the "
	       "data is lost for ever.\n"
	       "Whoever holds both invitations that are written now holds the "
	       "registry.\n");
	return confirm_understood(init->args.confirm, "nothing was made");
}

/* Files first: a registry whose invitations cannot be written is lost. */
static bool
prepare_outputs(struct init *init)
{
	size_t i, n = init->args.n_admin;
	int len;

	init->made_out = mkdir(init->args.out, 0700) == 0;
	if (!init->made_out && errno != EEXIST) {
		log_tell("%s: %s", init->args.out, strerror(errno));
		return false;
	}
	for (i = 0; i <= n; i++) {
		if (i < n)
			len = snprintf(init->path[i], PATH_ROOM,
			    "%s/invitation-%zu.txt", init->args.out, i + 1);
		else
			len = snprintf(init->path[i], PATH_ROOM,
			    "%s/cdop-recovery.txt", init->args.out);
		if (len < 0 || len >= PATH_ROOM) {
			log_tell("%s: too long", init->args.out);
			return false;
		}
		init->fd[i] = offline_create(init->path[i]);
		if (init->fd[i] < 0)
			return false;
	}
	return true;
}

/* A registry lies in the directory, or it cannot be told. */
static bool
is_taken(const struct init *init)
{
	char path[PATH_ROOM];
	struct stat st;
	int len;

	len = snprintf(path, sizeof(path), "%s/data.mdb", init->args.dir);
	return len < 0 || len >= PATH_ROOM || lstat(path, &st) == 0 ||
	    errno != ENOENT;
}

/* Early, so that nobody is asked for a passphrase for nothing. */
static bool
check_empty(const struct init *init)
{
	struct stat st;

	if (!is_taken(init))
		return true;
	log_tell("%s: %s", init->args.dir,
	    stat(init->args.dir, &st) == 0 && S_ISDIR(st.st_mode)
		? "there is a registry already"
		: "has to be a directory of mode 0700");
	return false;
}

/*
 * What is wrong with it is said before a key file is made, and before anybody
 * is asked for anything.
 */
static bool
look_at_profile(struct init *init)
{
	const struct cdop_bytes text = init->setup.profile;
	struct cdop_profile_error error = {0, ""};
	struct cdop_profile *profile;
	struct cdop_profile_diff diff;
	enum cdop_err err;

	err = cdop_profile_parse((const char *)text.data, text.len,
	    init->offline.arena, &profile, &error);
	/* What a later one would be refused for. */
	if (err == CDOP_OK)
		err = cdop_profile_diff(
		    profile, profile, init->offline.arena, &diff);
	if (err == CDOP_OK && diff.n_refusal > 0) {
		error.text = diff.refusal[0];
		err = CDOP_INVALID_ARGUMENT;
	}
	if (err == CDOP_INVALID_ARGUMENT && error.line > 0)
		log_tell("%s: line %u: %s", init->args.profile, error.line,
		    error.text);
	else if (err != CDOP_OK)
		log_tell("%s: %s", init->args.profile,
		    err == CDOP_INVALID_ARGUMENT ? error.text
						 : offline_words(err));
	return err == CDOP_OK;
}

static bool
prepare_dir(struct init *init)
{
	struct stat st;

	if (mkdir(init->args.dir, 0700) == 0) {
		init->made_dir = true;
		return check_empty(init);
	}
	if (errno != EEXIST || stat(init->args.dir, &st) != 0) {
		log_tell("%s: %s", init->args.dir, strerror(errno));
		return false;
	}
	if (!S_ISDIR(st.st_mode) || (st.st_mode & 077) != 0) {
		log_tell(
		    "%s: has to be a directory of mode 0700", init->args.dir);
		return false;
	}
	return check_empty(init);
}

static bool
make_key_file(struct init *init)
{
	uint8_t key[SLOTS_KEYFILE];
	bool good;
	int fd;

	fd = open(init->args.key_file,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400);
	if (fd < 0 && errno == EEXIST)
		return offline_key_is_there(init->args.key_file);
	if (fd < 0) {
		log_tell("%s: %s", init->args.key_file, strerror(errno));
		return false;
	}
	offline_give_key(fd, init->args.dir);
	cdop_secret_random(key, sizeof(key));
	good = offline_write(
	    fd, init->args.key_file, (struct cdop_bytes){key, sizeof(key)});
	init->made_key = good;
	cdop_secret_wipe(key, sizeof(key));
	if (good)
		printf("key file: made, 32 random bytes in %s\n",
		    init->args.key_file);
	return good;
}

/* A key file beside the data makes the encryption worth little. */
static bool
check_place(struct init *init)
{
	if (offline_is_beside(init->args.key_file, init->args.dir,
		&init->degraded) != CDOP_OK)
		return false;
	init->setup.degraded = init->degraded;
	if (!init->degraded || init->args.degraded)
		return true;
	offline_tell_beside(init->args.key_file, init->args.dir);
	return false;
}

/* ---- the slots --------------------------------------------------------- */

/* Typed once more where a person types: what is kept is what was meant. */
static bool
read_passphrase(
    const struct init *init, bool again, uint8_t *out, size_t *ret_len)
{
	if (offline_read_passphrase(&init->args.passphrase,
		again ? "The same passphrase again: "
		      : "New passphrase of the registry: ",
		out, UNSEAL_PASSPHRASE_MAX, ret_len) != CDOP_OK)
		return false;
	if (*ret_len >= PASSPHRASE_MIN)
		return true;
	log_tell("a passphrase has %d characters at least", PASSPHRASE_MIN);
	cdop_secret_wipe(out, UNSEAL_PASSPHRASE_MAX);
	return false;
}

static bool
derive(const struct init *init, const struct slots_kdf *kdf, bool again,
    uint8_t *k)
{
	uint8_t text[UNSEAL_PASSPHRASE_MAX];
	enum cdop_err err;
	size_t len;

	if (!read_passphrase(init, again, text, &len))
		return false;
	err = slots_derive_passphrase(kdf, (struct cdop_bytes){text, len}, k);
	cdop_secret_wipe(text, sizeof(text));
	if (err != CDOP_OK)
		log_tell("the passphrase's key takes %u MiB of memory: there "
			 "is not as much",
		    kdf->memory_kib / 1024);
	return err == CDOP_OK;
}

/* From stdin it can be read only once. */
static bool
derive_again(struct init *init, const struct slots_info *slot, uint8_t *k)
{
	if (init->args.passphrase.from_stdin) {
		memcpy(k, init->k[1], 32);
		return true;
	}
	return derive(init, &slot->kdf, true, k);
}

/* What lies on the disk, opened with what was kept. */
static bool
prove(struct init *init)
{
	const struct rows *rows = init->offline.rows;
	const struct slots_info *slot;
	uint8_t *k;
	enum cdop_err err = CDOP_OK;
	size_t i;

	k = lockmem_alloc(init->offline.mem, 32);
	for (i = 0; k != NULL && err == CDOP_OK && i < rows_slots(rows); i++) {
		slot = rows_slot(rows, i);
		if (slot->kind == SLOTS_KIND_KEYFILE)
			err = offline_key_file(init->args.key_file, k);
		else if (!derive_again(init, slot, k))
			err = CDOP_ABORTED;
		if (err == CDOP_OK)
			err = rows_prove(init->offline.rows, i, k);
		if (err == CDOP_OK)
			printf(
			    "slot %u %s: opened\n", slot->number, slot->label);
		else
			log_tell("slot %u %s: does not open the root",
			    slot->number, slot->label);
	}
	lockmem_free(init->offline.mem, k, 32);
	return k != NULL && err == CDOP_OK;
}

static bool
make_store(struct init *init)
{
	struct offline *offline = &init->offline;
	struct rows_args args = {
	    .dir = init->args.dir,
	    .ks = offline->ks,
	    .undo = offline->undo,
	};
	struct slots_new slots[2] = {
	    {.kind = SLOTS_KIND_KEYFILE, .label = "key file"},
	    {.kind = SLOTS_KIND_PASSPHRASE, .label = "passphrase"},
	};
	uint8_t id[16];
	enum cdop_err err;

	init->k[0] = lockmem_alloc(offline->mem, 32);
	init->k[1] = lockmem_alloc(offline->mem, 32);
	if (init->k[0] == NULL || init->k[1] == NULL)
		return false;
	if (offline_key_file(init->args.key_file, init->k[0]) != CDOP_OK)
		return false;
	if (slots_kdf_new(init->args.kdf_passes,
		init->args.kdf_memory_mib * 1024, &slots[1].kdf) != CDOP_OK) {
		log_tell("--kdf-passes or --kdf-memory is out of bounds");
		return false;
	}
	if (!derive(init, &slots[1].kdf, false, init->k[1]))
		return false;
	slots[0].k = init->k[0];
	slots[1].k = init->k[1];
	cdop_secret_random(id, sizeof(id));
	err = rows_create(&args, id, slots, 2, &offline->rows);
	/* Somebody may have made one there while a passphrase was typed. */
	init->made_store =
	    err != CDOP_ALREADY_EXISTS && err != CDOP_FAILED_PRECONDITION;
	if (err == CDOP_OK)
		return prove(init);
	if (err == CDOP_ALREADY_EXISTS)
		log_tell("%s: there is a registry already", init->args.dir);
	else
		offline_tell_why(init->args.dir, init->args.dir, err);
	return false;
}

/* ---- contents and outputs ---------------------------------------------- */

static bool
found(struct init *init, struct setup_result *result)
{
	struct offline *offline = &init->offline;
	enum cdop_err err;

	init->setup.now_ms = clock_wall_ms();
	err = registry_new(offline->rows, offline->ks, offline->undo,
	    offline->mem, &offline->reg);
	if (err == CDOP_OK)
		err = setup_found(
		    offline->reg, offline->arena, &init->setup, result);
	if (err == CDOP_OK) {
		init->is_founded = true;
		return true;
	}
	log_tell("%s", result->why != NULL ? result->why : offline_words(err));
	return false;
}

/* With whole paths: it is read in another place and another year. */
static bool
write_sheet(struct init *init, int fd, const char *path)
{
	char *dir = realpath(init->args.dir, NULL);
	char *key_file = realpath(init->args.key_file, NULL);
	const struct sheet sheet = {
	    .reg = init->offline.reg,
	    .rows = init->offline.rows,
	    .dir = dir != NULL ? dir : init->args.dir,
	    .key_file = key_file != NULL ? key_file : init->args.key_file,
	    .now_ms = init->offline.reg->created_ms,
	    .degraded = init->degraded,
	};
	struct cdop_bytes text;
	enum cdop_err err;

	err = sheet_text(&sheet, init->offline.arena, &text);
	free(dir);
	free(key_file);
	if (err == CDOP_OK)
		return offline_write(fd, path, text);
	offline_discard(fd, path);
	return false;
}

static bool
write_outputs(struct init *init, const struct setup_result *result)
{
	size_t i, n = init->args.n_admin;
	bool good = true;
	int fd;

	for (i = 0; i < n; i++) {
		fd = init->fd[i];
		init->fd[i] = -1;
		good = offline_invite(&init->offline, result->invitation[i],
			   init->args.address, init->args.n_address, fd,
			   init->path[i]) &&
		    good;
	}
	fd = init->fd[n];
	init->fd[n] = -1;
	return write_sheet(init, fd, init->path[n]) && good;
}

/* Made by root for a daemon that runs as the directory's owner. */
static bool
give_to_owner(const struct init *init)
{
	static const char *const names[] = {"data.mdb", "lock.mdb"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (dir_give(init->args.dir, -1, names[i]) != CDOP_OK) {
			log_tell("%s/%s cannot be given to the owner of the "
				 "directory",
			    init->args.dir, names[i]);
			return false;
		}
	return true;
}

static void
report(const struct init *init)
{
	size_t i, n = init->args.n_admin;

	printf(
	    "recovery sheet: %s (no secret in it: print it)\n", init->path[n]);
	for (i = 0; i < n; i++)
		printf("invitation for %s: %s (72 hours, one use)\n",
		    init->args.admin[i], init->path[i]);
	printf("Whoever holds both invitations holds the registry: send them "
	       "by two ways, to two persons.\n"
	       "%s, in setup: two administrators enrol and activate each other "
	       "before cases are taken.\n",
	    init->args.mode == REGISTRY_LIVE ? "LIVE" : "TRAINING");
	if (init->degraded)
		printf("DEGRADED: the key file lies on the file system of the "
		       "data.\n");
}

/* ---- the command ------------------------------------------------------- */

/* Nothing half made stays, and nothing that was there before goes. */
static void
take_back(struct init *init)
{
	static const char *const names[] = {
	    "data.mdb", "lock.mdb", "commit-failed"};
	char path[PATH_ROOM];
	size_t i;

	for (i = 0; i <= init->args.n_admin; i++)
		offline_discard(init->fd[i], init->path[i]);
	for (i = 0; init->is_founded && i <= init->args.n_admin; i++)
		(void)unlink(init->path[i]); /* of no use without the others */
	if (init->made_out)
		(void)rmdir(init->args.out); /* which stays, if it has any */
	/* The registry of another init, which may have taken our key file. */
	if (init->is_founded || (!init->made_store && is_taken(init)))
		return;
	for (i = 0; init->made_store && i < sizeof(names) / sizeof(names[0]);
	     i++) {
		(void)snprintf(
		    path, sizeof(path), "%s/%s", init->args.dir, names[i]);
		(void)unlink(path);
	}
	if (init->made_dir)
		(void)rmdir(init->args.dir);
	if (init->made_key)
		(void)unlink(init->args.key_file);
}

static bool
run(struct init *init)
{
	struct setup_result result = {.why = NULL};
	struct cdop_bytes profile;

	if (offline_open(&init->offline) != CDOP_OK)
		return false;
	if (offline_read_file(init->args.profile, CDOP_PROFILE_FILE_MAX,
		init->offline.arena, &profile) != CDOP_OK)
		return false;
	init->setup.profile = profile;
	init->setup.mode = init->args.mode;
	init->setup.n_admin = init->args.n_admin;
	memcpy(init->setup.admin, init->args.admin, sizeof(init->setup.admin));
	if (!look_at_profile(init) || !check_empty(init) || !confirm(init))
		return false;
	ended_begin();
	if (!prepare_outputs(init) || !prepare_dir(init))
		return false;
	if (!make_key_file(init) || !check_place(init))
		return false;
	if (!make_store(init) || ended_was() || !found(init, &result))
		return false;
	return write_outputs(init, &result) && give_to_owner(init);
}

int
cmd_init(int argc, char **argv)
{
	struct init init;
	bool good;
	size_t i;
	int status;

	memset(&init, 0, sizeof(init));
	for (i = 0; i <= SETUP_ADMINS_MAX; i++)
		init.fd[i] = -1;
	status = init_args_parse(&init.args, argc, argv);
	if (status != CMD_OK || init.args.is_help)
		return status;
	good = run(&init);
	if (good)
		report(&init);
	offline_close(&init.offline);
	if (!good)
		take_back(&init);
	if (!good && !init.is_founded)
		ended_tell("there is no registry");
	if (!good && init.is_founded)
		log_tell("the registry is made, but not all its files are: "
			 "remove %s and begin again",
		    init.args.dir);
	return good ? CMD_OK : CMD_FAILED;
}
