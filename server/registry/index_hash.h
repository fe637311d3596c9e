/*
 * SipHash-2-4 (Aumasson and Bernstein 2012): the hash of the index's tables.
 * Keyed afresh in each process, so that nobody who chooses names can choose
 * who collides.  It protects nothing else.
 */
#ifndef CDOP_REGISTRY_INDEX_HASH_H
#define CDOP_REGISTRY_INDEX_HASH_H

#include <stddef.h>
#include <stdint.h>

#define INDEX_HASH_KEY 16

/* The 64-bit tag of len bytes. */
uint64_t index_hash_sip(
    const uint8_t key[static INDEX_HASH_KEY], const void *data, size_t len);

#endif
