/*
 * The scanner, rule by rule, over a message type built by hand that has one
 * field of each kind.
 */
#include "cdop/scan.h"

#include "cdop/limits.h"
#include "tests/unit/proto/pair.h"

/* ---- the type ---------------------------------------------------------- */

enum {
	NUMBER = 1, /* required uint32 */
	TEXT = 2,
	BYTES = 3,
	FLAG = 4,
	COLOUR = 5,
	SELF = 6, /* the message itself, repeated */
	PACKED = 7,
	LIST = 8,   /* repeated uint32, not packed */
	EITHER = 9, /* oneof with OR */
	OR = 10,
	I32 = 11,
	S32 = 12,
	U64 = 13,
	F32 = 14,
	F64 = 15,
	ENUMS = 16, /* repeated enum, packed */
	DISTANT = 200,
};

static const ProtobufCEnumValue colours[] = {
    {"BELOW", "BELOW", -7},
    {"RED", "RED", 1},
    {"GREEN", "GREEN", 2},
    {"FAR", "FAR", 1000},
};

static const ProtobufCEnumDescriptor colour = {
    .magic = PROTOBUF_C__ENUM_DESCRIPTOR_MAGIC,
    .n_values = 4,
    .values = colours,
};

static const ProtobufCMessageDescriptor type;

#define FIELD(                                                                 \
    field_name, field_id, field_label, field_type, what, bits, quantifier)     \
	{                                                                      \
		.name = (field_name), .id = (field_id),                        \
		.label = PROTOBUF_C_LABEL_##field_label,                       \
		.type = PROTOBUF_C_TYPE_##field_type,                          \
		.quantifier_offset = (quantifier), .descriptor = (what),       \
		.flags = (bits)                                                \
	}

static const ProtobufCFieldDescriptor fields[] = {
    FIELD("number", NUMBER, REQUIRED, UINT32, NULL, 0, 0),
    FIELD("text", TEXT, OPTIONAL, STRING, NULL, 0, 0),
    FIELD("bytes", BYTES, OPTIONAL, BYTES, NULL, 0, 0),
    FIELD("flag", FLAG, OPTIONAL, BOOL, NULL, 0, 0),
    FIELD("colour", COLOUR, OPTIONAL, ENUM, &colour, 0, 0),
    FIELD("self", SELF, REPEATED, MESSAGE, &type, 0, 0),
    FIELD("packed", PACKED, REPEATED, UINT32, NULL,
	PROTOBUF_C_FIELD_FLAG_PACKED, 0),
    FIELD("list", LIST, REPEATED, UINT32, NULL, 0, 0),
    FIELD("either", EITHER, OPTIONAL, UINT32, NULL, PROTOBUF_C_FIELD_FLAG_ONEOF,
	64),
    FIELD("or", OR, OPTIONAL, STRING, NULL, PROTOBUF_C_FIELD_FLAG_ONEOF, 64),
    FIELD("i32", I32, OPTIONAL, INT32, NULL, 0, 0),
    FIELD("s32", S32, OPTIONAL, SINT32, NULL, 0, 0),
    FIELD("u64", U64, OPTIONAL, UINT64, NULL, 0, 0),
    FIELD("f32", F32, OPTIONAL, FIXED32, NULL, 0, 0),
    FIELD("f64", F64, OPTIONAL, SFIXED64, NULL, 0, 0),
    FIELD("enums", ENUMS, REPEATED, ENUM, &colour, PROTOBUF_C_FIELD_FLAG_PACKED,
	0),
    FIELD("distant", DISTANT, OPTIONAL, UINT32, NULL, 0, 0),
};

static const ProtobufCMessageDescriptor type = {
    .magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
    .n_fields = sizeof(fields) / sizeof(fields[0]),
    .fields = fields,
};

/* ---- asking ------------------------------------------------------------ */

/* Every message begins with its required number. */
#define OKAY "\x08\x01"

static enum cdop_err
scan(const void *bytes, size_t len, enum cdop_scan_mode mode,
    struct cdop_scan_fault *fault)
{
	uint8_t exact[512];

	/* In an array of its own, so that a read beyond it is seen. */
	if (len > sizeof(exact))
		return cdop_scan_message(
		    &type, (struct cdop_bytes){bytes, len}, mode, fault);
	memcpy(exact + sizeof(exact) - len, bytes, len);
	return cdop_scan_message(&type,
	    (struct cdop_bytes){exact + sizeof(exact) - len, len}, mode, fault);
}

#define accepted(literal)                                                      \
	assert_int_equal(                                                      \
	    scan(literal, sizeof(literal) - 1, CDOP_SCAN_STRICT, NULL),        \
	    CDOP_OK)

static void
expect_refused(
    const void *bytes, size_t len, const char *path, const char *rule)
{
	struct cdop_scan_fault fault = {.rule = NULL};

	assert_int_equal(
	    scan(bytes, len, CDOP_SCAN_STRICT, &fault), CDOP_INVALID_ARGUMENT);
	assert_string_equal(fault.rule, rule);
	assert_string_equal(fault.path, path);
	assert_int_equal(
	    scan(bytes, len, CDOP_SCAN_STRICT, NULL), CDOP_INVALID_ARGUMENT);
}

#define refused(literal, path, rule)                                           \
	expect_refused(literal, sizeof(literal) - 1, path, rule)

/* ---- rules ------------------------------------------------------------- */

static void
one_field_of_each_kind_is_accepted(void **state)
{
	(void)state;
	accepted(OKAY);
	accepted(OKAY "\x12\x04"
		      "text"
		      "\x1a\x02\xff\x00"
		      "\x20\x01"
		      "\x28\x02"
		      "\x32\x02\x08\x05"
		      "\x3a\x03\x01\x80\x01"
		      "\x40\x05\x40\x06"
		      "\x48\x07"
		      "\x58\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
		      "\x60\xff\xff\xff\xff\x0f"
		      "\x68\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
		      "\x75\x01\x02\x03\x04"
		      "\x79\x01\x02\x03\x04\x05\x06\x07\x08"
		      "\x82\x01\x02\x01\x02"
		      "\xc0\x0c\x00");
	/* Any order. */
	accepted("\x20\x00" OKAY);
}

static void
unknown_fields_are_refused_strictly(void **state)
{
	(void)state;
	refused(OKAY "\x88\x01\x00", "", "wire.unknown_field");
	refused(OKAY "\x32\x05\x08\x01\x88\x01\x00", "self.1",
	    "wire.unknown_field");
	refused(OKAY "\x00\x00", "", "wire.field_number");
	refused(OKAY "\xf8\xff\xff\xff\x1f\x00", "", "wire.field_number");
}

static void
unknown_fields_are_passed_over_leniently(void **state)
{
	/* One of each wire type, then a whole one that counts. */
	static const char more[] = OKAY "\x88\x01\x00"
					"\x8a\x01\x02zz"
					"\x8d\x01\x01\x02\x03\x04"
					"\x89\x01\x01\x02\x03\x04\x05\x06\x07"
					"\x08\x28\x63";
	static const char cut[] = OKAY "\x8d\x01\x01\x02\x03";
	static const char twice[] = OKAY OKAY;
	struct cdop_scan_fault fault;

	(void)state;
	assert_int_equal(
	    scan(more, sizeof(more) - 1, CDOP_SCAN_LENIENT, &fault), CDOP_OK);
	assert_int_equal(scan(cut, sizeof(cut) - 1, CDOP_SCAN_LENIENT, &fault),
	    CDOP_INVALID_ARGUMENT);
	assert_string_equal(fault.rule, "wire.truncated");
	assert_int_equal(
	    scan(twice, sizeof(twice) - 1, CDOP_SCAN_LENIENT, &fault),
	    CDOP_INVALID_ARGUMENT);
	assert_string_equal(fault.rule, "wire.twice");
}

static void
the_wrong_wire_type_is_refused(void **state)
{
	(void)state;
	refused("\x0d\x01\x00\x00\x00", "number", "wire.type");
	refused(OKAY "\x10\x01", "text", "wire.type");
	refused(
	    OKAY "\x71\x01\x02\x03\x04\x05\x06\x07\x08", "f32", "wire.type");
	/* Packed where it is not declared so, and the other way round. */
	refused(OKAY "\x42\x01\x01", "list.1", "wire.type");
	refused(OKAY "\x38\x01", "packed.1", "wire.type");
	refused(OKAY "\x16\x01", "", "wire.type");
	refused(OKAY "\x17\x01", "", "wire.type");
}

static void
groups_are_refused(void **state)
{
	static const char unknown[] = OKAY "\x8b\x01\x8c\x01";
	struct cdop_scan_fault fault;

	(void)state;
	refused(OKAY "\x13\x14", "", "wire.group");
	refused(OKAY "\x14", "", "wire.group");
	assert_int_equal(
	    scan(unknown, sizeof(unknown) - 1, CDOP_SCAN_LENIENT, &fault),
	    CDOP_INVALID_ARGUMENT);
	assert_string_equal(fault.rule, "wire.group");
}

static void
a_singular_field_comes_once(void **state)
{
	(void)state;
	refused(OKAY OKAY, "number", "wire.twice");
	refused(OKAY "\x12\x01x\x12\x01x", "text", "wire.twice");
	refused(OKAY "\x32\x06\x08\x01\x20\x01\x20\x01", "self.1.flag",
	    "wire.twice");
}

static void
one_member_of_a_oneof_comes(void **state)
{
	(void)state;
	refused(OKAY "\x48\x07\x52\x01x", "or", "wire.oneof");
	refused(OKAY "\x52\x01x\x48\x07", "either", "wire.oneof");
	refused(OKAY "\x48\x07\x48\x07", "either", "wire.twice");
	accepted(OKAY "\x52\x01x");
}

static void
what_is_required_is_there(void **state)
{
	(void)state;
	refused("", "number", "wire.required");
	refused("\x20\x01", "number", "wire.required");
	refused(
	    OKAY "\x32\x02\x08\x01\x32\x00", "self.2.number", "wire.required");
}

static void
numbers_have_one_spelling(void **state)
{
	(void)state;
	refused("\x08\x81\x00", "number", "wire.varint");
	refused("\x88\x00\x01", "", "wire.varint");
	refused(OKAY "\x12\x81\x00x", "text", "wire.varint");
	refused(OKAY "\x68\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "u64",
	    "wire.varint");
	refused(OKAY "\x68\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "u64",
	    "wire.varint");
	refused(OKAY "\xff\xff\xff\xff\xff\x01\x00", "", "wire.varint");
	refused(OKAY "\x3a\x02\x80\x00", "packed.1", "wire.varint");
}

static void
numbers_fit_their_type(void **state)
{
	(void)state;
	refused("\x08\x80\x80\x80\x80\x10", "number", "wire.range");
	accepted("\x08\xff\xff\xff\xff\x0f");
	refused(OKAY "\x20\x02", "flag", "wire.range");
	refused(OKAY "\x58\x80\x80\x80\x80\x08", "i32", "wire.range");
	accepted(OKAY "\x58\xff\xff\xff\xff\x07");
	/* -2^31, its neighbour below, and -1 cut to 32 bits. */
	accepted(OKAY "\x58\x80\x80\x80\x80\xf8\xff\xff\xff\xff\x01");
	refused(OKAY "\x58\xff\xff\xff\xff\xf7\xff\xff\xff\xff\x01", "i32",
	    "wire.range");
	refused(OKAY "\x58\xff\xff\xff\xff\x0f", "i32", "wire.range");
	refused(OKAY "\x60\x80\x80\x80\x80\x10", "s32", "wire.range");
}

static void
enum_values_exist(void **state)
{
	static const char newer[] = OKAY "\x28\x03";
	static const char wide[] = OKAY "\x28\xff\xff\xff\xff\x0f";
	struct cdop_scan_fault fault;

	(void)state;
	accepted(OKAY "\x28\x01");
	accepted(OKAY "\x28\xe8\x07");
	accepted(OKAY "\x28\xf9\xff\xff\xff\xff\xff\xff\xff\xff\x01");
	refused(OKAY "\x28\x00", "colour", "wire.enum");
	refused(OKAY "\x28\x03", "colour", "wire.enum");
	refused(OKAY "\x28\xe9\x07", "colour", "wire.enum");
	refused(OKAY "\x28\xff\xff\xff\xff\x0f", "colour", "wire.range");
	refused(OKAY "\x82\x01\x02\x01\x03", "enums.1", "wire.enum");
	assert_int_equal(
	    scan(newer, sizeof(newer) - 1, CDOP_SCAN_LENIENT, &fault), CDOP_OK);
	assert_int_equal(scan(wide, sizeof(wide) - 1, CDOP_SCAN_LENIENT, NULL),
	    CDOP_INVALID_ARGUMENT);
}

static void
text_has_no_nul(void **state)
{
	(void)state;
	refused(OKAY "\x12\x03"
		     "a\0b",
	    "text", "wire.nul");
	refused(OKAY "\x12\x01"
		     "\0",
	    "text", "wire.nul");
	accepted(OKAY "\x12\x00");
}

static void
text_is_utf8(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
	    {"Zo\xc3\xab O\xe2\x80\x99"
	     "Brien",
		true},
	    {"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", true}, /* Hebrew */
	    {"\x7f", true}, {"\xc2\x80", true}, {"\xdf\xbf", true},
	    {"\xe0\xa0\x80", true}, {"\xed\x9f\xbf", true},
	    {"\xee\x80\x80", true}, {"\xef\xbf\xbf", true},
	    {"\xf0\x90\x80\x80", true}, {"\xf4\x8f\xbf\xbf", true},
	    {"\x80", false},             /* out of nowhere */
	    {"\xc0\xaf", false},         /* overlong '/' */
	    {"\xc1\xbf", false},         /* overlong */
	    {"\xe0\x9f\xbf", false},     /* overlong */
	    {"\xf0\x8f\xbf\xbf", false}, /* overlong */
	    {"\xed\xa0\x80", false},     /* surrogate */
	    {"\xed\xbf\xbf", false},     /* surrogate */
	    {"\xf4\x90\x80\x80", false}, /* U+110000 */
	    {"\xf5\x80\x80\x80", false}, {"\xff", false},
	    {"\xc3", false}, /* cut */
	    {"\xe2\x80", false}, {"\xf0\x90\x80", false}, {"\xc3\x28", false},
	    {"\xe2\x28\xa1", false}, {"\xe2\x82\x28", false},
	    {"\xf0\x90\x28\x80", false}, {"\xe9", false}, /* Latin-1 */
	};

	uint8_t bytes[64];
	size_t i, len, before;

	(void)state;
	/* Also behind letters that are passed over eight at a time. */
	for (i = 0; i < 18 * sizeof(cases) / sizeof(cases[0]); i++) {
		before = i % 18;
		len = before + strlen(cases[i / 18].text);
		memset(bytes, 'a', sizeof(bytes));
		memcpy(bytes, OKAY "\x12", 3);
		bytes[3] = (uint8_t)len;
		memcpy(bytes + 4 + before, cases[i / 18].text, len - before);
		if (cases[i / 18].good)
			assert_int_equal(
			    scan(bytes, 4 + len, CDOP_SCAN_STRICT, NULL),
			    CDOP_OK);
		else
			expect_refused(bytes, 4 + len, "text", "wire.utf8");
	}
}

static void
a_cut_message_is_refused(void **state)
{
	static const char whole[] = OKAY "\x12\x02hi"
					 "\x75\x01\x02\x03\x04"
					 "\x79\x01\x02\x03\x04\x05\x06\x07\x08"
					 "\x32\x02\x08\x05"
					 "\xc0\x0c\x80\x01";
	/* Where a field ends, a shorter message is a whole one. */
	static const size_t ends[] = {0, 2, 6, 11, 20, 24};
	size_t len, i;
	bool is_end;

	(void)state;
	accepted(whole);
	for (len = 1; len < sizeof(whole) - 1; len++) {
		is_end = false;
		for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
			is_end = is_end || ends[i] == len;
		assert_int_equal(scan(whole, len, CDOP_SCAN_STRICT, NULL),
		    is_end ? CDOP_OK : CDOP_INVALID_ARGUMENT);
	}
	refused(OKAY "\x12\x7f", "text", "wire.truncated");
	refused(OKAY "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "text",
	    "wire.truncated");
	/* Longer than the message it is in, not than the whole. */
	refused(
	    OKAY "\x32\x04\x08\x01\x12\x02hi", "self.1.text", "wire.truncated");
}

/* depth messages, one within the other; the length. */
static size_t
nest(uint8_t *out, unsigned depth)
{
	uint8_t inner[256];
	size_t len;

	memcpy(out, OKAY, 2);
	if (depth == 1)
		return 2;
	len = nest(inner, depth - 1);
	out[2] = 0x32;
	out[3] = (uint8_t)len;
	memcpy(out + 4, inner, len);
	return 4 + len;
}

static void
depth_is_limited(void **state)
{
	uint8_t bytes[256];
	size_t len;

	(void)state;
	len = nest(bytes, CDOP_SCAN_DEPTH_MAX);
	assert_int_equal(scan(bytes, len, CDOP_SCAN_STRICT, NULL), CDOP_OK);
	len = nest(bytes, CDOP_SCAN_DEPTH_MAX + 1);
	expect_refused(bytes, len, "self.1.self.1.self.1.self.1.self.1.self.1",
	    "wire.depth");
}

static void
repeats_are_limited(void **state)
{
	static uint8_t bytes[2 + 2 * (CDOP_SCAN_REPEAT_MAX + 1)];
	char path[32];
	size_t i, head;

	(void)state;
	memcpy(bytes, OKAY, 2);
	for (i = 0; i <= CDOP_SCAN_REPEAT_MAX; i++)
		memcpy(bytes + 2 + 2 * i, "\x40\x01", 2);
	assert_int_equal(
	    scan(bytes, sizeof(bytes) - 2, CDOP_SCAN_STRICT, NULL), CDOP_OK);
	(void)snprintf(path, sizeof(path), "list.%d", CDOP_SCAN_REPEAT_MAX + 1);
	expect_refused(bytes, sizeof(bytes), path, "wire.repeat");
	/* A case may have more values than that: a client takes them. */
	assert_int_equal(
	    scan(bytes, sizeof(bytes), CDOP_SCAN_LENIENT, NULL), CDOP_OK);
	/* Packed ones count one by one. */
	head = 5;
	memset(bytes, 1, sizeof(bytes));
	memcpy(bytes, OKAY "\x3a\x80\x04", head);
	assert_int_equal(
	    scan(bytes, head + CDOP_SCAN_REPEAT_MAX, CDOP_SCAN_STRICT, NULL),
	    CDOP_OK);
	bytes[3]++;
	expect_refused(
	    bytes, head + CDOP_SCAN_REPEAT_MAX + 1, "packed.1", "wire.repeat");
}

/* A file of a client's own has thousands of entries, and over a mebibyte. */
static void
what_is_ones_own_is_as_long_as_its_file(void **state)
{
	static uint8_t bytes[2 + 2 * (UINT16_MAX + 1)];
	static uint8_t long_text[8 + CDOP_MESSAGE_MAX];
	struct cdop_scan_fault fault;
	size_t i;

	(void)state;
	memcpy(bytes, OKAY, 2);
	for (i = 0; i <= UINT16_MAX; i++)
		memcpy(bytes + 2 + 2 * i, "\x40\x01", 2);
	assert_int_equal(
	    scan(bytes, sizeof(bytes) - 2, CDOP_SCAN_OWN, NULL), CDOP_OK);
	assert_int_equal(scan(bytes, sizeof(bytes), CDOP_SCAN_OWN, &fault),
	    CDOP_INVALID_ARGUMENT);
	assert_string_equal(fault.rule, "wire.repeat");
	/* A field that nobody knows, of a mebibyte: 17, delimited. */
	memcpy(long_text, OKAY "\x8a\x01\x80\x80\x40", 7);
	assert_int_equal(
	    scan(long_text, 7 + CDOP_MESSAGE_MAX, CDOP_SCAN_OWN, NULL),
	    CDOP_OK);
	assert_int_equal(
	    scan(long_text, 7 + CDOP_MESSAGE_MAX, CDOP_SCAN_LENIENT, &fault),
	    CDOP_INVALID_ARGUMENT);
	assert_string_equal(fault.rule, "wire.length");
}

/* A self of a number and nine entries: eleven fields with itself. */
#define ELEVEN                                                                 \
	"\x32\x14" OKAY "\x40\x01\x40\x02\x40\x03\x40\x04\x40\x05"             \
	"\x40\x06\x40\x07\x40\x08\x40\x09"

/* The number of the outermost, and n times eleven. */
static enum cdop_err
scan_elevens(size_t n, enum cdop_scan_mode mode, struct cdop_scan_fault *fault)
{
	static uint8_t bytes[16384];
	size_t i, len;

	len = sizeof(ELEVEN) - 1;
	assert_true(2 + n * len <= sizeof(bytes));
	memcpy(bytes, OKAY, 2);
	for (i = 0; i < n; i++)
		memcpy(bytes + 2 + i * len, ELEVEN, len);
	return cdop_scan_message(
	    &type, (struct cdop_bytes){bytes, 2 + n * len}, mode, fault);
}

static void
fields_are_limited_at_all_levels_together(void **state)
{
	const size_t n = (CDOP_SCAN_FIELDS_MAX - 1) / 11;
	struct cdop_scan_fault fault;

	(void)state;
	assert_int_equal(scan_elevens(n, CDOP_SCAN_STRICT, &fault), CDOP_OK);
	assert_int_equal(scan_elevens(n + 1, CDOP_SCAN_STRICT, &fault),
	    CDOP_INVALID_ARGUMENT);
	assert_string_equal(fault.rule, "wire.fields");
	/* A client has asked for it: only the server counts. */
	assert_int_equal(
	    scan_elevens(n + 1, CDOP_SCAN_LENIENT, &fault), CDOP_OK);
}

static void
a_message_over_a_mebibyte_is_refused(void **state)
{
	static uint8_t bytes[CDOP_MESSAGE_MAX + 1];
	struct cdop_scan_fault fault;

	(void)state;
	assert_int_equal(
	    cdop_scan_message(&type, (struct cdop_bytes){bytes, sizeof(bytes)},
		CDOP_SCAN_STRICT, &fault),
	    CDOP_INVALID_ARGUMENT);
	assert_string_equal(fault.rule, "wire.length");
}

static void
a_fault_is_written_on_failure_alone(void **state)
{
	struct cdop_scan_fault fault, before;

	(void)state;
	memset(&fault, 0x55, sizeof(fault));
	before = fault;
	assert_int_equal(scan(OKAY, 2, CDOP_SCAN_STRICT, &fault), CDOP_OK);
	assert_memory_equal(&fault, &before, sizeof(fault));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_field_of_each_kind_is_accepted),
	    cmocka_unit_test(unknown_fields_are_refused_strictly),
	    cmocka_unit_test(unknown_fields_are_passed_over_leniently),
	    cmocka_unit_test(the_wrong_wire_type_is_refused),
	    cmocka_unit_test(groups_are_refused),
	    cmocka_unit_test(a_singular_field_comes_once),
	    cmocka_unit_test(one_member_of_a_oneof_comes),
	    cmocka_unit_test(what_is_required_is_there),
	    cmocka_unit_test(numbers_have_one_spelling),
	    cmocka_unit_test(numbers_fit_their_type),
	    cmocka_unit_test(enum_values_exist),
	    cmocka_unit_test(text_has_no_nul),
	    cmocka_unit_test(text_is_utf8),
	    cmocka_unit_test(a_cut_message_is_refused),
	    cmocka_unit_test(depth_is_limited),
	    cmocka_unit_test(repeats_are_limited),
	    cmocka_unit_test(what_is_ones_own_is_as_long_as_its_file),
	    cmocka_unit_test(fields_are_limited_at_all_levels_together),
	    cmocka_unit_test(a_message_over_a_mebibyte_is_refused),
	    cmocka_unit_test(a_fault_is_written_on_failure_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
