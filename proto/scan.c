/*
 * A walk over protobuf's wire format beside its descriptor; nothing is
 * built, so nothing can be freed wrongly.
 */
#include "cdop/scan.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cdop/limits.h"
#include "cdop/utf8.h"
#include "cdop/varint.h"

#define FIELDS_OF_MESSAGE_MAX 256 /* a message type may have */
#define FIELD_NUMBER_MAX      0x1fffffffu
#define KEY_LEN_MAX           5

/* What comes after a field's key. */
enum wire {
	VARINT = 0,
	FIXED64 = 1,
	DELIMITED = 2,
	GROUP_START = 3,
	GROUP_END = 4,
	FIXED32 = 5
};

/* One step of a path; 0: it does not repeat. */
struct step {
	const char *name;
	size_t position;
};

/* The whole walk. */
struct scan {
	enum cdop_scan_mode mode;
	size_t fields; /* so far, at all levels */
	unsigned depth;
	unsigned n_steps;
	struct step step[CDOP_SCAN_DEPTH_MAX]; /* one of each level at most */
	struct cdop_scan_fault fault;
};

/* One message of it. */
struct level {
	const ProtobufCMessageDescriptor *desc;
	struct cdop_bytes in; /* what is left */
	uint16_t seen[FIELDS_OF_MESSAGE_MAX];
};

static enum cdop_err scan_level(struct scan *scan,
    const ProtobufCMessageDescriptor *desc, struct cdop_bytes in);

/* ---- where and what ---------------------------------------------------- */

/* A path that is too long is cut, never overrun. */
static void
write_path(struct scan *scan)
{
	char *out = scan->fault.path;
	size_t left = sizeof(scan->fault.path);
	const struct step *step;
	unsigned i;
	int len;

	for (i = 0; i < scan->n_steps; i++) {
		step = &scan->step[i];
		if (step->position == 0)
			len = snprintf(
			    out, left, "%s%s", i > 0 ? "." : "", step->name);
		else
			len = snprintf(out, left, "%s%s.%zu", i > 0 ? "." : "",
			    step->name, step->position);
		CDOP_ASSERT(len > 0);
		len = (size_t)len < left ? len : (int)left - 1;
		out += len;
		left -= (size_t)len;
	}
}

/* Only here is it written where we are: most of what comes is good. */
static enum cdop_err
refuse(struct scan *scan, const char *rule)
{
	scan->fault.rule = rule;
	write_path(scan);
	return CDOP_INVALID_ARGUMENT;
}

static void
step_down(struct scan *scan, const char *name, size_t position)
{
	CDOP_ASSERT(scan->n_steps < CDOP_SCAN_DEPTH_MAX);
	scan->step[scan->n_steps++] = (struct step){name, position};
}

/* ---- bytes ------------------------------------------------------------- */

static void
skip(struct cdop_bytes *in, size_t len)
{
	in->data += len;
	in->len -= len;
}

static enum cdop_err
take_varint(struct scan *scan, struct cdop_bytes *in, size_t max_len,
    uint64_t *ret_value)
{
	size_t len;

	if (cdop_varint_parse(*in, max_len, ret_value, &len) != CDOP_OK)
		return refuse(scan, "wire.varint");
	if (len == 0)
		return refuse(scan, "wire.truncated");
	skip(in, len);
	return CDOP_OK;
}

static enum cdop_err
take_bytes(struct scan *scan, struct cdop_bytes *in, uint64_t len,
    struct cdop_bytes *ret_bytes)
{
	if (len > in->len)
		return refuse(scan, "wire.truncated");
	*ret_bytes = (struct cdop_bytes){in->data, (size_t)len};
	skip(in, (size_t)len);
	return CDOP_OK;
}

static enum cdop_err
take_delimited(
    struct scan *scan, struct cdop_bytes *in, struct cdop_bytes *ret_bytes)
{
	enum cdop_err err;
	uint64_t len;

	err = take_varint(scan, in, CDOP_VARINT_MAX, &len);
	if (err != CDOP_OK)
		return err;
	return take_bytes(scan, in, len, ret_bytes);
}

/* ---- values ------------------------------------------------------------ */

static enum wire
wire_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return FIXED32;
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return FIXED64;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return DELIMITED;
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_BOOL:
	case PROTOBUF_C_TYPE_ENUM:
		break;
	}
	return VARINT;
}

/* Whether v is an int32, which travels with its sign spread over 64 bits. */
static bool
is_int32(uint64_t v)
{
	return v <= INT32_MAX || v >= UINT64_MAX - INT32_MAX;
}

static int
find_value(const ProtobufCEnumDescriptor *desc, int32_t v)
{
	size_t low, high, mid;

	low = 0;
	high = desc->n_values;
	while (low < high) {
		mid = low + (high - low) / 2;
		if (desc->values[mid].value == v)
			return (int)mid;
		if (desc->values[mid].value < v)
			low = mid + 1;
		else
			high = mid;
	}
	return -1;
}

static enum cdop_err
check_enum(struct scan *scan, const ProtobufCEnumDescriptor *desc, uint64_t v)
{
	if (!is_int32(v))
		return refuse(scan, "wire.range");
	if (scan->mode == CDOP_SCAN_STRICT &&
	    find_value(desc, (int32_t)(uint32_t)v) < 0)
		return refuse(scan, "wire.enum");
	return CDOP_OK;
}

static enum cdop_err
check_varint(
    struct scan *scan, const ProtobufCFieldDescriptor *field, uint64_t v)
{
	bool good;

	good = true;
	if (field->type == PROTOBUF_C_TYPE_ENUM)
		return check_enum(scan, field->descriptor, v);
	/* protobuf-c would cut what is too long without a word. */
	if (field->type == PROTOBUF_C_TYPE_BOOL)
		good = v <= 1;
	else if (field->type == PROTOBUF_C_TYPE_INT32)
		good = is_int32(v);
	else if (field->type == PROTOBUF_C_TYPE_UINT32 ||
	    field->type == PROTOBUF_C_TYPE_SINT32)
		good = v <= UINT32_MAX;
	return good ? CDOP_OK : refuse(scan, "wire.range");
}

static enum cdop_err
check_text(struct scan *scan, struct cdop_bytes text)
{
	if (text.len > 0 && memchr(text.data, '\0', text.len) != NULL)
		return refuse(scan, "wire.nul");
	if (!cdop_utf8_is_valid(text))
		return refuse(scan, "wire.utf8");
	return CDOP_OK;
}

static enum cdop_err
scan_delimited(struct scan *scan, const ProtobufCFieldDescriptor *field,
    struct cdop_bytes *in)
{
	struct cdop_bytes bytes;
	enum cdop_err err;

	if ((err = take_delimited(scan, in, &bytes)) != CDOP_OK)
		return err;
	if (field->type == PROTOBUF_C_TYPE_STRING)
		return check_text(scan, bytes);
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return scan_level(scan, field->descriptor, bytes);
	return CDOP_OK;
}

/* One value of the field, without its key. */
static enum cdop_err
scan_value(struct scan *scan, const ProtobufCFieldDescriptor *field,
    struct cdop_bytes *in)
{
	struct cdop_bytes bytes;
	enum cdop_err err;
	uint64_t v;

	switch (wire_of(field->type)) {
	case VARINT:
		err = take_varint(scan, in, CDOP_VARINT_MAX, &v);
		return err == CDOP_OK ? check_varint(scan, field, v) : err;
	case FIXED32:
		return take_bytes(scan, in, 4, &bytes);
	case FIXED64:
		return take_bytes(scan, in, 8, &bytes);
	case DELIMITED:
		return scan_delimited(scan, field, in);
	case GROUP_START:
	case GROUP_END:
		break;
	}
	return CDOP_INTERNAL;
}

/* ---- fields ------------------------------------------------------------ */

/* The index of field number id, or n_fields. */
static size_t
find_field(const ProtobufCMessageDescriptor *desc, uint64_t id)
{
	size_t low, high, mid;

	low = 0;
	high = desc->n_fields;
	while (low < high) {
		mid = low + (high - low) / 2;
		if (desc->fields[mid].id == id)
			return mid;
		if (desc->fields[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return desc->n_fields;
}

/* Counts one more value, singular or repeated. */
static enum cdop_err
count_value(struct scan *scan, struct level *level, size_t i)
{
	const ProtobufCFieldDescriptor *field;

	field = &level->desc->fields[i];
	if (field->label != PROTOBUF_C_LABEL_REPEATED && level->seen[i] > 0)
		return refuse(scan, "wire.twice");
	if (level->seen[i] >= (scan->mode == CDOP_SCAN_STRICT
				      ? CDOP_SCAN_REPEAT_MAX
				      : UINT16_MAX))
		return refuse(scan, "wire.repeat");
	if (scan->mode == CDOP_SCAN_STRICT &&
	    ++scan->fields > CDOP_SCAN_FIELDS_MAX)
		return refuse(scan, "wire.fields");
	level->seen[i]++;
	return CDOP_OK;
}

/* Members of one oneof share the place where protobuf-c notes which it is. */
static enum cdop_err
check_oneof(struct scan *scan, const struct level *level, size_t i)
{
	const ProtobufCFieldDescriptor *field, *other;
	size_t j;

	field = &level->desc->fields[i];
	if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0)
		return CDOP_OK;
	for (j = 0; j < level->desc->n_fields; j++) {
		other = &level->desc->fields[j];
		if (j != i && level->seen[j] > 0 &&
		    (other->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
		    other->quantifier_offset == field->quantifier_offset)
			return refuse(scan, "wire.oneof");
	}
	return CDOP_OK;
}

static enum cdop_err
scan_packed(struct scan *scan, struct level *level, size_t i)
{
	struct cdop_bytes values;
	enum cdop_err err;

	if ((err = take_delimited(scan, &level->in, &values)) != CDOP_OK)
		return err;
	while (values.len > 0)
		if ((err = count_value(scan, level, i)) != CDOP_OK ||
		    (err = scan_value(
			 scan, &level->desc->fields[i], &values)) != CDOP_OK)
			return err;
	return CDOP_OK;
}

/* A field that the descriptor has, behind its key. */
static enum cdop_err
scan_known(struct scan *scan, struct level *level, size_t i, unsigned wire)
{
	const ProtobufCFieldDescriptor *field;
	enum cdop_err err;
	bool packed;

	field = &level->desc->fields[i];
	step_down(scan, field->name,
	    field->label == PROTOBUF_C_LABEL_REPEATED ? level->seen[i] + 1u
						      : 0);
	packed = (field->flags & PROTOBUF_C_FIELD_FLAG_PACKED) != 0;
	if (wire != (packed ? DELIMITED : wire_of(field->type)))
		return refuse(scan, "wire.type");
	if (packed)
		err = scan_packed(scan, level, i);
	else if ((err = check_oneof(scan, level, i)) == CDOP_OK &&
	    (err = count_value(scan, level, i)) == CDOP_OK)
		err = scan_value(scan, field, &level->in);
	if (err == CDOP_OK)
		scan->n_steps--;
	return err;
}

/* A newer server's field, which a client passes over. */
static enum cdop_err
scan_unknown(struct scan *scan, struct level *level, unsigned wire)
{
	struct cdop_bytes bytes;
	uint64_t v;

	if (scan->mode == CDOP_SCAN_STRICT)
		return refuse(scan, "wire.unknown_field");
	if (wire == VARINT)
		return take_varint(scan, &level->in, CDOP_VARINT_MAX, &v);
	if (wire == DELIMITED)
		return take_delimited(scan, &level->in, &bytes);
	return take_bytes(scan, &level->in, wire == FIXED32 ? 4 : 8, &bytes);
}

static enum cdop_err
scan_field(struct scan *scan, struct level *level)
{
	enum cdop_err err;
	unsigned wire;
	uint64_t key;
	size_t i;

	err = take_varint(scan, &level->in, KEY_LEN_MAX, &key);
	if (err != CDOP_OK)
		return err;
	wire = key & 7;
	if (key >> 3 == 0 || key >> 3 > FIELD_NUMBER_MAX)
		return refuse(scan, "wire.field_number");
	if (wire == GROUP_START || wire == GROUP_END)
		return refuse(scan, "wire.group");
	if (wire > FIXED32)
		return refuse(scan, "wire.type");
	i = find_field(level->desc, key >> 3);
	return i < level->desc->n_fields ? scan_known(scan, level, i, wire)
					 : scan_unknown(scan, level, wire);
}

static enum cdop_err
check_required(struct scan *scan, const struct level *level)
{
	const ProtobufCFieldDescriptor *field;
	size_t i;

	for (i = 0; i < level->desc->n_fields; i++) {
		field = &level->desc->fields[i];
		if (field->label != PROTOBUF_C_LABEL_REQUIRED ||
		    level->seen[i] > 0)
			continue;
		step_down(scan, field->name, 0);
		return refuse(scan, "wire.required");
	}
	return CDOP_OK;
}

/* Recursion is bounded by CDOP_SCAN_DEPTH_MAX. */
static enum cdop_err
scan_level(struct scan *scan, const ProtobufCMessageDescriptor *desc,
    struct cdop_bytes in)
{
	struct level level = {.desc = desc, .in = in};
	enum cdop_err err;

	CDOP_ASSERT(desc->n_fields <= FIELDS_OF_MESSAGE_MAX);
	if (scan->depth == CDOP_SCAN_DEPTH_MAX)
		return refuse(scan, "wire.depth");
	scan->depth++;
	while (level.in.len > 0)
		if ((err = scan_field(scan, &level)) != CDOP_OK)
			return err;
	scan->depth--;
	return check_required(scan, &level);
}

enum cdop_err
cdop_scan_message(const ProtobufCMessageDescriptor *desc, struct cdop_bytes in,
    enum cdop_scan_mode mode, struct cdop_scan_fault *ret_fault)
{
	struct scan scan = {.mode = mode};
	enum cdop_err err;

	if (mode != CDOP_SCAN_OWN && in.len > CDOP_MESSAGE_MAX)
		err = refuse(&scan, "wire.length");
	else
		err = scan_level(&scan, desc, in);
	if (err == CDOP_INVALID_ARGUMENT && ret_fault != NULL)
		*ret_fault = scan.fault;
	return err;
}
