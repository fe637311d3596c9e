/*
 * Faults in what is done without the daemon: each call of a verb that can fail
 * does so once, and each that writes is once the last.  The start of the vault
 * is one of them.
 *
 * Afterwards there is the registry from before or the one that the verb makes,
 * and nothing between them: the same secrets open it, it is in the same state,
 * every row is fine.  Who says that it was done has done it, with every file;
 * who says that it was not says why, and leaves nothing behind; and the verb
 * comes to its end when it is said again.  What only looks says the same as
 * ever, or that something is wrong.
 *
 * usage: offline [N [OFFSET]]   about N of all points, every k-th from OFFSET
 *        offline only POINT      the one of that number
 *        offline verb NAME       all of that verb
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cdop/secret.h"
#include "server/base/control.h"
#include "server/base/log.h"
#include "tests/fault/say.h"
#include "tests/fault/shim.h"
#include "tests/fault/verbs.h"

#define SECONDS    60
#define SEED       0x0ff1
#define SEED_AGAIN 0x0ff2
#define NEAR       2
#define NAME       (sizeof("fine     metrics_file ") - 1)
#define START_MS   1795600001000ull
#define VERBS      16

/* Of the one under way; processes share it. */
struct known {
	struct verbs_state state;
	uint64_t count[SHIM_CLASSES];
	bool fired;
	char hit[32];
};

/* Of each verb without a fault. */
struct usual {
	struct verbs_state before, after, twice;
	uint64_t count[SHIM_CLASSES];
	int status;
	char said[VERBS_TEXT];
};

static struct known *known;
static struct usual usual[VERBS];
static char said[VERBS_TEXT], told[VERBS_TEXT];
static char first_said[VERBS_TEXT], first_told[VERBS_TEXT]; /* the fault's */

static struct {
	uint64_t stride, offset;
	uint64_t only;    /* the one to be played; 0: not only one */
	const char *verb; /* the one to be played; NULL: all */
	uint64_t seen, done, broken;
} all = {.stride = 1};

/* ---- processes ---------------------------------------------------------- */

static void
read_text(const char *name, char text[static VERBS_TEXT])
{
	int fd = open(verbs_outside(name), O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? 0 : read(fd, text, VERBS_TEXT - 1);

	text[n < 0 ? 0 : n] = '\0';
	if (fd != -1)
		(void)close(fd);
}

static void
speak_into(const char *name, int fd)
{
	int to = open(verbs_outside(name),
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	require(to != -1 && dup2(to, fd) == fd, "an output");
	(void)close(to);
}

/* Its exit status; what it said and told is read. */
static int
process(void (*fn)(const struct verb *verb), const struct verb *verb)
{
	int status;
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	require(pid != -1, "a process");
	if (pid == 0) {
		(void)alarm(SECONDS);
		speak_into("said", STDOUT_FILENO);
		speak_into("told", STDERR_FILENO);
		fn(verb);
		_exit(SAY_EXIT_BROKEN);
	}
	require(waitpid(pid, &status, 0) == pid, "its end");
	read_text("said", said);
	read_text("told", told);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void
do_verb(const struct verb *verb)
{
	int status, i;

	shim_on();
	status = verb->run();
	shim_off();
	for (i = 0; i < SHIM_CLASSES; i++)
		known->count[i] = shim_count((enum shim_class)i);
	exit(status); /* leaks are looked for */
}

static void
do_state(const struct verb *verb)
{
	verbs_state(verb, &known->state);
	_exit(0);
}

static const struct verbs_state *
state_now(const struct verb *verb)
{
	shim_plan(SHIM_EIO, 0);
	if (process(do_state, verb) != 0)
		broken("what there is cannot be said: %s", told);
	return &known->state;
}

static int
run_verb(
    const struct verb *verb, uint64_t seed, enum shim_kind kind, uint64_t at)
{
	int status;

	shim_reset(seed, START_MS);
	shim_plan(kind, at);
	status = process(do_verb, verb);
	known->fired = shim_fired();
	(void)snprintf(known->hit, sizeof(known->hit), "%s", shim_hit());
	return status;
}

/* ---- what has to hold --------------------------------------------------- */

static const struct verb *verb_now;
static enum shim_kind kind_now;
static uint64_t at_now;

static bool
complain(const char *what)
{
	const struct verbs_state *s = &known->state;

	(void)printf(
	    "#   point %llu: %s, %s at %llu (%s): %s\n"
	    "---- said\n%.500s\n---- told\n%.1000s\n---- there is\n%s%s",
	    (unsigned long long)all.seen, verb_now->name,
	    shim_kind_name(kind_now), (unsigned long long)at_now, known->hit,
	    what, first_said, first_told, s->core, s->files);
	return false;
}

static bool
is_kill(void)
{
	return kind_now == SHIM_KILL || kind_now == SHIM_TORN ||
	    kind_now == SHIM_NO_RANDOM;
}

static bool
is_core(const struct verbs_state *wanted)
{
	return strcmp(known->state.core, wanted->core) == 0;
}

static bool
is_files(const struct verbs_state *wanted)
{
	return strcmp(known->state.files, wanted->files) == 0;
}

/* But for what is said to be there. */
static bool
is_files_but(const struct verbs_state *wanted)
{
	return is_files(wanted) ||
	    strstr(first_told, "cannot be taken away") != NULL ||
	    strstr(first_told, "what was made for it is kept") != NULL ||
	    strstr(first_told, "is written, and that could not be noted") !=
	    NULL;
}

/* A registry that init was cut off in opens with nothing. */
static bool
is_cut(const struct verb *verb)
{
	return verb->is_first &&
	    strstr(known->state.core, "data: nothing that opens\n") != NULL;
}

/* Statuses that keep a service from being started again have to be right. */
static bool
is_good_status(const struct verb *verb, int status)
{
	/* A disk that fails says EIO, or writes half. */
	bool damaged = kind_now == SHIM_EIO || kind_now == SHIM_LMDB_EIO ||
	    kind_now == SHIM_LMDB_UNKNOWN || kind_now == SHIM_HALF;

	if (status < 0 || strstr(told, "Sanitizer") != NULL ||
	    strstr(told, "runtime error") != NULL)
		return complain("it ends as no program does");
	if (status != 0 && told[0] == '\0' && said[0] == '\0')
		return complain("it does not say why it failed");
	if (strcmp(verb->name, "start of the vault") == 0 &&
	    (status == CONTROL_EXIT_CONFIG ||
		(status == CONTROL_EXIT_DATA && !damaged)))
		return complain("it would not be started again");
	return true;
}

/* What was seen to be fine was so without a fault, too. */
static bool
looks_right(const struct usual *u, int status)
{
	const char *at, *end;
	size_t len;

	if (status == 0 && strcmp(said, u->said) != 0)
		return complain("it is content, and says something else");
	for (at = said; *at != '\0'; at = *end == '\0' ? end : end + 1) {
		end = strchrnul(at, '\n');
		/* Its name alone: others use the disk as well. */
		len = (size_t)(end - at) < NAME ? (size_t)(end - at) : NAME;
		if (strncmp(at, "fine", 4) == 0 &&
		    memmem(u->said, strlen(u->said), at, len) == NULL)
			return complain("it calls fine what is not");
	}
	return true;
}

static bool
ended_well(const struct verb *verb, const struct usual *u, int status)
{
	if (!is_good_status(verb, status))
		return false;
	if (verb->only_looks && !looks_right(u, status))
		return false;
	(void)state_now(verb);
	if (status == 0)
		return (is_core(&u->after) && is_files_but(&u->after)) ||
		    complain("it says that it was done");
	if (is_core(&u->before))
		return is_files_but(&u->before) ||
		    complain("it failed, and left something");
	return is_core(&u->after) || complain("it is neither old nor new");
}

static bool
was_killed(const struct verb *verb, const struct usual *u, int status)
{
	/* The walk of verify is a process of its own. */
	if (status != SHIM_EXIT_KILLED && !verb->only_looks)
		return complain("it was not killed");
	(void)state_now(verb);
	return is_core(&u->before) || is_core(&u->after) || is_cut(verb) ||
	    complain("killed, it is neither old nor new");
}

/* Once more, over what is there; then over what a person would leave. */
static bool
again(const struct verb *verb, const struct usual *u)
{
	struct verbs_state was = known->state;
	bool is_mute;
	int status;

	status = run_verb(verb, SEED_AGAIN, SHIM_EIO, 0);
	is_mute = told[0] == '\0';
	(void)state_now(verb);
	if (strcmp(was.core, u->after.core) == 0 &&
	    strcmp(u->before.core, u->after.core) != 0)
		return is_core(&u->after) || is_core(&u->twice) ||
		    complain("again, it is neither once nor twice");
	if (status != u->status) {
		if (is_mute)
			return complain("again, it does not say why not");
		if (strcmp(known->state.core, was.core) != 0)
			return complain("again, it refuses and does something");
		verbs_tidy(verb);
		status = run_verb(verb, SEED_AGAIN, SHIM_EIO, 0);
		(void)state_now(verb);
	}
	if (status != u->status)
		return complain("again, it does not come to its end");
	return is_core(&u->after) || complain("again, it is another end");
}

static bool
point(const struct verb *verb, const struct usual *u)
{
	uint64_t at = at_now;
	int status;
	bool good;

	/* What looks at the machine makes a call more or less. */
	do {
		verbs_place(verb);
		status = run_verb(verb, SEED, kind_now, at);
	} while (!known->fired && at-- + NEAR > at_now);
	memcpy(first_said, said, sizeof(first_said));
	memcpy(first_told, told, sizeof(first_told));
	if (!known->fired)
		return complain("nothing was hit");
	good = is_kill() ? was_killed(verb, u, status)
			 : ended_well(verb, u, status);
	return good && again(verb, u);
}

/* ---- all of them -------------------------------------------------------- */

static void
rehearse(const struct verb *verb, struct usual *u)
{
	verbs_place(verb);
	u->before = *state_now(verb);
	verbs_place(verb); /* whoever looked has left a lock file */
	u->status = run_verb(verb, SEED, SHIM_EIO, 0);
	memcpy(u->count, known->count, sizeof(u->count));
	memcpy(u->said, said, sizeof(u->said));
	if (u->status != 0 && strcmp(verb->name, "check") != 0)
		broken("%s does not go through: %s", verb->name, told);
	u->after = *state_now(verb);
	if (verb->adds)
		verbs_tidy(verb);
	(void)run_verb(verb, SEED_AGAIN, SHIM_EIO, 0);
	u->twice = *state_now(verb);
	if (verb->only_looks && strcmp(u->before.core, u->after.core) != 0)
		broken("%s does not only look", verb->name);
}

static void
maybe(const struct verb *verb, const struct usual *u)
{
	all.seen++;
	if (all.only != 0 ? all.seen != all.only
			  : (all.seen - 1) % all.stride != all.offset)
		return;
	all.done++;
	if (!point(verb, u))
		all.broken++;
}

static uint64_t
count_points(const struct usual *u)
{
	uint64_t n = 0;
	int kind;

	for (kind = 0; kind < SHIM_KINDS; kind++)
		n += u->count[shim_class_of((enum shim_kind)kind)];
	return n;
}

static void
play(const struct verb *verb, const struct usual *u)
{
	uint64_t done = all.done, n;
	int kind;

	if (all.verb != NULL && strcmp(all.verb, verb->name) != 0) {
		all.seen += count_points(u); /* each keeps its number */
		return;
	}
	verb_now = verb;
	for (kind = 0; kind < SHIM_KINDS; kind++) {
		kind_now = (enum shim_kind)kind;
		n = u->count[shim_class_of(kind_now)];
		for (at_now = 1; at_now <= n; at_now++)
			maybe(verb, u);
	}
	(void)printf("# %-18s %6llu points, %llu broken so far\n", verb->name,
	    (unsigned long long)(all.done - done),
	    (unsigned long long)all.broken);
	(void)fflush(stdout);
}

static void
prepare(void)
{
	must(cdop_secret_init(), "libsodium");
	log_init("cdopd", LOG_LEVEL_ERROR);
	known = mmap(NULL, sizeof(*known), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	require(known != MAP_FAILED, "memory that is shared");
	require(n_verbs <= VERBS, "room for verbs");
	shim_share();
	verbs_make();
	shim_watch(NULL, verbs_folder());
}

int
main(int argc, char **argv)
{
	uint64_t want, n = 0;
	size_t i;

	want = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
	if (argc > 2 && strcmp(argv[1], "only") == 0)
		all.only = strtoull(argv[2], NULL, 10);
	if (argc > 2 && strcmp(argv[1], "verb") == 0)
		all.verb = argv[2];
	prepare();
	for (i = 0; i < n_verbs; i++) {
		rehearse(&verbs[i], &usual[i]);
		n += count_points(&usual[i]);
	}
	if (want > 0 && want < n) {
		all.stride = n / want;
		all.offset =
		    (argc > 2 ? strtoull(argv[2], NULL, 10) : 0) % all.stride;
	}
	(void)printf("# %llu points, every %lluth from %llu on\n",
	    (unsigned long long)n, (unsigned long long)all.stride,
	    (unsigned long long)all.offset);
	for (i = 0; i < n_verbs; i++)
		play(&verbs[i], &usual[i]);
	verbs_remove();
	(void)printf("%llu points, %llu broken\n", (unsigned long long)all.done,
	    (unsigned long long)all.broken);
	return all.broken > 0 || all.done == 0;
}
