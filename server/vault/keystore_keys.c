/* The bytes of keys: held, in use, turned. */
#include <sodium.h>
#include <string.h>

#include "server/base/undo.h"
#include "server/vault/keystore_inner.h"
#include "server/vault/lockmem.h"

/* Given back when it is sure that the key is gone. */
void
keystore_let_go(void *ctx, uint64_t id)
{
	struct keystore *ks;
	size_t i;

	ks = ctx;
	for (i = 0; i < ks->n_held; i++)
		if (ks->held[i]->id == id)
			break;
	if (i == ks->n_held)
		return;
	lockmem_free(ks->mem, ks->held[i], sizeof(*ks->held[i]));
	ks->n_held--;
	ks->held[i] = ks->held[ks->n_held];
	ks->held[ks->n_held] = NULL;
}

static struct keystore_held *
held_of(const struct keystore *ks, uint64_t id)
{
	size_t i;

	if (id == 0)
		return ks->open ? &ks->secrets->root : NULL;
	for (i = 0; i < ks->n_held; i++)
		if (ks->held[i]->id == id)
			return ks->held[i];
	return NULL;
}

enum cdop_err
keystore_hold(struct keystore *ks, uint64_t id, const uint8_t k[static 32])
{
	struct keystore_held *held;
	enum cdop_err err;

	CDOP_ASSERT(id != 0 && held_of(ks, id) == NULL);
	if (ks->n_held == KEYSTORE_EPOCHS_MAX)
		return CDOP_RESOURCE_EXHAUSTED;
	held = lockmem_alloc(ks->mem, sizeof(*held));
	if (held == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	err = undo_call(ks->undo, keystore_let_go, ks, id);
	if (err != CDOP_OK) {
		lockmem_free(ks->mem, held, sizeof(*held));
		return err;
	}
	held->id = id;
	envelope_key_init(&held->key, k);
	ks->held[ks->n_held] = held;
	ks->n_held++;
	return CDOP_OK;
}

void
keystore_use(struct keystore *ks, uint64_t id, const uint8_t k[static 32])
{
	struct keystore_in_use *use;

	use = &ks->secrets->in_use[id % KEYSTORE_IN_USE];
	ks->secrets->used[id % KEYSTORE_IN_USE] = true;
	use->id = id;
	envelope_key_init(&use->key, k);
}

void
keystore_rest(struct keystore *ks)
{
	struct keystore_secrets *secrets = ks->secrets;
	size_t i;

	for (i = 0; i < KEYSTORE_IN_USE; i++) {
		if (secrets->used[i])
			sodium_memzero(
			    &secrets->in_use[i], sizeof(secrets->in_use[i]));
		secrets->used[i] = false;
	}
}

struct envelope_key *
keystore_key(const struct keystore *ks, uint64_t id)
{
	struct keystore_in_use *use;
	struct keystore_held *held;

	use = &ks->secrets->in_use[id % KEYSTORE_IN_USE];
	if (id != 0 && use->id == id)
		return &use->key;
	held = held_of(ks, id);
	return held == NULL ? NULL : &held->key;
}

const uint8_t *
keystore_raw(const struct keystore *ks, uint64_t id)
{
	const struct keystore_held *held;

	held = held_of(ks, id);
	return held == NULL ? NULL : held->key.raw;
}

bool
keystore_held(const struct keystore *ks, size_t i, uint64_t *ret_id)
{
	if (i >= ks->n_held)
		return false;
	*ret_id = ks->held[i]->id;
	return true;
}

static void
root_back(void *ctx, uint64_t arg)
{
	struct keystore *ks;

	(void)arg;
	ks = ctx;
	ks->secrets->root = ks->secrets->old_root;
	sodium_memzero(&ks->secrets->old_root, sizeof(ks->secrets->old_root));
}

static void
root_gone(void *ctx, uint64_t arg)
{
	struct keystore *ks;

	(void)arg;
	ks = ctx;
	sodium_memzero(&ks->secrets->old_root, sizeof(ks->secrets->old_root));
}

enum cdop_err
keystore_turn(struct keystore *ks, const uint8_t root[static 32])
{
	enum cdop_err err;

	err = undo_defer(ks->undo, root_gone, ks, 0);
	if (err == CDOP_OK)
		err = undo_call(ks->undo, root_back, ks, 0);
	if (err != CDOP_OK)
		return err;
	ks->secrets->old_root = ks->secrets->root;
	envelope_key_init(&ks->secrets->root.key, root);
	return CDOP_OK;
}
