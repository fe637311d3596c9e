/* Making a registry out of rows, without the acts that tests are about. */
#include "tests/unit/server/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cdop/form.h"
#include "cdop/profile.h"
#include "cdop/role.h"
#include "cdop/secret.h"
#include "server/base/undo.h"
#include "server/cycle/receipt.h"
#include "server/store/schema.h"
#include "server/vault/keystore.h"
#include "server/vault/lockmem.h"
#include "server/vault/rows.h"
#include "server/vault/rows_keys.h"
#include "stored.pb-c.h"
#include "tests/unit/server/scratch.h"

#define PROFILE  "packaging/profiles/merseyside.conf"
#define START_MS 1795600000000ull /* Mon 23 November 2026 */

static const uint8_t registry_id[16] = "registry of test";

struct cast {
	const char *name;
	Cdop__Role role;  /* 0: none */
	const char *area; /* NULL: none; "*": all */
	Cdop__CredentialState state;
};

static const struct cast cast[WORLD_N] = {
    [WORLD_NOBODY] = {"nobody", 0, NULL, 0},
    [WORLD_ADMIN_1] = {"administrator 1", CDOP__ROLE__ADMINISTRATOR, NULL,
	CDOP__CREDENTIAL_STATE__CREDENTIAL_ACTIVE},
    [WORLD_ADMIN_2] = {"administrator 2", CDOP__ROLE__ADMINISTRATOR, NULL,
	CDOP__CREDENTIAL_STATE__CREDENTIAL_ACTIVE},
    [WORLD_ADMIN_3] = {"administrator 3", CDOP__ROLE__ADMINISTRATOR, NULL,
	CDOP__CREDENTIAL_STATE__CREDENTIAL_ACTIVE},
    [WORLD_COORDINATOR] = {"coordinator", CDOP__ROLE__COORDINATOR, "*",
	CDOP__CREDENTIAL_STATE__CREDENTIAL_ACTIVE},
    [WORLD_COORDINATOR_WIRRAL] = {"coordinator Wirral", CDOP__ROLE__COORDINATOR,
	"wirral", CDOP__CREDENTIAL_STATE__CREDENTIAL_ACTIVE},
    [WORLD_PARTNER_WIRRAL] = {"partner Wirral", CDOP__ROLE__PARTNER, "wirral",
	CDOP__CREDENTIAL_STATE__CREDENTIAL_ACTIVE},
    [WORLD_PARTNER_SEFTON] = {"partner Sefton", CDOP__ROLE__PARTNER, "sefton",
	CDOP__CREDENTIAL_STATE__CREDENTIAL_ACTIVE},
    [WORLD_PANEL_MEMBER] = {"panel member", CDOP__ROLE__PANEL_MEMBER, "*",
	CDOP__CREDENTIAL_STATE__CREDENTIAL_ACTIVE},
    [WORLD_ANALYST] = {"analyst", CDOP__ROLE__ANALYST, "*",
	CDOP__CREDENTIAL_STATE__CREDENTIAL_ACTIVE},
    [WORLD_CUSTODIAN] = {"custodian", CDOP__ROLE__CUSTODIAN, NULL,
	CDOP__CREDENTIAL_STATE__CREDENTIAL_ACTIVE},
    [WORLD_AUDITOR] = {"auditor", CDOP__ROLE__AUDITOR, NULL,
	CDOP__CREDENTIAL_STATE__CREDENTIAL_ACTIVE},
    [WORLD_PENDING] = {"pending", CDOP__ROLE__PARTNER, "wirral",
	CDOP__CREDENTIAL_STATE__CREDENTIAL_PENDING},
    [WORLD_REVOKED] = {"revoked", CDOP__ROLE__COORDINATOR, "*",
	CDOP__CREDENTIAL_STATE__CREDENTIAL_REVOKED},
};

const char *
world_name(enum world_who who)
{
	return cast[who].name;
}

struct world_keys
world_keys(enum world_who who)
{
	struct world_keys keys;

	memset(keys.secret, (int)who, sizeof(keys.secret));
	cdop_secret_public(keys.public_key, keys.secret);
	memset(keys.psk, 0x40 + (int)who, sizeof(keys.psk));
	return keys;
}

static struct rows_args
args_of(struct world *world)
{
	return (struct rows_args){
	    .dir = world->dir,
	    .map_bytes = world->map_bytes != 0 ? world->map_bytes : WORLD_MAP,
	    .reserve_bytes = world->reserve_bytes,
	    .ks = world->ks,
	    .undo = world->undo,
	};
}

static void
tools_make(struct world *world)
{
	const char *why;

	assert_int_equal(lockmem_new(LOCKMEM_MAX, &world->mem, &why), CDOP_OK);
	assert_int_equal(undo_new(16u << 20, &world->undo), CDOP_OK);
	assert_int_equal(
	    keystore_new(world->mem, world->undo, &world->ks), CDOP_OK);
}

void
world_close(struct world *world)
{
	registry_free(world->reg);
	rows_close(world->rows);
	keystore_free(world->ks);
	undo_free(world->undo);
	lockmem_destroy(world->mem);
	world->reg = NULL;
	world->rows = NULL;
}

static void
put(struct world *world, uint8_t kind, const ProtobufCMessage *message)
{
	struct rows_new row;
	uint64_t number;
	uint8_t *packed;

	packed = malloc(protobuf_c_message_get_packed_size(message) + 1);
	assert_non_null(packed);
	memset(&row, 0, sizeof(row));
	row.kind = kind;
	row.schema = 1;
	row.version = 1;
	row.data.len = protobuf_c_message_pack(message, packed);
	row.data.data = packed;
	assert_int_equal(rows_put(world->rows, &row, &number), CDOP_OK);
	free(packed);
}

static void
put_config(struct world *world)
{
	Cdop__StoredConfig config;
	uint8_t id[16], secret[32], seed[32];

	memcpy(id, registry_id, sizeof(id));
	memset(secret, 0x11, sizeof(secret));
	memset(seed, 0x22, sizeof(seed));
	cdop__stored_config__init(&config);
	config.registry_id = (ProtobufCBinaryData){sizeof(id), id};
	config.mode = CDOP__MODE__TRAINING;
	config.created_ms = START_MS;
	config.link_secret = (ProtobufCBinaryData){sizeof(secret), secret};
	config.log_seed = (ProtobufCBinaryData){sizeof(seed), seed};
	config.state = CDOP__STATE__OPEN;
	put(world, SCHEMA_KIND_CONFIG, &config.base);
}

static void
put_profile(struct world *world)
{
	Cdop__StoredProfile stored;
	struct cdop_profile_error error;
	struct cdop_profile *profile;
	FILE *file;
	char *text;
	size_t i, len;

	file = fopen(PROFILE, "r");
	assert_non_null(file);
	text = calloc(1, 1u << 20);
	assert_non_null(text);
	len = fread(text, 1, 1u << 20, file);
	fclose(file);
	assert_int_equal(
	    cdop_profile_parse(text, len, world->arena, &profile, &error),
	    CDOP_OK);
	cdop__stored_profile__init(&stored);
	stored.text = (ProtobufCBinaryData){len, (uint8_t *)text};
	stored.version = 1;
	stored.at_ms = START_MS;
	put(world, SCHEMA_KIND_PROFILE, &stored.base);
	for (i = 0; i < profile->n_area; i++)
		assert_int_equal(
		    rows_keys_area(world->rows, profile->area[i].id), CDOP_OK);
	free(text);
}

static void
put_person(struct world *world, uint32_t number)
{
	const struct cast *who = &cast[number];
	Cdop__StoredPerson person;
	Cdop__RoleGrant grant, *grants[1] = {&grant};
	char name[64], area[48];
	char *areas[1] = {area};

	cdop__role_grant__init(&grant);
	grant.role = who->role;
	(void)snprintf(name, sizeof(name), "%s", who->name);
	cdop__stored_person__init(&person);
	person.number = number;
	person.name = name;
	person.n_grant = 1;
	person.grant = grants;
	person.state = CDOP__PERSON_STATE__PERSON_ACTIVE;
	if (who->state == CDOP__CREDENTIAL_STATE__CREDENTIAL_PENDING)
		person.state = CDOP__PERSON_STATE__PERSON_INVITED;
	person.created_ms = START_MS;
	person.version = 1;
	if (who->area != NULL && strcmp(who->area, "*") == 0) {
		person.has_all_areas = true;
		person.all_areas = true;
	} else if (who->area != NULL) {
		(void)snprintf(area, sizeof(area), "%s", who->area);
		person.n_area = 1;
		person.area = areas;
	}
	put(world, SCHEMA_KIND_PERSON, &person.base);
}

static void
put_device(struct world *world, uint32_t number)
{
	Cdop__StoredCredential device;
	struct world_keys keys = world_keys(number);
	uint8_t comparison[10], invitation[16];
	char label[] = "laptop";

	memset(comparison, (int)number, sizeof(comparison));
	memset(invitation, (int)number, sizeof(invitation));
	cdop__stored_credential__init(&device);
	device.number = number;
	device.person = number;
	device.label = label;
	device.public_key =
	    (ProtobufCBinaryData){sizeof(keys.public_key), keys.public_key};
	device.psk = (ProtobufCBinaryData){sizeof(keys.psk), keys.psk};
	device.state = cast[number].state;
	device.enrolled_ms = START_MS;
	device.comparison =
	    (ProtobufCBinaryData){sizeof(comparison), comparison};
	device.invitation_id =
	    (ProtobufCBinaryData){sizeof(invitation), invitation};
	device.version = 1;
	put(world, SCHEMA_KIND_CREDENTIAL, &device.base);
}

static void
put_invitation(struct world *world, uint32_t number)
{
	Cdop__StoredInvitation invitation;
	struct world_keys keys = world_keys(number);
	uint8_t id[16], psk[32];
	char label[] = "laptop";

	memset(id, (int)number, sizeof(id));
	memset(psk, 0, sizeof(psk));
	cdop__stored_invitation__init(&invitation);
	invitation.invitation_id = (ProtobufCBinaryData){sizeof(id), id};
	invitation.psk = (ProtobufCBinaryData){sizeof(psk), psk};
	invitation.person = number;
	invitation.label = label;
	invitation.expires_ms = START_MS + 1000;
	invitation.state = CDOP__INVITATION_STATE__INVITATION_USED;
	invitation.invited_by = 1;
	invitation.has_public_key = true;
	invitation.public_key =
	    (ProtobufCBinaryData){sizeof(keys.public_key), keys.public_key};
	invitation.has_device = true;
	invitation.device = number;
	invitation.created_ms = START_MS;
	put(world, SCHEMA_KIND_INVITATION, &invitation.base);
}

static void
fill(struct world *world)
{
	uint32_t number;

	world_begin(world, 1u << 19, 200);
	put_config(world);
	put_profile(world);
	for (number = 1; number < WORLD_N; number++) {
		put_person(world, number);
		put_device(world, number);
		put_invitation(world, number);
	}
	assert_int_equal(rows_commit(world->rows), CDOP_OK);
	undo_commit(world->undo);
}

enum cdop_err
world_try_open(struct world *world, const char **ret_why)
{
	struct rows_args args;

	tools_make(world);
	args = args_of(world);
	assert_int_equal(rows_open(&args, &world->rows), CDOP_OK);
	assert_int_equal(rows_unseal(world->rows, 0, world->k), CDOP_OK);
	assert_int_equal(registry_new(world->rows, world->ks, world->undo,
			     world->mem, &world->reg),
	    CDOP_OK);
	*ret_why = "";
	return registry_load(world->reg, world->now_ms, ret_why);
}

void
world_open(struct world *world)
{
	const char *why;

	if (world_try_open(world, &why) != CDOP_OK)
		fail_msg("the registry does not load: %s", why);
}

void
world_make(struct world *world)
{
	struct slots_new slots[2] = {
	    {.kind = SLOTS_KIND_KEYFILE, .label = "key file"},
	    {.kind = SLOTS_KIND_CREDENTIAL, .label = "credential"},
	};
	struct rows_args args;

	memset(world, 0, sizeof(*world));
	world->now_ms = START_MS;
	scratch_dir(world->dir, sizeof(world->dir), "world");
	assert_int_equal(cdop_arena_new(256u << 20, &world->arena), CDOP_OK);
	memset(world->k, 0x5b, sizeof(world->k));
	slots[0].k = slots[1].k = world->k;
	tools_make(world);
	args = args_of(world);
	assert_int_equal(
	    rows_create(&args, registry_id, slots, 2, &world->rows), CDOP_OK);
	fill(world);
	world_close(world);
	world_open(world);
	cdop_arena_reset(world->arena);
}

void
world_reopen(struct world *world)
{
	world_close(world);
	world_open(world);
}

void
world_unlink(struct world *world)
{
	static const char *const names[] = {"data.mdb", "lock.mdb", "reserve"};
	char path[128];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(
		    path, sizeof(path), "%s/%s", world->dir, names[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(world->dir), 0);
}

void
world_end(struct world *world)
{
	world_close(world);
	world_unlink(world);
	cdop_arena_free(world->arena);
}

/* ---- calls -------------------------------------------------------------- */

void
world_key(struct world *world, uint8_t out[static 16])
{
	memset(out, 0, 16);
	cdop_put32(out, (uint32_t)(world->now_ms >> 16));
	cdop_put16(out + 4, (uint16_t)world->now_ms);
	cdop_put64(out + 8, ++world->next_key);
}

static const Cdop__Reply *
reply_of(struct world *world, const struct world_answer *answer)
{
	const Cdop__Reply *reply;

	reply = cdop__reply__unpack(cdop_arena_allocator(world->arena),
	    answer->result.reply.len, answer->result.reply.data);
	assert_non_null(reply);
	return reply;
}

static void
run(struct world *world, const struct dispatch_request *request,
    struct world_answer *answer)
{
	undo_begin(world->undo);
	answer->failed = world->room == 0
	    ? rows_begin(world->rows, 8u << 20, 64)
	    : rows_begin(world->rows, world->room, WORLD_ROOM_ROWS);
	if (answer->failed != CDOP_OK) {
		undo_rollback(world->undo);
		return;
	}
	cdop_arena_set_budget(world->arena, world->budget);
	answer->failed =
	    dispatch_call(world->reg, world->arena, request, &answer->result);
	cdop_arena_set_budget(world->arena, 0);
	if (answer->failed != CDOP_OK || world->abort) {
		if (answer->failed == CDOP_OK)
			answer->packed_status =
			    (enum cdop_err)reply_of(world, answer)->status;
		rows_abort(world->rows);
		undo_rollback(world->undo);
		return;
	}
	answer->failed = registry_commit(world->reg);
	if (answer->failed != CDOP_OK)
		return;
	if (answer->result.receipt != NULL)
		assert_int_equal(
		    receipt_append(world->reg, world->arena,
			answer->result.receipt, &answer->result.reply),
		    CDOP_OK);
	answer->reply = reply_of(world, answer);
}

void
world_send(struct world *world, enum world_who who, const Cdop__Call *call,
    struct world_answer *ret_answer)
{
	struct dispatch_request request;
	struct world_keys keys = world_keys(who);
	struct dispatch_peer peer;
	uint8_t *packed;

	memset(&request, 0, sizeof(request));
	memset(&peer, 0, sizeof(peer));
	memset(ret_answer, 0, sizeof(*ret_answer));
	peer.device = (uint32_t)who;
	memcpy(peer.public_key, keys.public_key, sizeof(peer.public_key));
	memcpy(peer.session, world->session, sizeof(peer.session));
	packed =
	    cdop_arena_alloc(world->arena, cdop__call__get_packed_size(call));
	assert_non_null(packed);
	request.peer = &peer;
	request.message.len = cdop__call__pack(call, packed);
	request.message.data = packed;
	request.now_ms = world->now_ms;
	request.boot_ms = world->waited_ms;
	request.expired_session = world->expired;
	run(world, &request, ret_answer);
}

void
world_call(struct world *world, enum world_who who, uint32_t method,
    const ProtobufCMessage *body, struct world_answer *ret_answer)
{
	char purpose[] = "case_work";
	Cdop__Call call;
	uint8_t key[16];

	cdop__call__init(&call);
	call.id = 1;
	call.method = method;
	world_key(world, key);
	call.has_request_key = true;
	call.request_key = (ProtobufCBinaryData){sizeof(key), key};
	call.purpose = purpose;
	call.has_use = true;
	call.use = CDOP__USE__SCREEN;
	call.has_receipt = world->receipt;
	call.receipt = world->receipt;
	if (body != NULL) {
		call.has_body = true;
		call.body.len = protobuf_c_message_get_packed_size(body);
		call.body.data = cdop_arena_alloc(world->arena, call.body.len);
		assert_non_null(call.body.data);
		protobuf_c_message_pack(body, call.body.data);
	}
	world_send(world, who, &call, ret_answer);
}

void *
world_body(struct world *world, const struct world_answer *answer,
    const ProtobufCMessageDescriptor *desc)
{
	void *body;

	assert_non_null(answer->reply);
	assert_true(answer->reply->has_body);
	body =
	    protobuf_c_message_unpack(desc, cdop_arena_allocator(world->arena),
		answer->reply->body.len, answer->reply->body.data);
	assert_non_null(body);
	return body;
}

/* ---- children ----------------------------------------------------------- */

/* The n-th number of the 999 range that is valid (mod 11). */
static void
nhs_number(unsigned n, char out[static 11])
{
	unsigned i, sum, body, check;

	for (body = 999000001;; body++) {
		(void)snprintf(out, 11, "%09u", body);
		for (sum = 0, i = 0; i < 9; i++)
			sum += (unsigned)(out[i] - '0') * (10 - i);
		check = 11 - sum % 11;
		if (check == 10 || n-- > 0)
			continue;
		out[9] = (char)('0' + check % 11);
		out[10] = '\0';
		return;
	}
}

Cdop__Form *
world_form(struct world *world, unsigned n, const char *residence)
{
	char nhs[11], family[32];
	const char *const fields[][2] = {
	    {"received.channel", "phone"},
	    {"received.notified_date", "2026-11-22"},
	    {"received.notified_time", "10:15"},
	    {"notifier.agency", "RBS"},
	    {"notifier.name", "Dr Sample"},
	    {"notifier.phone", "0151 496 0000"},
	    {"child.name_kind", "known"},
	    {"child.family_name", family},
	    {"child.first_names", "Testa"},
	    {"child.nhs_number", nhs},
	    {"child.sex", "1"},
	    {"birth.date", "2024-05-14"},
	    {"death.date", "2026-11-21"},
	    {"place.type", "home"},
	    {"area.residence", residence},
	    {"area.death", "liverpool"},
	};
	struct cdop_violations violations = {0};
	Cdop__Form *form;
	size_t i;

	nhs_number(n, nhs);
	(void)snprintf(family, sizeof(family), "Synthetic%c%c",
	    (char)('a' + n / 26 % 26), (char)('a' + n % 26));
	form = cdop_form_new(world->arena);
	assert_non_null(form);
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (cdop_form_put(form, fields[i][0], fields[i][1],
			world->reg->profile, world->arena,
			&violations) != CDOP_OK)
			fail_msg("%s: %s", fields[i][0],
			    violations.n > 0 ? violations.v[0].rule : "?");
	return form;
}

char *
world_register(struct world *world, unsigned n, const char *residence)
{
	Cdop__NotificationRegisterRequest request;
	Cdop__NotificationRegisterReply *reply;
	struct world_answer answer;
	size_t i;

	cdop__notification_register_request__init(&request);
	request.form = world_form(world, n, residence);
	world_call(world, WORLD_COORDINATOR, CDOP_CALL_NotificationRegister,
	    &request.base, &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	for (i = 0; i < answer.reply->n_violation; i++)
		print_message("%s %s\n", answer.reply->violation[i]->path,
		    answer.reply->violation[i]->rule);
	assert_int_equal(answer.reply->status, CDOP_OK);
	reply = world_body(
	    world, &answer, &cdop__notification_register_reply__descriptor);
	assert_non_null(reply->reference);
	return strdup(reply->reference);
}
