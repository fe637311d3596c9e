/*
 * What is done to keys and for good, each act as a row of steps that go on
 * from wherever the registry is: what a test cuts off anywhere and takes up
 * again.
 */
#ifndef CDOP_TESTS_KEY_ACTS_H
#define CDOP_TESTS_KEY_ACTS_H

#include "tests/unit/server/world.h"

#define KEY_ACTS_TEXT 1600

/*
 * The next step; *ret_done when there is none.  What its commit said, or why
 * it came to none.
 */
typedef enum cdop_err key_acts_fn(bool *ret_done);

/* Erased by two people, with its rotation and copy, to the certificate. */
key_acts_fn key_acts_erase;
/* Held, and the hold is lifted by two. */
key_acts_fn key_acts_hold;
/* A next key, which one device learns, its turn, and one more. */
key_acts_fn key_acts_link_key;
/* A drill, a set of shares more, and a slot less by two people. */
key_acts_fn key_acts_slots;
/* Taken whole and proved; one that was cut off is never whole. */
key_acts_fn key_acts_backup;

/* Makes a world for them, with three cases; it stays the caller's. */
void key_acts_begin(struct world *world);
void key_acts_end(void);

/* The world was opened again: whoever asks now is another session. */
void key_acts_restarted(void);

/* All that a start makes of the disk, as far as these acts change it. */
void key_acts_describe(char text[static KEY_ACTS_TEXT]);

#endif
