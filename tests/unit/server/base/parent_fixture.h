/*
 * The parent with children that are the test program again: what they do
 * stands in files of a directory, what they saw they write to others there.
 */
#ifndef CDOP_TEST_PARENT_FIXTURE_H
#define CDOP_TEST_PARENT_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

extern char parent_fixture_dir[64];
extern pid_t parent_fixture_pid;        /* of the parent; 0: ended */
extern uint64_t parent_fixture_hang_ms; /* 0: as it is served */
extern int parent_fixture_out;          /* its stdout */
extern char parent_fixture_text[8192];  /* what was read last */

/*
 * A child, "gate" or "vault".  Files in the directory change what it does:
 * vault.refuses, vault.dies, vault.aborts, vault.sealed, vault.open (no
 * walls), vault.deaf (does not stop), vault.lost (its link is dead); of both,
 * ROLE.silent (answers no ping).  It writes ROLE.log.
 */
int parent_fixture_child(const char *role);

int parent_fixture_setup(void **state);
int parent_fixture_teardown(void **state);

void parent_fixture_put_file(
    const char *name, const char *content, mode_t mode);

/* The configuration, with more lines. */
void parent_fixture_put_conf(const char *more);

/* A whole file of the directory, "" where there is none. */
const char *parent_fixture_get_file(const char *name);

/* How often a word stands in a file. */
size_t parent_fixture_count(const char *name, const char *word);

/* Waits until it stands there n times, and returns the file. */
const char *parent_fixture_wait_for(
    const char *name, const char *word, size_t n);

/* Of the nth child of that role. */
pid_t parent_fixture_pid_of(const char *role, size_t nth);

void parent_fixture_start(void);

/* The ready line. */
const char *parent_fixture_wait_ready(void);

/* Its exit status; stop sends TERM first. */
int parent_fixture_wait_end(void);
int parent_fixture_stop(void);

bool parent_fixture_is_running(pid_t pid);
void parent_fixture_wait_gone(pid_t pid);

/* 0: there is no such file. */
mode_t parent_fixture_mode_of(const char *name);

#endif
