/*
 * cdopd recover-people DIR: offline, with an opened slot, on two typed
 * names, invites new administrators (RECORDS M9).  One person with a slot
 * can do it alone, so it is treated as a restore: a new incarnation, a leaf,
 * and a notice that every client shows.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/cmd.h"
#include "server/ended.h"
#include "server/offline_key.h"
#include "server/registry/people.h"
#include "server/registry/registry.h"
#include "server/registry/setup.h"
#include "server/slot_make.h"
#include "server/store/dir.h"

#define PATH_ROOM 1024

struct recover {
	struct offline_from from;
	const char *out;
	bool made_out;
	const char *address[OFFLINE_ADDRESSES];
	size_t n_address;
	size_t n_by;
	struct setup_args setup;
	struct offline offline;
	int fd[SETUP_ADMINS_MAX];
	char path[SETUP_ADMINS_MAX][PATH_ROOM];
	bool is_done;
	bool is_unknown; /* nobody knows what the disk has */
};

static const char usage_text[] =
    "usage: cdopd recover-people DIR --by NAME --by NAME --reason TEXT "
    "--admin NAME [--admin NAME] --address ADDRESS " OFFLINE_KEY_USAGE
    " [--out DIR]";

static int
usage(const char *why)
{
	log_tell("recover-people: %s", why);
	log_usage(usage_text);
	return CMD_USAGE;
}

static bool
take_value(struct recover *recover, const char *name, const char *value)
{
	struct setup_args *setup = &recover->setup;

	if (strcmp(name, "--out") == 0)
		recover->out = value;
	else if (strcmp(name, "--reason") == 0)
		setup->reason = value;
	else if (strcmp(name, "--by") == 0 && recover->n_by < 2)
		setup->by[recover->n_by++] = value;
	else if (strcmp(name, "--admin") == 0 &&
	    setup->n_admin < SETUP_ADMINS_MAX)
		setup->admin[setup->n_admin++] = value;
	else if (strcmp(name, "--address") == 0 &&
	    recover->n_address < OFFLINE_ADDRESSES)
		recover->address[recover->n_address++] = value;
	else
		return false;
	return true;
}

static int
parse(struct recover *recover, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (argv[i][0] != '-' && recover->from.dir == NULL)
			recover->from.dir = argv[i];
		else if (offline_key_take(&recover->from, argc, argv, &i))
			continue;
		else if (i + 1 < argc &&
		    take_value(recover, argv[i], argv[i + 1]))
			i++;
		else
			return cmd_wrong(
			    "recover-people", usage_text, argc, argv, i);
	}
	if (recover->from.dir == NULL)
		return usage("DIR is needed");
	if (recover->n_by < 2 || recover->setup.reason == NULL)
		return usage("two persons do this: --by NAME --by NAME "
			     "--reason TEXT");
	if (recover->setup.n_admin == 0 || recover->n_address == 0)
		return usage("--admin: whom to invite; --address: where the "
			     "clients reach it");
	return offline_addresses(recover->address, recover->n_address)
	    ? CMD_OK
	    : CMD_USAGE;
}

/* ---- doing it ---------------------------------------------------------- */

static bool
prepare_outputs(struct recover *recover)
{
	size_t i;
	int len;

	if (!slot_make_out(recover->out, recover->from.dir, &recover->made_out))
		return false;
	for (i = 0; i < recover->setup.n_admin; i++) {
		len = snprintf(recover->path[i], PATH_ROOM,
		    "%s/recovery-invitation-%zu.txt", recover->out, i + 1);
		if (len < 0 || len >= PATH_ROOM) {
			log_tell("%s: too long", recover->out);
			return false;
		}
		recover->fd[i] = offline_create(recover->path[i]);
		if (recover->fd[i] < 0)
			return false;
	}
	return true;
}

static bool
run(struct recover *recover)
{
	struct setup_result result;
	enum cdop_err err;
	size_t i;
	bool good = true;
	int fd;

	if (offline_open(&recover->offline) != CDOP_OK)
		return false;
	recover->setup.now_ms = clock_wall_ms();
	if (!offline_load(
		&recover->offline, &recover->from, recover->setup.now_ms))
		return false;
	ended_begin();
	if (!prepare_outputs(recover) || ended_was())
		return false;
	err = setup_recover(recover->offline.reg, recover->offline.arena,
	    &recover->setup, &result);
	if (err != CDOP_OK) {
		log_tell(
		    "%s", result.why != NULL ? result.why : offline_words(err));
		recover->is_unknown =
		    err == CDOP_DATA_LOSS && dir_is_marked(recover->from.dir);
		return false;
	}
	recover->is_done = true;
	for (i = 0; i < recover->setup.n_admin; i++) {
		fd = recover->fd[i];
		recover->fd[i] = -1;
		if (offline_invite(&recover->offline, result.invitation[i],
			recover->address, recover->n_address, fd,
			recover->path[i]))
			continue;
		log_tell("no invitation was written for %s",
		    recover->setup.admin[i]);
		good = false;
	}
	return good;
}

static void
report(const struct recover *recover)
{
	size_t i;

	for (i = 0; i < recover->setup.n_admin; i++)
		printf("invitation for %s: %s (72 hours, one use)\n",
		    recover->setup.admin[i], recover->path[i]);
	printf("The registry is in setup: it takes cases again when two "
	       "administrators are active.\n"
	       "Every client stops once, shows by whom this was done and why, "
	       "and goes on when its owner says so (cdop trust restore).\n");
}

int
cmd_recover(int argc, char **argv)
{
	struct recover recover;
	bool good;
	size_t i;
	int status;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		puts(usage_text);
		return CMD_OK;
	}
	memset(&recover, 0, sizeof(recover));
	recover.out = ".";
	for (i = 0; i < SETUP_ADMINS_MAX; i++)
		recover.fd[i] = -1;
	if ((status = parse(&recover, argc, argv)) != CMD_OK)
		return status;
	good = run(&recover);
	if (good)
		report(&recover);
	offline_close(&recover.offline);
	for (i = 0; i < SETUP_ADMINS_MAX; i++)
		offline_discard(recover.fd[i], recover.path[i]);
	if (!good && recover.made_out)
		(void)rmdir(recover.out); /* which stays, if it has any */
	if (recover.is_unknown)
		log_tell("whether it was done is not known: do it again");
	else if (!good && !recover.is_done)
		ended_tell("the registry is as it was");
	if (!good && recover.is_done)
		log_tell("done, but not every invitation was written: do it "
			 "again for that one, with another --out");
	return good ? CMD_OK : CMD_FAILED;
}
