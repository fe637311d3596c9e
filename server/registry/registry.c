/* Opening a registry: one pass over the rows, each kind to its part. */
#include "server/registry/registry.h"

#include <stdlib.h>
#include <string.h>

#include "cdop/profile.h"
#include "cdop/role.h"
#include "cdop/secret.h"
#include "server/base/undo.h"
#include "server/registry/approvals.h"
#include "server/registry/audit.h"
#include "server/registry/backups.h"
#include "server/registry/boot.h"
#include "server/registry/cases.h"
#include "server/registry/certificates.h"
#include "server/registry/checkpoints.h"
#include "server/registry/copying.h"
#include "server/registry/custody.h"
#include "server/registry/message.h"
#include "server/registry/people.h"
#include "server/registry/profile_act.h"
#include "server/registry/rotation.h"
#include "server/registry/scrub.h"
#include "server/registry/search_key.h"
#include "server/registry/statements.h"
#include "server/registry/summary.h"
#include "server/registry/tree.h"
#include "server/registry/tree_load.h"
#include "server/registry/witnesses.h"
#include "server/store/schema.h"
#include "server/vault/lockmem.h"
#include "server/vault/rows.h"
#include "server/vault/rows_scan.h"

/* One row at a time is unpacked into it. */
#define LOAD_ARENA  (16u << 20)
#define NOTICES_MAX 16

struct load {
	struct registry *reg;
	struct cdop_arena *arena;
	uint64_t now_ms;
	const char *why;
};

enum cdop_err
registry_new(struct rows *rows, struct keystore *ks, struct undo *undo,
    struct lockmem *mem, struct registry **ret_reg)
{
	struct registry *reg;
	enum cdop_err err;

	reg = calloc(1, sizeof(*reg));
	if (reg == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	reg->rows = rows;
	reg->ks = ks;
	reg->undo = undo;
	reg->mem = mem;
	memcpy(reg->id, rows_registry(rows), sizeof(reg->id));
	err = people_new(reg, &reg->people);
	if (err == CDOP_OK)
		err = approvals_new(reg, &reg->approvals);
	if (err == CDOP_OK)
		err = cases_new(reg, &reg->cases);
	if (err == CDOP_OK)
		err = audit_new(reg, &reg->audit);
	if (err == CDOP_OK)
		err = search_key_new(reg, &reg->search_key);
	if (err == CDOP_OK)
		err = witnesses_new(reg, &reg->witnesses);
	if (err == CDOP_OK)
		err = tree_new(rows, undo, &reg->tree);
	if (err == CDOP_OK)
		err = checkpoints_new(reg, &reg->checkpoints);
	if (err == CDOP_OK)
		err = custody_new(reg, &reg->custody);
	if (err == CDOP_OK)
		err = scrub_new(reg, &reg->scrub);
	if (err == CDOP_OK)
		err = copying_new(reg, &reg->copying);
	if (err == CDOP_OK)
		err = rotation_new(reg, &reg->rotation);
	if (err == CDOP_OK)
		err = backups_new(reg, &reg->backups);
	if (err == CDOP_OK)
		err = certificates_new(reg, &reg->certificates);
	if (err != CDOP_OK) {
		registry_free(reg);
		return err;
	}
	*ret_reg = reg;
	return CDOP_OK;
}

static void
free_notices(char **notice, size_t n)
{
	size_t i;

	for (i = 0; notice != NULL && i < n; i++)
		free(notice[i]);
	free(notice);
}

void
registry_free(struct registry *reg)
{
	if (reg == NULL)
		return;
	certificates_free(reg->certificates);
	backups_free(reg->backups);
	copying_free(reg->copying);
	rotation_free(reg->rotation);
	scrub_free(reg->scrub);
	custody_free(reg->custody);
	boot_free(reg->boot);
	checkpoints_free(reg->checkpoints);
	tree_free(reg->tree);
	witnesses_free(reg->witnesses);
	search_key_free(reg->search_key);
	audit_free(reg->audit);
	cases_free(reg->cases);
	approvals_free(reg->approvals);
	people_free(reg->people);
	cdop_arena_free(reg->profile_arena);
	free(reg->profile_row);
	lockmem_free(reg->mem, reg->link_secret, 32);
	lockmem_free(reg->mem, reg->link_secret_next, 32);
	lockmem_free(reg->mem, reg->log_seed, 32);
	statements_free(reg->statements);
	free_notices(reg->notice, reg->n_notice);
	free(reg);
}

static void
free_secret(void *mem, uint64_t p)
{
	lockmem_free(mem, (void *)(uintptr_t)p, 32);
}

/* p stands in *slot from now on; what stood there goes with the commit. */
static enum cdop_err
swap_secret(struct registry *reg, uint8_t **slot, uint8_t *p)
{
	struct undo *undo = reg->undo;
	enum cdop_err err;

	err = undo_call(undo, free_secret, reg->mem, (uintptr_t)p);
	if (err != CDOP_OK) {
		lockmem_free(reg->mem, p, 32);
		return err;
	}
	if ((err = undo_save(undo, slot, sizeof(*slot))) == CDOP_OK)
		err = undo_defer(undo, free_secret, reg->mem, (uintptr_t)*slot);
	if (err == CDOP_OK)
		*slot = p;
	return err;
}

static enum cdop_err
take_secret(
    struct registry *reg, uint8_t **slot, const ProtobufCBinaryData *data)
{
	uint8_t *p = NULL;

	if (data != NULL && data->len != 32)
		return CDOP_DATA_LOSS;
	if (data == NULL && *slot == NULL)
		return CDOP_OK;
	if (data != NULL && *slot != NULL &&
	    cdop_secret_equal(*slot, data->data, 32))
		return CDOP_OK;
	if (data != NULL) {
		if ((p = lockmem_alloc(reg->mem, 32)) == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
		memcpy(p, data->data, 32);
	}
	return swap_secret(reg, slot, p);
}

/* Every handshake and every Welcome wants them. */
static enum cdop_err
take_link_publics(struct registry *reg)
{
	enum cdop_err err;

	err = undo_save(reg->undo, reg->link_public, sizeof(reg->link_public));
	if (err != CDOP_OK)
		return err;
	memset(reg->link_public, 0, sizeof(reg->link_public));
	cdop_secret_public(reg->link_public[0], reg->link_secret);
	if (reg->link_secret_next != NULL)
		cdop_secret_public(reg->link_public[1], reg->link_secret_next);
	return CDOP_OK;
}

static enum cdop_err
take_notices(struct registry *reg, const Cdop__StoredConfig *config)
{
	char **notice;
	size_t i, n = config->n_notice;

	if (n > NOTICES_MAX)
		n = NOTICES_MAX;
	notice = calloc(n + 1, sizeof(*notice));
	if (notice == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < n; i++) {
		notice[i] = strdup(config->notice[i]);
		if (notice[i] == NULL) {
			free_notices(notice, i);
			return CDOP_RESOURCE_EXHAUSTED;
		}
	}
	free_notices(reg->notice, reg->n_notice);
	reg->notice = notice;
	reg->n_notice = n;
	return CDOP_OK;
}

/*
 * Takes what CONFIG says: at a load, and after it was put.  The link keys
 * go to locked memory.
 */
static enum cdop_err
take_config(struct registry *reg, const Cdop__StoredConfig *config)
{
	enum cdop_err err;

	if (config->registry_id.len != sizeof(reg->id) ||
	    memcmp(config->registry_id.data, reg->id, sizeof(reg->id)) != 0)
		return CDOP_DATA_LOSS;
	if (config->mode != CDOP__MODE__LIVE &&
	    config->mode != CDOP__MODE__TRAINING)
		return CDOP_DATA_LOSS;
	reg->mode = config->mode == CDOP__MODE__LIVE ? REGISTRY_LIVE
						     : REGISTRY_TRAINING;
	reg->state = config->state == CDOP__STATE__SETUP ? CDOP_STATE_SETUP
	    : config->state == CDOP__STATE__RESTORED     ? CDOP_STATE_RESTORED
							 : CDOP_STATE_OPEN;
	reg->degraded = config->has_degraded && config->degraded;
	reg->created_ms = config->created_ms;
	reg->search_quarter = config->search_quarter;
	reg->search_swept = config->search_swept;
	reg->search_forgot_ms = config->search_forgot_ms;
	reg->link_next_ms = config->link_next_ms;
	reg->link_made_ms = config->link_made_ms;
	reg->log_made_ms = config->log_made_ms;
	err = take_secret(reg, &reg->link_secret, &config->link_secret);
	if (err == CDOP_OK)
		err = take_secret(reg, &reg->link_secret_next,
		    config->has_link_secret_next ? &config->link_secret_next
						 : NULL);
	if (err == CDOP_OK)
		err = take_link_publics(reg);
	if (err == CDOP_OK)
		err = take_secret(reg, &reg->log_seed, &config->log_seed);
	if (err == CDOP_OK)
		err = statements_take(reg, config);
	if (err != CDOP_OK)
		return err;
	return take_notices(reg, config);
}

/* ---- the scan ---------------------------------------------------------- */

static enum cdop_err
load_message(struct load *load, struct rows_item *item,
    const ProtobufCMessageDescriptor *desc, void **ret_message)
{
	struct cdop_bytes data;
	enum cdop_err err;

	if ((err = rows_item_open(item, load->arena, &data)) != CDOP_OK)
		return err;
	*ret_message = protobuf_c_message_unpack(
	    desc, cdop_arena_allocator(load->arena), data.len, data.data);
	return *ret_message == NULL ? CDOP_DATA_LOSS : CDOP_OK;
}

/* Kind to message type; NULL: known by its head alone. */
static const ProtobufCMessageDescriptor *
message_of(uint8_t kind)
{
	switch (kind) {
	case SCHEMA_KIND_CONFIG:
		return &cdop__stored_config__descriptor;
	case SCHEMA_KIND_PROFILE:
		return &cdop__stored_profile__descriptor;
	case SCHEMA_KIND_PERSON:
		return &cdop__stored_person__descriptor;
	case SCHEMA_KIND_CREDENTIAL:
		return &cdop__stored_credential__descriptor;
	case SCHEMA_KIND_INVITATION:
		return &cdop__stored_invitation__descriptor;
	case SCHEMA_KIND_APPROVAL:
		return &cdop__stored_approval__descriptor;
	case SCHEMA_KIND_SUMMARY:
		return &cdop__stored_summary__descriptor;
	case SCHEMA_KIND_WITNESS:
		return &cdop__stored_witness__descriptor;
	case SCHEMA_KIND_ROTATION:
		return &cdop__stored_rotation__descriptor;
	case SCHEMA_KIND_CUSTODY:
		return &cdop__stored_custody__descriptor;
	case SCHEMA_KIND_BACKUP:
		return &cdop__stored_backup__descriptor;
	case SCHEMA_KIND_CERTIFICATE:
		return &cdop__stored_certificate__descriptor;
	default:
		return NULL;
	}
}

static enum cdop_err
load_row(struct load *load, const struct rows_head *head, const void *message)
{
	struct registry *reg = load->reg;

	switch (head->kind) {
	case SCHEMA_KIND_CONFIG:
		reg->config_row = head->number;
		return take_config(reg, message);
	case SCHEMA_KIND_PROFILE:
		return profile_act_load(reg, head->number, message);
	case SCHEMA_KIND_PERSON:
		return people_load_person(reg->people, head->number, message);
	case SCHEMA_KIND_CREDENTIAL:
		return people_load_credential(
		    reg->people, head->number, message);
	case SCHEMA_KIND_INVITATION:
		return people_load_invitation(
		    reg->people, head->number, message);
	case SCHEMA_KIND_APPROVAL:
		return approvals_load(reg->approvals, head->number, message);
	case SCHEMA_KIND_WITNESS:
		return witnesses_load(reg->witnesses, head->number, message);
	case SCHEMA_KIND_ROTATION:
		return rotation_load(reg->rotation, head->number, message);
	case SCHEMA_KIND_CUSTODY:
		return custody_load(reg->custody, head->number, message);
	case SCHEMA_KIND_BACKUP:
		return backups_load(reg->backups, head->number, message);
	case SCHEMA_KIND_CERTIFICATE:
		return certificates_load(
		    reg->certificates, head->number, message);
	case SCHEMA_KIND_SUMMARY:
		return cases_load_summary(reg->cases, head, message);
	default:
		return cases_load_head(reg->cases, head);
	}
}

/* The newest schema that this program writes of a kind. */
static uint8_t
newest_schema(uint8_t kind)
{
	return kind == SCHEMA_KIND_SUMMARY ? SUMMARY_SCHEMA : 1;
}

static enum cdop_err
scan_row(void *ctx, const struct rows_head *head, struct rows_item *item)
{
	const ProtobufCMessageDescriptor *desc = message_of(head->kind);
	struct load *load = ctx;
	void *message = NULL;
	enum cdop_err err;

	/* What it does not know it would lose with the next change. */
	if (head->schema > newest_schema(head->kind)) {
		load->why = "a newer cdopd wrote a row here: start that one";
		return CDOP_DATA_LOSS;
	}
	cdop_arena_reset(load->arena);
	if (desc != NULL) {
		err = load_message(load, item, desc, &message);
		if (err != CDOP_OK)
			return err;
	}
	err = load_row(load, head, message);
	if (err == CDOP_DATA_LOSS)
		load->why = "a row does not fit the others";
	return err;
}

static enum cdop_err
scan_leaf(void *ctx, const struct rows_head *head, struct rows_item *item,
    bool *ret_stop)
{
	struct load *load = ctx;
	struct cdop_bytes data;
	bool more = true;
	enum cdop_err err;

	if (head->kind != SCHEMA_KIND_LEAF)
		return CDOP_OK;
	cdop_arena_reset(load->arena);
	if ((err = rows_item_open(item, load->arena, &data)) != CDOP_OK)
		return err;
	err = audit_load_leaf(
	    load->reg->audit, load->now_ms, data, load->arena, &more);
	if (err == CDOP_DATA_LOSS)
		load->why = "a log row is not a leaf";
	*ret_stop = !more;
	return err;
}

static enum cdop_err
load_all(struct load *load)
{
	struct registry *reg = load->reg;
	enum cdop_err err;

	if ((err = rows_scan(reg->rows, scan_row, load)) != CDOP_OK)
		return err;
	if (reg->config_row == 0 && rows_next_leaf(reg->rows) == 0) {
		load->why = "nothing was ever registered here: init was cut "
			    "off";
		return CDOP_NOT_FOUND;
	}
	if (reg->config_row == 0 || reg->profile == NULL) {
		load->why = "configuration or profile is missing";
		return CDOP_DATA_LOSS;
	}
	if ((err = people_loaded(reg->people)) != CDOP_OK) {
		load->why = "people, devices and invitations do not fit";
		return err;
	}
	if ((err = cases_loaded(reg->cases)) != CDOP_OK) {
		load->why = "a case without its rows";
		return err;
	}
	err = rows_scan_log(reg->rows, 0, scan_leaf, load);
	if (err == CDOP_OK)
		err = tree_load(reg, load->arena, &load->why);
	if (err == CDOP_OK)
		err = checkpoints_set(reg->checkpoints);
	return err;
}

enum cdop_err
registry_load(struct registry *reg, uint64_t now_ms, const char **ret_why)
{
	struct load load = {.reg = reg, .now_ms = now_ms};
	enum cdop_err err;

	if ((err = cdop_arena_new(LOAD_ARENA, &load.arena)) != CDOP_OK)
		return err;
	err = load_all(&load);
	cdop_arena_free(load.arena);
	*ret_why = "";
	if (err == CDOP_DATA_LOSS || err == CDOP_NOT_FOUND)
		*ret_why =
		    load.why != NULL ? load.why : rows_finding(reg->rows);
	if (err == CDOP_OK)
		reg->open_since_ms = now_ms;
	return err;
}

enum cdop_err
registry_commit(struct registry *reg)
{
	enum cdop_err err = CDOP_OK;

	if (reg->boot != NULL)
		err = boot_renew(reg->boot, reg->batch_ms);
	if (err == CDOP_OK && (err = tree_seal(reg->tree)) == CDOP_OK)
		err = checkpoints_set(reg->checkpoints);
	if (err != CDOP_OK)
		rows_abort(reg->rows);
	else
		err = rows_commit(reg->rows);
	if (err == CDOP_OK)
		undo_commit(reg->undo);
	else
		undo_rollback(reg->undo);
	return err;
}

enum cdop_err
registry_begin(struct registry *reg, size_t bytes, size_t changes)
{
	enum cdop_err err;

	undo_begin(reg->undo);
	err = rows_begin(reg->rows, bytes, changes);
	if (err != CDOP_OK)
		undo_rollback(reg->undo);
	return err;
}

enum cdop_err
registry_end(struct registry *reg, enum cdop_err err)
{
	if (err == CDOP_OK)
		return registry_commit(reg);
	rows_abort(reg->rows);
	undo_rollback(reg->undo);
	return err;
}

/* ---- changing the configuration ---------------------------------------- */

enum cdop_err
registry_edit_config(struct registry *reg, struct cdop_arena *arena,
    Cdop__StoredConfig **ret_config)
{
	struct cdop_bytes data;
	enum cdop_err err;

	err = rows_get(reg->rows, reg->config_row, arena, NULL, &data);
	if (err != CDOP_OK)
		return err;
	*ret_config = cdop__stored_config__unpack(
	    cdop_arena_allocator(arena), data.len, data.data);
	return *ret_config == NULL ? CDOP_DATA_LOSS : CDOP_OK;
}

enum cdop_err
registry_put_config(struct registry *reg, struct cdop_arena *arena,
    const Cdop__StoredConfig *config)
{
	const struct rows_new row = {
	    .kind = SCHEMA_KIND_CONFIG,
	    .schema = 1,
	    .version = 1,
	};
	uint64_t number;
	enum cdop_err err;

	err = message_put(
	    reg->rows, arena, &row, reg->config_row, &config->base, &number);
	if (err != CDOP_OK)
		return err;
	err = undo_save(reg->undo, &reg->config_row, sizeof(reg->config_row));
	if (err == CDOP_OK)
		err = undo_save(reg->undo, &reg->state, sizeof(reg->state));
	if (err == CDOP_OK)
		err = undo_save(reg->undo, &reg->search_quarter,
		    sizeof(reg->search_quarter));
	if (err == CDOP_OK)
		err = undo_save(
		    reg->undo, &reg->search_swept, sizeof(reg->search_swept));
	if (err == CDOP_OK)
		err = undo_save(reg->undo, &reg->search_forgot_ms,
		    sizeof(reg->search_forgot_ms));
	if (err == CDOP_OK)
		err = undo_save(
		    reg->undo, &reg->link_next_ms, sizeof(reg->link_next_ms));
	if (err == CDOP_OK)
		err = undo_save(
		    reg->undo, &reg->link_made_ms, sizeof(reg->link_made_ms));
	if (err == CDOP_OK)
		err = undo_save(
		    reg->undo, &reg->log_made_ms, sizeof(reg->log_made_ms));
	if (err != CDOP_OK)
		return err;
	reg->config_row = number;
	return take_config(reg, config);
}

Cdop__State
registry_state(const struct registry *reg)
{
	switch (reg->state) {
	case CDOP_STATE_SETUP:
		return CDOP__STATE__SETUP;
	case CDOP_STATE_RESTORED:
		return CDOP__STATE__RESTORED;
	case CDOP_STATE_OPEN:
		return CDOP__STATE__OPEN;
	default:
		return CDOP__STATE__SEALED;
	}
}

const char *
registry_state_name(uint32_t state)
{
	switch (state) {
	case CDOP_STATE_SETUP:
		return "setup";
	case CDOP_STATE_SEALED:
		return "sealed";
	case CDOP_STATE_RESTORED:
		return "restored";
	case CDOP_STATE_OPEN:
		return "open";
	default:
		return "unknown";
	}
}
