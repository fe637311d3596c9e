/* The link key: made, known, turned; see link_key.h. */
#include "server/registry/link_key.h"

#include <string.h>

#include "cdop/secret.h"
#include "server/registry/people_row.h"

size_t
link_key_publics(const struct registry *reg, uint8_t out[static 2][32])
{
	memcpy(out, reg->link_public, sizeof(reg->link_public));
	return reg->link_secret_next == NULL ? 1 : 2;
}

enum cdop_err
link_key_fill(const struct registry *reg, struct cdop_arena *arena,
    size_t *ret_n, ProtobufCBinaryData **ret_keys)
{
	uint8_t(*key)[32] = cdop_arena_calloc(arena, 2, sizeof(*key));
	ProtobufCBinaryData *keys = cdop_arena_calloc(arena, 2, sizeof(*keys));
	size_t i;

	if (key == NULL || keys == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	*ret_n = link_key_publics(reg, key);
	for (i = 0; i < *ret_n; i++)
		keys[i] = (ProtobufCBinaryData){sizeof(key[i]), key[i]};
	*ret_keys = keys;
	return CDOP_OK;
}

void
link_key_target(const struct registry *reg, uint8_t out[static 32])
{
	uint8_t key[2][32];
	struct cdop_bytes part = {key[0], link_key_publics(reg, key) * 32};

	cdop_secret_hash(out, 32, NULL, "cdop-target/1 link", &part, 1);
}

/* ---- turning it --------------------------------------------------------- */

enum cdop_err
link_key_make(struct registry *reg, struct cdop_arena *arena, uint64_t now_ms)
{
	Cdop__StoredConfig *config;
	uint8_t *secret;
	enum cdop_err err;

	if (reg->link_secret_next != NULL)
		return CDOP_FAILED_PRECONDITION;
	err = registry_edit_config(reg, arena, &config);
	if (err != CDOP_OK)
		return err;
	/* The arena is wiped. */
	if ((secret = cdop_arena_alloc(arena, CDOP_KEY_LEN)) == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop_secret_hedged(secret, reg->link_secret, "cdop-key/1 link",
	    (struct cdop_bytes){reg->id, sizeof(reg->id)});
	config->has_link_secret_next = true;
	config->link_secret_next = (ProtobufCBinaryData){CDOP_KEY_LEN, secret};
	config->has_link_next_ms = true;
	config->link_next_ms = now_ms;
	return registry_put_config(reg, arena, config);
}

enum cdop_err
link_key_turn(struct registry *reg, struct cdop_arena *arena)
{
	Cdop__StoredConfig *config;
	enum cdop_err err;

	if (reg->link_secret_next == NULL)
		return CDOP_FAILED_PRECONDITION;
	err = registry_edit_config(reg, arena, &config);
	if (err != CDOP_OK)
		return err;
	config->link_secret = config->link_secret_next;
	config->has_link_made_ms = config->has_link_next_ms;
	config->link_made_ms = config->link_next_ms;
	config->has_link_secret_next = false;
	config->has_link_next_ms = false;
	return registry_put_config(reg, arena, config);
}

/* ---- who knows it ------------------------------------------------------- */

static bool
knows_next(const struct registry *reg, const uint8_t id[static LINK_KEY_ID])
{
	uint8_t key[2][32];

	return link_key_publics(reg, key) == 2 &&
	    memcmp(key[1], id, LINK_KEY_ID) == 0;
}

enum cdop_err
link_key_known(struct registry *reg, struct cdop_arena *arena, uint32_t device,
    const uint8_t key[static 32])
{
	const struct people_device *was = people_device(reg->people, device);
	struct people_device *d;
	enum cdop_err err;

	if (was == NULL || !knows_next(reg, key) ||
	    knows_next(reg, was->server_key))
		return CDOP_OK;
	if ((err = people_edit_device(reg->people, device, &d)) != CDOP_OK)
		return err;
	memcpy(d->server_key, key, sizeof(d->server_key));
	return people_row_put_device(reg, arena, d);
}

bool
link_key_waits_for(const struct registry *reg,
    const struct people_device *device, uint64_t now_ms)
{
	if (device->state == CDOP__CREDENTIAL_STATE__CREDENTIAL_REVOKED ||
	    device->state == CDOP__CREDENTIAL_STATE__CREDENTIAL_FLAGGED)
		return false;
	return device->expires_ms > now_ms &&
	    !knows_next(reg, device->server_key);
}
