/*
 * Bytes from a hostile disk: rows, slots, the vault's own layouts, and the
 * pages of the file.  The first byte chooses which.
 *
 * What opens has to be what was sealed, so nothing may open here but what is
 * taken back out of the sealing itself.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/registry/tree_row.h"
#include "server/store/pages.h"
#include "server/vault/envelope.h"
#include "server/vault/layout.h"
#include "server/vault/slots.h"
#include "server/vault/slots_set.h"

#define PAGE      4096u
#define PAGES_MAX 16u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const uint8_t k[32] = "one key for everything, in here";

static void
ensure(int cond)
{
	if (!cond)
		abort();
}

static void
try_row(struct cdop_bytes in)
{
	static uint8_t out[ENVELOPE_ROW_MAX], again[ENVELOPE_ROW_MAX];
	struct envelope_ring ring;
	struct envelope_head head;
	struct envelope_key key;
	struct cdop_bytes got, row, context;

	memcpy(ring.registry, k, sizeof(ring.registry));
	memcpy(ring.header, k, sizeof(ring.header));
	memcpy(ring.digest, k, sizeof(ring.digest));
	envelope_key_init(&key, k);
	if (envelope_head_parse(&ring, in, 7, &head) == ENVELOPE_FINE)
		ensure(envelope_unseal(&ring, &key, &head, in, out, &got) ==
		    ENVELOPE_DAMAGED);
	context = (struct cdop_bytes){in.data, in.len < 128 ? in.len : 128};
	ensure(envelope_box_unseal(&key, ring.registry, context, in, out,
		   &got) != ENVELOPE_FINE);
	if (envelope_row_len(in.len) == 0)
		return;
	head = (struct envelope_head){.kind = 1, .number = 7};
	envelope_seal(&ring, &key, &head, in, again);
	row = (struct cdop_bytes){again, envelope_row_len(in.len)};
	ensure(envelope_head_parse(&ring, row, 7, &head) == ENVELOPE_FINE);
	ensure(envelope_unseal(&ring, &key, &head, row, out, &got) ==
	    ENVELOPE_FINE);
	ensure(got.len == in.len &&
	    (in.len == 0 || memcmp(got.data, in.data, in.len) == 0));
}

static void
try_slot(struct cdop_bytes in)
{
	uint8_t root[32], other[32], row[SLOTS_ROW];
	struct slots_info info;
	struct slots_set set;

	if (slots_parse(in, &info) == CDOP_OK) {
		ensure(info.kdf.memory_kib <= SLOTS_MEMORY_MAX &&
		    info.kdf.passes <= SLOTS_PASSES_MAX);
		ensure(
		    info.label[0] != '\0' && strlen(info.label) <= SLOTS_LABEL);
		ensure(slots_open(in, k, root) != CDOP_OK);
		ensure(slots_check(in, k) != CDOP_OK);
		ensure(slots_turn(in, k, k, row) != CDOP_OK);
	}
	ensure(slots_ring_open(in, k, root, other) != CDOP_OK);
	(void)!slots_ring_parse(in, row);
	if (slots_set_parse(in, &set) == CDOP_OK)
		ensure(set.k >= 2 && set.k <= set.n && set.n <= SHAMIR_MAX);
}

static void
try_layouts(struct cdop_bytes in)
{
	uint8_t out[1024];
	struct layout_head head;
	struct layout_dir dir;
	struct layout_key key;

	if (layout_head_parse(in, &head) == CDOP_OK)
		layout_head_write(&head, out);
	if (layout_dir_parse(in, &dir) == CDOP_OK) {
		layout_dir_write(&dir, out);
		ensure(memcmp(out, in.data, LAYOUT_DIR) == 0);
	}
	if (layout_epoch_parse(in, &key) == CDOP_OK) {
		layout_epoch_write(&key, out);
		ensure(memcmp(out, in.data, LAYOUT_EPOCH) == 0);
	}
	if (layout_case_parse(in, &key) == CDOP_OK) {
		layout_case_write(&key, out);
		ensure(memcmp(out, in.data, LAYOUT_CASE) == 0);
	}
}

/* What is a tile is written again as it was, edge and all. */
static void
try_tile(struct cdop_bytes in)
{
	static struct tree_row_tile tile[TREE_ROW_LEVELS];
	static uint8_t out[TREE_ROW_MAX];
	const struct tree_row_tile *tiles[TREE_ROW_LEVELS];
	struct tree_row row;
	unsigned level, i;

	if (tree_row_parse(in, &row) != CDOP_OK)
		return;
	memcpy(tile[row.level].hash, row.hash, sizeof(tile[0].hash));
	for (i = 0; row.below != NULL && i < TREE_ROW_WIDTH; i++)
		tile[row.level].below[i] =
		    cdop_get64(row.below + 8 * (size_t)i);
	for (level = 1; row.level == 0 && level < TREE_ROW_LEVELS; level++)
		for (i = 0; i < tree_row_edge_count(row.index, level); i++)
			tree_row_edge(&row, level, i, tile[level].hash[i],
			    &tile[level].below[i]);
	for (level = 0; level < TREE_ROW_LEVELS; level++)
		tiles[level] = &tile[level];
	ensure(tree_row_write(tiles, row.level, row.index, out) == in.len);
	ensure(memcmp(out, in.data, in.len) == 0);
}

/* ---- Pages: two good meta pages, then whatever comes ---- */

static void
put_le(uint8_t *p, uint64_t v, unsigned int n)
{
	for (; n > 0; n--, v >>= 8)
		*p++ = (uint8_t)v;
}

static void
put_meta(uint8_t *page, uint64_t i, uint64_t last, uint8_t shape)
{
	uint8_t *p;

	p = page + 16;
	put_le(page, i, 8);
	put_le(page + 10, 8, 2);
	put_le(p, 0xBEEFC0DE, 4);
	put_le(p + 4, 1, 4);
	put_le(p + 24, PAGE, 4);
	put_le(p + 28, 8, 2); /* flags of the free list */
	put_le(p + 30, shape >> 4 & 3, 2);
	put_le(p + 64, (shape >> 4 & 3) == 0 ? UINT64_MAX : 3, 8);
	put_le(p + 78, shape & 3, 2);
	put_le(p + 112, (shape & 3) == 0 ? UINT64_MAX : 2, 8);
	put_le(p + 120, last, 8);
	put_le(p + 128, i, 8);
}

static void
on_finding(void *ctx, const char *finding)
{
	(void)ctx;
	ensure(strlen(finding) < 128);
}

static void
try_pages(struct cdop_bytes in)
{
	static uint8_t file[(PAGES_MAX + 2) * PAGE];
	static char path[] = "/tmp/cdop-fuzz-row.XXXXXX";
	static int fd = -1;
	uint64_t pages;
	size_t n;

	if (fd == -1 && (fd = mkstemp(path)) == -1)
		return;
	if (in.len < 2 || in.len > PAGES_MAX * PAGE)
		return;
	n = (in.len - 1 + PAGE - 1) / PAGE + 2;
	memset(file, 0, sizeof(file));
	put_meta(file, 0, n - 1, in.data[0]);
	put_meta(file + PAGE, 1, n - 1, in.data[0]);
	memcpy(file + 2 * PAGE, in.data + 1, in.len - 1);
	ensure(pwrite(fd, file, n * PAGE, 0) == (ssize_t)(n * PAGE));
	ensure(ftruncate(fd, (off_t)(n * PAGE)) == 0);
	(void)pages_roots(path, false);
	ensure(pages_check(path, false, on_finding, NULL, &pages) == CDOP_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cdop_bytes in;

	if (len == 0)
		return 0;
	in = (struct cdop_bytes){data + 1, len - 1};
	switch (data[0] % 5) {
	case 0:
		try_row(in);
		break;
	case 1:
		try_slot(in);
		break;
	case 2:
		try_layouts(in);
		break;
	case 4:
		try_tile(in);
		break;
	default:
		try_pages(in);
		break;
	}
	return 0;
}
