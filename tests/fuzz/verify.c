/*
 * The database file through `cdopd verify`, which looks at the pages and then
 * at every row: whatever somebody writes into it, it is told or does no harm.
 * What the look at the pages finds fine does not hurt LMDB, and a registry
 * that is called fine has all its rows, or all that it had a commit ago.
 *
 * Input: operations of 6 bytes (what, page u16, offset u16, length u8), each
 * with what it takes from the bytes behind, on the file of a registry with
 * cases, people and a log.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/base/undo.h"
#include "server/registry/tree_verify.h"
#include "server/store/pages.h"
#include "server/vault/keystore.h"
#include "server/vault/lockmem.h"
#include "server/vault/rows_start.h"
#include "server/vault/verify_walk.h"
#include "tests/fuzz/lib/quick.h"
#include "tests/unit/server/world.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define PAGE       4096u
#define OPERATION  6u
#define OPS_MAX    16
#define CASES      3
#define AHEAD      2 /* pages that nothing lies in yet */
#define LOCKED     (1u << 19)
#define UNDO_BYTES 4096

static uint8_t key[32];
static uint8_t *whole; /* the file as it was */
static size_t whole_len;
static char dir[64], path[96];
static int fd = -1;
static uint64_t all_rows, rows_before; /* the last commit */

/* What a walk came to. */
struct found {
	uint64_t rows, fine;
	unsigned findings;
	enum cdop_err err;
};

/* ---- the walk ------------------------------------------------------------ */

static void
on_page(void *ctx, const char *finding)
{
	struct found *found = ctx;

	found->findings++;
	CDOP_ASSERT(strlen(finding) < 200);
}

static void
on_row(void *ctx, bool is_finding, const char *line)
{
	struct found *found = ctx;

	found->findings += is_finding;
	/* Of what it opened it says nothing. */
	CDOP_ASSERT(strlen(line) < 200 && strstr(line, "Synthetic") == NULL);
}

static enum cdop_err
walk_rows(struct rows *rows, struct found *found)
{
	struct tree_verify *tree;
	struct verify_log log;
	enum cdop_err err;

	if ((err = rows_start_root(rows, 0, key)) != CDOP_OK)
		return err;
	CDOP_ASSERT(tree_verify_new(&tree) == CDOP_OK);
	log = tree_verify_log(tree);
	err =
	    verify_walk(rows, on_row, found, &log, &found->rows, &found->fine);
	tree_verify_free(tree);
	return err;
}

/* As the child of verify_dir() does it, in this process. */
static void
look(struct found *found)
{
	struct rows_args args = {
	    .dir = dir, .map_bytes = WORLD_MAP, .read_only = true};
	struct lockmem *mem;
	struct rows *rows = NULL;
	const char *why;
	uint64_t pages;

	memset(found, 0, sizeof(*found));
	found->err = pages_check(path, false, on_page, found, &pages);
	if (found->err != CDOP_OK || found->findings > 0)
		return;
	CDOP_ASSERT(lockmem_new(LOCKED, &mem, &why) == CDOP_OK);
	CDOP_ASSERT(undo_new(UNDO_BYTES, &args.undo) == CDOP_OK);
	CDOP_ASSERT(keystore_new(mem, args.undo, &args.ks) == CDOP_OK);
	found->err = rows_open(&args, &rows);
	if (found->err == CDOP_OK)
		found->err = walk_rows(rows, found);
	rows_close(rows);
	keystore_free(args.ks);
	undo_free(args.undo);
	lockmem_destroy(mem);
}

/* ---- the file ------------------------------------------------------------ */

/* Without the room ahead: of 8,000 pages some forty are the database. */
static size_t
used(const uint8_t *bytes, size_t n)
{
	static const uint8_t zeros[PAGE];

	CDOP_ASSERT(n % PAGE == 0);
	while (n > 0 && memcmp(bytes + n - PAGE, zeros, PAGE) == 0)
		n -= PAGE;
	return n + (size_t)AHEAD * PAGE;
}

static void
put(size_t at, const uint8_t *data, size_t len)
{
	CDOP_ASSERT(pwrite(fd, data, len, (off_t)at) == (ssize_t)len);
}

static void
keep_file(const char *from)
{
	struct stat st;
	int in = open(from, O_RDONLY | O_CLOEXEC);

	CDOP_ASSERT(in >= 0 && fstat(in, &st) == 0);
	free(whole);
	whole_len = (size_t)st.st_size;
	whole = malloc(whole_len);
	CDOP_ASSERT(
	    whole != NULL && read(in, whole, whole_len) == (ssize_t)whole_len);
	(void)close(in);
	CDOP_ASSERT(used(whole, whole_len) <= whole_len);
	whole_len = used(whole, whole_len);
	put(0, whole, whole_len);
}

/* The file as it is now, and how many rows are in it, each of them fine. */
static uint64_t
keep(const struct world *world)
{
	struct found found;
	char from[96];

	(void)snprintf(from, sizeof(from), "%s/data.mdb", world->dir);
	keep_file(from);
	look(&found);
	CDOP_ASSERT(found.err == CDOP_OK && found.findings == 0);
	CDOP_ASSERT(found.rows == found.fine && found.rows > 0);
	return found.rows;
}

static void
tidy(void)
{
	(void)unlink(path);
	(void)rmdir(dir);
	free(whole);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const area[CASES] = {"wirral", "sefton", "wirral"};
	struct world world;
	unsigned i;

	(void)argc;
	(void)argv;
	world_make(&world);
	memcpy(key, world.k, sizeof(key));
	(void)snprintf(dir, sizeof(dir), "%s/cdop-fuzz-XXXXXX", quick_top());
	CDOP_ASSERT(mkdtemp(dir) != NULL);
	(void)snprintf(path, sizeof(path), "%s/data.mdb", dir);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	CDOP_ASSERT(fd >= 0);
	(void)atexit(tidy);
	for (i = 0; i < CASES - 1; i++)
		free(world_register(&world, i, area[i]));
	rows_before = keep(&world);
	free(world_register(&world, i, area[i]));
	all_rows = keep(&world);
	CDOP_ASSERT(all_rows > rows_before);
	world_end(&world);
	return 0;
}

/* ---- the input ----------------------------------------------------------- */

struct operation {
	uint8_t what;
	size_t page; /* in bytes */
	size_t at;
	struct cdop_bytes bytes;
};

static bool
next_operation(struct cdop_bytes *in, struct operation *op)
{
	const size_t pages = whole_len / PAGE;

	if (in->len < OPERATION)
		return false;
	op->what = in->data[0];
	op->page = cdop_get16(in->data + 1) % pages * PAGE;
	op->at = op->page + cdop_get16(in->data + 3) % PAGE;
	op->bytes = (struct cdop_bytes){in->data + OPERATION, in->data[5]};
	in->data += OPERATION;
	in->len -= OPERATION;
	if (op->bytes.len > in->len)
		op->bytes.len = in->len;
	if (op->bytes.len > whole_len - op->at)
		op->bytes.len = whole_len - op->at;
	return true;
}

static void
do_operation(const struct operation *op, struct cdop_bytes *in)
{
	const size_t other = op->at % (whole_len / PAGE) * PAGE;
	uint8_t byte;

	switch (op->what % 8) {
	case 0: /* a page in the place of another */
		put(op->page, whole + other, PAGE);
		return;
	case 1: /* cut off */
		CDOP_ASSERT(ftruncate(fd, (off_t)op->page) == 0);
		return;
	case 2: /* a bit */
		byte = (uint8_t)(whole[op->at] ^ 1u << op->what / 8 % 8);
		put(op->at, &byte, 1);
		return;
	case 3: /* the older of the two roots, on the newer one's place */
		put(0, whole + PAGE, PAGE);
		put(PAGE, whole, PAGE);
		return;
	default: /* bytes */
		put(op->at, op->bytes.data, op->bytes.len);
		in->data += op->bytes.len;
		in->len -= op->bytes.len;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t touched[OPS_MAX], n = 0, i, end;
	struct cdop_bytes in = {data, len};
	struct operation op;
	struct found found;
	unsigned ops;

	end = whole_len;
	for (ops = 0; ops < OPS_MAX && next_operation(&in, &op); ops++) {
		touched[n++] = op.page;
		do_operation(&op, &in);
		if (op.what % 8 == 1 && op.page < end)
			end = op.page;
	}
	look(&found);
	/* A root that is set back, and the last commit's pages damaged: that
	 * is what a commit looks like that power cut off, and its state is the
	 * one before, whole.  The anchor tells that it is old. */
	if (found.err == CDOP_OK && found.findings == 0)
		CDOP_ASSERT(found.fine == found.rows &&
		    (found.rows == all_rows ||
			(ops > 1 && found.rows == rows_before)));
	/* What an operation wrote lies in its page and the one behind. */
	put(end, whole + end, whole_len - end);
	put(0, whole, 2 * (size_t)PAGE);
	for (i = 0; i < n; i++)
		put(touched[i], whole + touched[i],
		    whole_len - touched[i] < 2 * PAGE ? whole_len - touched[i]
						      : 2 * PAGE);
	return 0;
}
