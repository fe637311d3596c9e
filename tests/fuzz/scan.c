/*
 * The scanner against protobuf-c: what it takes strictly is unpacked within
 * the request's memory and packs to as many bytes again, so that nothing in
 * it was dropped, merged or cut.
 */
#include "cdop/scan.h"

#include <string.h>

#include "cdop/arena.h"
#include "cdop/limits.h"
#include "registry.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const ProtobufCMessageDescriptor *
choose(uint8_t n)
{
	switch (n % 8) {
	case 0:
		return &cdop__hello__descriptor;
	case 1:
		return &cdop__call__descriptor;
	case 2:
		return &cdop__reply__descriptor;
	case 3:
		return &cdop__welcome__descriptor;
	case 4:
		return &cdop__person_invite_request__descriptor;
	case 5:
		return &cdop__who_am_ireply__descriptor;
	case 6:
		return &cdop__form__descriptor;
	default:
		return &cdop__notification_register_request__descriptor;
	}
}

static void
check_fault(const struct cdop_scan_fault *fault)
{
	CDOP_ASSERT(fault->rule != NULL);
	CDOP_ASSERT(strncmp(fault->rule, "wire.", 5) == 0);
	CDOP_ASSERT(memchr(fault->path, '\0', sizeof(fault->path)) != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct cdop_arena *arena;
	const ProtobufCMessageDescriptor *desc;
	struct cdop_scan_fault fault = {.rule = NULL};
	enum cdop_err strict, lenient;
	ProtobufCMessage *message;
	struct cdop_bytes in;

	if (arena == NULL &&
	    cdop_arena_new(CDOP_REQUEST_ARENA, &arena) != CDOP_OK)
		return 0;
	if (len < 1)
		return 0;
	desc = choose(data[0]);
	in = (struct cdop_bytes){data + 1, len - 1};
	strict = cdop_scan_message(desc, in, CDOP_SCAN_STRICT, &fault);
	if (strict != CDOP_OK)
		check_fault(&fault);
	lenient = cdop_scan_message(desc, in, CDOP_SCAN_LENIENT, &fault);
	CDOP_ASSERT(strict != CDOP_OK || lenient == CDOP_OK);
	if (lenient != CDOP_OK)
		return 0;
	message = protobuf_c_message_unpack(
	    desc, cdop_arena_allocator(arena), in.len, in.data);
	CDOP_ASSERT(message != NULL);
	if (strict == CDOP_OK)
		CDOP_ASSERT(
		    protobuf_c_message_get_packed_size(message) == in.len);
	cdop_arena_reset(arena);
	return 0;
}
