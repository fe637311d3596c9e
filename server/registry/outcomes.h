/*
 * What request keys did that may still be used: memory only, built again
 * from the log at a start (TRUST M8, M12).
 */
#ifndef CDOP_REGISTRY_OUTCOMES_H
#define CDOP_REGISTRY_OUTCOMES_H

#include <stdint.h>

#include "cdop/arena.h"
#include "cdop/err.h"
#include "cdop/limits.h"
#include "stored.pb-c.h"

struct outcomes;
struct undo;

/*
 * How old a leaf may be whose outcome is still wanted.  A key is good for
 * its days counted from its own date, which may be ahead of the leaf; a day
 * more, so that none is forgotten early.
 */
#define OUTCOMES_KEEP_MS                                                       \
	((CDOP_REQUEST_KEY_DAYS + 1) * 86400000ull +                           \
	    CDOP_REQUEST_KEY_AHEAD_S * 1000ull)

CDOP_MUST enum cdop_err outcomes_new(
    struct undo *undo, struct outcomes **ret_outcomes);
void outcomes_free(struct outcomes *outcomes);

/* Copies stored.  Through the undo log.  An older one stays: keys act once. */
CDOP_MUST enum cdop_err outcomes_add(struct outcomes *outcomes, uint32_t person,
    uint64_t at_ms, const Cdop__StoredOutcome *stored);

/*
 * *ret_stored, in arena: what was applied under this key of this person; NULL:
 * nothing was.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err outcomes_find(const struct outcomes *outcomes,
    uint32_t person, const uint8_t key[static 16], struct cdop_arena *arena,
    const Cdop__StoredOutcome **ret_stored);

/* Drops a few that are past their time; such keys are refused by their age. */
void outcomes_forget(struct outcomes *outcomes, uint64_t now_ms);

size_t outcomes_count(const struct outcomes *outcomes);

#endif
