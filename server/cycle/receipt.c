/* Leaf, salt, path and checkpoint, as c2sp.org/tlog-proof has it. */
#include "server/cycle/receipt.h"

#include <string.h>

#include "cdop/logproof.h"
#include "cdop/varint.h"
#include "server/base/log.h"
#include "server/cycle/refused.h"
#include "server/registry/audit.h"
#include "server/registry/checkpoints.h"
#include "server/registry/registry.h"
#include "server/registry/tree.h"
#include "server/vault/rows.h"

/* Reply.receipt: field 10, bytes. */
#define RECEIPT_TAG 0x52

static enum cdop_err
make_text(struct registry *reg, struct cdop_arena *arena,
    const struct audit_receipt *receipt, struct cdop_bytes *ret_text)
{
	struct cdop_logproof *proof;
	uint8_t *text;
	size_t max;
	enum cdop_err err;

	proof = cdop_arena_alloc(arena, sizeof(*proof));
	if (proof == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	memcpy(proof->extra, receipt->leaf, sizeof(receipt->leaf));
	memcpy(proof->extra + sizeof(receipt->leaf), receipt->request_salt,
	    sizeof(receipt->request_salt));
	proof->extra_len =
	    sizeof(receipt->leaf) + sizeof(receipt->request_salt);
	proof->index = receipt->index;
	proof->checkpoint = checkpoints_note(reg->checkpoints);
	err = cdop_merkle_prove_inclusion(receipt->index,
	    checkpoints_size(reg->checkpoints), tree_fetch, reg->tree,
	    &proof->proof);
	if (err != CDOP_OK)
		return err;
	max = CDOP_LOGPROOF_MAX(proof->checkpoint.len);
	if ((text = cdop_arena_alloc(arena, max)) == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	ret_text->data = text;
	return cdop_logproof_write(proof, text, max, &ret_text->len);
}

enum cdop_err
receipt_append(struct registry *reg, struct cdop_arena *arena,
    const struct audit_receipt *receipt, struct cdop_bytes *reply)
{
	struct cdop_bytes text = {NULL, 0};
	uint8_t *out, *p;
	enum cdop_err err;

	err = make_text(reg, arena, receipt, &text);
	if (err == CDOP_DATA_LOSS) {
		log_error("log.damaged", "finding=%s next=%s",
		    rows_finding(reg->rows), REFUSED_NEXT_VERIFY);
		return CDOP_OK;
	}
	if (err != CDOP_OK)
		return err;
	out = cdop_arena_alloc(
	    arena, reply->len + 1 + CDOP_VARINT_MAX + text.len);
	if (out == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	memcpy(out, reply->data, reply->len);
	p = out + reply->len;
	*p++ = RECEIPT_TAG;
	p += cdop_varint_write(p, text.len);
	memcpy(p, text.data, text.len);
	reply->data = out;
	reply->len = (size_t)(p - out) + text.len;
	return CDOP_OK;
}
