/* Reading a share; see share_in.h. */
#include "client/share_in.h"

#include <string.h>

#include "cdop/secret.h"
#include "client/file.h"
#include "client/print.h"
#include "client/prompt.h"
#include "client/session.h"
#include "client/term.h"

#define CHARS     80
#define TYPED_MAX 400
#define FILE_MAX  4096
#define LINE_ROOM 200
#define TRIES     3

static enum exit_code
judge(struct cmd_ctx *ctx, enum cdop_err err, struct cdop_bytes text)
{
	size_t n = cdop_share_count(text);

	if (err == CDOP_OK)
		return EXIT_OK;
	if (err == CDOP_DATA_LOSS)
		return cmd_fail(ctx, EXIT_INVALID, "share",
		    "compare it with the sheet, letter by letter",
		    "there is a slip in the share");
	if (n != CHARS)
		return cmd_fail(ctx, EXIT_INVALID, "share",
		    "four lines of twenty letters",
		    "a share has %d letters, and this has %zu", CHARS, n);
	return cmd_fail(ctx, EXIT_INVALID, "share", NULL,
	    "not a share, which has A to Z and 2 to 7 alone");
}

static enum exit_code
from_file(struct cmd_ctx *ctx, const char *path, struct cdop_share *ret_share)
{
	struct cdop_bytes text;
	enum cdop_err err;

	err = file_read(path, FILE_MAX, ctx->arena, &text);
	if (err != CDOP_OK)
		return cmd_fail(ctx, EXIT_USAGE, "share", NULL, "%s: %s", path,
		    err == CDOP_NOT_FOUND ? "there is no such file"
					  : "cannot be read");
	return judge(ctx, cdop_share_parse(text, ret_share), text);
}

/* A line of the sheet or all of it at a time. */
static enum exit_code
type(struct cmd_ctx *ctx, char text[static TYPED_MAX])
{
	const char *prompt = "The letters of the share: ";
	size_t len = 0;

	while (TYPED_MAX - len > LINE_ROOM + 1 &&
	    cdop_share_count((struct cdop_bytes){(const uint8_t *)text, len}) <
		CHARS) {
		switch (term_secret(prompt, text + len, LINE_ROOM)) {
		case TERM_LINE:
			break;
		case TERM_STOPPED:
			return EXIT_STOPPED;
		case TERM_END:
			return prompt_impossible(
			    ctx, "the share", "--from FILE");
		}
		if (text[len] == '\0')
			return EXIT_STOPPED;
		len += strlen(text + len);
		text[len++] = '\n';
		text[len] = '\0';
		prompt = "and on: ";
	}
	return EXIT_OK;
}

static enum exit_code
from_person(struct cmd_ctx *ctx, struct cdop_share *ret_share)
{
	char text[TYPED_MAX] = "";
	struct cdop_bytes bytes = {(const uint8_t *)text, 0};
	enum exit_code code = EXIT_INVALID;
	int tries;

	if (!prompt_is_possible(ctx))
		return prompt_impossible(ctx, "the share", "--from FILE");
	for (tries = 0; tries < TRIES && code == EXIT_INVALID; tries++) {
		if (tries > 0)
			print_note(ctx, "%s", ctx->error.message);
		if ((code = type(ctx, text)) != EXIT_OK)
			break;
		bytes.len = strlen(text);
		code = judge(ctx, cdop_share_parse(bytes, ret_share), bytes);
	}
	cdop_secret_wipe(text, sizeof(text));
	return code;
}

enum exit_code
share_in_get(struct cmd_ctx *ctx, struct cdop_share *ret_share)
{
	const char *path = cmd_value(ctx, "--from");
	const Cdop__ClientIdentity *open;
	enum exit_code code;

	if ((code = session_load(ctx)) != EXIT_OK)
		return code;
	code = path != NULL ? from_file(ctx, path, ret_share)
			    : from_person(ctx, ret_share);
	if (code != EXIT_OK)
		return code;
	open = ctx->session->identity.open;
	if (open->registry_id.len >= CDOP_SHARE_REGISTRY &&
	    memcmp(open->registry_id.data, ret_share->registry,
		CDOP_SHARE_REGISTRY) == 0)
		return EXIT_OK;
	cdop_secret_wipe(ret_share, sizeof(*ret_share));
	return cmd_fail(ctx, EXIT_INVALID, "share",
	    "with --context NAME another registry is meant",
	    "the share is of another registry than this context");
}
