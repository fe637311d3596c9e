/* A root made anew on the host; see rotation_renew.h. */
#include "server/registry/rotation_renew.h"

#include "cdop/role.h"
#include "server/registry/audit.h"
#include "server/vault/rows.h"
#include "server/vault/rows_rewrap.h"

#define BYTES_MAX (256u << 10)
#define ROWS_MAX  32

bool
rotation_renew_stands(const struct rotation *rotation)
{
	const struct rotation_job *job = rotation_running(rotation);
	const struct rows *rows;
	struct rows_rewrap_epoch epoch;
	size_t i;

	if (!rotation_waits(rotation))
		return false;
	rows = rotation_registry((struct rotation *)(uintptr_t)rotation)->rows;
	for (i = 0; rows_rewrap_epoch(rows, i, &epoch); i++)
		if (epoch.scope == SCHEMA_REGISTRY && epoch.key < job->floor)
			return false;
	return true;
}

/* Every epoch key that there is. */
static enum cdop_err
name_leaving(const struct rows *rows, struct cdop_arena *arena,
    Cdop__StoredRotation *stored)
{
	struct rows_rewrap_epoch epoch;
	size_t i, n = 0;

	while (rows_rewrap_epoch(rows, n, &epoch))
		n++;
	stored->leaving = cdop_arena_calloc(arena, n, sizeof(uint64_t));
	if (stored->leaving == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < n; i++) {
		(void)rows_rewrap_epoch(rows, i, &epoch);
		stored->leaving[i] = epoch.key;
	}
	stored->n_leaving = n;
	return CDOP_OK;
}

static enum cdop_err
said_on_host(struct registry *reg, struct cdop_arena *arena,
    const struct rotation_renew_new *new, uint64_t now_ms)
{
	const struct audit_entry entry = {
	    .call = AUDIT_EVENT_ROOT,
	    .time_ms = now_ms,
	    .count = rotation_running(reg->rotation)->number,
	    .keep_reason = true,
	    .reason_text = cdop_arena_printf(arena,
		"%s: %s (slots to be made: %s)", new->by,
		new->reason != NULL ? new->reason : "", new->slots),
	};

	if (entry.reason_text == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	return audit_append(reg->audit, arena, &entry, NULL);
}

/* With fewer than two administrators there is nobody else to ask. */
static enum cdop_err
begin_alone(struct registry *reg, struct cdop_arena *arena, const char *reason,
    uint64_t now_ms)
{
	const struct rotation_new new = {
	    .what = CDOP__KEY_WHAT__KEY_ROOT,
	    .reason = reason != NULL ? reason : "compromised",
	    .compromised = true,
	    .now_ms = now_ms,
	};
	uint32_t number;

	if (rotation_waits(reg->rotation))
		return CDOP_OK;
	if (reg->state != CDOP_STATE_SETUP)
		return CDOP_FAILED_PRECONDITION;
	return rotation_begin(reg->rotation, arena, &new, &number);
}

static enum cdop_err
begin(struct registry *reg, struct cdop_arena *arena,
    const struct rotation_renew_new *new, uint64_t now_ms)
{
	struct rotation *rotation = reg->rotation;
	Cdop__StoredRotation *stored;
	enum cdop_err err;

	if ((err = begin_alone(reg, arena, new->reason, now_ms)) != CDOP_OK)
		return err;
	if (rotation_running(rotation)->until_ms <= now_ms)
		return CDOP_FAILED_PRECONDITION;
	err =
	    rotation_read(rotation, rotation_running(rotation), arena, &stored);
	if (err == CDOP_OK)
		err = name_leaving(reg->rows, arena, stored);
	if (err == CDOP_OK)
		err = rotation_put(rotation, arena, stored);
	return err == CDOP_OK ? said_on_host(reg, arena, new, now_ms) : err;
}

enum cdop_err
rotation_renew_begin(struct registry *reg, struct cdop_arena *arena,
    const struct rotation_renew_new *new, uint64_t now_ms)
{
	enum cdop_err err;

	now_ms = audit_time(reg->audit, now_ms, 0);
	err = registry_begin(reg, BYTES_MAX, ROWS_MAX);
	return err == CDOP_OK
	    ? registry_end(reg, begin(reg, arena, new, now_ms))
	    : err;
}
