/* A walk over a request's own text fields. */
#include "server/rpc/tidy.h"

#include <string.h>

#include "cdop/text.h"

static bool
is_line(const ProtobufCFieldDescriptor *field)
{
	static const char *const names[] = {"reason", "source", "owner_reason"};
	size_t i;

	if (field->type != PROTOBUF_C_TYPE_STRING ||
	    field->label == PROTOBUF_C_LABEL_REPEATED)
		return false;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(field->name, names[i]) == 0)
			return true;
	return false;
}

/* Of the request itself (NULL), or "override.2." in front of the name. */
static enum cdop_err
tidy_line(struct rpc_ctx *ctx, void *slot, const char *within, const char *name)
{
	enum cdop_text_fault fault;
	const char *text, *clean, *path;
	enum cdop_err err;

	memcpy(&text, slot, sizeof(text));
	if (text == NULL)
		return CDOP_OK;
	err = cdop_text_clean(text, CDOP_TEXT_LINE, ctx->arena, &clean, &fault);
	if (err == CDOP_OK)
		memcpy(slot, &clean, sizeof(clean));
	if (err != CDOP_INVALID_ARGUMENT)
		return err;
	path = cdop_arena_printf(
	    ctx->arena, "%s%s", within == NULL ? "" : within, name);
	rpc_violation(ctx, path, "text.control", CDOP__SEVERITY__ERROR,
	    "has a character that text does not have");
	return rpc_fail(ctx, CDOP_INVALID_ARGUMENT, "bad_field",
	    "a reason or source is one line of text");
}

static enum cdop_err
tidy_lines(struct rpc_ctx *ctx, ProtobufCMessage *message, const char *within)
{
	const ProtobufCMessageDescriptor *desc = message->descriptor;
	enum cdop_err err;
	unsigned i;

	for (i = 0; i < desc->n_fields; i++) {
		if (!is_line(&desc->fields[i]))
			continue;
		err =
		    tidy_line(ctx, (uint8_t *)message + desc->fields[i].offset,
			within, desc->fields[i].name);
		if (err != CDOP_OK)
			return err;
	}
	return CDOP_OK;
}

/* The entries of one repeated field. */
static enum cdop_err
tidy_entries(struct rpc_ctx *ctx, const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field)
{
	const uint8_t *base = (const uint8_t *)message;
	ProtobufCMessage **entry;
	const char *within;
	enum cdop_err err;
	size_t n, i;

	memcpy(&n, base + field->quantifier_offset, sizeof(n));
	memcpy(&entry, base + field->offset, sizeof(entry));
	for (i = 0; i < n; i++) {
		within = cdop_arena_printf(
		    ctx->arena, "%s.%zu.", field->name, i + 1);
		if (within == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
		err = tidy_lines(ctx, entry[i], within);
		if (err != CDOP_OK)
			return err;
	}
	return CDOP_OK;
}

enum cdop_err
tidy_request(struct rpc_ctx *ctx, ProtobufCMessage *request)
{
	const ProtobufCMessageDescriptor *desc = request->descriptor;
	enum cdop_err err;
	unsigned i;

	if ((err = tidy_lines(ctx, request, NULL)) != CDOP_OK)
		return err;
	for (i = 0; i < desc->n_fields; i++) {
		if (desc->fields[i].type != PROTOBUF_C_TYPE_MESSAGE ||
		    desc->fields[i].label != PROTOBUF_C_LABEL_REPEATED)
			continue;
		err = tidy_entries(ctx, request, &desc->fields[i]);
		if (err != CDOP_OK)
			return err;
	}
	return CDOP_OK;
}
