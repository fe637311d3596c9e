/* Messages made of bytes; see answer.h. */
#include "tests/fuzz/lib/answer.h"

#include <string.h>

#define DEPTH 6
#define MANY  3 /* of a list */

uint8_t
answer_byte(struct answer_bytes *bytes)
{
	if (bytes->len == 0)
		return 0;
	bytes->len--;
	return *bytes->at++;
}

struct cdop_bytes
answer_some(struct answer_bytes *bytes, size_t len)
{
	struct cdop_bytes out = {
	    bytes->at, len < bytes->len ? len : bytes->len};

	bytes->at += out.len;
	bytes->len -= out.len;
	return out;
}

/* ---- values -------------------------------------------------------------- */

static uint64_t
make_number(struct answer_bytes *bytes)
{
	static const uint64_t numbers[] = {0, 1, 2, 3, 255, 65536, INT32_MAX,
	    UINT32_MAX, 1795424707042, INT64_MAX, (uint64_t)INT64_MAX + 1,
	    UINT64_MAX};
	uint8_t n = answer_byte(bytes);

	if (n % 16 < sizeof(numbers) / sizeof(numbers[0]))
		return numbers[n % 16];
	return n;
}

/* What a name, a date, a code, a sentence may be, and what none of them is. */
static char *
make_text(struct answer_bytes *bytes, struct cdop_arena *arena)
{
	static const char *const texts[] = {"", "T-K7M4-QX23", "K7M4-QX2Q",
	    "wirral", "child.family_name", "2026-11-20", "~2024", "17:40",
	    "#nk", "Tarrant", "=1+1", "\x1b[31mred\x07", "a\nb\r\nc\td",
	    ("\xe2\x80\xae"
	     "desrever"),
	    "Zo\xc3\xab", "%s%n%x", "../../etc", "parent.2.family_name",
	    "coordinator", "no_such_word", "999", "9990000018", "-1",
	    "99999999999999999999", "text.long", "keyfile",
	    "11111111111111111111111111111111/1", "case_work", "@REF0000001"};
	uint8_t n = answer_byte(bytes) % 32;
	struct cdop_bytes raw;
	char *text;

	if (n < sizeof(texts) / sizeof(texts[0]))
		return cdop_arena_strdup(arena, texts[n]);
	if (n == 31) {
		raw = answer_some(bytes, answer_byte(bytes));
		return cdop_arena_strndup(
		    arena, (const char *)raw.data, raw.len);
	}
	text = cdop_arena_alloc(arena, 5000);
	CDOP_ASSERT(text != NULL);
	memset(text, n == 30 ? 'a' : '\n', n == 29 ? 300 : 4999);
	return text;
}

static ProtobufCBinaryData
make_bytes(struct answer_bytes *bytes, struct cdop_arena *arena)
{
	static const size_t lens[] = {32, 16, 0, 10, 256, 1, 33, 64};
	ProtobufCBinaryData out;
	struct cdop_bytes raw;
	uint8_t n = answer_byte(bytes);

	out.len = lens[n % 8];
	raw = answer_some(bytes, n % 16 < 8 ? 0 : out.len);
	out.data = cdop_arena_alloc(arena, out.len);
	CDOP_ASSERT(out.data != NULL);
	memset(out.data, 0x11, out.len);
	if (raw.len > 0)
		memcpy(out.data, raw.data, raw.len);
	return out;
}

static int
make_enum(struct answer_bytes *bytes, const ProtobufCEnumDescriptor *desc)
{
	uint8_t n = answer_byte(bytes);

	return n == 255 ? 12345 : desc->values[n % desc->n_values].value;
}

/* ---- messages ------------------------------------------------------------ */

/* Where it is made, and how far down. */
struct maker {
	struct answer_bytes *bytes;
	struct cdop_arena *arena;
	unsigned depth;
};

static ProtobufCMessage *make(
    struct maker *maker, const ProtobufCMessageDescriptor *desc);

static size_t
size_of(const ProtobufCFieldDescriptor *field)
{
	switch ((unsigned)field->type) {
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return 8;
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	default:
		return 4;
	}
}

static void
put_value(
    struct maker *maker, const ProtobufCFieldDescriptor *field, uint8_t *at)
{
	ProtobufCBinaryData data;
	ProtobufCMessage *inner;
	uint64_t number;
	int32_t value;
	char *text;

	switch ((unsigned)field->type) {
	case PROTOBUF_C_TYPE_STRING:
		text = make_text(maker->bytes, maker->arena);
		memcpy(at, &text, sizeof(text));
		return;
	case PROTOBUF_C_TYPE_MESSAGE:
		inner = make(maker, field->descriptor);
		memcpy(at, &inner, sizeof(inner));
		return;
	case PROTOBUF_C_TYPE_BYTES:
		data = make_bytes(maker->bytes, maker->arena);
		memcpy(at, &data, sizeof(data));
		return;
	case PROTOBUF_C_TYPE_ENUM:
		value = make_enum(maker->bytes, field->descriptor);
		memcpy(at, &value, sizeof(value));
		return;
	case PROTOBUF_C_TYPE_BOOL:
		value = answer_byte(maker->bytes) % 2;
		memcpy(at, &value, sizeof(protobuf_c_boolean));
		return;
	default: /* the low bytes of it, on a machine that has them first */
		number = make_number(maker->bytes);
		memcpy(at, &number, size_of(field));
		return;
	}
}

static void
put_list(
    struct maker *maker, const ProtobufCFieldDescriptor *field, uint8_t *base)
{
	size_t n = answer_byte(maker->bytes) % (MANY + 1), i;
	uint8_t *list;

	if (maker->depth >= DEPTH)
		n = 0;
	list = cdop_arena_calloc(maker->arena, n, size_of(field));
	CDOP_ASSERT(list != NULL);
	for (i = 0; i < n; i++)
		put_value(maker, field, list + i * size_of(field));
	memcpy(base + field->quantifier_offset, &n, sizeof(n));
	memcpy(base + field->offset, &list, sizeof(list));
}

static void
put_field(
    struct maker *maker, const ProtobufCFieldDescriptor *field, uint8_t *base)
{
	const protobuf_c_boolean has = 1;

	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		put_list(maker, field, base);
		return;
	}
	if (field->label == PROTOBUF_C_LABEL_OPTIONAL) {
		if (maker->depth >= DEPTH || answer_byte(maker->bytes) % 3 == 0)
			return;
		if (field->type != PROTOBUF_C_TYPE_STRING &&
		    field->type != PROTOBUF_C_TYPE_MESSAGE)
			memcpy(
			    base + field->quantifier_offset, &has, sizeof(has));
	}
	put_value(maker, field, base + field->offset);
}

static ProtobufCMessage *
make(struct maker *maker, const ProtobufCMessageDescriptor *desc)
{
	ProtobufCMessage *message;
	unsigned i;

	message = cdop_arena_alloc(maker->arena, desc->sizeof_message);
	CDOP_ASSERT(message != NULL);
	protobuf_c_message_init(desc, message);
	maker->depth++;
	for (i = 0; i < desc->n_fields; i++)
		put_field(maker, &desc->fields[i], (uint8_t *)message);
	maker->depth--;
	return message;
}

void *
answer_make(struct answer_bytes *bytes, struct cdop_arena *arena,
    const ProtobufCMessageDescriptor *desc)
{
	struct maker maker = {bytes, arena, 0};

	return make(&maker, desc);
}

struct cdop_bytes
answer_pack(struct cdop_arena *arena, const ProtobufCMessage *message)
{
	struct cdop_bytes out = {NULL, 0};
	uint8_t *packed;

	packed = cdop_arena_alloc(
	    arena, protobuf_c_message_get_packed_size(message));
	CDOP_ASSERT(packed != NULL);
	out.len = protobuf_c_message_pack(message, packed);
	out.data = packed;
	return out;
}
