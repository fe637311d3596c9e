/*
 * Random bytes for nonces, for what salts a leaf's commitments, and for bounds
 * that move by chance, drawn from the system by the page: a copy takes a
 * million of them.  Each is handed out once and wiped; a process that is forked
 * draws its own.  Never for keys, which the system gives one by one.
 */
#ifndef CDOP_VAULT_FRESH_H
#define CDOP_VAULT_FRESH_H

#include <stdint.h>

#define FRESH_LEN 32

void fresh_take(uint8_t out[static FRESH_LEN]);

#endif
