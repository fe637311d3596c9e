/*
 * A day in steps.  Each is played by clients who send again, under the same
 * key, what was not answered; so a step that was cut off anywhere and is
 * played once more has to come to the same end.
 */
#ifndef CDOP_TESTS_FAULT_DAY_H
#define CDOP_TESTS_FAULT_DAY_H

#include "tests/fault/client.h"

struct day {
	struct house house;
	struct town town;
	struct keep *keep;
	bool dead;     /* the vault has left */
	bool hopeless; /* the fault stays: what it hinders is given up */
	/* Before this op (from 1 on) the wall clock leaps by so much. */
	size_t leap_at;
	int64_t leap_ms;
};

struct day_step {
	const char *name;
	void (*play)(struct day *day);
};

#define DAY_STEPS 10
extern const struct day_step day_steps[DAY_STEPS];

/* Opens the vault: false and day->house.err where it does not. */
bool day_open(
    struct day *day, const struct house_place *place, struct keep *keep);
/* Closes it, or what is left of it. */
void day_close(struct day *day);

/* A step begins: nothing of it was asked yet. */
void day_begin(struct keep *keep);

/* Plays it, as far as the vault goes along, and until it has nothing to do. */
void day_play(struct day *day, const struct day_step *step);

/* A change; it is good for ever once it was answered.  NULL: as day_look(). */
Cdop__Reply *day_change(struct day *day, unsigned who, uint32_t method,
    const ProtobufCMessage *body);
/* The yes of a second person to the one act that waits. */
void day_approve(struct day *day, enum world_who who);
/* A look; it is another one each time.  NULL: the vault has left. */
Cdop__Reply *day_look(struct day *day, unsigned who, uint32_t method,
    const ProtobufCMessage *body, town_more_fn *more, void *ctx);
/* The body of an answer, unpacked; NULL of none. */
void *day_body(struct day *day, const Cdop__Reply *reply,
    const ProtobufCMessageDescriptor *desc);

/* What the registry holds now, as text, without anything that is random. */
void day_facts(struct day *day, char *out, size_t max);

/*
 * The log is one in which every checkpoint that was ever shown has its root,
 * and every leaf of a receipt its place.
 */
void day_check_log(struct day *day);

#endif
