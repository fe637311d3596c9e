/* The profile in force and its change; see profile_act.h. */
#include "server/registry/profile_act.h"

#include <stdlib.h>
#include <string.h>

#include "cdop/secret.h"
#include "server/base/undo.h"
#include "server/registry/message.h"
#include "server/store/schema.h"
#include "server/vault/rows.h"
#include "server/vault/rows_keys.h"

#define SCHEMA 1
/*
 * A row holds it, and so does the request while it waits for approval: there
 * a message holds it too, with the words for the second person.
 */
#define PROFILE_TEXT_MAX ((size_t)960 << 10)
#define PROFILE_MAX      ((size_t)64 << 20) /* of a megabyte of text, parsed */
#define ROWS_STEP        16                 /* versions, each time it grows */

void
profile_act_hash(struct cdop_bytes text, uint8_t out[static 32])
{
	cdop_secret_hash(out, 32, NULL, "", &text, 1);
}

/* Parsed in an arena of its own, which the registry keeps. */
static enum cdop_err
parse(struct cdop_bytes text, struct cdop_arena **ret_arena,
    const struct cdop_profile **ret_profile)
{
	struct cdop_profile_error error;
	struct cdop_profile *profile;
	struct cdop_arena *arena;
	enum cdop_err err;

	if ((err = cdop_arena_new(PROFILE_MAX, &arena)) != CDOP_OK)
		return err;
	err = cdop_profile_parse(
	    (const char *)text.data, text.len, arena, &profile, &error);
	if (err != CDOP_OK) {
		cdop_arena_free(arena);
		return err;
	}
	*ret_arena = arena;
	*ret_profile = profile;
	return CDOP_OK;
}

/* ---- which row a version is -------------------------------------------- */

/* 0: that version is not kept. */
static uint64_t
row_of(const struct registry *reg, uint64_t version)
{
	size_t i;

	for (i = 0; i < reg->n_profile_row; i++)
		if (reg->profile_row[i].version == version)
			return reg->profile_row[i].row;
	return 0;
}

static enum cdop_err
keep_row(struct registry *reg, uint64_t version, uint64_t row)
{
	struct registry_profile_row *all = reg->profile_row;
	size_t n = reg->n_profile_row;

	/* What stands behind n is nobody's: growing is not taken back. */
	if (n % ROWS_STEP == 0) {
		all = calloc(n + ROWS_STEP, sizeof(*all));
		if (all == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
		if (n > 0)
			memcpy(all, reg->profile_row, n * sizeof(*all));
		free(reg->profile_row);
		reg->profile_row = all;
	}
	all[n].version = version;
	all[n].row = row;
	reg->n_profile_row = n + 1;
	return CDOP_OK;
}

enum cdop_err
profile_act_load(
    struct registry *reg, uint64_t row, const Cdop__StoredProfile *stored)
{
	struct cdop_bytes text = {stored->text.data, stored->text.len};
	const struct cdop_profile *profile;
	struct cdop_arena *arena;
	enum cdop_err err;

	if (row_of(reg, stored->version) != 0)
		return CDOP_DATA_LOSS;
	err = keep_row(reg, stored->version, row);
	if (err != CDOP_OK || stored->version < reg->profile_version)
		return err;
	err = parse(text, &arena, &profile);
	if (err != CDOP_OK)
		return err == CDOP_INVALID_ARGUMENT ? CDOP_DATA_LOSS : err;
	cdop_arena_free(reg->profile_arena);
	reg->profile_arena = arena;
	reg->profile = profile;
	profile_act_hash(text, reg->profile_hash);
	reg->profile_version = stored->version;
	return CDOP_OK;
}

enum cdop_err
profile_act_stored(struct registry *reg, uint64_t version,
    struct cdop_arena *arena, Cdop__StoredProfile **ret_stored)
{
	uint64_t row = row_of(reg, version);
	struct cdop_bytes data;
	enum cdop_err err;

	if (row == 0)
		return CDOP_NOT_FOUND;
	err = rows_get(reg->rows, row, arena, NULL, &data);
	if (err != CDOP_OK)
		return err;
	*ret_stored = cdop__stored_profile__unpack(
	    cdop_arena_allocator(arena), data.len, data.data);
	return *ret_stored == NULL ? CDOP_DATA_LOSS : CDOP_OK;
}

enum cdop_err
profile_act_read(struct registry *reg, struct cdop_bytes text,
    struct cdop_arena *arena, struct profile_act_proposal *ret_proposal)
{
	struct profile_act_proposal *p = ret_proposal;
	struct cdop_profile *profile;
	enum cdop_err err;

	memset(p, 0, sizeof(*p));
	p->text = text;
	profile_act_hash(text, p->hash);
	if (text.len > PROFILE_TEXT_MAX) {
		p->error.text = "longer than a profile may be";
		return CDOP_INVALID_ARGUMENT;
	}
	err = cdop_profile_parse(
	    (const char *)text.data, text.len, arena, &profile, &p->error);
	if (err != CDOP_OK)
		return err;
	p->profile = profile;
	if (reg->profile == NULL)
		return CDOP_OK;
	return cdop_profile_diff(reg->profile, profile, arena, &p->diff);
}

/* ---- putting one in force ---------------------------------------------- */

static enum cdop_err
put_row(struct registry *reg, struct cdop_arena *arena,
    const struct profile_act_proposal *proposal,
    const struct profile_act_by *by, uint64_t *ret_row)
{
	const struct rows_new row = {
	    .kind = SCHEMA_KIND_PROFILE,
	    .schema = SCHEMA,
	    .version = (uint32_t)(reg->profile_version + 1),
	};
	Cdop__StoredProfile out;
	uint32_t person[2] = {by->person[0], by->person[1]};

	cdop__stored_profile__init(&out);
	out.text.data = (uint8_t *)(uintptr_t)proposal->text.data;
	out.text.len = proposal->text.len;
	out.version = reg->profile_version + 1;
	out.at_ms = by->now_ms;
	out.person = person;
	out.n_person = (size_t)(person[0] != 0) + (person[1] != 0);
	out.reason = (char *)(uintptr_t)by->reason;
	out.has_previous_hash = reg->profile != NULL;
	out.previous_hash.data = reg->profile_hash;
	out.previous_hash.len = sizeof(reg->profile_hash);
	/* What was in force stays: what was changed can be looked up. */
	return message_put(reg->rows, arena, &row, 0, &out.base, ret_row);
}

static void
free_arena(void *ctx, uint64_t arg)
{
	(void)arg;
	cdop_arena_free(ctx);
}

static enum cdop_err
save(struct registry *reg)
{
	struct undo *undo = reg->undo;
	enum cdop_err err;

	err = undo_save(undo, &reg->profile, sizeof(reg->profile));
	if (err == CDOP_OK)
		err = undo_save(
		    undo, &reg->profile_arena, sizeof(reg->profile_arena));
	if (err == CDOP_OK)
		err = undo_save(
		    undo, reg->profile_hash, sizeof(reg->profile_hash));
	if (err == CDOP_OK)
		err = undo_save(
		    undo, &reg->profile_version, sizeof(reg->profile_version));
	if (err == CDOP_OK)
		err = undo_save(
		    undo, &reg->n_profile_row, sizeof(reg->n_profile_row));
	return err;
}

/* Commit frees the old one, a rollback the new one. */
static enum cdop_err
swap(struct registry *reg, const struct profile_act_proposal *proposal,
    uint64_t row)
{
	const struct cdop_profile *profile;
	struct cdop_arena *arena;
	enum cdop_err err;

	if ((err = parse(proposal->text, &arena, &profile)) != CDOP_OK)
		return err;
	err = undo_call(reg->undo, free_arena, arena, 0);
	if (err != CDOP_OK) {
		cdop_arena_free(arena);
		return err;
	}
	if ((err = save(reg)) != CDOP_OK)
		return err;
	err = undo_defer(reg->undo, free_arena, reg->profile_arena, 0);
	if (err != CDOP_OK)
		return err;
	reg->profile = profile;
	reg->profile_arena = arena;
	memcpy(reg->profile_hash, proposal->hash, sizeof(reg->profile_hash));
	reg->profile_version++;
	return keep_row(reg, reg->profile_version, row);
}

enum cdop_err
profile_act_apply(struct registry *reg, struct cdop_arena *arena,
    const struct profile_act_proposal *proposal,
    const struct profile_act_by *by)
{
	uint64_t row;
	enum cdop_err err;
	size_t i;

	err = put_row(reg, arena, proposal, by, &row);
	for (i = 0; err == CDOP_OK && i < proposal->profile->n_area; i++)
		err = rows_keys_area(reg->rows, proposal->profile->area[i].id);
	if (err != CDOP_OK)
		return err;
	return swap(reg, proposal, row);
}

void
profile_act_target(const struct registry *reg, uint8_t out[static 32])
{
	uint8_t version[8];
	struct cdop_bytes parts[2] = {
	    {version, sizeof(version)},
	    {reg->profile_hash, sizeof(reg->profile_hash)},
	};

	cdop_put64(version, reg->profile_version);
	cdop_secret_hash(out, 32, NULL, "cdop-target/1 profile", parts, 2);
}
