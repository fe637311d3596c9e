/*
 * The short-lived child that turns what was typed into slot keys, for
 * base/unseal.h.  It reads the secret itself, offers each slot's key to
 * the vault and is gone; it holds no root and opens nothing.
 */
#ifndef CDOP_SERVER_KDF_H
#define CDOP_SERVER_KDF_H

#include "server/base/unseal.h"

/* An unseal_fn: see there. */
int kdf_run(
    int conn, int channel, const struct control_slot *slots, size_t n_slots);

#endif
