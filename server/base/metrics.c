/* See metrics.h. */
#include "server/base/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/config.h"

enum kind {
	COUNTER,
	GAUGE,
	GAUGE_MS, /* kept in milliseconds, said in seconds */
};

static const struct {
	const char *name;
	enum kind kind;
	const char *help;
} table[METRICS] = {
    [METRIC_OPEN] = {"cdopd_open", GAUGE, "1 when unsealed, 0 when sealed"},
    [METRIC_SESSIONS] = {"cdopd_sessions", GAUGE, "sessions that are open"},
    [METRIC_HANDSHAKES] = {"cdopd_handshakes_total", COUNTER,
	"handshakes that were completed"},
    [METRIC_HANDSHAKES_REFUSED] = {"cdopd_handshakes_refused_total", COUNTER,
	"handshakes that failed in the vault"},
    [METRIC_CALLS] = {"cdopd_calls_total", COUNTER,
	"calls that were answered, with a result or a refusal"},
    [METRIC_CALLS_FAILED] = {"cdopd_calls_failed_total", COUNTER,
	"calls whose change could not be made"},
    [METRIC_BATCHES] = {"cdopd_batches_total", COUNTER,
	"commits; calls by commits is the size of a batch"},
    [METRIC_STREAMS] = {"cdopd_streams", GAUGE,
	"lists, exports and backups that are being read"},
    [METRIC_MAP_USED] = {"cdopd_map_used_bytes", GAUGE,
	"of the map of the registry, in use"},
    [METRIC_MAP_SIZE] = {"cdopd_map_size_bytes", GAUGE,
	"the map: map_size_gib"},
    [METRIC_RESERVE_SHORT] = {"cdopd_reserve_short", GAUGE,
	"1 while the reserve for a full disk is not whole"},
    [METRIC_DISK_FULL] = {"cdopd_disk_full", GAUGE,
	"1 while case work is refused for want of room"},
    [METRIC_LOG_LEAVES] = {"cdopd_log_leaves", GAUGE,
	"entries of the audit log"},
    [METRIC_WITNESSED_MS] = {"cdopd_log_witnessed_timestamp_seconds", GAUGE_MS,
	"when the log was last co-signed elsewhere; 0: never"},
    [METRIC_WITNESSED_LEAVES] = {"cdopd_log_witnessed_leaves", GAUGE,
	"how long it was then"},
    [METRIC_BACKUP_MS] = {"cdopd_backup_timestamp_seconds", GAUGE_MS,
	"when the newest backup was begun; 0: never"},
    [METRIC_BACKUP_PROVED_MS] = {"cdopd_backup_proved_timestamp_seconds",
	GAUGE_MS, "when a backup was last proved to open; 0: never"},
    [METRIC_SCRUB_MS] = {"cdopd_scrub_timestamp_seconds", GAUGE_MS,
	"when all of the log was last looked through; 0: not since the start"},
    [METRIC_SCRUB_FINDINGS] = {"cdopd_scrub_findings_total", COUNTER,
	"times that it was found damaged"},
    [METRIC_ROTATION] = {"cdopd_rotation_running", GAUGE,
	"1 while keys are turned"},
    [METRIC_ROTATION_KEYS] = {"cdopd_rotation_keys", GAUGE,
	"keys of cases that are to be wrapped anew"},
    [METRIC_ROTATION_KEYS_DONE] = {"cdopd_rotation_keys_done", GAUGE,
	"of these, since the vault was started"},
    [METRIC_GATE_STARTS] = {"cdopd_gate_starts_total", COUNTER,
	"times that the gate was started"},
    [METRIC_VAULT_STARTS] = {"cdopd_vault_starts_total", COUNTER,
	"times that the vault was started"},
    [METRIC_WRITTEN_MS] = {"cdopd_written_timestamp_seconds", GAUGE_MS,
	"when this was written: an old one is of a daemon that is gone"},
};

static const uint32_t bound_us[METRICS_BOUNDS] = {250, 500, 1000, 2500, 5000,
    10000, 25000, 50000, 100000, 250000, 1000000, 10000000};

void
metrics_set(struct metrics *metrics, enum metric metric, uint64_t value)
{
	atomic_store_explicit(
	    &metrics->value[metric], value, memory_order_relaxed);
}

void
metrics_add(struct metrics *metrics, enum metric metric, uint64_t n)
{
	atomic_fetch_add_explicit(
	    &metrics->value[metric], n, memory_order_relaxed);
}

uint64_t
metrics_get(const struct metrics *metrics, enum metric metric)
{
	return atomic_load_explicit(
	    &metrics->value[metric], memory_order_relaxed);
}

uint64_t
metrics_sum(const struct metrics_times *times)
{
	return atomic_load_explicit(&times->sum_us, memory_order_relaxed);
}

void
metrics_took(struct metrics_times *times, uint64_t us)
{
	size_t i = 0;

	while (i < METRICS_BOUNDS && us > bound_us[i])
		i++;
	atomic_fetch_add_explicit(&times->bucket[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&times->sum_us, us, memory_order_relaxed);
}

/* ---- text ---------------------------------------------------------------- */

static void
print_head(FILE *out, const char *name, const char *type, const char *help)
{
	(void)fprintf(
	    out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
print_value(FILE *out, size_t metric, uint64_t value)
{
	const bool is_ms = table[metric].kind == GAUGE_MS;

	print_head(out, table[metric].name,
	    table[metric].kind == COUNTER ? "counter" : "gauge",
	    table[metric].help);
	(void)fprintf(out, "%s %" PRIu64, table[metric].name,
	    is_ms ? value / 1000 : value);
	if (is_ms)
		(void)fprintf(out, ".%03" PRIu64, value % 1000);
	(void)fputc('\n', out);
}

static void
print_times(FILE *out, const char *name, const char *help,
    const struct metrics_times *times)
{
	uint64_t n = 0, sum_us = times->sum_us;
	size_t i;

	print_head(out, name, "histogram", help);
	for (i = 0; i < METRICS_BOUNDS; i++) {
		n += times->bucket[i];
		(void)fprintf(out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
		    bound_us[i] / 1e6, n);
	}
	n += times->bucket[METRICS_BOUNDS];
	(void)fprintf(out,
	    "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %" PRIu64 ".%06" PRIu64
	    "\n%s_count %" PRIu64 "\n",
	    name, n, name, sum_us / 1000000, sum_us % 1000000, name, n);
}

/* All of it as text. */
static void
print(const struct metrics *metrics, FILE *out)
{
	size_t i;

	for (i = 0; i < METRICS; i++)
		print_value(out, i, metrics->value[i]);
	print_times(out, "cdopd_call_seconds",
	    "from the last byte of a call to its answer", &metrics->call);
	print_times(out, "cdopd_commit_seconds",
	    "what a commit took, both syncs with it", &metrics->commit);
}

/*
 * Nothing is there, or what was written here before: a slip of the
 * configuration is not to cost a registry or a key.
 */
static bool
is_ours(const char *path)
{
	static const char head[] = "# HELP cdopd_";
	char seen[sizeof(head)] = "";
	struct stat st;
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT;
	n = fstat(fd, &st) == 0 && S_ISREG(st.st_mode)
	    ? read(fd, seen, sizeof(head) - 1)
	    : -1;
	(void)close(fd);
	return n == 0 || (n > 0 && strcmp(seen, head) == 0);
}

/* The directory is often one that others write in too. */
static int
make(const char *path)
{
	if (unlink(path) != 0 && errno != ENOENT)
		return -1;
	return open(path,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
	    0644);
}

enum cdop_err
metrics_publish(const struct metrics *metrics, const char *path)
{
	char beside[CONFIG_PATH_MAX + 8];
	FILE *out = NULL;
	bool good;
	int fd;

	if (!is_ours(path)) {
		errno = EEXIST;
		return CDOP_PERMISSION_DENIED;
	}
	(void)snprintf(beside, sizeof(beside), "%s.new", path);
	fd = make(beside);
	if (fd >= 0 && (out = fdopen(fd, "w")) == NULL)
		(void)close(fd);
	if (out == NULL)
		return CDOP_PERMISSION_DENIED;
	/* The collector is somebody else, whatever the service's umask is. */
	good = fchmod(fd, 0644) == 0;
	print(metrics, out);
	good = ferror(out) == 0 && good;
	good = fclose(out) == 0 && good;
	if (good && rename(beside, path) == 0)
		return CDOP_OK;
	(void)unlink(beside);
	return CDOP_PERMISSION_DENIED;
}
