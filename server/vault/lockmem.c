/* First fit over a bitmap of small units; the bitmap is ordinary memory. */
#include "server/vault/lockmem.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define UNIT  32
#define GUARD 4096

#ifndef __has_feature
#define __has_feature(x) 0
#endif
/* ASan makes mlock a no-op that returns 0: there is nothing to check. */
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define LOCK_IS_REAL 0
#else
#define LOCK_IS_REAL 1
#endif

struct lockmem {
	uint8_t *map; /* with both guards */
	uint8_t *base;
	size_t size;
	size_t units;
	size_t hint; /* where the last search ended */
	size_t used;
	uint8_t *taken; /* a byte a unit */
};

/* VmLck in bytes; 0 where /proc does not say. */
static size_t
locked_now(void)
{
	char buf[4096];
	const char *p;
	ssize_t n;
	int fd;

	fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return 0;
	n = read(fd, buf, sizeof(buf) - 1);
	(void)close(fd);
	if (n <= 0)
		return 0;
	buf[n] = '\0';
	p = strstr(buf, "\nVmLck:");
	return p == NULL ? 0 : (size_t)strtoul(p + 7, NULL, 10) * 1024;
}

static bool
lock(void *p, size_t len, const char **ret_why)
{
	size_t before;

	before = locked_now();
	if (mlock(p, len) != 0) {
		*ret_why = "memory cannot be locked: raise RLIMIT_MEMLOCK "
			   "(LimitMEMLOCK=8M in the unit, ulimit -l 8192)";
		return false;
	}
	if (LOCK_IS_REAL && locked_now() < before + len) {
		*ret_why = "the kernel does not show locked memory (VmLck in "
			   "/proc/self/status): mount /proc and raise "
			   "RLIMIT_MEMLOCK";
		return false;
	}
	return true;
}

enum cdop_err
lockmem_new(size_t bytes, struct lockmem **ret_mem, const char **ret_why)
{
	enum cdop_err err = CDOP_RESOURCE_EXHAUSTED;
	struct lockmem *mem;
	uint8_t *map;
	size_t size;

	*ret_why = "no memory";
	if (bytes == 0 || bytes > LOCKMEM_MAX)
		return CDOP_INVALID_ARGUMENT;
	size = (bytes + GUARD - 1) / GUARD * GUARD;
	mem = calloc(1, sizeof(*mem));
	if (mem == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	mem->taken = calloc(size / UNIT, 1);
	map = mmap(NULL, size + 2 * GUARD, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED || mem->taken == NULL)
		goto fail;
	mem->map = map;
	mem->base = map + GUARD;
	mem->size = size;
	mem->units = size / UNIT;
	if (mprotect(mem->base, size, PROT_READ | PROT_WRITE) != 0 ||
	    madvise(mem->base, size, MADV_DONTDUMP) != 0 ||
	    madvise(mem->base, size, MADV_DONTFORK) != 0)
		goto fail;
	err = CDOP_FAILED_PRECONDITION;
	if (!lock(mem->base, size, ret_why))
		goto fail;
	*ret_mem = mem;
	return CDOP_OK;
fail:
	if (map != MAP_FAILED)
		(void)munmap(map, size + 2 * GUARD);
	free(mem->taken);
	free(mem);
	return err;
}

void
lockmem_destroy(struct lockmem *mem)
{
	if (mem == NULL)
		return;
	sodium_memzero(mem->base, mem->size);
	(void)munmap(mem->map, mem->size + 2 * GUARD);
	free(mem->taken);
	free(mem);
}

/* The first of n free units at or behind from; mem->units: none. */
static size_t
find(const struct lockmem *mem, size_t from, size_t n)
{
	size_t i, run;

	run = 0;
	for (i = from; i < mem->units; i++) {
		run = mem->taken[i] ? 0 : run + 1;
		if (run == n)
			return i + 1 - n;
	}
	return mem->units;
}

void *
lockmem_alloc(struct lockmem *mem, size_t len)
{
	size_t n, at;

	if (len == 0 || len > mem->size)
		return NULL;
	n = (len + UNIT - 1) / UNIT;
	at = find(mem, mem->hint, n);
	if (at == mem->units)
		at = find(mem, 0, n);
	if (at == mem->units)
		return NULL;
	memset(mem->taken + at, 1, n);
	mem->hint = at + n;
	mem->used += n * UNIT;
	return mem->base + at * UNIT; /* free units are zero */
}

void
lockmem_free(struct lockmem *mem, void *p, size_t len)
{
	size_t n, at;

	if (p == NULL)
		return;
	CDOP_ASSERT((uint8_t *)p >= mem->base);
	at = (size_t)((uint8_t *)p - mem->base);
	n = (len + UNIT - 1) / UNIT;
	CDOP_ASSERT(at % UNIT == 0 && at / UNIT + n <= mem->units);
	at /= UNIT;
	CDOP_ASSERT(memchr(mem->taken + at, 0, n) == NULL);
	sodium_memzero(p, n * UNIT);
	memset(mem->taken + at, 0, n);
	mem->used -= n * UNIT;
	if (at < mem->hint)
		mem->hint = at;
}

size_t
lockmem_used(const struct lockmem *mem)
{
	return mem->used;
}
