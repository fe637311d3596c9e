/*
 * cdopd renew-root DIR: another root, because somebody had the one there is
 * (adr/0025).  Offline, with the holders of slots there, when two persons have
 * said so over the link; none of the old slots opens what it ends with.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cdop/limits.h"
#include "cdop/role.h"
#include "cdop/secret.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/cmd.h"
#include "server/ended.h"
#include "server/registry/custody_act.h"
#include "server/registry/registry.h"
#include "server/registry/reseal.h"
#include "server/registry/rotation_renew.h"
#include "server/sheet.h"
#include "server/slot_make.h"
#include "server/store/dir.h"
#include "server/vault/copy.h"
#include "server/vault/rows_slots.h"

#define KINDS_MIN 2 /* as at init: what is lost with one is not all */

/* A slice of the copy, between two looks at nothing. */
#define SLICE ((size_t)1 << 22)

struct renew {
	struct offline_from from;
	const char *by;
	const char *reason;
	bool without_shares; /* it is meant */
	struct slot_make_args new;
	struct offline offline;
	struct slot_make make[SLOT_MAKE_KINDS];
	struct copy_slot slot[SLOT_MAKE_KINDS];
	uint16_t number[SLOT_MAKE_KINDS];
	size_t n;
	bool made_out; /* the directory of sheets, by us */
	int fd;        /* of the sheet */
	char path[SLOT_MAKE_PATH];
	bool stands; /* the new file is the registry */
};

static const char usage_text[] =
    "usage: cdopd renew-root DIR --by NAME [--reason TEXT] --out DIR\n"
    "           two kinds at least of new slots:\n"
    "            " SLOT_MAKE_USAGE "\n"
    "           where there are shares, others, or [--without-shares]\n"
    "           and what opens it now:\n"
    "            " OFFLINE_KEY_USAGE "\n"
    "No slot that there is now opens the registry afterwards.";

static int
usage(const char *why)
{
	log_tell("renew-root: %s", why);
	log_usage(usage_text);
	return CMD_USAGE;
}

static bool
take_value(struct renew *renew, const char *name, const char *value)
{
	if (strcmp(name, "--by") == 0)
		renew->by = value;
	else if (strcmp(name, "--reason") == 0)
		renew->reason = value;
	else
		return slot_make_take(&renew->new, name, value);
	return true;
}

static int
parse(struct renew *renew, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (argv[i][0] != '-' && renew->from.dir == NULL)
			renew->from.dir = argv[i];
		else if (strcmp(argv[i], "--new-passphrase") == 0)
			renew->new.is_passphrase = true;
		else if (strcmp(argv[i], "--degraded") == 0)
			renew->new.degraded = true;
		else if (strcmp(argv[i], "--without-shares") == 0)
			renew->without_shares = true;
		else if (offline_key_take(&renew->from, argc, argv, &i))
			continue;
		else if (i + 1 < argc &&
		    take_value(renew, argv[i], argv[i + 1]))
			i++;
		else
			return cmd_wrong(
			    "renew-root", usage_text, argc, argv, i);
	}
	if (renew->from.dir == NULL || renew->by == NULL)
		return usage("DIR and --by NAME are needed");
	if (renew->new.out == NULL)
		return usage("--out DIR: where the sheets are written");
	if (!cmd_is_line("--by", renew->by, CDOP_TEXT_MAX) ||
	    !cmd_is_line("--reason", renew->reason, CDOP_REASON_MAX))
		return CMD_USAGE;
	renew->new.dir = renew->from.dir;
	return slot_make_check(&renew->new) ? CMD_OK : CMD_USAGE;
}

/* ---- before anything is made -------------------------------------------- */

/* Two persons have asked for it; in setup there are none to ask. */
static bool
is_asked_for(const struct registry *reg, uint64_t now_ms)
{
	const struct rotation_job *job = rotation_running(reg->rotation);

	if (rotation_renew_stands(reg->rotation)) {
		log_tell("it is done: start cdopd, which writes it down; cdopd "
			 "slot sheet makes a recovery sheet, if that one was "
			 "not written");
		return false;
	}
	if (rotation_waits(reg->rotation) && job->until_ms > now_ms)
		return true;
	if (job == NULL && reg->state == CDOP_STATE_SETUP)
		return true;
	log_tell("two persons ask for it: start cdopd; an administrator says "
		 "cdop key rotate --root --compromised, and another one, or a "
		 "custodian, cdop approve; then there are 72 hours for this");
	return false;
}

/* Nobody takes them from the custodians without a word. */
static bool
keeps_shares(const struct renew *renew)
{
	if (renew->new.is_shares || renew->without_shares ||
	    !rows_has_shares(renew->offline.rows))
		return true;
	log_tell("custodians have shares now, and would have none: they could "
		 "not open it, and no backup could be taken.  Make others "
		 "with --new-shares K/N, or say --without-shares");
	return false;
}

/* The sheet's file first: what opens the new root has to be known. */
static bool
prepare_sheet(struct renew *renew)
{
	int len;

	if (!slot_make_out(renew->new.out, renew->new.dir, &renew->made_out))
		return false;
	len = snprintf(renew->path, sizeof(renew->path), "%s/cdop-recovery.txt",
	    renew->new.out);
	if (len < 0 || (size_t)len >= sizeof(renew->path)) {
		log_tell("%s: too long", renew->new.out);
		return false;
	}
	renew->fd = offline_create(renew->path);
	if (renew->fd == -1 && errno == EEXIST)
		log_tell("left by one that did not end: destroy the sheets in "
			 "%s, which open nothing, and the new key file, and "
			 "say it again",
		    renew->new.out);
	return renew->fd != -1;
}

/* One secret in two slots is lost with the one and the other. */
static bool
is_its_own(const struct renew *renew)
{
	const struct slot_make *last = &renew->make[renew->n - 1];
	size_t i;

	for (i = 0; i + 1 < renew->n; i++)
		if (slots_kind_is_file((uint8_t)last->slot.kind) &&
		    slots_kind_is_file((uint8_t)renew->make[i].slot.kind) &&
		    cdop_secret_equal(renew->make[i].k, last->k, 32)) {
			log_tell("the key file and the credential are one "
				 "secret: take another one");
			return false;
		}
	return true;
}

static bool
prepare_slots(struct renew *renew)
{
	enum slots_kind kind[SLOT_MAKE_KINDS];
	struct slot_make *make;
	size_t i, n = slot_make_kinds(&renew->new, kind);

	renew->new.is_registry_degraded = renew->offline.reg->degraded;
	for (i = 0; i < n; i++) {
		make = &renew->make[renew->n++];
		if (!slot_make_begin(make, &renew->new, kind[i],
			renew->offline.mem, renew->offline.rows) ||
		    !is_its_own(renew))
			return false;
		renew->slot[i] = (struct copy_slot){
		    .slot = make->slot,
		    .set = &renew->new.plan,
		    .shares = make->share,
		};
	}
	return true;
}

/* ---- the copy ----------------------------------------------------------- */

/* With what was kept: file, typed twice, or sheets. */
static bool
prove(struct renew *renew, struct copy *copy)
{
	struct slot_make *make;
	struct slots_set set;
	size_t i;

	for (i = 0; i < renew->n; i++) {
		make = &renew->make[i];
		renew->number[i] = copy_slot_number(copy, i);
		if (make->slot.kind == SLOTS_KIND_SHARES &&
		    (!copy_slot_set(copy, i, &set) ||
			!slot_make_sheets(make, renew->offline.reg, &set)))
			return false;
		if (copy_slot_opens(copy, i, make->k))
			continue;
		log_tell("%s: does not open the new root",
		    slots_kind_name((uint8_t)make->slot.kind));
		return false;
	}
	return true;
}

/* Made by root for a daemon that runs as the directory's owner. */
static bool
give_to_owner(const struct renew *renew)
{
	if (dir_give(renew->from.dir, -1, "copy.mdb") == CDOP_OK)
		return true;
	log_tell("%s/copy.mdb cannot be given to the owner of the directory: "
		 "somebody has put another file there, or it is a link",
	    renew->from.dir);
	return false;
}

/* Whoever reads it makes room, and begins again. */
static void
tell_kept(struct renew *renew, struct copy *copy)
{
	uint64_t used, size;

	rows_usage(renew->offline.rows, &used, &size);
	if (copy_error(copy) == CDOP_RESOURCE_EXHAUSTED)
		log_tell("the registry is as it was: there is not enough room "
			 "in %s, which takes %llu MiB more for the new file, "
			 "or not enough memory",
		    renew->from.dir, (unsigned long long)(used >> 20) + 1);
	else
		log_tell("the registry is as it was: %s %s",
		    offline_words(copy_error(copy)), copy_finding(copy));
}

static bool
fill(struct copy *copy)
{
	const struct walk_budget budget = {.rows = SIZE_MAX, .bytes = SLICE};
	enum copy_state state = COPY_MORE;

	while (state == COPY_MORE)
		if (ended_was() || copy_step(copy, &budget, &state) != CDOP_OK)
			return false;
	return !ended_was();
}

static bool
copy_it(struct renew *renew, struct copy *copy)
{
	enum copy_end end = COPY_KEPT;

	if (!prove(renew, copy) || !give_to_owner(renew))
		return false;
	if (fill(copy))
		end = copy_finish(copy);
	if (end == COPY_KEPT) {
		if (!ended_was())
			tell_kept(renew, copy);
		return false;
	}
	renew->stands = true;
	if (end == COPY_LOST)
		log_tell("the new file may stand, and could not be opened: "
			 "cdopd verify says with which slots");
	return end == COPY_SWITCHED;
}

/* For the log: the two who asked for it read there what came of it. */
static const char *
slots_words(const struct renew *renew)
{
	const struct slots_set_new *plan = &renew->new.plan;
	const char *all = "";
	size_t i;

	for (i = 0; i < renew->n && all != NULL; i++)
		all = cdop_arena_printf(renew->offline.arena, "%s%s%s", all,
		    i == 0 ? "" : ", ",
		    slots_kind_name((uint8_t)renew->make[i].slot.kind));
	if (all == NULL || !renew->new.is_shares)
		return all;
	return cdop_arena_printf(
	    renew->offline.arena, "%s %u/%u", all, plan->k, plan->n);
}

static enum cdop_err
begin(struct renew *renew)
{
	const struct rotation_renew_new new = {
	    .by = renew->by,
	    .reason = renew->reason,
	    .slots = slots_words(renew),
	};

	if (new.slots == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	return rotation_renew_begin(
	    renew->offline.reg, renew->offline.arena, &new, clock_wall_ms());
}

static bool
renew_it(struct renew *renew)
{
	struct offline *offline = &renew->offline;
	struct copy_plan plan = {
	    .all_areas = true, .slots = renew->slot, .n_slots = renew->n};
	struct copy *copy = NULL;
	enum cdop_err err;
	bool good;

	if ((err = begin(renew)) == CDOP_OK) {
		reseal_prepare(offline->reg, &plan);
		err = copy_begin(offline->rows, &plan, &copy);
	}
	if (err != CDOP_OK) {
		log_tell("the registry is as it was: %s",
		    err == CDOP_INVALID_ARGUMENT
			? "a label or a holder is too long, or no text"
			: offline_words(err));
		return false;
	}
	good = copy_it(renew, copy);
	copy_free(copy);
	return good;
}

/* ---- afterwards --------------------------------------------------------- */

/* The registry of the new file, opened with one of its slots. */
static bool
open_again(struct renew *renew)
{
	struct offline *offline = &renew->offline;
	size_t i;

	offline_shut(offline);
	if (!offline_load_with(offline, &renew->from, renew->number[0],
		renew->make[0].k, clock_wall_ms()))
		return false;
	for (i = 0; i < renew->n; i++) {
		size_t slot;

		if (rows_slots_find(offline->rows, renew->number[i], &slot) &&
		    rows_prove(offline->rows, slot, renew->make[i].k) ==
			CDOP_OK)
			continue;
		log_tell("slot %u does not open it", renew->number[i]);
		return false;
	}
	return true;
}

static bool
is_beside(const struct renew *renew)
{
	bool beside = false;
	size_t i;

	for (i = 0; i < renew->n; i++)
		beside = beside || renew->make[i].degraded;
	return beside;
}

static bool
note(struct renew *renew)
{
	struct custody_proof proofs[SLOT_MAKE_KINDS];
	struct offline *offline = &renew->offline;
	enum cdop_err err;
	size_t i;

	for (i = 0; i < renew->n; i++)
		proofs[i] = (struct custody_proof){
		    .slot = renew->number[i],
		    .how = CDOP__PROOF__ADDED,
		    .at_ms = clock_wall_ms(),
		};
	err = custody_act_tested(
	    offline->reg, offline->arena, proofs, renew->n, is_beside(renew));
	if (err != CDOP_OK)
		log_tell("%s", offline_words(err));
	return err == CDOP_OK;
}

static void
report(const struct renew *renew)
{
	const struct slot_make *make;
	size_t i, k;

	for (i = 0; i < renew->n; i++) {
		make = &renew->make[i];
		printf(
		    "slot %u %s: opened\n", renew->number[i], make->slot.label);
		if (make->slot.kind != SLOTS_KIND_SHARES)
			continue;
		for (k = 0; k < renew->new.plan.n; k++)
			printf("share %zu: %s\n", k + 1, make->path[k]);
	}
	printf("recovery sheet: %s (no secret in it: print it)\n"
	       "No older slot, share, root or key opens this registry.\n"
	       "What is left to do:\n"
	       "  key_file in cdopd.conf is the new one; start cdopd, which "
	       "writes it down and certifies it (cdop key status)\n"
	       "  print each sheet, give it to its holder, delete the files\n"
	       "  whoever had the root had the server's link key, the log's "
	       "key and the PSKs of devices:\n"
	       "    cdop key rotate --link, then --link --finish; cdop key "
	       "rotate --log; each device turns its PSK in its next session\n"
	       "%s"
	       "    invitations that are open have their PSKs from before: "
	       "invite anew\n"
	       "%s  take a backup and prove it; those from before open with "
	       "the old slots: keep them as what they are, or destroy them\n",
	    renew->path,
	    renew->offline.reg->link_secret_next == NULL
		? ""
		: "    there was a next link key, which they had as well: turn "
		  "to "
		  "it (--link --finish), then make another and turn again\n",
	    renew->new.is_shares
		? ""
		: "  there are no shares, and no backup can be taken without: "
		  "cdopd slot add --new-shares K/N\n");
}

static bool
finish(struct renew *renew)
{
	int fd = renew->fd;

	if (!open_again(renew) || !note(renew))
		return false;
	renew->fd = -1;
	return sheet_put(&renew->offline, renew->from.dir, renew->new.key_file,
	    fd, renew->path);
}

/*
 * What was given opens nothing: perhaps one that was killed has done it
 * already, and the key file that it has made opens the new root.
 */
static void
look_whether_done(struct renew *renew, uint64_t now_ms)
{
	struct offline_from from = {
	    .dir = renew->from.dir, .key_file = renew->new.key_file};

	if (from.key_file == NULL)
		from.key_file = renew->new.credential;
	if (from.key_file == NULL || access(from.key_file, R_OK) != 0)
		return;
	log_tell("%s is there already, and is tried", from.key_file);
	offline_shut(&renew->offline);
	if (offline_load(&renew->offline, &from, now_ms))
		(void)is_asked_for(renew->offline.reg, now_ms);
}

static bool
run(struct renew *renew)
{
	struct offline *offline = &renew->offline;
	uint64_t now_ms = clock_wall_ms();

	if (!offline_load(offline, &renew->from, now_ms)) {
		look_whether_done(renew, now_ms);
		return false;
	}
	if (!is_asked_for(offline->reg, now_ms) || !keeps_shares(renew))
		return false;
	ended_begin();
	if (!prepare_sheet(renew) || !prepare_slots(renew) || ended_was() ||
	    !renew_it(renew)) {
		if (!renew->stands)
			ended_tell("the registry is as it was");
		return false;
	}
	if (finish(renew)) {
		report(renew);
		return true;
	}
	log_tell("the new root stands, and the new slots open it");
	return false;
}

int
cmd_renew(int argc, char **argv)
{
	static struct renew renew;
	enum slots_kind kind[SLOT_MAKE_KINDS];
	int status;
	bool good;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		puts(usage_text);
		return CMD_OK;
	}
	slot_make_args_init(&renew.new);
	renew.fd = -1;
	if ((status = parse(&renew, argc, argv)) != CMD_OK)
		return status;
	if (slot_make_kinds(&renew.new, kind) < KINDS_MIN)
		return usage("two kinds of slots at least");
	good = offline_open(&renew.offline) == CDOP_OK && run(&renew);
	while (renew.n > 0)
		slot_make_end(&renew.make[--renew.n], renew.stands);
	offline_discard(renew.fd, renew.path);
	if (renew.made_out && !renew.stands)
		(void)rmdir(renew.new.out); /* which stays, if it has any */
	offline_close(&renew.offline);
	return good ? CMD_OK : CMD_FAILED;
}
