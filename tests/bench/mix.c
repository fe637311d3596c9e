/*
 * Clients of a registry that call all the time: each a process with a link
 * of its own, over client/conn.h.  rotate.py drives it by lines on stdin;
 * each is answered by one line.
 *
 *     mix CLIENTS DEVICES IDENTITY...       client by client
 *
 *     fill N           N cases in all, several calls in flight
 *     load PHASE RATE  find, show, register, amend; RATE calls a second of
 *                      all together, 0: as fast as they are answered
 *     rest             nobody calls, and the links are closed
 *     stat PHASE       what came of the calls of a phase, as JSON
 *     raw FILE         MB/s of the row cipher at 1 KiB, flushes/s of FILE
 *
 * A call's time is from when it was due until it was answered, so that one
 * who is kept waiting counts the calls that wait behind it.  A call fails
 * that is refused, lost or answered with less than what was asked for.
 */
#include "tests/bench/mix.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/mix_child.h"

#define PHASES   64
#define STEPS    64 /* of a power of two, in a histogram */
#define BUCKETS  (26 * STEPS)
#define CLIENTS  64
#define WINDOW   16 /* calls in flight while it is filled */
#define ROW      1024
#define RAW_US   400000
#define FLUSH    65536
#define FILE_LEN (16u << 20)
#define CASES    400000

enum mode {
	MODE_REST,
	MODE_FILL,
	MODE_LOAD
};

/* What all processes share; the driver writes the upper part. */
struct board {
	_Atomic uint32_t turn; /* grows with each order */
	_Atomic uint32_t mode;
	_Atomic uint32_t phase;
	_Atomic uint32_t rate;
	_Atomic uint32_t share[CLIENTS]; /* cases that each should have */

	_Atomic uint32_t seen[CLIENTS]; /* orders that a client has taken */
	_Atomic uint32_t cases[CLIENTS];
	_Atomic uint64_t cpu_us[CLIENTS];
	_Atomic uint32_t failed[PHASES];
	_Atomic uint32_t max_us[PHASES];
	_Atomic uint32_t count[PHASES][MIX_KINDS][BUCKETS];
};

static struct board *board;

static uint64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void
sleep_until(uint64_t us)
{
	struct timespec ts = {
	    (time_t)(us / 1000000), (long)(us % 1000000) * 1000};

	while (
	    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		continue;
}

/* ---- histograms -------------------------------------------------------- */

/* 64 us and less by the microsecond, then 64 steps to each doubling. */
static size_t
bucket_of(uint64_t us)
{
	unsigned shift = 0;

	while (us >> shift >= 2 * STEPS)
		shift++;
	us = shift * STEPS + (us >> shift);
	return us < BUCKETS ? us : BUCKETS - 1;
}

static uint64_t
us_of(size_t bucket)
{
	size_t shift = bucket < 2 * STEPS ? 0 : bucket / STEPS - 1;

	return (uint64_t)(bucket - shift * STEPS) << shift;
}

static void
note(uint32_t phase, enum mix_kind kind, uint64_t us, bool good)
{
	uint32_t was = atomic_load(&board->max_us[phase]);

	if (!good)
		atomic_fetch_add(&board->failed[phase], 1);
	atomic_fetch_add(&board->count[phase][kind][bucket_of(us)], 1);
	while (us > was &&
	    !atomic_compare_exchange_weak(
		&board->max_us[phase], &was, (uint32_t)us))
		continue;
}

/* ---- a client ---------------------------------------------------------- */

static void
tell_cpu(unsigned me)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	atomic_store(&board->cpu_us[me],
	    (uint64_t)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000 +
		(uint64_t)(use.ru_utime.tv_usec + use.ru_stime.tv_usec));
}

static void
fill(struct mix_client *client, const struct mix_book *book, unsigned me,
    uint32_t phase)
{
	uint32_t flying = 0, left = atomic_load(&board->share[me]);
	uint64_t since = now_us();

	while (left > 0 || flying > 0) {
		for (; left > 0 && flying < WINDOW; flying++, left--)
			mix_send(client, MIX_REGISTER);
		if (!mix_take(client))
			exit(1);
		note(phase, MIX_REGISTER, now_us() - since, true);
		flying--;
		atomic_store(&board->cases[me], book->n);
	}
}

static void
load(struct mix_client *client, unsigned me, uint32_t turn, unsigned n)
{
	uint32_t phase = atomic_load(&board->phase);
	uint32_t rate = atomic_load(&board->rate);
	uint64_t each = rate == 0 ? 0 : 1000000ull * n / rate;
	uint64_t due = now_us() + each * me / n;
	enum mix_kind kind;
	bool good;

	while (atomic_load(&board->turn) == turn) {
		if (each > 0)
			sleep_until(due);
		else
			due = now_us();
		kind = mix_pick(client);
		mix_send(client, kind);
		good = mix_take(client);
		note(phase, kind, now_us() - due, good);
		due += each;
	}
}

static void
serve(unsigned me, unsigned n, char **identity, unsigned devices)
{
	struct mix_book *book = mix_book_new(CASES, me * 100000);
	struct mix_client *client = mix_new(me, identity, devices, book);
	uint32_t turn = 0, mode;

	for (;;) {
		if (atomic_load(&board->turn) == turn) {
			sleep_until(now_us() + 1000);
			continue;
		}
		turn = atomic_load(&board->turn);
		mode = atomic_load(&board->mode);
		if (mode == MODE_REST)
			mix_hang_up(client);
		else
			mix_ready(client);
		if (mode == MODE_LOAD)
			atomic_store(&board->seen[me], turn);
		if (mode == MODE_LOAD)
			load(client, me, turn, n);
		atomic_store(&board->cases[me], book->n);
		if (mode == MODE_FILL)
			fill(client, book, me, 0);
		tell_cpu(me);
		atomic_store(&board->seen[me], turn);
	}
}

/* ---- the driver -------------------------------------------------------- */

static void
order(enum mode mode, uint32_t phase, uint32_t rate)
{
	atomic_store(&board->mode, mode);
	atomic_store(&board->phase, phase);
	atomic_store(&board->rate, rate);
	atomic_fetch_add(&board->turn, 1);
}

/* Until all have come to it; an order to fill is one that is done. */
static void
wait_seen(unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		while (
		    atomic_load(&board->seen[i]) != atomic_load(&board->turn))
			sleep_until(now_us() + 2000);
}

static void
begin_fill(unsigned n, uint32_t cases)
{
	unsigned i;

	for (i = 0; i < n; i++)
		atomic_store(
		    &board->share[i], cases / n + (i < cases % n ? 1 : 0));
	order(MODE_FILL, 0, 0);
}

static uint64_t
count_of(uint32_t phase, int kind, size_t bucket)
{
	uint64_t sum = 0;
	int k;

	for (k = 0; k < MIX_KINDS; k++)
		if (kind < 0 || kind == k)
			sum += board->count[phase][k][bucket];
	return sum;
}

/* Calls of a kind, -1: all, and where so many per mille of them were done. */
static uint64_t
quantile(uint32_t phase, int kind, uint64_t mille, uint64_t *ret_calls)
{
	uint64_t sum = 0, at = 0;
	size_t i;

	for (i = 0; i < BUCKETS; i++)
		sum += count_of(phase, kind, i);
	*ret_calls = sum;
	for (i = 0; i < BUCKETS; i++) {
		at += count_of(phase, kind, i);
		if (at > 0 && at * 1000 >= sum * mille)
			break;
	}
	return us_of(i < BUCKETS ? i : 0);
}

static void
tell(uint32_t phase, unsigned n)
{
	static const char *const names[] = {
	    "find", "show", "register", "amend", "list", "scan"};
	uint64_t calls, cases = 0, cpu = 0, p50, p99;
	unsigned i;
	int kind;

	for (i = 0; i < n; i++) {
		cases += board->cases[i];
		cpu += board->cpu_us[i];
	}
	p50 = quantile(phase, -1, 500, &calls);
	p99 = quantile(phase, -1, 990, &calls);
	printf("{\"calls\":%llu,\"failed\":%u,\"p50\":%llu,\"p99\":%llu,"
	       "\"max\":%u,\"cases\":%llu,\"cpu_us\":%llu",
	    (unsigned long long)calls, board->failed[phase],
	    (unsigned long long)p50, (unsigned long long)p99,
	    board->max_us[phase], (unsigned long long)cases,
	    (unsigned long long)cpu);
	for (kind = 0; kind < MIX_KINDS; kind++) {
		p50 = quantile(phase, kind, 500, &calls);
		p99 = quantile(phase, kind, 990, &calls);
		printf(",\"%s\":[%llu,%llu,%llu]", names[kind],
		    (unsigned long long)calls, (unsigned long long)p50,
		    (unsigned long long)p99);
	}
	printf("}\n");
}

/* The same 64 KiB over and over, as a commit does at the least. */
static void
raw(const char *path)
{
	static uint8_t bytes[FLUSH];
	uint64_t since, us, rows = 0, flushes = 0;
	off_t at = 0;
	int fd;

	for (since = now_us(); (us = now_us() - since) < RAW_US; rows += 64)
		mix_cipher(64, ROW);
	printf("{\"mb_s\":%.1f,", (double)(rows * ROW) / (double)us);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || posix_fallocate(fd, 0, FILE_LEN) != 0)
		exit(1);
	for (since = now_us(); (us = now_us() - since) < RAW_US; flushes++) {
		if (pwrite(fd, bytes, FLUSH, at) != FLUSH || fdatasync(fd) != 0)
			exit(1);
		at = (at + FLUSH) % FILE_LEN;
	}
	close(fd);
	printf("\"flushes_s\":%.1f}\n", (double)flushes * 1e6 / (double)us);
}

static void
obey(char *line, unsigned n)
{
	char path[4096];
	unsigned a, b;

	if (sscanf(line, "fill %u", &a) == 1) {
		begin_fill(n, a);
		printf("ok\n");
	} else if (sscanf(line, "load %u %u", &a, &b) == 2 && a < PHASES) {
		order(MODE_LOAD, a, b);
		wait_seen(n);
		printf("ok\n");
	} else if (strcmp(line, "rest\n") == 0) {
		order(MODE_REST, 0, 0);
		wait_seen(n);
		printf("ok\n");
	} else if (sscanf(line, "stat %u", &a) == 1 && a < PHASES) {
		tell(a, n);
	} else if (sscanf(line, "raw %4095s", path) == 1) {
		raw(path);
	} else {
		printf("?\n");
	}
	fflush(stdout);
}

/* One has said why, and what is left is no measurement. */
static void
lost(int sig)
{
	(void)sig;
	_exit(1);
}

static void
spawn(unsigned i, unsigned n, char **identity, unsigned devices)
{
	pid_t pid = fork();

	if (pid < 0)
		exit(1);
	if (pid > 0)
		return;
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	serve(i, n, identity, devices);
}

static unsigned
number(int argc, char **argv, int i)
{
	return i < argc ? (unsigned)strtoul(argv[i], NULL, 10) : 0;
}

int
main(int argc, char **argv)
{
	unsigned n = number(argc, argv, 1), i;
	unsigned devices = number(argc, argv, 2);
	char line[8192];

	if (n == 0 || n > CLIENTS || devices == 0 ||
	    (unsigned)argc != 3 + n * devices) {
		fprintf(stderr, "mix CLIENTS DEVICES IDENTITY...\n");
		return 2;
	}
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (board == MAP_FAILED)
		return 1;
	(void)signal(SIGCHLD, lost);
	for (i = 0; i < n; i++)
		spawn(i, n, argv + 3 + i * devices, devices);
	while (fgets(line, sizeof(line), stdin) != NULL)
		obey(line, n);
	/* The children go with their parent. */
	return 0;
}
