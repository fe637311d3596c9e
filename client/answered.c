/* Whether an answer is about what was asked; see answered.h. */
#include "client/answered.h"

#include <inttypes.h>
#include <string.h>

/* What a request names, and where its answer says the same. */
static const struct {
	const char *asked;
	const char *inside; /* the message in the answer; NULL: itself */
	const char *said;
} names[] = {
    {"reference", NULL, "reference"},
    {"reference", "case", "reference"},
    {"number", NULL, "number"},
    {"number", "backup", "number"},
    {"person", NULL, "person"},
    {"person", "person", "number"},
};

/* Where the value of a field lies; NULL: there is no such field, or no value.
 */
static const void *
value_in(const ProtobufCMessage *message, const char *name, ProtobufCType *type)
{
	const ProtobufCFieldDescriptor *field;
	const uint8_t *bytes = (const uint8_t *)message;
	const void *value;
	bool is_pointer;

	field = protobuf_c_message_descriptor_get_field_by_name(
	    message->descriptor, name);
	if (field == NULL || field->label == PROTOBUF_C_LABEL_REPEATED)
		return NULL;
	value = bytes + field->offset;
	is_pointer = field->type == PROTOBUF_C_TYPE_STRING ||
	    field->type == PROTOBUF_C_TYPE_MESSAGE;
	if (is_pointer && *(void *const *)value == NULL)
		return NULL;
	if (!is_pointer && field->label == PROTOBUF_C_LABEL_OPTIONAL &&
	    *(const protobuf_c_boolean *)(const void *)(bytes +
		field->quantifier_offset) == 0)
		return NULL;
	*type = field->type;
	return value;
}

static const ProtobufCMessage *
inside(const ProtobufCMessage *reply, const char *name)
{
	ProtobufCType type;
	const void *value;

	if (name == NULL)
		return reply;
	value = value_in(reply, name, &type);
	return value != NULL && type == PROTOBUF_C_TYPE_MESSAGE
	    ? *(const ProtobufCMessage *const *)value
	    : NULL;
}

enum exit_code
answered_number(
    struct cmd_ctx *ctx, const char *what, uint64_t asked, uint64_t came)
{
	if (asked == came)
		return EXIT_OK;
	return cmd_fail(ctx, EXIT_INTEGRITY, NULL,
	    "believe none of it, and tell the operator",
	    "%s %" PRIu64 " was asked for, and the answer is about %" PRIu64,
	    what, asked, came);
}

/* Only values of one type, and of those that name things. */
static enum exit_code
compare(struct cmd_ctx *ctx, const char *what, ProtobufCType type,
    const void *asked, const void *came)
{
	if (type == PROTOBUF_C_TYPE_UINT32)
		return answered_number(ctx, what, *(const uint32_t *)asked,
		    *(const uint32_t *)came);
	if (type != PROTOBUF_C_TYPE_STRING ||
	    strcmp(*(char *const *)asked, *(char *const *)came) == 0)
		return EXIT_OK;
	return cmd_fail(ctx, EXIT_INTEGRITY, NULL,
	    "believe none of it, and tell the operator",
	    "case %s was asked for, and the answer is about %s",
	    *(char *const *)asked, *(char *const *)came);
}

enum exit_code
answered_about(struct cmd_ctx *ctx, const ProtobufCMessage *request,
    const ProtobufCMessage *reply)
{
	ProtobufCType type, other;
	const ProtobufCMessage *in;
	const void *asked, *came;
	enum exit_code code;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		in = inside(reply, names[i].inside);
		if (in == NULL)
			continue;
		asked = value_in(request, names[i].asked, &type);
		came = value_in(in, names[i].said, &other);
		if (asked == NULL || came == NULL || type != other)
			continue;
		code = compare(ctx, names[i].asked, type, asked, came);
		if (code != EXIT_OK)
			return code;
	}
	return EXIT_OK;
}
