/* Welcome, from what the registry is at this moment. */
#include "server/cycle/welcome.h"

#include <string.h>

#include "cdop/profile.h"
#include "cdop/role.h"
#include "cdop/version.h"
#include "registry.pb-c.h"
#include "server/base/log.h"
#include "server/cycle/refused.h"
#include "server/registry/checkpoints.h"
#include "server/registry/link_key.h"
#include "server/registry/registry.h"
#include "server/registry/statements.h"
#include "server/registry/tree.h"
#include "server/vault/rows.h"

/* That the log the client has seen is the beginning of this one. */
static enum cdop_err
prove(struct registry *reg, struct cdop_arena *arena, uint64_t seen_size,
    ProtobufCBinaryData **ret_hash, size_t *ret_n)
{
	struct cdop_merkle_proof *proof;
	uint64_t size = checkpoints_size(reg->checkpoints);
	ProtobufCBinaryData *hash;
	enum cdop_err err;
	size_t i;

	if (seen_size == 0 || seen_size >= size)
		return CDOP_OK;
	proof = cdop_arena_alloc(arena, sizeof(*proof));
	if (proof == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	err = cdop_merkle_prove_consistency(
	    seen_size, size, tree_fetch, reg->tree, proof);
	/* To a client a damaged log and a forked one are the same. */
	if (err == CDOP_DATA_LOSS) {
		log_error("log.damaged", "finding=%s next=%s",
		    rows_finding(reg->rows), REFUSED_NEXT_VERIFY);
		return CDOP_OK;
	}
	if (err != CDOP_OK)
		return err;
	hash = cdop_arena_calloc(arena, proof->n, sizeof(*hash));
	if (hash == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < proof->n; i++)
		hash[i] =
		    (ProtobufCBinaryData){CDOP_MERKLE_HASH, proof->hash[i]};
	*ret_hash = hash;
	*ret_n = proof->n;
	return CDOP_OK;
}

static enum cdop_err
fill_checkpoint(struct registry *reg, struct cdop_arena *arena,
    const struct welcome_to *to, Cdop__Welcome *welcome)
{
	struct cdop_bytes note = checkpoints_note(reg->checkpoints);
	uint8_t *data;
	enum cdop_err err;

	data = cdop_arena_alloc(arena, note.len + CDOP_NOTE_PUBLIC_LEN);
	if (data == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	memcpy(data, note.data, note.len);
	memcpy(data + note.len, checkpoints_key(reg->checkpoints),
	    CDOP_NOTE_PUBLIC_LEN);
	welcome->has_checkpoint = true;
	welcome->checkpoint = (ProtobufCBinaryData){note.len, data};
	welcome->has_checkpoint_key = true;
	welcome->checkpoint_key =
	    (ProtobufCBinaryData){CDOP_NOTE_PUBLIC_LEN, data + note.len};
	err = prove(reg, arena, to->seen_size, &welcome->consistency,
	    &welcome->n_consistency);
	if (err != CDOP_OK)
		return err;
	return prove(reg, arena, to->receipt_size,
	    &welcome->receipt_consistency, &welcome->n_receipt_consistency);
}

/* Those that the client has not followed yet, by its own count. */
static enum cdop_err
fill_statements(struct registry *reg, struct cdop_arena *arena,
    uint32_t seen_statements, Cdop__Welcome *welcome)
{
	const struct statements *all = reg->statements;
	size_t i, first = seen_statements;

	if (first >= all->n)
		return CDOP_OK;
	welcome->statement = cdop_arena_calloc(
	    arena, all->n - first, sizeof(*welcome->statement));
	if (welcome->statement == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = first; i < all->n; i++)
		welcome->statement[welcome->n_statement++] =
		    (ProtobufCBinaryData){all->note[i].len,
			(uint8_t *)(uintptr_t)all->note[i].data};
	return CDOP_OK;
}

enum cdop_err
welcome_pack(struct registry *reg, struct cdop_arena *arena,
    const struct welcome_to *to, struct cdop_bytes *ret_message)
{
	Cdop__Welcome welcome;
	uint8_t *data;
	enum cdop_err err;

	cdop__welcome__init(&welcome);
	welcome.schema_level = WELCOME_SCHEMA_LEVEL;
	welcome.server = cdop_arena_strdup(arena, "cdopd " CDOP_VERSION);
	welcome.registry_id.data = reg->id;
	welcome.registry_id.len = sizeof(reg->id);
	welcome.mode = reg->mode == REGISTRY_LIVE ? CDOP__MODE__LIVE
						  : CDOP__MODE__TRAINING;
	welcome.state = registry_state(reg);
	welcome.now_ms = to->now_ms;
	welcome.panel = cdop_arena_strdup(arena, reg->profile->panel_name);
	welcome.profile_hash.data = reg->profile_hash;
	welcome.profile_hash.len = sizeof(reg->profile_hash);
	welcome.has_credential_pending = true;
	welcome.credential_pending = to->pending;
	welcome.has_incarnation = true;
	welcome.incarnation = rows_incarnation(reg->rows);
	welcome.notice = reg->notice;
	welcome.n_notice = reg->n_notice;
	if (welcome.server == NULL || welcome.panel == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	err = link_key_fill(
	    reg, arena, &welcome.n_server_key, &welcome.server_key);
	if (err == CDOP_OK)
		err =
		    fill_statements(reg, arena, to->seen_statements, &welcome);
	/* Until it is accepted nobody is told what the log is. */
	if (err == CDOP_OK && reg->state != CDOP_STATE_RESTORED)
		err = fill_checkpoint(reg, arena, to, &welcome);
	if (err != CDOP_OK)
		return err;
	data =
	    cdop_arena_alloc(arena, cdop__welcome__get_packed_size(&welcome));
	if (data == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	ret_message->len = cdop__welcome__pack(&welcome, data);
	ret_message->data = data;
	return CDOP_OK;
}
