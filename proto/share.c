/* Shares of a registry's secret as bytes and as text. */
#include "cdop/share.h"

#include <string.h>

#include "cdop/secret.h"

#define VERSION  1
#define CHECKED  44 /* bytes before the check */
#define CHECK    6
#define CHARS    CDOP_BASE32_LEN(CDOP_SHARE_LEN)
#define SET_AT   9
#define X_AT     11
#define Y_AT     12
#define PER_LINE (CDOP_SHARE_ROW * CDOP_SHARE_GROUP)

static void
check_of(const uint8_t *bytes, uint8_t out[static 32])
{
	const struct cdop_bytes all = {bytes, CHECKED};

	cdop_secret_hash(out, 32, NULL, "cdop-share/1 check", &all, 1);
}

void
cdop_share_pack(
    const struct cdop_share *share, uint8_t ret_bytes[static CDOP_SHARE_LEN])
{
	uint8_t check[32];

	ret_bytes[0] = VERSION;
	memcpy(ret_bytes + 1, share->registry, CDOP_SHARE_REGISTRY);
	cdop_put16(ret_bytes + SET_AT, share->set);
	ret_bytes[X_AT] = share->x;
	memcpy(ret_bytes + Y_AT, share->y, CDOP_SHARE_SECRET);
	check_of(ret_bytes, check);
	memcpy(ret_bytes + CHECKED, check, CHECK);
	cdop_secret_wipe(check, sizeof(check));
}

enum cdop_err
cdop_share_unpack(struct cdop_bytes bytes, struct cdop_share *ret_share)
{
	const uint8_t *p = bytes.data;
	uint8_t check[32];
	bool good;

	if (bytes.len != CDOP_SHARE_LEN)
		return CDOP_INVALID_ARGUMENT;
	check_of(p, check);
	good = cdop_secret_equal(check, p + CHECKED, CHECK);
	cdop_secret_wipe(check, sizeof(check));
	if (!good)
		return CDOP_DATA_LOSS;
	if (p[0] != VERSION || p[X_AT] == 0)
		return CDOP_INVALID_ARGUMENT;
	memcpy(ret_share->registry, p + 1, CDOP_SHARE_REGISTRY);
	ret_share->set = cdop_get16(p + SET_AT);
	ret_share->x = p[X_AT];
	memcpy(ret_share->y, p + Y_AT, CDOP_SHARE_SECRET);
	return CDOP_OK;
}

/* ---- text --------------------------------------------------------------- */

void
cdop_share_write(
    const struct cdop_share *share, char ret_text[static CDOP_SHARE_TEXT])
{
	uint8_t bytes[CDOP_SHARE_LEN];
	char plain[CHARS + 1];
	char *out = ret_text;
	size_t i;

	cdop_share_pack(share, bytes);
	cdop_secret_base32((struct cdop_bytes){bytes, sizeof(bytes)}, plain);
	for (i = 0; i < CHARS; i++) {
		*out++ = plain[i];
		if ((i + 1) % PER_LINE == 0)
			*out++ = '\n';
		else if ((i + 1) % CDOP_SHARE_GROUP == 0)
			*out++ = ' ';
	}
	*out = '\0';
	cdop_secret_wipe(plain, sizeof(plain));
	cdop_secret_wipe(bytes, sizeof(bytes));
}

static bool
is_between(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '-';
}

/*
 * The characters that count, at most max of them into out; returns how many
 * there are.
 */
static size_t
gather(struct cdop_bytes text, char *out, size_t max)
{
	bool begins = true, passed = false;
	size_t i, n = 0;
	char c;

	for (i = 0; i < text.len; i++) {
		c = (char)text.data[i];
		if (begins)
			passed = c == '#';
		begins = c == '\n';
		if (passed || is_between(c))
			continue;
		if (n < max)
			out[n] = c;
		n++;
	}
	return n;
}

size_t
cdop_share_count(struct cdop_bytes text)
{
	return gather(text, NULL, 0);
}

size_t
cdop_share_letters(
    struct cdop_bytes text, char ret_letters[static CDOP_SHARE_CHARS + 1])
{
	size_t n = gather(text, ret_letters, CHARS);

	ret_letters[n < CHARS ? n : CHARS] = '\0';
	return n;
}

static bool
fits(const char *plain)
{
	uint8_t bytes[CDOP_SHARE_LEN];
	struct cdop_share share;
	size_t len = 0;
	bool good;

	good = cdop_secret_unbase32(plain, bytes, sizeof(bytes), &len) ==
		CDOP_OK &&
	    cdop_share_unpack((struct cdop_bytes){bytes, len}, &share) ==
		CDOP_OK;
	cdop_secret_wipe(bytes, sizeof(bytes));
	cdop_secret_wipe(&share, sizeof(share));
	return good;
}

/* 48 bits of check: what fits by chance is one in 10^11. */
static bool
fits_but_for(char plain[static CHARS + 1], size_t i)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	const char was = plain[i], next = plain[i + 1];
	bool found = false;
	size_t j;

	for (j = 0; !found && letters[j] != '\0'; j++) {
		plain[i] = letters[j];
		found = fits(plain);
	}
	plain[i] = was;
	if (found || next == '\0')
		return found;
	plain[i] = next;
	plain[i + 1] = was;
	found = fits(plain);
	plain[i] = was;
	plain[i + 1] = next;
	return found;
}

bool
cdop_share_slip(struct cdop_bytes text, unsigned *ret_line, unsigned *ret_group)
{
	char plain[CHARS + 1];
	bool found = false;
	size_t i;

	if (cdop_share_letters(text, plain) != CHARS)
		plain[0] = '\0';
	for (i = 0; !found && plain[i] != '\0'; i++) {
		found = fits_but_for(plain, i);
		*ret_line = (unsigned)(i / PER_LINE + 1);
		*ret_group = (unsigned)(i % PER_LINE / CDOP_SHARE_GROUP + 1);
	}
	cdop_secret_wipe(plain, sizeof(plain));
	return found;
}

enum cdop_err
cdop_share_parse(struct cdop_bytes text, struct cdop_share *ret_share)
{
	uint8_t bytes[CDOP_SHARE_LEN];
	char plain[CHARS + 1] = "";
	enum cdop_err err = CDOP_INVALID_ARGUMENT;
	size_t len = 0;

	/* A NUL among them ends the text early, and its length is wrong. */
	if (gather(text, plain, CHARS) == CHARS &&
	    cdop_secret_unbase32(plain, bytes, sizeof(bytes), &len) == CDOP_OK)
		err = cdop_share_unpack(
		    (struct cdop_bytes){bytes, len}, ret_share);
	cdop_secret_wipe(plain, sizeof(plain));
	cdop_secret_wipe(bytes, sizeof(bytes));
	return err;
}

void
cdop_share_proof(const struct cdop_share *share,
    const uint8_t registry[static 16],
    uint8_t ret_proof[static CDOP_SHARE_COMMIT])
{
	uint8_t head[3];
	struct cdop_bytes parts[3] = {
	    {registry, 16},
	    {head, sizeof(head)},
	    {share->y, CDOP_SHARE_SECRET},
	};

	cdop_put16(head, share->set);
	head[2] = share->x;
	cdop_secret_hash(
	    ret_proof, CDOP_SHARE_COMMIT, NULL, "cdop-share/1 proof", parts, 3);
}

void
cdop_share_commit(const uint8_t proof[static CDOP_SHARE_COMMIT],
    uint8_t ret_commit[static CDOP_SHARE_COMMIT])
{
	const struct cdop_bytes part = {proof, CDOP_SHARE_COMMIT};

	cdop_secret_hash(ret_commit, CDOP_SHARE_COMMIT, NULL,
	    "cdop-share/1 commit", &part, 1);
}
