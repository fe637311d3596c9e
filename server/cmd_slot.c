/*
 * cdopd slot list|add|test|remove|sheet DIR: what opens a registry, offline
 * (adr/0021).  What needs it open takes one of the slots there are.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cdop/date.h"
#include "cdop/limits.h"
#include "cdop/role.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/cmd.h"
#include "server/ended.h"
#include "server/registry/custody_act.h"
#include "server/sheet.h"
#include "server/slot_add.h"
#include "server/vault/keystore.h"
#include "server/vault/rows_slots.h"

#define USAGE_LIST "cdopd slot list DIR " OFFLINE_KEY_USAGE
#define USAGE_ADD                                                              \
	"cdopd slot add DIR --by NAME [--reason TEXT] [--label TEXT]\n"        \
	"           (--new-key-file FILE [--degraded] | --new-credential "     \
	"FILE |\n"                                                             \
	"            --new-passphrase [--new-passphrase-file FILE]\n"          \
	"                [--kdf-memory MIB] [--kdf-passes N] |\n"              \
	"            --new-shares K/N --out DIR [--holder NAME ...])\n"        \
	"           " OFFLINE_KEY_USAGE
#define USAGE_TEST  "cdopd slot test DIR " OFFLINE_KEY_USAGE
#define USAGE_SHEET "cdopd slot sheet DIR [--out FILE] " OFFLINE_KEY_USAGE
#define USAGE_REMOVE                                                           \
	"cdopd slot remove DIR --slot N --by NAME --reason TEXT\n"             \
	"           " OFFLINE_KEY_USAGE

static const char usage_text[] = "usage: " USAGE_LIST "\n"
				 "       " USAGE_ADD "\n"
				 "       " USAGE_TEST "\n"
				 "       " USAGE_SHEET "\n"
				 "       " USAGE_REMOVE "\n"
				 "--share-file is given once for each share.";

static int
usage(const char *why)
{
	log_tell("slot: %s", why);
	log_usage(usage_text);
	return CMD_USAGE;
}

/* ---- arguments ---------------------------------------------------------- */

static bool
take_value(struct slot_add *add, const char *name, const char *value)
{
	if (strcmp(name, "--by") == 0)
		add->by = value;
	else if (strcmp(name, "--reason") == 0)
		add->reason = value;
	else if (strcmp(name, "--slot") == 0)
		return slot_make_number(value, UINT16_MAX, &add->slot);
	else if (strcmp(name, "--label") == 0)
		add->new.label = value;
	else
		return slot_make_take(&add->new, name, value);
	return true;
}

/* own: the usage of this verb; what another one takes would do nothing. */
static int
parse(struct slot_add *add, const char *own, int argc, char **argv)
{
	int i;

	for (i = 2; i < argc; i++) {
		if (argv[i][0] == '-' && !cmd_is_named(own, argv[i]))
			return cmd_wrong("slot", own, argc, argv, i);
		if (argv[i][0] != '-' && add->from.dir == NULL)
			add->from.dir = argv[i];
		else if (strcmp(argv[i], "--new-passphrase") == 0)
			add->new.is_passphrase = true;
		else if (strcmp(argv[i], "--degraded") == 0)
			add->new.degraded = true;
		else if (offline_key_take(&add->from, argc, argv, &i))
			continue;
		else if (i + 1 < argc && take_value(add, argv[i], argv[i + 1]))
			i++;
		else
			return cmd_wrong("slot", usage_text, argc, argv, i);
	}
	if (add->from.dir == NULL)
		return usage("DIR is needed");
	return CMD_OK;
}

/* ---- list --------------------------------------------------------------- */

static const char *
day_of(uint64_t at_ms, char buf[static CDOP_DATE_TEXT_MAX])
{
	struct cdop_date date = cdop_date_utc(at_ms);

	cdop_date_write(&date, buf);
	return buf;
}

static void
print_proof(const struct registry *reg, uint16_t slot, uint8_t share)
{
	const struct custody_proof *proof;
	char day[CDOP_DATE_TEXT_MAX];

	if (reg == NULL)
		return;
	proof = custody_proof(reg->custody, slot, share);
	if (proof == NULL)
		printf("  not proved since");
	else
		printf("  proved %s, %s", day_of(proof->at_ms, day),
		    custody_how(proof->how));
}

static void
print_set(const struct slot_add *add, const struct slots_set *set)
{
	char holder[SLOTS_LABEL + 1];
	uint8_t x;

	printf("         any %u of %u open it\n", set->k, set->n);
	for (x = 1; x <= set->n; x++) {
		printf("         share %u: %s", x,
		    slots_shown(set->holder[x - 1], holder));
		print_proof(add->offline.reg, set->number, x);
		putchar('\n');
	}
}

static void
print_slots(const struct slot_add *add)
{
	const struct rows *rows = add->offline.rows;
	const struct slots_info *slot;
	const struct slots_set *set;
	char label[SLOTS_LABEL + 1];
	size_t i;

	for (i = 0; i < rows_slots(rows); i++) {
		slot = rows_slot(rows, i);
		printf("slot %-3u %-11s %s", slot->number,
		    slots_kind_name(slot->kind),
		    slots_shown(slot->label, label));
		print_proof(add->offline.reg, slot->number, 0);
		putchar('\n');
		set = rows_slots_set(rows, slot->number);
		if (set != NULL)
			print_set(add, set);
		else if (slot->kind == SLOTS_KIND_SHARES)
			puts("         its set is missing or damaged: cdopd "
			     "verify");
	}
}

static bool
says_a_key(const struct offline_from *from)
{
	return from->key_file != NULL || from->n_share_file > 0 ||
	    from->shares || from->passphrase.file != NULL ||
	    from->passphrase.from_stdin;
}

/* Without a key it is looked at sealed: what opens it is no secret. */
static bool
list(struct slot_add *add)
{
	const struct rows_args args = {
	    .dir = add->from.dir,
	    .ks = add->offline.ks,
	    .undo = add->offline.undo,
	    .read_only = true,
	};
	enum cdop_err err;

	if (says_a_key(&add->from)) {
		if (!offline_load(&add->offline, &add->from, clock_wall_ms()))
			return false;
	} else if ((err = rows_open(&args, &add->offline.rows)) != CDOP_OK) {
		if (err == CDOP_FAILED_PRECONDITION)
			log_tell("%s: in use: cdop custodian list says it",
			    add->from.dir);
		else
			offline_tell_why(add->from.dir, add->from.dir, err);
		return false;
	}
	print_slots(add);
	return true;
}

/* ---- test --------------------------------------------------------------- */

/* What opened it now was good; of shares each that was given. */
static bool
test(struct slot_add *add)
{
	struct custody_proof proofs[1 + SHAMIR_MAX];
	struct offline *offline = &add->offline;
	uint64_t now_ms = clock_wall_ms();
	size_t i, n = 1;
	enum cdop_err err;

	if (!offline_load(offline, &add->from, now_ms))
		return false;
	proofs[0] = (struct custody_proof){
	    .slot = offline->slot, .how = CDOP__PROOF__TESTED, .at_ms = now_ms};
	for (i = 0; i < SHAMIR_MAX; i++) {
		if ((offline->shares >> i & 1) == 0)
			continue;
		proofs[n] = proofs[0];
		proofs[n++].share = (uint8_t)(i + 1);
	}
	err =
	    custody_act_tested(offline->reg, offline->arena, proofs, n, false);
	if (err != CDOP_OK) {
		log_tell("it opens, and that could not be noted: %s",
		    offline_words(err));
		return false;
	}
	(void)rows_slots_find(offline->rows, offline->slot, &i);
	printf("slot %u %s opens the registry\n", offline->slot,
	    rows_slot(offline->rows, i)->label);
	return true;
}

/* ---- sheet -------------------------------------------------------------- */

/* The recovery sheet as it has to be now: to be printed, and put away. */
static bool
sheet(struct slot_add *add)
{
	int fd = -1;

	if (!offline_load(&add->offline, &add->from, clock_wall_ms()))
		return false;
	ended_begin(); /* it is written whole, or not at all */
	if (add->new.out != NULL && (fd = offline_create(add->new.out)) < 0) {
		if (errno == EEXIST)
			log_tell("say the name of a new file, or destroy that "
				 "one: it is not written over");
		return false;
	}
	if (!sheet_put(&add->offline, add->from.dir, add->from.key_file, fd,
		add->new.out != NULL ? add->new.out : "it"))
		return false;
	if (fd != -1)
		printf("recovery sheet: %s (no secret in it: print it)\n",
		    add->new.out);
	return true;
}

/* ---- remove ------------------------------------------------------------- */

static bool
take_away(struct slot_add *add)
{
	struct offline *offline = &add->offline;
	uint64_t now_ms = clock_wall_ms();
	enum cdop_err err;

	if (!offline_load(offline, &add->from, now_ms))
		return false;
	if (offline->reg->state != CDOP_STATE_SETUP) {
		log_tell("two persons remove a slot: start cdopd; an "
			 "administrator says cdop key remove-slot %u, and "
			 "another one, or a custodian, cdop approve",
		    add->slot);
		return false;
	}
	err = custody_act_remove(offline->reg, offline->arena,
	    (uint16_t)add->slot, add->by, add->reason, now_ms);
	if (err == CDOP_OK) {
		printf("slot %u is gone\n%s" SLOT_ADD_SHEET, add->slot,
		    SLOT_ADD_ROOT_STAYS);
		return true;
	}
	log_tell("slot %u: %s", add->slot,
	    err == CDOP_NOT_FOUND ? "there is none"
		: err == CDOP_FAILED_PRECONDITION
		? "it is the last one: nothing would open the registry"
		: offline_words(err));
	return false;
}

/* ---- the verb ----------------------------------------------------------- */

static const struct {
	const char *name;
	bool (*run)(struct slot_add *add);
	bool is_signed; /* takes --by */
	const char *usage;
} deeds[] = {
    {"list", list, false, "usage: " USAGE_LIST},
    {"add", slot_add_run, true, "usage: " USAGE_ADD},
    {"test", test, false, "usage: " USAGE_TEST},
    {"remove", take_away, true, "usage: " USAGE_REMOVE},
    {"sheet", sheet, false, "usage: " USAGE_SHEET},
};

int
cmd_slot(int argc, char **argv)
{
	struct slot_add add;
	size_t i;
	int status;
	bool good;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		puts(usage_text);
		return CMD_OK;
	}
	for (i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++)
		if (argc > 1 && strcmp(argv[1], deeds[i].name) == 0)
			break;
	if (i == sizeof(deeds) / sizeof(deeds[0]))
		return usage("list, add, test, remove or sheet");
	slot_add_init(&add);
	if ((status = parse(&add, deeds[i].usage, argc, argv)) != CMD_OK)
		return status;
	if (!cmd_is_line("--by", add.by, CDOP_TEXT_MAX) ||
	    !cmd_is_line("--reason", add.reason, CDOP_REASON_MAX) ||
	    !cmd_is_line("--label", add.new.label, SLOTS_LABEL))
		return CMD_USAGE;
	if (deeds[i].is_signed && add.by == NULL)
		return usage("--by NAME: who does it");
	if (deeds[i].run == take_away && add.slot == 0)
		return usage("--slot N: which one; cdopd slot list DIR");
	if (deeds[i].run == take_away && add.reason == NULL)
		return usage("--reason TEXT: why");
	good = offline_open(&add.offline) == CDOP_OK && deeds[i].run(&add);
	offline_close(&add.offline);
	return good ? CMD_OK : CMD_FAILED;
}
