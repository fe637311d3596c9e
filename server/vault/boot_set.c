/* The boot set as a row; see boot_set.h. */
#include "server/vault/boot_set.h"

#include <sodium.h>
#include <string.h>

#include "server/vault/envelope.h"
#include "server/vault/slots.h"

#define FORMAT   2
#define LINK_AT  8
#define ENTRY_AT (LINK_AT + 2 * 32)
#define ENTRY    72

static const char word[] = "cdop-boot/1";

static struct cdop_bytes
context(void)
{
	return (struct cdop_bytes){(const uint8_t *)word, sizeof(word) - 1};
}

enum cdop_err
boot_set_key(struct cdop_bytes file, uint8_t ret_k[static 32])
{
	uint8_t k[32];
	enum cdop_err err;

	/* The same file may not be a slot's key: then K would be the same. */
	if ((err = slots_derive_keyfile(file, k)) != CDOP_OK)
		return err;
	(void)crypto_generichash(
	    ret_k, 32, context().data, context().len, file.data, file.len);
	sodium_memzero(k, sizeof(k));
	return CDOP_OK;
}

bool
boot_set_is_row(struct cdop_bytes row)
{
	return row.len > BOOT_SET_HEAD && row.len <= BOOT_SET_ROW_MAX &&
	    row.data[0] == FORMAT && row.data[1] == SLOTS_TYPE_BOOT &&
	    sodium_is_zero(row.data + 2, 6);
}

static void
pack(const struct boot_set *set, uint8_t out[static BOOT_SET_PLAIN])
{
	const struct boot_set_entry *entry;
	uint8_t *at = out + ENTRY_AT;
	size_t i;

	memset(out, 0, BOOT_SET_PLAIN);
	out[0] = set->mode;
	out[1] = set->n_keys;
	cdop_put16(out + 2, set->n);
	memcpy(out + LINK_AT, set->link, (size_t)set->n_keys * 32);
	for (i = 0; i < set->n; i++, at += ENTRY) {
		entry = &set->entry[i];
		cdop_put32(at, entry->device);
		cdop_put32(at + 4, entry->person);
		memcpy(at + 8, entry->public_key, 32);
		memcpy(at + 40, entry->psk, 32);
	}
}

static enum cdop_err
unpack(struct cdop_bytes plain, struct boot_set *set)
{
	const uint8_t *p = plain.data, *at = p + ENTRY_AT;
	struct boot_set_entry *entry;
	size_t i;

	if (plain.len != BOOT_SET_PLAIN || p[1] == 0 || p[1] > 2 ||
	    cdop_get16(p + 2) > BOOT_SET_ENTRIES)
		return CDOP_DATA_LOSS;
	memset(set, 0, sizeof(*set));
	set->mode = p[0];
	set->n_keys = p[1];
	set->n = cdop_get16(p + 2);
	memcpy(set->link, p + LINK_AT, sizeof(set->link));
	for (i = 0; i < set->n; i++, at += ENTRY) {
		entry = &set->entry[i];
		entry->device = cdop_get32(at);
		entry->person = cdop_get32(at + 4);
		memcpy(entry->public_key, at + 8, 32);
		memcpy(entry->psk, at + 40, 32);
	}
	return CDOP_OK;
}

void
boot_set_seal(const struct boot_set *set, const uint8_t registry[static 16],
    const uint8_t k[static 32], uint8_t ret_row[static BOOT_SET_ROW_MAX],
    size_t *ret_len)
{
	uint8_t plain[BOOT_SET_PLAIN];
	size_t len = envelope_box_len(sizeof(plain));
	struct envelope_key key;

	CDOP_ASSERT(len > 0 && len <= BOOT_SET_BOX_MAX);
	memset(ret_row, 0, BOOT_SET_HEAD);
	ret_row[0] = FORMAT;
	ret_row[1] = SLOTS_TYPE_BOOT;
	memcpy(ret_row + 8, registry, ENVELOPE_REGISTRY);
	pack(set, plain);
	envelope_key_init(&key, k);
	envelope_box_seal(&key, registry, context(),
	    (struct cdop_bytes){plain, sizeof(plain)}, ret_row + BOOT_SET_HEAD);
	sodium_memzero(&key, sizeof(key));
	sodium_memzero(plain, sizeof(plain));
	*ret_len = BOOT_SET_HEAD + len;
}

enum cdop_err
boot_set_open(struct cdop_bytes row, const uint8_t registry[static 16],
    const uint8_t k[static 32], struct boot_set *ret_set)
{
	uint8_t out[BOOT_SET_BOX_MAX];
	struct cdop_bytes box, plain;
	struct envelope_key key;
	enum cdop_err err = CDOP_DATA_LOSS;

	if (!boot_set_is_row(row) ||
	    memcmp(row.data + 8, registry, ENVELOPE_REGISTRY) != 0)
		return CDOP_DATA_LOSS;
	box = (struct cdop_bytes){
	    row.data + BOOT_SET_HEAD, row.len - BOOT_SET_HEAD};
	envelope_key_init(&key, k);
	if (envelope_box_unseal(&key, registry, context(), box, out, &plain) ==
	    ENVELOPE_FINE)
		err = unpack(plain, ret_set);
	sodium_memzero(&key, sizeof(key));
	sodium_memzero(out, sizeof(out));
	return err;
}

void
boot_set_hash(const struct boot_set *set, const uint8_t k[static 32],
    uint8_t ret_hash[static 32])
{
	uint8_t plain[BOOT_SET_PLAIN];

	pack(set, plain);
	(void)crypto_generichash(ret_hash, 32, plain, sizeof(plain), k, 32);
	sodium_memzero(plain, sizeof(plain));
}
