/* Sealed files. */
#include "client/sealed.h"

#include <string.h>

#include "cdop/scan.h"
#include "client/file.h"
#include "client/session.h"

#define HEAD_LEN (SEALED_MAGIC_LEN + CDOP_XNONCE_LEN)
#define PAD      1024
#define FILE_MAX ((size_t)32 << 20)
#define AD_LEN   (SEALED_MAGIC_LEN + CDOP_LINK_REGISTRY_LEN)

static void
additional(const struct cmd_ctx *ctx, const struct sealed_kind *kind,
    uint8_t out[static AD_LEN])
{
	memcpy(out, kind->magic, SEALED_MAGIC_LEN);
	memcpy(out + SEALED_MAGIC_LEN,
	    ctx->session->identity.open->registry_id.data,
	    CDOP_LINK_REGISTRY_LEN);
}

enum cdop_err
sealed_write(struct cmd_ctx *ctx, const struct sealed_kind *kind,
    const char *path, const ProtobufCMessage *message)
{
	size_t len = protobuf_c_message_get_packed_size(message), padded;
	uint8_t head[HEAD_LEN], key[CDOP_KEY_LEN], ad[AD_LEN], *out;
	struct cdop_bytes part[2], plain, adb = {ad, sizeof(ad)};
	struct cdop_arena *scratch;
	enum cdop_err err;

	padded = (4 + len + PAD - 1) / PAD * PAD;
	if (padded > FILE_MAX - HEAD_LEN - CDOP_TAG_LEN)
		return CDOP_RESOURCE_EXHAUSTED;
	/* Written again and again during an import. */
	err = cdop_arena_new(padded + 64, &scratch);
	if (err != CDOP_OK)
		return err;
	out = cdop_arena_alloc(scratch, padded + CDOP_TAG_LEN);
	memcpy(head, kind->magic, SEALED_MAGIC_LEN);
	cdop_secret_random(head + SEALED_MAGIC_LEN, CDOP_XNONCE_LEN);
	cdop_put32(out, (uint32_t)len);
	(void)protobuf_c_message_pack(message, out + 4);
	plain.data = out;
	plain.len = padded;
	identity_subkey(&ctx->session->identity, kind->label, key);
	additional(ctx, kind, ad);
	cdop_secret_seal(key, head + SEALED_MAGIC_LEN, adb, plain, out);
	cdop_secret_wipe(key, sizeof(key));
	part[0].data = head;
	part[0].len = sizeof(head);
	part[1].data = out;
	part[1].len = padded + CDOP_TAG_LEN;
	err = file_replace(path, part, 2);
	cdop_arena_free(scratch);
	return err;
}

static enum cdop_err
unseal(struct cmd_ctx *ctx, const struct sealed_kind *kind,
    struct cdop_bytes in, uint8_t *out)
{
	uint8_t key[CDOP_KEY_LEN], ad[AD_LEN];
	struct cdop_bytes adb = {ad, sizeof(ad)};
	struct cdop_bytes body = {in.data + HEAD_LEN, in.len - HEAD_LEN};
	enum cdop_err err;

	identity_subkey(&ctx->session->identity, kind->label, key);
	additional(ctx, kind, ad);
	err =
	    cdop_secret_unseal(key, in.data + SEALED_MAGIC_LEN, adb, body, out);
	cdop_secret_wipe(key, sizeof(key));
	return err;
}

enum cdop_err
sealed_read(struct cmd_ctx *ctx, const struct sealed_kind *kind,
    const char *path, ProtobufCMessage **ret_message)
{
	struct cdop_bytes in, run;
	ProtobufCMessage *message;
	enum cdop_err err;
	uint8_t *out;

	err = file_read(path, FILE_MAX, ctx->arena, &in);
	if (err != CDOP_OK)
		return err == CDOP_RESOURCE_EXHAUSTED ? CDOP_DATA_LOSS : err;
	if (in.len < HEAD_LEN + CDOP_TAG_LEN + 4 ||
	    memcmp(in.data, kind->magic, SEALED_MAGIC_LEN) != 0)
		return CDOP_DATA_LOSS;
	if ((out = cdop_arena_alloc(ctx->arena, in.len)) == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if ((err = unseal(ctx, kind, in, out)) != CDOP_OK)
		return err;
	run.data = out + 4;
	run.len = cdop_get32(out);
	if (run.len > in.len - HEAD_LEN - CDOP_TAG_LEN - 4 ||
	    cdop_scan_message(kind->desc, run, CDOP_SCAN_OWN, NULL) != CDOP_OK)
		return CDOP_DATA_LOSS;
	message = protobuf_c_message_unpack(
	    kind->desc, cdop_arena_allocator(ctx->arena), run.len, run.data);
	if (message == NULL)
		return CDOP_DATA_LOSS;
	*ret_message = message;
	return CDOP_OK;
}
