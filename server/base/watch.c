/* Whether a child answers. */
#include "server/base/watch.h"

#include <string.h>

#include "server/base/control.h"

void
watch_begin(struct watch *watch, uint64_t now_ms)
{
	memset(watch, 0, sizeof(*watch));
	watch->started_ms = now_ms;
}

void
watch_asked(struct watch *watch, uint64_t now_ms)
{
	watch->pinged_ms = now_ms;
}

void
watch_heard(struct watch *watch, bool opening)
{
	watch->opening = opening;
	watch->pinged_ms = 0;
}

enum watch_verdict
watch_look(const struct watch *watch, uint64_t now_ms, uint64_t hang_ms)
{
	uint64_t silent_ms = now_ms - watch->pinged_ms;

	if (!watch->ready)
		return now_ms - watch->started_ms < CONTROL_OPEN_MS
		    ? WATCH_WELL
		    : WATCH_WAIT;
	if (watch->pinged_ms == 0)
		return WATCH_ASK;
	if (watch->opening)
		return silent_ms < CONTROL_OPEN_MS ? WATCH_WELL : WATCH_HANGS;
	return silent_ms < hang_ms ? WATCH_WAIT : WATCH_HANGS;
}

bool
watch_is_well(const struct watch *watch, enum watch_verdict verdict)
{
	return verdict == WATCH_WELL ||
	    (verdict == WATCH_ASK && (watch->answers || watch->opening));
}
