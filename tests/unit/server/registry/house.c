/* Making a registry by init and people by enrolment; see house.h. */
#include "tests/unit/server/registry/house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cdop/compare.h"
#include "cdop/link.h"
#include "cdop/secret.h"
#include "server/base/undo.h"
#include "server/vault/keystore.h"
#include "server/vault/lockmem.h"
#include "server/vault/rows.h"
#include "tests/unit/proto/sample_profile.h"
#include "tests/unit/server/scratch.h"

static const uint8_t registry_id[16] = "registry of test";

/* ---- the store --------------------------------------------------------- */

static void
tools_make(struct house *house)
{
	const char *why;

	assert_int_equal(lockmem_new(LOCKMEM_MAX, &house->mem, &why), CDOP_OK);
	assert_int_equal(undo_new(64u << 20, &house->undo), CDOP_OK);
	assert_int_equal(
	    keystore_new(house->mem, house->undo, &house->ks), CDOP_OK);
}

static struct rows_args
args_of(struct house *house)
{
	return (struct rows_args){
	    .dir = house->dir,
	    .map_bytes = 64u << 20,
	    .ks = house->ks,
	    .undo = house->undo,
	};
}

static void
close_all(struct house *house)
{
	registry_free(house->reg);
	rows_close(house->rows);
	keystore_free(house->ks);
	undo_free(house->undo);
	lockmem_destroy(house->mem);
	house->reg = NULL;
	house->rows = NULL;
}

static void
found(struct house *house, size_t n)
{
	static const char *const names[SETUP_ADMINS_MAX] = {
	    "Ada One", "Bo Two", "Cy Three", "Di Four"};
	struct setup_args args = {
	    .mode = REGISTRY_TRAINING,
	    .n_admin = n,
	    .now_ms = house->now_ms,
	};
	struct setup_result result;
	size_t i;

	args.profile.data = (const uint8_t *)sample_profile_text(house->arena);
	args.profile.len = strlen((const char *)args.profile.data);
	for (i = 0; i < n; i++)
		args.admin[i] = names[i];
	if (setup_found(house->reg, house->arena, &args, &result) != CDOP_OK)
		fail_msg("init: %s", result.why == NULL ? "?" : result.why);
	for (i = 0; i < n; i++)
		memcpy(house->invitation[i],
		    result.invitation[i]->invitation_id, 16);
}

void
house_bare(struct house *house)
{
	struct slots_new slot = {
	    .kind = SLOTS_KIND_KEYFILE, .label = "key file"};
	struct rows_args args;

	memset(house, 0, sizeof(*house));
	assert_int_equal(cdop_secret_init(), CDOP_OK);
	house->now_ms = HOUSE_START_MS;
	scratch_dir(house->dir, sizeof(house->dir), "house");
	assert_int_equal(cdop_arena_new(512u << 20, &house->arena), CDOP_OK);
	memset(house->k, 0x5b, sizeof(house->k));
	slot.k = house->k;
	tools_make(house);
	args = args_of(house);
	assert_int_equal(
	    rows_create(&args, registry_id, &slot, 1, &house->rows), CDOP_OK);
	assert_int_equal(registry_new(house->rows, house->ks, house->undo,
			     house->mem, &house->reg),
	    CDOP_OK);
}

void
house_make(struct house *house, size_t n)
{
	house_bare(house);
	found(house, n);
}

enum cdop_err
house_load(struct house *house, const char **ret_why)
{
	struct rows_args args;

	close_all(house);
	tools_make(house);
	args = args_of(house);
	assert_int_equal(rows_open(&args, &house->rows), CDOP_OK);
	assert_int_equal(rows_unseal(house->rows, 0, house->k), CDOP_OK);
	assert_int_equal(registry_new(house->rows, house->ks, house->undo,
			     house->mem, &house->reg),
	    CDOP_OK);
	return registry_load(house->reg, house->now_ms, ret_why);
}

void
house_reopen(struct house *house)
{
	const char *why = "";

	if (house_load(house, &why) != CDOP_OK)
		fail_msg("the registry does not load: %s", why);
}

void
house_end(struct house *house)
{
	static const char *const names[] = {"data.mdb", "lock.mdb"};
	char path[128];
	size_t i;

	close_all(house);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(
		    path, sizeof(path), "%s/%s", house->dir, names[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(house->dir), 0);
	cdop_arena_free(house->arena);
}

/* ---- acts -------------------------------------------------------------- */

void
house_begin(struct house *house)
{
	undo_begin(house->undo);
	assert_int_equal(rows_begin(house->rows, 8u << 20, 128), CDOP_OK);
}

void
house_commit(struct house *house)
{
	assert_int_equal(registry_commit(house->reg), CDOP_OK);
}

void
house_abort(struct house *house)
{
	rows_abort(house->rows);
	undo_rollback(house->undo);
}

struct people_act *
house_act(struct house *house, uint32_t person, uint32_t device)
{
	struct people_act *act = &house->act;

	memset(act, 0, sizeof(*act));
	act->people = house->reg->people;
	act->arena = house->arena;
	act->person = person;
	act->device = device;
	act->now_ms = house->now_ms;
	return act;
}

/* As dispatch does it: a refusal keeps what it says it keeps. */
static enum cdop_err
end(struct house *house, enum cdop_err err)
{
	if (err == CDOP_OK || house->act.kept)
		house_commit(house);
	else
		house_abort(house);
	return err;
}

enum cdop_err
house_change(struct house *house, uint32_t person, uint32_t device,
    const struct people_change *to)
{
	const struct people_whom whom = {person, device, "as agreed"};

	house_begin(house);
	return end(
	    house, people_change_apply(house_act(house, 1, 1), &whom, to));
}

enum cdop_err
house_suspend(
    struct house *house, uint32_t by, uint32_t person, uint32_t device)
{
	const struct people_whom whom = {person, device, "left in a train"};

	house_begin(house);
	return end(house, people_act_suspend(house_act(house, by, by), &whom));
}

enum cdop_err
house_resume(struct house *house, uint32_t by, uint32_t person, uint32_t device)
{
	const struct people_whom whom = {person, device, "was found"};

	house_begin(house);
	return end(house, people_act_resume(house_act(house, by, by), &whom));
}

enum cdop_err
house_revoke(struct house *house, uint32_t by, uint32_t person, uint32_t device,
    bool administrator)
{
	const struct people_whom whom = {person, device, "has left"};

	house_begin(house);
	return end(house,
	    people_act_revoke(house_act(house, by, by), &whom, administrator));
}

enum cdop_err
house_invite(struct house *house, uint32_t by, const char *name,
    Cdop__Role role, uint8_t ret_invitation[static 16])
{
	const struct people_grant grant = {role, 0, UINT64_MAX};
	const struct people_change change = {
	    .name = name,
	    .all_areas_set = true,
	    .all_areas =
		role == CDOP__ROLE__COORDINATOR || role == CDOP__ROLE__PARTNER,
	    .grants_set = true,
	    .grants = &grant,
	    .n_grants = 1,
	};
	const struct invitations_device device = {"laptop", UINT64_MAX};
	const struct people_invitation *invitation;
	enum cdop_err err;

	house_begin(house);
	err = invitations_person(
	    house_act(house, by, by), &change, &device, &invitation);
	if (err == CDOP_OK)
		memcpy(ret_invitation, invitation->invitation_id, 16);
	return end(house, err);
}

enum cdop_err
house_invite_more(struct house *house, uint32_t by, uint32_t person,
    uint8_t ret_invitation[static 16])
{
	const struct invitations_device device = {"second laptop", UINT64_MAX};
	const struct people_invitation *invitation;
	enum cdop_err err;

	house_begin(house);
	err = invitations_more(
	    house_act(house, by, by), person, &device, &invitation);
	if (err == CDOP_OK)
		memcpy(ret_invitation, invitation->invitation_id, 16);
	return end(house, err);
}

enum cdop_err
house_activate(struct house *house, uint32_t by, bool pending, uint32_t device,
    const char *typed)
{
	struct people_act *act;
	bool open;

	house_begin(house);
	act = house_act(house, by, by);
	act->pending = pending;
	return end(house, people_enrol_activate(act, device, typed, &open));
}

/* ---- clients ----------------------------------------------------------- */

void
house_client(struct house *house, struct house_client *client, unsigned n,
    const uint8_t invitation[static 16])
{
	const struct people_invitation *i;

	memset(client, 0, sizeof(*client));
	memset(client->key, (int)n, sizeof(client->key));
	i = people_invitation(house->reg->people, invitation);
	assert_non_null(i);
	memcpy(client->psk, i->psk, sizeof(client->psk));
}

/* What the responder does: which of its two fits this one, or neither. */
static bool
fits(uint8_t psks[2][32], const uint8_t *psk)
{
	return memcmp(psks[0], psk, 32) == 0 || memcmp(psks[1], psk, 32) == 0;
}

static bool
handshake(struct house *house, struct house_client *client, const uint8_t *psk)
{
	uint8_t psks[2][32];
	uint32_t device;

	people_psks(
	    house->reg->people, client->key, house->now_ms, psks, &device);
	if (!fits(psks, psk))
		return false;
	cdop_secret_random(client->handshake, sizeof(client->handshake));
	people_psk_id(client->psk_id, psk);
	client->device = device;
	return true;
}

bool
house_session(struct house *house, struct house_client *client)
{
	bool turned, by_next;
	enum cdop_err err;

	client->device = 0;
	by_next = client->has_next && handshake(house, client, client->next);
	if (!by_next && !handshake(house, client, client->psk))
		return false;
	house_begin(house);
	err = people_session_opened(house->reg->people, house->arena,
	    client->device, client->psk_id, house->now_ms, &turned);
	house->act.kept = false;
	if (end(house, err) != CDOP_OK)
		return false;
	if (by_next) {
		memcpy(client->psk, client->next, sizeof(client->psk));
		client->has_next = false;
	}
	return true;
}

enum cdop_err
house_enrol(struct house *house, struct house_client *client,
    const uint8_t invitation[static 16], bool lost)
{
	uint8_t psks[2][32], client_random[32], server_random[32];
	const struct people_enrol_args args = {
	    .invitation_id = invitation,
	    .public_key = client->key,
	    .handshake = client->handshake,
	    .client_random = client_random,
	    .label = "laptop",
	};
	const uint8_t *psk;
	uint32_t device;
	enum cdop_err err;

	psk = client->psk;
	people_invitation_psks(
	    house->reg->people, invitation, house->now_ms, psks);
	if (!fits(psks, psk))
		return CDOP_UNAUTHENTICATED;
	cdop_secret_random(client->handshake, sizeof(client->handshake));
	cdop_secret_random(client_random, sizeof(client_random));
	house_begin(house);
	err = end(house,
	    people_enrol_device(
		house_act(house, 0, 0), &args, server_random, &device));
	if (err != CDOP_OK || lost)
		return err;
	cdop_link_psk_next(client->next, client->psk, client_random,
	    server_random, client->handshake);
	client->has_next = true;
	return CDOP_OK;
}

enum cdop_err
house_turn(struct house *house, struct house_client *client, bool lost)
{
	uint8_t client_random[32], server_random[32];
	const struct people_enrol_turn_args args = {
	    .psk_id = client->psk_id,
	    .handshake = client->handshake,
	    .client_random = client_random,
	};
	enum cdop_err err;

	cdop_secret_random(client_random, sizeof(client_random));
	house_begin(house);
	err = end(house,
	    people_enrol_turn(
		house_act(house, 0, client->device), &args, server_random));
	if (err != CDOP_OK || lost)
		return err;
	cdop_link_psk_next(client->next, client->psk, client_random,
	    server_random, client->handshake);
	client->has_next = true;
	return CDOP_OK;
}

void
house_string(const struct house_client *client, char out[static 20])
{
	uint8_t bytes[CDOP_COMPARE_LEN];

	cdop_compare_bytes(bytes, client->handshake);
	cdop_compare_text(out, bytes);
}

/* ---- all of it --------------------------------------------------------- */

/* By key; the session that enrolled is still the client's last. */
static uint32_t
device_of(const struct house *house, const struct house_client *client)
{
	return people_by_key(house->reg->people, client->key)->number;
}

void
house_open(struct house *house, size_t n, struct house_client *clients)
{
	char string[20];
	size_t i;

	house_make(house, n);
	for (i = 0; i < n; i++) {
		house_client(
		    house, &clients[i], (unsigned)i + 1, house->invitation[i]);
		assert_int_equal(house_enrol(house, &clients[i],
				     house->invitation[i], false),
		    CDOP_OK);
	}
	house_string(&clients[1], string);
	assert_int_equal(house_activate(house, 1, true, 2, string), CDOP_OK);
	house_string(&clients[0], string);
	assert_int_equal(house_activate(house, 2, true, 1, string), CDOP_OK);
	for (i = 2; i < n; i++) {
		house_string(&clients[i], string);
		assert_int_equal(
		    house_activate(house, 1, false, (uint32_t)i + 1, string),
		    CDOP_OK);
	}
	for (i = 0; i < n; i++)
		assert_true(house_session(house, &clients[i]));
}

uint32_t
house_add(struct house *house, unsigned n, const char *name, Cdop__Role role,
    struct house_client *ret_client)
{
	uint8_t invitation[16];
	char string[20];

	assert_int_equal(
	    house_invite(house, 1, name, role, invitation), CDOP_OK);
	house_client(house, ret_client, n, invitation);
	assert_int_equal(
	    house_enrol(house, ret_client, invitation, false), CDOP_OK);
	house_string(ret_client, string);
	assert_int_equal(house_activate(house, 2, false,
			     device_of(house, ret_client), string),
	    CDOP_OK);
	assert_true(house_session(house, ret_client));
	return people_by_key(house->reg->people, ret_client->key)->person;
}

void
house_cora(struct house *house, uint8_t ret_invitation[static 16])
{
	assert_int_equal(house_invite(house, 1, "Cora", CDOP__ROLE__COORDINATOR,
			     ret_invitation),
	    CDOP_OK);
}

void
house_two(
    struct house *house, struct house_client *one, struct house_client *two)
{
	house_make(house, 2);
	house_client(house, one, 1, house->invitation[0]);
	house_client(house, two, 2, house->invitation[1]);
	assert_int_equal(
	    house_enrol(house, one, house->invitation[0], false), CDOP_OK);
	assert_int_equal(
	    house_enrol(house, two, house->invitation[1], false), CDOP_OK);
}

uint32_t
house_roles(struct house *house, uint32_t device)
{
	struct actor actor;

	people_actor(house->reg->people, device, house->now_ms, &actor);
	return actor.roles;
}
