/* Welcome, from what the registry is at this moment. */
#include "server/cycle/welcome.h"

#include "cdop/profile.h"
#include "cdop/role.h"
#include "cdop/version.h"
#include "registry.pb-c.h"
#include "server/registry/actor.h"
#include "server/registry/registry.h"
#include "server/vault/rows.h"

enum cdop_err
welcome_pack(struct registry *reg, struct cdop_arena *arena,
    const struct actor *actor, uint64_t now_ms, struct cdop_bytes *ret_message)
{
	Cdop__Welcome welcome;
	uint8_t *data;

	cdop__welcome__init(&welcome);
	welcome.schema_level = WELCOME_SCHEMA_LEVEL;
	welcome.server = cdop_arena_strdup(arena, "cdopd " CDOP_VERSION);
	welcome.registry_id.data = reg->id;
	welcome.registry_id.len = sizeof(reg->id);
	welcome.mode = reg->mode == REGISTRY_LIVE ? CDOP__MODE__LIVE
						  : CDOP__MODE__TRAINING;
	welcome.state = registry_state(reg);
	welcome.now_ms = now_ms;
	welcome.panel = cdop_arena_strdup(arena, reg->profile->panel_name);
	welcome.profile_hash.data = reg->profile_hash;
	welcome.profile_hash.len = sizeof(reg->profile_hash);
	welcome.has_credential_pending = true;
	welcome.credential_pending = (actor->roles & CDOP_ROLE_PENDING) != 0;
	welcome.has_incarnation = true;
	welcome.incarnation = rows_incarnation(reg->rows);
	welcome.notice = reg->notice;
	welcome.n_notice = reg->n_notice;
	if (welcome.server == NULL || welcome.panel == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	data =
	    cdop_arena_alloc(arena, cdop__welcome__get_packed_size(&welcome));
	if (data == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	ret_message->len = cdop__welcome__pack(&welcome, data);
	ret_message->data = data;
	return CDOP_OK;
}
