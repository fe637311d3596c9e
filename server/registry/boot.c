/* The boot set, renewed; see boot.h. */
#include "server/registry/boot.h"

#include <stdlib.h>
#include <string.h>

#include "cdop/link.h"
#include "cdop/role.h"
#include "cdop/secret.h"
#include "server/base/undo.h"
#include "server/registry/people.h"
#include "server/registry/people_rule.h"
#include "server/vault/boot_set.h"
#include "server/vault/lockmem.h"
#include "server/vault/rows_slots.h"

/* In locked memory. */
struct boot_secret {
	uint8_t k[32];
	struct boot_set set; /* as it is to be */
};

struct boot {
	struct registry *reg;
	struct boot_secret *secret; /* NULL: there is no boot key */
	uint8_t hash[32];           /* of the set in the row */
	unsigned left_out;
};

enum cdop_err
boot_new(struct registry *reg, const uint8_t *k, struct boot **ret_boot)
{
	struct boot *boot = calloc(1, sizeof(*boot));
	struct cdop_bytes row = rows_slots_boot(reg->rows);

	if (boot == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	boot->reg = reg;
	if (k != NULL) {
		boot->secret = lockmem_alloc(reg->mem, sizeof(*boot->secret));
		if (boot->secret == NULL) {
			free(boot);
			return CDOP_RESOURCE_EXHAUSTED;
		}
		memcpy(boot->secret->k, k, 32);
		/* One that does not open is written anew. */
		if (row.len > 0 &&
		    boot_set_open(row, reg->id, k, &boot->secret->set) ==
			CDOP_OK)
			boot_set_hash(&boot->secret->set, k, boot->hash);
	}
	*ret_boot = boot;
	return CDOP_OK;
}

void
boot_free(struct boot *boot)
{
	if (boot == NULL)
		return;
	if (boot->secret != NULL)
		lockmem_free(
		    boot->reg->mem, boot->secret, sizeof(*boot->secret));
	free(boot);
}

static void
add(struct boot *boot, const struct people_device *device,
    const uint8_t psk[static 32])
{
	struct boot_set *set = &boot->secret->set;
	struct boot_set_entry *entry;

	if (set->n == BOOT_SET_ENTRIES) {
		boot->left_out++;
		return;
	}
	entry = &set->entry[set->n++];
	entry->device = device->number;
	entry->person = device->person;
	memcpy(entry->public_key, device->public_key, 32);
	cdop_link_boot_psk(entry->psk, psk);
}

static void
fill(struct boot *boot, uint64_t now_ms)
{
	const struct registry *reg = boot->reg;
	struct boot_set *set = &boot->secret->set;
	const struct people_device *device;
	uint32_t i;

	boot->left_out = 0;
	memset(set, 0, sizeof(*set));
	set->mode = (uint8_t)reg->mode;
	set->n_keys = reg->link_secret_next != NULL ? 2 : 1;
	memcpy(set->link[0], reg->link_secret, 32);
	if (reg->link_secret_next != NULL)
		memcpy(set->link[1], reg->link_secret_next, 32);
	for (i = 1; i <= people_last_device(reg->people); i++) {
		device = people_device(reg->people, i);
		if ((people_rule_roles(reg->people, device, now_ms) &
			CDOP_ROLE_CUSTODIAN) == 0)
			continue;
		add(boot, device, device->psk);
		if (device->has_next)
			add(boot, device, device->psk_next);
	}
}

enum cdop_err
boot_renew(struct boot *boot, uint64_t now_ms)
{
	uint8_t hash[32], row[BOOT_SET_ROW_MAX];
	struct registry *reg = boot->reg;
	enum cdop_err err;
	size_t len;

	if (boot->secret == NULL)
		return rows_slots_put_boot(
		    reg->rows, (struct cdop_bytes){NULL, 0});
	fill(boot, now_ms);
	boot_set_hash(&boot->secret->set, boot->secret->k, hash);
	if (memcmp(hash, boot->hash, sizeof(hash)) == 0)
		return CDOP_OK;
	boot_set_seal(&boot->secret->set, reg->id, boot->secret->k, row, &len);
	err = undo_save(reg->undo, boot->hash, sizeof(boot->hash));
	if (err == CDOP_OK)
		err = rows_slots_put_boot(
		    reg->rows, (struct cdop_bytes){row, len});
	if (err == CDOP_OK)
		memcpy(boot->hash, hash, sizeof(hash));
	return err;
}

unsigned
boot_left_out(const struct boot *boot)
{
	return boot == NULL ? 0 : boot->left_out;
}
