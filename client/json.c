/* Messages and forms as JSON. */
#include "client/json.h"

#include <string.h>

#include "client/print.h"
#include "client/raise.h"
#include "client/session.h"

const char *const json_absences[JSON_ABSENCES] = {
    NULL, "NOT_KNOWN", "NOT_APPLICABLE", "WITHHELD"};

/* ---- memory ------------------------------------------------------ */

static struct cdop_arena *memory;

static void *
take_memory(size_t len)
{
	return cdop_arena_alloc(memory, len);
}

static void
give_back(void *p)
{
	(void)p; /* all at once, when the arena goes */
}

void
json_start(struct cdop_arena *arena)
{
	memory = arena;
	json_set_alloc_funcs(take_memory, give_back);
}

/* ---- messages ---------------------------------------------------------------
 */

static const struct cdop_profile *
profile_of(const struct cmd_ctx *ctx)
{
	return ctx->session != NULL ? ctx->session->profile : NULL;
}

static json_t *
code_label(const char *code, const char *label)
{
	return json_pack("{s:s,s:s}", "code", code, "label", label);
}

/* What all values of an enum begin with, "CREDENTIAL_": no part of a label. */
static size_t
shared_prefix(const ProtobufCEnumDescriptor *desc)
{
	const char *first = desc->values[0].name;
	const char *end = strchr(first, '_');
	size_t len = end == NULL ? 0 : (size_t)(end - first) + 1;
	unsigned i;

	for (i = 0; i < desc->n_values; i++)
		if (strncmp(desc->values[i].name, first, len) != 0)
			return 0;
	return desc->n_values > 1 ? len : 0;
}

/* "NOT_KNOWN_TO_YOU" and "not known to you"; "PERSON_ACTIVE" and "active". */
static json_t *
enum_json(struct cmd_ctx *ctx, const ProtobufCEnumDescriptor *desc, int value)
{
	const ProtobufCEnumValue *v =
	    protobuf_c_enum_descriptor_get_value(desc, value);
	char *label, *p;

	if (v == NULL)
		return json_sprintf("%d", value);
	label = cdop_arena_strdup(ctx->arena, v->name + shared_prefix(desc));
	for (p = label; p != NULL && *p != '\0'; p++)
		*p = *p == '_' ? ' ' : (char)(*p | 0x20);
	return code_label(v->name, label != NULL ? label : "");
}

/* Texts that are codes: by the name of their field, what they are of. */
enum code_of {
	OF_AREA,
	OF_AGENCY,
	OF_LIST, /* of the profile, named as the field is */
};

static const struct {
	const char *name;
	enum code_of of;
} codes[] = {
    {"owner_area", OF_AREA},
    {"area", OF_AREA},
    {"source_agency", OF_AGENCY},
    {"agency", OF_AGENCY},
    {"purpose", OF_LIST},
    {"review_basis", OF_LIST},
};

#define CODES (sizeof(codes) / sizeof(codes[0]))

static const char *
label_of(const struct cdop_profile *profile, size_t row, const char *text)
{
	const struct cdop_agency *agency;
	const struct cdop_code *code;

	if (codes[row].of == OF_AREA)
		return cdop_profile_area_label(profile, text);
	if (codes[row].of == OF_AGENCY) {
		agency = cdop_profile_agency(profile, text);
		return agency != NULL ? agency->name : NULL;
	}
	code = cdop_profile_code(
	    profile, codes[row].name, text, CDOP_PROFILE_EVER);
	return code != NULL ? code->label : NULL;
}

/* Without a profile the code is its own label. */
static json_t *
text_json(struct cmd_ctx *ctx, const char *name, const char *text)
{
	const struct cdop_profile *profile = profile_of(ctx);
	const char *label = NULL;
	size_t i;

	for (i = 0; i < CODES; i++)
		if (strcmp(codes[i].name, name) == 0)
			break;
	if (i == CODES)
		return json_string(text);
	if (profile != NULL)
		label = label_of(profile, i, text);
	return code_label(text, label != NULL ? label : text);
}

/* A status of the registry: what was answered, and what it truly was. */
static bool
is_status(const char *name)
{
	return strcmp(name, "answered") == 0 || strcmp(name, "outcome") == 0;
}

json_t *
json_status(uint32_t status)
{
	return code_label(cdop_err_name((enum cdop_err)status),
	    exit_words((unsigned)exit_code_of(status, NULL, false)));
}

static bool
is_instant(const char *name)
{
	size_t len = strlen(name);

	return len > 3 && strcmp(name + len - 3, "_ms") == 0;
}

/* A mask of sensitivity classes, as a list of them. */
static json_t *
classes_json(struct cmd_ctx *ctx, uint32_t classes)
{
	const ProtobufCEnumDescriptor *desc = &cdop__data_class__descriptor;
	json_t *list = json_array();
	unsigned i;

	for (i = 0; i < desc->n_values; i++)
		if ((classes >> (unsigned)desc->values[i].value & 1) != 0)
			(void)json_array_append_new(
			    list, enum_json(ctx, desc, desc->values[i].value));
	return list;
}

static json_t *
message_json(struct cmd_ctx *ctx, const ProtobufCMessage *message)
{
	if (message->descriptor == &cdop__form__descriptor)
		return json_form(ctx, (const Cdop__Form *)message);
	return json_message(ctx, message);
}

/* The value at p, of one field. */
static json_t *
value_json(
    struct cmd_ctx *ctx, const ProtobufCFieldDescriptor *f, const void *p)
{
	const ProtobufCMessage *message;
	ProtobufCBinaryData bytes;
	struct cdop_bytes run;
	const char *text;
	uint64_t u64;
	uint32_t u32;
	int value;

	switch (f->type) {
	case PROTOBUF_C_TYPE_STRING:
		memcpy(&text, p, sizeof(text));
		return text_json(ctx, f->name, text);
	case PROTOBUF_C_TYPE_BYTES:
		memcpy(&bytes, p, sizeof(bytes));
		run.data = bytes.data;
		run.len = bytes.len;
		return json_string(print_hex(ctx->arena, run));
	case PROTOBUF_C_TYPE_MESSAGE:
		memcpy(&message, p, sizeof(message));
		return message_json(ctx, message);
	case PROTOBUF_C_TYPE_BOOL:
		memcpy(&value, p, sizeof(value));
		return json_boolean(value != 0);
	case PROTOBUF_C_TYPE_ENUM:
		memcpy(&value, p, sizeof(value));
		return enum_json(ctx, f->descriptor, value);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		memcpy(&u64, p, sizeof(u64));
		if (is_instant(f->name))
			return json_string(print_utc(ctx->arena, u64));
		return json_integer((json_int_t)u64);
	case PROTOBUF_C_TYPE_UINT32:
		memcpy(&u32, p, sizeof(u32));
		if (strcmp(f->name, "classes") == 0)
			return classes_json(ctx, u32);
		if (is_status(f->name))
			return json_status(u32);
		return json_integer((json_int_t)u32);
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
	default:
		return json_null(); /* the .proto files have none */
	}
}

static size_t
size_of(const ProtobufCFieldDescriptor *f)
{
	switch ((int)f->type) {
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return sizeof(uint64_t);
	default:
		return sizeof(uint32_t);
	}
}

static json_t *
list_json(
    struct cmd_ctx *ctx, const ProtobufCFieldDescriptor *f, const uint8_t *base)
{
	json_t *list = json_array();
	const uint8_t *data;
	size_t n, i;

	memcpy(&n, base + f->quantifier_offset, sizeof(n));
	memcpy(&data, base + f->offset, sizeof(data));
	for (i = 0; i < n; i++)
		(void)json_array_append_new(
		    list, value_json(ctx, f, data + i * size_of(f)));
	return list;
}

static bool
is_set(const ProtobufCFieldDescriptor *f, const uint8_t *base)
{
	protobuf_c_boolean has;
	const void *p;

	if (f->label == PROTOBUF_C_LABEL_REQUIRED)
		return true;
	if (f->type == PROTOBUF_C_TYPE_STRING ||
	    f->type == PROTOBUF_C_TYPE_MESSAGE) {
		memcpy(&p, base + f->offset, sizeof(p));
		return p != NULL;
	}
	memcpy(&has, base + f->quantifier_offset, sizeof(has));
	return has != 0;
}

void
json_merge(struct cmd_ctx *ctx, json_t *into, const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *desc = message->descriptor;
	const uint8_t *base = (const uint8_t *)message;
	const ProtobufCFieldDescriptor *f;
	const char *name;
	json_t *value;
	unsigned i;

	for (i = 0; i < desc->n_fields; i++) {
		f = &desc->fields[i];
		if (strcmp(f->name, "pad") == 0)
			continue;
		name = f->name;
		if (is_instant(name))
			name = cdop_arena_strndup(
			    ctx->arena, name, strlen(name) - 3);
		if (f->label == PROTOBUF_C_LABEL_REPEATED)
			value = list_json(ctx, f, base);
		else if (is_set(f, base))
			value = value_json(ctx, f, base + f->offset);
		else
			continue;
		(void)json_object_set_new(into, name, value);
	}
}

json_t *
json_message(struct cmd_ctx *ctx, const ProtobufCMessage *message)
{
	json_t *object = json_object();

	json_merge(ctx, object, message);
	return object;
}

void
json_line(
    struct cmd_ctx *ctx, const char *schema, const ProtobufCMessage *message)
{
	json_t *object = print_envelope(ctx, schema, true);

	json_merge(ctx, object, message);
	print_json(object);
}

/* ---- forms ------------------------------------------------------- */

json_t *
json_value(
    struct cmd_ctx *ctx, const Cdop__Form *form, const struct cdop_path *path)
{
	const struct cdop_field *f = path->field;
	struct cdop_value value;
	const char *label;

	if (cdop_form_get(form, path, ctx->arena, &value) != CDOP_OK)
		return NULL;
	if (value.state == CDOP_VALUE_NOT_ASKED)
		return NULL;
	if (value.state != CDOP_VALUE_GIVEN)
		return json_pack("{s:s}", "absent", json_absences[value.state]);
	if (f->kind == CDOP_KIND_YES_NO)
		return json_boolean(strcmp(value.text, "yes") == 0);
	if (f->kind != CDOP_KIND_CODE && f->kind != CDOP_KIND_AREA &&
	    f->kind != CDOP_KIND_AGENCY && f->kind != CDOP_KIND_CHOICE)
		return json_string(value.text);
	label = profile_of(ctx) == NULL && f->kind != CDOP_KIND_CHOICE
	    ? NULL
	    : cdop_form_words(form, path, profile_of(ctx), ctx->arena);
	return code_label(value.text, label != NULL ? label : value.text);
}

/* The object that the fields of this path go into. */
static json_t *
group_object(json_t *root, const struct cdop_path *path)
{
	const char *group = path->field->group;
	json_t *at = json_object_get(root, group), *entry;
	size_t n;

	if (path->entry == 0) {
		if (at == NULL) {
			at = json_object();
			(void)json_object_set_new(root, group, at);
		}
		return at;
	}
	if (at == NULL) {
		at = json_array();
		(void)json_object_set_new(root, group, at);
	}
	n = json_array_size(at);
	entry = n > 0 ? json_array_get(at, n - 1) : NULL;
	if (entry != NULL &&
	    json_integer_value(json_object_get(entry, "number")) ==
		(json_int_t)path->entry)
		return entry;
	entry = json_pack("{s:I}", "number", (json_int_t)path->entry);
	(void)json_array_append_new(at, entry);
	return entry;
}

json_t *
json_form(struct cmd_ctx *ctx, const Cdop__Form *form)
{
	struct cdop_form_iter iter = {.form = form};
	json_t *root = json_object(), *value;
	struct cdop_path path;

	while (cdop_form_next(&iter, &path)) {
		if (path.field->kind == CDOP_KIND_ENTRY)
			continue;
		value = json_value(ctx, form, &path);
		if (value != NULL)
			(void)json_object_set_new(
			    group_object(root, &path), path.field->name, value);
	}
	if (form->n_raised > 0)
		(void)json_object_set_new(root, "raised", raise_list(form));
	return root;
}
