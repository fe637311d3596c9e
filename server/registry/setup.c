/* First contents, and recovery of people; see setup.h. */
#include "server/registry/setup.h"

#include <string.h>

#include "cdop/date.h"
#include "cdop/limits.h"
#include "cdop/role.h"
#include "cdop/secret.h"
#include "server/registry/audit.h"
#include "server/registry/custody.h"
#include "server/registry/invitations.h"
#include "server/registry/people_enrol.h"
#include "server/registry/profile_act.h"
#include "server/registry/restored.h"
#include "server/registry/statements.h"
#include "server/vault/rows.h"

#define NOTICES_KEPT 8
#define ROWS_MAX     160 /* areas with their keys, people, the rest */
#define BYTES_EACH   2048

struct setup {
	struct registry *reg;
	struct cdop_arena *arena;
	const struct setup_args *args;
	struct setup_result *result;
	struct people_act act;
	/* Of a recovery in state restored: what nobody has accepted yet. */
	bool is_restored;
	struct restored_view restored;
};

static void
setup_init(struct setup *setup, struct registry *reg, struct cdop_arena *arena,
    const struct setup_args *args, struct setup_result *result)
{
	memset(setup, 0, sizeof(*setup));
	memset(result, 0, sizeof(*result));
	setup->reg = reg;
	setup->arena = arena;
	setup->args = args;
	setup->result = result;
	setup->act.people = reg->people;
	setup->act.arena = arena;
	setup->act.now_ms = args->now_ms;
}

static enum cdop_err
refuse(struct setup *setup, enum cdop_err err, const char *why)
{
	setup->result->why = why;
	return err;
}

/* ---- the batch --------------------------------------------------------- */

/* Of a recovery there are no persons in the log but these two names. */
static enum cdop_err
leaf(struct setup *setup, enum audit_event event)
{
	const char *const *by = setup->args->by;
	struct audit_entry entry;

	memset(&entry, 0, sizeof(entry));
	entry.call = event;
	entry.time_ms = setup->args->now_ms;
	if (setup->args->reason != NULL) {
		entry.keep_reason = true;
		entry.reason_text = cdop_arena_printf(setup->arena,
		    "%s and %s: %s", by[0], by[1], setup->args->reason);
		if (entry.reason_text == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
	}
	entry.count = setup->args->n_admin;
	return audit_append(setup->reg->audit, setup->arena, &entry, NULL);
}

typedef enum cdop_err setup_fn(struct setup *setup);

static enum cdop_err
run(struct setup *setup, setup_fn *fn)
{
	struct registry *reg = setup->reg;
	enum cdop_err err;

	err = registry_begin(reg,
	    setup->args->profile.len * 2 + ROWS_MAX * BYTES_EACH, ROWS_MAX);
	return err == CDOP_OK ? registry_end(reg, fn(setup)) : err;
}

/* ---- what both make ---------------------------------------------------- */

static enum cdop_err
invite(struct setup *setup, size_t i)
{
	static const struct people_grant grant = {
	    .role = CDOP__ROLE__ADMINISTRATOR,
	    .until_ms = UINT64_MAX,
	};
	const struct invitations_device device = {
	    .label = "first device",
	    .expires_ms = UINT64_MAX,
	};
	const struct people_change change = {
	    .name = setup->args->admin[i],
	    .grants_set = true,
	    .grants = &grant,
	    .n_grants = 1,
	};
	enum cdop_err err;

	err = invitations_person(
	    &setup->act, &change, &device, &setup->result->invitation[i]);
	if (err != CDOP_OK && setup->act.message != NULL)
		return refuse(setup, err,
		    cdop_arena_printf(setup->arena,
			"administrator \"%s\": %s %s", setup->args->admin[i],
			setup->act.path != NULL ? setup->act.path : "",
			setup->act.message));
	return err;
}

static enum cdop_err
invite_all(struct setup *setup)
{
	enum cdop_err err;
	size_t i;

	for (i = 0; i < setup->args->n_admin; i++)
		if ((err = invite(setup, i)) != CDOP_OK)
			return err;
	return CDOP_OK;
}

/* Two persons under one name could not be told apart on the telephone. */
static enum cdop_err
check_names(struct setup *setup)
{
	const struct setup_args *args = setup->args;
	size_t i, j;

	for (i = 0; i < args->n_admin; i++)
		for (j = 0; j < i; j++)
			if (strcmp(args->admin[i], args->admin[j]) == 0)
				return refuse(setup, CDOP_INVALID_ARGUMENT,
				    "two administrators are two persons: give "
				    "two names");
	return CDOP_OK;
}

/* ---- init -------------------------------------------------------------- */

static enum cdop_err
put_config(struct setup *setup)
{
	uint8_t link[32], seed[32];
	Cdop__StoredConfig config;
	enum cdop_err err;

	cdop_secret_random(link, sizeof(link));
	cdop_secret_random(seed, sizeof(seed));
	cdop__stored_config__init(&config);
	config.registry_id.data = setup->reg->id;
	config.registry_id.len = sizeof(setup->reg->id);
	config.mode = setup->args->mode == REGISTRY_LIVE ? CDOP__MODE__LIVE
							 : CDOP__MODE__TRAINING;
	config.created_ms = setup->args->now_ms;
	config.link_secret.data = link;
	config.link_secret.len = sizeof(link);
	config.log_seed.data = seed;
	config.log_seed.len = sizeof(seed);
	config.state = CDOP__STATE__SETUP;
	config.has_degraded = setup->args->degraded;
	config.degraded = setup->args->degraded;
	err = registry_put_config(setup->reg, setup->arena, &config);
	cdop_secret_wipe(link, sizeof(link));
	cdop_secret_wipe(seed, sizeof(seed));
	return err;
}

static enum cdop_err
put_profile(struct setup *setup)
{
	const struct profile_act_by by = {
	    .person = {0, 0},
	    .now_ms = setup->args->now_ms,
	};
	struct profile_act_proposal *proposal;
	enum cdop_err err;

	proposal = cdop_arena_alloc(setup->arena, sizeof(*proposal));
	if (proposal == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	err = profile_act_read(
	    setup->reg, setup->args->profile, setup->arena, proposal);
	if (err == CDOP_INVALID_ARGUMENT)
		return refuse(setup, err,
		    cdop_arena_printf(setup->arena, "profile, line %u: %s",
			proposal->error.line, proposal->error.text));
	if (err != CDOP_OK)
		return err;
	return profile_act_apply(setup->reg, setup->arena, proposal, &by);
}

/* Each was opened with what was kept before this is reached. */
static enum cdop_err
note_slots(struct setup *setup)
{
	const struct rows *rows = setup->reg->rows;
	struct custody_proof proofs[SLOTS_MAX];
	size_t i, n = rows_slots(rows);
	enum cdop_err err;

	for (i = 0; i < n; i++)
		proofs[i] = (struct custody_proof){
		    .slot = rows_slot(rows, i)->number,
		    .how = CDOP__PROOF__ADDED,
		    .at_ms = setup->args->now_ms,
		};
	err = custody_note(setup->reg->custody, setup->arena, proofs, n);
	if (err != CDOP_OK)
		return err;
	/* Init writes one behind this. */
	return custody_note_sheet(
	    setup->reg->custody, setup->arena, setup->args->now_ms);
}

static enum cdop_err
found(struct setup *setup)
{
	enum cdop_err err;

	if ((err = put_config(setup)) != CDOP_OK)
		return err;
	if ((err = put_profile(setup)) != CDOP_OK)
		return err;
	if ((err = invite_all(setup)) != CDOP_OK)
		return err;
	if ((err = note_slots(setup)) != CDOP_OK)
		return err;
	return leaf(setup, AUDIT_EVENT_INIT);
}

enum cdop_err
setup_found(struct registry *reg, struct cdop_arena *arena,
    const struct setup_args *args, struct setup_result *ret_result)
{
	struct setup setup;
	enum cdop_err err;

	setup_init(&setup, reg, arena, args, ret_result);
	if (reg->config_row != 0)
		return refuse(&setup, CDOP_FAILED_PRECONDITION,
		    "there is a registry already");
	if (args->n_admin < PEOPLE_RULE_ADMINS_MIN ||
	    args->n_admin > SETUP_ADMINS_MAX)
		return refuse(&setup, CDOP_INVALID_ARGUMENT,
		    "two administrators at least, four at most");
	if ((err = check_names(&setup)) != CDOP_OK)
		return err;
	return run(&setup, found);
}

/* ---- recover ----------------------------------------------------------- */

static const char *
notice_of(struct setup *setup)
{
	struct cdop_date date = cdop_date_utc(setup->args->now_ms);
	char day[CDOP_DATE_TEXT_MAX];

	cdop_date_write(&date, day);
	return cdop_arena_printf(setup->arena,
	    "%s: new administrators were invited offline, with a "
	    "key of the registry, by %s and %s: %s",
	    day, setup->args->by[0], setup->args->by[1], setup->args->reason);
}

/* The tree that is gone on from. */
static enum cdop_err
take_from(struct setup *setup, struct cdop_checkpoint *ret_from)
{
	struct registry *reg = setup->reg;
	enum cdop_err err;

	setup->is_restored = reg->state == CDOP_STATE_RESTORED;
	if (!setup->is_restored)
		return statements_from(reg, ret_from);
	err = restored_view(reg, setup->arena, &setup->restored);
	if (err == CDOP_OK)
		*ret_from = setup->restored.from;
	return err;
}

/*
 * Where a restore waits for administrators who are not there any more, the
 * two who recover it accept it: the statement is of that, with what is lost.
 */
static enum cdop_err
state_it(struct setup *setup, const struct cdop_checkpoint *from,
    Cdop__StoredConfig *config, struct cdop_bytes *ret_note)
{
	const struct restored_view *restored = &setup->restored;
	const struct statements_args args = {
	    .kind = setup->is_restored ? CDOP_STATEMENT_RESTORE
				       : CDOP_STATEMENT_RECOVER,
	    .lost = setup->is_restored && restored->has_lost ? &restored->lost
							     : NULL,
	    .from = from,
	    .by = {setup->args->by[0], setup->args->by[1]},
	    .n_by = 2,
	    .reason = setup->args->reason,
	    .now_ms = setup->args->now_ms,
	};

	return statements_make(
	    setup->reg, setup->arena, &args, config, ret_note);
}

/* Oldest notices go: whoever has not been here since is shown the rest. */
static enum cdop_err
change_config(struct setup *setup, const struct cdop_checkpoint *from,
    struct cdop_bytes *ret_note)
{
	Cdop__StoredConfig *config;
	const char *notice = notice_of(setup);
	char **all;
	size_t i, drop;
	enum cdop_err err;

	err = registry_edit_config(setup->reg, setup->arena, &config);
	if (err != CDOP_OK)
		return err;
	all =
	    cdop_arena_calloc(setup->arena, config->n_notice + 1, sizeof(*all));
	if (notice == NULL || all == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	drop = config->n_notice >= NOTICES_KEPT
	    ? config->n_notice - NOTICES_KEPT + 1
	    : 0;
	for (i = drop; i < config->n_notice; i++)
		all[i - drop] = config->notice[i];
	all[i - drop] = (char *)(uintptr_t)notice;
	config->notice = all;
	config->n_notice = i - drop + 1;
	config->state = CDOP__STATE__SETUP;
	config->restored = NULL;
	err = state_it(setup, from, config, ret_note);
	if (err != CDOP_OK)
		return err;
	return registry_put_config(setup->reg, setup->arena, config);
}

static enum cdop_err
recover(struct setup *setup)
{
	struct cdop_checkpoint from;
	struct cdop_bytes note;
	enum cdop_err err;

	if ((err = take_from(setup, &from)) != CDOP_OK)
		return err;
	/* First, so that every row of it stands under the new numbers. */
	if ((err = rows_next_incarnation(setup->reg->rows)) != CDOP_OK)
		return err;
	if ((err = people_act_settle(&setup->act)) != CDOP_OK)
		return err;
	if ((err = change_config(setup, &from, &note)) != CDOP_OK)
		return err;
	/* The first leaf of the new incarnation says that it is one. */
	err = statements_leaf(
	    setup->reg, setup->arena, note, setup->args->now_ms);
	if (err != CDOP_OK)
		return err;
	if ((err = invite_all(setup)) != CDOP_OK)
		return err;
	return leaf(setup, AUDIT_EVENT_RECOVERED);
}

/* As it will stand in the notice; also refuses what is no text. */
static enum cdop_err
clean(struct setup *setup, const char *path, const char **text, size_t max)
{
	enum cdop_err err;
	char *out;

	out = cdop_arena_alloc(setup->arena, PEOPLE_REASON_ROOM);
	if (out == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	err = people_act_text(
	    &setup->act, path, *text, max, true, out, PEOPLE_REASON_ROOM);
	if (err == CDOP_INVALID_ARGUMENT)
		return refuse(setup, err,
		    cdop_arena_printf(
			setup->arena, "%s %s", path, setup->act.message));
	*text = out;
	return err;
}

static enum cdop_err
check_recover(struct setup *setup, struct setup_args *args)
{
	struct people_rule_admins admins;
	size_t n;
	enum cdop_err err;

	if (setup->reg->config_row == 0)
		return refuse(setup, CDOP_FAILED_PRECONDITION,
		    "there is no registry yet: cdopd init");
	err = clean(setup, "the first name", &args->by[0], CDOP_TEXT_MAX);
	if (err == CDOP_OK)
		err = clean(
		    setup, "the second name", &args->by[1], CDOP_TEXT_MAX);
	if (err == CDOP_OK)
		err =
		    clean(setup, "the reason", &args->reason, CDOP_REASON_MAX);
	if (err != CDOP_OK)
		return err;
	if (strcmp(args->by[0], args->by[1]) == 0)
		return refuse(setup, CDOP_INVALID_ARGUMENT,
		    "two persons do this: give two names");
	people_rule_admins(setup->reg->people, args->now_ms, NULL, &admins);
	n = admins.n + args->n_admin;
	/* One of two in setup whose invitation was lost: the other one waits.
	 */
	if (setup->reg->state == CDOP_STATE_SETUP)
		n += people_enrol_founders(setup->reg->people, args->now_ms);
	if (args->n_admin == 0 || args->n_admin > SETUP_ADMINS_MAX ||
	    n < PEOPLE_RULE_ADMINS_MIN)
		return refuse(setup, CDOP_INVALID_ARGUMENT,
		    "with the new ones there are two administrators at least: "
		    "give two names");
	return check_names(setup);
}

enum cdop_err
setup_recover(struct registry *reg, struct cdop_arena *arena,
    const struct setup_args *args, struct setup_result *ret_result)
{
	struct setup_args cleaned = *args;
	struct setup setup;
	enum cdop_err err;

	setup_init(&setup, reg, arena, &cleaned, ret_result);
	cleaned.now_ms = audit_time(reg->audit, args->now_ms, 0);
	setup.act.now_ms = cleaned.now_ms;
	if ((err = check_recover(&setup, &cleaned)) != CDOP_OK)
		return err;
	return run(&setup, recover);
}
