/*
 * The vault process: keys, store, sessions and cases in one loop on one
 * thread.  This header is its door for main.c; its parts are cycle.h (the
 * five steps), session.h and batch.h.
 */
#ifndef CDOP_CYCLE_VAULT_H
#define CDOP_CYCLE_VAULT_H

struct config;
struct vault_fds;

/*
 * Runs until the parent says stop or is gone.  Returns the exit status:
 * 0, CONTROL_EXIT_DATA, CONTROL_EXIT_CONFIG, or 1 to be started again.
 */
int vault_main(const struct config *conf, const struct vault_fds *fds);

#endif
