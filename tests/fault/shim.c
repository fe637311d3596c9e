/* Counting, failing, cutting off: memory, LMDB, randomness, clocks. */
#include "tests/fault/shim.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/fault/shim_core.h"

#define TICK_US 20 /* that a look at the clock takes */

struct shim_state {
	uint64_t count[SHIM_CLASSES];
	enum shim_kind kind;
	uint64_t at; /* 0: nothing is hit */
	bool fired;
	const char *hit;
	uint64_t random;
	bool stuck;
	uint64_t now_us;
	int64_t leap_ms;
};

/* Of this process; it is looked at before the sanitizer has its map. */
static bool is_on;
static struct shim_state own = {.hit = "", .now_us = 1795600000000000ull};
static struct shim_state *shim = &own;

void
shim_share(void)
{
	void *page = mmap(NULL, sizeof(own), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		abort();
	shim = memcpy(page, &own, sizeof(own));
}

enum shim_class
shim_class_of(enum shim_kind kind)
{
	static const enum shim_class class_of[SHIM_KINDS + 1] = {
	    [SHIM_NO_MEMORY] = SHIM_ALLOC,
	    [SHIM_LMDB_EIO] = SHIM_LMDB,
	    [SHIM_LMDB_FULL] = SHIM_LMDB,
	    [SHIM_LMDB_UNKNOWN] = SHIM_COMMIT,
	    [SHIM_EIO] = SHIM_FILE,
	    [SHIM_ENOSPC] = SHIM_WRITE,
	    [SHIM_HALF] = SHIM_DATA,
	    [SHIM_KILL] = SHIM_WRITE,
	    [SHIM_TORN] = SHIM_DATA,
	    [SHIM_NO_RANDOM] = SHIM_RANDOM,
	    [SHIM_STUCK] = SHIM_RANDOM,
	    [SHIM_LIE] = SHIM_COMMIT,
	};

	return class_of[kind];
}

const char *
shim_kind_name(enum shim_kind kind)
{
	static const char *const names[SHIM_KINDS + 1] = {
	    [SHIM_NO_MEMORY] = "no memory",
	    [SHIM_LMDB_EIO] = "LMDB: EIO",
	    [SHIM_LMDB_FULL] = "LMDB: full",
	    [SHIM_LMDB_UNKNOWN] = "commit unknown",
	    [SHIM_EIO] = "file: EIO",
	    [SHIM_ENOSPC] = "file: ENOSPC",
	    [SHIM_HALF] = "half a write",
	    [SHIM_KILL] = "killed",
	    [SHIM_TORN] = "killed in a write",
	    [SHIM_NO_RANDOM] = "no randomness",
	    [SHIM_STUCK] = "randomness stuck",
	    [SHIM_LIE] = "a lie",
	};

	return names[kind];
}

void
shim_plan(enum shim_kind kind, uint64_t at)
{
	memset(shim->count, 0, sizeof(shim->count));
	shim->kind = kind;
	shim->at = at;
	shim->fired = false;
	shim->hit = "";
	shim->stuck = false;
}

void
shim_on(void)
{
	shim_entered();
	is_on = true;
}

bool
shim_is_on(void)
{
	return is_on;
}

void
shim_off(void)
{
	is_on = false;
}

uint64_t
shim_count(enum shim_class which)
{
	return shim->count[which];
}

bool
shim_fired(void)
{
	return shim->fired;
}

const char *
shim_hit(void)
{
	return shim->hit;
}

void
shim_killed(void)
{
	_exit(SHIM_EXIT_KILLED);
}

bool
shim_due(enum shim_class which, const char *name)
{
	if (!is_on)
		return false;
	shim->count[which]++;
	if (shim->at == 0 || shim_class_of(shim->kind) != which ||
	    shim->count[which] != shim->at)
		return false;
	shim->fired = true;
	shim->hit = name;
	return true;
}

enum shim_kind
shim_kind(void)
{
	return shim->kind;
}

/* ---- memory ------------------------------------------------------------- */

/* Of the sanitizer, where there is one. */
extern void *__interceptor_malloc(size_t len) __attribute__((weak));
extern void *__interceptor_calloc(size_t n, size_t len) __attribute__((weak));
extern void *__interceptor_realloc(void *p, size_t len) __attribute__((weak));
extern int __interceptor_posix_memalign(void **ret, size_t align, size_t len)
    __attribute__((weak));
extern void *__libc_malloc(size_t len);
extern void *__libc_calloc(size_t n, size_t len);
extern void *__libc_realloc(void *p, size_t len);
extern void *__libc_memalign(size_t align, size_t len);

static bool
no_memory(const char *name)
{
	if (!shim_due(SHIM_ALLOC, name))
		return false;
	errno = ENOMEM;
	return true;
}

void *
malloc(size_t len)
{
	if (no_memory("malloc"))
		return NULL;
	return __interceptor_malloc != NULL ? __interceptor_malloc(len)
					    : __libc_malloc(len);
}

void *
calloc(size_t n, size_t len)
{
	if (no_memory("calloc"))
		return NULL;
	return __interceptor_calloc != NULL ? __interceptor_calloc(n, len)
					    : __libc_calloc(n, len);
}

void *
realloc(void *p, size_t len)
{
	if (no_memory("realloc"))
		return NULL;
	return __interceptor_realloc != NULL ? __interceptor_realloc(p, len)
					     : __libc_realloc(p, len);
}

int
posix_memalign(void **ret, size_t align, size_t len)
{
	if (no_memory("posix_memalign"))
		return ENOMEM;
	if (__interceptor_posix_memalign != NULL)
		return __interceptor_posix_memalign(ret, align, len);
	*ret = __libc_memalign(align, len);
	return *ret == NULL ? ENOMEM : 0;
}

/* The sanitizer's would not come by here. */
char *
strdup(const char *text)
{
	size_t len = strlen(text) + 1;
	char *copy = malloc(len);

	return copy == NULL ? NULL : memcpy(copy, text, len);
}

void *
mmap(void *where, size_t len, int prot, int flags, int fd, off_t at)
{
	if (fd == -1 && no_memory("mmap"))
		return MAP_FAILED;
	if (fd != -1 && shim_file_fails(fd, SHIM_FILE, "mmap"))
		return MAP_FAILED;
	/* A map that is refused is no failure of a pointer's. */
	return (void *)syscall(SYS_mmap, where, len, prot, flags, fd, at);
}

/* ---- randomness --------------------------------------------------------- */

void
shim_reset(uint64_t seed, uint64_t now_ms)
{
	shim->random = seed;
	shim->now_us = now_ms * 1000;
	shim->leap_ms = 0;
}

/* splitmix64: two runs get the same bytes. */
static uint64_t
next_random(void)
{
	uint64_t z;

	z = shim->random += 0x9e3779b97f4a7c15ull;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

void
randombytes_buf(void *const buf, const size_t len)
{
	uint8_t *out = buf;
	uint64_t word = 0;
	size_t i;

	if (shim_due(SHIM_RANDOM, "randombytes_buf")) {
		if (shim->kind == SHIM_NO_RANDOM)
			shim_killed();
		shim->stuck = true;
	}
	for (i = 0; i < len; i++) {
		if (i % 8 == 0)
			word = next_random();
		out[i] = (uint8_t)(shim->stuck ? 0x5a : word >> i % 8 * 8);
	}
}

/* ---- clocks ------------------------------------------------------------- */

int
clock_gettime(clockid_t id, struct timespec *ret_time)
{
	int64_t us;

	shim->now_us += TICK_US;
	us = (int64_t)shim->now_us;
	if (id == CLOCK_REALTIME)
		us += shim->leap_ms * 1000;
	ret_time->tv_sec = (time_t)(us / 1000000);
	ret_time->tv_nsec = (long)(us % 1000000) * 1000;
	return 0;
}

uint64_t
shim_wall_ms(void)
{
	return (uint64_t)((int64_t)(shim->now_us / 1000) + shim->leap_ms);
}

uint64_t
shim_now_ms(void)
{
	return shim->now_us / 1000;
}

void
shim_pass(uint64_t ms)
{
	shim->now_us += ms * 1000;
}

void
shim_leap(int64_t ms)
{
	shim->leap_ms = ms;
}
