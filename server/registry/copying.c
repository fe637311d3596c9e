/* One copy, and what state it is in. */
#include "server/registry/copying.h"

#include <stdlib.h>

#include "server/registry/registry.h"
#include "server/registry/reseal.h"

struct copying {
	struct registry *reg;
	struct copy *copy;
	enum copying_state state;
	bool switched; /* and the old file goes back */
};

enum cdop_err
copying_new(struct registry *reg, struct copying **ret_copying)
{
	struct copying *copying = calloc(1, sizeof(*copying));

	if (copying == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	copying->reg = reg;
	*ret_copying = copying;
	return CDOP_OK;
}

void
copying_free(struct copying *copying)
{
	if (copying == NULL)
		return;
	copying_clear(copying);
	free(copying);
}

enum copying_state
copying_state(const struct copying *copying)
{
	return copying->state;
}

enum cdop_err
copying_begin(struct copying *copying, const struct copy_plan *plan)
{
	struct copy_plan whole = *plan;
	enum cdop_err err;

	if (copying->copy != NULL)
		return CDOP_ALREADY_EXISTS;
	reseal_prepare(copying->reg, &whole);
	err = copy_begin(copying->reg->rows, &whole, &copying->copy);
	if (err == CDOP_OK)
		copying->state = COPYING_RUNS;
	return err;
}

void
copying_hold(struct copying *copying, bool held)
{
	if (copying->state == COPYING_RUNS && held)
		copying->state = COPYING_HELD;
	else if (copying->state == COPYING_HELD && !held)
		copying->state = COPYING_RUNS;
}

static enum cdop_err
finish(struct copying *copying)
{
	switch (copy_finish(copying->copy)) {
	case COPY_SWITCHED:
		copying->switched = true;
		return CDOP_OK;
	case COPY_KEPT:
		copying->state = COPYING_FAILED;
		return CDOP_OK;
	case COPY_LOST:
		break;
	}
	return CDOP_DATA_LOSS;
}

enum cdop_err
copying_step(struct copying *copying, const struct walk_budget *budget)
{
	enum copy_state now;

	if (copying->state != COPYING_RUNS)
		return CDOP_OK;
	if (copying->switched) {
		if (!copy_give_back(copying->copy, budget))
			copying->state = COPYING_DONE;
		return CDOP_OK;
	}
	if (copy_step(copying->copy, budget, &now) != CDOP_OK) {
		copying->state = COPYING_FAILED;
		return CDOP_OK;
	}
	return now == COPY_READY ? finish(copying) : CDOP_OK;
}

const struct copy *
copying_copy(const struct copying *copying)
{
	return copying->copy;
}

void
copying_clear(struct copying *copying)
{
	copy_free(copying->copy);
	copying->copy = NULL;
	copying->state = COPYING_NONE;
	copying->switched = false;
}
