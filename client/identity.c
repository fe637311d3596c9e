/* The identity file: reading, opening, writing. */
#include "client/identity.h"

#include <string.h>

#include "cdop/scan.h"
#include "client/file.h"

#define MAGIC      "cdop-identity/1\n"
#define MAGIC_LEN  16
#define FIXED_LEN  (MAGIC_LEN + 4 + 4 + CDOP_SALT_LEN + CDOP_XNONCE_LEN)
#define FILE_MAX   ((size_t)64 << 10)
#define PAD        512
#define PASSES     3
#define MEMORY_KIB ((uint32_t)64 << 10)

static enum cdop_err
unpack(const ProtobufCMessageDescriptor *desc, struct cdop_bytes in,
    struct cdop_arena *arena, ProtobufCMessage **ret_message)
{
	if (cdop_scan_message(desc, in, CDOP_SCAN_LENIENT, NULL) != CDOP_OK)
		return CDOP_DATA_LOSS;
	*ret_message = protobuf_c_message_unpack(
	    desc, cdop_arena_allocator(arena), in.len, in.data);
	return *ret_message != NULL ? CDOP_OK : CDOP_DATA_LOSS;
}

/* A length-prefixed run at the front of in, which is moved behind it. */
static bool
take(struct cdop_bytes *in, struct cdop_bytes *ret_run)
{
	size_t len;

	if (in->len < 4)
		return false;
	len = cdop_get32(in->data);
	if (len > in->len - 4)
		return false;
	ret_run->data = in->data + 4;
	ret_run->len = len;
	in->data += 4 + len;
	in->len -= 4 + len;
	return true;
}

static bool
has_right_sizes(const Cdop__ClientIdentity *open)
{
	size_t i;

	if (open->registry_id.len != 16 ||
	    open->public_key.len != CDOP_KEY_LEN || open->n_server_key == 0 ||
	    open->n_address == 0)
		return false;
	if (open->has_invitation_id && open->invitation_id.len != 16)
		return false;
	for (i = 0; i < open->n_server_key; i++)
		if (open->server_key[i].len != CDOP_KEY_LEN)
			return false;
	return true;
}

static enum cdop_err
parse(struct cdop_bytes in, struct cdop_arena *arena, struct identity *id)
{
	const uint8_t *p = in.data;
	struct cdop_bytes rest, open;
	ProtobufCMessage *message;
	enum cdop_err err;

	if (in.len < FIXED_LEN || memcmp(p, MAGIC, MAGIC_LEN) != 0)
		return CDOP_DATA_LOSS;
	p += MAGIC_LEN;
	id->passes = cdop_get32(p);
	id->memory_kib = cdop_get32(p + 4);
	memcpy(id->salt, p + 8, CDOP_SALT_LEN);
	memcpy(id->nonce, p + 8 + CDOP_SALT_LEN, CDOP_XNONCE_LEN);
	rest.data = in.data + FIXED_LEN;
	rest.len = in.len - FIXED_LEN;
	if (!take(&rest, &open))
		return CDOP_DATA_LOSS;
	id->head.data = in.data;
	if (!take(&rest, &id->sealed) || rest.len != 0)
		return CDOP_DATA_LOSS;
	id->head.len = (size_t)(id->sealed.data - in.data);
	err = unpack(&cdop__client_identity__descriptor, open, arena, &message);
	if (err != CDOP_OK)
		return err;
	id->open = (Cdop__ClientIdentity *)message;
	return has_right_sizes(id->open) ? CDOP_OK : CDOP_DATA_LOSS;
}

enum cdop_err
identity_load(
    const char *path, struct cdop_arena *arena, struct identity *ret_identity)
{
	struct identity id;
	struct cdop_bytes in;
	enum cdop_err err;

	memset(&id, 0, sizeof(id));
	if ((err = file_read(path, FILE_MAX, arena, &in)) != CDOP_OK)
		return err == CDOP_RESOURCE_EXHAUSTED ? CDOP_DATA_LOSS : err;
	if ((err = parse(in, arena, &id)) != CDOP_OK)
		return err;
	id.path = cdop_arena_strdup(arena, path);
	if (id.path == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	*ret_identity = id;
	return CDOP_OK;
}

bool
identity_has_passphrase(const struct identity *identity)
{
	return identity->passes != 0;
}

/* The sealing key from a passphrase, or from the salt where there is none. */
static enum cdop_err
make_key(struct identity *id, struct cdop_bytes passphrase)
{
	struct cdop_bytes salt = {id->salt, CDOP_SALT_LEN};

	if (id->passes == 0) {
		cdop_secret_hash(id->key, CDOP_KEY_LEN, NULL,
		    "cdop-identity/1 no passphrase", &salt, 1);
		return CDOP_OK;
	}
	return cdop_secret_password(
	    id->key, passphrase, id->salt, id->passes, id->memory_kib);
}

static bool
secret_is_whole(const Cdop__ClientSecret *s)
{
	size_t i;

	for (i = 0; i < s->n_psk_earlier; i++)
		if (s->psk_earlier[i].len != CDOP_KEY_LEN)
			return false;
	return s->n_psk_earlier <= IDENTITY_EARLIER_MAX &&
	    s->static_key.len == CDOP_KEY_LEN && s->psk.len == CDOP_KEY_LEN &&
	    (!s->has_psk_next || s->psk_next.len == CDOP_KEY_LEN);
}

/* The plaintext is padded: its length stands in front of it. */
static enum cdop_err
unseal(struct identity *id, struct cdop_arena *arena)
{
	struct cdop_bytes plain, run;
	ProtobufCMessage *message;
	enum cdop_err err;
	uint8_t *out;

	if (id->sealed.len < CDOP_TAG_LEN)
		return CDOP_UNAUTHENTICATED;
	out = cdop_arena_alloc(arena, id->sealed.len);
	if (out == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if (cdop_secret_unseal(id->key, id->nonce, id->head, id->sealed, out) !=
	    CDOP_OK)
		return CDOP_UNAUTHENTICATED;
	plain.data = out;
	plain.len = id->sealed.len - CDOP_TAG_LEN;
	if (!take(&plain, &run))
		return CDOP_DATA_LOSS;
	err = unpack(&cdop__client_secret__descriptor, run, arena, &message);
	cdop_secret_wipe(out, id->sealed.len);
	if (err != CDOP_OK)
		return err;
	id->secret = (Cdop__ClientSecret *)message;
	return secret_is_whole(id->secret) ? CDOP_OK : CDOP_DATA_LOSS;
}

enum cdop_err
identity_unlock(struct identity *identity, struct cdop_bytes passphrase,
    struct cdop_arena *arena)
{
	enum cdop_err err;

	if ((err = make_key(identity, passphrase)) == CDOP_OK)
		err = unseal(identity, arena);
	/* A cost that is out of bounds was not written by us. */
	if (err == CDOP_INVALID_ARGUMENT)
		err = CDOP_UNAUTHENTICATED;
	if (err != CDOP_OK)
		identity_wipe(identity);
	return err;
}

enum cdop_err
identity_unlock_key(struct identity *identity,
    const uint8_t key[static CDOP_KEY_LEN], struct cdop_arena *arena)
{
	enum cdop_err err;

	memcpy(identity->key, key, CDOP_KEY_LEN);
	err = unseal(identity, arena);
	if (err != CDOP_OK)
		identity_wipe(identity);
	return err;
}

enum cdop_err
identity_protect(struct identity *identity, struct cdop_bytes passphrase)
{
	identity->passes = passphrase.len > 0 ? PASSES : 0;
	identity->memory_kib = passphrase.len > 0 ? MEMORY_KIB : 0;
	cdop_secret_random(identity->salt, CDOP_SALT_LEN);
	return make_key(identity, passphrase);
}

/* Magic to nonce, and the open part with its length. */
static enum cdop_err
write_head(struct identity *id, struct cdop_arena *arena)
{
	size_t open = protobuf_c_message_get_packed_size(&id->open->base);
	size_t len = FIXED_LEN + 4 + open + 4;
	uint8_t *p = cdop_arena_alloc(arena, len);

	if (p == NULL || len > FILE_MAX / 2)
		return CDOP_RESOURCE_EXHAUSTED;
	id->head.data = p;
	id->head.len = len;
	memcpy(p, MAGIC, MAGIC_LEN);
	p += MAGIC_LEN;
	cdop_put32(p, id->passes);
	cdop_put32(p + 4, id->memory_kib);
	memcpy(p + 8, id->salt, CDOP_SALT_LEN);
	memcpy(p + 8 + CDOP_SALT_LEN, id->nonce, CDOP_XNONCE_LEN);
	p += 8 + CDOP_SALT_LEN + CDOP_XNONCE_LEN;
	cdop_put32(p, (uint32_t)open);
	(void)protobuf_c_message_pack(&id->open->base, p + 4);
	cdop_put32(p + 4 + open, (uint32_t)id->sealed.len);
	return CDOP_OK;
}

enum cdop_err
identity_save(struct identity *identity, struct cdop_arena *arena)
{
	const ProtobufCMessage *secret = &identity->secret->base;
	size_t len = protobuf_c_message_get_packed_size(secret), padded;
	struct cdop_bytes part[2], plain;
	enum cdop_err err;
	uint8_t *out;

	padded = (4 + len + PAD - 1) / PAD * PAD;
	out = cdop_arena_alloc(arena, padded + CDOP_TAG_LEN);
	if (out == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop_put32(out, (uint32_t)len);
	(void)protobuf_c_message_pack(secret, out + 4);
	plain.data = out;
	plain.len = padded;
	identity->sealed.data = out;
	identity->sealed.len = padded + CDOP_TAG_LEN;
	cdop_secret_random(identity->nonce, CDOP_XNONCE_LEN);
	if ((err = write_head(identity, arena)) != CDOP_OK) {
		cdop_secret_wipe(out, padded);
		return err;
	}
	cdop_secret_seal(
	    identity->key, identity->nonce, identity->head, plain, out);
	part[0] = identity->head;
	part[1] = identity->sealed;
	return file_replace(identity->path, part, 2);
}

static void
wipe_run(ProtobufCBinaryData *run)
{
	if (run->data != NULL)
		cdop_secret_wipe(run->data, run->len);
}

void
identity_wipe(struct identity *identity)
{
	size_t i;

	cdop_secret_wipe(identity->key, CDOP_KEY_LEN);
	if (identity->secret == NULL)
		return;
	wipe_run(&identity->secret->static_key);
	wipe_run(&identity->secret->psk);
	wipe_run(&identity->secret->psk_next);
	for (i = 0; i < identity->secret->n_psk_earlier; i++)
		wipe_run(&identity->secret->psk_earlier[i]);
	identity->secret = NULL;
}

void
identity_subkey(const struct identity *identity, const char *label,
    uint8_t out[static CDOP_KEY_LEN])
{
	cdop_secret_hash(out, CDOP_KEY_LEN, identity->secret->static_key.data,
	    label, NULL, 0);
}
