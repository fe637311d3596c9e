/* Adding a slot offline; see slot_add.h. */
#include "server/slot_add.h"

#include <stdio.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/ended.h"
#include "server/registry/custody_act.h"
#include "server/registry/registry.h"
#include "server/store/dir.h"
#include "server/vault/rows_slots.h"

/* What is under way. */
struct work {
	struct slot_add *add;
	struct slot_make make;
	uint16_t number;
	bool is_unknown; /* whether it was added: then its files are needed */
};

void
slot_add_init(struct slot_add *ret_add)
{
	memset(ret_add, 0, sizeof(*ret_add));
	slot_make_args_init(&ret_add->new);
}

/*
 * With what was kept: file, typed twice, or sheets, which are written and read
 * back first.  A slot that nobody could open would count as one.
 */
static bool
prove(void *ctx, uint16_t number)
{
	struct work *work = ctx;
	struct offline *offline = &work->add->offline;
	size_t slot;

	if (work->make.slot.kind == SLOTS_KIND_SHARES &&
	    !slot_make_sheets(&work->make, offline->reg,
		rows_slots_set(offline->rows, number)))
		return false;
	return rows_slots_find(offline->rows, number, &slot) &&
	    rows_prove(offline->rows, slot, work->make.k) == CDOP_OK;
}

static bool
add_it(struct work *work)
{
	struct offline *offline = &work->add->offline;
	const struct custody_act_new new = {
	    .slot = work->make.slot,
	    .plan = &work->add->new.plan,
	    .by = work->add->by,
	    .reason = work->add->reason,
	    .now_ms = clock_wall_ms(),
	    .degraded = work->make.degraded,
	    .prove = prove,
	    .ctx = work,
	};
	enum cdop_err err;

	err = custody_act_add(offline->reg, offline->arena, &new, &work->number,
	    work->make.share);
	if (err == CDOP_INVALID_ARGUMENT)
		log_tell("a label or a holder has at most %d bytes, and no "
			 "control characters",
		    SLOTS_LABEL);
	else if (err == CDOP_RESOURCE_EXHAUSTED)
		log_tell("there is no room, on the disk or for one slot more");
	else if (err == CDOP_ABORTED)
		log_tell("no slot was added: what was kept of it does not open "
			 "the registry");
	else if (err != CDOP_OK)
		log_tell("%s", offline_words(err));
	work->is_unknown =
	    err == CDOP_DATA_LOSS && dir_is_marked(work->add->from.dir);
	if (work->is_unknown)
		log_tell("whether the slot was added is not known, and what "
			 "was made for it is kept: cdopd slot list says it");
	return err == CDOP_OK;
}

static void
report(const struct work *work)
{
	const struct slots_set_new *plan = &work->add->new.plan;
	size_t i;

	printf("slot %u %s: opened\n", work->number, work->make.slot.label);
	if (work->make.degraded)
		puts("DEGRADED: the key file lies on the file system of the "
		     "data.");
	fputs(SLOT_ADD_SHEET, stdout);
	if (work->make.slot.kind != SLOTS_KIND_SHARES)
		return;
	for (i = 0; i < plan->n; i++)
		printf("share %zu: %s\n", i + 1, work->make.path[i]);
	printf("Any %u of these %u open the registry. Print each, give it to "
	       "its holder, delete the files.\n",
	    plan->k, plan->n);
}

bool
slot_add_run(struct slot_add *add)
{
	static struct work work;
	enum slots_kind kind[SLOT_MAKE_KINDS];
	bool good;

	if (slot_make_kinds(&add->new, kind) != 1) {
		log_tell("one of --new-key-file, --new-credential, "
			 "--new-passphrase, --new-shares");
		return false;
	}
	if (!slot_make_check(&add->new) ||
	    !offline_load(&add->offline, &add->from, clock_wall_ms()))
		return false;
	work.add = add;
	add->new.dir = add->from.dir;
	add->new.is_registry_degraded = add->offline.reg->degraded;
	ended_begin();
	good = slot_make_begin(&work.make, &add->new, kind[0], add->offline.mem,
		   add->offline.rows) &&
	    !ended_was() && add_it(&work);
	if (good)
		report(&work);
	slot_make_end(&work.make, good || work.is_unknown);
	if (!good && !work.is_unknown)
		ended_tell("the registry is as it was");
	return good;
}
