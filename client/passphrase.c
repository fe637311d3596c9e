/* Passphrases: read once, used once, wiped. */
#include "client/passphrase.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cdop/secret.h"
#include "cdop/text.h"
#include "client/file.h"
#include "client/print.h"
#include "client/term.h"

/* The first line of a descriptor. */
static enum exit_code
from_fd(struct cmd_ctx *ctx, int fd, struct cdop_bytes *ret)
{
	char *text = cdop_arena_alloc(ctx->arena, PASSPHRASE_MAX + 2);
	size_t len = 0;
	ssize_t n = 1;

	if (text == NULL)
		return cmd_no_memory(ctx);
	while (len <= PASSPHRASE_MAX && n > 0) {
		n = read(fd, text + len, PASSPHRASE_MAX + 1 - len);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			len += (size_t)n;
	}
	text[len] = '\0';
	len = strcspn(text, "\r\n");
	if (n < 0 || len == 0)
		return cmd_fail(ctx, EXIT_AUTH, NULL, NULL,
		    "there is no passphrase in what was given");
	if (len > PASSPHRASE_MAX)
		return cmd_fail(ctx, EXIT_AUTH, NULL, NULL,
		    "the first line of what was given is longer than a "
		    "passphrase may be, %d bytes",
		    PASSPHRASE_MAX);
	ret->data = (const uint8_t *)text;
	ret->len = len;
	return EXIT_OK;
}

static enum exit_code
from_file(struct cmd_ctx *ctx, const char *path, struct cdop_bytes *ret)
{
	enum exit_code code;
	int fd;

	fd = file_open(path);
	if (fd < 0)
		return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
		    "the passphrase file cannot be read: %s", strerror(errno));
	code = from_fd(ctx, fd, ret);
	(void)close(fd);
	return code;
}

static enum exit_code
from_person(struct cmd_ctx *ctx, const char *prompt, struct cdop_bytes *ret)
{
	char *text = cdop_arena_alloc(ctx->arena, PASSPHRASE_MAX + 1);
	enum term_read got;

	if (text == NULL)
		return cmd_no_memory(ctx);
	if (ctx->g.no_input)
		return cmd_fail(ctx, EXIT_AUTH, NULL,
		    "--passphrase-file FILE or --passphrase-fd N",
		    "a passphrase is needed and nobody may be asked");
	got = term_secret(prompt, text, PASSPHRASE_MAX + 1);
	if (got == TERM_STOPPED || got == TERM_END)
		return EXIT_STOPPED;
	if (got == TERM_NONE)
		return cmd_fail(ctx, EXIT_AUTH, NULL,
		    "--passphrase-file FILE or --passphrase-fd N",
		    "a passphrase is needed and there is no terminal");
	ret->data = (const uint8_t *)text;
	ret->len = strlen(text);
	return EXIT_OK;
}

/* True when it does not come from a person. */
static bool
from_elsewhere(
    struct cmd_ctx *ctx, struct cdop_bytes *ret, enum exit_code *ret_code)
{
	const char *path = ctx->g.passphrase_file;
	uint64_t fd;

	if (ctx->g.passphrase_fd != NULL) {
		*ret_code = cmd_number(
		    ctx, "--passphrase-fd", ctx->g.passphrase_fd, 65535, &fd);
		if (*ret_code == EXIT_OK)
			*ret_code = from_fd(ctx, (int)fd, ret);
		return true;
	}
	if (path == NULL)
		path = getenv("CDOP_PASSPHRASE_FILE");
	if (path == NULL || *path == '\0')
		return false;
	*ret_code = from_file(ctx, path, ret);
	return true;
}

bool
passphrase_is_typed(const struct cmd_ctx *ctx)
{
	const char *path = getenv("CDOP_PASSPHRASE_FILE");

	return !ctx->g.no_input && ctx->g.passphrase_fd == NULL &&
	    ctx->g.passphrase_file == NULL && (path == NULL || *path == '\0');
}

enum exit_code
passphrase_get(
    struct cmd_ctx *ctx, const char *what, struct cdop_bytes *ret_passphrase)
{
	enum exit_code code;
	char prompt[256];

	if (from_elsewhere(ctx, ret_passphrase, &code))
		return code;
	(void)snprintf(prompt, sizeof(prompt), "Passphrase of %s: ", what);
	return from_person(ctx, prompt, ret_passphrase);
}

static enum exit_code
long_enough(struct cmd_ctx *ctx, struct cdop_bytes passphrase)
{
	if (passphrase.len < PASSPHRASE_MIN)
		return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
		    "a passphrase has at least %d characters", PASSPHRASE_MIN);
	return EXIT_OK;
}

enum exit_code
passphrase_new(
    struct cmd_ctx *ctx, const char *what, struct cdop_bytes *ret_passphrase)
{
	struct cdop_bytes one = {NULL, 0}, two = {NULL, 0};
	enum exit_code code;
	char prompt[256];
	bool typed;

	typed = !from_elsewhere(ctx, &one, &code);
	if (typed) {
		(void)snprintf(prompt, sizeof(prompt),
		    "New passphrase for %s (at least %d characters): ", what,
		    PASSPHRASE_MIN);
		code = from_person(ctx, prompt, &one);
	}
	if (code != EXIT_OK || (code = long_enough(ctx, one)) != EXIT_OK)
		return code;
	if (typed) {
		code = from_person(ctx, "The same again: ", &two);
		if (code != EXIT_OK)
			return code;
		if (one.len != two.len ||
		    !cdop_secret_equal(one.data, two.data, one.len))
			return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
			    "the two passphrases differ");
	}
	if (cdop_text_keyboard(one) != NULL)
		print_note(ctx, "%s", cdop_text_keyboard(one));
	*ret_passphrase = one;
	return EXIT_OK;
}
