/* When the anchor is read and when it is written; see anchoring.h. */
#include "server/cycle/anchoring.h"

#include "cdop/checkpoint.h"
#include "cdop/role.h"
#include "server/base/log.h"
#include "server/registry/checkpoints.h"
#include "server/registry/registry.h"
#include "server/registry/rollback.h"
#include "server/store/anchor.h"
#include "server/store/files.h"

#define ANCHOR_NEXT "it is tried again; cdopd check looks at it"

#define ROOM (CDOP_CHECKPOINT_NOTE_MAX + 1)

static bool
refuse(const char *code, const char *finding)
{
	log_error("registry.rolled_back", "code=%s finding=%s next=%s", code,
	    finding,
	    "find out who put it back; to go on from it: cdopd "
	    "accept-rollback");
	return false;
}

/* It may be there and be no file, which nobody has put back. */
static bool
refuse_unread(const char *dir, enum cdop_err err)
{
	struct files_found found;

	if (files_anchor(dir, &found) < FILES_NOT_OURS)
		return refuse(cdop_err_name(err), "the anchor cannot be read");
	log_error("anchor.refused", "dir=%s finding=%s next=%s", dir,
	    found.words, found.next);
	return false;
}

bool
anchoring_check(struct anchoring *anchoring, struct registry *reg)
{
	uint8_t room[ROOM];
	enum rollback found;
	size_t len;
	enum cdop_err err;

	if (anchoring->dir[0] == '\0')
		return true;
	err = anchor_read(anchoring->dir, room, sizeof(room), &len);
	if (err == CDOP_NOT_FOUND) {
		/* Of a registry that was just made there is none yet. */
		reg->anchor_missed = reg->state != CDOP_STATE_SETUP;
		if (reg->anchor_missed)
			log_warning("anchor.missing", "dir=%s next=%s",
			    anchoring->dir,
			    "a new one is written; an older database would "
			    "not be noticed now");
		return true;
	}
	if (err != CDOP_OK)
		return refuse_unread(anchoring->dir, err);
	err = rollback_check(reg, (struct cdop_bytes){room, len}, &found);
	if (err != CDOP_OK)
		return refuse(cdop_err_name(err), "the log cannot be read");
	if (found != ROLLBACK_NONE)
		return refuse("rollback", rollback_words(found));
	return true;
}

static void
write_now(struct anchoring *anchoring, struct registry *reg)
{
	struct files_found found = {"the directory", ANCHOR_NEXT};
	uint64_t size = checkpoints_size(reg->checkpoints);
	enum cdop_err err;

	if (anchoring->dir[0] == '\0' || size == anchoring->size ||
	    reg->state == CDOP_STATE_RESTORED)
		return;
	err = anchor_write(anchoring->dir, checkpoints_note(reg->checkpoints));
	if (err == CDOP_OK)
		anchoring->size = size;
	else if (!reg->anchor_failed) {
		(void)files_anchor(anchoring->dir, &found);
		log_error("anchor.not_written",
		    "code=%s dir=%s finding=%s next=%s", cdop_err_name(err),
		    anchoring->dir, found.words, found.next);
	}
	reg->anchor_failed = err != CDOP_OK;
}

void
anchoring_turn(
    struct anchoring *anchoring, struct registry *reg, uint64_t boot_ms)
{
	if (reg == NULL || boot_ms < anchoring->next_ms)
		return;
	write_now(anchoring, reg);
	anchoring->next_ms = boot_ms + ANCHORING_MS;
}

void
anchoring_stop(struct anchoring *anchoring, struct registry *reg)
{
	if (reg != NULL)
		write_now(anchoring, reg);
}
