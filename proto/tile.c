/* Names and arithmetic of tiles; see cdop/tile.h. */
#include "cdop/tile.h"

#include <stdio.h>
#include <string.h>

/* ---- which there are ----------------------------------------------------- */

unsigned
cdop_tile_width(unsigned level, uint64_t tile, uint64_t size)
{
	uint64_t hashes, before;

	if (level >= CDOP_TILE_LEVELS || size > CDOP_MERKLE_SIZE_MAX)
		return 0;
	hashes = size >> (CDOP_TILE_HEIGHT * level);
	if (tile > hashes / CDOP_TILE_WIDTH)
		return 0;
	before = tile * CDOP_TILE_WIDTH;
	return hashes - before < CDOP_TILE_WIDTH ? (unsigned)(hashes - before)
						 : CDOP_TILE_WIDTH;
}

void
cdop_tile_find(
    unsigned height, uint64_t index, struct cdop_tile_place *ret_place)
{
	uint64_t first;

	ret_place->level = height / CDOP_TILE_HEIGHT;
	ret_place->height = height % CDOP_TILE_HEIGHT;
	first = index << ret_place->height;
	ret_place->tile = first / CDOP_TILE_WIDTH;
	ret_place->first = (unsigned)(first % CDOP_TILE_WIDTH);
}

/* ---- names --------------------------------------------------------------- */

/* In groups of three digits; all but the last have an x. */
static void
add_number(char *out, uint64_t number)
{
	size_t len = strlen(out);
	uint64_t unit = 1;

	while (number / unit >= 1000)
		unit *= 1000;
	for (; unit > 0; unit /= 1000)
		len += (size_t)snprintf(out + len, CDOP_TILE_PATH_MAX - len,
		    unit > 1 ? "x%03u/" : "%03u",
		    (unsigned)(number / unit % 1000));
}

static void
add_width(char *out, unsigned width)
{
	size_t len = strlen(out);

	CDOP_ASSERT(width >= 1 && width <= CDOP_TILE_WIDTH);
	if (width < CDOP_TILE_WIDTH)
		(void)snprintf(
		    out + len, CDOP_TILE_PATH_MAX - len, ".p/%u", width);
}

void
cdop_tile_path(unsigned level, uint64_t tile, unsigned width,
    char out[static CDOP_TILE_PATH_MAX])
{
	(void)snprintf(out, CDOP_TILE_PATH_MAX, "tile/%u/", level);
	add_number(out, tile);
	add_width(out, width);
}

void
cdop_tile_entries_path(
    uint64_t tile, unsigned width, char out[static CDOP_TILE_PATH_MAX])
{
	(void)snprintf(out, CDOP_TILE_PATH_MAX, "tile/entries/");
	add_number(out, tile);
	add_width(out, width);
}

/* ---- hashes -------------------------------------------------------------- */

void
cdop_tile_hash(const uint8_t *hashes, unsigned height,
    uint8_t out[static CDOP_MERKLE_HASH])
{
	uint8_t row[CDOP_TILE_LEN / 2];
	const uint8_t *from = hashes;
	size_t n, i;

	CDOP_ASSERT(height <= CDOP_TILE_HEIGHT);
	for (n = (size_t)1 << height >> 1; n > 0; n >>= 1) {
		for (i = 0; i < n; i++)
			cdop_merkle_node(row + i * CDOP_MERKLE_HASH,
			    from + 2 * i * CDOP_MERKLE_HASH,
			    from + (2 * i + 1) * CDOP_MERKLE_HASH);
		from = row;
	}
	memcpy(out, from, CDOP_MERKLE_HASH);
}

/* ---- entry bundles ------------------------------------------------------- */

enum cdop_err
cdop_tile_entry_write(
    struct cdop_bytes entry, uint8_t *bundle, size_t max, size_t *len)
{
	if (entry.len > CDOP_TILE_ENTRY_MAX)
		return CDOP_INVALID_ARGUMENT;
	if (*len > max || max - *len < CDOP_TILE_ENTRY_HEAD + entry.len)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop_put16(bundle + *len, (uint16_t)entry.len);
	if (entry.len > 0)
		memcpy(bundle + *len + CDOP_TILE_ENTRY_HEAD, entry.data,
		    entry.len);
	*len += CDOP_TILE_ENTRY_HEAD + entry.len;
	return CDOP_OK;
}

enum cdop_err
cdop_tile_entry_next(struct cdop_bytes *rest, struct cdop_bytes *ret_entry)
{
	size_t len;

	if (rest->len < CDOP_TILE_ENTRY_HEAD)
		return CDOP_INVALID_ARGUMENT;
	len = cdop_get16(rest->data);
	if (rest->len - CDOP_TILE_ENTRY_HEAD < len)
		return CDOP_INVALID_ARGUMENT;
	ret_entry->data = rest->data + CDOP_TILE_ENTRY_HEAD;
	ret_entry->len = len;
	rest->data += CDOP_TILE_ENTRY_HEAD + len;
	rest->len -= CDOP_TILE_ENTRY_HEAD + len;
	return CDOP_OK;
}
