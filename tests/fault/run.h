/*
 * One step of the day in a process of its own, with or without a fault, and
 * once more after it: then everything is looked at.
 */
#ifndef CDOP_TESTS_FAULT_RUN_H
#define CDOP_TESTS_FAULT_RUN_H

#include "tests/fault/day.h"
#include "tests/fault/shim.h"

struct run {
	size_t step;
	enum shim_kind kind;
	uint64_t at;    /* 0: nothing is hit */
	size_t leap_at; /* the op before which the clock leaps; 0: none */
	int64_t leap_ms;
	/*
	 * What the fault is, where it is none of a call, NULL: none; and the
	 * turn of the vault before which it comes, 0: before the start.
	 */
	void (*hinder)(void);
	size_t hinder_at;
	/*
	 * The fault is over, and the same vault, if it has not left, plays the
	 * step to its end: facts of the keep say what that is.
	 */
	void (*relieve)(void);
	bool last; /* then facts, log and rows are looked at */
};

extern struct house_place run_place;
extern struct keep *run_keep;

/* A registry, and memory that processes share; disk(): see house.h. */
void run_make(house_disk_fn *disk);
void run_unmake(void);

/* In this process; what does not hold ends it. */
void run_play(const struct run *run);
/* In another one; how it ended (waitpid). */
int run_process(const struct run *run);

/*
 * The next step without a fault: its beginning and its end are kept, and what
 * the end has to be.  play: run_play() or run_process().
 */
void run_rehearse(size_t step, int (*play)(const struct run *run));
uint64_t run_count(size_t step, enum shim_class which);
size_t run_ops(size_t step);
size_t run_turns(size_t step);

/* Whether the store becomes another file in that step. */
bool run_copies(size_t step);

/* Directory and memory are as at the beginning of the step. */
void run_back(size_t step);

/* Every row of what lies there, in another process. */
bool run_verify(void);

/* The step once more, without a fault: whether it comes to its end. */
bool run_again(size_t step);
/* What the last run with facts came to is what it has to be. */
bool run_came_to_its_end(size_t step);

#endif
