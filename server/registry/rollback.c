/* A database and its anchor, compared; see rollback.h. */
#include "server/registry/rollback.h"

#include <string.h>

#include "cdop/checkpoint.h"
#include "server/registry/tree.h"
#include "server/vault/rows.h"

static enum cdop_err
compare(struct registry *reg, const struct cdop_checkpoint *anchor,
    enum rollback *ret_found)
{
	uint8_t root[CDOP_MERKLE_HASH];
	enum cdop_err err;

	if (anchor->size > tree_size(reg->tree)) {
		*ret_found = ROLLBACK_OLDER;
		return CDOP_OK;
	}
	err = cdop_merkle_root(anchor->size, tree_fetch, reg->tree, root);
	if (err != CDOP_OK)
		return err;
	*ret_found = memcmp(root, anchor->root, sizeof(root)) == 0
	    ? ROLLBACK_NONE
	    : ROLLBACK_FORKED;
	return CDOP_OK;
}

enum cdop_err
rollback_check(
    struct registry *reg, struct cdop_bytes anchor, enum rollback *ret_found)
{
	struct cdop_checkpoint checkpoint;
	struct cdop_note note;
	uint16_t incarnation;

	*ret_found = ROLLBACK_FOREIGN;
	if (cdop_note_parse(anchor, &note) != CDOP_OK ||
	    cdop_checkpoint_parse(note.text, &checkpoint) != CDOP_OK ||
	    !cdop_checkpoint_is_of(&checkpoint, reg->id, &incarnation))
		return CDOP_OK;
	if (incarnation > rows_incarnation(reg->rows)) {
		*ret_found = ROLLBACK_OLDER;
		return CDOP_OK;
	}
	/* Accepted on the host since: what was lost then is known. */
	if (incarnation < rows_incarnation(reg->rows)) {
		*ret_found = ROLLBACK_NONE;
		return CDOP_OK;
	}
	return compare(reg, &checkpoint, ret_found);
}

const char *
rollback_words(enum rollback found)
{
	switch (found) {
	case ROLLBACK_OLDER:
		return "the database is older than its anchor: it was rolled "
		       "back";
	case ROLLBACK_FORKED:
		return "the database has another log than its anchor";
	case ROLLBACK_FOREIGN:
		return "the anchor is not one of this registry";
	case ROLLBACK_NONE:
	default:
		return "";
	}
}
