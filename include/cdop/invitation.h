/*
 * The invitation file: what a person needs to enrol one device, once.  It
 * travels by a second channel and is a secret until it is used or ends.
 *
 *	cdop-invitation 1
 *	registry <32 hex>
 *	mode live | training
 *	name <whom it is for>
 *	address <host:port | unix:/path>        one to eight lines, in order
 *	server <64 hex>                         one or two: current, next
 *	id <32 hex>
 *	psk <64 hex>
 *	expires <milliseconds since 1970>
 *	check <16 hex: BLAKE2b-256 over all bytes before this line>
 *
 * Lines end in LF (CRLF is read too), stand in this order, and there are no
 * others.  The check finds a slip of the second channel; it is no signature.
 */
#ifndef CDOP_INVITATION_H
#define CDOP_INVITATION_H

#include <stdbool.h>

#include "cdop/arena.h"
#include "cdop/bytes.h"
#include "cdop/err.h"

#define CDOP_INVITATION_ADDRESSES 8
#define CDOP_INVITATION_SERVERS   2

struct cdop_invitation {
	uint8_t registry[16];
	bool training;
	const char *name;
	const char *address[CDOP_INVITATION_ADDRESSES];
	size_t n_address;
	uint8_t server[CDOP_INVITATION_SERVERS][32];
	size_t n_server;
	uint8_t id[16];
	uint8_t psk[32];
	uint64_t expires_ms;
};

/*
 * Reads a whole file; text lies in the arena.  CDOP_INVALID_ARGUMENT: no
 * such file; CDOP_DATA_LOSS: the check differs; CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cdop_invitation_parse(struct cdop_bytes file,
    struct cdop_arena *arena, struct cdop_invitation *ret_invitation);

/*
 * The bytes of a file, in the arena.  CDOP_INVALID_ARGUMENT: something in it
 * cannot stand on a line or there is too little or much of it.
 */
CDOP_MUST enum cdop_err cdop_invitation_write(
    const struct cdop_invitation *invitation, struct cdop_arena *arena,
    struct cdop_bytes *ret_file);

#endif
