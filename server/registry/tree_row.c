/* Fixed layout, big-endian; every length follows from level and index. */
#include "server/registry/tree_row.h"

#include <string.h>

#define AT_HASHES 16
#define AT_REST   (AT_HASHES + TREE_ROW_WIDTH * CDOP_MERKLE_HASH)

unsigned
tree_row_edge_count(uint64_t index, unsigned level)
{
	return (unsigned)(index >> 8 * (level - 1)) & 255u;
}

/* Levels of the edge: none behind the last that has an entry. */
static bool
has_edge(uint64_t index, unsigned level)
{
	return level < TREE_ROW_LEVELS && index >> 8 * (level - 1) != 0;
}

static size_t
edge_len(uint64_t index)
{
	unsigned level;
	size_t len = 0;

	for (level = 1; has_edge(index, level); level++)
		len += 1 + TREE_ROW_ENTRY * tree_row_edge_count(index, level);
	return len;
}

size_t
tree_row_write(const struct tree_row_tile *const tiles[TREE_ROW_LEVELS],
    unsigned level, uint64_t index, uint8_t *out)
{
	uint8_t *p = out + AT_REST;
	unsigned i, n, above;

	memset(out, 0, AT_HASHES);
	out[0] = (uint8_t)level;
	cdop_put64(out + 8, index);
	memcpy(out + AT_HASHES, tiles[level]->hash, sizeof(tiles[0]->hash));
	for (i = 0; level > 0 && i < TREE_ROW_WIDTH; i++, p += 8)
		cdop_put64(p, tiles[level]->below[i]);
	for (above = 1; level == 0 && has_edge(index, above); above++) {
		n = tree_row_edge_count(index, above);
		*p++ = (uint8_t)n;
		for (i = 0; i < n; i++, p += TREE_ROW_ENTRY) {
			memcpy(p, tiles[above]->hash[i], CDOP_MERKLE_HASH);
			cdop_put64(
			    p + CDOP_MERKLE_HASH, tiles[above]->below[i]);
		}
	}
	return (size_t)(p - out);
}

/* The counts say again what the index says. */
static bool
edge_is_good(const struct tree_row *row)
{
	const uint8_t *p = row->edge.data;
	unsigned level;

	if (row->edge.len != edge_len(row->index))
		return false;
	for (level = 1; has_edge(row->index, level); level++) {
		if (*p != tree_row_edge_count(row->index, level))
			return false;
		p += 1 + (size_t)TREE_ROW_ENTRY * *p;
	}
	return true;
}

enum cdop_err
tree_row_parse(struct cdop_bytes in, struct tree_row *ret_row)
{
	static const uint8_t zeros[7];
	struct tree_row row;

	if (in.len < AT_REST || in.data[0] >= TREE_ROW_LEVELS ||
	    memcmp(in.data + 1, zeros, sizeof(zeros)) != 0)
		return CDOP_DATA_LOSS;
	memset(&row, 0, sizeof(row));
	row.level = in.data[0];
	row.index = cdop_get64(in.data + 8);
	row.hash = in.data + AT_HASHES;
	if (row.index >> 8 * (TREE_ROW_LEVELS - 1 - row.level) != 0)
		return CDOP_DATA_LOSS;
	if (row.level == 0) {
		row.edge.data = in.data + AT_REST;
		row.edge.len = in.len - AT_REST;
		if (!edge_is_good(&row))
			return CDOP_DATA_LOSS;
	} else {
		row.below = in.data + AT_REST;
		if (in.len != AT_REST + TREE_ROW_WIDTH * 8u)
			return CDOP_DATA_LOSS;
	}
	*ret_row = row;
	return CDOP_OK;
}

void
tree_row_edge(const struct tree_row *row, unsigned level, unsigned i,
    uint8_t ret_hash[static CDOP_MERKLE_HASH], uint64_t *ret_below)
{
	const uint8_t *p = row->edge.data;
	unsigned below;

	for (below = 1; below < level; below++)
		p += 1 + (size_t)TREE_ROW_ENTRY * *p;
	p += 1 + (size_t)TREE_ROW_ENTRY * i;
	memcpy(ret_hash, p, CDOP_MERKLE_HASH);
	*ret_below = cdop_get64(p + CDOP_MERKLE_HASH);
}
