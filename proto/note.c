/* Signed notes and their keys; see cdop/note.h. */
#include "cdop/note.h"

#include <sodium.h>
#include <string.h>

#include "cdop/secret.h"
#include "cdop/sha256.h"
#include "cdop/text.h"
#include "proto/note_inner.h"

#define DASH          "\xe2\x80\x94 " /* U+2014 and a blank */
#define DASH_LEN      (sizeof(DASH) - 1)
#define ID_LEN        4
#define TIME_LEN      8
#define SIGNATURE_LEN crypto_sign_BYTES
#define BLOB_MAX      (ID_LEN + TIME_LEN + SIGNATURE_LEN)

/* Before the text in what a witness signs: two lines. */
#define COSIGNED     "cosignature/v1\ntime "
#define COSIGNED_LEN (sizeof(COSIGNED) + NOTE_DECIMAL_MAX)
#define TIME_MAX     INT64_MAX

/* ---- names --------------------------------------------------------------- */

/* What Unicode calls a space; the rest of them are control characters. */
static bool
is_space(uint32_t c)
{
	return c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 ||
	    (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
	    c == 0x202f || c == 0x205f || c == 0x3000;
}

bool
cdop_note_is_name(const char *name)
{
	size_t len = strlen(name);
	uint32_t c;

	if (len == 0 || len > CDOP_NOTE_NAME_MAX)
		return false;
	while (cdop_text_next(&name, &c))
		if (c < 0x20 || c == '+' || is_space(c))
			return false;
	return *name == '\0'; /* else it is not UTF-8 */
}

/* The same of bytes, which are copied with a NUL behind them. */
static bool
take_name(struct cdop_bytes bytes, char out[static CDOP_NOTE_NAME_MAX + 1])
{
	if (bytes.len > CDOP_NOTE_NAME_MAX ||
	    memchr(bytes.data, 0, bytes.len) != NULL)
		return false;
	memcpy(out, bytes.data, bytes.len);
	out[bytes.len] = '\0';
	return cdop_note_is_name(out);
}

/* ---- keys -------------------------------------------------------------- */

static uint32_t
key_id(const struct cdop_note_key *key)
{
	const uint8_t head[2] = {'\n', (uint8_t)key->type};
	uint8_t id[CDOP_SHA256_LEN];
	struct cdop_sha256 hash;

	cdop_sha256_init(&hash);
	cdop_sha256_update(&hash, key->name, strlen(key->name));
	cdop_sha256_update(&hash, head, sizeof(head));
	cdop_sha256_update(&hash, key->public, sizeof(key->public));
	cdop_sha256_final(&hash, id);
	return cdop_get32(id);
}

enum cdop_err
cdop_note_key_init(struct cdop_note_key *key, const char *name,
    enum cdop_note_type type, const uint8_t public[static CDOP_NOTE_PUBLIC_LEN])
{
	if (!cdop_note_is_name(name))
		return CDOP_INVALID_ARGUMENT;
	memset(key, 0, sizeof(*key));
	memcpy(key->name, name, strlen(name));
	key->type = type;
	memcpy(key->public, public, sizeof(key->public));
	key->id = key_id(key);
	return CDOP_OK;
}

/* What stands before the next '+', and takes both off; false: there is none. */
static bool
until_plus(struct cdop_bytes *rest, struct cdop_bytes *ret_part)
{
	const uint8_t *plus;

	plus = rest->len > 0 ? memchr(rest->data, '+', rest->len) : NULL;
	if (plus == NULL)
		return false;
	ret_part->data = rest->data;
	ret_part->len = (size_t)(plus - rest->data);
	rest->data = plus + 1;
	rest->len -= ret_part->len + 1;
	return true;
}

static bool
is_small_hex(struct cdop_bytes text, uint32_t number)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < 8 && text.len == 8; i++)
		if (text.data[i] !=
		    (uint8_t)digits[number >> (28 - 4 * i) & 15])
			return false;
	return text.len == 8;
}

enum cdop_err
cdop_note_key_parse(struct cdop_bytes vkey, struct cdop_note_key *ret_key)
{
	uint8_t material[1 + CDOP_NOTE_PUBLIC_LEN];
	struct cdop_bytes name, id, rest = vkey;
	char text[CDOP_NOTE_NAME_MAX + 1];
	struct cdop_note_key key;
	enum cdop_err err;
	size_t len;

	if (vkey.len >= CDOP_NOTE_VKEY_MAX || !until_plus(&rest, &name) ||
	    !until_plus(&rest, &id) || !take_name(name, text))
		return CDOP_INVALID_ARGUMENT;
	err = cdop_secret_unbase64(rest, material, sizeof(material), &len);
	if (err != CDOP_OK || len == 0)
		return CDOP_INVALID_ARGUMENT;
	if (material[0] != CDOP_NOTE_ED25519 &&
	    material[0] != CDOP_NOTE_COSIGNATURE)
		return CDOP_UNIMPLEMENTED;
	if (len != sizeof(material))
		return CDOP_INVALID_ARGUMENT;
	err = cdop_note_key_init(&key, text,
	    material[0] == CDOP_NOTE_ED25519 ? CDOP_NOTE_ED25519
					     : CDOP_NOTE_COSIGNATURE,
	    material + 1);
	if (err != CDOP_OK || !is_small_hex(id, key.id))
		return CDOP_INVALID_ARGUMENT;
	*ret_key = key;
	return CDOP_OK;
}

void
cdop_note_key_write(
    const struct cdop_note_key *key, char out[static CDOP_NOTE_VKEY_MAX])
{
	struct note_out to = {
	    .data = (uint8_t *)out, .max = CDOP_NOTE_VKEY_MAX};
	uint8_t material[1 + CDOP_NOTE_PUBLIC_LEN], id[ID_LEN];
	char hex[2 * ID_LEN + 1];

	cdop_put32(id, key->id);
	cdop_secret_hex((struct cdop_bytes){id, sizeof(id)}, hex);
	material[0] = (uint8_t)key->type;
	memcpy(material + 1, key->public, sizeof(key->public));
	cdop_note_put_text(&to, key->name);
	cdop_note_put_text(&to, "+");
	cdop_note_put_text(&to, hex);
	cdop_note_put_text(&to, "+");
	cdop_note_put_base64(
	    &to, (struct cdop_bytes){material, sizeof(material)});
	cdop_note_put(&to, "", 1);
	CDOP_ASSERT(!to.full);
}

enum cdop_err
cdop_note_signer_init(struct cdop_note_signer *signer, const char *name,
    enum cdop_note_type type, const uint8_t seed[static CDOP_NOTE_SEED_LEN])
{
	uint8_t public[CDOP_NOTE_PUBLIC_LEN];

	_Static_assert(
	    sizeof(signer->secret) == crypto_sign_SECRETKEYBYTES, "Ed25519");
	if (!cdop_note_is_name(name))
		return CDOP_INVALID_ARGUMENT;
	(void)crypto_sign_seed_keypair(public, signer->secret, seed);
	return cdop_note_key_init(&signer->key, name, type, public);
}

void
cdop_note_signer_wipe(struct cdop_note_signer *signer)
{
	cdop_secret_wipe(signer, sizeof(*signer));
}

/* ---- reading ------------------------------------------------------------ */

/*
 * Where the last empty line ends, and with it the text and its newline; 0
 * where there is none.
 */
static size_t
end_of_text(struct cdop_bytes file)
{
	size_t i;

	for (i = file.len; i >= 2; i--)
		if (file.data[i - 1] == '\n' && file.data[i - 2] == '\n')
			return i - 1;
	return 0;
}

/* All groups of four but the last are whole, and nothing is left over. */
static bool
is_base64(struct cdop_bytes text)
{
	struct cdop_bytes group = {text.data, 4};
	uint8_t bytes[3];
	size_t at, n;

	if (text.len % 4 != 0)
		return false;
	for (at = 0; at < text.len; at += 4) {
		group.data = text.data + at;
		if (cdop_secret_unbase64(group, bytes, 3, &n) != CDOP_OK ||
		    (n < 3 && at + 4 < text.len))
			return false;
	}
	return true;
}

static bool
take_signature(
    struct cdop_bytes line, struct cdop_note_signature *ret_signature)
{
	struct cdop_bytes head = {NULL, 8};
	char name[CDOP_NOTE_NAME_MAX + 1];
	uint8_t bytes[6];
	const uint8_t *blank;
	size_t n;

	if (line.len < DASH_LEN || memcmp(line.data, DASH, DASH_LEN) != 0)
		return false;
	line.data += DASH_LEN;
	line.len -= DASH_LEN;
	blank = line.len > 0 ? memchr(line.data, ' ', line.len) : NULL;
	if (blank == NULL)
		return false;
	ret_signature->name.data = line.data;
	ret_signature->name.len = (size_t)(blank - line.data);
	ret_signature->base64.data = head.data = blank + 1;
	ret_signature->base64.len = line.len - ret_signature->name.len - 1;
	if (!take_name(ret_signature->name, name) ||
	    ret_signature->base64.len < head.len ||
	    !is_base64(ret_signature->base64))
		return false;
	/* An id alone is no signature. */
	if (cdop_secret_unbase64(head, bytes, sizeof(bytes), &n) != CDOP_OK ||
	    n <= ID_LEN)
		return false;
	ret_signature->id = cdop_get32(bytes);
	return true;
}

enum cdop_err
cdop_note_parse(struct cdop_bytes file, struct cdop_note *ret_note)
{
	struct cdop_bytes rest, line;
	struct cdop_note note;

	if (file.len > CDOP_NOTE_MAX || !cdop_note_is_text(file))
		return CDOP_INVALID_ARGUMENT;
	note.n = 0;
	note.text.data = file.data;
	note.text.len = end_of_text(file);
	if (note.text.len == 0)
		return CDOP_INVALID_ARGUMENT;
	rest.data = file.data + note.text.len + 1;
	rest.len = file.len - note.text.len - 1;
	while (cdop_note_line(&rest, &line))
		if (note.n == CDOP_NOTE_SIGNATURES_MAX ||
		    !take_signature(line, &note.signature[note.n++]))
			return CDOP_INVALID_ARGUMENT;
	if (note.n == 0 || rest.len > 0)
		return CDOP_INVALID_ARGUMENT;
	*ret_note = note;
	return CDOP_OK;
}

/* ---- signatures ---------------------------------------------------------- */

/* What a witness signs: two lines and the text. */
static bool
cosigned(struct note_out *out, uint64_t time_s, struct cdop_bytes text)
{
	if (time_s > TIME_MAX || text.len > CDOP_NOTE_COSIGNED_MAX)
		return false;
	cdop_note_put_text(out, COSIGNED);
	cdop_note_put_decimal(out, time_s);
	cdop_note_put_text(out, "\n");
	cdop_note_put(out, text.data, text.len);
	return !out->full;
}

static bool
holds(struct cdop_bytes text, const struct cdop_note_key *key,
    const struct cdop_note_signature *signature, uint64_t *ret_time_s)
{
	uint8_t message[COSIGNED_LEN + CDOP_NOTE_COSIGNED_MAX], blob[BLOB_MAX];
	struct note_out out = {.data = message, .max = sizeof(message)};
	const uint8_t *at = blob + ID_LEN;
	size_t len, want = ID_LEN + SIGNATURE_LEN;

	if (key->type == CDOP_NOTE_COSIGNATURE)
		want += TIME_LEN;
	if (signature->base64.len > CDOP_BASE64_LEN(sizeof(blob)) ||
	    cdop_secret_unbase64(signature->base64, blob, sizeof(blob), &len) !=
		CDOP_OK ||
	    len != want)
		return false;
	*ret_time_s = 0;
	if (key->type == CDOP_NOTE_COSIGNATURE) {
		*ret_time_s = cdop_get64(at);
		at += TIME_LEN;
		if (!cosigned(&out, *ret_time_s, text))
			return false;
		text = (struct cdop_bytes){out.data, out.len};
	}
	return crypto_sign_verify_detached(
		   at, text.data, text.len, key->public) == 0;
}

static bool
is_by(const struct cdop_note_signature *signature,
    const struct cdop_note_key *key)
{
	return signature->id == key->id &&
	    signature->name.len == strlen(key->name) &&
	    memcmp(signature->name.data, key->name, signature->name.len) == 0;
}

enum cdop_err
cdop_note_verify(const struct cdop_note *note, const struct cdop_note_key *key,
    uint64_t *ret_time_s)
{
	uint64_t time_s, newest = 0;
	bool found = false;
	size_t i;

	for (i = 0; i < note->n; i++) {
		if (!is_by(&note->signature[i], key))
			continue;
		if (!holds(note->text, key, &note->signature[i], &time_s))
			return CDOP_DATA_LOSS;
		if (time_s > newest)
			newest = time_s;
		found = true;
	}
	if (!found)
		return CDOP_NOT_FOUND;
	if (ret_time_s != NULL)
		*ret_time_s = newest;
	return CDOP_OK;
}

/* The line of one signer; false: it cannot sign this. */
static bool
put_line(struct note_out *out, const struct cdop_note_signer *signer,
    struct cdop_bytes text, uint64_t time_s)
{
	uint8_t message[COSIGNED_LEN + CDOP_NOTE_COSIGNED_MAX], blob[BLOB_MAX];
	struct note_out to = {.data = message, .max = sizeof(message)};
	size_t len = ID_LEN;

	cdop_put32(blob, signer->key.id);
	if (signer->key.type == CDOP_NOTE_COSIGNATURE) {
		cdop_put64(blob + len, time_s);
		len += TIME_LEN;
		if (!cosigned(&to, time_s, text))
			return false;
		text = (struct cdop_bytes){to.data, to.len};
	}
	(void)crypto_sign_detached(
	    blob + len, NULL, text.data, text.len, signer->secret);
	cdop_note_put_text(out, DASH);
	cdop_note_put_text(out, signer->key.name);
	cdop_note_put_text(out, " ");
	cdop_note_put_base64(
	    out, (struct cdop_bytes){blob, len + SIGNATURE_LEN});
	cdop_note_put_text(out, "\n");
	return true;
}

/* What was written is a note, or an error. */
static enum cdop_err
finish(const struct note_out *out, size_t *ret_len)
{
	if (out->full || out->len > CDOP_NOTE_MAX)
		return CDOP_RESOURCE_EXHAUSTED;
	*ret_len = out->len;
	return CDOP_OK;
}

enum cdop_err
cdop_note_sign(struct cdop_bytes text, const struct cdop_note_signer *signer,
    uint64_t time_s, uint8_t *out, size_t max, size_t *ret_len)
{
	struct note_out to = {.data = out, .max = max};

	if (!cdop_note_is_text(text))
		return CDOP_INVALID_ARGUMENT;
	cdop_note_put(&to, text.data, text.len);
	cdop_note_put_text(&to, "\n");
	if (!put_line(&to, signer, text, time_s))
		return CDOP_INVALID_ARGUMENT;
	return finish(&to, ret_len);
}

enum cdop_err
cdop_note_add(struct cdop_bytes file, const struct cdop_note_signer *signer,
    uint64_t time_s, uint8_t *out, size_t max, size_t *ret_len)
{
	struct note_out to = {.data = out, .max = max};
	struct cdop_note note;
	enum cdop_err err;

	if ((err = cdop_note_parse(file, &note)) != CDOP_OK)
		return err;
	if (note.n == CDOP_NOTE_SIGNATURES_MAX)
		return CDOP_INVALID_ARGUMENT;
	cdop_note_put(&to, file.data, file.len);
	if (!put_line(&to, signer, note.text, time_s))
		return CDOP_INVALID_ARGUMENT;
	return finish(&to, ret_len);
}
