/* Playing, forking and remembering; see run.h. */
#include "tests/fault/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cdop/secret.h"
#include "server/base/log.h"
#include "tests/fault/say.h"

#define SECONDS 60 /* that a run of a step may take */
#define SEED    0x5eed

#define START_MS 1795600001000ull

struct house_place run_place;
struct keep *run_keep;

static struct keep kept[DAY_STEPS + 1];
static char facts[DAY_STEPS][sizeof(kept[0].facts)];
static uint64_t counts[DAY_STEPS][SHIM_CLASSES];
static size_t ops[DAY_STEPS], turns[DAY_STEPS];

/* ---- one run ------------------------------------------------------------ */

bool
run_copies(size_t step)
{
	const char *name = day_steps[step].name;

	return strcmp(name, "erase") == 0 || strcmp(name, "reseal") == 0 ||
	    strcmp(name, "root") == 0;
}

/* A start that fails says why, and nothing that would mislead. */
static void
check_end(const struct house *house, const struct run *run)
{
	enum cdop_err err = house->err;

	if (err == CDOP_OK)
		return;
	(void)snprintf(run_keep->end, sizeof(run_keep->end), "%s: %s %s",
	    house->where, cdop_err_name(err), house->why);
	if (err == CDOP_RESOURCE_EXHAUSTED || err == CDOP_INTERNAL)
		return;
	/* Of a store that cannot be opened again under its new name, too. */
	if (err == CDOP_DATA_LOSS &&
	    ((run->kind != SHIM_NO_MEMORY && run->kind != SHIM_LMDB_FULL) ||
		run_copies(run->step)))
		return;
	broken("it leaves with %s", run_keep->end);
}

static void
look(struct day *day)
{
	if (day->dead)
		broken("without a fault it leaves with %s: %s %s",
		    day->house.where, cdop_err_name(day->house.err),
		    day->house.why);
	day_check_log(day);
	house_check_noise(&run_place);
	day_facts(day, run_keep->facts, sizeof(run_keep->facts));
}

/* Nothing that was said while it was hindered is gone; and on it goes. */
static void
go_on(struct day *day, const struct run *run)
{
	day_check_log(day);
	run->relieve();
	day->dead = day->hopeless = false;
	run_keep->at = 0;
	day_play(day, &day_steps[run->step]);
	look(day);
}

void
run_play(const struct run *run)
{
	static struct day day;

	(void)alarm(SECONDS);
	shim_watch(run_place.data, run_place.anchor);
	shim_reset(SEED + run->step * 2 + run->last, run_keep->now_ms + 1000);
	shim_plan(run->kind, run->step == 0 ? run->at : 0);
	run_keep->at = 0;
	run_keep->end[0] = '\0';
	run_keep->hindered = false;
	run_keep->facts[0] = '\0';
	if (run->last)
		house_check_noise(&run_place); /* of what was left */
	if (run->hinder != NULL && run->hinder_at == 0)
		run->hinder();
	if (day_open(&day, &run_place, run_keep)) {
		if (run->step != 0)
			shim_plan(run->kind, run->at);
		day.hopeless = run->kind == SHIM_STUCK || run->hinder != NULL;
		day.house.hinder = run->hinder;
		day.house.hinder_at = run->hinder_at;
		day.leap_at = run->leap_at;
		day.leap_ms = run->leap_ms;
		day_play(&day, &day_steps[run->step]);
		if (run->relieve != NULL && day.house.err == CDOP_OK)
			go_on(&day, run);
	}
	if (run->last)
		look(&day);
	run_keep->now_ms = shim_now_ms();
	(void)snprintf(run_keep->hit, sizeof(run_keep->hit), "%s", shim_hit());
	check_end(&day.house, run);
	run_keep->turns = day.house.turns;
	day_close(&day);
	run_keep->fired = shim_fired();
	if (run->at == 0)
		for (int i = 0; i < SHIM_CLASSES; i++)
			run_keep->count[i] = shim_count((enum shim_class)i);
}

int
run_process(const struct run *run)
{
	int status;
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	require(pid != -1, "a process");
	if (pid == 0) {
		run_play(run);
		if (run->last) {
			require(
			    house_verify(&run_place) == 0, "every row is fine");
			_exit(0);
		}
		exit(0); /* leaks are looked for */
	}
	require(waitpid(pid, &status, 0) == pid, "its end");
	return status;
}

/* ---- the day without a fault -------------------------------------------- */

static void
image_name(size_t step, char name[static 32])
{
	(void)snprintf(name, 32, "step-%zu", step);
}

void
run_rehearse(size_t step, int (*play)(const struct run *run))
{
	struct run run = {.step = step};
	char name[32];

	image_name(step, name);
	house_save(&run_place, name);
	day_begin(run_keep);
	kept[step] = *run_keep;
	if (play(&run) != 0)
		broken("the day does not go through: %s", day_steps[step].name);
	if (run_keep->end[0] != '\0')
		broken("the day does not go through: %s", run_keep->end);
	memcpy(counts[step], run_keep->count, sizeof(counts[step]));
	ops[step] = run_keep->at;
	turns[step] = run_keep->turns;
	kept[step + 1] = *run_keep;
	image_name(step + 1, name);
	house_save(&run_place, name);
	/* Once more, as after a fault. */
	run.last = true;
	if (run_process(&run) != 0)
		broken("it cannot be repeated: %s", day_steps[step].name);
	memcpy(facts[step], run_keep->facts, sizeof(facts[step]));
	house_restore(&run_place, name);
	*run_keep = kept[step + 1];
}

void
run_make(house_disk_fn *disk)
{
	must(cdop_secret_init(), "libsodium");
	log_init("vault", LOG_LEVEL_ERROR);
	run_keep = mmap(NULL, sizeof(*run_keep), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	require(run_keep != MAP_FAILED, "memory that is shared");
	house_make(&run_place, disk);
	run_keep->now_ms = START_MS;
}

void
run_unmake(void)
{
	house_remove(&run_place);
}

uint64_t
run_count(size_t step, enum shim_class which)
{
	return counts[step][which];
}

size_t
run_ops(size_t step)
{
	return ops[step];
}

size_t
run_turns(size_t step)
{
	return turns[step];
}

void
run_back(size_t step)
{
	char name[32];

	image_name(step, name);
	house_restore(&run_place, name);
	*run_keep = kept[step];
}

bool
run_verify(void)
{
	pid_t pid;
	int status;

	(void)fflush(stdout);
	pid = fork();
	require(pid != -1, "a process");
	if (pid == 0)
		_exit(house_verify(&run_place) == 0 ? 0 : 1);
	require(waitpid(pid, &status, 0) == pid, "its end");
	return status == 0;
}

bool
run_again(size_t step)
{
	const struct run again = {.step = step, .last = true};

	return run_process(&again) == 0 && run_came_to_its_end(step);
}

bool
run_came_to_its_end(size_t step)
{
	if (strcmp(run_keep->facts, facts[step]) == 0)
		return true;
	(void)printf("#   it comes to another end; wanted\n%s---- seen\n%s",
	    facts[step], run_keep->facts);
	return false;
}
