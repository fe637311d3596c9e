/*
 * A small disk that is really full, before each step of the day and in it.
 *
 * A point is a step; a number of pages that are free when it begins, with the
 * vault's own reserve or without, or a turn of the vault before which somebody
 * else takes all there are; and what comes then.  The step is played as far as
 * it goes: what is refused is given up.  Then the vault either goes on, as soon
 * as there is room, and comes to the end of the step; or it stops, every row of
 * what it left on the full disk is looked at, and another one plays the step on
 * a disk with room.  Either end has to be that of a day on a large disk, with
 * each receipt and each checkpoint that was shown on the full one.
 *
 * It needs to mount: as root, or where anybody may have name spaces.
 *
 * usage: full [N [OFFSET]]   about N of all points, every k-th from OFFSET on
 *        full only POINT     the one of that number
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fault/run.h"
#include "tests/fault/say.h"
#include "tests/fault/small.h"

#define NEED_MAX 16384 /* pages: all of the disk */

static struct {
	uint64_t stride, offset;
	uint64_t only; /* the one to be played; 0: not only one */
	uint64_t seen, done, broken, hindered;
} all = {.stride = 1};

/* How little the vault has of its own when a step begins. */
enum tight {
	AS_IT_IS, /* what the file was let grow to, and the reserve */
	NO_TAIL,  /* the reserve alone */
	NOTHING,
	TIGHTS,
};

static const char *const tight_names[] = {
    "as it is", "no tail", "no tail, no reserve"};

/* Of this run. */
static enum tight tight;
static size_t pages;

/* LMDB's page headers are 16 bytes; of each of two metas then, as lmdb.c. */
#define META_LAST 136
#define META_TXN  144

/* What is behind the last page that LMDB has ever taken goes. */
static void
cut_tail(const char *path)
{
	uint64_t last = 0, newest = 0, of[2];
	int fd = open(path, O_RDWR | O_CLOEXEC);
	off_t at;

	require(fd != -1, path);
	for (at = 0; at <= 4096; at += 4096) {
		require(
		    pread(fd, of, sizeof(of), at + META_LAST) == sizeof(of) &&
			META_TXN == META_LAST + sizeof(of[0]),
		    "a meta page");
		if (of[1] < newest)
			continue;
		newest = of[1];
		last = of[0];
	}
	require(last > 1 && ftruncate(fd, (off_t)(last + 1) * 4096) == 0,
	    "the tail goes");
	(void)close(fd);
}

static void
fill(void)
{
	char path[2 * HOUSE_PATH];

	if (tight != AS_IT_IS) {
		(void)snprintf(
		    path, sizeof(path), "%s/data.mdb", run_place.data);
		cut_tail(path);
	}
	if (tight == NOTHING) {
		(void)snprintf(
		    path, sizeof(path), "%s/reserve", run_place.data);
		(void)unlink(path);
	}
	small_fill(pages);
}

/* ---- a point ------------------------------------------------------------ */

static bool
complain(const struct run *run, const char *what)
{
	(void)printf(
	    "#   point %llu: step %s, %s, turn %zu, %zu pages, %s: %s\n",
	    (unsigned long long)all.seen, day_steps[run->step].name,
	    tight_names[tight], run->hinder_at, pages,
	    run->relieve != NULL ? "goes on" : "another one", what);
	return false;
}

static bool
point(const struct run *run)
{
	bool good;

	run_back(run->step);
	good = run_process(run) == 0 ||
	    complain(run, "it does not end as it should");
	all.hindered += run_keep->hindered || run_keep->end[0] != '\0';
	/* By the vault that saw the full disk, where it has not left. */
	if (good && run_keep->facts[0] != '\0')
		good = run_came_to_its_end(run->step) ||
		    complain(run, "it does not come to its end");
	/* Without its first leaf it is none yet, and verify says so. */
	if (good && run->relieve == NULL && run->step > 0)
		good = run_verify() || complain(run, "not every row is fine");
	small_empty();
	if (!good)
		return false;
	return run_again(run->step) ||
	    complain(run, "what came then is broken");
}

/* ---- all of them -------------------------------------------------------- */

static void
maybe(const struct run *run)
{
	all.seen++;
	if (all.only != 0 ? all.seen != all.only
			  : (all.seen - 1) % all.stride != all.offset)
		return;
	all.done++;
	if (!point(run))
		all.broken++;
}

/* Pages with which it feels nothing; twice as many at most. */
static size_t
need(size_t step)
{
	struct run run = {.step = step, .hinder = fill};

	tight = NOTHING;
	for (pages = 1; pages <= NEED_MAX; pages *= 2) {
		run_back(step);
		if (run_process(&run) != 0)
			broken("with %zu pages free %s does not end as it "
			       "should",
			    pages, day_steps[step].name);
		small_empty();
		if (!run_keep->hindered && run_keep->end[0] == '\0')
			break;
	}
	return pages;
}

/* Either end; goes through them, or says how many there are. */
static uint64_t
both(struct run *run, bool count)
{
	if (count)
		return 2;
	run->relieve = NULL;
	maybe(run);
	run->relieve = small_empty;
	maybe(run);
	return 2;
}

static uint64_t
every_point(size_t step, size_t n, bool count)
{
	struct run run = {.step = step, .hinder = fill};
	uint64_t sum = 0;

	for (tight = NO_TAIL; tight < TIGHTS; tight++)
		/* One by one, as long as it is about a few. */
		for (pages = 0; pages <= n; pages += 1 + pages / 8)
			sum += both(&run, count);
	tight = AS_IT_IS;
	pages = 0;
	for (run.hinder_at = 1; run.hinder_at <= run_turns(step);
	     run.hinder_at++)
		sum += both(&run, count);
	return sum;
}

static void
play(size_t step, size_t n)
{
	uint64_t done = all.done, hindered = all.hindered, sum;

	sum = every_point(step, n, false);
	(void)printf("# %-10s %6llu points of %llu, %llu felt it, %llu broken "
		     "so far\n",
	    day_steps[step].name, (unsigned long long)(all.done - done),
	    (unsigned long long)sum,
	    (unsigned long long)(all.hindered - hindered),
	    (unsigned long long)all.broken);
	(void)fflush(stdout);
}

static void
all_steps(uint64_t want, uint64_t offset)
{
	size_t step, n[DAY_STEPS];
	uint64_t sum = 0;

	for (step = 0; step < DAY_STEPS; step++)
		run_rehearse(step, run_process);
	for (step = 0; step < DAY_STEPS; step++)
		sum += every_point(step, n[step] = need(step), true);
	if (want > 0 && want < sum) {
		all.stride = sum / want | 1; /* not one end alone */
		all.offset = offset % all.stride;
	}
	(void)printf("# %llu points, every %lluth from %llu on\n",
	    (unsigned long long)sum, (unsigned long long)all.stride,
	    (unsigned long long)all.offset);
	for (step = 0; step < DAY_STEPS; step++)
		play(step, n[step]);
}

int
main(int argc, char **argv)
{
	bool only = argc > 2 && strcmp(argv[1], "only") == 0;

	if (!small_may()) {
		(void)printf("skip a disk that is really full: nothing can be "
			     "mounted here\n");
		return 77;
	}
	all.only = only ? strtoull(argv[2], NULL, 10) : 0;
	run_make(small_mount);
	all_steps(only || argc < 2 ? 0 : strtoull(argv[1], NULL, 10),
	    argc > 2 ? strtoull(argv[2], NULL, 10) : 0);
	small_unmount();
	run_unmake();
	if (all.hindered == 0 && all.only == 0)
		broken("no disk was full");
	(void)printf("%llu points, %llu broken\n", (unsigned long long)all.done,
	    (unsigned long long)all.broken);
	return all.broken > 0 || all.done == 0;
}
