/*
 * Who makes a call: the person, the device, and what both may at this
 * moment.  Made anew for every call by people_actor(), never kept over a
 * batch, so that a revocation counts at once.
 */
#ifndef CDOP_REGISTRY_ACTOR_H
#define CDOP_REGISTRY_ACTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct actor {
	uint32_t person;         /* 0: none (an invitation's session) */
	uint32_t device;         /* 0: none */
	uint8_t fingerprint[32]; /* BLAKE2b-256 of the device's public key */
	uint8_t public_key[32];  /* X25519, as the handshake proved it */
	uint32_t roles;          /* CDOP_ROLE_* mask in force now */
	uint32_t role; /* the one acted as: one bit; 0: not said yet, one of
			  several */
	bool all_areas;
	const char *const *areas; /* ids in the profile; people.c's */
	size_t n_areas;
	const char *agency;     /* id in the profile, or NULL */
	uint8_t handshake[64];  /* hash of this session's handshake */
	uint8_t session[16];    /* BLAKE2b of it, as it stands in leaves */
	uint8_t psk_id[16];     /* of the PSK this session was proved under */
	uint8_t invitation[16]; /* of one under an invitation */
};

#endif
