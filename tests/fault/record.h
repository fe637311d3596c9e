/*
 * What the vault did to its directory, write by write, and every directory
 * that a loss of power could have left of it.
 *
 * A file has what was synced and, in order, what was not yet.  What was not
 * is lost or not, each write by itself and in parts of a sector; a write with
 * O_DSYNC is durable alone.  Names that were made, changed and removed are
 * lost from the last one on, until the directory is synced.
 */
#ifndef CDOP_TESTS_FAULT_RECORD_H
#define CDOP_TESTS_FAULT_RECORD_H

#include "tests/fault/house.h"
#include "tests/fault/shim.h"

/* What is lost of it all. */
enum record_loss {
	RECORD_NOTHING, /* everything got there */
	RECORD_ALL,     /* nothing but what was synced */
	RECORD_NAMES,   /* the names alone are as they were */
	RECORD_DATA,    /* the bytes: names and lengths got there */
	RECORD_ONE,     /* the n-th write of those that were not synced */
	RECORD_BUT_ONE, /* all of them but the n-th */
	RECORD_TORN,    /* the n-th in its last sectors, all behind it */
	RECORD_SOME,    /* some of them, by a seed n */
	RECORD_LOSSES,
};

const char *record_loss_name(enum record_loss loss);

/*
 * From now on, in a directory that is there; said() is asked for a number
 * each time that the vault's own code is entered.
 */
typedef size_t record_said_fn(void);
void record_start(const struct house_place *place, record_said_fn *said);
void record_stop(void);
size_t record_events(void);

/*
 * Crashes are looked at in the order of events: everything up to the end-th
 * is behind us.
 */
void record_go(size_t end);
/* From the beginning once more. */
void record_rewind(void);
/* The same, on a disk that lies: no sync has done anything. */
void record_lie(bool lies);
/* What said() last gave before that. */
size_t record_said(void);
/* Whether the event before was one that changed something. */
bool record_is_change(void);
/* How many writes are not synced; and whether the next event syncs any. */
size_t record_pending(void);
bool record_is_before_sync(void);

/* Writes that directory down. */
void record_image(
    const struct house_place *place, enum record_loss loss, size_t n);

#endif
