/* Invitation files: lines in a fixed order, and a check behind them. */
#include "cdop/invitation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cdop/limits.h"
#include "cdop/secret.h"
#include "cdop/utf8.h"

#define HEAD      "cdop-invitation 1"
#define CHECK_LEN 8

static void
check_of(const char *text, size_t len, char out[static 2 * CHECK_LEN + 1])
{
	struct cdop_bytes all = {(const uint8_t *)text, len};
	struct cdop_bytes part;
	uint8_t hash[32];

	cdop_secret_hash(hash, sizeof(hash), NULL, "", &all, 1);
	part.data = hash;
	part.len = CHECK_LEN;
	cdop_secret_hex(part, out);
}

/* ---- reading ------------------------------------------------------------ */

/* What is left of the text; lines lose their CR here. */
struct reader {
	char *at;
	char *end;
};

/* The value of the next line if its word is this one; else NULL, unmoved. */
static char *
take(struct reader *r, const char *word)
{
	size_t len = strlen(word);
	char *line = r->at, *end;

	end = memchr(line, '\n', (size_t)(r->end - line));
	if (end == NULL || (size_t)(end - line) < len + 1 ||
	    memcmp(line, word, len) != 0 || line[len] != ' ')
		return NULL;
	r->at = end + 1;
	*end = '\0';
	return line + len + 1;
}

static enum cdop_err
take_hex(struct reader *r, const char *word, uint8_t *out, size_t len)
{
	const char *value = take(r, word);

	if (value == NULL)
		return CDOP_INVALID_ARGUMENT;
	return cdop_secret_unhex(value, out, len);
}

static enum cdop_err
take_mode(struct reader *r, bool *ret_training)
{
	const char *value = take(r, "mode");

	if (value == NULL ||
	    (strcmp(value, "live") != 0 && strcmp(value, "training") != 0))
		return CDOP_INVALID_ARGUMENT;
	*ret_training = value[0] == 't';
	return CDOP_OK;
}

static enum cdop_err
take_number(struct reader *r, const char *word, uint64_t *ret_n)
{
	const char *value = take(r, word);
	char *end;

	if (value == NULL || value[0] < '0' || value[0] > '9')
		return CDOP_INVALID_ARGUMENT;
	errno = 0;
	*ret_n = strtoull(value, &end, 10);
	return errno == 0 && *end == '\0' ? CDOP_OK : CDOP_INVALID_ARGUMENT;
}

static enum cdop_err
take_addresses(struct reader *r, struct cdop_invitation *inv)
{
	const char *value;

	while ((value = take(r, "address")) != NULL) {
		if (inv->n_address == CDOP_INVITATION_ADDRESSES ||
		    value[0] == '\0')
			return CDOP_INVALID_ARGUMENT;
		inv->address[inv->n_address++] = value;
	}
	return inv->n_address > 0 ? CDOP_OK : CDOP_INVALID_ARGUMENT;
}

static enum cdop_err
take_servers(struct reader *r, struct cdop_invitation *inv)
{
	const char *value;

	while ((value = take(r, "server")) != NULL) {
		if (inv->n_server == CDOP_INVITATION_SERVERS ||
		    cdop_secret_unhex(
			value, inv->server[inv->n_server++], 32) != CDOP_OK)
			return CDOP_INVALID_ARGUMENT;
	}
	return inv->n_server > 0 ? CDOP_OK : CDOP_INVALID_ARGUMENT;
}

static enum cdop_err
read_lines(struct reader *r, struct cdop_invitation *inv)
{
	enum cdop_err err;

	if ((err = take_hex(r, "registry", inv->registry, 16)) != CDOP_OK ||
	    (err = take_mode(r, &inv->training)) != CDOP_OK)
		return err;
	inv->name = take(r, "name");
	if (inv->name == NULL || inv->name[0] == '\0')
		return CDOP_INVALID_ARGUMENT;
	if ((err = take_addresses(r, inv)) != CDOP_OK ||
	    (err = take_servers(r, inv)) != CDOP_OK ||
	    (err = take_hex(r, "id", inv->id, 16)) != CDOP_OK ||
	    (err = take_hex(r, "psk", inv->psk, 32)) != CDOP_OK)
		return err;
	return take_number(r, "expires", &inv->expires_ms);
}

/* Mail turns LF into CRLF; blank lines behind the last do no harm. */
static size_t
normalise(char *text, size_t len)
{
	size_t i, n = 0;

	for (i = 0; i < len; i++)
		if (text[i] != '\r')
			text[n++] = text[i];
	while (n > 1 && text[n - 1] == '\n' && text[n - 2] == '\n')
		n--;
	if (n > 0 && text[n - 1] != '\n')
		text[n++] = '\n';
	return n;
}

static enum cdop_err
check_is_right(char *text, size_t *len)
{
	const size_t line = strlen("check ") + 2 * CHECK_LEN + 1;
	char want[2 * CHECK_LEN + 1];

	if (*len < line || memcmp(text + *len - line, "check ", 6) != 0)
		return CDOP_INVALID_ARGUMENT;
	check_of(text, *len - line, want);
	if (memcmp(text + *len - line + 6, want, 2 * CHECK_LEN) != 0)
		return CDOP_DATA_LOSS;
	*len -= line;
	return CDOP_OK;
}

enum cdop_err
cdop_invitation_parse(struct cdop_bytes file, struct cdop_arena *arena,
    struct cdop_invitation *ret_invitation)
{
	struct cdop_invitation inv;
	struct reader r;
	enum cdop_err err;
	size_t len;
	char *text;

	if (file.len == 0 || file.len > CDOP_INVITATION_FILE_MAX ||
	    memchr(file.data, 0, file.len) != NULL || !cdop_utf8_is_valid(file))
		return CDOP_INVALID_ARGUMENT;
	text = cdop_arena_alloc(arena, file.len + 2);
	if (text == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	memcpy(text, file.data, file.len);
	len = normalise(text, file.len);
	if (len <= sizeof(HEAD) || memcmp(text, HEAD "\n", sizeof(HEAD)) != 0)
		return CDOP_INVALID_ARGUMENT;
	if ((err = check_is_right(text, &len)) != CDOP_OK)
		return err;
	memset(&inv, 0, sizeof(inv));
	r.at = text + sizeof(HEAD);
	r.end = text + len;
	if ((err = read_lines(&r, &inv)) == CDOP_OK && r.at != r.end)
		err = CDOP_INVALID_ARGUMENT;
	if (err == CDOP_OK)
		*ret_invitation = inv;
	cdop_secret_wipe(inv.psk, sizeof(inv.psk));
	return err;
}

/* ---- writing --------------------------------------------------------------
 */

static bool
fits_a_line(const char *text)
{
	return text != NULL && text[0] != '\0' && strpbrk(text, "\r\n") == NULL;
}

static bool
is_writable(const struct cdop_invitation *inv)
{
	size_t i;

	if (!fits_a_line(inv->name) || inv->n_address == 0 ||
	    inv->n_address > CDOP_INVITATION_ADDRESSES || inv->n_server == 0 ||
	    inv->n_server > CDOP_INVITATION_SERVERS)
		return false;
	for (i = 0; i < inv->n_address; i++)
		if (!fits_a_line(inv->address[i]))
			return false;
	return true;
}

static char *
add_hex(struct cdop_arena *arena, const char *so_far, const char *word,
    const uint8_t *data, size_t len)
{
	struct cdop_bytes bytes = {data, len};
	char hex[65];

	cdop_secret_hex(bytes, hex);
	return cdop_arena_printf(arena, "%s%s %s\n", so_far, word, hex);
}

enum cdop_err
cdop_invitation_write(const struct cdop_invitation *invitation,
    struct cdop_arena *arena, struct cdop_bytes *ret_file)
{
	char *text, check[2 * CHECK_LEN + 1];
	size_t i;

	if (!is_writable(invitation))
		return CDOP_INVALID_ARGUMENT;
	text = add_hex(arena, HEAD "\n", "registry", invitation->registry, 16);
	if (text != NULL)
		text = cdop_arena_printf(arena, "%smode %s\nname %s\n", text,
		    invitation->training ? "training" : "live",
		    invitation->name);
	for (i = 0; text != NULL && i < invitation->n_address; i++)
		text = cdop_arena_printf(
		    arena, "%saddress %s\n", text, invitation->address[i]);
	for (i = 0; text != NULL && i < invitation->n_server; i++)
		text =
		    add_hex(arena, text, "server", invitation->server[i], 32);
	if (text != NULL)
		text = add_hex(arena, text, "id", invitation->id, 16);
	if (text != NULL)
		text = add_hex(arena, text, "psk", invitation->psk, 32);
	if (text != NULL)
		text = cdop_arena_printf(arena, "%sexpires %llu\n", text,
		    (unsigned long long)invitation->expires_ms);
	if (text == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	check_of(text, strlen(text), check);
	text = cdop_arena_printf(arena, "%scheck %s\n", text, check);
	if (text == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	ret_file->data = (const uint8_t *)text;
	ret_file->len = strlen(text);
	return ret_file->len <= CDOP_INVITATION_FILE_MAX
	    ? CDOP_OK
	    : CDOP_INVALID_ARGUMENT;
}
