/*
 * Messages made of bytes: of any type, with the fields that the bytes say
 * and in them what a registry might say, or something else of that kind.
 */
#ifndef CDOP_TESTS_FUZZ_LIB_ANSWER_H
#define CDOP_TESTS_FUZZ_LIB_ANSWER_H

#include "cdop/arena.h"
#include "cdop/bytes.h"

struct answer_bytes {
	const uint8_t *at;
	size_t len;
};

/* The next one; 0 behind the last. */
uint8_t answer_byte(struct answer_bytes *bytes);

/* So many, or those that there are. */
struct cdop_bytes answer_some(struct answer_bytes *bytes, size_t len);

/* A message of this type, in arena. */
void *answer_make(struct answer_bytes *bytes, struct cdop_arena *arena,
    const ProtobufCMessageDescriptor *desc);

/* As it is sent. */
struct cdop_bytes answer_pack(
    struct cdop_arena *arena, const ProtobufCMessage *message);

/* An invitation file that is good until the year 2100. */
#define ANSWER_INVITATION                                                      \
	"cdop-invitation 1\n"                                                  \
	"registry 11111111111111111111111111111111\n"                          \
	"mode training\nname Cora\naddress unix:/nowhere\n"                    \
	"server "                                                              \
	"0202020202020202020202020202020202020202020202020202020202020202\n"   \
	"id 04040404040404040404040404040404\n"                                \
	"psk "                                                                 \
	"0505050505050505050505050505050505050505050505050505050505050505\n"   \
	"expires 4102444800000\ncheck ab394d3dbfbf8910\n"

#endif
