/*
 * Many clients of a registry in one process, each with a link of its own,
 * over client/conn.h.  bench.py drives it by lines on stdin; each is answered
 * by one line of JSON.
 *
 *     drive IDENTITY...                client by client
 *
 *     do KIND CLIENTS CALLS MS WINDOW  so many calls, or for so long, whatever
 *                                      ends first (0: without end); of each
 *                                      client WINDOW at a time
 *     stop                             ends one without an end; not answered
 *     shake CLIENTS N                  N links made and ended, with the
 *                                      answer to Hello; a process a client
 *     rest                             ends all links
 *     read FILE | write FILE           the book of cases
 *
 * KIND is find, show, register, amend, list, scan, or mix (of ten four find,
 * four show, one registers, one amends).  A call fails that is refused, lost
 * or answered with less than what was asked for; its time is from before it
 * is packed to after its answer is looked at, and CPU is of this process.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/mix.h"
#include "tests/bench/mix_child.h"

#define CLIENTS_MAX 128
#define FEW         8 /* clients, where not all are asked for */
#define WINDOW_MAX  64
#define CASES_MAX   1200000
#define CALLS_MAX   (4u << 20)
#define STUCK_MS    60000 /* no answer to anybody: it is given up */
#define MIXED       MIX_KINDS

struct client {
	struct mix_client *mix;
	uint64_t since_us[WINDOW_MAX]; /* a ring: answers keep their order */
	unsigned head, flying;
};

struct run {
	unsigned kind, clients, window;
	uint64_t calls, until_us; /* 0: without end */
	uint64_t sent, done, failed, listed, bytes;
	bool ends;
};

static struct client client[CLIENTS_MAX];
static struct pollfd fds[CLIENTS_MAX + 1];
static unsigned n_clients, turn;
static struct mix_book *book;
static uint32_t *took_us;

static const char *const kinds[] = {
    "find", "show", "register", "amend", "list", "scan", "mix"};

static uint64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static uint64_t
cpu_us(int who)
{
	struct rusage use;

	getrusage(who, &use);
	return (uint64_t)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000 +
	    (uint64_t)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

/* Each run begins with others: none has more calls than it may have. */
static struct client *
at(unsigned i)
{
	return &client[(turn + i) % n_clients];
}

/* ---- calls ------------------------------------------------------------- */

static bool
may_send(struct run *run)
{
	if (run->sent == CALLS_MAX ||
	    (run->calls > 0 && run->sent == run->calls) ||
	    (run->until_us > 0 && now_us() >= run->until_us))
		run->ends = true;
	return !run->ends;
}

static void
send_some(struct run *run, struct client *c)
{
	unsigned last;

	while (c->flying < run->window && may_send(run)) {
		last = (c->head + c->flying) % WINDOW_MAX;
		c->since_us[last] = now_us();
		mix_send(c->mix,
		    run->kind == MIXED ? mix_pick(c->mix)
				       : (enum mix_kind)run->kind);
		run->bytes += mix_body_len(c->mix);
		c->flying++;
		run->sent++;
	}
}

static void
take_some(struct run *run, struct client *c)
{
	enum mix_answer answer;

	while (c->flying > 0 && (answer = mix_poll(c->mix)) != MIX_NONE) {
		if (answer == MIX_BAD)
			run->failed++;
		took_us[run->done++] =
		    (uint32_t)(now_us() - c->since_us[c->head]);
		c->head = (c->head + 1) % WINDOW_MAX;
		c->flying--;
	}
}

/* Behind the clients is stdin, whose next line ends what has no end. */
static bool
wait_for_some(struct run *run)
{
	unsigned n = run->clients, i;
	bool endless = run->calls == 0 && run->until_us == 0;

	for (i = 0; i < n; i++) {
		fds[i].fd = at(i)->flying > 0 ? mix_fd(at(i)->mix) : -1;
		fds[i].events = POLLIN;
	}
	fds[n].fd = endless && !run->ends ? STDIN_FILENO : -1;
	fds[n].events = POLLIN;
	if (poll(fds, n + 1, STUCK_MS) == 0) {
		fprintf(stderr, "drive: no answer for %d s\n", STUCK_MS / 1000);
		return false;
	}
	if (fds[n].revents != 0)
		run->ends = true;
	return true;
}

static void
run_calls(struct run *run)
{
	unsigned i;

	for (i = 0; i < run->clients; i++)
		send_some(run, at(i));
	while (run->done < run->sent) {
		if (!wait_for_some(run))
			exit(1);
		for (i = 0; i < run->clients; i++) {
			if (fds[i].fd < 0 || fds[i].revents == 0)
				continue;
			take_some(run, at(i));
			send_some(run, at(i));
		}
	}
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static uint32_t
quantile(uint64_t n, unsigned mille)
{
	return n == 0 ? 0 : took_us[(n - 1) * mille / 1000];
}

static uint64_t
listed(unsigned n)
{
	uint64_t sum = 0;

	while (n-- > 0)
		sum += mix_listed(at(n)->mix);
	return sum;
}

static bool
work(const char *kind, struct run *run, uint64_t ms)
{
	uint64_t since, cpu, us;
	unsigned i;

	for (run->kind = 0; run->kind <= MIXED; run->kind++)
		if (strcmp(kinds[run->kind], kind) == 0)
			break;
	if (run->kind > MIXED || run->clients == 0 ||
	    run->clients > n_clients || run->window == 0 ||
	    run->window > WINDOW_MAX)
		return false;
	turn += run->clients;
	for (i = 0; i < run->clients; i++)
		mix_ready(at(i)->mix);
	run->listed = listed(run->clients);
	cpu = cpu_us(RUSAGE_SELF);
	since = now_us();
	run->until_us = ms > 0 ? since + ms * 1000 : 0;
	run_calls(run);
	us = now_us() - since;
	cpu = cpu_us(RUSAGE_SELF) - cpu;
	qsort(took_us, run->done, sizeof(*took_us), compare);
	printf("{\"calls\":%llu,\"failed\":%llu,\"seconds\":%.6f,"
	       "\"cpu_s\":%.6f,\"p50_us\":%u,\"p99_us\":%u,\"max_us\":%u,"
	       "\"body\":%.1f,\"listed\":%llu,\"cases\":%u}\n",
	    (unsigned long long)run->done, (unsigned long long)run->failed,
	    (double)us / 1e6, (double)cpu / 1e6, quantile(run->done, 500),
	    quantile(run->done, 990), quantile(run->done, 1000),
	    run->sent > 0 ? (double)run->bytes / (double)run->sent : 0,
	    (unsigned long long)(listed(run->clients) - run->listed), book->n);
	return true;
}

/* ---- links ------------------------------------------------------------- */

static void
rest(void)
{
	unsigned i;

	for (i = 0; i < n_clients; i++)
		mix_hang_up(client[i].mix);
}

static void
shake_as(unsigned me, unsigned n)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (n-- > 0) {
		mix_ready(client[me].mix);
		mix_hang_up(client[me].mix);
	}
	_exit(0);
}

/* One that is refused ends its process, and the rest of its links fail. */
static void
shake(unsigned clients, unsigned n)
{
	uint64_t since, cpu = cpu_us(RUSAGE_CHILDREN);
	unsigned each = n / clients, i, lost = 0;
	int status;

	rest();
	since = now_us();
	for (i = 0; i < clients; i++)
		if (fork() == 0)
			shake_as(i, each);
	while (wait(&status) > 0)
		if (status != 0)
			lost++;
	printf("{\"calls\":%u,\"failed\":%u,\"seconds\":%.6f,"
	       "\"cpu_s\":%.6f}\n",
	    each * clients, lost, (double)(now_us() - since) / 1e6,
	    (double)(cpu_us(RUSAGE_CHILDREN) - cpu) / 1e6);
}

/* ---- orders ------------------------------------------------------------ */

static bool
keep(const char *how, const char *path)
{
	bool good = strcmp(how, "read") == 0 ? mix_book_read(book, path)
					     : mix_book_write(book, path);

	if (!good)
		fprintf(stderr, "drive: %s: %s\n", path, strerror(errno));
	else
		printf("{\"cases\":%u}\n", book->n);
	return good;
}

static bool
obey(const char *line)
{
	struct run run = {.kind = 0};
	char kind[16], path[4096];
	unsigned clients, n;
	unsigned long long calls, ms;

	if (strcmp(line, "stop\n") == 0)
		return true;
	if (strcmp(line, "rest\n") == 0) {
		rest();
		printf("{}\n");
		return true;
	}
	if (sscanf(line, "shake %u %u", &clients, &n) == 2 && clients > 0 &&
	    clients <= n_clients && n >= clients) {
		shake(clients, n);
		return true;
	}
	if (sscanf(line, "do %15s %u %llu %llu %u", kind, &run.clients, &calls,
		&ms, &run.window) == 5) {
		run.calls = calls;
		return work(kind, &run, ms);
	}
	if (sscanf(line, "%15s %4095s", kind, path) == 2 &&
	    (strcmp(kind, "read") == 0 || strcmp(kind, "write") == 0))
		return keep(kind, path);
	fprintf(stderr, "drive: what is: %s", line);
	return false;
}

/*
 * Eight clients alone can use up what the registry takes of a device at a
 * stretch: then each goes on with those of clients that rest meanwhile.
 */
static unsigned
n_devices(void)
{
	return n_clients < FEW ? 1 : n_clients / FEW;
}

static char *const *
devices_of(unsigned i, char **identity)
{
	static char *device[CLIENTS_MAX][CLIENTS_MAX / FEW];
	unsigned k;

	for (k = 0; k < n_devices(); k++)
		device[i][k] = identity[(i + k * FEW) % n_clients];
	return device[i];
}

int
main(int argc, char **argv)
{
	char line[8192];
	unsigned i;

	n_clients = (unsigned)argc - 1;
	if (argc < 2 || n_clients > CLIENTS_MAX) {
		fprintf(stderr, "drive IDENTITY...\n");
		return 2;
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	book = mix_book_new(CASES_MAX, 0);
	took_us = malloc(CALLS_MAX * sizeof(*took_us));
	if (took_us == NULL)
		return 1;
	for (i = 0; i < n_clients; i++) {
		client[i].mix =
		    mix_new(i, devices_of(i, argv + 1), n_devices(), book);
		mix_share(client[i].mix, n_clients);
	}
	/* Unbuffered: what was read ahead poll does not see. */
	setvbuf(stdin, NULL, _IONBF, 0);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (!obey(line))
			return 1;
		fflush(stdout);
	}
	return 0;
}
