/* The rows of format 2. */
#include "server/vault/slots.h"

#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#include "cdop/text.h"
#include "server/vault/envelope.h"

#define FORMAT   2
#define KDF_AT   24
#define LABEL_AT 48
#define SLOT_TOP 88 /* bytes before the first Wrap */
#define RING_TOP 24
#define IN_USE   1

/* The ordinal of each Wrap in its row; part of its label. */
enum {
	K_S = 0,
	S_ROOT = 1,
	ROOT_S = 2,
	ROOT_HEADER = 0,
	ROOT_DIGEST = 1,
};

static void
wrap(uint8_t *row, size_t top, uint8_t ordinal,
    const uint8_t key[static ENVELOPE_KEY],
    const uint8_t x[static ENVELOPE_KEY])
{
	uint8_t label[SLOT_TOP + 1];
	struct envelope_key ek;

	memcpy(label, row, top);
	label[top] = ordinal;
	envelope_key_init(&ek, key);
	envelope_wrap(&ek, row + 8, (struct cdop_bytes){label, top + 1}, x,
	    row + top + (size_t)ordinal * ENVELOPE_WRAP);
	sodium_memzero(&ek, sizeof(ek));
}

static enum cdop_err
unwrap(const uint8_t *row, size_t top, uint8_t ordinal,
    const uint8_t key[static ENVELOPE_KEY], uint8_t ret_x[static ENVELOPE_KEY])
{
	uint8_t label[SLOT_TOP + 1];
	struct envelope_key ek;
	enum cdop_err err;

	memcpy(label, row, top);
	label[top] = ordinal;
	envelope_key_init(&ek, key);
	err = envelope_unwrap(&ek, row + 8, (struct cdop_bytes){label, top + 1},
	    row + top + (size_t)ordinal * ENVELOPE_WRAP, ret_x);
	sodium_memzero(&ek, sizeof(ek));
	return err;
}

static bool
kdf_is_bounded(const struct slots_kdf *kdf)
{
	return kdf->passes >= crypto_pwhash_argon2id_OPSLIMIT_MIN &&
	    kdf->passes <= SLOTS_PASSES_MAX &&
	    kdf->memory_kib >= SLOTS_MEMORY_MIN &&
	    kdf->memory_kib <= SLOTS_MEMORY_MAX;
}

enum cdop_err
slots_kdf_new(uint32_t passes, uint32_t memory_kib, struct slots_kdf *ret_kdf)
{
	struct slots_kdf kdf = {.passes = passes, .memory_kib = memory_kib};

	if (!kdf_is_bounded(&kdf))
		return CDOP_INVALID_ARGUMENT;
	randombytes_buf(kdf.salt, sizeof(kdf.salt));
	*ret_kdf = kdf;
	return CDOP_OK;
}

/* Text up to its zeros, and nothing but zeros behind. */
static bool
label_is_good(const uint8_t *label)
{
	size_t len, i;

	len = strnlen((const char *)label, SLOTS_LABEL);
	if (!sodium_is_zero(label + len, SLOTS_LABEL - len))
		return false;
	for (i = 0; i < len; i++)
		if (label[i] < 0x20 || label[i] == 0x7f)
			return false;
	return len > 0;
}

const char *
slots_shown(const char *label, char out[static SLOTS_LABEL + 1])
{
	memset(out, 0, SLOTS_LABEL + 1);
	memcpy(out, label, strnlen(label, SLOTS_LABEL));
	cdop_text_mend(out);
	return out;
}

const char *
slots_kind_name(uint8_t kind)
{
	static const char *const names[] = {
	    "unknown", "key file", "passphrase", "credential", "shares"};

	return names[kind < sizeof(names) / sizeof(names[0]) ? kind : 0];
}

bool
slots_kind_is_file(uint8_t kind)
{
	return kind == SLOTS_KIND_KEYFILE || kind == SLOTS_KIND_CREDENTIAL;
}

/* What stands where a kind has nothing to say is zero. */
static bool
kind_fits(const uint8_t *row, const struct slots_info *info)
{
	const struct slots_kdf *kdf = &info->kdf;

	if (info->kind == SLOTS_KIND_PASSPHRASE)
		return kdf_is_bounded(kdf);
	if (!sodium_is_zero((const uint8_t *)kdf, sizeof(*kdf)))
		return false;
	if (info->kind == SLOTS_KIND_SHARES)
		return sodium_is_zero(row + SLOT_TOP, ENVELOPE_WRAP);
	return slots_kind_is_file(info->kind);
}

enum cdop_err
slots_parse(struct cdop_bytes row, struct slots_info *ret_info)
{
	const uint8_t *p;
	struct slots_info info;

	p = row.data;
	if (row.len != SLOTS_ROW || p[0] != FORMAT || p[1] != SLOTS_TYPE_SLOT ||
	    cdop_get16(p + 6) != 0)
		return CDOP_DATA_LOSS;
	memset(&info, 0, sizeof(info));
	info.number = cdop_get16(p + 2);
	info.kind = p[4];
	info.state = p[5];
	memcpy(info.registry, p + 8, sizeof(info.registry));
	memcpy(info.kdf.salt, p + KDF_AT, SLOTS_SALT);
	info.kdf.passes = cdop_get32(p + KDF_AT + SLOTS_SALT);
	info.kdf.memory_kib = cdop_get32(p + KDF_AT + SLOTS_SALT + 4);
	memcpy(info.label, p + LABEL_AT, SLOTS_LABEL);
	if (info.state != IN_USE || !kind_fits(p, &info) ||
	    !label_is_good(p + LABEL_AT))
		return CDOP_DATA_LOSS;
	*ret_info = info;
	return CDOP_OK;
}

enum cdop_err
slots_derive_passphrase(const struct slots_kdf *kdf,
    struct cdop_bytes passphrase, uint8_t ret_k[static 32])
{
	if (!kdf_is_bounded(kdf))
		return CDOP_INVALID_ARGUMENT;
	if (crypto_pwhash(ret_k, 32, (const char *)passphrase.data,
		passphrase.len, kdf->salt, kdf->passes,
		(size_t)kdf->memory_kib * 1024,
		crypto_pwhash_ALG_ARGON2ID13) != 0)
		return CDOP_RESOURCE_EXHAUSTED;
	return CDOP_OK;
}

enum cdop_err
slots_derive_keyfile(struct cdop_bytes file, uint8_t ret_k[static 32])
{
	static const char word[] = "cdop-slot/1";

	/* A file of one repeated byte was never random. */
	if (file.len != SLOTS_KEYFILE ||
	    memcmp(file.data, file.data + 1, SLOTS_KEYFILE - 1) == 0)
		return CDOP_INVALID_ARGUMENT;
	(void)crypto_generichash(ret_k, 32, (const uint8_t *)word,
	    sizeof(word) - 1, file.data, file.len);
	return CDOP_OK;
}

enum cdop_err
slots_make(const uint8_t registry[static 16], uint16_t number,
    const struct slots_new *slot, const uint8_t root[static 32],
    uint8_t ret_row[static SLOTS_ROW])
{
	uint8_t row[SLOTS_ROW], s[ENVELOPE_KEY];
	struct envelope_key above;
	struct slots_info info;
	size_t len;

	len = strlen(slot->label);
	if (len > SLOTS_LABEL)
		return CDOP_INVALID_ARGUMENT;
	memset(row, 0, sizeof(row));
	row[0] = FORMAT;
	row[1] = SLOTS_TYPE_SLOT;
	cdop_put16(row + 2, number);
	row[4] = (uint8_t)slot->kind;
	row[5] = IN_USE;
	memcpy(row + 8, registry, ENVELOPE_REGISTRY);
	if (slot->kind == SLOTS_KIND_PASSPHRASE) {
		memcpy(row + KDF_AT, slot->kdf.salt, SLOTS_SALT);
		cdop_put32(row + KDF_AT + SLOTS_SALT, slot->kdf.passes);
		cdop_put32(row + KDF_AT + SLOTS_SALT + 4, slot->kdf.memory_kib);
	}
	memcpy(row + LABEL_AT, slot->label, len);
	/* What could not be read back is not written. */
	if (slots_parse((struct cdop_bytes){row, sizeof(row)}, &info) !=
	    CDOP_OK)
		return CDOP_INVALID_ARGUMENT;
	envelope_key_init(&above, root);
	envelope_fresh(&above, (struct cdop_bytes){row, SLOT_TOP}, s);
	sodium_memzero(&above, sizeof(above));
	if (slot->kind != SLOTS_KIND_SHARES)
		wrap(row, SLOT_TOP, K_S, slot->k, s);
	wrap(row, SLOT_TOP, S_ROOT, s, root);
	wrap(row, SLOT_TOP, ROOT_S, root, s);
	sodium_memzero(s, sizeof(s));
	memcpy(ret_row, row, sizeof(row));
	return CDOP_OK;
}

enum cdop_err
slots_open(struct cdop_bytes row, const uint8_t k[static 32],
    uint8_t ret_root[static 32])
{
	struct slots_info info;
	uint8_t s[ENVELOPE_KEY];
	enum cdop_err err;

	if ((err = slots_parse(row, &info)) != CDOP_OK)
		return err;
	if (info.kind == SLOTS_KIND_SHARES)
		return unwrap(row.data, SLOT_TOP, S_ROOT, k, ret_root);
	if ((err = unwrap(row.data, SLOT_TOP, K_S, k, s)) != CDOP_OK)
		return err;
	/* With the right S nothing but damage is left to go wrong. */
	err = unwrap(row.data, SLOT_TOP, S_ROOT, s, ret_root);
	sodium_memzero(s, sizeof(s));
	return err == CDOP_OK ? CDOP_OK : CDOP_DATA_LOSS;
}

enum cdop_err
slots_check(struct cdop_bytes row, const uint8_t root[static 32])
{
	uint8_t s[ENVELOPE_KEY], again[ENVELOPE_KEY];
	struct slots_info info;
	enum cdop_err err;

	err = slots_parse(row, &info);
	if (err == CDOP_OK)
		err = unwrap(row.data, SLOT_TOP, ROOT_S, root, s);
	if (err != CDOP_OK)
		return CDOP_DATA_LOSS;
	err = unwrap(row.data, SLOT_TOP, S_ROOT, s, again);
	if (err == CDOP_OK && sodium_memcmp(again, root, sizeof(again)) != 0)
		err = CDOP_DATA_LOSS;
	sodium_memzero(s, sizeof(s));
	sodium_memzero(again, sizeof(again));
	return err == CDOP_OK ? CDOP_OK : CDOP_DATA_LOSS;
}

enum cdop_err
slots_secret(struct cdop_bytes row, const uint8_t root[static 32],
    uint8_t ret_s[static 32])
{
	struct slots_info info;

	if (slots_parse(row, &info) != CDOP_OK ||
	    unwrap(row.data, SLOT_TOP, ROOT_S, root, ret_s) != CDOP_OK)
		return CDOP_DATA_LOSS;
	return CDOP_OK;
}

enum cdop_err
slots_turn(struct cdop_bytes row, const uint8_t old_root[static 32],
    const uint8_t new_root[static 32], uint8_t ret_row[static SLOTS_ROW])
{
	uint8_t s[ENVELOPE_KEY];
	struct slots_info info;
	enum cdop_err err;

	if ((err = slots_parse(row, &info)) != CDOP_OK)
		return err;
	err = unwrap(row.data, SLOT_TOP, ROOT_S, old_root, s);
	if (err != CDOP_OK)
		return CDOP_DATA_LOSS;
	memcpy(ret_row, row.data, SLOTS_ROW);
	wrap(ret_row, SLOT_TOP, S_ROOT, s, new_root);
	wrap(ret_row, SLOT_TOP, ROOT_S, new_root, s);
	sodium_memzero(s, sizeof(s));
	return CDOP_OK;
}

void
slots_ring_make(const uint8_t registry[static 16],
    const uint8_t root[static 32], const uint8_t header[static 32],
    const uint8_t digest[static 32], uint8_t ret_row[static SLOTS_RING])
{
	memset(ret_row, 0, SLOTS_RING);
	ret_row[0] = FORMAT;
	ret_row[1] = SLOTS_TYPE_RING;
	memcpy(ret_row + 8, registry, ENVELOPE_REGISTRY);
	wrap(ret_row, RING_TOP, ROOT_HEADER, root, header);
	wrap(ret_row, RING_TOP, ROOT_DIGEST, root, digest);
}

enum cdop_err
slots_ring_parse(struct cdop_bytes row, uint8_t ret_registry[static 16])
{
	if (row.len != SLOTS_RING || row.data[0] != FORMAT ||
	    row.data[1] != SLOTS_TYPE_RING || !sodium_is_zero(row.data + 2, 6))
		return CDOP_DATA_LOSS;
	memcpy(ret_registry, row.data + 8, ENVELOPE_REGISTRY);
	return CDOP_OK;
}

enum cdop_err
slots_ring_open(struct cdop_bytes row, const uint8_t root[static 32],
    uint8_t ret_header[static 32], uint8_t ret_digest[static 32])
{
	uint8_t registry[ENVELOPE_REGISTRY];
	enum cdop_err err;

	if ((err = slots_ring_parse(row, registry)) != CDOP_OK)
		return err;
	err = unwrap(row.data, RING_TOP, ROOT_HEADER, root, ret_header);
	if (err == CDOP_OK)
		err = unwrap(row.data, RING_TOP, ROOT_DIGEST, root, ret_digest);
	return err;
}
