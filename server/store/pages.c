/* A walk over the B+trees of the file, by pread, that believes nothing. */
#include "server/store/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/store/dir.h"

#define PAGE      4096u
#define TOP       16u /* bytes of a page's header */
#define NODE_TOP  8u
#define MAGIC     0xBEEFC0DEu
#define VERSION   1u
#define NONE      UINT64_MAX
#define DEPTH_MAX 32u
#define INTEGER   0x08u /* flag of the free list: keys are numbers */
#define BIG       0x01u /* flag of a node: its data is on overflow pages */

/* LMDB notes it in a file that was made without a directory (db_copy.c). */
#define NO_DIRECTORY 0x4000u

enum kind {
	BRANCH = 0x01,
	LEAF = 0x02,
	OVERFLOW = 0x04,
	META = 0x08,
};

/* The root of one tree, as a meta page has it. */
struct root {
	uint16_t flags;
	uint16_t depth;
	uint64_t entries;
	uint64_t page;
};

struct meta {
	uint64_t last;
	uint64_t txn;
	struct root free;
	struct root table;
};

struct walk {
	int fd;
	struct meta meta;
	uint8_t *seen;  /* a bit a page */
	bool free_list; /* this tree is the free list */
	bool has_key;
	uint64_t key; /* the last one */
	uint64_t entries;
	uint64_t pages;
	pages_fn *fn;
	void *ctx;
};

/* LMDB writes numbers as the machine has them: ours is little-endian. */
static uint64_t
le(const uint8_t *p, unsigned int n)
{
	uint64_t v;

	for (v = 0; n > 0; n--)
		v = v << 8 | p[n - 1];
	return v;
}

static uint64_t
key_of(const struct walk *w, const uint8_t *p)
{
	uint64_t v;
	unsigned int i;

	if (w->free_list)
		return le(p, 8);
	for (v = 0, i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

static void
say(struct walk *w, const char *what, uint64_t page)
{
	char line[128];

	(void)snprintf(line, sizeof(line), "database page %llu: %s",
	    (unsigned long long)page, what);
	w->fn(w->ctx, line);
}

static bool
read_at(int fd, uint64_t at, uint8_t *out, size_t len)
{
	ssize_t n;

	do
		n = pread(fd, out, len, (off_t)at);
	while (n == -1 && errno == EINTR);
	return n == (ssize_t)len;
}

/* ---- Meta pages ---- */

static void
root_parse(const uint8_t *p, struct root *root)
{
	root->flags = (uint16_t)le(p + 4, 2);
	root->depth = (uint16_t)le(p + 6, 2);
	root->entries = le(p + 32, 8);
	root->page = le(p + 40, 8);
}

static bool
root_is_good(const struct root *root, uint64_t last, uint16_t flags)
{
	if (root->flags != flags || root->depth > DEPTH_MAX)
		return false;
	if (root->page == NONE)
		return root->depth == 0 && root->entries == 0;
	return root->depth > 0 && root->page >= 2 && root->page <= last;
}

/* Page i (0 or 1), and whether LMDB would take it for a meta page. */
static bool
meta_parse(int fd, unsigned int i, struct meta *meta)
{
	uint8_t page[TOP + 136];
	const uint8_t *p;

	if (!read_at(fd, (uint64_t)i * PAGE, page, sizeof(page)))
		return false;
	p = page + TOP;
	root_parse(p + 24, &meta->free);
	meta->free.flags &= (uint16_t)~NO_DIRECTORY;
	root_parse(p + 72, &meta->table);
	meta->last = le(p + 120, 8);
	meta->txn = le(p + 128, 8);
	return le(page, 8) == i && le(page + 10, 2) == META &&
	    le(p, 4) == MAGIC && le(p + 4, 4) == VERSION &&
	    le(p + 24, 4) == PAGE;
}

/* What it says lies within the file. */
static bool
meta_is_good(const struct meta *meta, const struct stat *st)
{
	return meta->last >= 1 && meta->last < (uint64_t)st->st_size / PAGE &&
	    root_is_good(&meta->free, meta->last, INTEGER) &&
	    root_is_good(&meta->table, meta->last, 0);
}

/* What a page has to be, left levels above the leaves. */
static bool
page_is_good(const uint8_t *p, uint64_t page, unsigned int left)
{
	uint64_t lower, upper;

	lower = le(p + 12, 2);
	upper = le(p + 14, 2);
	return le(p, 8) == page &&
	    le(p + 10, 2) == (left == 0 ? LEAF : BRANCH) && lower > TOP &&
	    lower % 2 == 0 && lower <= upper && upper <= PAGE;
}

/* The last key of the table under a root; false: there is no telling. */
static bool
last_key(int fd, const struct root *root, uint64_t *ret_key)
{
	uint8_t p[PAGE];
	uint64_t page, at;
	unsigned int left, i;

	page = root->page;
	for (left = root->depth; page != NONE && left > 0; left--) {
		if (!read_at(fd, page * PAGE, p, sizeof(p)) ||
		    !page_is_good(p, page, left - 1))
			return false;
		at = le(p + le(p + 12, 2) - 2, 2);
		if (at > PAGE - NODE_TOP - 8)
			return false;
		page = le(p + at, 6);
		*ret_key = 0;
		for (i = 0; i < 8; i++)
			*ret_key = *ret_key << 8 | p[at + NODE_TOP + i];
	}
	return left == 0 && root->page != NONE;
}

/*
 * The newer of both; false: one of them is damaged.
 *
 * A flipped bit in a transaction id, or in the number of a root, can make
 * the state before the last commit look like the newest one, and every row
 * of it authenticates.  Its pages and those of the last commit are both
 * still whole, and each commit raises the highest number: so the state with
 * the higher id has to have the higher number.
 */
static bool
meta_read(int fd, bool after_failure, struct meta *ret_meta)
{
	struct meta metas[2], *newer, *older;
	uint64_t newer_key, older_key;
	struct stat st;

	if (fstat(fd, &st) != 0 || !meta_parse(fd, 0, &metas[0]) ||
	    !meta_parse(fd, 1, &metas[1]))
		return false;
	newer = &metas[metas[1].txn > metas[0].txn];
	older = &metas[metas[1].txn <= metas[0].txn];
	if (!meta_is_good(newer, &st))
		return false;
	if (!after_failure &&
	    (!meta_is_good(older, &st) ||
		(last_key(fd, &newer->table, &newer_key) &&
		    last_key(fd, &older->table, &older_key) &&
		    older_key >= newer_key)))
		return false;
	*ret_meta = *newer;
	return true;
}

static enum cdop_err
file_open(const char *path, int *ret_fd)
{
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd != -1) {
		*ret_fd = fd;
		return CDOP_OK;
	}
	return dir_error(errno);
}

enum cdop_err
pages_roots(const char *path, bool after_failure)
{
	enum cdop_err err;
	struct meta meta;
	int fd;

	if ((err = file_open(path, &fd)) != CDOP_OK)
		return err;
	if (!meta_read(fd, after_failure, &meta))
		err = CDOP_DATA_LOSS;
	(void)close(fd);
	return err;
}

/* ---- Trees ---- */

/* Every page is reached once. */
static bool
mark(struct walk *w, uint64_t page)
{
	uint8_t bit;

	if (page < 2 || page > w->meta.last) {
		say(w, "referred to, but outside the file", page);
		return false;
	}
	bit = (uint8_t)(1u << page % 8);
	if (w->seen[page / 8] & bit) {
		say(w, "used twice", page);
		return false;
	}
	w->seen[page / 8] |= bit;
	w->pages++;
	return true;
}

/* The pages of a large value. */
static void
overflow_walk(struct walk *w, uint64_t first, uint64_t len)
{
	uint8_t top[TOP];
	uint64_t n, i;

	n = (TOP - 1 + len) / PAGE + 1;
	if (first > w->meta.last || n > w->meta.last - first + 1 ||
	    !read_at(w->fd, first * PAGE, top, sizeof(top)) ||
	    le(top, 8) != first || le(top + 10, 2) != OVERFLOW ||
	    le(top + 12, 4) != n) {
		say(w, "damaged (a large row)", first);
		return;
	}
	for (i = 0; i < n; i++)
		if (!mark(w, first + i))
			return;
}

/* One entry of the free list: a count and so many page numbers. */
static void
free_walk(struct walk *w, uint64_t at, uint64_t len, uint64_t page)
{
	uint8_t number[8];
	uint64_t n, i;

	if (len < 8 || !read_at(w->fd, at, number, 8) ||
	    (n = le(number, 8)) > len / 8 - 1) {
		say(w, "damaged (the free list)", page);
		return;
	}
	for (i = 0; i < n; i++)
		if (!read_at(w->fd, at + 8 + i * 8, number, 8) ||
		    !mark(w, le(number, 8)))
			return;
}

/* Keys of both trees are 8 bytes and grow. */
static bool
key_take(struct walk *w, const uint8_t *node, uint64_t page)
{
	uint64_t key;

	key = key_of(w, node + NODE_TOP);
	if (w->has_key && key <= w->key) {
		say(w, "rows out of order", page);
		return false;
	}
	w->has_key = true;
	w->key = key;
	w->entries++;
	return true;
}

static bool
leaf_node(struct walk *w, const uint8_t *p, size_t at, uint64_t page)
{
	uint64_t len, flags, first;
	const uint8_t *node;
	size_t stored;

	node = p + at;
	len = le(node, 4);
	flags = le(node + 4, 2);
	stored = flags == BIG ? 8 : (size_t)len;
	if (le(node + 6, 2) != 8 || (flags & ~(uint64_t)BIG) != 0 ||
	    stored > PAGE - at - NODE_TOP - 8) {
		say(w, "damaged", page);
		return false;
	}
	if (!key_take(w, node, page))
		return false;
	first = le(node + NODE_TOP + 8, 8 < stored ? 8 : (unsigned int)stored);
	if (flags == BIG)
		overflow_walk(w, first, len);
	if (w->free_list)
		free_walk(w,
		    flags == BIG ? first * PAGE + TOP
				 : page * PAGE + at + NODE_TOP + 8,
		    len, page);
	return true;
}

static void page_walk(struct walk *w, uint64_t page, unsigned int left);

static void
page_walk(struct walk *w, uint64_t page, unsigned int left)
{
	uint8_t p[PAGE];
	size_t i, n, at, upper;

	if (!mark(w, page))
		return;
	if (!read_at(w->fd, page * PAGE, p, sizeof(p)) ||
	    !page_is_good(p, page, left)) {
		say(w, "damaged", page);
		return;
	}
	n = (le(p + 12, 2) - TOP) / 2;
	upper = le(p + 14, 2);
	for (i = 0; i < n; i++) {
		at = le(p + TOP + 2 * i, 2);
		if (at < upper || at > PAGE - NODE_TOP - (left == 0 ? 8 : 0)) {
			say(w, "damaged", page);
			return;
		}
		if (left > 0)
			page_walk(w, le(p + at, 6), left - 1);
		else if (!leaf_node(w, p, at, page))
			return;
	}
}

static void
tree_walk(struct walk *w, const struct root *root, bool free_list)
{
	w->free_list = free_list;
	w->has_key = false;
	w->entries = 0;
	if (root->page != NONE)
		page_walk(w, root->page, root->depth - 1u);
	if (w->entries != root->entries)
		w->fn(w->ctx,
		    free_list ? "database: the free list lacks entries"
			      : "database: the table lacks rows or has more "
				"than it says");
}

enum cdop_err
pages_check(const char *path, bool after_failure, pages_fn *fn, void *ctx,
    uint64_t *ret_pages)
{
	struct walk w = {.fn = fn, .ctx = ctx};
	enum cdop_err err;

	if ((err = file_open(path, &w.fd)) != CDOP_OK)
		return err;
	if (!meta_read(w.fd, after_failure, &w.meta)) {
		fn(ctx, "database: a meta page is damaged or set back");
		*ret_pages = 0;
		goto out;
	}
	w.seen = calloc(w.meta.last / 8 + 1, 1);
	if (w.seen == NULL) {
		err = CDOP_RESOURCE_EXHAUSTED;
		goto out;
	}
	tree_walk(&w, &w.meta.table, false);
	tree_walk(&w, &w.meta.free, true);
	*ret_pages = w.pages;
out:
	free(w.seen);
	(void)close(w.fd);
	return err;
}
