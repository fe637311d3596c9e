/*
 * cdopd accept-rollback DIR: offline, with an opened slot, marks a database
 * that is older than its anchor (or was put back by hand) as one to go on
 * from.  It is then in state restored, and two administrators have to accept
 * it over the link before it serves again (RECORDS M10).
 */
#include <stdio.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/cmd.h"
#include "server/confirm.h"
#include "server/offline_key.h"
#include "server/registry/restored.h"
#include "server/restore_people.h"
#include "server/vault/rows.h"

struct accept {
	struct offline_from from;
	const char *anchor; /* file with the newest checkpoint known, or NULL */
	const char *confirm; /* NULL: is to be typed, where it is asked for */
	struct restored_mark_args mark;
	struct restored_suspend suspend;
	struct offline offline;
};

static const char usage_text[] =
    "usage: cdopd accept-rollback DIR --by NAME --reason TEXT [--anchor "
    "FILE]\n       [--confirm \"" CONFIRM_UNDERSTAND "\"] " RESTORE_PEOPLE_USAGE
    " " OFFLINE_KEY_USAGE;

static int
usage(const char *why)
{
	log_tell("accept-rollback: %s", why);
	log_usage(usage_text);
	return CMD_USAGE;
}

static bool
take_value(struct accept *accept, const char *name, const char *value)
{
	if (strcmp(name, "--anchor") == 0)
		accept->anchor = value;
	else if (strcmp(name, "--confirm") == 0)
		accept->confirm = value;
	else if (strcmp(name, "--by") == 0)
		accept->mark.by = value;
	else if (strcmp(name, "--reason") == 0)
		accept->mark.reason = value;
	else
		return restore_people_take(&accept->suspend, name, value);
	return true;
}

static int
parse(struct accept *accept, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (argv[i][0] != '-' && accept->from.dir == NULL)
			accept->from.dir = argv[i];
		else if (offline_key_take(&accept->from, argc, argv, &i))
			continue;
		else if (i + 1 < argc &&
		    take_value(accept, argv[i], argv[i + 1]))
			i++;
		else
			return cmd_wrong(
			    "accept-rollback", usage_text, argc, argv, i);
	}
	if (accept->from.dir == NULL)
		return usage("DIR is needed");
	if (accept->mark.by == NULL || accept->mark.reason == NULL)
		return usage("--by NAME: who does it; --reason TEXT: why");
	return CMD_OK;
}

/* Where nothing says that it is older, a slip would stop everybody. */
static bool
confirm(const struct accept *accept, bool is_older)
{
	if (is_older)
		return true;
	printf("Nothing here says that this registry is older than it was; "
	       "--anchor FILE names what does.\n"
	       "Marked, it serves nothing until two administrators have "
	       "accepted it, and every client stops once.\n");
	return confirm_understood(accept->confirm, "nothing was marked");
}

static bool
run(struct accept *accept)
{
	struct offline *offline = &accept->offline;
	const char *why;
	enum cdop_err err;
	bool is_older;

	if (offline_open(offline) != CDOP_OK)
		return false;
	if (accept->anchor != NULL &&
	    offline_read_file(accept->anchor, CDOP_NOTE_MAX, offline->arena,
		&accept->mark.lost) != CDOP_OK)
		return false;
	accept->mark.now_ms = clock_wall_ms();
	accept->mark.suspend = &accept->suspend;
	if (!offline_load(offline, &accept->from, accept->mark.now_ms))
		return false;
	err = restored_is_older(
	    offline->reg, offline->arena, &accept->mark, &is_older, &why);
	if (err == CDOP_OK && !confirm(accept, is_older))
		return false;
	if (err == CDOP_OK)
		err = restored_mark(
		    offline->reg, offline->arena, &accept->mark, &why);
	if (err != CDOP_OK)
		log_tell("%s", why != NULL ? why : offline_words(err));
	if (err == CDOP_NOT_FOUND)
		restore_people_list(
		    offline->reg, offline->arena, accept->mark.now_ms);
	if (err == CDOP_OK)
		restore_people_report(
		    offline->reg, offline->arena, accept->mark.now_ms);
	return err == CDOP_OK;
}

static void
report(const struct accept *accept)
{
	printf("The registry is in state restored, incarnation %u: it serves "
	       "nothing but its acceptance.\n"
	       "Start it. One administrator says cdop restore accept "
	       "--reason TEXT, another one cdop approve.\n"
	       "What waited for a second person is dropped, and invitations "
	       "are taken back: whoever still wants it asks again.\n"
	       "Every client then stops once, shows what was lost and why, and "
	       "goes on when its owner says so (cdop trust restore).\n",
	    rows_incarnation(accept->offline.rows));
}

int
cmd_accept(int argc, char **argv)
{
	struct accept accept;
	int status;
	bool good;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		puts(usage_text);
		return CMD_OK;
	}
	memset(&accept, 0, sizeof(accept));
	if ((status = parse(&accept, argc, argv)) != CMD_OK)
		return status;
	good = run(&accept);
	if (good)
		report(&accept);
	offline_close(&accept.offline);
	return good ? CMD_OK : CMD_FAILED;
}
