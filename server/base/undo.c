/* A stack of old bytes and of calls, in one mapping. */
#include "server/base/undo.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ALIGN _Alignof(max_align_t)

enum kind {
	SAVED,
	CALLED,
	DEFERRED,
};

/* Followed by the len saved bytes. */
struct entry {
	enum kind kind;
	size_t before; /* offset of the entry before this one */
	size_t len;
	void *p; /* what was saved, or the context of fn */
	undo_fn *fn;
	uint64_t arg;
};

struct undo {
	uint8_t *base;
	size_t max;
	size_t used;
	size_t last; /* offset of the newest entry; == used when empty */
	size_t peak; /* what has to be wiped */
	bool begun;
};

enum cdop_err
undo_new(size_t max_bytes, struct undo **ret_undo)
{
	struct undo *undo;
	void *base;

	undo = calloc(1, sizeof(*undo));
	if (undo == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	base = mmap(NULL, max_bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED) {
		free(undo);
		return CDOP_RESOURCE_EXHAUSTED;
	}
	(void)madvise(base, max_bytes, MADV_DONTDUMP);
	undo->base = base;
	undo->max = max_bytes;
	*ret_undo = undo;
	return CDOP_OK;
}

void
undo_free(struct undo *undo)
{
	if (undo == NULL)
		return;
	CDOP_ASSERT(!undo->begun);
	(void)munmap(undo->base, undo->max);
	free(undo);
}

void
undo_begin(struct undo *undo)
{
	CDOP_ASSERT(!undo->begun);
	undo->used = 0;
	undo->last = 0;
	undo->begun = true;
}

bool
undo_is_begun(const struct undo *undo)
{
	return undo->begun;
}

static struct entry *
at(const struct undo *undo, size_t offset)
{
	return (struct entry *)(void *)(undo->base + offset);
}

/* NULL: the log is full. */
static struct entry *
push(struct undo *undo, enum kind kind, size_t len)
{
	struct entry *e;
	size_t need;

	if (len > undo->max)
		return NULL;
	need = (sizeof(*e) + len + ALIGN - 1) / ALIGN * ALIGN;
	if (need > undo->max - undo->used)
		return NULL;
	e = at(undo, undo->used);
	e->kind = kind;
	e->before = undo->last;
	e->len = len;
	undo->last = undo->used;
	undo->used += need;
	if (undo->used > undo->peak)
		undo->peak = undo->used;
	return e;
}

enum cdop_err
undo_save(struct undo *undo, void *p, size_t len)
{
	struct entry *e;

	if (!undo->begun)
		return CDOP_OK;
	e = push(undo, SAVED, len);
	if (e == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	e->p = p;
	if (len > 0)
		memcpy(e + 1, p, len);
	return CDOP_OK;
}

static enum cdop_err
push_call(
    struct undo *undo, enum kind kind, undo_fn *fn, void *ctx, uint64_t arg)
{
	struct entry *e;

	e = push(undo, kind, 0);
	if (e == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	e->p = ctx;
	e->fn = fn;
	e->arg = arg;
	return CDOP_OK;
}

enum cdop_err
undo_call(struct undo *undo, undo_fn *fn, void *ctx, uint64_t arg)
{
	if (!undo->begun)
		return CDOP_OK;
	return push_call(undo, CALLED, fn, ctx, arg);
}

enum cdop_err
undo_defer(struct undo *undo, undo_fn *fn, void *ctx, uint64_t arg)
{
	if (!undo->begun) {
		fn(ctx, arg);
		return CDOP_OK;
	}
	return push_call(undo, DEFERRED, fn, ctx, arg);
}

/* What was saved may have been a family's words. */
static void
end(struct undo *undo)
{
	if (undo->peak > 0)
		explicit_bzero(undo->base, undo->peak);
	undo->used = 0;
	undo->last = 0;
	undo->peak = 0;
}

void
undo_rollback(struct undo *undo)
{
	const struct entry *e;

	CDOP_ASSERT(undo->begun);
	/* What is called back may use functions that log: they must not. */
	undo->begun = false;
	while (undo->used > 0) {
		e = at(undo, undo->last);
		undo->used = undo->last;
		undo->last = e->before;
		if (e->kind == SAVED && e->len > 0)
			memcpy(e->p, e + 1, e->len);
		else if (e->kind == CALLED)
			e->fn(e->p, e->arg);
	}
	end(undo);
}

void
undo_commit(struct undo *undo)
{
	const struct entry *e;
	size_t used, offset;

	CDOP_ASSERT(undo->begun);
	undo->begun = false;
	used = undo->used;
	for (offset = 0; offset < used;) {
		e = at(undo, offset);
		offset += (sizeof(*e) + e->len + ALIGN - 1) / ALIGN * ALIGN;
		if (e->kind == DEFERRED)
			e->fn(e->p, e->arg);
	}
	end(undo);
}

size_t
undo_used(const struct undo *undo)
{
	return undo->used;
}
