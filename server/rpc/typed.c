/* Fields of a request that nobody has unpacked. */
#include "server/rpc/typed.h"

#include "cdop/role.h"
#include "cdop/scan.h"
#include "cdop/varint.h"
#include "server/registry/people.h"

#define INVITATION_LEN 16

static const struct cdop_bytes none = {NULL, 0};

static bool
take_number(struct cdop_bytes *in, uint64_t *ret_value)
{
	size_t n;

	if (cdop_varint_parse(*in, CDOP_VARINT_MAX, ret_value, &n) != CDOP_OK ||
	    n == 0)
		return false;
	in->data += n;
	in->len -= n;
	return true;
}

/* A number or a text of a request that the scanner has passed. */
struct field {
	uint64_t number;
	struct cdop_bytes text;
};

static bool
find(struct cdop_bytes in, uint32_t id, struct field *ret_field)
{
	uint64_t key, value, skip;

	while (take_number(&in, &key)) {
		value = 0;
		switch (key & 7) {
		case PROTOBUF_C_WIRE_TYPE_64BIT:
			skip = 8;
			break;
		case PROTOBUF_C_WIRE_TYPE_32BIT:
			skip = 4;
			break;
		default:
			if (!take_number(&in, &value))
				return false;
			skip = (key & 7) == PROTOBUF_C_WIRE_TYPE_VARINT ? 0
									: value;
		}
		if (skip > in.len)
			break;
		if (key >> 3 == id) {
			*ret_field = (struct field){value, {in.data, skip}};
			return true;
		}
		in.data += skip;
		in.len -= skip;
	}
	return false;
}

/* The field of that name and type; zeros where there is none. */
static struct field
field_of(const struct rpc_method *method, struct cdop_bytes request,
    const char *name, ProtobufCType type)
{
	const ProtobufCFieldDescriptor *descriptor;
	struct field field = {0, none};
	struct cdop_scan_fault fault;

	descriptor = protobuf_c_message_descriptor_get_field_by_name(
	    method->request, name);
	if (descriptor != NULL && descriptor->type == type &&
	    cdop_scan_message(
		method->request, request, CDOP_SCAN_STRICT, &fault) == CDOP_OK)
		(void)find(request, descriptor->id, &field);
	return field;
}

struct cdop_bytes
typed_reference(const struct rpc_method *method, struct cdop_bytes request)
{
	return field_of(method, request, "reference", PROTOBUF_C_TYPE_STRING)
	    .text;
}

static uint32_t
number_of(const struct rpc_method *method, struct cdop_bytes request,
    const char *name)
{
	uint64_t number =
	    field_of(method, request, name, PROTOBUF_C_TYPE_UINT32).number;

	return number > UINT32_MAX ? 0 : (uint32_t)number;
}

/* A device tells whose it is, whoever is named beside it. */
uint32_t
typed_subject(const struct people *people, const struct rpc_method *method,
    struct cdop_bytes request)
{
	const struct people_invitation *invitation = NULL;
	const struct people_device *device;
	const struct people_person *person;
	struct cdop_bytes id;

	/* Who is to be responsible for a case is named by a call about it. */
	if (method == NULL ||
	    (method->scope != CDOP_SCOPE_PEOPLE &&
		method->scope != CDOP_SCOPE_AREA))
		return 0;
	id = field_of(method, request, "invitation_id", PROTOBUF_C_TYPE_BYTES)
		 .text;
	if (id.len == INVITATION_LEN)
		invitation = people_invitation(people, id.data);
	if (invitation != NULL)
		return invitation->person;
	device = people_device(people, number_of(method, request, "device"));
	if (device != NULL)
		return device->person;
	person = people_person(people, number_of(method, request, "person"));
	return person != NULL ? person->number : 0;
}
