/* Bump allocation over one mapping; wiping is the point. */
#include "cdop/arena.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#endif
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#endif

#define ALIGN _Alignof(max_align_t)
#define GUARD 64u /* bytes behind the last that nobody may touch */

struct cdop_arena {
	uint8_t *base;
	size_t max;
	size_t used;
	size_t limit;  /* of used; at most max */
	bool spent;    /* it has refused */
	size_t hidden; /* end of what was hidden from the sanitizer */
	ProtobufCAllocator allocator;
};

/*
 * For the sanitizer what was not handed out, or was given back, is not there:
 * a pointer that outlives a reset is found, and so is a byte too far.
 */
static void
show(const uint8_t *from, size_t len)
{
#ifdef ARENA_ASAN
	__asan_unpoison_memory_region(from, len);
#else
	(void)from;
	(void)len;
#endif
}

static void
hide(struct cdop_arena *arena, const uint8_t *from, const uint8_t *to)
{
#ifdef ARENA_ASAN
	size_t end = (size_t)(to - arena->base);

	end = arena->max - end > GUARD ? end + GUARD : arena->max;
	__asan_poison_memory_region(from, (size_t)(arena->base + end - from));
	if (end > arena->hidden)
		arena->hidden = end;
#else
	(void)arena;
	(void)from;
	(void)to;
#endif
}

static void *
pb_alloc(void *arena, size_t len)
{
	return cdop_arena_alloc(arena, len);
}

static void
pb_free(void *arena, void *p)
{
	(void)arena;
	(void)p;
}

enum cdop_err
cdop_arena_new(size_t max_bytes, struct cdop_arena **ret_arena)
{
	struct cdop_arena *arena;
	void *base;

	arena = calloc(1, sizeof(*arena));
	if (arena == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	/* A mapping costs memory only where it is touched. */
	base = mmap(NULL, max_bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED) {
		free(arena);
		return CDOP_RESOURCE_EXHAUSTED;
	}
	(void)madvise(base, max_bytes, MADV_DONTDUMP);
	arena->base = base;
	arena->max = max_bytes;
	arena->limit = max_bytes;
	arena->allocator.alloc = pb_alloc;
	arena->allocator.free = pb_free;
	arena->allocator.allocator_data = arena;
	*ret_arena = arena;
	return CDOP_OK;
}

void
cdop_arena_free(struct cdop_arena *arena)
{
	if (arena == NULL)
		return;
	cdop_arena_reset(arena);
	show(arena->base, arena->hidden);
	(void)munmap(arena->base, arena->max);
	free(arena);
}

void
cdop_arena_reset(struct cdop_arena *arena)
{
	cdop_arena_rewind(arena, 0);
}

void
cdop_arena_rewind(struct cdop_arena *arena, size_t used)
{
	CDOP_ASSERT(used <= arena->used);
	show(arena->base + used, arena->used - used);
	sodium_memzero(arena->base + used, arena->used - used);
	hide(arena, arena->base + used, arena->base + arena->used);
	arena->used = used;
	arena->limit = arena->max;
}

void *
cdop_arena_alloc(struct cdop_arena *arena, size_t len)
{
	uint8_t *p;
	size_t need;

	need = len > arena->max ? SIZE_MAX : (len + ALIGN - 1) / ALIGN * ALIGN;
	if (need == 0)
		need = ALIGN;
	if (need > arena->limit - arena->used) {
		arena->spent = true;
		return NULL;
	}
	p = arena->base + arena->used;
	arena->used += need;
	show(p, len);
	hide(arena, p + len, p + need);
	return p; /* reset wiped it, so it is zero */
}

bool
cdop_arena_was_spent(const struct cdop_arena *arena)
{
	return arena->spent;
}

bool
cdop_arena_has(const struct cdop_arena *arena, size_t len)
{
	return len <= arena->limit - arena->used;
}

void *
cdop_arena_calloc(struct cdop_arena *arena, size_t n, size_t size)
{
	if (size != 0 && n > SIZE_MAX / size)
		return NULL;
	return cdop_arena_alloc(arena, n * size);
}

char *
cdop_arena_strndup(struct cdop_arena *arena, const char *s, size_t len)
{
	char *p;

	if (len == SIZE_MAX)
		return NULL;
	p = cdop_arena_alloc(arena, len + 1);
	if (p != NULL && len > 0)
		memcpy(p, s, len);
	return p;
}

char *
cdop_arena_strdup(struct cdop_arena *arena, const char *s)
{
	return cdop_arena_strndup(arena, s, strlen(s));
}

char *
cdop_arena_printf(struct cdop_arena *arena, const char *fmt, ...)
{
	char line[128]; /* most are short, and written once */
	va_list ap, again;
	char *p;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	p = len < 0 ? NULL : cdop_arena_alloc(arena, (size_t)len + 1);
	if (p != NULL && (size_t)len < sizeof(line))
		memcpy(p, line, (size_t)len);
	else if (p != NULL)
		(void)vsnprintf(p, (size_t)len + 1, fmt, again);
	va_end(again);
	return p;
}

void
cdop_arena_set_budget(struct cdop_arena *arena, size_t max_bytes)
{
	size_t left = arena->max - arena->used;

	if (max_bytes == 0 || max_bytes > left)
		max_bytes = left;
	arena->limit = arena->used + max_bytes;
}

size_t
cdop_arena_used(const struct cdop_arena *arena)
{
	return arena->used;
}

ProtobufCAllocator *
cdop_arena_allocator(struct cdop_arena *arena)
{
	return &arena->allocator;
}
