/*
 * Faults at every step: each call of a scripted day that can fail does so
 * once, and each that writes is once the last of its process.
 *
 * A point is one step of the day, one kind of fault and a number n.  The
 * step is played from a kept directory with the n-th call hit, by clients
 * who send again what was not answered; then, in another process and without
 * a fault, it is played once more.  Whatever the fault was, the end has to be
 * that of a day without one, each receipt and each checkpoint has to be of the
 * log that there is, and every row has to open.
 *
 * usage: points [N [OFFSET]]   about N of all points, every k-th from OFFSET on
 *        points only POINT      the one of that number
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/fault/run.h"
#include "tests/fault/say.h"

/* ---- a point ------------------------------------------------------------ */

struct tally {
	uint64_t all; /* there are */
	uint64_t done;
	uint64_t broken;
	uint64_t left; /* ended the vault */
};

static struct {
	uint64_t stride, offset;
	uint64_t only; /* the one to be played; 0: not only one */
	uint64_t seen; /* points that were passed or played */
	struct tally tally[SHIM_KINDS + 1];
} all = {.stride = 1};

static void
complain(const struct run *run, const char *what)
{
	(void)printf("#   point %llu: step %s, %s at %llu (%s): %s\n",
	    (unsigned long long)all.seen, day_steps[run->step].name,
	    run->leap_at != 0 ? "clock" : shim_kind_name(run->kind),
	    (unsigned long long)(run->leap_at != 0 ? run->leap_at : run->at),
	    run_keep->hit, what);
}

static bool
is_kill(const struct run *run)
{
	return run->leap_at == 0 &&
	    (run->kind == SHIM_KILL || run->kind == SHIM_TORN ||
		run->kind == SHIM_NO_RANDOM);
}

/* The run with the fault; false: it is broken. */
static bool
with_fault(const struct run *run, struct tally *tally)
{
	int status = run_process(run);

	if (is_kill(run)) {
		tally->left++;
		if (WIFEXITED(status) &&
		    WEXITSTATUS(status) == SHIM_EXIT_KILLED)
			return true;
		complain(run, "it was not killed");
		return false;
	}
	tally->left += run_keep->end[0] != '\0';
	if (status != 0) {
		complain(run, "it does not end as it should");
		return false;
	}
	if (run->leap_at == 0 && !run_keep->fired) {
		complain(run, "nothing was hit");
		return false;
	}
	return true;
}

static bool
point(const struct run *run, struct tally *tally)
{
	run_back(run->step);
	if (!with_fault(run, tally))
		return false;
	if (run_again(run->step))
		return true;
	complain(run, "what came then is broken");
	return false;
}

/* ---- all of them -------------------------------------------------------- */

static void
maybe(const struct run *run, struct tally *tally)
{
	tally->all++;
	all.seen++;
	if (all.only != 0 ? all.seen != all.only
			  : (all.seen - 1) % all.stride != all.offset)
		return;
	tally->done++;
	if (!point(run, tally))
		tally->broken++;
}

static void
say_step(size_t step, const struct tally *before)
{
	uint64_t done = 0, was = 0, bad = 0;
	size_t i;

	for (i = 0; i <= SHIM_KINDS; i++) {
		done += all.tally[i].done;
		was += before[i].done;
		bad += all.tally[i].broken;
	}
	(void)printf("# %-10s %6llu points, %llu broken so far\n",
	    day_steps[step].name, (unsigned long long)(done - was),
	    (unsigned long long)bad);
	(void)fflush(stdout);
}

/* Years, to either side: nobody goes along with that. */
static void
leaps(size_t step)
{
	static const int64_t days[] = {-3650, -365, -1, 365, 3650};
	struct run run = {.step = step};
	size_t i;

	for (run.leap_at = 1; run.leap_at <= run_ops(step); run.leap_at++)
		for (i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
			run.leap_ms = days[i] * 86400000;
			maybe(&run, &all.tally[SHIM_KINDS]);
		}
}

static void
every_point(size_t step)
{
	struct tally before[SHIM_KINDS + 1];
	struct run run = {.step = step};
	uint64_t n;
	int kind;

	memcpy(before, all.tally, sizeof(before));
	for (kind = 0; kind < SHIM_KINDS; kind++) {
		run.kind = (enum shim_kind)kind;
		n = run_count(step, shim_class_of(run.kind));
		for (run.at = 1; run.at <= n; run.at++)
			maybe(&run, &all.tally[kind]);
	}
	leaps(step);
	say_step(step, before);
}

static uint64_t
count_points(void)
{
	uint64_t n = 0;
	size_t step;
	int kind;

	for (step = 0; step < DAY_STEPS; step++) {
		for (kind = 0; kind < SHIM_KINDS; kind++)
			n += run_count(
			    step, shim_class_of((enum shim_kind)kind));
		n += 5 * run_ops(step);
	}
	return n;
}

/*
 * Of a commit that is a lie in the midst of a step not one may pass.  Where
 * the store is copied it may be the copy's, which is looked at and made anew.
 */
static uint64_t
lies(void)
{
	struct run run = {.kind = SHIM_LIE};
	uint64_t n = 0, believed = 0;
	struct tally tally = {0};

	say_hush();
	for (run.step = 1; run.step < DAY_STEPS; run.step++) {
		if (run_copies(run.step))
			continue;
		n++;
		run.at = run_count(run.step, SHIM_COMMIT) / 2 + 1;
		believed += point(&run, &tally);
	}
	say_on();
	(void)printf("# %llu lies, %llu were not found out\n",
	    (unsigned long long)n, (unsigned long long)believed);
	return believed;
}

static uint64_t
summary(void)
{
	uint64_t done = 0, bad = 0;
	const struct tally *t;
	int kind;

	for (kind = 0; kind <= SHIM_KINDS; kind++) {
		t = &all.tally[kind];
		(void)printf("# %-18s %6llu of %6llu, the vault left %6llu "
			     "times\n",
		    kind == SHIM_KINDS ? "clock leaps"
				       : shim_kind_name((enum shim_kind)kind),
		    (unsigned long long)t->done, (unsigned long long)t->all,
		    (unsigned long long)t->left);
		done += t->done;
		bad += t->broken;
	}
	(void)printf("%llu points, %llu broken\n", (unsigned long long)done,
	    (unsigned long long)bad);
	return bad + (done == 0);
}

int
main(int argc, char **argv)
{
	uint64_t want, n;
	size_t step;

	want = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
	if (argc > 2 && strcmp(argv[1], "only") == 0)
		all.only = strtoull(argv[2], NULL, 10);
	run_make(NULL);
	for (step = 0; step < DAY_STEPS; step++)
		run_rehearse(step, run_process);
	n = count_points();
	if (want > 0 && want < n) {
		all.stride = n / want;
		all.offset =
		    (argc > 2 ? strtoull(argv[2], NULL, 10) : 0) % all.stride;
	}
	(void)printf("# %llu points, every %lluth from %llu on\n",
	    (unsigned long long)n, (unsigned long long)all.stride,
	    (unsigned long long)all.offset);
	for (step = 0; step < DAY_STEPS; step++)
		every_point(step);
	n = lies() + summary();
	run_unmake();
	return n == 0 ? 0 : 1;
}
