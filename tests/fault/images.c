/*
 * The power goes at any moment of the day: every directory that could then be
 * found is made and looked at.
 *
 * The day is played once while every write, sync and name is recorded, with
 * what clients knew at each moment.  For each moment there are images: all
 * that was not synced is there, or nothing of it; one write is lost, or all
 * but one; one is torn; some are lost, by a seed; the lengths are there and
 * the bytes are not; the names are as they were.  A vault is opened on each,
 * the step is played to its end, and everything is compared with a day whose
 * power stayed: see run.h.
 *
 * usage: images [N [OFFSET]]   about N of all images, every k-th from OFFSET on
 *        images only IMAGE     the one of that number
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fault/record.h"
#include "tests/fault/run.h"
#include "tests/fault/say.h"

#define MOMENTS_MAX 16384
#define EACH        10 /* writes that are lost one by one, of one sync */
#define SEEDS       3

/* What clients knew, and the anchor that was there. */
struct moment {
	size_t step;
	struct keep keep;
	char anchor[1024];
	size_t anchor_len;
};

static struct moment *moments[MOMENTS_MAX];
static size_t n_moments;
static size_t step_now;

static struct {
	uint64_t stride, offset;
	uint64_t only;
	uint64_t seen, done, broken;
	uint64_t of[RECORD_LOSSES];
} all = {.stride = 1};

/* ---- recording ---------------------------------------------------------- */

static void
anchor_path(char path[static 2 * HOUSE_PATH])
{
	(void)snprintf(path, 2 * HOUSE_PATH, "%s/anchor", run_place.anchor);
}

static size_t
said(void)
{
	static struct moment new;
	const struct moment *last;
	char path[2 * HOUSE_PATH];
	ssize_t n;
	int fd;

	new.step = step_now;
	new.keep = *run_keep;
	anchor_path(path);
	memset(new.anchor, 0, sizeof(new.anchor));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd == -1 ? 0 : read(fd, new.anchor, sizeof(new.anchor));
	if (fd != -1)
		(void)close(fd);
	new.anchor_len = n < 0 ? 0 : (size_t)n;
	last = n_moments == 0 ? NULL : moments[n_moments - 1];
	if (last != NULL && last->step == new.step)
		new.keep.now_ms = last->keep.now_ms;
	if (last != NULL && memcmp(last, &new, sizeof(new)) == 0)
		return n_moments - 1;
	new.keep.now_ms = run_keep->now_ms;
	require(n_moments < MOMENTS_MAX, "room for moments");
	moments[n_moments] = malloc(sizeof(new));
	require(moments[n_moments] != NULL, "room for a moment");
	*moments[n_moments] = new;
	return n_moments++;
}

static int
play_recorded(const struct run *run)
{
	step_now = run->step;
	record_start(&run_place, said);
	run_play(run);
	(void)alarm(0); /* this process goes on */
	record_stop();
	return 0;
}

/* ---- images ------------------------------------------------------------- */

static void
look(size_t end, enum record_loss loss, size_t n)
{
	const struct moment *moment = moments[record_said()];
	char path[2 * HOUSE_PATH];
	int fd;

	all.seen++;
	if (all.only != 0 ? all.seen != all.only
			  : (all.seen - 1) % all.stride != all.offset)
		return;
	all.done++;
	all.of[loss]++;
	*run_keep = moment->keep;
	record_image(&run_place, loss, n);
	anchor_path(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	require(fd != -1, path);
	require(write(fd, moment->anchor, moment->anchor_len) ==
		(ssize_t)moment->anchor_len,
	    "an anchor");
	(void)close(fd);
	if (moment->anchor_len == 0)
		(void)unlink(path);
	if (run_again(moment->step))
		return;
	all.broken++;
	(void)printf("#   image %llu: step %s, event %zu, %s (%zu)\n",
	    (unsigned long long)all.seen, day_steps[moment->step].name, end,
	    record_loss_name(loss), n);
}

/* What can be lost just before a sync. */
static void
losses(size_t end)
{
	size_t n = record_pending(), i, stride = n / EACH + 1;

	look(end, RECORD_ALL, 0);
	look(end, RECORD_NAMES, 0);
	look(end, RECORD_DATA, 0);
	for (i = end % stride; i < n; i += stride) {
		look(end, RECORD_ONE, i);
		look(end, RECORD_BUT_ONE, i);
		look(end, RECORD_TORN, i);
	}
	for (i = 1; i <= SEEDS && n > 1; i++)
		look(end, RECORD_SOME, end + i);
}

static void
every_image(void)
{
	size_t end;

	for (end = 1; end <= record_events(); end++) {
		record_go(end);
		if (record_is_change())
			look(end, RECORD_NOTHING, 0);
		if (record_is_before_sync())
			losses(end);
	}
}

/* How many there are, without making one. */
static void
count_images(void)
{
	all.only = UINT64_MAX;
	every_image();
	record_rewind();
	all.only = 0;
}

/* A disk that does not sync is found out. */
static bool
lies_are_found(uint64_t n)
{
	uint64_t done = all.done, bad = all.broken, found;

	record_lie(true);
	all.only = 0;
	all.seen = 0;
	all.stride = n / 25 + 1;
	all.offset = all.stride / 2;
	say_hush();
	every_image();
	say_on();
	found = all.broken - bad;
	(void)printf("# of %llu images of a disk that lies %llu are broken\n",
	    (unsigned long long)(all.done - done), (unsigned long long)found);
	all.done = done;
	all.broken = bad;
	return found > 0;
}

int
main(int argc, char **argv)
{
	uint64_t want, n;
	size_t step;
	int loss;

	want = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
	run_make(NULL);
	for (step = 0; step < DAY_STEPS; step++)
		run_rehearse(step, play_recorded);
	count_images();
	n = all.seen;
	all.seen = 0;
	if (argc > 2 && strcmp(argv[1], "only") == 0)
		all.only = strtoull(argv[2], NULL, 10);
	if (want > 0 && want < n) {
		all.stride = n / want;
		all.offset =
		    (argc > 2 ? strtoull(argv[2], NULL, 10) : 0) % all.stride;
	}
	(void)printf("# %zu events, %zu moments, %llu images, every %lluth "
		     "from %llu on\n",
	    record_events(), n_moments, (unsigned long long)n,
	    (unsigned long long)all.stride, (unsigned long long)all.offset);
	every_image();
	for (loss = 0; loss < RECORD_LOSSES; loss++)
		(void)printf("# %-18s %6llu images\n",
		    record_loss_name((enum record_loss)loss),
		    (unsigned long long)all.of[loss]);
	if (!lies_are_found(n))
		all.broken++;
	run_unmake();
	(void)printf("%llu points, %llu broken\n", (unsigned long long)all.done,
	    (unsigned long long)all.broken);
	return all.broken > 0 || all.done == 0;
}
