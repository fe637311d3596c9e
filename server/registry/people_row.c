/* People as rows; see people_row.h. */
#include "server/registry/people_row.h"

#include <string.h>

#include "cdop/secret.h"
#include "server/registry/message.h"
#include "server/store/schema.h"

#define SCHEMA 1 /* of all three kinds */

/* ---- from a row -------------------------------------------------------- */

/* NULL gives "".  false: longer than the room for it. */
static bool
take_text(const char *text, char *out, size_t room)
{
	size_t len;

	len = text == NULL ? 0 : strlen(text);
	if (len >= room)
		return false;
	if (len > 0)
		memcpy(out, text, len);
	out[len] = '\0';
	return true;
}

static bool
take_areas(const Cdop__StoredPerson *stored, struct people_person *person)
{
	size_t i;

	if (stored->n_area > PEOPLE_AREAS_MAX)
		return false;
	for (i = 0; i < stored->n_area; i++)
		if (!take_text(
			stored->area[i], person->area[i], PEOPLE_ID_ROOM))
			return false;
	person->n_areas = stored->n_area;
	return true;
}

static bool
take_grants(const Cdop__StoredPerson *stored, struct people_person *person)
{
	const Cdop__RoleGrant *from;
	struct people_grant *to;
	size_t i;

	if (stored->n_grant > PEOPLE_GRANTS_MAX)
		return false;
	for (i = 0; i < stored->n_grant; i++) {
		from = stored->grant[i];
		to = &person->grants[i];
		/* A number of a newer daemon gives no power here. */
		if ((uint32_t)from->role == 0 || (uint32_t)from->role > 27)
			return false;
		to->role = (uint32_t)from->role;
		to->from_ms = from->has_from_ms ? from->from_ms : 0;
		to->until_ms = from->has_until_ms ? from->until_ms : UINT64_MAX;
	}
	person->n_grants = stored->n_grant;
	return true;
}

enum cdop_err
people_row_read_person(
    const Cdop__StoredPerson *stored, struct people_person *ret_person)
{
	struct people_person *p = ret_person;

	memset(p, 0, sizeof(*p));
	if (!take_text(stored->name, p->name, sizeof(p->name)) ||
	    !take_text(stored->job_title, p->job_title, sizeof(p->job_title)) ||
	    !take_text(stored->agency, p->agency, sizeof(p->agency)) ||
	    !take_text(stored->reason, p->reason, sizeof(p->reason)) ||
	    !take_areas(stored, p) || !take_grants(stored, p))
		return CDOP_DATA_LOSS;
	p->number = stored->number;
	p->version = stored->version;
	p->state = stored->state;
	p->all_areas = stored->has_all_areas && stored->all_areas;
	p->created_ms = stored->created_ms;
	p->invited_by = stored->has_invited_by ? stored->invited_by : 0;
	p->activated_by = stored->has_activated_by ? stored->activated_by : 0;
	p->lapsed_ms = stored->has_lapsed_ms ? stored->lapsed_ms : 0;
	return CDOP_OK;
}

enum cdop_err
people_row_read_device(
    const Cdop__StoredCredential *stored, struct people_device *ret_device)
{
	struct people_device *d = ret_device;

	memset(d, 0, sizeof(*d));
	if (!take_text(stored->label, d->label, sizeof(d->label)) ||
	    !take_text(stored->reason, d->reason, sizeof(d->reason)) ||
	    !message_take_bytes(stored->public_key, d->public_key, 32) ||
	    !message_take_bytes(stored->psk, d->psk, 32) ||
	    !message_take_bytes(stored->comparison, d->comparison, 10) ||
	    !message_take_bytes(stored->invitation_id, d->invitation_id, 16))
		return CDOP_DATA_LOSS;
	if (stored->has_psk_next &&
	    !message_take_bytes(stored->psk_next, d->psk_next, 32))
		return CDOP_DATA_LOSS;
	if (stored->has_server_key &&
	    !message_take_bytes(
		stored->server_key, d->server_key, sizeof(d->server_key)))
		return CDOP_DATA_LOSS;
	d->has_next = stored->has_psk_next;
	d->number = stored->number;
	d->version = stored->version;
	d->person = stored->person;
	d->state = stored->state;
	d->expires_ms =
	    stored->has_expires_ms ? stored->expires_ms : UINT64_MAX;
	d->enrolled_ms = stored->enrolled_ms;
	d->seen_ms = stored->has_seen_ms ? stored->seen_ms : 0;
	d->activated_by = stored->has_activated_by ? stored->activated_by : 0;
	d->wrong = stored->has_wrong ? stored->wrong : 0;
	return CDOP_OK;
}

enum cdop_err
people_row_read_invitation(const Cdop__StoredInvitation *stored,
    struct people_invitation *ret_invitation)
{
	struct people_invitation *v = ret_invitation;

	memset(v, 0, sizeof(*v));
	if (!take_text(stored->label, v->label, sizeof(v->label)) ||
	    !message_take_bytes(stored->invitation_id, v->invitation_id, 16) ||
	    !message_take_bytes(stored->psk, v->psk, 32))
		return CDOP_DATA_LOSS;
	if (stored->has_public_key &&
	    !message_take_bytes(stored->public_key, v->public_key, 32))
		return CDOP_DATA_LOSS;
	v->has_key = stored->has_public_key;
	v->version = stored->has_version ? stored->version : 0;
	v->person = stored->person;
	v->expires_ms = stored->expires_ms;
	v->state = stored->state;
	v->invited_by = stored->invited_by;
	v->device = stored->has_device ? stored->device : 0;
	v->device_expires_ms = stored->has_device_expires_ms
	    ? stored->device_expires_ms
	    : UINT64_MAX;
	v->created_ms = stored->created_ms;
	return CDOP_OK;
}

/* ---- to a row ---------------------------------------------------------- */

/* For protobuf-c, which has no const; it only reads. */
static char *
text_or_null(char *text)
{
	return text[0] != '\0' ? text : NULL;
}

/* One row in the place of another, or a first one. */
static enum cdop_err
put(struct registry *reg, struct cdop_arena *arena, uint8_t kind,
    uint32_t version, const ProtobufCMessage *message, uint64_t *row)
{
	const struct rows_new new_row = {
	    .kind = kind,
	    .schema = SCHEMA,
	    .version = version,
	};

	return message_put(reg->rows, arena, &new_row, *row, message, row);
}

static enum cdop_err
fill_grants(struct cdop_arena *arena, const struct people_person *person,
    Cdop__StoredPerson *out)
{
	Cdop__RoleGrant *grants;
	size_t i;

	grants = cdop_arena_calloc(arena, person->n_grants, sizeof(*grants));
	out->grant =
	    cdop_arena_calloc(arena, person->n_grants, sizeof(*out->grant));
	if (grants == NULL || out->grant == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < person->n_grants; i++) {
		cdop__role_grant__init(&grants[i]);
		grants[i].role = (Cdop__Role)person->grants[i].role;
		grants[i].has_from_ms = person->grants[i].from_ms != 0;
		grants[i].from_ms = person->grants[i].from_ms;
		grants[i].has_until_ms =
		    person->grants[i].until_ms != UINT64_MAX;
		grants[i].until_ms = person->grants[i].until_ms;
		out->grant[i] = &grants[i];
	}
	out->n_grant = person->n_grants;
	return CDOP_OK;
}

enum cdop_err
people_row_put_person(struct registry *reg, struct cdop_arena *arena,
    struct people_person *person)
{
	char *areas[PEOPLE_AREAS_MAX];
	Cdop__StoredPerson out;
	enum cdop_err err;
	size_t i;

	cdop__stored_person__init(&out);
	out.number = person->number;
	out.name = person->name;
	out.job_title = text_or_null(person->job_title);
	out.agency = text_or_null(person->agency);
	for (i = 0; i < person->n_areas; i++)
		areas[i] = person->area[i];
	out.area = areas;
	out.n_area = person->n_areas;
	out.has_all_areas = person->all_areas;
	out.all_areas = person->all_areas;
	if ((err = fill_grants(arena, person, &out)) != CDOP_OK)
		return err;
	out.state = person->state;
	out.created_ms = person->created_ms;
	out.version = person->version;
	out.has_invited_by = true;
	out.invited_by = person->invited_by;
	out.has_activated_by = person->activated_by != 0;
	out.activated_by = person->activated_by;
	out.has_lapsed_ms = person->lapsed_ms != 0;
	out.lapsed_ms = person->lapsed_ms;
	out.reason = text_or_null(person->reason);
	return put(reg, arena, SCHEMA_KIND_PERSON, person->version, &out.base,
	    &person->row);
}

static ProtobufCBinaryData
bytes(const uint8_t *data, size_t len)
{
	/* protobuf-c has no const; it only reads. */
	ProtobufCBinaryData out = {len, (uint8_t *)(uintptr_t)data};

	return out;
}

enum cdop_err
people_row_put_device(struct registry *reg, struct cdop_arena *arena,
    struct people_device *device)
{
	Cdop__StoredCredential out;

	cdop__stored_credential__init(&out);
	out.number = device->number;
	out.person = device->person;
	out.label = device->label;
	out.public_key = bytes(device->public_key, 32);
	out.psk = bytes(device->psk, 32);
	out.has_psk_next = device->has_next;
	out.psk_next = bytes(device->psk_next, 32);
	out.state = device->state;
	out.has_expires_ms = device->expires_ms != UINT64_MAX;
	out.expires_ms = device->expires_ms;
	out.enrolled_ms = device->enrolled_ms;
	out.has_seen_ms = device->seen_ms != 0;
	out.seen_ms = device->seen_ms;
	out.comparison = bytes(device->comparison, 10);
	out.invitation_id = bytes(device->invitation_id, 16);
	out.version = device->version;
	out.has_activated_by = device->activated_by != 0;
	out.activated_by = device->activated_by;
	out.has_wrong = device->wrong != 0;
	out.wrong = device->wrong;
	out.has_server_key = !cdop_secret_is_zero(
	    device->server_key, sizeof(device->server_key));
	out.server_key = bytes(device->server_key, sizeof(device->server_key));
	out.reason = text_or_null(device->reason);
	return put(reg, arena, SCHEMA_KIND_CREDENTIAL, device->version,
	    &out.base, &device->row);
}

enum cdop_err
people_row_put_invitation(struct registry *reg, struct cdop_arena *arena,
    struct people_invitation *invitation)
{
	Cdop__StoredInvitation out;

	cdop__stored_invitation__init(&out);
	out.invitation_id = bytes(invitation->invitation_id, 16);
	out.psk = bytes(invitation->psk, 32);
	out.person = invitation->person;
	out.label = invitation->label;
	out.expires_ms = invitation->expires_ms;
	out.state = invitation->state;
	out.invited_by = invitation->invited_by;
	out.has_public_key = invitation->has_key;
	out.public_key = bytes(invitation->public_key, 32);
	out.has_device = invitation->device != 0;
	out.device = invitation->device;
	out.has_device_expires_ms = invitation->device_expires_ms != UINT64_MAX;
	out.device_expires_ms = invitation->device_expires_ms;
	out.created_ms = invitation->created_ms;
	out.has_version = true;
	out.version = invitation->version;
	return put(reg, arena, SCHEMA_KIND_INVITATION, invitation->version,
	    &out.base, &invitation->row);
}
