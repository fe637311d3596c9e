/*
 * Judges the raw bytes of a protobuf message by its descriptor before they
 * are unpacked, and so closes what protobuf-c leaves open: depth, repeats,
 * text that is not UTF-8, NUL inside text, enum values that do not exist,
 * fields that come twice.  It reads; it builds nothing and knows no rule of
 * the domain.
 */
#ifndef CDOP_SCAN_H
#define CDOP_SCAN_H

#include <protobuf-c/protobuf-c.h>

#include "cdop/bytes.h"
#include "cdop/err.h"

enum cdop_scan_mode {
	CDOP_SCAN_STRICT,  /* the server, on requests: unknown is refused */
	CDOP_SCAN_LENIENT, /* the client, on replies: unknown is passed over,
			      and so are enum values that are newer; a list
			      has up to 65,535 entries */
	CDOP_SCAN_OWN,     /* what a client sealed itself: lenient, and as long
			      as its file may be */
};

/* Where and what; never a value. */
struct cdop_scan_fault {
	char path[160];   /* "form.parent.2.family_name", from 1 */
	const char *rule; /* one of PROTOCOL.md's, "wire.utf8" */
};

/*
 * in as a message of type desc.  CDOP_INVALID_ARGUMENT: *ret_fault says
 * what is wrong first (it is written on that failure alone and may be
 * NULL).  The rules and their words stand in PROTOCOL.md, "What a request
 * may look like".
 */
CDOP_MUST enum cdop_err cdop_scan_message(
    const ProtobufCMessageDescriptor *desc, struct cdop_bytes in,
    enum cdop_scan_mode mode, struct cdop_scan_fault *ret_fault);

#endif
