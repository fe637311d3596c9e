/* See meter.h. */
#include "server/cycle/meter.h"

#include "server/base/clock.h"
#include "server/base/control.h"
#include "server/cycle/cycle_state.h"
#include "server/registry/audit.h"
#include "server/registry/backups.h"
#include "server/registry/registry.h"
#include "server/registry/rotation.h"
#include "server/registry/witnesses.h"
#include "server/vault/rows.h"

/* NULL: nobody reads it. */
static struct metrics *
of(const struct cycle *cycle)
{
	return cycle->args.note == NULL ? NULL : &cycle->args.note->metrics;
}

static void
set_log(struct metrics *m, const struct registry *reg)
{
	struct witness newest = witnesses_newest(reg->witnesses);

	metrics_set(m, METRIC_LOG_LEAVES, audit_size(reg->audit));
	if (newest.person == 0)
		return;
	metrics_set(m, METRIC_WITNESSED_MS, newest.time_s * 1000);
	metrics_set(m, METRIC_WITNESSED_LEAVES, newest.size);
}

static void
set_backups(struct metrics *m, const struct registry *reg)
{
	const struct backups_entry *newest = backups_newest(reg->backups);
	const struct backups_entry *proved = backups_proved(reg->backups);

	if (newest != NULL)
		metrics_set(m, METRIC_BACKUP_MS, newest->begun_ms);
	if (proved != NULL)
		metrics_set(m, METRIC_BACKUP_PROVED_MS, proved->proved_ms);
}

static void
set_rotation(struct metrics *m, const struct registry *reg)
{
	const struct rotation_job *job = rotation_running(reg->rotation);

	metrics_set(m, METRIC_ROTATION, job != NULL);
	metrics_set(m, METRIC_ROTATION_KEYS, job != NULL ? job->total : 0);
	metrics_set(m, METRIC_ROTATION_KEYS_DONE,
	    job != NULL ? rotation_pace(reg->rotation)->worked : 0);
}

static void
set_store(struct metrics *m, const struct registry *reg)
{
	uint64_t used, size;

	rows_usage(reg->rows, &used, &size);
	metrics_set(m, METRIC_MAP_USED, used);
	metrics_set(m, METRIC_MAP_SIZE, size);
	metrics_set(m, METRIC_RESERVE_SHORT, reg->reserve_short);
	metrics_set(m, METRIC_DISK_FULL, reg->room != REGISTRY_ROOM);
}

void
meter_tick(struct cycle *cycle)
{
	const struct registry *reg = cycle->reg;
	struct metrics *m = of(cycle);
	const struct session *session;
	uint64_t streams = 0;

	if (m == NULL)
		return;
	TAILQ_FOREACH(session, &cycle->sessions, in_all)
		streams += session->n_more;
	metrics_set(m, METRIC_OPEN, reg != NULL);
	metrics_set(m, METRIC_SESSIONS, cycle->n_sessions);
	metrics_set(m, METRIC_STREAMS, streams);
	if (reg == NULL)
		return;
	set_store(m, reg);
	set_log(m, reg);
	set_backups(m, reg);
	set_rotation(m, reg);
}

void
meter_item(struct cycle *cycle, const struct batch_item *item)
{
	struct metrics *m = of(cycle);

	if (m == NULL)
		return;
	if (item->kind == BATCH_OPENED && item->answered)
		metrics_add(m, METRIC_HANDSHAKES, 1);
	if (item->kind != BATCH_CALL)
		return;
	metrics_add(m, item->failed ? METRIC_CALLS_FAILED : METRIC_CALLS, 1);
	metrics_took(&m->call, clock_us() - item->arrived_us);
}

void
meter_refused(struct cycle *cycle)
{
	if (of(cycle) != NULL)
		metrics_add(of(cycle), METRIC_HANDSHAKES_REFUSED, 1);
}

void
meter_scrubbed(struct cycle *cycle, bool found)
{
	if (of(cycle) == NULL)
		return;
	metrics_set(of(cycle), METRIC_SCRUB_MS, clock_wall_ms());
	metrics_add(of(cycle), METRIC_SCRUB_FINDINGS, found);
}
