/* The log from its first row to its last, and again. */
#include "server/registry/scrub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cdop/arena.h"
#include "server/registry/registry.h"
#include "server/registry/tree.h"
#include "server/registry/tree_load.h"
#include "server/registry/tree_row.h"
#include "server/store/schema.h"
#include "server/vault/rows.h"
#include "server/vault/rows_scan.h"

#define ARENA_MAX ((size_t)4 << 20) /* one row, opened and unpacked */

struct scrub {
	struct registry *reg;
	struct cdop_arena *arena;
	uint64_t cursor; /* row to go on with */
	uint64_t next;   /* leaf that has to come */
	size_t left;     /* rows of this step */
	const char *fault;
	char finding[200];
};

enum cdop_err
scrub_new(struct registry *reg, struct scrub **ret_scrub)
{
	struct scrub *scrub;
	enum cdop_err err;

	scrub = calloc(1, sizeof(*scrub));
	if (scrub == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if ((err = cdop_arena_new(ARENA_MAX, &scrub->arena)) != CDOP_OK) {
		free(scrub);
		return err;
	}
	scrub->reg = reg;
	*ret_scrub = scrub;
	return CDOP_OK;
}

void
scrub_free(struct scrub *scrub)
{
	if (scrub == NULL)
		return;
	cdop_arena_free(scrub->arena);
	free(scrub);
}

const char *
scrub_finding(const struct scrub *scrub)
{
	return scrub->finding;
}

/* ---- rows -------------------------------------------------------------- */

static enum cdop_err
found(struct scrub *scrub, const char *fault)
{
	scrub->fault = fault;
	return CDOP_DATA_LOSS;
}

static enum cdop_err
take_leaf(struct scrub *scrub, struct cdop_bytes data)
{
	uint8_t hash[CDOP_MERKLE_HASH], known[CDOP_MERKLE_HASH];
	uint64_t index;
	enum cdop_err err;

	if (tree_load_leaf(data, scrub->arena, &index, hash) != CDOP_OK)
		return found(scrub, "no_leaf");
	if (index != scrub->next)
		return found(scrub, "missing");
	err = tree_fetch(scrub->reg->tree, 0, index, known);
	if (err == CDOP_DATA_LOSS)
		return found(scrub, "tile");
	if (err != CDOP_OK)
		return err;
	if (memcmp(hash, known, sizeof(hash)) != 0)
		return found(scrub, "differs");
	scrub->next++;
	return CDOP_OK;
}

static enum cdop_err
take_row(void *ctx, const struct rows_head *head, struct rows_item *item,
    bool *ret_stop)
{
	struct scrub *scrub = ctx;
	struct cdop_bytes data;
	struct tree_row tile;
	enum cdop_err err;

	scrub->cursor = head->number + 1;
	cdop_arena_reset(scrub->arena);
	if ((err = rows_item_open(item, scrub->arena, &data)) != CDOP_OK)
		return err;
	if (head->kind == SCHEMA_KIND_LEAF)
		err = take_leaf(scrub, data);
	else if (tree_row_parse(data, &tile) != CDOP_OK)
		err = found(scrub, "tile");
	*ret_stop = --scrub->left == 0;
	return err;
}

/* ---- rounds ------------------------------------------------------------ */

static bool
end_round(struct scrub *scrub, struct scrub_end *ret_end)
{
	const char *row = "";

	/* What else is there is of a row that was fine. */
	if (scrub->fault != NULL && strcmp(scrub->fault, "damaged") == 0)
		row = rows_finding(scrub->reg->rows);
	ret_end->leaves = scrub->next;
	ret_end->fault = scrub->fault;
	scrub->finding[0] = '\0';
	if (scrub->fault != NULL)
		(void)snprintf(scrub->finding, sizeof(scrub->finding),
		    "at leaf %llu: %s%s%s", (unsigned long long)scrub->next,
		    scrub->fault, *row == '\0' ? "" : ", ", row);
	scrub->cursor = 0;
	scrub->next = 0;
	scrub->fault = NULL;
	return true;
}

bool
scrub_step(struct scrub *scrub, size_t rows, struct scrub_end *ret_end)
{
	enum cdop_err err;

	scrub->left = rows;
	err = rows_walk_log(scrub->reg->rows, scrub->cursor, take_row, scrub);
	if (err == CDOP_DATA_LOSS) {
		if (scrub->fault == NULL)
			scrub->fault = "damaged";
		return end_round(scrub, ret_end);
	}
	/* Out of memory, say: the same rows again with the next step. */
	if (err != CDOP_OK || scrub->left == 0)
		return false;
	if (scrub->next != tree_size(scrub->reg->tree))
		scrub->fault = "missing";
	return end_round(scrub, ret_end);
}
