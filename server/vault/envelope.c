/* Rows, wraps and boxes; every layout is DESIGN.md's. */
#include "server/vault/envelope.h"

#include <sodium.h>
#include <string.h>

#include "server/vault/fresh.h"

#define NONCE       crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG         crypto_aead_xchacha20poly1305_ietf_ABYTES
#define FORMAT      1
#define LAST_FORMAT 2 /* server/DESIGN.md, Rows */
#define HEAD        28
#define HEAD_TEXT   24 /* without its check */
#define SEALED_AT   (1 + NONCE + HEAD)
#define AAD_MAX     256
#define BOX_STEP    64
#define WORD_LEN(w) (sizeof(w) - 1)

static const char ROW[] = "cdop-row/1";
static const char WRAP[] = "cdop-wrap/1";
static const char BOX[] = "cdop-box/1";
static const char KEY[] = "cdop-key/1";

/* Whole rows: 15, 7, 3 or 2 to a 4 KiB page, then overflow pages. */
static const size_t classes[] = {254, 564, 1342, 2022, 4080, 8176, 16368, 32752,
    65520, 131056, 262128, 524272, ENVELOPE_ROW_MAX};

#define N_CLASSES (sizeof(classes) / sizeof(classes[0]))

/* What goes into an AEAD beside the text. */
struct aad {
	uint8_t data[AAD_MAX];
	size_t len;
};

static void
aad_add(struct aad *aad, const void *p, size_t len)
{
	CDOP_ASSERT(len <= sizeof(aad->data) - aad->len);
	if (len > 0)
		memcpy(aad->data + aad->len, p, len);
	aad->len += len;
}

static void
aad_init(struct aad *aad, const char *word, size_t word_len,
    const uint8_t registry[static ENVELOPE_REGISTRY])
{
	aad->len = 0;
	aad_add(aad, word, word_len);
	aad_add(aad, registry, ENVELOPE_REGISTRY);
}

/* a is never empty. */
static void
keyed(uint8_t *out, size_t out_len, const uint8_t key[static ENVELOPE_KEY],
    struct cdop_bytes a, struct cdop_bytes b)
{
	crypto_generichash_state st;

	(void)crypto_generichash_init(&st, key, ENVELOPE_KEY, out_len);
	(void)crypto_generichash_update(&st, a.data, a.len);
	if (b.len > 0)
		(void)crypto_generichash_update(&st, b.data, b.len);
	(void)crypto_generichash_final(&st, out, out_len);
	sodium_memzero(&st, sizeof(st));
}

/* The subkey of a key for one use. */
static const uint8_t *
subkey(struct envelope_key *key, enum envelope_use use)
{
	static const char *const words[] = {"cdop-row/1 seal",
	    "cdop-row/1 nonce", "cdop-wrap/1 seal", "cdop-box/1 seal"};

	if (!key->made[use])
		keyed(key->sub[use], ENVELOPE_KEY, key->raw,
		    (struct cdop_bytes){
			(const uint8_t *)words[use], strlen(words[use])},
		    (struct cdop_bytes){NULL, 0});
	key->made[use] = true;
	return key->sub[use];
}

const char *
envelope_verdict_name(enum envelope_verdict verdict)
{
	switch (verdict) {
	case ENVELOPE_FINE:
		return "fine";
	case ENVELOPE_DAMAGED:
		return "damaged";
	case ENVELOPE_MISPLACED:
		return "misplaced";
	case ENVELOPE_UNKNOWN_KEY:
		return "under an unknown key";
	case ENVELOPE_UNKNOWN_KIND:
		return "of an unknown kind";
	case ENVELOPE_UNKNOWN_FORMAT:
		return "of an unknown format: a later version's, or its "
		       "first byte was changed";
	}
	return "unknown";
}

void
envelope_key_init(
    struct envelope_key *key, const uint8_t k[static ENVELOPE_KEY])
{
	memcpy(key->raw, k, ENVELOPE_KEY);
	memset(key->made, 0, sizeof(key->made));
}

void
envelope_fresh(struct envelope_key *above, struct cdop_bytes context,
    uint8_t out[static ENVELOPE_KEY])
{
	uint8_t start[WORD_LEN(KEY) + 32];

	memcpy(start, KEY, WORD_LEN(KEY));
	randombytes_buf(start + WORD_LEN(KEY), 32);
	keyed(out, ENVELOPE_KEY, subkey(above, ENVELOPE_NONCE),
	    (struct cdop_bytes){start, sizeof(start)}, context);
	sodium_memzero(start, sizeof(start));
}

void
envelope_renewed(const uint8_t secret[static ENVELOPE_KEY], uint64_t id,
    uint8_t out[static ENVELOPE_KEY])
{
	uint8_t number[8];

	cdop_put64(number, id);
	keyed(out, ENVELOPE_KEY, secret,
	    (struct cdop_bytes){(const uint8_t *)KEY, WORD_LEN(KEY)},
	    (struct cdop_bytes){number, sizeof(number)});
}

size_t
envelope_row_len(size_t data_len)
{
	size_t i = 0;

	if (data_len > ENVELOPE_DATA_MAX)
		return 0;
	while (classes[i] < data_len + ENVELOPE_OVERHEAD)
		i++;
	return classes[i];
}

bool
envelope_is_row_len(size_t row_len)
{
	size_t i;

	for (i = 0; i < N_CLASSES; i++)
		if (classes[i] == row_len)
			return true;
	return false;
}

/*
 * A nonce that no crash, clone or restore brings back, and that differs for
 * different input even where the random source is stuck.
 */
static void
hedged_nonce(uint8_t out[static NONCE], struct envelope_key *key,
    const struct aad *aad, struct cdop_bytes plain)
{
	uint8_t fresh[FRESH_LEN], hash[32];
	crypto_generichash_state st;

	fresh_take(fresh);
	(void)crypto_generichash(
	    hash, sizeof(hash), plain.data, plain.len, NULL, 0);
	(void)crypto_generichash_init(
	    &st, subkey(key, ENVELOPE_NONCE), ENVELOPE_KEY, NONCE);
	(void)crypto_generichash_update(&st, fresh, sizeof(fresh));
	(void)crypto_generichash_update(&st, aad->data, aad->len);
	(void)crypto_generichash_update(&st, hash, sizeof(hash));
	(void)crypto_generichash_final(&st, out, NONCE);
	sodium_memzero(&st, sizeof(st));
	sodium_memzero(fresh, sizeof(fresh));
	sodium_memzero(hash, sizeof(hash));
}

/* ---- Rows ---- */

static void
head_check(const struct envelope_ring *ring, const uint8_t *nonce,
    const uint8_t *head, uint8_t out[static 4])
{
	uint8_t hash[32];

	keyed(hash, sizeof(hash), ring->header,
	    (struct cdop_bytes){nonce, NONCE},
	    (struct cdop_bytes){head, HEAD_TEXT});
	memcpy(out, hash, 4);
	sodium_memzero(hash, sizeof(hash));
}

static void
head_write(const struct envelope_head *head, uint8_t out[static HEAD])
{
	out[0] = head->kind;
	out[1] = head->schema;
	cdop_put16(out + 2, 0);
	cdop_put64(out + 4, head->key_id);
	cdop_put32(out + 12, head->version);
	cdop_put64(out + 16, head->number);
	memset(out + HEAD_TEXT, 0, HEAD - HEAD_TEXT);
}

static void
row_aad(struct aad *aad, const struct envelope_ring *ring, const uint8_t *head)
{
	static const uint8_t format = FORMAT;

	aad_init(aad, ROW, WORD_LEN(ROW), ring->registry);
	aad_add(aad, &format, 1);
	aad_add(aad, head, HEAD);
}

void
envelope_seal(const struct envelope_ring *ring, struct envelope_key *key,
    const struct envelope_head *head, struct cdop_bytes data, uint8_t *row)
{
	uint8_t plain_head[HEAD];
	uint8_t *nonce, *text;
	struct aad aad;
	size_t row_len, text_len;

	row_len = envelope_row_len(data.len);
	CDOP_ASSERT(row_len != 0);
	nonce = row + 1;
	text = row + SEALED_AT;
	text_len = row_len - SEALED_AT - TAG;
	row[0] = FORMAT;
	cdop_put32(text, (uint32_t)data.len);
	if (data.len > 0)
		memcpy(text + 4, data.data, data.len);
	memset(text + 4 + data.len, 0, text_len - 4 - data.len);

	/* The check is made from the nonce, so the nonce sees it as zero. */
	head_write(head, plain_head);
	row_aad(&aad, ring, plain_head);
	hedged_nonce(nonce, key, &aad, (struct cdop_bytes){text, text_len});
	head_check(ring, nonce, plain_head, plain_head + HEAD_TEXT);
	row_aad(&aad, ring, plain_head);
	(void)crypto_stream_xchacha20_xor(
	    row + 1 + NONCE, plain_head, HEAD, nonce, ring->header);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(text, NULL, text,
	    text_len, aad.data, aad.len, NULL, nonce,
	    subkey(key, ENVELOPE_SEAL));
}

static void
head_read(const uint8_t *in, struct envelope_head *head)
{
	head->kind = in[0];
	head->schema = in[1];
	head->key_id = cdop_get64(in + 4);
	head->version = cdop_get32(in + 12);
	head->number = cdop_get64(in + 16);
}

enum envelope_verdict
envelope_head_parse(const struct envelope_ring *ring, struct cdop_bytes row,
    uint64_t number, struct envelope_head *ret_head)
{
	uint8_t head[HEAD], check[4];

	if (!envelope_is_row_len(row.len))
		return ENVELOPE_DAMAGED;
	if (row.data[0] != FORMAT)
		return row.data[0] > LAST_FORMAT ? ENVELOPE_UNKNOWN_FORMAT
						 : ENVELOPE_DAMAGED;
	(void)crypto_stream_xchacha20_xor(
	    head, row.data + 1 + NONCE, HEAD, row.data + 1, ring->header);
	head_check(ring, row.data + 1, head, check);
	if (sodium_memcmp(check, head + HEAD_TEXT, sizeof(check)) != 0 ||
	    cdop_get16(head + 2) != 0)
		return ENVELOPE_DAMAGED;
	head_read(head, ret_head);
	memcpy(ret_head->check, check, sizeof(check));
	return ret_head->number == number ? ENVELOPE_FINE : ENVELOPE_MISPLACED;
}

/*
 * length u32 || data || zeros, as it came out of the seal.  What is behind
 * the tag is our own, so how long this takes tells nobody anything, and a
 * start does it for half of every row.
 */
static bool
padded_read(const uint8_t *text, size_t len, struct cdop_bytes *ret_data)
{
	uint32_t data_len = cdop_get32(text);
	const uint8_t *zeros;
	size_t n;

	if (data_len > len - 4)
		return false;
	zeros = text + 4 + data_len;
	n = len - 4 - data_len;
	/* The first is one, and each is as the one before. */
	if (n > 0 && (zeros[0] != 0 || memcmp(zeros, zeros + 1, n - 1) != 0))
		return false;
	*ret_data = (struct cdop_bytes){text + 4, data_len};
	return true;
}

enum envelope_verdict
envelope_unseal(const struct envelope_ring *ring, struct envelope_key *key,
    const struct envelope_head *head, struct cdop_bytes row, uint8_t *out,
    struct cdop_bytes *ret_data)
{
	uint8_t plain_head[HEAD];
	struct aad aad;
	size_t text_len;

	if (!envelope_is_row_len(row.len))
		return ENVELOPE_DAMAGED;
	head_write(head, plain_head);
	memcpy(plain_head + HEAD_TEXT, head->check, sizeof(head->check));
	row_aad(&aad, ring, plain_head);
	text_len = row.len - SEALED_AT - TAG;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL,
		row.data + SEALED_AT, row.len - SEALED_AT, aad.data, aad.len,
		row.data + 1, subkey(key, ENVELOPE_SEAL)) != 0 ||
	    !padded_read(out, text_len, ret_data)) {
		sodium_memzero(out, text_len);
		return ENVELOPE_DAMAGED;
	}
	out[text_len] = 0; /* out holds the whole row, so there is room */
	return ENVELOPE_FINE;
}

void
envelope_digest(const struct envelope_ring *ring, uint64_t number,
    struct cdop_bytes row, uint8_t out[static 32])
{
	uint8_t n[8];

	cdop_put64(n, number);
	if (row.len >= TAG && row.data[0] == FORMAT) {
		row.data += row.len - TAG;
		row.len = TAG;
	}
	keyed(out, 32, ring->digest, (struct cdop_bytes){n, sizeof(n)}, row);
}

/* ---- Wraps ---- */

static void
commitment(struct envelope_key *key, const uint8_t *nonce,
    const struct aad *aad, uint8_t out[static 32])
{
	static const char word[] = "cdop-wrap/1 commit";
	uint8_t start[WORD_LEN(word) + NONCE];

	memcpy(start, word, WORD_LEN(word));
	memcpy(start + WORD_LEN(word), nonce, NONCE);
	keyed(out, 32, subkey(key, ENVELOPE_WRAPS),
	    (struct cdop_bytes){start, sizeof(start)},
	    (struct cdop_bytes){aad->data, aad->len});
}

void
envelope_wrap(struct envelope_key *key,
    const uint8_t registry[static ENVELOPE_REGISTRY], struct cdop_bytes label,
    const uint8_t x[static ENVELOPE_KEY], uint8_t out[static ENVELOPE_WRAP])
{
	struct aad aad;

	aad_init(&aad, WRAP, WORD_LEN(WRAP), registry);
	aad_add(&aad, label.data, label.len);
	hedged_nonce(out, key, &aad, (struct cdop_bytes){x, ENVELOPE_KEY});
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE, NULL, x,
	    ENVELOPE_KEY, aad.data, aad.len, NULL, out,
	    subkey(key, ENVELOPE_WRAPS));
	commitment(key, out, &aad, out + NONCE + ENVELOPE_KEY + TAG);
}

enum cdop_err
envelope_unwrap(struct envelope_key *key,
    const uint8_t registry[static ENVELOPE_REGISTRY], struct cdop_bytes label,
    const uint8_t in[static ENVELOPE_WRAP], uint8_t ret_x[static ENVELOPE_KEY])
{
	uint8_t expected[32], x[ENVELOPE_KEY];
	struct aad aad;
	int bad;

	aad_init(&aad, WRAP, WORD_LEN(WRAP), registry);
	aad_add(&aad, label.data, label.len);
	commitment(key, in, &aad, expected);
	bad = sodium_memcmp(expected, in + NONCE + ENVELOPE_KEY + TAG, 32);
	sodium_memzero(expected, sizeof(expected));
	if (bad != 0)
		return CDOP_UNAUTHENTICATED;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(x, NULL, NULL,
		in + NONCE, ENVELOPE_KEY + TAG, aad.data, aad.len, in,
		subkey(key, ENVELOPE_WRAPS)) != 0)
		return CDOP_DATA_LOSS;
	memcpy(ret_x, x, sizeof(x));
	sodium_memzero(x, sizeof(x));
	return CDOP_OK;
}

/* ---- Boxes ---- */

size_t
envelope_box_len(size_t data_len)
{
	size_t text;

	if (data_len > ENVELOPE_DATA_MAX)
		return 0;
	text = (4 + data_len + BOX_STEP - 1) / BOX_STEP * BOX_STEP;
	return NONCE + text + TAG;
}

static void
box_aad(struct aad *aad, const uint8_t registry[static ENVELOPE_REGISTRY],
    struct cdop_bytes context)
{
	aad_init(aad, BOX, WORD_LEN(BOX), registry);
	aad_add(aad, context.data, context.len);
}

void
envelope_box_seal(struct envelope_key *key,
    const uint8_t registry[static ENVELOPE_REGISTRY], struct cdop_bytes context,
    struct cdop_bytes data, uint8_t *out)
{
	struct aad aad;
	uint8_t *text;
	size_t text_len;

	text = out + NONCE;
	text_len = envelope_box_len(data.len) - NONCE - TAG;
	cdop_put32(text, (uint32_t)data.len);
	if (data.len > 0)
		memcpy(text + 4, data.data, data.len);
	memset(text + 4 + data.len, 0, text_len - 4 - data.len);
	box_aad(&aad, registry, context);
	hedged_nonce(out, key, &aad, (struct cdop_bytes){text, text_len});
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(text, NULL, text,
	    text_len, aad.data, aad.len, NULL, out, subkey(key, ENVELOPE_BOX));
}

enum envelope_verdict
envelope_box_unseal(struct envelope_key *key,
    const uint8_t registry[static ENVELOPE_REGISTRY], struct cdop_bytes context,
    struct cdop_bytes box, uint8_t *out, struct cdop_bytes *ret_data)
{
	struct aad aad;
	size_t text_len;

	if (box.len < NONCE + BOX_STEP + TAG ||
	    (box.len - NONCE - TAG) % BOX_STEP != 0)
		return ENVELOPE_DAMAGED;
	text_len = box.len - NONCE - TAG;
	box_aad(&aad, registry, context);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL,
		box.data + NONCE, text_len + TAG, aad.data, aad.len, box.data,
		subkey(key, ENVELOPE_BOX)) != 0 ||
	    !padded_read(out, text_len, ret_data)) {
		sodium_memzero(out, text_len);
		return ENVELOPE_DAMAGED;
	}
	return ENVELOPE_FINE;
}
